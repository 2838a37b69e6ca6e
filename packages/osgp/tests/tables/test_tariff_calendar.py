"""The tariff calendar: dates worked out with a paper calendar, rules from MEP guide v1.1 p. 41-42 and 223-231."""

from datetime import UTC, date, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import told

from osgp.dissector.values import to_json, to_text
from osgp.psem import table_id
from osgp.simulator.house import House
from osgp.simulator.household import DAY, Household
from osgp.simulator.ledger import Ledger
from osgp.simulator.localtime import tier_at
from osgp.simulator.model import house_memory
from osgp.tables import TABLES
from osgp.tables.calendar.schedule import Switch, TariffCalendar
from osgp.tables.calendar.tariffs import Drive, tariffs
from osgp.tables.schema.recurring_date import RDATE, RecurringDate


def recurring(word):
    """Decode a word as the table does."""
    assert RDATE.decode is not None
    return RDATE.decode(word)


def written(rule):
    """Encode it again."""
    assert RDATE.encode is not None
    return RDATE.encode(rule)


def rdate(month, offset=0, weekday=0, day=0):
    """Return the word as the page draws it: month in bits 0-3, offset 4-7, weekday 8-10, day 11-15."""
    return recurring(month | offset << 4 | weekday << 8 | day << 11)


def in_year(rule, year=2026):
    """Return month and day of all dates in a year. 1 January 2026 is a Thursday."""
    return [(day.month, day.day) for day in rule.dates_in(year)]


def local(*fields):
    """Return a time of the meter's local clock."""
    return datetime(*fields)  # noqa: DTZ001 - it has no zone


SUNDAY, MONDAY, SATURDAY = 0, 1, 6


class TestRecurringDates:
    @pytest.mark.parametrize(
        ("rule", "dates"),
        [
            (rdate(12, day=25), [(12, 25)]),
            (rdate(3, 6, SUNDAY, 1), [(3, 29)]),  # the last Sunday of March: daylight saving begins
            (rdate(10, 6, SUNDAY, 1), [(10, 25)]),
            (rdate(10, 6, SUNDAY, 26), []),  # no Sunday on or after the 26th
            (rdate(5, 1, MONDAY, 25), [(5, 18)]),  # the 25th is a Monday itself: the one before
            (rdate(5, 1, MONDAY, 26), [(5, 25)]),
            (
                rdate(1, 1, SUNDAY, 3),
                [(12, 27)],
            ),  # of 2027: the Sunday before 3 January, a Sunday, is in the year before
            (rdate(11, 2, SUNDAY, 1), [(11, 1)]),  # the first Sunday on or after: 1 November is one
            (rdate(11, 3, SUNDAY, 1), [(11, 8)]),
            (rdate(11, 4, SUNDAY, 2), [(11, 22)]),
            (rdate(11, 5, SUNDAY, 2), [(11, 29)]),
            (rdate(12, 5, SUNDAY, 10), [(1, 4)]),  # of 2025: December has but three more; of 2026 it is in 2027
            (rdate(12, 7, day=25), [(12, 25), (12, 26)]),
            (rdate(12, 7, day=31), [(1, 1), (12, 31)]),
            (rdate(12, 15, day=24), [(12, 25)]),
            (rdate(2, 8, day=1), [(2, 2)]),  # 1 February is a Sunday
            (rdate(2, 9, day=1), [(1, 30)]),
            (rdate(2, 10, day=1), [(2, 1)]),
            (rdate(2, 12, day=1), [(2, 2)]),
            (rdate(2, 13, day=1), [(1, 30)]),
            (rdate(2, 14, day=1), [(2, 2)]),
            (rdate(8, 10, day=1), [(8, 3)]),  # 1 August is a Saturday
            (rdate(8, 11, day=1), [(7, 31)]),
            (rdate(8, 12, day=1), [(8, 3)]),
            (rdate(8, 13, day=1), [(7, 31)]),
            (rdate(8, 14, day=1), [(7, 31)]),
            (rdate(8, 8, day=1), [(8, 1)]),
            (rdate(13, day=31), [(month, 31) for month in (1, 3, 5, 7, 8, 10, 12)]),
            (rdate(13, 6, SATURDAY, 30), [(1, 31), (5, 30), (10, 31)]),
            (rdate(2, day=30), []),
            (rdate(12, day=0), []),
            (rdate(12, 2, 7, 1), []),
        ],
        ids=str,
    )
    def test_dates_of_2026(self, rule, dates):
        assert in_year(rule) == dates

    def test_weekly_and_by_period(self):
        assert in_year(rdate(14, weekday=MONDAY))[:3] == [(1, 5), (1, 12), (1, 19)]
        assert len(in_year(rdate(14, weekday=MONDAY))) == 52
        daily = recurring(15 | 1 << 4)
        assert daily == RecurringDate(month=15, period=1)
        assert len(in_year(daily)) == 365
        other = recurring(15 | 30 << 4 | 5 << 10)
        assert (other.period, other.delta, other.is_known, in_year(other)) == (30, 5, False, [])
        assert recurring(0) is None

    @given(st.integers(0, 0xFFFF))
    def test_every_word_says_something_and_comes_back(self, word):
        rule = recurring(word)
        assert recurring(written(rule)) == rule
        assert to_text(rule)
        to_json(rule)
        if rule is not None:
            days = list(rule.dates_in(2026))
            assert days == sorted(set(days))
            assert all(day.year == 2026 for day in days)

    def test_in_words(self):
        assert to_text(rdate(3, 6, SUNDAY, 1)) == "March, day 1: the last Sunday from there on"
        assert to_json(rdate(12, 7, day=25))["text"] == "December, day 25 and the day after"


