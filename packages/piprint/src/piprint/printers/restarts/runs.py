"""Which run of a printer, or of its spooler, answers: a restart begins another. Pure.

Printers count printer-up-time in seconds from their start (RFC 8011, 5.4.29), so the moment they count from tells one run from
another. CUPS gives the time of day instead, in every version up to 2.4; its run is known by a connection that was never closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from piprint.config.settings import is_loopback

__all__ = ["Beginning", "RunCounter", "is_here", "is_time_of_day"]

_DAY_ONE = 10**9
"""Seconds; no printer is on for 31 years, and no clock of a printer is before 2001."""
_BLUR = 3.0
"""Seconds by which the moment may seem to move from one answer to the next: a printer's clock may be slow."""
_BLUR_FOR_LONG = 5.0
"""The same across a restart of ours, by the time of day."""
_COUNTED = "counts from "


def is_time_of_day(up_time: int | None) -> bool:
    """Tell whether a printer-up-time is the time of day, and says nothing of a restart."""
    return up_time is not None and up_time >= _DAY_ONE


def is_here(uri: str) -> bool:
    """Tell whether a spooler's address is one of this computer, so that it cannot restart without this process."""
    try:
        return is_loopback(urlsplit(uri).hostname or "")
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Beginning:
    """Between which two moments a printer began to count, by a clock of ours. An answer tells no more: it takes its time.

    Attributes:
        first, last: in seconds.
        told: when it was asked; a later run began later.
    """

    first: float
    last: float
    told: float

    @classmethod
    def of(cls, up_time: int, asked: float, answered: float) -> Beginning:
        """Return the bounds that one answer sets.

        Args:
            up_time: what the printer had counted, in whole seconds: up to one more has gone by.
            asked: when it was asked, in seconds of our clock.
            answered: when it had answered.
        """
        return cls(asked - up_time - 1, answered - up_time, asked)

    @classmethod
    def read(cls, token: str) -> Beginning | None:
        """Return what a :attr:`token` says, also one with nothing but a single moment; None when it is another kind of token."""
        try:
            numbers = [float(each) for each in token.removeprefix(_COUNTED).split()]
        except ValueError:
            return None
        if not token.startswith(_COUNTED) or len(numbers) not in {1, 3}:
            return None
        return cls(*numbers) if len(numbers) > 1 else cls(numbers[0], numbers[0], numbers[0])

    @property
    def token(self) -> str:
        """The bounds as text, which the journal keeps; :meth:`read` reads it."""
        return f"{_COUNTED}{self.first:.0f} {self.last:.0f} {self.told:.0f}"

    def is_same(self, later: Beginning) -> bool | None:
        """Tell whether that is the same run, told later; None when it cannot be known."""
        if later.first > self.last + _BLUR_FOR_LONG or later.last < self.first - _BLUR_FOR_LONG:
            return False
        if later.last <= self.last + _BLUR_FOR_LONG or later.last < self.told - _BLUR_FOR_LONG:
            return True
        return None


class RunCounter:
    """Numbers the runs of one printer, from 1, as its answers come in."""

    def __init__(self) -> None:
        self.number = 0
        self._last = 0.0
        self._up_time, self._answered = 0, 0.0

    def see(self, up_time: int | None, at: float, asked: float | None = None) -> int:
        """Return the number of the run that told this printer-up-time; 0 when it tells nothing.

        Only what is certain is a restart: an answer may be as slow as it likes, and come in another order.

        Args:
            up_time: printer-up-time, or job-printer-up-time.
            at: when the answer came, in seconds of a clock that cannot jump.
            asked: when it was asked for; default: at that moment.
        """
        if up_time is None or is_time_of_day(up_time):
            return 0
        asked = at if asked is None else asked
        began = Beginning.of(up_time, asked, at)
        fell = up_time < self._up_time and asked >= self._answered
        if not self.number or fell or began.first + 1 > self._last + _BLUR:
            self.number += 1
            self._last = began.last
        else:
            self._last = min(began.last, self._last + _BLUR)  # only the last answer is compared; a slow one tells less
        self._up_time, self._answered = up_time, at
        return self.number
