"""Any text is bytes that are written back as the same hex, or a MisuseError; a dump that saves as itself, or a TableError.

Whatever was captured is messages, or bytes of a table, or a MisuseError.

python fuzz/fuzz_hex.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.dissector.captures import messages
from osgp.dissector.pasted_hex import hex_bytes, posted_bytes
from osgp.errors import MisuseError, TableError
from osgp.image.dump import Dump


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but the errors named above, if the invariant does not hold for ``data`` as text."""
    text = data.decode("utf-8", "replace")
    try:
        found = hex_bytes(text)
    except MisuseError:
        pass
    else:
        assert hex_bytes(found.hex(" ")) == found
    for posted in (lambda: posted_bytes(text), lambda: data):
        try:
            assert all(message.meaning for message in messages(posted()))
        except MisuseError:
            continue
    for candidate in (text, "{" + text, f"23,BT23,1,{text}"):
        try:
            dump = Dump.parse(candidate, "fuzz")
        except TableError:
            continue
        assert Dump.parse(dump.to_json(), "fuzz").image.tables == dump.image.tables
        if dump.image.tables:
            assert Dump.parse(dump.to_csv(), "fuzz").image.tables == dump.image.tables


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