def calendar(recurring, days, seasons, once=(), *, twelve=True):
    """Return BT54 as the meter sends it: entries, day schedules by number, seasons as (Saturday, Sunday, weekday, specials)."""
    dates = [{"date": rule, "action": action} for rule, action in recurring]
    dates[0]["twelve_seasons"] = twelve
    switches = [
        switch
        for number in range(20)
        for switch in [
            {"hour": hour, "minute": minute, "tier": tier, "schedule": number}
            for hour, minute, tier in days.get(number, ())
        ]
        + [{}] * (10 - len(days.get(number, ())))
    ]
    names = ("saturday", "sunday", "weekday", "special_0", "special_1")
    bt54 = TABLES["BT54"]
    data = bt54.encode(
        {
            "nonrecurring_dates": [{"date": day, "action": action} for day, action in once] + [{}] * (25 - len(once)),
            "recurring_dates": dates + [{}] * (23 - len(dates)),
            "tier_switches": switches,
            "seasons": [dict(zip(names, season, strict=True)) for season in seasons] + [{}] * (12 - len(seasons)),
            "calendar_id": 7,
        },
        told(),
    )
    assert len(data) == 808
    return bt54.decode(data, told())


NOW = 1_767_225_600
"""2026-01-01 00:00 UTC."""
INSTALLED = NOW - 100 * DAY

WINTER, SUMMER, HOLIDAY, OTHER_HOLIDAY = 3, 4, 19, 20
WORKING = ((0, 0, 0), (6, 30, 1), (17, 0, 2), (21, 15, 0))
FREE, HIGH = ((0, 0, 0),), ((0, 0, 3), (12, 0, 3))
"""Day schedules. Season 0 is winter from October on, 1 summer from April on; 25 and 26 December are free."""
BT54 = calendar(
    [(rdate(10, day=1), WINTER), (rdate(4, day=1), SUMMER), (rdate(12, 7, day=25), HOLIDAY), (rdate(1, day=1), OTHER_HOLIDAY)],
    {0: FREE, 1: WORKING, 2: HIGH},
    [(0, 0, 1, 0, 2), (1, 0, 1, 0, 0)],
    once=[(date(2026, 11, 23), HOLIDAY)],
)  # fmt: skip


