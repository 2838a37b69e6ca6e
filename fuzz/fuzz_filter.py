"""Any text is an OData filter that tells yes or no of any row, or a FilterError.

python fuzz/fuzz_filter.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from piprint.contract import QUEUE_WS, JobState
from piprint.simulate.odata.pages import EMPTY, Tongue
from piprint.simulate.odata.query import FilterError, parse_filter, parse_order

_WORDS = (
    " eq ",
    " ne ",
    " lt ",
    " ge ",
    " and ",
    " or ",
    " in ",
    "(",
    ")",
    ",",
    "'",
    "''",
    "RowNo",
    "HostID",
    "Status",
    "Printed",
    "startswith(",
    "contains(",
    "7",
    "'Queued'",
    "2026-11-22T12:00:00Z",
)
_VALUES = {"integer": 7, "text": "it's", "state": JobState.QUEUED, "datetime": EMPTY}


def _text(data: bytes) -> str:
    """Make a text of bytes; a byte below 64 stands for a word of the language, so that the fuzzer gets past the syntax."""
    parts = [_WORDS[byte % len(_WORDS)] if byte < 64 else chr(byte) for byte in data]  # noqa: PLR2004
    return "".join(parts)


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but FilterError, if the invariant does not hold for ``data``."""
    text = _text(data)
    try:
        accepts = parse_filter(text, QUEUE_WS.by_name, Tongue("da").read, in_allowed=len(data) % 2 == 0)
    except FilterError:
        pass
    else:
        assert accepts(lambda name: _VALUES[QUEUE_WS.by_name[name].kind]) in {True, False}
    try:
        assert parse_order(text, QUEUE_WS.by_name)
    except FilterError:
        return


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("piprint"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
