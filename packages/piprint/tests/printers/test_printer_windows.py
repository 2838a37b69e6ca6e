"""The Windows backend against a spooler made up after the documentation. It has not been tested on Windows."""

from __future__ import annotations

import stat
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from piprint.config.settings import PrinterConfig, Rule
from piprint.documents.payloads import JobPayload, PaperTray
from piprint.errors import PrinterError, PrinterRefused, PrinterUnreachable
from piprint.printers.backends.windows import WindowsPrinter, find_windows_printers
from piprint.printers.printer import Accepted, Media, Printer, PrinterAddress, PrinterState, SpoolerState, Ticket
from piprint.printers.ticket.offer import trays
from piprint.printers.ticket.options import make_ticket

A4 = Media(21000, 29700, "iso_a4_210x297mm")
QUEUE = "Kontor & Lager (ø)"
JOB = Accepted(0, "", "bc-prod-7-1")


class Spooler:
    """As ``win32print``: one queue, its jobs as dicts."""

    class error(Exception):  # noqa: N801 - as in pywin32
        pass

    def __init__(self) -> None:
        self.duplex = 1
        self.jobs: list[dict[str, Any]] = []
        self.status = 0
        self.open = 0
        self.running = True
        self.cancelled: list[int] = []
        self.capabilities: dict[int, Any] = {
            2: [9, 11, 1],
            3: [{"x": 2100, "y": 2970}, {"x": 1480, "y": 2100}, {"x": 2159, "y": 2794}],
            6: [7, 1, 2, 260],
            7: 1,
            18: 99,
            32: 1,
        }

    def EnumPrinters(self, flags: int, name: object, level: int) -> list[dict[str, str]]:  # noqa: N802
        assert (flags, name, level) == (6, None, 4)
        if not self.running:
            raise self.error(1722, "EnumPrinters", "The RPC server is unavailable.")
        return [{"pPrinterName": QUEUE}, {"pPrinterName": "Microsoft Print to PDF"}]

    def OpenPrinter(self, name: str) -> int:  # noqa: N802
        assert threading.current_thread() is not threading.main_thread()
        if not self.running or name != QUEUE:
            raise self.error(1801, "OpenPrinter", "The printer name is invalid.")
        self.open += 1
        return 77

    def ClosePrinter(self, handle: int) -> None:  # noqa: N802
        assert handle == 77
        self.open -= 1

    def GetPrinter(self, handle: int, level: int) -> dict[str, Any]:  # noqa: N802
        assert (handle, level) == (77, 2)
        return {
            "Status": self.status,
            "pPortName": "USB001",
            "pDriverName": "Office 5000 PCL6",
            "pDevMode": SimpleNamespace(PaperSize=9, Duplex=self.duplex),
        }

    def DeviceCapabilities(self, name: str, port: str, what: int) -> Any:  # noqa: N802
        assert (name, port) == (QUEUE, "USB001")
        return self.capabilities[what]

    def EnumJobs(self, handle: int, first: int, most: int, level: int) -> list[dict[str, Any]]:  # noqa: N802
        assert (handle, first, level) == (77, 0, 2)
        return self.jobs[:most]

    def SetJob(self, handle: int, number: int, level: int, info: object, command: int) -> None:  # noqa: N802
        assert (handle, level, info, command) == (77, 0, None, 3)
        self.cancelled.append(number)

    def add(self, number: int, document: str, status: int = 0x10) -> dict[str, Any]:
        job = {"JobId": number, "pDocument": document, "Status": status, "pStatus": None, "PagesPrinted": 0}
        self.jobs.append(job)
        return job


@pytest.fixture
def spooler() -> Spooler:
    return Spooler()


def printer(spooler: Spooler | None, sumatra: str = "", **settings: Any) -> WindowsPrinter:
    (address, *_) = find_windows_printers(Spooler())
    return WindowsPrinter(address, PrinterConfig(id=QUEUE, **settings), spooler, sumatra=sumatra)


@pytest.fixture
def sumatra(tmp_path: Path) -> Path:
    """A program that writes down its arguments and what the file holds, and exits as told."""
    program = tmp_path / "SumatraPDF"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "log.write_text('\\n'.join([*sys.argv[1:], pathlib.Path(sys.argv[-1]).read_text()]))\n"
        f"sys.exit(int(pathlib.Path({str(tmp_path / 'code')!r}).read_text()))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "code").write_text("0")
    return program


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "spool" / "7-1.pdf"
    path.parent.mkdir()
    path.write_text("the document")
    return path


def test_it_is_a_printer(spooler: Spooler) -> None:
    one: Printer = printer(spooler)
    assert one.address == PrinterAddress(QUEUE, "winspool:/Kontor%20%26%20Lager%20%28%C3%B8%29", QUEUE, "windows")


def test_a_spooler_that_is_stopped_is_told(spooler: Spooler) -> None:
    spooler.running = False
    with pytest.raises(
        PrinterUnreachable, match=r"The RPC server is unavailable\.; is the service Print Spooler running"
    ):
        find_windows_printers(spooler)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has queues")
