"""One notion of time for the whole gateway: durations, labels, and what may be believed.

Three clocks are at hand, and each may do one thing only:

===========  ==============================================================================================
monotonic    decides every duration: what is fresh, when something is due, how long to wait. It never steps
host's       gives readings their label, the time of day, as long as it can be believed
meter's      a witness: it says whether the host's clock can be believed, and stands in when it cannot
===========  ==============================================================================================

The host's clock is **not** believed

* when it is behind the day this program was made: nothing can have been read before that;
* when the host itself says that it is not synchronised and a meter's clock is more than five minutes away. A
  Raspberry Pi without a battery clock starts days behind, one whose battery clock keeps local time hours ahead.

Then labels come from the meter's clock. While there is none either, the time of day is unknown
(:attr:`Clock.known` is False): live values go on, and whatever needs a day waits for the truth. A label is therefore
best made late, when it is written: :meth:`Clock.label` gives the label of a moment of the monotonic clock as it is
known *now*.

A host that says it is synchronised is believed against any meter: meters' clocks are off by minutes for years. So is
one that was synchronised since this program started and was not set since: it drifts by seconds in a day. While a
host is synchronised each meter's error is noted, and taken off its clock when the meter has to stand in.

A meter's clock that jumps counts only when it is read a second time: until then the old one goes on. Of meters that
disagree the one counts with which most others agree.

This module does not know what is labelled. The sources of time are passed in, so that tests can move them.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from nes2mqtt import __built__
from nes2mqtt.codes import CLOCK_AHEAD, CLOCK_BEHIND, CLOCK_UNKNOWN
from nes2mqtt.timing.moment import Moment
from servicekit.durations import about

__all__ = ["DISAGREEMENT", "Clock", "ClockTrouble", "Moment", "Trust", "host_synchronised"]

DISAGREEMENT = 300.0
"""Seconds by which a meter's clock and an unsynchronised host's may differ."""

_NEAR_AGAIN = 0.9 * DISAGREEMENT
"""What is not believed has to come a little nearer, so that two clocks at the limit do not take turns."""

_LOOK_EVERY = 5.0
"""Seconds between two questions to the host whether it is synchronised, as long as its clock does not step."""
_STEP = 1.0
"""Seconds by which the host's clock has to leave the monotonic one to count as having been set."""
_WITNESS_FOR = 7 * 86400.0
"""Seconds for which a meter's clock counts after it was read: it drifts some seconds in that time."""
_METER_STEP = 60.0
"""Seconds by which a meter's clock has to leave the monotonic one to count as having been set."""
_KEEPS_TIME = 120.0
"""Seconds by which a host that was synchronised may leave the monotonic clock and still be believed: a bad crystal is
off by 10 s a day, and the time-sync slews small errors away."""
_SYNCHRONISED_FILE = Path("/run/systemd/timesync/synchronized")
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class Trust(Enum):
    """Which clock gives the time of day."""

    HOST = "host"
    METER = "meter"
    NONE = "none"
    """Nobody knows what time of day it is."""


@dataclass(frozen=True, slots=True)
class ClockTrouble:
    """What is wrong with the host's clock."""

    trust: Trust
    """What gives the time of day instead."""
    off: float | None
    """Seconds the host's clock is ahead of the meter's (negative: behind); None if there is no meter's clock."""
    meter: str = ""
    """The id of the meter whose clock says so."""

    @property
    def code(self) -> str:
        """Return the kind of :attr:`message`, see :mod:`nes2mqtt.codes`."""
        if self.off is None:
            return CLOCK_UNKNOWN
        return CLOCK_AHEAD if self.off > 0 else CLOCK_BEHIND

    @property
    def params(self) -> Mapping[str, str | int | float]:
        """Return what the message is made of besides its kind: seconds (always positive) and the meter."""
        return {} if self.off is None else {"seconds": abs(round(self.off)), "meter": self.meter}

    @property
    def message(self) -> str:
        """Return for people which clock is wrong, by how much, what that means and what to do."""
        if self.off is None:
            return (
                "this computer's clock shows a time before this program was made, and no meter tells the time. Live "
                f"values go on, nothing is booked to a day yet. {_SET_IT}"
            )
        side = "ahead of" if self.off > 0 else "behind"
        return (
            f"this computer's clock is {about(abs(self.off))} {side} the clock of the meter '{self.meter}'. "
            f"Times are taken from the meter until it is right. {_SET_IT}"
        )


