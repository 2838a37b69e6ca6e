"""A test page that could not be sent leaves nothing at the printer."""

from __future__ import annotations

from pathlib import Path

import pytest

from piprint.config.load import parse
from piprint.errors import PrinterUnreachable
from piprint.printers.printer import Accepted, Capabilities, PrinterAddress
from piprint.printers.sample_print import print_test_page

CONFIG = parse(
    '[business_central]\nenvironment = "production"\n[business_central.login]\nkind = "secret"\ntenant = "t"\n'
    'client_id = "c"\nsecret = "s3cret"\n',
    Path("p"),
)


class Printer:
    address = PrinterAddress("Office", "ipp://x/")

    def __init__(self, breaks: str) -> None:
        self.breaks = breaks
        self.canceled: list[int] = []

    async def capabilities(self) -> Capabilities:
        return Capabilities()

    async def create(self, _ticket: object) -> Accepted:
        return Accepted(7, "", "piprint-test-page", held=True)

    async def send(self, accepted: Accepted, _ticket: object, _document: Path) -> Accepted:
        return self._answer("send", accepted)

    async def release(self, accepted: Accepted) -> None:
        self._answer("release", accepted)

    async def cancel(self, accepted: Accepted) -> None:
        self.canceled.append(accepted.id)
        raise PrinterUnreachable("still away")

    def _answer(self, name: str, accepted: Accepted) -> Accepted:
        if name == self.breaks:
            raise PrinterUnreachable("no answer")
        return accepted


@pytest.mark.parametrize("breaks", ["send", "release"])
async def test_a_test_page_that_breaks_on_its_way_is_cancelled(breaks: str) -> None:
    printer = Printer(breaks)
    with pytest.raises(PrinterUnreachable, match="no answer"):
        await print_test_page(printer, CONFIG)  # type: ignore[arg-type]
    assert printer.canceled == [7]
