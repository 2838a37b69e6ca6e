from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from nes2mqtt.history.database.connection import open_writer
from nes2mqtt.history.errors import NewerSchema
from nes2mqtt.history.writing.recorder import RETRY_AFTER
from nes2mqtt.history.writing.waiting import KEPT_IN_MEMORY


class Disk:
    """Opens databases that fail as told."""

    def __init__(self):
        self.refuses = False
        self.connection = None

    def __call__(self, path):
        if self.refuses:
            raise sqlite3.OperationalError("disk I/O error")
        self.connection = open_writer(path)
        return self.connection

    def fill(self):
        """Let the database grow no further: what SQLite says is the same as for a full disk."""
        (pages,) = self.connection.execute("PRAGMA page_count").fetchone()
        self.connection.execute(f"PRAGMA max_page_count = {pages}")


def rows(recorder, table):
    return recorder.journal.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def numbers(recorder):
    return [seq for (seq,) in recorder.journal.connection.execute("SELECT seq FROM registers ORDER BY seq")]


def test_everything_is_committed_together_once_in_commit_every(open_recorder, registers, present, clock):
    recorder = open_recorder(commit_every=60)
    recorder.take([registers(0, 1)], clock.instant)
    recorder.work(clock.instant)  # the first of a meter never waits
    assert rows(recorder, "registers") == 1
    recorder.take([registers(10, 2), present(10, 100)], clock.s(10))
    recorder.work(clock.s(10))
    assert recorder.due() == clock.s(70)
    recorder.work(clock.s(69))
    assert (rows(recorder, "registers"), rows(recorder, "blocks")) == (1, 0)
    recorder.work(clock.s(70))
    assert (rows(recorder, "registers"), rows(recorder, "blocks")) == (2, 1)


def test_asking_many_meters_for_gaps_writes_once_and_only_where_one_is_in_memory(open_recorder, registers, clock):
    meters = "house", "shed", "barn"
    recorder = open_recorder(commit_every=300)

    def read(*seconds):
        recorder.take([registers(at, at, meter=meter) for at in seconds for meter in meters], clock.s(seconds[-1]))
        recorder.work(clock.s(seconds[-1]))

    def asked_at(second):
        """Return how many of the questions wrote something."""
        wrote = 0
        for meter in meters:
            before = recorder.generation
            recorder.write_gaps(meter, clock.s(second))
            wrote += recorder.generation != before
        return wrote

    read(0)
    read(10, 20)
    assert asked_at(21) == 0
    assert rows(recorder, "registers") == 3
    read(2000)
    assert asked_at(2010) == 1
    assert rows(recorder, "registers") == 12
    read(2020, 2030)
    assert asked_at(2031) == 0


def test_many_meters_commit_before_memory_is_full_of_them(open_recorder, registers, clock, monkeypatch):
    monkeypatch.setattr("nes2mqtt.history.writing.waiting.MOST_WAITING", 50)
    monkeypatch.setattr("nes2mqtt.history.writing.waiting.SLICE", 7)
    recorder = open_recorder()
    recorder.take([registers(0, 1)], clock.instant)
    recorder.work(clock.instant)
    recorder.take([registers(second, second) for second in range(1, 50)], clock.s(50))
    recorder.work(clock.s(50))
    assert rows(recorder, "registers") == 1
    recorder.take([registers(50, 50)], clock.s(50))
    recorder.work(clock.s(50))
    assert numbers(recorder) == list(range(1, 52))


def test_the_position_of_an_outbox_goes_with_the_next_commit_and_survives_a_kill_before(
    open_recorder, registers, clock, kill
):
    recorder = open_recorder()
    recorder.deliver("one", 0, clock.instant)
    recorder.deliver("two", 0, clock.instant)
    recorder.take([registers(0, 1)], clock.instant)
    recorder.work(clock.instant)
    recorder.deliver("one", 1, clock.s(1))
    recorder.take([registers(10, 2), registers(10, 2, meter="shed")], clock.s(10))
    recorder.work(clock.s(10))
    recorder.deliver("two", 2, clock.s(11))
    recorder.work(clock.s(12))
    kill(recorder)
    recorder = open_recorder()
    assert recorder.cursors == {"one": 1, "two": 2}
    recorder.work(clock.s(400))
    assert recorder.journal.cursors == {"one": 1, "two": 2}