_SET_IT = "Let the network set it: timedatectl set-ntp true. 'timedatectl' then shows 'synchronized: yes'"


@dataclass(frozen=True, slots=True)
class _Witness:
    offset: float
    """The meter's clock minus the monotonic one, in seconds since 1970."""
    instant: float
    gone: bool = False
    """Whether that meter was replaced: its clock goes on as a count of seconds, until the new one's was read."""


class _Belief(NamedTuple):
    trust: Trust
    offset: float
    """The time of day minus the monotonic clock, in seconds since 1970."""
    trouble: ClockTrouble | None
    sure: bool = False
    """It is the host's clock, which does not say that it is not synchronised, or was so lately."""


class _Seen(NamedTuple):
    """When it was decided last, and how."""

    instant: float
    host_offset: float
    """The host's clock minus the monotonic one."""
    belief: _Belief


class _Timex(ctypes.Structure):
    """``struct timex`` of adjtimex(2), as far as it is read here; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 256),
    )


def host_synchronised() -> bool | None:
    """Tell whether the host says its clock is synchronised (by NTP or alike); None if it does not tell.

    The kernel keeps the answer (adjtimex(2), STA_UNSYNC); asking needs no right. Where that call is forbidden, as
    in some containers, the file that systemd-timesyncd makes is looked for.
    """
    try:
        ask = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    buffer = _Timex()
    state = ask(ctypes.byref(buffer))
    if state < 0:
        return True if _SYNCHRONISED_FILE.exists() else None
    return state != _TIME_ERROR and not buffer.status & _STA_UNSYNC


def _utc_seconds() -> float:
    return time.time()


def _utc(seconds: float) -> datetime:
    """Return seconds since 1970 as a time; what no calendar holds becomes its nearest day."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), _LAST), UTC)


_LAST = datetime(9999, 12, 30, tzinfo=UTC).timestamp()


