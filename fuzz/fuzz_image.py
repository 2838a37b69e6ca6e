"""Any text is a meter image whose tables can be derived, saved and loaded again unchanged, or a TableError.

python fuzz/fuzz_image.py -max_total_time=600
"""

from __future__ import annotations

import gc
import json
import sys
from types import FunctionType

from osgp.errors import TableError
from osgp.image import MeterImage
from osgp.tables import present, registers

_NAMES = ("BT00", "BT01", "BT20", "BT21", "BT22", "BT23", "BT27", "BT28", "BT50", "ET11", "ET42", "ET54", "ET55")


def _document(data: bytes) -> str:
    """Make well-formed JSON of bytes, so that the fuzzer reaches what lies behind the syntax."""
    tables = {}
    for name in _NAMES:
        if len(data) < 2:  # noqa: PLR2004 - one byte each for presence and length
            break
        present_here, size, data = data[0] & 1, data[1], data[2:]
        if present_here:
            tables[name] = {"offset": 0, "hex": data[:size].hex(), "bytes": len(data[:size])}
            data = data[size:]
    return json.dumps({"tables": tables})


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but TableError, if the invariant does not hold for ``data``."""
    content: bytes | str = data[1:] if data[:1] < b"\x40" else _document(data[1:])
    try:
        image = MeterImage.parse(content)
        dims = image.derive_dimensions()
        for decode, name in ((registers.decode, "BT23"), (present.decode, "BT28")):
            if name in image:
                decode(image.read(name), dims)
    except TableError:
        return
    again = MeterImage.parse(image.to_json())
    assert again == image
    assert again.derive_dimensions() == dims
    assert again == image


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    # Only the code under test guides the fuzzer: instrument_all() takes twenty seconds and follows json's inside too.
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
