"""What happened to a meter by its own logs: events and power outages, each once, and where they are kept.

An :class:`EventLog` remembers how far each meter's logs were read, so that a restart neither tells anything twice nor forgets
it. It gives each entry a number of its own, which only grows, in the order in which this program learned of it. What a
meter had logged before its logs were first read here is listed, but it is no news.

This module does not know how logs are read, nor who is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from osgp.tables.logs.event_names import name_of
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import CAUSES, Outage

__all__ = [
    "Asked",
    "EventLog",
    "Found",
    "Happened",
    "HappenedKind",
    "Known",
    "RememberedEvents",
    "Who",
    "happened_of",
    "named",
]

_KEPT = 500
"""Entries of each meter in memory, where there is no history."""


class HappenedKind(StrEnum):
    """Of which log an entry is."""

    EVENT = "event"
    """Of the event logs (BT74, ET79)."""
    OUTAGE = "outage"
    """Of the power outages (ET81, ET09)."""


class Who(StrEnum):
    """Who was logged in at the meter when an event happened (MEP guide v1.1 p. 243)."""

    NOBODY = "nobody"
    POWER_LINE = "power_line"
    """The grid company."""
    MEP_PORT = "mep_port"
    OPTICAL_PORT = "optical_port"


_WHO: Mapping[int, Who] = {0xFFFF: Who.NOBODY, 0xFFFE: Who.POWER_LINE, 0xFFFD: Who.MEP_PORT}


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of a meter's logs. None is what the meter does not tell."""

    meter: str
    kind: HappenedKind
    time: datetime | None
    """When it happened, or began, by the meter's clock (UTC, aware)."""
    sequence: int | None
    """Its number in the meter's own log."""
    identity: str
    """Tells it from all others of the meter."""
    event: int | None = None
    """What happened, a number of 12 bits; None for an outage."""
    who: Who | None = None
    user: int | None = None
    """The optical port's user, where it was one."""
    argument: str = ""
    """In hexadecimal digits; what it says depends on the event."""
    end: datetime | None = None
    """Of an outage (UTC, aware)."""
    seconds: int | None = None
    """How long an outage lasted."""
    cause: str = ""
    """Why the meter started anew after an outage, in English; empty where it does not tell."""
    number: int = 0
    """Ours: given when it is kept, from 1."""
    news: bool = False
    """It happened since the meter's logs were first read."""
    read: datetime | None = None
    """When this program read it (UTC, aware)."""
    name: str = ""
    """What the event is called: by the owner's catalogue, or by the standard; empty where neither has a name."""


Known = Mapping[HappenedKind, str]
"""How far each of a meter's logs was read, as the library notes it. What is not in it was never read."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was new in a meter's logs.

    Args:
        meter: its id.
        serial: of the meter itself; empty where it does not tell.
        entries: the oldest first.
        known: how far the logs are known now.
        news: logs that were known before: what is new in them is news.
        read: when (UTC, aware); None while the time of day is not known.
    """

    meter: str
    serial: str
    entries: Sequence[Happened]
    known: Known
    news: Collection[HappenedKind]
    read: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries are asked for: the newest of them.

    Args:
        meters: their ids.
        limit: no more than so many.
        before: with numbers below this one; None for the newest.
        since: that happened then or later; those without a time were read then or later.
        kind: of this log; None for both.
    """

    meters: Sequence[str]
    limit: int
    before: int | None = None
    since: datetime | None = None
    kind: HappenedKind | None = None


class EventLog(Protocol):
    """Keeps what happened."""

    async def known(self, meter: str, serial: str) -> Known | None:
        """Return how far the logs of the meter with this serial number were read; None if that cannot be told now."""

    async def keep(self, found: Found) -> Sequence[Happened] | None:
        """Keep what is new, each entry once, and how far the logs are known; all of it or nothing.

        Returns:
            What was not kept before, with numbers, the oldest first. None if it cannot be kept now: then it is read again.
        """

    async def entries(self, asked: Asked) -> Sequence[Happened]:
        """Return entries, the one learned last first."""

    async def news(self, after: int, limit: int) -> Sequence[Happened]:
        """Return news with numbers above ``after``, in their order."""

    async def last(self) -> int:
        """Return the highest number there is, 0 if there is none."""


def happened_of(meter: str, serial: str, events: Iterable[Event], outages: Iterable[Outage]) -> list[Happened]:
    """Return entries of a meter's logs as the outputs get them, the oldest first.

    Args:
        meter: its id.
        serial: of the meter itself.
        events: the newest first.
        outages: the newest first.
    """
    logs = [_event(meter, serial, one) for one in events], [_outage(meter, serial, one) for one in outages]
    placed = [each for log in logs for each in _placed(log[::-1])]
    return [one for _, one in sorted(placed, key=lambda each: each[0])]


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _placed(log: Iterable[Happened]) -> Iterator[tuple[datetime, Happened]]:
    """Yield the entries of one log with a time that keeps their order, whatever the meter's clock showed."""
    latest = _LONG_AGO
    for one in log:
        latest = max(latest, one.time or latest)
        yield latest, one


