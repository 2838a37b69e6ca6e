"""Keeps the command line of uvicorn out of memory: 1.8 MB for click and for what restarts programs, which nobody here uses.

This module does not know what is served.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["lean_server"]

_COMMAND_LINE = "uvicorn.main"
_NAMES = ("Server", "main", "run")
"""What the package ``uvicorn`` takes from there, for programs that import them from the package."""


@contextmanager
def lean_server() -> Iterator[None]:
    """Import uvicorn's modules inside this.

    Importing any of them imports the package, and that its command line. So an empty module stands in its place meanwhile; the
    three names of the package are None then. Where somebody has imported uvicorn before, nothing is changed.
    """
    if "uvicorn" in sys.modules:
        yield
        return
    empty = ModuleType(_COMMAND_LINE)
    vars(empty).update(dict.fromkeys(_NAMES))
    sys.modules[_COMMAND_LINE] = empty
    try:
        yield
    finally:
        del sys.modules[_COMMAND_LINE]
