"""The clocks: the only module that asks the host for the time.

==========  ============================================================================================
monotonic   decides every duration: how long to wait, what is old, whose lease is over. It never steps
host's      gives jobs, pages and messages their label, the time of day, as long as it can be believed
theirs      the clock of Business Central, which every answer tells (``Date``, RFC 9110, 6.6.1). It says
            whether the host's can be believed, stands in when it cannot, and is the one that leases and
            proofs of login are held against
==========  ============================================================================================

A host whose clock is more than five minutes away from Business Central's is not believed: who compares times does so with
what Business Central shows. Nothing else depends on the host's clock: a wrong one, or one that jumps, holds up no job,
and deletes nothing.

This module does not know what is labelled.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from servicekit.durations import about

__all__ = ["DISAGREEMENT", "Clock", "http_date", "monotonic", "utc_now", "utc_seconds"]

DISAGREEMENT = 300.0
"""Seconds by which the host's clock and Business Central's may differ."""
_STEP = 60.0
"""Seconds by which their clock has to leave the monotonic one to count as having been set; then it has to say so twice."""

_LATEST = 9000
"""The last year that an answer may show: what no calendar holds a day later would stop the page."""

monotonic = time.monotonic
"""Seconds that only grow; also the event loop's clock."""


def utc_now() -> datetime:
    """Return the host's time of day, UTC and aware."""
    return datetime.now(UTC)


def utc_seconds() -> float:
    """Return the host's time of day in seconds since 1970."""
    return time.time()


def http_date(text: str) -> datetime | None:
    """Read a date as HTTP writes it (RFC 9110, 5.6.7); None for anything else."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _since_boot() -> float:
    """Return seconds that also go on while the host sleeps, where there are such."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """What the whole program asks for the time.

    Args:
        wall: the host's time of day.
        seconds: seconds that only grow.
    """

    def __init__(self, wall: Callable[[], datetime] = utc_now, seconds: Callable[[], float] = _since_boot) -> None:
        self._wall = wall
        self._seconds = seconds
        self._theirs: datetime | None = None
        """What their clock showed when :attr:`_seconds` was 0."""
        self._stepped: datetime | None = None

    def now(self) -> datetime:
        """Return the time of day, UTC and aware: the host's, or Business Central's where they do not agree."""
        host = self._wall()
        return host if abs(self._off(host)) <= DISAGREEMENT else self.theirs()

    def theirs(self) -> datetime:
        """Return what Business Central's clock shows; the host's time of day while that is not known."""
        return self._wall() if self._theirs is None else _plus(self._theirs, self._seconds())

    def witness(self, date: str) -> None:
        """Note what an answer of theirs gives as its ``Date``; one that jumped counts when it is said a second time."""
        shown = http_date(date)
        if shown is None or shown.year > _LATEST:
            return
        theirs = _plus(shown, -self._seconds())
        if self._theirs is not None and _apart(self._theirs, theirs) and _apart(self._stepped, theirs):
            self._stepped = theirs
            return
        self._theirs, self._stepped = theirs, None

    @property
    def trouble(self) -> str:
        """Return for people what is wrong with the host's clock; "" when it is believed."""
        off = self._off(self._wall())
        if abs(off) <= DISAGREEMENT:
            return ""
        return (
            f"This computer's clock is {about(abs(off))} {'ahead of' if off > 0 else 'behind'} Business Central's. Times on "
            "this page are Business Central's until it is right, those in the log are wrong; printing goes on. Let the network set the "
            "clock: timedatectl set-ntp true."
        )

    def _off(self, host: datetime) -> float:
        return 0.0 if self._theirs is None else (host - self.theirs()).total_seconds()


def _plus(date: datetime, seconds: float) -> datetime:
    """Add seconds; what no calendar holds stays where it is."""
    try:
        return date + timedelta(seconds=seconds)
    except OverflowError:
        return date


def _apart(one: datetime | None, other: datetime) -> bool:
    return one is None or abs((one - other).total_seconds()) > _STEP
