"""What the made-up meter has logged: well formed by the declared layouts, and what the registers showed at the time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from osgp.psem import table_id
from osgp.simulator.history.configuration import DATA_SETS
from osgp.simulator.house import House
from osgp.simulator.household import DAY, Household
from osgp.simulator.ledger import Ledger
from osgp.simulator.localtime import DST, STANDARD_OFFSET, daylight_saving, local_offset, tier_at
from osgp.simulator.logs.self_reads import SELF_READS
from osgp.simulator.model import house_memory
from osgp.sources import SOURCES
from osgp.tables import TABLES, registers, survey
from osgp.tables.load_profile import ProfileSizes
from osgp.tables.logs.events import decode_log
from osgp.tables.survey import TELLING as TOLD_BY

INSTALLED = int(datetime(2026, 2, 20, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 4, 2, 13, 7, 31, tzinfo=UTC).timestamp())
IMPORT = SOURCES["active_energy_import"]


class Served:
    """A made-up meter and what a client knows of it."""

    def __init__(self, now=NOW):
        self.house = House(ledger=Ledger(Household(1), INSTALLED))
        self.memory = house_memory(self.house)
        self.now = now
        self.dims = survey({name: self.read(name) for name in TOLD_BY if self.read(name) is not None})

    def read(self, name, now=None):
        return self.memory.read(table_id(name), now or self.now)

    def table(self, name, now=None):
        return TABLES[name].decode(self.read(name, now), self.dims)

    def sizes(self, data_set):
        return ProfileSizes.of(self.table("BT61"), data_set)


@pytest.fixture(scope="module")
def served():
    return Served()


def test_section_7_the_made_up_house_has_the_tables_that_were_missing(served):
    listed = served.table("BT00")["basic_tables_used"]
    assert {3, 26, 60, 61, 62, 63, 64, 65, 66, 67, 70, 71, 74} <= listed
    for number in listed:
        assert served.memory.read(number, NOW) is not None
    for number in served.table("BT00")["extended_tables_used"]:
        assert served.memory.read(2048 + number, NOW) is not None


def test_d7_every_table_is_as_long_as_the_guides_say(served):
    for name, table in TABLES.items():
        data = served.read(name)
        if data is not None:
            assert table.size(served.dims, data) == len(data), name


def test_the_alarms_are_those_of_a_sound_meter(served):
    assert [name for name, on in served.table("BT03").items() if on] == ["metering"]


@pytest.mark.parametrize("data_set", range(1, 5))
def test_the_newest_interval_is_what_the_registers_showed(served, data_set):
    one, sizes = DATA_SETS[data_set - 1], served.sizes(data_set)
    status = served.table("BT63")["data_sets"][data_set - 1]
    profile = served.read(f"BT{63 + data_set}")
    begin, size = sizes.newest_header(status)
    slot = sizes.newest_slot(profile[begin : begin + size])
    begin, size = sizes.newest_interval(status, slot)
    values = sizes.decode_interval(profile[begin : begin + size]).values
    end = NOW // one.seconds * one.seconds
    total = served.house.at(end - 1).total
    assert len(values) == len(one.sources)
    for value, source in zip(values, one.sources, strict=True):
        assert 0 <= value - total[source] <= 4, "the registers of a second before"
    block = sizes.decode_block(profile[slice(*_span(sizes.block(status["last_block"])))])
    assert block.end == datetime.fromtimestamp(end, UTC)
    assert list(block.intervals) == list(range(status["valid_intervals"]))
    bt62 = served.read("BT62")
    at = sum(3 * len(earlier.sources) + 1 for earlier in DATA_SETS[: data_set - 1])
    assert tuple(bt62[at + 1 + 3 * channel] for channel in range(len(one.sources))) == one.sources


def _span(window):
    return window[0], window[0] + window[1]


def test_et21_says_the_same_as_bt61_and_bt63(served):
    assert len(served.read("ET21")) == 4 * 131
    for number, told in enumerate(served.table("ET21")["data_sets"]):
        sizes, status = served.sizes(number + 1), served.table("BT63")["data_sets"][number]
        assert (told["block_size"], told["block_header_size"], told["interval_size"]) == (
            sizes.block_size, sizes.header_size, sizes.interval_size,
        )  # fmt: skip
        assert {told[name] == status[name] for name in ("valid_blocks", "valid_intervals", "last_block")} == {True}
        assert told["last_interval"] == status["valid_intervals"] - 1
        one = DATA_SETS[number]
        assert told["sources"] == one.sources + (0,) * (8 - len(one.sources))
        end = NOW // one.seconds * one.seconds
        assert told["interval_end"] == datetime.fromtimestamp(end, UTC)
        assert told["interval_end_local"] == datetime.fromtimestamp(end + local_offset(end), UTC).replace(tzinfo=None)
        assert (
            told["block_start"] == datetime.fromtimestamp(end - end % (one.seconds * one.intervals), UTC) or number == 2
        )
        assert (told["configuration_id"], told["interval_in_progress"]) == (1, 0)


def test_blocks_follow_each_other_without_a_gap_or_a_fall(served):
    sizes, status = served.sizes(1), served.table("BT63")["data_sets"][0]
    profile = served.read("BT64")
    assert status["valid_blocks"] == 14
    assert status["last_block_sequence_number"] == NOW // DAY - INSTALLED // DAY
    values, ends = [], []
    for back in range(13, -1, -1):
        block = sizes.decode_block(profile[slice(*_span(sizes.block(status["last_block"] - back)))])
        ends.append(block.end)
        values += [interval.values[0] for interval in block.intervals.values()]
        summer = {interval.common_status for interval in block.intervals.values()}
        assert summer <= {0, 1}
        assert (1 in summer) == daylight_saving(block.end.timestamp())
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(ends[:-1]))
    assert values == sorted(values)


def test_a_slot_to_come_holds_what_an_older_round_left_there(served):
    sizes, status = served.sizes(1), served.table("BT63")["data_sets"][0]
    profile = served.read("BT64")
    start, _ = sizes.block(status["last_block"])
    at = start + sizes.header_size + (status["valid_intervals"] + 3) * sizes.interval_size
    stale = sizes.decode_interval(profile[at : at + sizes.interval_size]).values
    assert any(stale)
    before = served.read("BT64", NOW - 13 * DAY)
    assert sizes.decode_interval(before[at : at + sizes.interval_size]).values == stale


def test_nothing_is_recorded_before_the_first_interval_has_ended():
    new = Served(INSTALLED + 299)
    assert not any(new.read("BT64"))
    assert {one["valid_blocks"] for one in new.table("BT63")["data_sets"]} == {0}
    assert new.read("BT26")[1] == 0
    assert decode_log(new.read("BT74"), new.dims) == []
    assert new.table("BT63", INSTALLED + 300)["data_sets"][3]["valid_blocks"] == 1
    assert new.sizes(1).newest_interval(new.table("BT63")["data_sets"][0], 0) is None


def test_self_reads_are_the_registers_of_the_first_of_each_month(served):
    data = served.read("BT26")
    assert data[1:3] == bytes((2, 1))
    size = (len(data) - 6) // SELF_READS
    moments = [int(datetime(2026, month, 1, tzinfo=UTC).timestamp()) for month in (3, 4)]
    for place, local in enumerate(moments):
        entry = data[6 + place * size : 6 + (place + 1) * size]
        assert entry[:6] == bytes((26, 3 + place, 1, 0, 0, 0))
        utc = local - local_offset(local)
        shown = registers.decode(entry[6:], served.dims)
        assert 0 <= shown[IMPORT] - served.house.at(utc - 1).total[0] <= 4


def test_self_reads_wrap_after_a_year():
    later = Served(int(datetime(2027, 5, 3, tzinfo=UTC).timestamp()))
    data = later.read("BT26")
    assert data[1:6] == bytes((12, 14 % 12, 14, 0, 0))
    size = (len(data) - 6) // SELF_READS
    assert data[6 + 2 * size : 6 + 2 * size + 3] == bytes((27, 5, 1))
    assert data[6 + 3 * size : 6 + 3 * size + 3] == bytes((26, 6, 1))


def test_the_event_log_tells_the_outages_that_the_registers_count():
    later = Served(int(datetime(2026, 12, 1, tzinfo=UTC).timestamp()))
    entries = decode_log(later.read("BT74"), later.dims)
    counted = later.house.at(later.now).total[5] - later.house.at(INSTALLED).total[5]
    seconds = later.house.at(later.now).total[4] - later.house.at(INSTALLED).total[4]
    assert counted >= 3
    assert [entry.event for entry in entries] == [2, 1] * counted
    spans = [up.time - down.time for up, down in zip(entries[::2], entries[1::2], strict=True)]  # type: ignore[operator]
    assert sum(span.total_seconds() for span in spans) == seconds
    assert [entry.sequence for entry in entries] == list(range(2 * counted - 1, -1, -1))


class TestCalendar:
    """D11: a calendar like a real one."""

    def test_d11_every_day_schedule_begins_at_midnight_and_is_sorted(self, served):
        switches = served.table("BT54")["tier_switches"]
        for schedule in range(20):
            day = switches[schedule * 10 : schedule * 10 + 10]
            times = [(switch["hour"], switch["minute"]) for switch in day]
            assert times[0] == (0, 0)
            assert times == sorted(times)
            assert {switch["schedule"] for switch in day} == {schedule}

    @pytest.mark.parametrize("hours", range(0, 48, 1))
    def test_d11_the_calendar_gives_the_tier_that_the_clock_shows(self, served, hours):
        now = NOW + hours * 3600
        local = served.table("BT55", now)
        calendar = served.table("BT54")
        kind = {5: "saturday", 6: "sunday"}.get(local["clock"].weekday(), "weekday")
        schedule = calendar["seasons"][local["season"]][kind]
        day = calendar["tier_switches"][schedule * 10 : schedule * 10 + 10]
        begun = [
            switch
            for switch in day
            if (switch["hour"], switch["minute"]) <= (local["clock"].hour, local["clock"].minute)
        ]
        assert begun[-1]["tier"] == local["tier"] == tier_at(now)

    def test_d11_dates_are_valid(self, served):
        for date in served.table("BT54")["recurring_dates"]:
            when = date["date"]
            assert date["action"] == 0 if when is None else when.day >= 1

    @pytest.mark.parametrize("year", [2026, 2027, 2030])
    def test_d11_daylight_saving_is_when_the_calendar_says(self, served, year):
        calendar, at = served.table("BT54"), served.table("BT53")
        dates = {date["action"]: date for date in calendar["recurring_dates"] if date["action"] in (1, 2)}
        off_later = served.table("ET04")["daylight_saving_off_delta"]
        for action, before in ((1, 0), (2, at["daylight_saving_minutes"])):
            date = dates[action]
            when = date["date"]
            assert when.offset == 6, "the last weekday of the month"
            day = datetime(year, when.month + 1, 1, tzinfo=UTC) - timedelta(days=1)
            while day.isoweekday() % 7 != when.weekday:
                day -= timedelta(days=1)
            local = day + timedelta(hours=at["daylight_saving_at"].hour, minutes=off_later if action == 2 else 0)
            switch = (local - timedelta(minutes=at["time_zone_minutes"] + before)).timestamp()
            assert daylight_saving(switch) is (action == 1)
            assert daylight_saving(switch - 1) is (action == 2)
        assert (STANDARD_OFFSET, DST) == (3600, 3600)

    def test_d11_bt50_has_its_fixed_values(self, served):
        told = served.table("BT50")
        assert not told["daylight_saving_auto"]
        assert told["sort_tier_switches"]
        assert told["calendar_size"] == len(served.read("BT54"))
