"""A test page: what is sent, what is told of it, and that one that could not be sent leaves nothing at the printer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pypdfium2
import pytest

from piprint.config.load import parse
from piprint.config.settings import Config
from piprint.errors import PiprintError, PrinterBusy, PrinterUnreachable
from piprint.printers import sample_print
from piprint.printers.printer import (
    Accepted,
    Capabilities,
    Feedback,
    JobStatus,
    Media,
    PrinterAddress,
    SpoolerState,
)
from piprint.printers.sample_print import print_test_page

SETTINGS = (
    '[business_central]\nenvironment = "production"\n[business_central.login]\nkind = "secret"\ntenant = "t"\n'
    'client_id = "c"\nsecret = "s3cret"\n'
)


def config(of_printer: str = "") -> Config:
    """Return a configuration, with these settings of the printer."""
    section = f'[[printers]]\nid = "Office"\nuri = "ipp://x/"\n{of_printer}\n' if of_printer else ""
    return parse(SETTINGS + section, Path("p"))


def job(state: SpoolerState, *reasons: str, message: str = "") -> JobStatus:
    return JobStatus(7, "", "piprint-test-page", state, reasons, message)


TELLS_NOTHING = Capabilities()


class Printer:
    """A printer that breaks where it is told to, and tells of its job what it is told to, the last for ever."""

    address = PrinterAddress("Office", "ipp://x/")
    feedback = Feedback.FOLLOWED

    def __init__(
        self, breaks: str = "", *tells: JobStatus | None, able: Capabilities = TELLS_NOTHING, held: bool = True
    ) -> None:
        self.breaks = breaks
        self.tells = list(tells)
        self.able = able
        self.held = held
        self.canceled: list[int] = []
        self.released: list[int] = []
        self.document = b""

    async def capabilities(self) -> Capabilities:
        return self.able

    async def create(self, _ticket: object) -> Accepted:
        if self.breaks == "create":
            raise PrinterBusy("it prints")
        return Accepted(7, "", "piprint-test-page", held=self.held)

    async def send(self, accepted: Accepted, _ticket: object, document: Path) -> Accepted:
        self.document = await asyncio.to_thread(document.read_bytes)
        return self._answer("send", accepted)

    async def release(self, accepted: Accepted) -> None:
        self.released.append(self._answer("release", accepted).id)

    async def cancel(self, accepted: Accepted) -> None:
        self.canceled.append(accepted.id)
        raise PrinterUnreachable("still away")

    async def look(self, _: Accepted) -> JobStatus | None:
        return self.tells.pop(0) if len(self.tells) > 1 else self.tells[0]

    def _answer(self, name: str, accepted: Accepted) -> Accepted:
        if name == self.breaks:
            raise PrinterUnreachable("no answer")
        return accepted


async def printed(printer: Printer, settings: str = "") -> str:
    return await print_test_page(printer, config(settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("breaks", ["send", "release"])
async def test_a_test_page_that_breaks_on_its_way_is_cancelled(breaks: str) -> None:
    printer = Printer(breaks)
    with pytest.raises(PrinterUnreachable, match="no answer"):
        await printed(printer)
    assert printer.canceled == [7]


async def test_a_busy_printer_is_told_and_there_is_nothing_to_cancel() -> None:
    printer = Printer("create")
    with pytest.raises(PiprintError, match="Office is busy with another job; try again when it is done"):
        await printed(printer)
    assert (printer.document, printer.canceled) == (b"", [])


async def test_a_printer_that_takes_documents_as_they_are_gets_none() -> None:
    printer = Printer()
    with pytest.raises(PiprintError, match=r"takes documents as they are \(raw\); no test page fits them all"):
        await printed(printer, 'language = "raw"')
    assert printer.document == b""


@pytest.mark.parametrize(
    ("tells", "words"),
    [
        ([job(SpoolerState.COMPLETED)], "The test page is printed on Office."),
        (
            [job(SpoolerState.PENDING), job(SpoolerState.PROCESSING), job(SpoolerState.COMPLETED)],
            "is printed on Office.",
        ),
        ([job(SpoolerState.PENDING), None], "no longer remembers it: most likely it is printed."),
    ],
)
async def test_it_is_watched_until_it_is_printed_or_forgotten(
    tells: list[JobStatus | None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_print, "_LOOK_EVERY", 0)
    printer = Printer("", *tells)
    assert (await printed(printer)).endswith(words)
    assert len(printer.tells) == 1, "it was asked until the last answer"
    assert printer.canceled == []


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (job(SpoolerState.CANCELED), "canceled"),
        (job(SpoolerState.ABORTED, "document-format-error"), "the printer cannot read the document"),
        (job(SpoolerState.ABORTED, message="out of memory"), "out of memory"),
    ],
)
async def test_a_page_that_the_printer_gave_up_is_told_with_its_reason(last: JobStatus, why: str) -> None:
    with pytest.raises(PiprintError, match=f"printer Office gave the test page up: {why}$"):
        await printed(Printer("", last))


@pytest.mark.parametrize(
    ("last", "waits"), [(job(SpoolerState.PENDING), ""), (job(SpoolerState.STOPPED, "media-empty"), " (no paper)")]
)
async def test_a_page_that_waits_longer_than_anybody_watches_is_told_with_what_it_waits_for(
    last: JobStatus, waits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_print, "_FOLLOW", 0)
    told = await printed(Printer("", last))
    assert told == f"The test page waits at Office{waits}; it prints as soon as the printer can."


async def test_a_printer_that_tells_nothing_is_not_said_to_have_printed() -> None:
    printer = Printer()
    printer.feedback = Feedback.SENT_ONLY
    assert await printed(printer) == "The test page was sent to Office; this printer tells nothing back."


@pytest.mark.parametrize(("held", "released"), [(True, [7]), (False, [])])
async def test_only_what_is_held_is_released(*, held: bool, released: list[int]) -> None:
    printer = Printer("", job(SpoolerState.COMPLETED), held=held)
    await printed(printer)
    assert printer.released == released


@pytest.mark.parametrize(
    ("able", "settings", "millimetres"),
    [
        (Capabilities(media_default=Media(10160, 15240)), 'paper = ["A5"]', (101.6, 152.4)),
        (Capabilities(), 'paper = ["A5", "A4"]', (148, 210)),
        (Capabilities(), "", (210, 297)),
    ],
)
async def test_the_page_is_as_large_as_the_printers_paper(
    able: Capabilities, settings: str, millimetres: tuple[float, float]
) -> None:
    printer = Printer("", job(SpoolerState.COMPLETED), able=able)
    await printed(printer, settings)
    document = pypdfium2.PdfDocument(printer.document)
    size = document[0].get_size()
    document.close()
    assert [side / 72 * 25.4 for side in size] == pytest.approx(millimetres, abs=0.1)


async def test_the_page_names_the_model_where_the_printer_tells_it() -> None:
    printer = Printer("", job(SpoolerState.COMPLETED), able=Capabilities(description="Brother HL-L5100DN"))
    await printed(printer)
    assert b"Brother HL-L5100DN" in printer.document


async def test_a_label_printer_gets_a_label_in_its_own_language() -> None:
    printer = Printer("", job(SpoolerState.COMPLETED))
    await printed(printer, 'language = "zpl"\ndpi = 300')
    assert printer.document.startswith(b"^XA")
    assert b"Office" in printer.document
