"""Any text is a history that can be asked about any moment without an error, or a MisuseError.

python fuzz/fuzz_scenarios.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from itertools import pairwise
from types import FunctionType

from osgp.errors import MisuseError
from osgp.simulator.history.happenings import Reconfigured
from osgp.simulator.history.scenarios import SCENARIOS, history_of

_START = 1_800_000_000
_NAMES = tuple(SCENARIOS)
_LONG = 10**9


def _texts(data: bytes) -> list[str]:
    """Make scenarios of bytes; a byte below 64 stands for a name, so that the fuzzer reaches the values."""
    texts = []
    for part in data.split(b"\0"):
        name = _NAMES[part[0] % len(_NAMES)] if part[:1] < b"\x40" and part else ""
        texts.append(name + part[bool(name) :].decode("utf-8", "replace"))
    return texts


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but MisuseError, if the invariant does not hold for ``data``."""
    try:
        history = history_of(_texts(data), _START)
    except MisuseError:
        return
    runs = history.runs(_START - _LONG, _START + _LONG)
    assert all(one.begin < one.end for one in runs)
    assert all(early.end <= late.begin for early, late in pairwise(runs))
    dark = sum(end - begin for begin, end in history.cuts(_START + _LONG))
    assert dark >= 0
    for moment in (_START - _LONG, _START, _START + _LONG):
        assert history.powered(moment) == (history.levels(moment) != (0, 0, 0))
        assert isinstance(history.shown(moment), int)
        assert history.firmware(moment)
        history.until(moment, Reconfigured)


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