class Clock:
    """What the whole program asks for the time.

    Args:
        wall: the host's time of day, seconds since 1970.
        monotonic: seconds that only grow; the event loop's own clock must be the same.
        synchronised: whether the host says that its clock is synchronised; None: it does not tell.
        built: seconds since 1970 of the day this program was made.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = _utc_seconds,
        monotonic: Callable[[], float] = time.monotonic,
        synchronised: Callable[[], bool | None] = host_synchronised,
        built: float | None = None,
    ) -> None:
        self._wall = wall
        self.monotonic = monotonic
        self._synchronised = synchronised
        self._built = datetime.fromisoformat(__built__).replace(tzinfo=UTC).timestamp() if built is None else built
        self._lock = threading.RLock()
        """Threads of the outputs ask too. What follows changes together, or one of them sees the host's new clock with
        the old belief; and the host, asked whether it is synchronised, lets other threads run."""
        self._witnesses: dict[str, _Witness] = {}
        self._stepped: dict[str, _Witness] = {}
        """What meters' clocks showed that were set, it seems: read once so far."""
        self._errors: dict[str, float] = {}
        """Seconds by which meters' clocks were ahead of a synchronised host."""
        self._synchronised_offset = float("nan")
        """The host's clock minus the monotonic one when it was last synchronised."""
        self._seen = _Seen(float("-inf"), float("nan"), _Belief(Trust.NONE, 0.0, None))

    def now(self) -> datetime:
        """Return the time of day, UTC and aware; a mere guess while :attr:`known` is False."""
        return self.label(self.monotonic())

    def label(self, instant: float) -> datetime:
        """Return the time of day of a moment of :meth:`monotonic`, by what is known now; UTC and aware."""
        return _utc(instant + self._look().offset)

    def label_if_known(self, instant: float) -> datetime | None:
        """Return the same; None while the time of day is not known."""
        belief = self._look()
        return None if belief.trust is Trust.NONE else _utc(instant + belief.offset)

    def instant(self, label: datetime) -> float:
        """Return the moment of :meth:`monotonic` that has this label now."""
        return label.timestamp() - self._look().offset

    def moment(self) -> Moment:
        """Return this moment."""
        instant = self.monotonic()
        belief = self._look()
        return Moment(_utc(instant + belief.offset), instant, belief.trust is not Trust.NONE)

    @property
    def known(self) -> bool:
        """Tell whether the time of day is known, so that something may be booked to a day."""
        return self.trust is not Trust.NONE

    @property
    def trust(self) -> Trust:
        """Return which clock gives the time of day."""
        return self._look().trust

    @property
    def sure(self) -> bool:
        """Tell whether the host's clock is good enough to say that a meter's is wrong."""
        return self._look().sure

    @property
    def trouble(self) -> ClockTrouble | None:
        """Return what is wrong with the host's clock; None when it is believed."""
        return self._look().trouble

    def host(self) -> datetime:
        """Return what the host's clock shows, believed or not; UTC and aware."""
        return _utc(self._wall())

    def witness(self, meter: str, shown: datetime, instant: float) -> bool:
        """Note what a meter's clock showed (UTC, aware) at a moment of :meth:`monotonic`.

        Returns:
            False if it jumped since it was read before: it counts when it is read a second time.
        """
        seen = _Witness(shown.timestamp() - instant, instant)
        with self._lock:
            before = self._witnesses.get(meter)
            if before is not None and before.gone:
                self._errors.pop(meter, None)
            elif before is not None and instant - before.instant <= _WITNESS_FOR and _jumped(before, seen):
                first = self._stepped.get(meter)
                if first is None or _jumped(first, seen):
                    self._stepped[meter] = seen
                    return False
                self._errors.pop(meter, None)
            self._stepped.pop(meter, None)
            self._witnesses[meter] = seen
            self._seen = self._seen._replace(instant=float("-inf"))
            return True

    def forget(self, meter: str) -> None:
        """Note that another meter is there: its clock counts at its first reading, whatever the old one showed.

        Until then the time of day goes on from the old one's. It was the truth a moment ago, and an unsynchronised
        host has not become right by a swap.
        """
        with self._lock:
            self._stepped.pop(meter, None)
            if meter in self._witnesses:
                self._witnesses[meter] = replace(self._witnesses[meter], gone=True)

    def _look(self) -> _Belief:
        """Decide which clock to believe, when something may have changed."""
        instant = self.monotonic()
        host_offset = self._wall() - instant
        seen = self._seen  # all of it at once, so that this needs no lock: each value of each meter asks
        if abs(host_offset - seen.host_offset) <= _STEP and instant - seen.instant < _LOOK_EVERY:
            trust, _, trouble, sure = seen.belief
            return _Belief(trust, host_offset, trouble, sure) if trust is Trust.HOST else seen.belief
        with self._lock:
            instant = self.monotonic()
            host_offset = self._wall() - instant
            belief = self._judge(instant, host_offset)
            self._seen = _Seen(instant, host_offset, belief)
            return belief

    def _judge(self, instant: float, host_offset: float) -> _Belief:
        witnesses = {
            meter: seen.offset - self._errors.get(meter, 0.0)
            for meter, seen in self._witnesses.items()
            if instant - seen.instant <= _WITNESS_FOR and instant + seen.offset >= self._built
        }
        if instant + host_offset >= self._built:
            synchronised = self._synchronised()
            if synchronised:
                self._synchronised_offset = host_offset
                self._errors = {
                    meter: offset + self._errors.get(meter, 0.0) - host_offset for meter, offset in witnesses.items()
                }
            kept = abs(host_offset - self._synchronised_offset) <= _KEEPS_TIME
            near = DISAGREEMENT if self._seen.belief.trust is Trust.HOST else _NEAR_AGAIN
            agrees = any(abs(host_offset - offset) <= near for offset in witnesses.values())
            if synchronised is not False or kept or agrees or not witnesses:
                return _Belief(Trust.HOST, host_offset, None, synchronised is not False or kept)
        if not witnesses:
            return _Belief(Trust.NONE, host_offset, ClockTrouble(Trust.NONE, None))
        meter, offset = _most_agreed(witnesses, host_offset)
        return _Belief(Trust.METER, offset, ClockTrouble(Trust.METER, host_offset - offset, meter))


def _jumped(before: _Witness, after: _Witness) -> bool:
    return abs(after.offset - before.offset) > _METER_STEP


def _most_agreed(offsets: Mapping[str, float], host: float) -> tuple[str, float]:
    """Return the meter with which most others agree, and its offset; of several the one nearest to the host."""

    def rank(meter: str) -> tuple[int, float]:
        agreeing = sum(abs(offsets[meter] - other) <= DISAGREEMENT for other in offsets.values())
        return -agreeing, abs(offsets[meter] - host)

    meter = min(offsets, key=rank)
    return meter, offsets[meter]
