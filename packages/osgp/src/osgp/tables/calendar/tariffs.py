"""The tariff that is in force, why, and which comes next: BT54, BT55, ET23, ET47 and ET54 put together.

BT55 says which tariff is in force (MEP guide v1.1 p. 230-231); it is up to a minute old. The next one is worked out from the
calendar, and given only if the calendar also gives the present one: else something is at work that is not known here.

This module does not know how the tables are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from osgp.tables.calendar.schedule import Switch, TariffCalendar

__all__ = ["Drive", "Tariffs", "tariffs"]


class Drive(StrEnum):
    """What sets the tariff (BT55.7, p. 231; ET54.44, p. 134)."""

    CALENDAR = "calendar"
    UNTIL_NEXT_SWITCH = "set by hand until the next switch"
    BY_HAND = "set by hand"
    OVERRIDE = "overridden for a time"
    OVER_POWER = "too much power"
    STEP_TARIFF = "consumption"
    """The tariff depends on how much was used since it was reset."""


_NO_OVERRIDE = 255
_NEXT_SWITCH, _NEVER, _DURATION, _UNTIL = range(4)
"""ET47.1 (p. 123)."""


@dataclass(frozen=True, slots=True)
class Tariffs:
    """Which tariff counts; tiers are 0-based, as in the tables: the display counts from 1."""

    tier: int
    drive: Drive | None
    """None where the meter says "overridden" and ET54, which says by what, was not read."""
    at: datetime | None
    """The meter's local time when it said so; None where its clock is not set."""
    season: int
    """From 0."""
    special_schedule: int
    calendar_id: int | None
    """Of the calendar that is active (ET23), None if unknown."""
    next: Switch | None
    """When which other tier begins; None where :attr:`unknown` says why, or none begins within a year."""
    until: datetime | None
    """UTC: when an override ends; None where there is none or it is not known."""
    unknown: str = ""
    """Why the next switch cannot be told; empty where it can, or there is none."""


def tariffs(
    bt55: Mapping[str, Any],
    bt54: Mapping[str, Any] | None = None,
    et23: Mapping[str, Any] | None = None,
    et47: Mapping[str, Any] | None = None,
    et54: Mapping[str, Any] | None = None,
) -> Tariffs:
    """Return what these tables say together; None for a table that was not read.

    Raises:
        KeyError: BT55 ends before the tier.
    """
    tier, now = bt55["tier"], bt55["clock"]
    drive = _drive(bt55["tier_drive"], et54 or {})
    active = (et23 or {}).get("active_calendar_id")
    coming, unknown = _next(tier, now, drive, bt54, active)
    return Tariffs(
        tier=tier,
        drive=drive,
        at=now,
        season=bt55["season"],
        special_schedule=bt55["special_schedule"],
        calendar_id=active,
        next=coming,
        until=_until(drive, et47 or {}),
        unknown=unknown,
    )


def _drive(told: int, et54: Mapping[str, Any]) -> Drive | None:
    if told < len(_BY_BT55):
        return _BY_BT55[told]
    if "over_power" not in et54:
        return None
    if et54["over_power"]:
        return Drive.OVER_POWER
    return Drive.STEP_TARIFF if et54["step_tariff"] else Drive.OVERRIDE


_BY_BT55 = (Drive.CALENDAR, Drive.UNTIL_NEXT_SWITCH, Drive.BY_HAND)


def _until(drive: Drive | None, et47: Mapping[str, Any]) -> datetime | None:
    """Return when an override ends: only one to a point in time tells it, the beginning of the others is not kept."""
    ends = drive is Drive.OVERRIDE and et47.get("tier", _NO_OVERRIDE) != _NO_OVERRIDE and et47["cancellation"] == _UNTIL
    until: datetime | None = et47["until"] if ends else None
    return until


def _next(
    tier: int, now: datetime | None, drive: Drive | None, bt54: Mapping[str, Any] | None, active: int | None
) -> tuple[Switch | None, str]:
    """Return the next switch, or why it cannot be told."""
    if drive not in (Drive.CALENDAR, Drive.UNTIL_NEXT_SWITCH):
        return None, "the calendar does not set the tariff just now"
    if now is None:
        return None, "the meter's clock is not set"
    if bt54 is None or "calendar_id" not in bt54:
        return None, "the meter did not give its calendar (BT54)"
    if active is not None and active != bt54["calendar_id"]:
        return None, f"calendar {active} is active, and BT54 holds calendar {bt54['calendar_id']}"
    calendar = TariffCalendar(bt54)
    if not calendar.is_known:
        return None, "the calendar has dates that repeat by a period of which the beginning is not told"
    if drive is Drive.UNTIL_NEXT_SWITCH:
        return next(calendar.all_switches(now), None), ""
    if calendar.tier(now) != tier:
        return None, "by its calendar (BT54) the meter would be in another tariff, so the calendar is not understood"
    return calendar.next_switch(now), ""
