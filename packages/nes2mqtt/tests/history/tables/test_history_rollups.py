from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.writing.recorder import Recorder
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES

START = datetime(2026, 1, 15, 23, 40, tzinfo=UTC)


def clocks():
    """Clocks whose instants are seconds since 1970, so that labels are what a test asks for."""
    start = datetime(2026, 1, 15, tzinfo=UTC).timestamp()
    return Clock(wall=lambda: start, monotonic=lambda: start, synchronised=lambda: True, built=0.0)


IMPORT = SOURCES["active_energy_import"]
EXPORT = SOURCES["active_energy_export"]
TABLES = ("minute_rollups", "quarter_rollups", "hour_rollups", "day_rollups")

steps = st.lists(
    st.tuples(
        st.sampled_from(
            [10, 10, 10, 45, 290, 900, 4000, 90_000, -30]
        ),  # seconds to the next reading; the clock may step
        st.integers(0, 500),
        st.sampled_from(["both", "both", "import", "export", "swap", "kill"]),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_roll_ups_add_up_to_the_difference_of_the_registers_whatever_happens(course):
    """Readings at any distance, absent registers, meter swaps, clock steps and kills: no watt-hour is lost or doubled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        recorder = Recorder(path, HistoryConfig(), clocks())
        recorder.open(START.timestamp())
        now, segment = START, 1
        shown = {IMPORT: 99_900, EXPORT: 50}
        first, expected = {}, {IMPORT: 0, EXPORT: 0}
        for seconds, energy, event in course:
            now += timedelta(seconds=seconds)
            shown = {source: (value + energy) % 100_000 for source, value in shown.items()}
            if event == "swap":
                segment += 1
                first = {}
                shown = {IMPORT: 7, EXPORT: 0}
            values = dict(shown)
            if event in ("import", "export"):
                del values[EXPORT if event == "import" else IMPORT]
            for source in values:
                if source in first:
                    expected[source] += (shown[source] - first[source]) % 100_000
                first[source] = shown[source]
            at = now + timedelta(milliseconds=energy)
            recorder.take([Sample("house", TableGroup.REGISTERS, at, values, segment=segment)], at.timestamp())
            recorder.work(at.timestamp())
            if event == "kill":
                recorder._connection.close()  # what is in memory is gone, what is committed stays
                recorder = Recorder(path, HistoryConfig(), clocks())
                recorder.open(at.timestamp())
        recorder.work((now + timedelta(days=2)).timestamp(), flush=True)
        totals = [
            recorder.journal.connection.execute(f"SELECT sum({IMPORT.key}), sum({EXPORT.key}) FROM {table}").fetchone()
            for table in TABLES
        ]
        recorder.close()
    # What is rolled up at the last flush is over at all levels two days later.
    assert totals[0] == totals[1] == totals[2] == totals[3]
    assert [total or 0 for total in totals[0]] == [expected[IMPORT], expected[EXPORT]]


def test_average_lowest_and_highest_come_from_all_present_values(open_recorder, present, clock):
    recorder = open_recorder()
    for second in range(0, 7200, 2):
        at = clock.s(second)
        recorder.take([present(second, 100 + second % 60, voltage_l1=230_000)], at)
        recorder.work(at)
    recorder.work(clock.s(90_000), flush=True)
    for table, samples in zip(TABLES, (30, 450, 1800, 3600), strict=True):
        row = recorder.journal.connection.execute(
            "SELECT samples, active_power_import_avg, active_power_import_min, active_power_import_max, voltage_l1_avg,"
            f" voltage_l2_avg FROM {table} LIMIT 1"
        ).fetchone()
        assert row == (samples, 129, 100, 158, 230_000, None)


def test_a_reading_on_the_boundary_ends_the_bucket_before_it(open_recorder, registers, clock):
    recorder = open_recorder()
    for second in range(0, 181, 10):
        recorder.take([registers(second, second)], clock.s(second))
    recorder.work(clock.s(180), flush=True)
    rows = recorder.journal.connection.execute("SELECT active_energy_import FROM minute_rollups ORDER BY at").fetchall()
    assert rows == [(60,), (60,), (60,)]


def test_the_energy_of_a_gap_is_booked_where_the_meter_was_heard_again_and_says_so(open_recorder, registers, clock):
    recorder = open_recorder()
    recorder.take([registers(0, 0), registers(10, 5), registers(4000, 1005), registers(4010, 1010)], clock.s(4010))
    recorder.work(clock.s(4010), flush=True)
    rows = recorder.journal.connection.execute(
        "SELECT start, energy_from, energy_to, active_energy_import FROM minute_rollups ORDER BY at"
    ).fetchall()
    base = int(clock.now.timestamp() * 1000)
    assert [(start - base, since - base, until - base, energy) for start, since, until, energy in rows] == [
        (0, 0, 10_000, 5),
        (3_960_000, 10_000, 4_010_000, 1005),
    ]


def test_a_reading_that_comes_after_its_day_is_over_is_added_to_all_roll_ups(open_recorder, registers, clock):
    recorder = open_recorder()
    recorder.take([registers(0, 0), registers(10, 5)], clock.s(10))
    recorder.work(clock.s(86_400 * 2), flush=True)
    recorder.take([registers(20, 9)], clock.s(86_400 * 2))
    recorder.work(clock.s(86_400 * 2), flush=True)
    for table in TABLES:
        (total,) = recorder.journal.connection.execute(f"SELECT sum(active_energy_import) FROM {table}").fetchone()
        assert total == 9
