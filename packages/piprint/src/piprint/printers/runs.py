"""Which run of a printer, or of its spooler, answers: a restart begins another. Pure.

Printers count printer-up-time in seconds from their start (RFC 8011, 5.4.29), so the moment they count from is one run's.
CUPS tells the time of day there, in every version up to 2.4; of it a connection that was never closed is the sign.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from piprint.config import is_loopback

__all__ = ["RunCounter", "is_here", "is_time_of_day"]

_DAY_ONE = 10**9
"""Seconds; no printer is on for 31 years, and no clock of a printer is before 2001."""
_BLUR = 3.0
"""Seconds by which the moment may seem to move: the count is in whole seconds, and an answer takes its time."""


def is_time_of_day(up_time: int | None) -> bool:
    """Tell whether a printer-up-time is the time of day, and says nothing of a restart."""
    return up_time is not None and up_time >= _DAY_ONE


def is_here(uri: str) -> bool:
    """Tell whether a spooler's address is one of this computer, so that it cannot restart without this process."""
    try:
        return is_loopback(urlsplit(uri).hostname or "")
    except ValueError:
        return False


class RunCounter:
    """Numbers the runs of one printer, from 1, as its answers come in."""

    def __init__(self) -> None:
        self.number = 0
        self._began = 0.0
        self._up_time = 0

    def see(self, up_time: int | None, at: float) -> int:
        """Return the number of the run that told this printer-up-time; 0 when it tells nothing.

        Args:
            up_time: printer-up-time, or job-printer-up-time.
            at: when the answer came, in seconds of a clock that cannot jump.
        """
        if up_time is None or is_time_of_day(up_time):
            return 0
        began = at - up_time
        if not self.number or up_time < self._up_time or began > self._began + _BLUR:
            self.number += 1
        self._began, self._up_time = began, up_time  # a printer's clock may be slow: only the last answer is compared
        return self.number
