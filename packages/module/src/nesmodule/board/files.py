"""Texts of the program that are read from flash piece by piece, because they would take too much memory as constants.

They stand beside the modules. In the frozen edition there are no such files: they are constants in flash there, made by the build.

This module does not know what is in them.
"""

from __future__ import annotations

import io
from typing import Any

__all__ = ["opened"]

_ABOVE = __file__.rsplit("/", 3)


def opened(name: str) -> Any:
    """Open a text for reading bytes; ``name`` is its path from where the packages stand."""
    try:
        return open((_ABOVE[0] + "/" if len(_ABOVE) > 3 else "") + name, "rb")
    except OSError:
        return io.BytesIO(__import__("frozen_texts").TEXTS[name])