class TestSchedule:
    def test_the_worst_calendar_takes_no_time(self):
        """Every entry each day, and no tariff that ever changes: a year is looked through in vain."""
        daily = recurring(15 | 1 << 4)
        worst = calendar([(daily, HOLIDAY)] * 23, {0: FREE}, [(0,) * 5])
        found = TariffCalendar(worst)
        begun = process_time()
        assert found.next_switch(local(2026, 11, 24, 5)) is None
        assert process_time() - begun < 10.0

    @pytest.mark.parametrize(
        ("at", "tier"),
        [
            (local(2026, 11, 24, 6, 29), 0),  # a Tuesday
            (local(2026, 11, 24, 6, 30), 1),
            (local(2026, 11, 24, 20, 59), 2),
            (local(2026, 11, 24, 21, 15), 0),
            (local(2026, 11, 28, 12), 0),  # a Saturday in winter
            (local(2026, 7, 4, 12), 1),  # a Saturday in summer
            (local(2026, 7, 5, 12), 0),  # a Sunday
            (local(2026, 12, 26, 12), 0),
            (local(2026, 11, 23, 12), 0),  # once a holiday: a Monday
            (local(2027, 11, 22, 12), 1),  # not so the year after
            (local(2027, 1, 1, 12), 3),  # the second special schedule
        ],
    )
    def test_tiers(self, at, tier):
        assert TariffCalendar(BT54).tier(at) == tier

    def test_seasons_last_until_the_next_begins(self):
        found = TariffCalendar(BT54)
        assert [found.season(date(2026, *day)) for day in ((1, 15), (3, 31), (4, 1), (9, 30), (10, 1))] == [
            0,
            0,
            1,
            1,
            0,
        ]

    @pytest.mark.parametrize(
        ("after", "coming"),
        [
            (local(2026, 11, 24, 5), Switch(local(2026, 11, 24, 6, 30), 1)),
            (local(2026, 11, 24, 6, 30), Switch(local(2026, 11, 24, 17), 2)),
            # From Friday evening over a free weekend: midnight brings no other tariff, Monday 06:30 does.
            (local(2026, 11, 27, 22), Switch(local(2026, 11, 30, 6, 30), 1)),
            # New Year is dear all day, and the switch of noon to the same is none.
            (local(2026, 12, 31, 22), Switch(local(2027, 1, 1), 3)),
            (local(2027, 1, 1, 0, 0), Switch(local(2027, 1, 2), 0)),
        ],
    )
    def test_the_next_other_tier(self, after, coming):
        assert TariffCalendar(BT54).next_switch(after) == coming

    def test_one_tariff_for_ever_has_no_next(self):
        always = calendar([(rdate(1, day=1), WINTER)], {0: FREE}, [(0, 0, 0, 0, 0)])
        assert TariffCalendar(always).next_switch(local(2026, 5, 1)) is None

    def test_the_old_format_has_four_seasons_and_no_dates_of_one_year(self):
        old = calendar(
            [(rdate(1, day=1), WINTER), (rdate(5, day=1), WINTER + 5)],
            {0: FREE, 1: HIGH},
            [(0, 0, 0, 1, 1)] * 12,
            once=[(date(2026, 11, 23), HOLIDAY)],
            twelve=False,
        )
        assert TariffCalendar(old).season(date(2026, 11, 23)) == 0
        assert TariffCalendar(old).tier(local(2026, 11, 23, 12)) == 0

    @pytest.mark.parametrize(
        "broken",
        [
            ((0, 30, 1),),  # does not begin at midnight
            ((24, 0, 1),),
            (),
        ],
    )
    def test_what_no_meter_holds_gives_no_tier(self, broken):
        days = {0: broken} if broken else {}
        bt54 = dict(calendar([(rdate(1, day=1), WINTER)], days, [(0, 0, 0, 0, 0)]))
        if not broken:
            bt54["recurring_dates"] = ({"date": None, "action": 0, "twelve_seasons": False},)
        found = TariffCalendar(bt54)
        assert found.tier(local(2026, 5, 1, 12)) is None

    def test_the_simulated_house_switches_when_its_calendar_says(self):
        """The truth is the house's own tariff, minute by minute; the decoder sees only the tables."""
        memory = house_memory(House(ledger=Ledger(Household(1), INSTALLED)))
        for days in range(0, 365, 45):
            now = NOW + days * DAY + 12_345
            tables = {name: TABLES[name].decode(memory.read(table_id(name), now), told()) for name in ("BT54", "BT55")}
            found = tariffs(tables["BT55"], tables["BT54"])
            assert (found.drive, found.unknown, found.tier) == (Drive.CALENDAR, "", tier_at(now))
            assert found.at is not None
            begun = now - now % 60
            true = next(at for at in range(begun + 60, begun + 2 * DAY, 60) if tier_at(at) != tier_at(now))
            assert found.next == Switch(found.at + timedelta(seconds=true - begun), tier_at(true))


