"""Any text is an address that is written back to one equal to itself, or a MisuseError that shows the forms.

python fuzz/fuzz_url.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import MisuseError
from osgp.ports.transport import Address


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but MisuseError, if the invariant does not hold for ``data`` as text."""
    text = data.decode("utf-8", "replace")
    for candidate in (text, f"serial://{text}", f"tcp://{text}", f"rfc2217://{text}:7?baud=300"):
        try:
            address = Address.parse(candidate)
        except MisuseError as error:
            told = str(error)
        else:
            told = f"Write {address}"
            assert Address.parse(str(address)) == address
            assert address.line.seconds(1) > 0
        assert "Write " in told or "baud" in told


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
