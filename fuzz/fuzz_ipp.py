"""Any bytes are an IPP message that is written so that it reads as the same again, and tells a printer and jobs; or MalformedIpp.

python fuzz/fuzz_ipp.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from piprint.config.settings import PrinterConfig
from piprint.ipp.codec import MalformedIpp, decode, encode
from piprint.printers.capabilities import capabilities_told, job_told, status_told, with_settings

_SETTINGS = PrinterConfig(id="fuzz", paper=("A4",), trays={"tray-1": "Upper"}, duplex=True, color=False)


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but MalformedIpp, if the invariant does not hold for ``data``."""
    try:
        message, length = decode(data)
    except MalformedIpp:
        return
    assert length <= len(data)
    again = encode(message)
    assert decode(again) == (message, len(again))
    for group in message.groups:
        told = with_settings(capabilities_told(group), _SETTINGS)
        assert told.sides[0] == "one-sided"
        assert all(media.width > 0 and media.height > 0 for media in told.media)
        status_told(group)
        assert job_told(group).sheets != 0


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    modules = ("piprint.ipp", "piprint.printers", "piprint.documents.paper")
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith(modules):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
