"""Reads what changes seldom, beside the schedule of the poller: what a meter says of itself, and what its logs tell.

A meter is looked at when it is read again after a silence, then each few minutes, and when it raises an alert. All of it stays
within the meter's read budget, and live values go on in between. Of the logs only what is new is read. A table that a
meter does not have, or does not show to this key, is left away; one that cannot be read now is read later: it never makes a meter
silent.

This module does not know how bytes reach the meter, nor where entries are kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from nes2mqtt.meters.session import MeterSession
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.happened import EventLog, Found, HappenedKind, Known, happened_of
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import EntriesRead, MeterState, MeterStatus
from nes2mqtt.timing.backoff import Backoff
from osgp.errors import MeterRefused, MisuseError, OsgpError, TableError
from osgp.meter import LogRead
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage

__all__ = ["BesidePoller", "SeldomPeriods", "SeldomReader"]

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_Entry = TypeVar("_Entry", Event, Outage)

_LOOK_EVERY = 5.0
"""Seconds between two looks at how the meters are."""
_SETTLE = 10.0
"""Seconds between a meter's first values and the first of these reads: a start is busy enough."""
_AGAIN = (60.0, 900.0)
"""Seconds until what could not be read is read again: at first, and at most."""
_REFUSED_AGAIN = 86_400.0
_AT_ONCE = 8
"""Meters that are read at the same time."""


class _Part(StrEnum):
    """What is read, in words for people."""

    STATE = "state (BT03, ET23, ET46, ET54)"
    TARIFFS = "tariffs (BT54, BT55)"
    QUALITY = "quality of the supply (ET09)"
    LOGS = "logs (BT74, ET79, ET81)"


class BesidePoller(Protocol):
    """What is asked of a meter's poller."""

    @property
    def name(self) -> str:
        """The meter's id."""

    async def beside(self, read: Callable[[MeterSession], Awaitable[_T]]) -> _T | None:
        """Read something beside the schedule; None while the meter is not read."""


@dataclass(frozen=True, slots=True)
class SeldomPeriods:
    """Seconds between two reads; 0: never."""

    condition: float = 300.0
    logs: float = 900.0


class _NotNow(Exception):
    """The meter is not read just now, or what it tells cannot be kept."""


@dataclass(slots=True)
class _Watch:
    """One meter."""

    meter: BesidePoller
    periods: Mapping[_Part, float]
    online: float | None = None
    """The moment from which on it was online, when it was looked at last."""
    alerts: int = 0
    due: dict[_Part, float] = field(default_factory=dict)
    condition: ConditionRead | None = None
    serial: str = ""
    busy: bool = False
    again: Backoff = field(default_factory=lambda: Backoff(*_AGAIN))
    said: set[_Part] = field(default_factory=set)


