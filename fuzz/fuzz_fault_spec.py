"""Any text is a set of faults that a line can carry out, byte after byte without an error, or a MisuseError.

python fuzz/fuzz_fault_spec.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import MisuseError
from osgp.simulator.faults import FAULTS, Faults, FaultyLine

_NAMES = tuple(FAULTS)


def _texts(data: bytes) -> list[str]:
    """Make fault texts of bytes; a byte below 64 stands for a fault's name, so that the fuzzer reaches the values."""
    texts = []
    for part in data.split(b"\0"):
        name = f"{_NAMES[part[0] % len(_NAMES)]}=" if part[:1] < b"\x40" and part else ""
        texts.append(name + part[bool(name) :].decode("utf-8", "replace"))
    return texts


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but MisuseError, if the invariant does not hold for ``data``."""
    try:
        faults = Faults.parse(_texts(data))
    except MisuseError:
        return
    line = FaultyLine(faults, seed=len(data))
    for second in range(4):
        heard = line.towards_meter(b"\x00\x11request", float(second))
        assert len(heard) in {0, 9}
        line.jumps_sequence()
        line.drops_connection()
        assert len(line.from_meter(b"\x00\x0breply", float(second))) <= 7  # noqa: PLR2004 - its own length
        line.power_cycle(float(second))


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
