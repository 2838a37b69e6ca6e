"""A real IPP Everywhere printer: one job at a time, no hold, values it does not have are refused."""

import asyncio
import hashlib
import itertools

import pytest
from everywhere import EverywherePrinter

from piprint.config.settings import PrinterConfig
from piprint.errors import PrinterBusy, PrinterUnreachable
from piprint.printers.backends.ipp_printer import IppPrinter
from piprint.printers.printer import Media, PrinterAddress, SpoolerState, Ticket

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def device():
    with EverywherePrinter() as running:
        yield running


@pytest.fixture(scope="module")
def simplex():
    with EverywherePrinter(duplex=False) as running:
        yield running


@pytest.fixture
async def open_device():
    opened = []

    def open_device(device, *, uri="", **settings):
        printer = IppPrinter(PrinterAddress("E", uri or device.uri), PrinterConfig(id="E", **settings), timeout=10)
        opened.append(printer)
        return printer

    yield open_device
    for printer in opened:
        await printer.close()


def _name():
    return f"bc-eve-{next(_NUMBERS)}-1"


async def _final(printer, accepted):
    for _ in range(1800):
        if (status := await printer.look(accepted)).state.final:
            return status
        await asyncio.sleep(0.05)
    raise AssertionError(f"the job never ended: {status}")


async def test_all_of_a_ticket_reaches_the_printer(device, open_device, document):
    printer = open_device(device)
    known = await printer.capabilities()
    assert "main" in known.sources
    assert (known.holds, known.media_col, known.copies) == (False, True, 999)
    ticket = Ticket(
        _name(),
        copies=3,
        sides="two-sided-short-edge",
        color_mode="monochrome",
        media=Media(21000, 29700, "iso_a4_210x297mm"),
        source="main",
        orientation=4,
    )
    accepted = await printer.create(ticket)
    assert (accepted.held, accepted.name) == (False, ticket.name)
    assert accepted.uuid.startswith("urn:uuid:")
    announced = await printer.look(accepted)
    assert (announced.document_complete, announced.state.final) == (False, False)
    assert await printer.send(accepted, ticket, document) == accepted
    (out,) = [out for out in await device.wait_printed(1) if out.name == ticket.name]
    ended = await _final(printer, accepted)
    assert (ended.state, ended.document_complete) == (SpoolerState.COMPLETED, True)
    assert out.sha256 == hashlib.sha256(document.read_bytes()).hexdigest()
    assert (out.ticket["IPP_COPIES"], out.ticket["IPP_SIDES"]) == ("3", "two-sided-short-edge")
    assert (out.ticket["IPP_PRINT_COLOR_MODE"], out.ticket["IPP_ORIENTATION_REQUESTED"]) == ("monochrome", "landscape")
    assert "media-source=main" in out.ticket["IPP_MEDIA_COL"]
    assert "x-dimension=21000" in out.ticket["IPP_MEDIA_COL"]
    assert [job.id for job in await printer.find(ticket.name)] == [accepted.id]


async def test_every_size_the_printer_tells_it_takes_with_a_tray(device, open_device):
    printer = open_device(device)
    for media in (await printer.capabilities()).media:
        accepted = await printer.create(Ticket(_name(), media=media, source="main"))
        await printer.cancel(accepted)


async def test_a_job_that_was_only_announced_keeps_the_printer_busy_until_it_is_cancelled(
    device, open_device, document
):
    printer = open_device(device)
    orphan = await printer.create(Ticket(_name()))
    other = Ticket(_name())
    with pytest.raises(PrinterBusy, match=r"busy \(0x0507\).*the job waits"):
        await printer.create(other)
    (found,) = await printer.find(orphan.name)  # all that is known after a kill is the name
    assert (found.id, found.uuid, found.document_complete) == (orphan.id, orphan.uuid, False)
    await printer.cancel(orphan)
    assert (await printer.look(orphan)).state is SpoolerState.CANCELED
    accepted = await printer.create(other)
    await printer.send(accepted, other, document)
    assert (await _final(printer, accepted)).state is SpoolerState.COMPLETED


async def test_a_failing_printer_aborts_the_job(device, open_device, document):
    printer = open_device(device)
    device.behave(exit=1)
    ticket = Ticket(_name())
    try:
        accepted = await printer.create(ticket)
        await printer.send(accepted, ticket, document)
        ended = await _final(printer, accepted)
    finally:
        device.behave(exit=None)
    assert (ended.state, ended.reasons) == (SpoolerState.ABORTED, ("aborted-by-system",))


async def test_p2_what_a_printer_refuses_is_left_out_and_told(simplex, open_device, document):
    printer = open_device(simplex)
    assert "two-sided-long-edge" not in (await printer.capabilities()).sides
    # CUPS 2.4.10 (Debian 13) prints on one side then, where 2.4.2 (Debian 12) refuses the job; either way it is told.
    ticket = Ticket(_name(), sides="two-sided-long-edge", orientation=99, copies=2)
    accepted = await printer.create(ticket)
    (told,) = accepted.ignored
    assert "the sides of the paper and the direction of the page" in told
    await printer.send(accepted, ticket, document)
    (out,) = [out for out in await simplex.wait_printed(1) if out.name == ticket.name]
    assert (out.ticket["IPP_COPIES"], out.ticket.get("IPP_SIDES", "one-sided")) == ("2", "one-sided")


async def test_a_hold_is_not_insisted_on_where_the_printer_refuses_it(simplex, open_device, monkeypatch):
    printer = open_device(simplex)
    known = await printer.capabilities()
    monkeypatch.setattr(printer, "_known", type(known)(holds=True, operations=known.operations))
    accepted = await printer.create(Ticket(_name()))
    assert not accepted.held
    await printer.cancel(accepted)


async def test_a_certificate_of_the_printers_own_making_is_trusted_once_it_is_named(simplex, open_device):
    uri = simplex.uri.replace("ipp:", "ipps:")
    with pytest.raises(PrinterUnreachable, match=r"certificate of localhost:\d+ is not trusted.*ca_file"):
        await open_device(simplex, uri=uri).status()
    assert simplex.certificate.exists()
    assert (await open_device(simplex, uri=uri, ca_file=simplex.certificate).status()).accepting