async def test_elsewhere_there_are_no_windows_printers() -> None:
    assert find_windows_printers() == []
    with pytest.raises(PrinterError, match="pywin32"):
        await printer(None).status()


async def test_what_the_driver_says(spooler: Spooler) -> None:
    one = printer(spooler)
    can = await one.capabilities()
    assert can.description == "Office 5000 PCL6"
    assert can.media[0] == can.media_default == A4
    assert can.sources == ("auto", "top", "bottom", "bin-260")
    assert can.sides == ("one-sided", "two-sided-long-edge", "two-sided-short-edge")
    assert (can.color, can.color_modes, can.copies) == (True, ("color", "monochrome"), 99)
    assert spooler.open == 0
    numbers = {tray.keyword: tray.source for tray in trays(can, PrinterConfig(id="x"))}
    assert (numbers["auto"], numbers["top"], numbers["bottom"]) == (7, 1, 2)


async def test_the_numbers_of_bins_come_back_as_the_same_numbers(spooler: Spooler) -> None:
    spooler.capabilities[6] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14]
    can = await printer(spooler).capabilities()
    assert {tray.source for tray in trays(can, PrinterConfig(id="x"))} == set(spooler.capabilities[6])


async def test_a_simple_printer(spooler: Spooler) -> None:
    spooler.capabilities |= {7: 0, 32: 0, 18: 0}
    can = await printer(spooler).capabilities()
    assert (can.sides, can.color, can.color_modes, can.copies) == (("one-sided",), False, ("monochrome",), 1)


async def test_a_job_goes_to_sumatra_as_a_list_of_arguments(spooler: Spooler, sumatra: Path, document: Path) -> None:
    one = printer(spooler, str(sumatra))
    payload = JobPayload(copies=3, color=False, papertray=PaperTray(source=2, kind=9))
    rules = [Rule(sides="two-sided-long-edge")]
    ticket, notes = make_ticket(
        "bc-prod-7-1", payload, await one.capabilities(), PrinterConfig(id=QUEUE), rules, printer_id=QUEUE
    )
    assert notes == []
    spooler.add(41, r"C:\spool\x\bc-prod-7-1.pdf")
    accepted = await one.send(await one.create(ticket), ticket, document)
    assert accepted == Accepted(41, "", "bc-prod-7-1")
    *arguments, path, content = (sumatra.parent / "log").read_text().split("\n")
    assert arguments == [
        "-print-to",
        QUEUE,
        "-print-settings",
        "3x,noscale,duplexlong,monochrome,bin=2,paper=A4",
        "-silent",
    ]
    assert Path(path).name == "bc-prod-7-1.pdf"
    assert content == "the document"
    assert list(document.parent.iterdir()) == [document]


async def test_p6_paper_and_trays_that_sumatra_has_no_word_for_are_told(
    spooler: Spooler, sumatra: Path, document: Path
) -> None:
    one = printer(spooler, str(sumatra))
    await one.capabilities()
    label = Media(6200, 2900, "custom_62x29mm_62x29mm")
    untrue = ("It was printed on 62 x 29 mm.", ("media",))
    ticket = Ticket("bc-prod-7-1", media=label, source="gone", notes=(untrue, ("Cut.", ())))
    accepted = await one.send(await one.create(ticket), ticket, document)
    assert accepted.ignored == (
        "The printer did not take what was asked about the paper and the paper or its tray, and did it as it is set; check the print.",
    )
    assert accepted.untrue == (untrue[0],)


async def test_a_job_that_leaves_the_queue_is_done(spooler: Spooler, sumatra: Path, document: Path) -> None:
    one = printer(spooler, str(sumatra))
    assert await one.look(JOB) is None  # not ours, or from before a restart
    job = spooler.add(41, "bc-prod-7-1.pdf")
    accepted = await one.send(JOB, Ticket(JOB.name), document)
    told = await one.look(accepted)
    assert told is not None
    assert told.state is SpoolerState.PROCESSING
    spooler.jobs.remove(job)
    told = await one.look(accepted)
    assert told is not None
    assert (told.id, told.state) == (41, SpoolerState.COMPLETED)