NOON = local(2026, 11, 24, 12)


def bt55(at=NOON, tier=1, drive=0, season=0, special=0):
    word = tier | drive << 6 | special << 8 | season << 12
    stamp = bytes((at.year - 2000, at.month, at.day, at.hour, at.minute, at.second))
    return TABLES["BT55"].decode(stamp + b"\0" + word.to_bytes(2, "little"), told())


def et54(flags):
    return TABLES["ET54"].decode(bytes(44) + bytes((flags,)) + bytes(20), told())


def et47(tier, kind):
    return TABLES["ET47"].decode(bytes((tier, kind)) + bytes(4) + bytes.fromhex("1a0b18110000") + bytes(4), told())


class TestTariffs:
    def test_by_the_calendar(self):
        found = tariffs(bt55(), BT54, {"active_calendar_id": 7}, et47(255, 0), et54(0))
        assert (found.tier, found.drive, found.season, found.calendar_id) == (1, Drive.CALENDAR, 0, 7)
        assert (found.next, found.unknown) == (Switch(local(2026, 11, 24, 17), 2), "")
        assert found.until is None

    def test_another_calendar_is_active(self):
        found = tariffs(bt55(), BT54, {"active_calendar_id": 8})
        assert (found.next, found.unknown) == (None, "calendar 8 is active, and BT54 holds calendar 7")

    def test_a_calendar_that_gives_another_tier_is_not_believed(self):
        found = tariffs(bt55(tier=0), BT54)
        assert found.next is None
        assert "not understood" in found.unknown

    def test_without_calendar_or_clock(self):
        assert "BT54" in tariffs(bt55()).unknown
        unset = TABLES["BT55"].decode(bytes(9), told())
        assert "clock is not set" in tariffs(unset, BT54).unknown

    @pytest.mark.parametrize(
        ("drive", "flags", "expected"),
        [
            (1, 0, Drive.UNTIL_NEXT_SWITCH),
            (2, 0, Drive.BY_HAND),
            (3, 0, Drive.OVERRIDE),
            (3, 1, Drive.OVER_POWER),
            (3, 2, Drive.STEP_TARIFF),
        ],
    )
    def test_what_sets_the_tariff(self, drive, flags, expected):
        found = tariffs(bt55(tier=3, drive=drive), BT54, et47=et47(3, 2), et54=et54(flags))
        assert found.drive is expected
        # By hand until the next switch: the next one ends it, whatever its tier.
        assert found.next == (Switch(local(2026, 11, 24, 17), 2) if drive == 1 else None)
        assert found.until is None

    def test_an_override_to_a_time(self):
        found = tariffs(bt55(tier=3, drive=3), BT54, et47=et47(3, 3), et54=et54(0))
        assert found.until == datetime(2026, 11, 24, 17, tzinfo=UTC)
        # Not without ET54, which says that it is an override.
        unknown = tariffs(bt55(tier=3, drive=3), BT54, et47=et47(3, 3))
        assert (unknown.drive, unknown.until) == (None, None)

    def test_days_without_anchor(self):
        odd = calendar([(rdate(1, day=1), WINTER), (recurring(15 | 30 << 4), HOLIDAY)], {0: FREE}, [(0,) * 5])
        assert "not told" in tariffs(bt55(tier=0), odd).unknown