def _event(meter: str, serial: str, one: Event) -> Happened:
    who = _WHO.get(one.user, Who.OPTICAL_PORT)
    when = "" if one.time is None else f"{one.time:%Y%m%dT%H%M%S}"
    return Happened(
        meter,
        HappenedKind.EVENT,
        one.time,
        one.sequence,
        f"{serial}/event/{one.sequence}/{when}/{one.event}/{one.user}/{one.argument.hex()}",
        event=one.event,
        who=who,
        user=one.user if who is Who.OPTICAL_PORT else None,
        argument=one.argument.hex(),
    )


def _outage(meter: str, serial: str, one: Outage) -> Happened:
    # A record of ET09 has no number and one of ET81 may have no UTC: what both have is when the power came back.
    ends = one.end or one.local_end
    begins = one.begin or one.local_begin
    when = f"{begins:%Y%m%dT%H%M%S}/{ends:%Y%m%dT%H%M%S}" if begins and ends else f"{one.sequence}"
    return Happened(
        meter,
        HappenedKind.OUTAGE,
        one.begin,
        one.sequence,
        f"{serial}/outage/{when}",
        end=one.end,
        seconds=one.seconds,
        cause="" if one.cause is None else CAUSES.get(one.cause, f"cause {one.cause}"),
    )


def named(entries: Iterable[Happened], names: Mapping[str, Mapping[int, str]]) -> list[Happened]:
    """Return entries with the names of their events, by meter and number of the event."""
    nothing: Mapping[int, str] = {}
    return [
        one if one.event is None else replace(one, name=name_of(one.event, names.get(one.meter, nothing)))
        for one in entries
    ]


@dataclass(slots=True)
class _Memory:
    """What is remembered of one meter."""

    serial: str
    known: Known
    entries: deque[Happened] = field(default_factory=lambda: deque(maxlen=_KEPT))
    identities: deque[str] = field(default_factory=lambda: deque(maxlen=4 * _KEPT))


class RememberedEvents:
    """An :class:`EventLog` for a gateway without a history: it forgets with this program.

    So what a meter has logged when this program starts is no news.

    Args:
        names: what the owner calls events, by meter and number.
    """

    def __init__(self, names: Mapping[str, Mapping[int, str]] | None = None) -> None:
        self._names = names or {}
        self._meters: dict[str, _Memory] = {}
        self._last = 0

    async def known(self, meter: str, serial: str) -> Known:
        """See :class:`EventLog`."""
        memory = self._meters.get(meter)
        return memory.known if memory is not None and memory.serial == serial else {}

    async def keep(self, found: Found) -> Sequence[Happened]:
        """See :class:`EventLog`."""
        memory = self._meters.get(found.meter)
        if memory is None:
            memory = self._meters[found.meter] = _Memory(found.serial, found.known)
        memory.serial, memory.known = found.serial, found.known
        kept = []
        for one in found.entries:
            if one.identity not in memory.identities:
                self._last += 1
                numbered = replace(one, number=self._last, news=one.kind in found.news, read=found.read)
                memory.identities.append(one.identity)
                memory.entries.append(numbered)
                kept.append(numbered)
        return named(kept, self._names)

    async def entries(self, asked: Asked) -> Sequence[Happened]:
        """See :class:`EventLog`."""
        return named(self._some(lambda one: _wanted(one, asked), asked.meters)[: -asked.limit - 1 : -1], self._names)

    async def news(self, after: int, limit: int) -> Sequence[Happened]:
        """See :class:`EventLog`."""
        return named(self._some(lambda one: one.news and one.number > after, self._meters)[:limit], self._names)

    async def last(self) -> int:
        """See :class:`EventLog`."""
        return self._last

    def _some(self, wanted: Callable[[Happened], bool], meters: Iterable[str]) -> list[Happened]:
        memories = (self._meters[meter] for meter in meters if meter in self._meters)
        return sorted((one for memory in memories for one in memory.entries if wanted(one)), key=lambda one: one.number)


def _wanted(one: Happened, asked: Asked) -> bool:
    moment = one.time or one.read
    return (
        (asked.before is None or one.number < asked.before)
        and (asked.since is None or (moment is not None and moment >= asked.since))
        and asked.kind in (None, one.kind)
    )
