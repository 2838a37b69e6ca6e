"""How often to ask for work: fast while there is some, as configured otherwise, slower when nothing was printed for an hour.

Other calls of an idle hour (to register printers) are counted, too: at a poll interval of 5 s no more than 720 calls go out in an
hour, whatever they are for.

This module does not ask and does not wait.
"""

from __future__ import annotations

from piprint.config.settings import Poll

__all__ = ["REGISTER_EVERY", "PollInterval"]

REGISTER_EVERY = 900.0
"""Seconds between two registrations without a change."""
_JUST_NOW = 15.0
"""Seconds after the last work during which more of it is likely."""
_LONG_AGO = 3600.0
_HOUR = 3600.0
_START_CALLS = 8
"""Calls that come once: the heartbeat's row, looking for the dialect and the company."""


class PollInterval:
    """Chooses the time to the next question.

    Args:
        poll: the settings.
        now: the time at which this begins, in seconds of any clock that never goes back.
    """

    def __init__(self, poll: Poll, now: float) -> None:
        self._poll = poll
        self._begun = now
        self._last_work: float | None = None

    def next(self, now: float, *, busy: bool, printers: int) -> float:
        """Return the seconds until the next question.

        Args:
            now: the time.
            busy: there is work.
            printers: printers registered here; each may cost a call when they are registered.
        """
        if busy:
            self._last_work = now
        if self._last_work is not None and now - self._last_work < _JUST_NOW:
            return self._poll.fastest
        quiet_since = self._begun if self._last_work is None else self._last_work
        interval = self._poll.usual
        if now - quiet_since >= _LONG_AGO:
            interval = max(interval, self._poll.slowest)
        others = _HOUR / REGISTER_EVERY * (printers + 2) + _START_CALLS
        calls = _HOUR / interval
        return interval * calls / (calls - others) if others < calls / 2 else interval * 2
