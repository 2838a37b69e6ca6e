"""Any text is a key of sixteen bytes, or a KeyFormatError; what is shown of either is a count, a form and a fingerprint.

python fuzz/fuzz_key.py -max_total_time=600
"""

from __future__ import annotations

import gc
import re
import sys
from types import FunctionType

from osgp.errors import KeyFormatError
from osgp.key import MeterKey

_ADVICE = (
    "A meter key is 20 (or 16) characters, 40 (or 32) hex digits, or 20 (or 16) numbers from 0 to 255. "
    "Copy it again from the letter of your grid company"
)
_CAUSE = (
    r"(it stands on \d+ lines: write it on one"
    r"|some are quotation marks or dashes as a word processor makes them: write the straight ones"
    r"|not all of them printable ASCII"
    r"|it has 0x as hex has, but not only hex digits behind it)"
)
_PROBLEM = re.compile(
    r"the meter key (is empty"
    r"|looks like hex, but has \d+ hex digits instead of 40 or 32"
    r"(, and the byte too many is not the zero at the end of a string|: half a byte is missing or too much)?"
    r"|is a list of \d+ numbers instead of 20 or 16"
    r"|is a list of numbers, but number \d+ is more than 255"
    rf"|has \d+ characters( between its quotation marks)?( \({_CAUSE}(; {_CAUSE})*\))?)\. {re.escape(_ADVICE)}"
)
_SHOWN = re.compile(
    r"MeterKey\(((20|16) characters|(40|32) hex digits|(20|16) decimal numbers), fingerprint [0-9a-f]{4}\)"
)


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but KeyFormatError, if the invariant does not hold for ``data`` as text."""
    text = data.decode("utf-8", "replace")
    try:
        key = MeterKey.parse(text)
    except KeyFormatError as error:
        shown, expected = str(error), _PROBLEM
    else:
        assert MeterKey(key.secret) == key
        shown, expected = repr(key), _SHOWN
    assert expected.fullmatch(shown)


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