class SeldomReader:
    """Reads some meters.

    Args:
        hub: knows how the meters are, and gets what they tell.
        meters: what reads them, and how often.
        event_log: keeps what their logs tell.
        zone: of the house: the logs of some meters have local times only.
    """

    def __init__(
        self, hub: Hub, meters: Sequence[tuple[BesidePoller, SeldomPeriods]], event_log: EventLog, zone: tzinfo
    ) -> None:
        self._hub = hub
        self._event_log = event_log
        self._zone = zone
        self._watches = [_Watch(meter, _periods(periods)) for meter, periods in meters]
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Read until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for watch in self._watches:
                    if not watch.busy and self._is_due(watch):
                        watch.busy = True
                        group.create_task(self._look(watch))
                await asyncio.sleep(_LOOK_EVERY)

    def _status(self, watch: _Watch) -> MeterStatus | None:
        latest = self._hub.latest.get(watch.meter.name)
        return None if latest is None else latest.status

    def _is_due(self, watch: _Watch) -> bool:
        status = self._status(watch)
        if status is None or status.state is not MeterState.ONLINE:
            watch.online = None
            return False
        now = self._hub.clock.monotonic()
        if watch.online != status.instant:
            watch.online = status.instant
            watch.due = dict.fromkeys(watch.periods, now + _SETTLE)
        if status.link.alerts > watch.alerts:
            watch.due = dict.fromkeys(watch.periods, now)
        watch.alerts = status.link.alerts
        if watch.serial != status.info.serial:
            watch.serial, watch.condition = status.info.serial, None
        return any(due <= now for due in watch.due.values())

    async def _look(self, watch: _Watch) -> None:
        """Read what is due, one after the other."""
        serial = watch.serial
        try:
            async with self._places:
                for part in [part for part, due in watch.due.items() if due <= self._hub.clock.monotonic()]:
                    period = await self._read(watch, part, serial)
                    watch.due[part] = self._hub.clock.monotonic() + period
                watch.again.reset()
        except (OsgpError, _NotNow) as error:
            _log.debug("meter %s: reading beside the schedule is put off: %s", watch.meter.name, error)
            later = self._hub.clock.monotonic() + watch.again.next()
            watch.due = {part: max(due, later) for part, due in watch.due.items()}
        except Exception:  # noqa: BLE001 - one meter must not stop the others
            _log.exception("meter %s: a mistake in this program; it is read again later", watch.meter.name)
            watch.due = dict.fromkeys(watch.due, self._hub.clock.monotonic() + _AGAIN[1])
        finally:
            watch.busy = False

    async def _read(self, watch: _Watch, part: _Part, serial: str) -> float:
        """Read one part and hand it on; return in how many seconds it is due again.

        Raises:
            OsgpError: the meter did not answer.
            _NotNow: it is not read just now.
        """
        try:
            if part is _Part.LOGS:
                await self._read_logs(watch.meter, serial)
            else:
                told = await self._ask(watch.meter, _READS[part])
                self._hand_on(watch, part, serial, told)
        except (MeterRefused, TableError, KeyError) as error:
            if part is not _Part.LOGS:
                self._hand_on(watch, part, serial, None)
            if not isinstance(error, MeterRefused) and part not in watch.said:
                watch.said.add(part)
                _log.warning(
                    "meter %s: its %s cannot be read: %s. Values go on; it is tried again once a day. If this lasts, save an osgp "
                    "dump and report it",
                    watch.meter.name,
                    part,
                    error,
                )
            return _REFUSED_AGAIN
        watch.said.discard(part)
        return watch.periods[part]

    def _hand_on(self, watch: _Watch, part: _Part, serial: str, told: Any) -> None:
        """Tell what is known of a meter now, unless it is another one than was asked."""
        status = self._status(watch)
        if status is None or status.info.serial != serial:
            raise _NotNow("another meter answers than before")
        name, moment = watch.meter.name, self._hub.clock.moment()
        before = watch.condition or ConditionRead(name, moment.label, 0.0)
        watch.condition = replace(
            before, received=moment.label, instant=moment.instant or 0.0, **{part.name.lower(): told}
        )
        self._hub.publish(watch.condition)

    async def _read_logs(self, meter: BesidePoller, serial: str) -> None:
        """Read what is new in the logs, keep it, and tell it.

        Raises:
            MeterRefused: the meter shows none of them to this key.
            _NotNow: what it tells cannot be kept.
        """
        known = await self._event_log.known(meter.name, serial)
        if known is None:
            raise _NotNow("it cannot be told how far its logs were read")
        events = await self._log(meter, known, HappenedKind.EVENT, lambda session, mark: session.events(mark))
        outages = await self._log(
            meter, known, HappenedKind.OUTAGE, lambda session, mark: session.outages(mark, zone=self._zone)
        )
        read = {HappenedKind.EVENT: events, HappenedKind.OUTAGE: outages}
        now = dict(known) | {kind: log.known for kind, log in read.items() if log is not None}
        entries = happened_of(meter.name, serial, events.entries if events else (), outages.entries if outages else ())
        if now == known and not entries:
            return
        moment = self._hub.clock.moment()
        label = moment.label if self._hub.clock.known else None
        kept = await self._event_log.keep(Found(meter.name, serial, entries, now, frozenset(known), label))
        if kept is None:
            raise _NotNow("what its logs told cannot be kept")
        if kept:
            self._hub.publish(EntriesRead(meter.name, tuple(kept)))

    async def _log(
        self,
        meter: BesidePoller,
        known: Known,
        kind: HappenedKind,
        read: Callable[[MeterSession, str], Awaitable[LogRead[_Entry]]],
    ) -> LogRead[_Entry] | None:
        """Read one log; None where the meter does not show it."""
        mark = known.get(kind, "")
        try:
            try:
                found = await self._ask(meter, lambda session: read(session, mark))
            except MisuseError:  # the mark is damaged on disk: all of it is read, and what is known is known by itself
                found = await self._ask(meter, lambda session: read(session, ""))
        except MeterRefused:
            return None
        if found.missed:
            _log.warning(
                "meter %s: %d entries of its %s log were overwritten before they were read; set a shorter events_every",
                meter.name,
                found.missed,
                kind,
            )
        return found

    @staticmethod
    async def _ask(meter: BesidePoller, read: Callable[[MeterSession], Awaitable[_T]]) -> _T:
        found = await meter.beside(read)
        if found is None:
            raise _NotNow("it is not read just now")
        return found


_READS: Mapping[_Part, Callable[[MeterSession], Awaitable[Any]]] = {
    _Part.STATE: lambda session: session.state(),
    _Part.TARIFFS: lambda session: session.tariffs(),
    _Part.QUALITY: lambda session: session.quality(),
}


def _periods(periods: SeldomPeriods) -> Mapping[_Part, float]:
    wanted = dict.fromkeys(_READS, periods.condition) | {_Part.LOGS: periods.logs}
    return {part: period for part, period in wanted.items() if period}