def test_a_full_disk_is_said_and_what_came_meanwhile_is_written_when_there_is_room(
    open_recorder, registers, present, clock
):
    disk = Disk()
    recorder = open_recorder(disk)
    recorder.take([registers(0, 0)], clock.instant)
    recorder.work(clock.instant)
    disk.fill()
    seconds = 0
    while recorder.trouble is None:
        seconds += 1
        recorder.take([registers(seconds, seconds), present(seconds, 100)], clock.s(seconds))
        recorder.work(clock.s(seconds))
        assert seconds < 1000
    assert "disk is full" in recorder.trouble.message
    assert "Free some space" in recorder.trouble.message
    saved = recorder.waiting.saved_seq
    last = seconds + 5
    for second in range(seconds + 1, last + 1):
        recorder.take([registers(second, second)], clock.s(second))
        recorder.work(clock.s(second))
    assert recorder.trouble.since == clock.s(seconds)
    # What is only in memory goes to the outboxes nevertheless, and in order.
    assert recorder.after(saved - 2, 4) is None  # what comes first cannot be read now
    assert [seq for seq, _ in recorder.after(saved, 1000)] == list(range(saved + 1, last + 2))
    recorder.work(clock.s(seconds) + RETRY_AFTER)  # opens anew: the limit is gone
    assert recorder.trouble is None
    assert numbers(recorder) == list(range(1, last + 2))


def test_s3_numbers_given_while_the_database_cannot_be_opened_are_given_to_nobody_else(open_recorder, registers, clock):
    before = open_recorder()
    before.deliver("mqtt", 0, clock.instant)
    before.take([registers(second, second) for second in range(5)], clock.instant)
    before.work(clock.instant)
    before.close()
    disk = Disk()
    disk.refuses = True
    recorder = open_recorder(disk)
    assert "cannot be written" in recorder.trouble.message
    recorder.take([registers(10, 10), registers(11, 11)], clock.s(11))
    recorder.work(clock.s(11))
    assert recorder.fresh() == (False, list(recorder.waiting.registers))
    given = [seq for seq, _ in recorder.waiting.registers]
    assert given[0] > 1_000_005  # nobody could look which numbers are free
    recorder.deliver("mqtt", given[-1], clock.s(12))  # delivered from memory
    disk.refuses = False
    recorder.work(clock.s(30))
    assert numbers(recorder) == [1, 2, 3, 4, 5, *given]
    renumbered, _ = recorder.fresh()
    assert renumbered
    assert recorder.cursors == {"mqtt": 0}  # the five from before still wait
    recorder.close()
    later = open_recorder()
    later.take([registers(40, 40)], clock.s(40))
    assert later.last_seq == given[-1] + 1


def test_memory_is_bounded_while_the_disk_fails(open_recorder, registers, clock):
    disk = Disk()
    disk.refuses = True
    recorder = open_recorder(disk)
    recorder.take([registers(second, 0) for second in range(KEPT_IN_MEMORY + 7)], clock.instant)
    assert len(recorder.waiting.registers) == KEPT_IN_MEMORY
    assert recorder.dropped == 7


def test_r16_a_healthy_history_drops_nothing_however_long_it_was_held_up(open_recorder, registers, clock):
    recorder = open_recorder()
    recorder.take([registers(second, 0) for second in range(KEPT_IN_MEMORY + 16_000)], clock.instant)
    recorder.work(clock.s(90))
    assert (recorder.dropped, rows(recorder, "registers"), len(recorder.waiting.registers)) == (
        0,
        KEPT_IN_MEMORY + 16_000,
        0,
    )


def test_a_damaged_file_is_kept_under_another_name_and_a_new_history_begins(open_recorder, registers, clock, tmp_path):
    (tmp_path / "history.db").write_bytes(b"this is no database" * 100)
    recorder = open_recorder()
    assert recorder.trouble is None
    (notice,) = recorder.notices.all()
    assert "damaged" in notice
    assert "nothing of it could be read" in notice
    recorder.take([registers(0, 1)], clock.instant)
    recorder.work(clock.instant)
    assert numbers(recorder) == [1]
    assert recorder.moved_aside.read_bytes().startswith(b"this is no database")


def test_s3_numbers_go_on_when_a_damaged_file_is_replaced(open_recorder, registers, clock, tmp_path):
    disk = Disk()
    recorder = open_recorder(disk)
    recorder.take([registers(second, second) for second in range(4)], clock.instant)
    recorder.work(clock.instant)
    recorder.close()
    (tmp_path / "history.db").write_bytes(b"\0" * 4096)
    recorder.take([registers(9, 9)], clock.s(9))
    recorder.work(clock.s(9))
    assert numbers(recorder) == [5]


def test_a_commit_whose_answer_was_an_error_is_not_repeated(open_recorder, registers, clock):
    recorder = open_recorder()
    write = recorder.journal.write

    def write_and_fail(*args, **named):
        write(*args, **named)
        raise sqlite3.OperationalError("disk I/O error")

    recorder.journal.write = write_and_fail
    recorder.take([registers(0, 1)], clock.instant)
    recorder.work(clock.instant)
    assert recorder.trouble is not None
    recorder.work(clock.instant + RETRY_AFTER)
    assert recorder.trouble is None
    assert numbers(recorder) == [1]
    assert not recorder.waiting.registers


