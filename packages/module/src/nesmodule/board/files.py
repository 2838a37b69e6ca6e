"""Texts of the program that are read from flash piece by piece, because they would take too much memory as constants.

They stand beside the program. In the frozen edition there are no such files: they are constants in flash there, made by the build.

This module does not know what is in them.
"""

from __future__ import annotations

import io
from typing import Any

__all__ = ["opened"]

_FOLDER = __file__.rpartition("/")[0]


def opened(name: str) -> Any:
    """Open a text for reading bytes; Raises KeyError where the program has none of that name."""
    try:
        return open((_FOLDER + "/" if _FOLDER else "") + name, "rb")
    except OSError:
        return io.BytesIO(__import__("frozen_texts").TEXTS[name])
