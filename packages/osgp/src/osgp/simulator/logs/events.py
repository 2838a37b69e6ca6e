"""The events and alarms of the simulated meter: what BT74 and ET79 list and what BT03 shows.

Neither guide lists the numbers of events. Numbers below 2048 are those of C12.19-1997. The rest are the simulated meter's
own, by one rule: 2048 and the number of the alarm's bit in the manufacturer's status of BT03 (Optical guide v1.1 p. 46-47). A
power cut is an event if it lasts at least as long as ET04.98 says, which is 0 here (MEP guide v1.1 p. 63).

An alarm stays on until the head end clears it. This module does not know how a log is laid out in memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from osgp.simulator.history.happenings import (
    AlarmsCleared,
    BrokenConductor,
    ClockSet,
    CoverOpened,
    DemandReset,
    FirmwareChanged,
    Happening,
    NeutralLost,
    PhaseLost,
    PowerCut,
    Reconfigured,
)
from osgp.simulator.house import House
from osgp.simulator.logs.encoding import CIRCULAR, ring, utc_time

__all__ = ["ALTERNATE_ENTRIES", "EVENT_ENTRIES", "Event", "EventNumber", "Events"]

EVENT_ENTRIES = 100
"""Of BT74; "the default for most meter models is 100 or 200" (Optical guide v1.1 p. 50)."""

ALTERNATE_ENTRIES = 50
"""Of ET79, as ET54.80 tells."""

_NOBODY, _HEAD_END = 0xFFFF, 0xFFFE
"""Who was logged in: nobody; somebody by the power line (MEP guide v1.1 p. 242)."""
_ALARM = 0x800
_STATUS_BYTE, _BITS = 4, 8


def _own(byte: int, bit: int) -> int:
    """Return the number of an event that belongs to an alarm: byte and bit of BT03."""
    return _ALARM + (byte - _STATUS_BYTE) * _BITS + bit


class EventNumber(IntEnum):
    """Events that the simulated meter logs."""

    POWER_DOWN = 1
    POWER_UP = 2
    TIME_CHANGED_FROM = 3
    TIME_CHANGED_TO = 4
    PROGRAMMED = 9
    DEMAND_RESET = 18
    TAMPER = 46
    PHASE_LOST = _own(4, 4)
    FIRMWARE_CHANGED = _own(5, 6)
    DIMENSIONS_CHANGED = _own(7, 0)
    UNBALANCED_VOLTAGE = _own(8, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Args:
        at: true time, UTC seconds.
        shown: what the meter's clock showed.
        number: what happened.
        argument: two bytes with the number.
        user: who was logged in.
    """

    at: int
    shown: int
    number: EventNumber
    argument: int = 0
    user: int = _NOBODY


class Events:
    """Events and alarms of one house's meter.

    Args:
        house: that it measures.
        two_logs: from firmware 3.70 on there are a primary and an alternate log.
    """

    def __init__(self, house: House, *, two_logs: bool) -> None:
        self._house = house
        self._two_logs = two_logs

    def until(self, now: float) -> list[Event]:
        """Return all events since the installation, the oldest first."""
        history = self._house.history

        def event(at: int, number: EventNumber, argument: int = 0, user: int = _NOBODY) -> Event:
            return Event(at, int(history.shown(at)), number, argument, user)

        found = [
            event(*which)
            for begin, end in self._house.outages(now)
            for which in ((begin, EventNumber.POWER_DOWN), (end, EventNumber.POWER_UP))
        ]
        for one in history:
            found += [new for new in _events(one, event) if new.at <= now and history.powered(new.at)]
        return sorted(found, key=lambda one: one.at)

    def bt74(self, now: float) -> bytes:
        """Return the primary event log (MEP guide v1.1 p. 241-243)."""
        return self._log(now, EVENT_ENTRIES, alternate=False)

    def et79(self, now: float) -> bytes:
        """Return the alternate event log: what was done to the meter by its grid company (MEP guide v1.1 p. 181-183)."""
        return self._log(now, ALTERNATE_ENTRIES, alternate=True)

    def _log(self, now: float, places: int, *, alternate: bool) -> bytes:
        """Return a log. Both count together; a meter with one log has all events in it."""
        numbered = [
            (number, one)
            for number, one in enumerate(self.until(now))
            if not self._two_logs or (one.user == _HEAD_END) is alternate
        ]
        newest = max(len(numbered) - 1, 0)
        sequence = numbered[-1][0] if numbered else 0
        header = struct.pack("<BHHIH", CIRCULAR, min(len(numbered), places), newest % places, sequence, 0)

        def entry(counted: int) -> bytes:
            number, one = numbered[counted]
            return utc_time(one.shown) + struct.pack(
                "<HHHH", number & 0xFFFF, one.user, one.number, one.argument & 0xFFFF
            )

        return header + ring(places, bytes(14), len(numbered), entry)

    def alarms(self, now: float) -> frozenset[str]:
        """Return the alarms of BT03 that are on, by the names of its fields."""
        history = self._house.history
        cleared = max((one.at for one in history.until(now, AlarmsCleared)), default=0)
        return frozenset(
            name
            for one in history
            for at, name in _alarms(one)
            if cleared <= at <= now
        )  # fmt: skip


def _events(one: Happening, event: Callable[..., Event]) -> Iterator[Event]:
    """Yield what a happening lets the meter log; power cuts are among the outages already."""
    match one:
        case PhaseLost():
            if one.seconds >= one.ALARM_AFTER:
                yield event(one.at + one.ALARM_AFTER, EventNumber.PHASE_LOST, one.phase)
        case NeutralLost() | BrokenConductor():
            if one.seconds >= one.ALARM_AFTER:
                yield event(one.at + one.ALARM_AFTER, EventNumber.UNBALANCED_VOLTAGE)
        case CoverOpened():
            yield event(one.at, EventNumber.TAMPER)
        case ClockSet():
            before = event(one.at, EventNumber.TIME_CHANGED_FROM, user=_HEAD_END)
            yield Event(one.at, before.shown - one.seconds, before.number, user=_HEAD_END)
            yield event(one.at, EventNumber.TIME_CHANGED_TO, user=_HEAD_END)
        case Reconfigured():
            yield event(one.at, EventNumber.PROGRAMMED, user=_HEAD_END)
            yield event(one.at, EventNumber.DIMENSIONS_CHANGED, user=_HEAD_END)
        case FirmwareChanged():
            yield event(one.at, EventNumber.FIRMWARE_CHANGED, user=_HEAD_END)
        case DemandReset():
            yield event(one.at, EventNumber.DEMAND_RESET, user=_HEAD_END)


def _alarms(one: Happening) -> Iterator[tuple[int, str]]:
    """Yield when a happening sets which alarms."""
    match one:
        case PowerCut():
            yield one.over, "power_failure"
        case PhaseLost():
            if one.seconds >= one.ALARM_AFTER:
                yield one.at + one.ALARM_AFTER, "phase_loss"
        case NeutralLost() | BrokenConductor():
            if one.seconds >= one.ALARM_AFTER:
                yield one.at + one.ALARM_AFTER, "unbalanced_voltage"
        case CoverOpened():
            yield one.at, "cover_removed"
        case Reconfigured():
            yield one.at, "dimension_change"
        case FirmwareChanged():
            yield one.at, "code_bank_changed"
