"""The clocks and the tariff calendar: BT50 and BT52-BT55 (MEP guide v1.1 p. 222-231).

This module does not know what time it is.
"""

from __future__ import annotations

from osgp.tables.schema.count import count
from osgp.tables.schema.recurring_date import RDATE
from osgp.tables.schema.table import Bit, Bits, Field, Group, Table
from osgp.tables.schema.types import (
    ANSI_DATE,
    INT16,
    LTIME_DATE,
    LTIME_DATE_UTC,
    TIME,
    UINT8,
    UINT16,
    UINT32,
)

__all__ = ["BT50", "BT52", "BT53", "BT54", "BT55"]

BT50 = Table(
    50,
    "Dimension Time and TOU",
    "222-224",
    (
        Bits(
            UINT8,
            (
                Bit("tou_self_read", 0),
                Bit("season_self_read", 1),
                Bit("season_demand_reset", 2),
                Bit("season_change_armed", 3),
                Bit("sort_dates", 4),
                Bit("anchor_date", 5),
            ),
        ),
        Bits(
            UINT8,
            (
                Bit("daylight_saving_auto", 0),
                Bit("separate_weekdays", 1),
                Bit("separate_summation_demands", 2),
                Bit("sort_tier_switches", 3),
                Bit("time_zone_offset_capable", 4),
            ),
        ),
        Bits(UINT8, (Bit("seasons", 0, 3), Bit("special_schedules", 4, 7))),
        Field("nonrecurring_dates", UINT8),
        Field("recurring_dates", UINT8),
        Field("tier_switches", UINT16),
        Field("calendar_size", UINT16, unit="byte"),
    ),
)

_CLOCK_FLAGS = (
    Bit("weekday", 0, 2, note="0 Sunday to 6 Saturday"),
    Bit("daylight_saving", 3),
    Bit("greenwich_mean_time", 4),
    Bit("time_zone_applied", 5),
    Bit("daylight_saving_applied", 6),
)

BT52 = Table(
    52,
    "UTC Clock",
    "224-225",
    (Field("clock", LTIME_DATE_UTC), Bits(UINT8, _CLOCK_FLAGS)),
    note="Updated every second.",
)

BT53 = Table(
    53,
    "Time Offset",
    "225",
    (
        Field("daylight_saving_at", TIME, note="local time of day at which daylight saving begins and ends"),
        Field("daylight_saving_minutes", UINT8, unit="min"),
        Field("time_zone_minutes", INT16, unit="min", note="-12 to +14 hours"),
    ),
)

_ACTION = Bits(
    UINT8,
    (
        Bit("action", 0, 4, note="1/2 daylight saving on/off, 3-14 season 0-11, 19/20 special schedule 0/1"),
        Bit("demand_reset", 5),
        Bit("self_read", 6),
        Bit("twelve_seasons", 7, note="first recurring date only"),
    ),
)

_DAYS = ("saturday", "sunday", "weekday")
_WEEK = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SEPARATE = count("calendar.separate_weekdays")
_TOGETHER = count("calendar.separate_weekdays").negated()

BT54 = Table(
    54,
    "Calendar",
    "225-229",
    (
        Group(
            "nonrecurring_dates",
            (Field("date", ANSI_DATE), _ACTION),
            count=count("calendar.nonrecurring_dates"),
        ),
        Group(
            "recurring_dates",
            (Field("date", RDATE, note="p. 41-42"), _ACTION),
            count=count("calendar.recurring_dates"),
        ),
        Group(
            "tier_switches",
            (
                Bits(UINT16, (Bit("tier", 0, 2), Bit("minute", 5, 10), Bit("hour", 11, 15))),
                Field("schedule", UINT8, note="index / 10"),
            ),
            count=count("calendar.tier_switches"),
        ),
        Group(
            "seasons",
            (
                *(Field(day, UINT8, when=_TOGETHER) for day in _DAYS),
                *(Field(day, UINT8, when=_SEPARATE) for day in _WEEK),
                Field("special_0", UINT8),
                Field("special_1", UINT8),
            ),
            count=count("calendar.seasons"),
            note="day schedule by kind of day",
        ),
        Field("calendar_id", UINT32),
    ),
)

BT55 = Table(
    55,
    "Local Clock State",
    "229-231",
    (
        Field("clock", LTIME_DATE, note="with time zone and daylight saving"),
        Bits(UINT8, _CLOCK_FLAGS),
        Bits(
            UINT16,
            (
                Bit("tier", 0, 2, note="0-based; the display counts from 1"),
                Bit("tier_drive", 6, 7, note="0 calendar, 1 manual until next switch, 2 manual, 3 override (ET54)"),
                Bit("special_schedule", 8, 11),
                Bit("season", 12, 15),
            ),
        ),
    ),
    note="Updated every minute.",
)
