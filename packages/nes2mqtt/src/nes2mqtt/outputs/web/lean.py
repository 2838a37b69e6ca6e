"""Keeps out of memory what uvicorn loads and nobody here uses, 2.5 MB.

That is its command line with click and what restarts programs, and Python's reader of settings for logs, which brings pickle
and a socket server.

This module does not know what is served.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["lean_server"]

_UNUSED = {"uvicorn.main": ("Server", "main", "run"), "logging.config": ()}
"""Modules, and what uvicorn takes from them when it is imported."""


@contextmanager
def lean_server() -> Iterator[None]:
    """Import uvicorn's modules inside this.

    Importing any of them imports the whole package. So empty modules stand in those places meanwhile, and what is taken from
    them is None. Where somebody has imported uvicorn before, nothing is changed; nor is any of the modules that is there already.
    """
    missing = () if "uvicorn" in sys.modules else [name for name in _UNUSED if name not in sys.modules]
    for name in missing:
        empty = ModuleType(name)
        vars(empty).update(dict.fromkeys(_UNUSED[name]))
        sys.modules[name] = empty
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
