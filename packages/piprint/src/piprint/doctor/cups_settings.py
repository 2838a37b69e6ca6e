"""Does CUPS save its list of jobs at once? Else a power cut makes it print again what had been printed.

cupsd.conf(5): DirtyCleanInterval, 30 seconds unless set. The file is CUPS's own and may be unreadable for this user, or on
another computer; then it is said where to look. This module asks nobody.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from piprint.config.settings import is_loopback
from piprint.doctor.finding import Finding, State

__all__ = ["CUPSD_CONF", "saves_at_once"]

CUPSD_CONF: Final = Path("/etc/cups/cupsd.conf")
_DEFAULT: Final = 30
_LINE: Final = re.compile(r"^\s*DirtyCleanInterval\s+(\d+)\s*([smhdw]?)\s*$", re.IGNORECASE | re.MULTILINE)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_WHY: Final = "after a power cut it has jobs again that were printed, and prints them again before anybody can stop it"


def saves_at_once(host: str, file: Path = CUPSD_CONF) -> Finding:
    """Look at how late CUPS saves its jobs.

    Args:
        host: where CUPS was asked.
        file: its settings.
    """
    where = f"{file}" if is_loopback(host) else f"{file} of {host}"
    fix = f"write DirtyCleanInterval 0 into {where}, then: sudo systemctl restart cups"
    try:
        text = file.read_text(encoding="utf-8", errors="replace") if is_loopback(host) else None
    except OSError:
        text = None
    if text is None:
        told = (
            f"{where} cannot be read from here. Unless it says DirtyCleanInterval 0, CUPS saves its jobs late: {_WHY}"
        )
        return Finding("Printers", "CUPS's memory", State.NOTE, told, fix)
    found = _LINE.findall(text)
    seconds = int(found[-1][0]) * _UNITS[found[-1][1].casefold()] if found else _DEFAULT
    if seconds:
        told = f"CUPS saves its jobs up to {seconds} s late: {_WHY}"
        return Finding("Printers", "CUPS's memory", State.NOTE, told, fix)
    return Finding("Printers", "CUPS's memory", State.OK, "CUPS saves its jobs at once")
