"""Which run of this machine it is: a moment of the monotonic clock means something in the same run only.

This module does not know what is kept or sent with it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["boot_id"]

_FILE = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> str:
    """Return the kernel's name for the time since it was started; empty where it does not tell (proc(5))."""
    try:
        return _FILE.read_text(encoding="ascii").strip().replace("-", "")
    except (OSError, ValueError):
        return ""