async def test_only_the_last_jobs_are_remembered(
    spooler: Spooler, sumatra: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("piprint.printers.backends.windows._MOST_JOBS", 2)
    one = printer(spooler, str(sumatra))
    jobs = [Accepted(0, "", f"bc-prod-{number}-1") for number in range(3)]
    for job in jobs:
        await one.send(job, Ticket(job.name), document)
    assert [await one.look(job) is not None for job in jobs] == [False, True, True]


async def test_a_job_deleted_at_the_computer_is_not_printed(spooler: Spooler, sumatra: Path, document: Path) -> None:
    one = printer(spooler, str(sumatra))
    job = spooler.add(41, "bc-prod-7-1.pdf", 0x4 | 0x10)
    accepted = await one.send(JOB, Ticket(JOB.name), document)
    await one.look(accepted)
    spooler.jobs.remove(job)
    told = await one.look(accepted)
    assert told is not None
    assert told.state is SpoolerState.CANCELED


async def test_cancel(spooler: Spooler, sumatra: Path, document: Path) -> None:
    one = printer(spooler, str(sumatra))
    await one.cancel(JOB)
    job = spooler.add(41, "bc-prod-7-1.pdf")
    spooler.add(42, "bc-prod-7-11.pdf")
    accepted = await one.send(JOB, Ticket(JOB.name), document)
    await one.cancel(accepted)
    assert spooler.cancelled == [41]
    spooler.jobs.remove(job)
    told = await one.look(accepted)
    assert told is not None
    assert told.state is SpoolerState.CANCELED


@pytest.mark.parametrize(
    ("status", "state", "reasons"),
    [
        (0, SpoolerState.PENDING, ()),
        (0x8, SpoolerState.PROCESSING, ()),
        (0x10 | 0x40, SpoolerState.PROCESSING, ("media-empty",)),
        (0x10 | 0x2, SpoolerState.STOPPED, ()),
        (0x1, SpoolerState.HELD, ()),
        (0x80, SpoolerState.COMPLETED, ()),
        (0x1000, SpoolerState.COMPLETED, ()),
        (0x100 | 0x80, SpoolerState.CANCELED, ()),
    ],
)
async def test_job_states(spooler: Spooler, status: int, state: SpoolerState, reasons: tuple[str, ...]) -> None:
    spooler.add(5, "bc-prod-7-1.pdf", status)
    (job,) = await printer(spooler).find("bc-prod-7-1")
    assert (job.id, job.state, job.reasons) == (5, state, reasons)
    assert job.document_complete is (status != 0x8)


@pytest.mark.parametrize(
    ("status", "state", "reasons"),
    [
        (0, PrinterState.IDLE, ()),
        (0x400, PrinterState.PROCESSING, ()),
        (0x10 | 0x400, PrinterState.STOPPED, ("media-empty-error",)),
        (0x1 | 0x400000, PrinterState.STOPPED, ("paused", "door-open-error")),
    ],
)
async def test_printer_states(spooler: Spooler, status: int, state: PrinterState, reasons: tuple[str, ...]) -> None:
    spooler.status = status
    told = await printer(spooler).status()
    assert (told.state, told.reasons) == (state, reasons)


async def test_a_queue_that_is_gone(spooler: Spooler) -> None:
    spooler.running = False
    with pytest.raises(PrinterUnreachable, match="The printer name is invalid"):
        await printer(spooler).status()


async def test_sumatra_fails(spooler: Spooler, sumatra: Path, document: Path) -> None:
    (sumatra.parent / "code").write_text("3")
    one = printer(spooler, str(sumatra))
    with pytest.raises(PrinterRefused, match="code 3"):
        await one.send(JOB, Ticket(JOB.name), document)
    assert await one.look(JOB) is None


async def test_sumatra_is_not_there(spooler: Spooler, document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPRINT_SUMATRA", raising=False)
    with pytest.raises(PrinterRefused, match="was not found"):
        await printer(spooler).send(JOB, Ticket(JOB.name), document)
    monkeypatch.setenv("PIPRINT_SUMATRA", "/nonexistent/SumatraPDF.exe")
    with pytest.raises(PrinterRefused, match="cannot be started"):
        await printer(spooler).send(JOB, Ticket(JOB.name), document)


async def test_sumatra_that_waits_for_somebody_is_ended(spooler: Spooler, document: Path) -> None:
    program = document.parent.parent / "Sleeper"
    program.write_text(f"#!{sys.executable}\nimport time; time.sleep(60)\n")
    program.chmod(0o755)
    with pytest.raises(PrinterUnreachable, match="did not come to an end") as caught:
        await printer(spooler, str(program), give_up_after=1).send(JOB, Ticket(JOB.name), document)
    assert caught.value.started is True


@pytest.mark.parametrize(
    ("page", "scaling", "words"),
    [
        ((21000, 29700), None, "noscale"),
        ((29700, 42000), None, "shrink"),
        ((21000, 29700), "fit", "fit"),
        ((21000, 29700), "fill", "noscale"),
    ],
)
async def test_p6_pages_are_scaled_in_sumatras_words(
    spooler: Spooler, page: tuple[int, int], scaling: str | None, words: str
) -> None:
    one = printer(spooler, scaling=scaling, paper=("A4",))
    settings = PrinterConfig(id=QUEUE, scaling=scaling, paper=("A4",))
    ticket, notes = make_ticket(
        "n", JobPayload(), await one.capabilities(), settings, [], printer_id=QUEUE, page_size=page
    )
    assert one._print_settings(ticket).split(",")[1] == words
    assert bool(notes) is (page[0] > 21000 or scaling == "fill")


@pytest.mark.parametrize(
    ("duplex", "sides"), [(1, "one-sided"), (2, "two-sided-long-edge"), (3, "two-sided-short-edge")]
)
async def test_p2_the_queues_own_sides_are_known(spooler: Spooler, duplex: int, sides: str) -> None:
    spooler.duplex = duplex
    can = await printer(spooler).capabilities()
    assert can.sides_default == sides
    ticket, _ = make_ticket("n", JobPayload(duplex=True), can, PrinterConfig(id=QUEUE), [], printer_id=QUEUE)
    assert ticket.sides == ""
