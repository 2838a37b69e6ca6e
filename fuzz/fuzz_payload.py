"""Any text is a job payload with values in bounds, of which a ticket can be made; any bytes have a name and are a status.

python fuzz/fuzz_payload.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from piprint.config.settings import PrinterConfig
from piprint.documents.inspect import looks_like
from piprint.documents.payloads import LARGEST_SIDE, read_job_payload, validate_printer_payload
from piprint.printers.backends.raw_printer import host_status
from piprint.printers.printer import Capabilities, Media
from piprint.printers.ticket.options import make_ticket

_PARTS = (
    '{"papertray":{',
    '"papersourcekind":',
    '"paperkind":',
    '"units":',
    '"width":',
    '"height":',
    '"landscape":',
    '"defaultcopies":',
    '"duplex":',
    '"filterviews":[{"name":"x","tableid":18,"view":"y"}]',
    '"objectid":',
    '"objectname":',
    '"A4"',
    "true",
    "257",
    "0",
    ",",
    "}",
    "{",
    "[",
)
_PRINTER = Capabilities(
    media=(Media(21000, 29700, "iso_a4_210x297mm"),),
    custom=(Media(1000, 1000), Media(30000, 50000)),
    sources=("auto", "tray-1"),
    sides=("one-sided", "two-sided-long-edge"),
    copies=99,
)
_SETTINGS = PrinterConfig(id="fuzz")


def _text(data: bytes) -> str:
    """Make a text of bytes, or of pieces a payload has, so that the fuzzer gets past the syntax."""
    if data[:1] < b"\x80":
        return data[1:].decode("utf-8", "replace")
    return "".join(_PARTS[byte] if byte < len(_PARTS) else chr(byte) for byte in data[1:])


def check(data: bytes) -> None:
    """Raise AssertionError, or anything else, if the invariant does not hold for ``data``."""
    text = _text(data)
    payload = read_job_payload(text)
    assert payload == read_job_payload(text)
    assert payload.copies is None or payload.copies >= 1  # how many are too many is the printer's matter
    tray = payload.papertray
    assert (tray.width is None) == (tray.height is None)
    assert tray.width is None or 0 < tray.width < LARGEST_SIDE
    ticket, notes = make_ticket("job", payload, _PRINTER, _SETTINGS, (), printer_id="fuzz")
    assert 1 <= ticket.copies <= 99  # noqa: PLR2004 - the printer's own
    assert ticket.source in {"", *_PRINTER.sources}
    assert ticket.sides in _PRINTER.sides  # it does not tell its own setting, so it is told
    assert all(isinstance(note, str) for note in notes)
    if not validate_printer_payload(text):
        assert not payload.notes
    assert looks_like(data[:1024])
    assert host_status(data).accepting


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    modules = (
        "piprint.documents.payloads",
        "piprint.documents.paper",
        "piprint.printers",
        "piprint.documents.inspect",
        "json",
    )
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith(modules):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
