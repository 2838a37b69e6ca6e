"""Clocks that step, both ways, at boot and while running, with restarts in between: every reading stays, once."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.writing.recorder import Recorder
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES

IMPORT = SOURCES["active_energy_import"]
EXPORT = SOURCES["active_energy_export"]
POWER = SOURCES["active_power_import"]
TRUE_START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
BUILT = datetime(2026, 1, 1, tzinfo=UTC)
YEARS = 10 * 365.25 * 86_400
TABLES = ("minute_rollups", "quarter_rollups", "hour_rollups", "day_rollups")


@pytest.fixture(autouse=True)
def folder_in_ram(monkeypatch, no_runtime_directory):
    """Let any folder count as one in RAM."""
    monkeypatch.setattr("nes2mqtt.history.writing.tail._is_in_ram", lambda _: True)
    monkeypatch.setenv("RUNTIME_DIRECTORY", "set by each world")


class World:
    """A house, its true time, a host whose clock is off by ``off`` seconds, and a recorder that may be killed.

    The house draws one Wh a second, so that energies are seconds.
    """

    def __init__(self, folder, **settings):
        self.path = folder / "history.db"
        os.environ["RUNTIME_DIRECTORY"] = str(folder / "run")
        self.settings = settings
        self.boot = "boot 1"
        self.booted = -1000.0
        self.second = 0.0
        self.off = 0.0
        self.synchronised = True
        self.said = []
        self.given = []
        self.recorder = None
        self.start()

    @property
    def instant(self):
        return self.second - self.booted

    def start(self):
        self.clock = Clock(
            wall=lambda: TRUE_START.timestamp() + self.second + self.off,
            monotonic=lambda: self.instant,
            synchronised=lambda: self.synchronised,
            built=BUILT.timestamp(),
        )
        self.recorder = Recorder(self.path, HistoryConfig(**self.settings), self.clock, boot=lambda _: self.boot)
        self.recorder.open(self.instant)
        self.recorder.deliver("mqtt", self.recorder.last_seq, self.instant)

    def live(self, seconds, *, every=10):
        """Let time go by, with a register sample and a present one each ``every`` seconds."""
        end = self.second + seconds
        while self.second < end:
            self.second += every
            label = self.clock.now()
            values = {IMPORT: 1_000_000 + round(self.second)}
            samples = [
                Sample("house", TableGroup.REGISTERS, label, values, instant=self.instant),
                Sample("house", TableGroup.PRESENT, label, {POWER: 3600}, instant=self.instant),
            ]
            self.recorder.take(samples, self.instant)
            self.recorder.work(self.instant)
            self.given += self.recorder.fresh()[1]

    def kill(self):
        """End the program as kill -9 does, and start it again."""
        self.recorder._connection.close()
        self.recorder.waiting._tail.close()
        self.start()

    def stop(self):
        """End the program in order, and start it again."""
        self.recorder.work(self.instant, flush=True)
        self.recorder.close()
        self.start()

    def cut_power(self, away=60.0):
        """End the program and the machine; everything that was not synced is gone."""
        self.recorder._connection.close()
        self.recorder.waiting._tail.close()
        self.recorder.waiting._tail.path.unlink()
        self.second += away
        self.booted, self.boot = self.second - 20.0, f"boot at {self.second}"
        self.start()

    def flush(self):
        self.recorder.work(self.instant, flush=True)

    def ask(self, query, *values):
        return self.recorder.journal.connection.execute(query, values).fetchall()

    def energy_of_day(self, day):
        start = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000) << 16
        ((total,),) = self.ask(
            "SELECT sum(active_energy_import) FROM minute_rollups WHERE at >= ? AND at < ?",
            start,
            start + (86_400_000 << 16),
        )
        return total

    def check(self):
        """Everything is there once, at all levels."""
        self.flush()
        if self.recorder.trouble is not None:
            raise AssertionError(self.recorder.trouble.message)
        numbers = [seq for seq, _ in self.given]
        assert len(set(numbers)) == len(numbers), "a number was given twice"
        kept = self.recorder.after(0, 10**6)
        assert [(seq, sample.values[IMPORT]) for seq, sample in kept] == [
            (seq, sample.values[IMPORT]) for seq, sample in self.given
        ]
        ((samples,),) = self.ask("SELECT sum(samples) FROM blocks")
        assert samples == len(kept)
        energy = kept[-1][1].values[IMPORT] - kept[0][1].values[IMPORT]
        totals = [self.ask(f"SELECT sum(active_energy_import), sum(samples) FROM {table}")[0] for table in TABLES]
        assert totals[0] == (energy or None, samples)
        # What is not over yet at a level is in the finer ones only; nothing is in twice.
        assert all(total[0] is None or total[0] <= energy for total in totals)


@pytest.fixture
def world(tmp_path):
    worlds = []

    def make(**settings):
        worlds.append(World(tmp_path, **settings))
        return worlds[-1]

    yield make
    for each in worlds:
        each.recorder.close()


def test_t1_ten_years_ahead_at_the_start_and_put_right_while_running_stalls_nothing(world):
    house = world(commit_every=10)
    house.off = YEARS
    house.kill()
    house.live(20)
    house.off = 0.0
    house.live(270)
    ((count,),) = house.ask("SELECT sum(samples) FROM blocks WHERE last < ?", (TRUE_START.timestamp() + 1000) * 1000)
    assert count >= 26
    house.live(3700)
    assert house.ask("SELECT count(*) FROM minute_rollups WHERE start < ?", (TRUE_START.timestamp() + 2000) * 1000) >= [
        (14,)
    ]
    house.kill()
    house.check()


@pytest.mark.parametrize("off", [-3 * 86_400.0, -40 * 365 * 86_400.0])
def test_t3_a_clock_that_is_behind_at_boot_books_nothing_to_a_day_that_is_not_known(world, off):
    house = world()
    house.live(600)
    house.stop()
    house.synchronised, house.off = False, off
    house.cut_power()
    off_label = house.clock.now()
    if off < -30 * 86_400:
        house.live(700)  # behind the build date, and no meter has told the time: nothing may be booked
        assert not house.clock.known
        assert house.recorder.waits_for_the_clock
        assert house.ask("SELECT count(*) FROM registers")[0][0] == 60
    house.clock.witness("house", TRUE_START + timedelta(seconds=house.second), house.instant)
    house.live(120)
    house.off, house.synchronised = 0.0, True  # the time-sync comes
    house.live(600)
    house.flush()
    labels = [row[0] for row in house.ask("SELECT received FROM registers ORDER BY seq")]
    assert labels == sorted(labels)
    assert all(
        abs(sample.received.timestamp() - TRUE_START.timestamp() - sample.values[IMPORT] + 1_000_000) < 1
        for _, sample in house.recorder.after(0, 10_000)
    )
    assert house.energy_of_day("2026-01-15") == house.second - 10
    assert house.energy_of_day(f"{off_label:%Y-%m-%d}") is None


def test_t3_what_waits_for_the_time_of_day_survives_a_kill_and_gets_its_true_day(world):
    house = world()
    house.live(30)
    house.stop()
    house.synchronised, house.off = False, -YEARS
    house.cut_power()
    house.live(400)
    house.kill()  # the same boot: the monotonic clock went on
    house.live(50)
    house.clock.witness("house", TRUE_START + timedelta(seconds=house.second), house.instant)
    house.live(10)
    house.check()
    assert house.energy_of_day("2026-01-15") == house.second - 10


@pytest.mark.parametrize("end", ["a commit", "a stop at once", "two kills", "a kill while the time is not known"])
def test_t3_what_had_its_true_day_keeps_it_after_a_kill_whatever_the_host_shows(world, end):
    house = world()
    house.synchronised, house.off = False, -3 * 86_400.0
    house.clock.witness("house", TRUE_START + timedelta(seconds=house.second), house.instant)
    house.live(10)
    house.live(200)
    house.kill()  # no meter has told the time since: the host is all there is
    if end == "a stop at once":
        house.stop()
    elif end == "a kill while the time is not known":
        house.off = -YEARS
        house.kill()
        assert not house.clock.known
        house.off, house.synchronised = 0.0, True
        house.kill()
    else:
        if end == "two kills":
            house.kill()
        house.second += 400
        house.recorder.work(house.instant)
    house.flush()
    labels = [label for (label,) in house.ask("SELECT received FROM registers ORDER BY seq")]
    assert labels == [(TRUE_START.timestamp() + second) * 1000 for second in range(10, 220, 10)]
    ((first,),) = house.ask("SELECT min(first) FROM blocks")
    assert first == labels[0]


@pytest.mark.parametrize("known", [True, False])
def test_t2_the_start_of_a_segment_is_one_value_whatever_the_clock_does(world, known):
    house = world()
    house.live(30)
    house.synchronised = False
    if not known:
        house.off = -YEARS
    began, start = house.instant, house.clock.now()

    def read(label):
        house.second += 10
        values = {IMPORT: 1_000_000 + round(house.second)}
        sample = Sample(
            "house",
            TableGroup.REGISTERS,
            house.clock.now(),
            values,
            segment=2,
            segment_start=label,
            instant=house.instant,
            segment_instant=began,
        )
        house.recorder.take([sample], house.instant)
        house.recorder.work(house.instant)

    read(start)
    if not known:
        house.clock.witness("house", TRUE_START + timedelta(seconds=house.second), house.instant)
    start = house.clock.label(began)  # what the guard calls it from now on
    read(start)
    house.flush()
    house.off = 5.0  # the time-sync steps
    house.synchronised = True
    read(start)
    house.kill()
    read(start)
    house.flush()
    assert {sample.segment_start for _, sample in house.recorder.after(3, 10)} == {start}
    assert house.recorder.last_registers("house").segment_start == start
    ((stored,),) = house.ask("SELECT started FROM segments WHERE segment = 2")
    assert stored == start.timestamp() * 1000


def test_t2_the_start_of_a_segment_that_was_committed_stays(world):
    house = world()
    house.live(10)
    for off in (0, 5):
        house.second += 10
        label = TRUE_START + timedelta(seconds=10 + off)
        sample = Sample(
            "house",
            TableGroup.REGISTERS,
            house.clock.now(),
            {IMPORT: 5},
            segment=2,
            segment_start=label,
            instant=house.instant,
        )
        house.recorder.take([sample], house.instant)
        house.flush()
    assert house.recorder.last_registers("house").segment_start == TRUE_START + timedelta(seconds=10)
    assert house.ask("SELECT started FROM segments WHERE segment = 2") == [((TRUE_START.timestamp() + 10) * 1000,)]


def test_t3_what_never_gets_a_time_of_day_is_left_out_and_its_energy_is_not(world):
    house = world(tail="disk")
    house.live(30)
    house.stop()
    house.synchronised, house.off = False, -YEARS
    house.cut_power()
    house.live(100)
    house.recorder._connection.close()
    house.recorder.waiting._tail.close()
    house.second, house.boot = house.second + 60, "another boot"  # this time the tail reached the disk
    house.booted = house.second - 20
    house.synchronised, house.off = True, 0.0
    house.start()
    house.live(50)
    house.flush()
    assert house.energy_of_day("2026-01-15") == house.second - 10
    numbers = [seq for seq, _ in house.given]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("ahead", [3600.0, YEARS])
def test_t4_a_jump_ahead_for_two_hours_deletes_nothing_and_parts_go_on(world, ahead):
    house = world(keep_raw_days=1, keep_minutes_days=7)
    house.live(3600, every=60)
    house.off = ahead
    house.live(3 * 3600, every=60)
    house.stop()
    house.off = 0.0
    house.live(3600, every=60)
    house.check()
    ((minutes,),) = house.ask(
        "SELECT count(*) FROM minute_rollups WHERE start < ?", (TRUE_START.timestamp() + 3600) * 1000
    )
    assert minutes >= 54  # what was not committed when the clock jumped is labelled by the clock as it was then
    for _ in range(12):
        house.live(12 * 3600, every=120)
        house.recorder.deliver("mqtt", house.recorder.last_seq, house.instant)
    house.flush()
    ((left,),) = house.ask("SELECT count(*) FROM registers")
    assert left < 37 * 30 + 8 * 60 + 7 * 24 * 5, "old parts go, though the clock was ahead once"


def test_t4_after_a_month_ahead_for_days_the_minutes_since_the_clock_was_put_right_stay(world):
    house = world(keep_minutes_days=7)
    house.off = 30 * 86_400.0
    house.live(9 * 86_400 + 1800, every=600)
    house.off = 0.0
    right = TRUE_START.timestamp() + house.second
    house.live(3 * 3600, every=600)
    house.flush()
    ((minutes,),) = house.ask(
        "SELECT count(*) FROM minute_rollups WHERE start BETWEEN ? AND ?", right * 1000, (right + 86_400) * 1000
    )
    assert minutes >= 3 * 6 - 1
    house.live(3600, every=600)
    house.flush()
    ((minutes,),) = house.ask(
        "SELECT count(*) FROM minute_rollups WHERE start BETWEEN ? AND ?", right * 1000, (right + 86_400) * 1000
    )
    assert minutes >= 4 * 6 - 1


def test_labels_that_come_twice_lose_no_present_value(world):
    house = world()
    house.live(100)
    house.off = -100.0
    house.live(100)
    house.flush()
    house.off = -200.0
    house.live(100)
    house.check()


def test_rows_an_earlier_program_wrote_into_the_future_do_not_hold_up_newer_ones(world, tmp_path):
    house = world()
    house.off = YEARS
    house.live(100)
    house.stop()
    house.recorder.close()
    house.path.with_name("history.seq").unlink()
    future = int((TRUE_START.timestamp() + YEARS) * 1000)
    with closing(sqlite3.connect(house.path)) as connection, connection:  # as schema 2 left it
        connection.execute("DELETE FROM state WHERE name IN ('rolled_block', 'part_ran', 'ran')")
        connection.execute("INSERT INTO state VALUES ('rolled_at', ?), ('part_started', ?)", (future << 16, future))
        for table in ("quarter", "hour", "day"):
            connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (f"built:{table}_rollups", future))
        connection.execute("DELETE FROM blocks_a")
        connection.execute("UPDATE minute_rollups SET samples = 0")
    house.off = 0.0
    house.start()
    house.live(1000)
    house.kill()
    house.flush()
    ((samples,),) = house.ask("SELECT sum(samples) FROM minute_rollups WHERE start < ?", future - 86_400_000)
    assert samples == 100
    assert house.energy_of_day("2026-01-15") == 1000  # from the last reading in the future to the last one
    ((days,),) = house.ask("SELECT sum(active_energy_import) FROM day_rollups WHERE start < ?", future - 86_400_000)
    assert days == 1000


steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 3.0, -3.0, 75.0, -75.0, 7200.0, -7200.0, 3 * 86_400.0, -3 * 86_400.0, YEARS, -YEARS]),
        st.sampled_from([True, False]),
        st.sampled_from([20, 70, 400, 1300]),
        st.sampled_from(["", "", "kill", "stop", "witness"]),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_clocks_do_nothing_is_lost_doubled_or_stalled(tmp_path, course):
    house = World(Path(tempfile.mkdtemp(dir=tmp_path)), commit_every=60)
    house.live(20)
    for off, synchronised, seconds, event in course:
        house.off, house.synchronised = off, synchronised
        if event == "kill":
            house.kill()
        elif event == "stop":
            house.stop()
        elif event == "witness":
            house.clock.witness("house", TRUE_START + timedelta(seconds=house.second), house.instant)
        house.live(seconds)
    house.off, house.synchronised = 0.0, True
    house.live(20)
    house.check()
    house.recorder.close()


@pytest.mark.parametrize("killed", [False, True])
def test_l9_when_a_register_rolled_over_is_known_when_the_time_is(world, killed):
    house = world()
    house.live(10)
    house.flush()
    house.synchronised, house.off = False, -YEARS
    house.second += 30
    rolled, long_ago = house.instant, TRUE_START - timedelta(days=300)
    labels = {IMPORT: house.clock.now(), EXPORT: long_ago}
    house.second += 10
    values = {IMPORT: 5, EXPORT: 6}
    sample = Sample("house", TableGroup.REGISTERS, house.clock.now(), values, restarted=labels, instant=house.instant)
    house.recorder.take([sample], house.instant)
    house.recorder.work(house.instant)
    if killed:
        house.kill()
    house.synchronised, house.off = True, 0.0
    assert dict(house.recorder.last_registers("house").restarted) == {
        IMPORT: house.clock.label(rolled),
        EXPORT: long_ago,
    }
    house.flush()
    stored = house.recorder.after(0, 100)[-1][1]
    assert dict(stored.restarted) == {IMPORT: house.clock.label(rolled), EXPORT: long_ago}
