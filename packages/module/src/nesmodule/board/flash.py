"""The chip's own file system, as what keeps something on it wants it.

This module does not know what is kept.
"""

from __future__ import annotations

import os

__all__ = ["Flash"]


class Flash:
    """Opens, renames and removes files of the chip."""

    def __init__(self) -> None:
        self.open = open
        self.rename = os.rename
        self.remove = os.remove
        self.stat = os.stat
        self.mkdir = os.mkdir
