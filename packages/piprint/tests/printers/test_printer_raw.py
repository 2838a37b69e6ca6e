"""Port 9100: every byte arrives, and what is certain about a broken connection is told apart from what is not."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piprint.config.settings import PrinterConfig
from piprint.contract import ZPL
from piprint.documents.payloads import JobPayload, PaperTray
from piprint.errors import DocumentError, PrinterError, PrinterUnreachable
from piprint.printers.backends.raw_printer import RawPrinter, host_status
from piprint.printers.printer import Accepted, Feedback, Printer, PrinterAddress, PrinterState, Ticket
from piprint.printers.ticket.options import make_ticket

Saved = Callable[[bytes], Path]
Pdf = Callable[..., bytes]
JOB = Accepted(0, "", "bc-prod-7-1")
TICKET = Ticket("bc-prod-7-1")
LABEL = b"^XA\r\n^FO50,50^ADN,36,20^FD\xc3\xa6\x00\xff^FS\r\n^PQ2\r\n^XZ\r\n"


class Sink:
    """A printer on a port: keeps what it gets, one entry per connection; does otherwise when told."""

    def __init__(self) -> None:
        self.jobs: list[bytes] = []
        self.answer = b""
        self.reset_after: int | None = None
        self.keeps_open = False
        self.uri = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        got = b""
        try:
            while more := await reader.read(1 << 16):
                got += more
                if self.answer and b"~HS" in got:
                    writer.write(self.answer)
                if self.reset_after is not None and len(got) >= self.reset_after:
                    raw = writer.get_extra_info("socket")
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
            if self.keeps_open:
                await asyncio.sleep(3600)
        finally:
            self.jobs.append(got)
            writer.close()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.uri = f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield sink
    server.close()
    await sink.stop()
    await server.wait_closed()


@pytest.fixture
async def printer_at() -> AsyncIterator[Callable[..., RawPrinter]]:
    made: list[RawPrinter] = []

    def at(uri: str, *, grace: float = 5, timeout: float = 5, **settings: object) -> RawPrinter:
        printer = RawPrinter(
            PrinterAddress("Labels", uri), PrinterConfig(id="Labels", uri=uri, **settings), grace=grace, timeout=timeout
        )
        made.append(printer)
        return printer

    yield at
    for printer in made:
        await printer.close()


def test_it_is_a_printer(printer_at: Callable[..., RawPrinter]) -> None:
    printer: Printer = printer_at("socket://x")
    assert printer.feedback is Feedback.SENT_ONLY


@pytest.mark.parametrize("language", ["raw", "zpl", "pdf"])
async def test_a_label_arrives_byte_by_byte(
    sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved, language: str
) -> None:
    printer = printer_at(sink.uri, language=language)
    accepted = await printer.create(TICKET)
    assert accepted == JOB
    assert await printer.send(accepted, TICKET, saved(LABEL)) == accepted
    assert sink.jobs == [LABEL]


async def test_a_large_document_arrives_whole(sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved) -> None:
    content = bytes(range(256)) * 5_000
    await printer_at(sink.uri, language="raw").send(JOB, TICKET, saved(content))
    assert sink.jobs == [content]


async def test_copies_of_a_label_repeat_it(sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved) -> None:
    await printer_at(sink.uri, language="zpl").send(JOB, Ticket("x", copies=3), saved(LABEL))
    assert sink.jobs == [LABEL * 3]


async def test_a_pdf_becomes_a_label_per_page(
    sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved, reportlab_pdf: Pdf
) -> None:
    printer = printer_at(sink.uri, language="zpl", paper=("50x25mm",))
    payload = JobPayload(copies=2, papertray=PaperTray(source=7, kind=0, width=5000, height=2500))
    ticket, notes = make_ticket("x", payload, await printer.capabilities(), printer._settings, [], printer_id="Labels")
    assert notes == []
    path = saved(reportlab_pdf([(50, 25), (25, 50)]))
    await printer.send(JOB, ticket, path)
    (job,) = sink.jobs
    assert job.count(b"^XA\n^PW400\n^LL200\n") == 2  # the second page is turned
    assert job.count(b"^PQ2\n^XZ\n") == 2
    assert list(path.parent.iterdir()) == [path]


async def test_a_damaged_pdf_sends_nothing(sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved) -> None:
    with pytest.raises(DocumentError, match="damaged"):
        await printer_at(sink.uri, language="zpl").send(JOB, TICKET, saved(b"%PDF-1.4 broken"))
    assert sink.jobs == []


async def test_a_full_disk_sends_nothing(
    sink: Sink,
    printer_at: Callable[..., RawPrinter],
    saved: Saved,
    reportlab_pdf: Pdf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = saved(reportlab_pdf([(50, 25)]))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Path("/dev/full").open("r+b"))  # noqa: SIM115
    with pytest.raises(PrinterUnreachable, match=r"nothing was sent .*No space left") as caught:
        await printer_at(sink.uri, language="zpl").send(JOB, TICKET, path)
    assert caught.value.started is False
    assert sink.jobs == []


async def test_a_document_that_is_gone_sends_nothing(
    sink: Sink, printer_at: Callable[..., RawPrinter], tmp_path: Path
) -> None:
    with pytest.raises(DocumentError, match="not on the disk"):
        await printer_at(sink.uri, language="raw").send(JOB, TICKET, tmp_path / "gone.pdf")
    assert sink.jobs == []


@pytest.mark.parametrize("language", ["zpl", "raw"])
async def test_al_what_is_said_to_be_zpl_goes_out_as_it_is_whatever_its_first_command(
    language: str, sink: Sink, saved: Saved, printer_at: Callable[..., RawPrinter]
) -> None:
    document = b"\x10CT~~CD,~CC^~CT~\r\n" + LABEL  # as Zebra's own driver begins
    await printer_at(sink.uri, language=language).send(JOB, Ticket("x", format=ZPL), saved(document))
    assert sink.jobs == [document]


async def test_raw_printers_cannot_be_told_of_copies(printer_at: Callable[..., RawPrinter]) -> None:
    printer = printer_at("socket://x", language="raw")
    ticket, notes = make_ticket(
        "x", JobPayload(copies=3), await printer.capabilities(), printer._settings, [], printer_id="x"
    )
    assert ticket.copies == 1
    assert notes == [
        "3 copies were asked for, and this printer makes 1 at most, so 1 was printed. Print the others with further jobs."
    ]


async def test_where_nobody_listens_nothing_was_printed(printer_at: Callable[..., RawPrinter], saved: Saved) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(PrinterUnreachable, match="cannot be reached") as caught:
            await printer_at(f"socket://127.0.0.1:{taken.getsockname()[1]}").send(JOB, TICKET, saved(LABEL))
    assert caught.value.started is False


async def test_a_broken_connection_may_have_printed_a_part(
    sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved
) -> None:
    sink.reset_after = 3000
    with pytest.raises(PrinterUnreachable, match="a part may have been printed") as caught:
        await printer_at(sink.uri, language="raw").send(JOB, TICKET, saved(b"x" * 20_000_000))
    assert caught.value.started is True


async def test_a_reset_after_the_last_byte_is_no_success(
    sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved
) -> None:
    sink.reset_after = 1
    with pytest.raises(PrinterUnreachable) as caught:
        await printer_at(sink.uri, language="raw").send(JOB, TICKET, saved(b"xy"))
    assert caught.value.started is True


async def test_a_printer_that_takes_no_more_is_given_up(printer_at: Callable[..., RawPrinter], saved: Saved) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        uri = f"socket://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(PrinterUnreachable, match="and then no more for 1 s") as caught:
            await printer_at(uri, language="raw", give_up_after=1).send(JOB, TICKET, saved(b"x" * 30_000_000))
    assert caught.value.started is True


async def test_a_printer_that_keeps_the_connection_is_let_be(
    sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved
) -> None:
    sink.keeps_open = True
    await printer_at(sink.uri, language="raw", grace=0.05).send(JOB, TICKET, saved(LABEL))


async def test_one_connection_at_a_time(sink: Sink, printer_at: Callable[..., RawPrinter], saved: Saved) -> None:
    printer = printer_at(sink.uri, language="zpl")
    path = saved(LABEL)
    sending = asyncio.ensure_future(printer.send(JOB, TICKET, path))
    await asyncio.sleep(0)
    assert (await printer.status()).state is PrinterState.PROCESSING
    await asyncio.gather(sending, printer.send(JOB, TICKET, path))
    assert sink.jobs == [LABEL, LABEL]


STRINGS = "\x02030,{paper},{pause},1245,{formats},0,0,0,000,0,0,0\x03\r\n\x02000,0,{head},{ribbon},0,2,6,0,{left},1,000\x03\r\n\x021234,0\x03\r\n"


def answered(
    *, paper: int = 0, pause: int = 0, formats: int = 0, head: int = 0, ribbon: int = 0, left: int = 0
) -> bytes:
    return STRINGS.format(
        paper=paper, pause=pause, formats=f"{formats:03}", head=head, ribbon=ribbon, left=f"{left:08}"
    ).encode()


@pytest.mark.parametrize(
    ("answer", "state", "reasons"),
    [
        (answered(), PrinterState.IDLE, ()),
        (answered(formats=2), PrinterState.PROCESSING, ()),
        (answered(left=10), PrinterState.PROCESSING, ()),
        (answered(paper=1), PrinterState.STOPPED, ("media-empty-error",)),
        (answered(pause=1, head=1), PrinterState.STOPPED, ("paused", "cover-open-error")),
        (answered(ribbon=1), PrinterState.STOPPED, ("marker-supply-empty-error",)),
        (b"", PrinterState.IDLE, ()),
        (b"\x02,,,\x03\x02x\x03", PrinterState.IDLE, ()),
    ],
)
def test_host_status(answer: bytes, state: PrinterState, reasons: tuple[str, ...]) -> None:
    status = host_status(answer)
    assert (status.state, status.reasons) == (state, reasons)


@given(st.binary(max_size=200) | st.text("\x02\x03,019", max_size=100).map(str.encode))
def test_no_answer_is_an_error(answer: bytes) -> None:
    assert host_status(answer).accepting


async def test_a_label_printer_is_asked(sink: Sink, printer_at: Callable[..., RawPrinter]) -> None:
    sink.answer = answered(paper=1)
    status = await printer_at(sink.uri, language="zpl").status()
    assert status.reasons == ("media-empty-error",)


async def test_a_silent_label_printer_counts_as_idle(sink: Sink, printer_at: Callable[..., RawPrinter]) -> None:
    assert (await printer_at(sink.uri, language="zpl", timeout=0.2).status()).state is PrinterState.IDLE


async def test_other_printers_are_only_called(sink: Sink, printer_at: Callable[..., RawPrinter]) -> None:
    assert (await printer_at(sink.uri, language="raw").status()).state is PrinterState.IDLE


@pytest.mark.parametrize("uri", ["socket://", "socket://host:port", "socket://[bad"])
async def test_an_address_that_is_none(printer_at: Callable[..., RawPrinter], uri: str) -> None:
    printer = RawPrinter(PrinterAddress("x", uri), PrinterConfig(id="x"))
    with pytest.raises(PrinterError, match="write socket://host:9100"):
        await printer.status()
    await printer.close()


async def test_nothing_is_known_of_a_job_that_was_sent(printer_at: Callable[..., RawPrinter]) -> None:
    printer = printer_at("socket://x")
    assert await printer.look(JOB) is None
    assert await printer.find("x") == []
    await printer.release(JOB)
    await printer.cancel(JOB)
