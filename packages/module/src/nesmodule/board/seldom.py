"""Modules that are loaded for one purpose and let go again: memory is short.

This module does not know which ones.
"""

from __future__ import annotations

import sys

__all__ = ["forget"]


def forget(name: str) -> None:
    """Let a module go that was loaded. The package it stands in holds it as well: without that its memory would be lost for good."""
    sys.modules.pop(name, None)
    package, _, last = name.rpartition(".")
    holder = sys.modules.get(package)
    if holder is not None and hasattr(holder, last):
        delattr(holder, last)
