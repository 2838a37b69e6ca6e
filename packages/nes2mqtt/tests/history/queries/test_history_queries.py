from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.history.database.connection import open_reader
from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.history.queries.reader import Reader
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def clocks():
    """Clocks whose instants are seconds since 1970, so that labels are what a test asks for."""
    start = datetime(2026, 1, 15, tzinfo=UTC).timestamp()
    return Clock(wall=lambda: start, monotonic=lambda: start, synchronised=lambda: True, built=0.0)


IMPORT = SOURCES["active_energy_import"]


@pytest.fixture
def reader(tmp_path):
    """Make readers of the test's database."""
    connections = []

    def make():
        connections.append(open_reader(tmp_path / "history.db"))
        return Reader(connections[-1])

    yield make
    for connection in connections:
        connection.close()


def fill(recorder, start, hours, *, every=600, skip=()):
    """Let the register count one Wh a second, so that energies are seconds."""
    for second in range(0, hours * 3600 + 1, every):
        at = start + timedelta(seconds=second)
        if any(begin < at < end for begin, end in skip):
            continue
        recorder.take([Sample("house", TableGroup.REGISTERS, at, {IMPORT: 1_000_000 + second})], at.timestamp())
        recorder.work(at.timestamp())


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_the_clocks_change_has_all_its_energy(open_recorder, reader, day, hours):
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=COPENHAGEN).astimezone(UTC)
    recorder = open_recorder()
    fill(recorder, start - timedelta(hours=2), hours + 4)
    _, pending, _ = recorder.open_rows("house")
    end = start + timedelta(hours=hours)
    (whole,) = reader().energy("house", Unit.DAY, start, end, COPENHAGEN, pending)
    assert (whole.start, whole.end) == (start, end)
    assert whole.values == {IMPORT.key: hours * 3600}
    assert whole.complete
    parts = reader().energy("house", Unit.HOUR, start, end, COPENHAGEN, pending)
    assert [part.values[IMPORT.key] for part in parts] == [3600] * hours
    assert all(part.complete for part in parts)


def test_a_gap_is_seen_in_the_periods_it_touches(open_recorder, reader, clock):
    recorder = open_recorder()
    gap = (clock.at(1.5 * 3600), clock.at(3.5 * 3600))
    fill(recorder, clock.now, 6, skip=[gap])
    _, pending, _ = recorder.open_rows("house")
    hours = reader().energy("house", Unit.HOUR, clock.now, clock.at(6 * 3600), COPENHAGEN, pending)
    assert [hour.values.get(IMPORT.key) for hour in hours] == [3600, 1800, None, 9000, 3600, 3600]
    assert [hour.complete for hour in hours] == [True, False, False, False, True, True]
    assert sum(hour.values.get(IMPORT.key, 0) for hour in hours) == 6 * 3600


def test_zones_that_are_off_by_quarters_and_years_of_months_work(open_recorder, reader, clock):
    recorder = open_recorder()
    fill(recorder, clock.now, 72, every=900)
    recorder.work(clock.s(72 * 3600), flush=True)
    kathmandu = ZoneInfo("Asia/Kathmandu")
    days = reader().energy("house", Unit.DAY, clock.now, clock.at(72 * 3600), kathmandu, [])
    assert [day.values[IMPORT.key] for day in days] == [22_500, 86_400, 86_400, 63_900]
    months = reader().energy("house", Unit.MONTH, clock.now, clock.at(366 * 86_400), COPENHAGEN, [])
    assert len(months) == 13
    assert months[0].values == {IMPORT.key: 72 * 3600}
    (year,) = reader().energy("house", Unit.YEAR, clock.now, clock.at(1), COPENHAGEN, [])
    assert year.values == months[0].values


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 150), st.sampled_from(list(Unit)))
def test_periods_add_up_to_the_whole_at_any_moment_of_writing(tmp_path_factory, minutes, unit):
    """Whether buckets are in memory, written or closed: the sum over periods is last minus first."""
    from nes2mqtt.history.config import HistoryConfig  # noqa: PLC0415
    from nes2mqtt.history.writing.recorder import Recorder  # noqa: PLC0415

    start = datetime(2026, 1, 31, 20, 7, tzinfo=UTC)
    recorder = Recorder(tmp_path_factory.mktemp("history") / "history.db", HistoryConfig(), clocks())
    recorder.open(start.timestamp())
    for minute in range(minutes + 1):
        at = start + timedelta(minutes=minute)
        recorder.take([Sample("house", TableGroup.REGISTERS, at, {IMPORT: 17 * minute})], at.timestamp())
        recorder.work(at.timestamp())
    _, pending, _ = recorder.open_rows("house")
    connection = open_reader(recorder.path)
    periods = Reader(connection).energy("house", unit, start, start + timedelta(days=1), COPENHAGEN, pending)
    connection.close()
    recorder.close()
    assert sum(period.values.get(IMPORT.key, 0) for period in periods) == 17 * minutes


def test_a_curve_is_as_fine_as_the_points_allow(open_recorder, reader, present, clock):
    recorder = open_recorder()
    for second in range(0, 7200, 10):
        recorder.take([present(second, second)], clock.s(second))
    recorder.work(clock.s(7200), flush=True)
    recorder.take([present(7200 + second, 5) for second in (0, 10)], clock.s(7210))
    recorder.work(clock.s(7202) + 300)  # committed, and in a bucket in memory
    _, pending, _ = recorder.open_rows("house")

    def curve(start, end, points):
        return reader().series("house", ["active_power_import"], clock.at(start), clock.at(end), points, pending)

    single = curve(0, 600, 600)
    assert single.step is None
    assert single.lines["active_power_import"].average == list(range(0, 600, 10))
    minutes = curve(0, 7300, 600)
    assert minutes.step == timedelta(minutes=1)
    line = minutes.lines["active_power_import"]
    assert (len(minutes.times), line.average[1], line.lowest[1], line.highest[1]) == (122, 85, 60, 110)
    assert line.average[-2:] == [5, None]
    quarters = curve(0, 7300, 60)
    assert quarters.step == timedelta(minutes=15)
    assert quarters.lines["active_power_import"].highest == [890, 1790, 2690, 3590, 4490, 5390, 6290, 7190, 5]


def test_no_line_is_drawn_across_a_gap(open_recorder, reader, present, clock):
    recorder = open_recorder()
    recorder.take([present(0, 1), present(10, 2), present(100, 3), present(102)], clock.s(102))
    recorder.work(clock.s(102), flush=True)
    series = reader().series("house", ["active_power_import"], clock.at(0), clock.at(600), 600, [])
    assert series.lines["active_power_import"].average == [1, 2, None, 3, None]
    assert series.times[2] == clock.at(10.001)