def test_a_history_of_a_newer_program_is_refused_and_left_alone(open_recorder, tmp_path):
    connection = sqlite3.connect(tmp_path / "history.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(NewerSchema, match="newer version of nes2mqtt"):
        open_recorder()
    connection = sqlite3.connect(tmp_path / "history.db")
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_old_parts_are_emptied_but_for_one_reading_a_quarter_and_what_waits(open_recorder, registers, present, clock):
    recorder = open_recorder(keep_raw_days=1)
    recorder.deliver("mqtt", 0, clock.instant)
    energy = 0

    def live(start, hours, *, delivering):
        nonlocal energy
        for minute in range(start * 60, (start + hours) * 60):
            energy += 7
            at = clock.s(minute * 60)
            recorder.take([registers(minute * 60, energy), present(minute * 60, 420)], at)
            recorder.work(at)
            if delivering:
                recorder.deliver("mqtt", recorder.last_seq, at)

    live(0, 48, delivering=False)  # nothing may go
    recorder.work(clock.s(48 * 3600 - 1), flush=True)
    assert rows(recorder, "registers") == 48 * 60
    live(48, 48, delivering=True)
    left = rows(recorder, "registers")
    assert 24 * 60 < left <= 36 * 60 + 60 * 4 + 10
    (kept_present,) = recorder.journal.connection.execute("SELECT sum(samples) FROM blocks").fetchone()
    assert 24 * 60 <= kept_present <= 36 * 60 + 60
    kept = recorder.journal.connection.execute("SELECT count(*) FROM registers_kept").fetchone()[0]
    assert kept > 4 * 40
    recorder.work(clock.s(96 * 3600), flush=True)
    total = recorder.journal.connection.execute("SELECT sum(active_energy_import) FROM minute_rollups").fetchone()[0]
    assert total == energy - 7


def test_a_broker_that_stays_away_holds_readings_only_so_long(open_recorder, registers, clock):
    recorder = open_recorder(keep_raw_days=1, outbox_keep_days=2)
    recorder.deliver("gone", 0, clock.instant)
    for hour in range(24 * 8):
        recorder.take([registers(hour * 3600 + second, hour) for second in range(10)], clock.s(hour * 3600))
        recorder.work(clock.s(hour * 3600))
    oldest = timedelta(days=5)
    left = recorder.journal.connection.execute(
        "SELECT count(*) FROM registers WHERE received < ?",
        (int((clock.now.timestamp() + oldest.total_seconds() - 86_400) * 1000),),
    ).fetchone()[0]
    assert left <= 24 * 4 + 24 * 10
    assert rows(recorder, "registers") < 24 * 8 * 10


def test_a_broker_that_is_no_longer_configured_holds_nothing(open_recorder, registers, clock):
    earlier = open_recorder()
    earlier.deliver("removed", 0, clock.instant)
    earlier.work(clock.instant, flush=True)
    earlier.close()
    recorder = open_recorder(keep_raw_days=1)
    for hour in range(24 * 8):
        at = clock.s(hour * 3600)
        recorder.take([registers(hour * 3600 + second, hour) for second in range(10)], at)
        recorder.work(at)
        recorder.deliver("mqtt", recorder.last_seq, at)
    assert recorder.cursors["removed"] == 0
    assert rows(recorder, "registers") < 24 * 2 * 10 + 24 * 8


def test_a_mistake_in_this_program_is_said_and_does_not_end_the_thread(open_recorder, registers, clock, caplog):
    recorder = open_recorder()
    recorder.take([registers(0, 1 << 70)], clock.instant)  # no meter has such a register
    recorder.work(clock.instant)
    assert "cannot be written" in recorder.trouble.message
    assert "a mistake in this program" in caplog.text
    recorder.take([registers(10, 1)], clock.s(10))
    recorder.work(clock.instant + RETRY_AFTER)
    assert (recorder.trouble, recorder.dropped, rows(recorder, "registers")) == (None, 1, 1)


def test_a_kill_between_two_slices_of_a_commit_loses_no_present_value(
    open_recorder, registers, present, clock, kill, monkeypatch, tmp_path
):
    monkeypatch.setattr("nes2mqtt.history.writing.waiting.SLICE", 7)
    monkeypatch.setattr("nes2mqtt.history.writing.tail._is_in_ram", lambda _: True)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    recorder = open_recorder()
    assert recorder.waiting._tail.path.parent == tmp_path / "run"
    recorder.take([registers(0, 0), present(0, 1)], clock.s(0))
    recorder.work(clock.s(0), flush=True)
    recorder.take([registers(second, second) for second in range(1, 21)], clock.s(20))
    recorder.take([present(second, 100) for second in range(1, 21)], clock.s(20))
    recorder.work(clock.s(20))
    portion = recorder.waiting.portion(recorder.journal)
    recorder.journal.write(portion.registers, portion.present)
    assert not portion.last
    kill(recorder)
    recorder = open_recorder()
    recorder.work(clock.s(500), flush=True)
    assert numbers(recorder) == list(range(1, 22))
    assert recorder.journal.connection.execute("SELECT sum(samples) FROM blocks").fetchone() == (21,)
