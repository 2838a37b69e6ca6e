"""Power cuts, damaged files and restarts: what is lost is told, what can be read goes on, numbers never come twice."""

from __future__ import annotations

import json
import sqlite3
import struct
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from nes2mqtt.history.database.connection import PAGE_SIZE, log_of, open_damaged, open_writer
from nes2mqtt.history.database.connection import damage as damage_error
from nes2mqtt.history.database.durable import write_durably
from nes2mqtt.history.database.page_size import page_size_of
from nes2mqtt.history.database.salvage import salvage
from nes2mqtt.history.errors import Unreadable
from nes2mqtt.history.writing.recorder import RETRY_AFTER


@pytest.fixture
def live(registers, present, clock):
    """Let a recorder have a reading each ten seconds: from one second up to another."""

    def make(recorder, begin, end, *, watts=100):
        for second in range(begin, end, 10):
            recorder.take([registers(second, 1_000_000 + second), present(second, watts)], clock.s(second))
            recorder.work(clock.s(second))

    return make


class Killed(BaseException):
    """The program ends here."""


def leaf_pages(path, table):
    """Return the numbers of a table's leaf pages (SQLite file format, "B-tree Pages")."""
    with closing(sqlite3.connect(path)) as connection, connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    data = path.read_bytes()
    size = page_size_of(path)

    def walk(number):
        page = data[(number - 1) * size : number * size]
        if page[0] != 0x05:
            return [number]
        (count,) = struct.unpack_from(">H", page, 3)
        places = struct.unpack_from(f">{count}H", page, 12)
        children = [struct.unpack_from(">I", page, place)[0] for place in places]
        return [leaf for child in [*children, struct.unpack_from(">I", page, 8)[0]] for leaf in walk(child)]

    return walk(root)


def damage(path, number):
    """Overwrite a page."""
    data = bytearray(path.read_bytes())
    size = page_size_of(path)
    data[(number - 1) * size : number * size] = b"\xa5" * size
    path.write_bytes(data)


def count(recorder, table):
    return recorder.journal.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


# Of S3, that numbers never come twice.


def test_s3_after_a_power_cut_no_number_is_given_a_second_time_and_it_is_said(
    open_recorder, live, kill, clock, caplog, registers
):
    recorder = open_recorder(boot=lambda _: "boot 1")
    live(recorder, 0, 1000)
    given = recorder.last_seq
    stored = recorder.journal.last_seq
    tail = recorder.waiting._tail.path
    kill(recorder)
    tail.unlink()  # it was in memory
    recorder = open_recorder(boot=lambda _: "boot 2")
    assert stored < given < recorder.last_seq
    (said,) = [record.getMessage() for record in caplog.records if "did not end in order" in record.getMessage()]
    assert "readings after 2026-01-15 12:1" in said
    assert "may be missing" in said
    live(recorder, 1010, 1100)
    recorder.work(clock.s(1100), flush=True)
    recorder.close()
    caplog.clear()
    before = recorder.last_seq
    recorder = open_recorder(boot=lambda _: "boot 3")
    recorder.take([registers(2000, 2)], clock.s(2000))
    assert recorder.last_seq == before + 1
    assert "did not end in order" not in caplog.text


def test_s3_after_a_kill_numbers_go_on_without_a_gap_and_nothing_is_lost(open_recorder, live, kill, clock):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    given = [(seq, sample.values) for seq, sample in recorder.after(0, 1000)]
    kill(recorder)
    recorder = open_recorder()
    assert [(seq, sample.values) for seq, sample in recorder.after(0, 1000)] == given
    assert recorder.last_seq == 100
    assert recorder.notices.all() == ()


def test_s3_a_tail_on_disk_gives_back_what_reached_the_disk_and_numbers_still_jump(open_recorder, live, kill):
    recorder = open_recorder(boot=lambda _: "boot 1", tail="disk")
    live(recorder, 0, 1000)
    tail = recorder.waiting._tail.path
    kill(recorder)
    tail.write_bytes(tail.read_bytes()[:-40])  # the last record was torn
    recorder = open_recorder(boot=lambda _: "boot 2", tail="disk")
    assert [seq for seq, _ in recorder.after(0, 1000)] == list(range(1, 100))
    assert recorder.last_seq >= 1_000_000


def test_s3_a_restored_copy_of_the_files_gives_no_number_twice_and_says_that_it_is_older(
    open_recorder, live, clock, tmp_path
):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    recorder.work(clock.s(1000), flush=True)
    recorder.close()
    copy = recorder.path.read_bytes()
    recorder = open_recorder()
    live(recorder, 1000, 2000)
    recorder.work(clock.s(2000), flush=True)
    recorder.close()
    recorder.path.write_bytes(copy)
    recorder = open_recorder()
    assert recorder.last_seq == 200
    (notice,) = recorder.notices.all()
    assert "100 register readings that were stored are no longer in the database" in notice
    # And with the file of numbers lost as well, the database's own copy of the mark counts.
    recorder.close()
    recorder.path.write_bytes(copy)
    (tmp_path / "history.seq").unlink()
    assert open_recorder().last_seq > 1000


def test_s3_numbers_are_reserved_on_the_disk_before_they_are_given(open_recorder, live, tmp_path, monkeypatch):
    monkeypatch.setattr("nes2mqtt.history.writing.numbers.RESERVE", 10)
    recorder = open_recorder()
    for second in range(0, 1000, 10):
        live(recorder, second, second + 10)
        mark = json.loads((tmp_path / "history.seq").read_text())
        assert mark["last"] is None
        assert recorder.last_seq <= mark["reserved"]


def test_s3_while_no_number_can_be_reserved_none_is_given(open_recorder, registers, clock, monkeypatch):
    monkeypatch.setattr("nes2mqtt.history.writing.numbers.RESERVE", 4)
    recorder = open_recorder()
    works = True

    def write(path, text):
        if not works:
            raise OSError(28, "No space left on device")
        write_durably(path, text)

    monkeypatch.setattr("nes2mqtt.history.writing.numbers.write_durably", write)
    works = False
    recorder.take([registers(second, second) for second in range(10)], clock.s(10))
    assert recorder.last_seq == 4
    assert not recorder.survives
    works = True
    recorder.work(clock.s(20))
    assert [seq for seq, _ in recorder.after(0, 100)] == list(range(1, 11))
    assert recorder.survives


# S8: what SQLite passes over


def test_s8_an_emptied_database_is_told_and_its_log_kept(open_recorder, live, kill, tmp_path):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    kill_and_keep_log(recorder, kill)
    recorder.path.write_bytes(b"")
    recorder = open_recorder()
    (notice,) = [text for text in recorder.notices.all() if "is empty or gone" in text]
    assert "nes2mqtt restore" in notice
    assert log_of(recorder.moved_aside).stat().st_size > 0
    assert recorder.moved_aside.exists()
    assert recorder.last_seq >= 100


def test_s8_the_log_of_a_database_that_is_gone_is_kept_alone_and_moves_nothing_later(open_recorder, live, kill, clock):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    kill_and_keep_log(recorder, kill)
    recorder.path.unlink()
    recorder = open_recorder()
    (notice,) = [text for text in recorder.notices.all() if "is empty or gone" in text]
    assert recorder.moved_aside.stat().st_size > 0
    assert f"kept as {recorder.moved_aside.name} and" in notice
    live(recorder, 1000, 2000)
    recorder.work(clock.s(2000), flush=True)
    recorder.close()
    recorder = open_recorder()
    assert count(recorder, "registers") >= 100
    assert recorder.moved_aside is None


def kill_and_keep_log(recorder, kill):
    """Kill a recorder; the log stays as it was, though closing in this process would tidy it up."""
    log = log_of(recorder.path).read_bytes()
    content = recorder.path.read_bytes()
    kill(recorder)
    recorder.path.write_bytes(content)
    log_of(recorder.path).write_bytes(log)


@pytest.mark.parametrize("how", ["zeroed", "deleted"])
def test_s8_a_log_that_was_zeroed_or_deleted_is_told(open_recorder, live, kill, how):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    recorder.close()
    recorder = open_recorder()
    live(recorder, 1000, 3000)
    kill_and_keep_log(recorder, kill)
    log = log_of(recorder.path)
    size = log.stat().st_size
    log.unlink()
    if how == "zeroed":
        log.write_bytes(b"\0" * size)
    recorder = open_recorder()
    assert recorder.trouble is None
    assert any("no longer in the database" in notice for notice in recorder.notices.all())
    if how == "zeroed":
        assert any("was overwritten with something else" in notice for notice in recorder.notices.all())
    assert recorder.last_seq >= 300


# S6, S7, S11: damage


_MADE = {}
"""Files of the history below, once they were made."""


@pytest.fixture
def damaged(open_recorder, live, clock, tmp_path):
    """A history of two days that was ended in order; damage it before it is opened again."""
    if not _MADE:
        recorder = open_recorder()
        recorder.deliver("mqtt", 0, clock.instant)
        for second in range(0, 172_800, 60):
            live(recorder, second, second + 10)
        recorder.deliver("mqtt", recorder.last_seq - 40, clock.s(172_800))
        recorder.work(clock.s(172_800), flush=True)
        recorder.close()
        _MADE.update((file.name, file.read_bytes()) for file in tmp_path.iterdir())
    for name, content in _MADE.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / "history.db"


def test_s6_one_bad_page_costs_its_rows_and_nothing_else(damaged, open_recorder, live, clock):
    with closing(sqlite3.connect(damaged)) as connection:
        total = connection.execute("SELECT count(*) FROM minute_rollups").fetchone()[0]
    leaves = leaf_pages(damaged, "minute_rollups")
    damage(damaged, leaves[len(leaves) // 2])
    recorder = open_recorder()
    assert recorder.trouble is None, "at opening nobody reads that page"
    recorder.suspect(clock.s(172_800))
    assert recorder.trouble is None
    left = count(recorder, "minute_rollups")
    assert total - 40 < left < total
    assert count(recorder, "registers") == 2880
    assert recorder.cursors == {"mqtt": 2840}
    assert recorder.last_seq == 2880
    (notice,) = recorder.notices.all()
    assert "missing are some of: minutes" in notice
    assert recorder.moved_aside.exists()
    (energy,) = recorder.journal.connection.execute("SELECT sum(active_energy_import) FROM day_rollups").fetchone()
    live(recorder, 172_800, 173_000)
    recorder.work(clock.s(300_000), flush=True)
    (after,) = recorder.journal.connection.execute("SELECT sum(active_energy_import) FROM quarter_rollups").fetchone()
    assert after == 172_990
    assert energy <= after
    # Told until somebody has read it, also after a restart.
    recorder.close()
    recorder = open_recorder()
    assert recorder.notices.all() == (notice,)
    assert recorder.notices.acknowledge() == (notice,)
    assert open_recorder().notices.all() == ()


@pytest.mark.parametrize("table", ["minute_rollups", "registers_a", "blocks_a"])
@pytest.mark.parametrize(
    "bad",
    [(0,), (0.5,), (1,), (0, 0.5), (0, 1), (0.3, 0.6, 1), (0, 0.3, 0.6, 1)],
    ids=lambda bad: "-".join(f"{part:.0%}" for part in bad),
)
def test_s6_a_bad_page_costs_the_rows_on_it_wherever_it_is(damaged, tmp_path, table, bad):
    leaves = leaf_pages(damaged, table)
    assert len(leaves) > 6
    data, size = damaged.read_bytes(), page_size_of(damaged)
    with closing(sqlite3.connect(damaged)) as connection, connection:
        (left,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    for page in {leaves[round(part * (len(leaves) - 1))] for part in bad}:
        (on_it,) = struct.unpack_from(">H", data, (page - 1) * size + 3)
        left -= on_it
        damage(damaged, page)
    with closing(open_damaged(damaged)) as source, closing(open_writer(tmp_path / "new.db")) as target:
        salvaged = salvage(source, target)
        assert target.execute(f"SELECT count(*) FROM {table}").fetchone() == (left,)
    assert len(salvaged.damaged) == 1


@pytest.mark.parametrize("table", ["registers_a", "blocks_a", "hour_rollups", "heads", "state", "meters", "segments"])
def test_s6_any_table_may_be_damaged_and_the_queue_goes_on(damaged, open_recorder, live, clock, table):
    if table in ("state", "segments"):
        with closing(sqlite3.connect(damaged)) as connection, connection:
            (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    else:
        leaves = leaf_pages(damaged, table)
        page = leaves[len(leaves) // 2]
    damage(damaged, page)
    recorder = open_recorder()
    recorder.suspect(clock.s(172_800))
    assert recorder.trouble is None
    assert any("was damaged" in notice for notice in recorder.notices.all())
    assert recorder.last_seq >= 2880
    before = recorder.last_seq
    live(recorder, 172_800, 172_900)
    recorder.work(clock.s(172_900), flush=True)
    assert recorder.journal.last_seq == before + 10
    (minutes,) = recorder.journal.connection.execute("SELECT sum(active_energy_import) FROM minute_rollups").fetchone()
    assert minutes == 172_890, "nothing is counted twice, and nothing is gone"


@pytest.mark.parametrize("moment", ["salvaged, not renamed", "log renamed", "database renamed", "new one in place"])
def test_s6_s11_a_kill_in_the_middle_of_the_mending_is_gone_on_from_and_told(
    damaged, open_recorder, clock, tmp_path, moment
):
    leaves = leaf_pages(damaged, "minute_rollups")
    damage(damaged, leaves[3])
    stopped = stop_at(moment)
    try:
        with pytest.raises(Killed):
            open_recorder().suspect(clock.s(172_800))
    finally:
        stopped.undo()
    recorder = open_recorder()
    if moment == "salvaged, not renamed":
        assert recorder.notices.all() == (), "nothing was done yet"
        recorder.suspect(clock.s(172_800))
    (notice,) = recorder.notices.all()
    assert "missing are some of: minutes" in notice
    assert count(recorder, "registers") == 2880
    assert 2880 - 40 < count(recorder, "minute_rollups") < 2880
    assert not list(tmp_path.glob("history.db.*"))
    (kept,) = tmp_path.glob("history.damaged-*.db")
    assert kept.name in notice
    if moment == "log renamed":
        assert log_of(kept).exists()
        assert recorder.moved_aside == kept


def stop_at(moment):
    """End the program at a moment of the mending."""
    from nes2mqtt.history.database import repair  # noqa: PLC0415

    patch = pytest.MonkeyPatch()
    rename = Path.replace

    def replace(path, target):
        target = Path(target)
        done = {
            "salvaged, not renamed": target.name == "history.db.ready",
            "log renamed": "damaged" in target.name and target.name.endswith("-wal"),
            "database renamed": "damaged" in target.name and target.name.endswith(".db"),
            "new one in place": target.name == "history.db",
        }[moment]
        result = rename(path, target)
        if done:
            raise Killed
        return result

    patch.setattr(Path, "replace", replace)
    if moment == "log renamed":  # a log must be there to be renamed
        original = repair._move

        def move(path, kept):
            log_of(path).write_bytes(b"")
            original(path, kept)

        patch.setattr(repair, "_move", move)
    return patch


def test_s11_a_log_that_got_its_new_name_alone_is_joined_by_its_database(open_recorder, live, kill, tmp_path):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    kill_and_keep_log(recorder, kill)
    recorder.path.write_bytes(b"")
    stopped = stop_at("log renamed")
    try:
        with pytest.raises(Killed):
            open_recorder()
    finally:
        stopped.undo()
    assert not list(tmp_path.glob("history.damaged-*.db"))
    recorder = open_recorder()
    (kept,) = tmp_path.glob("history.damaged-*.db")
    assert log_of(kept).exists()
    (notice,) = [text for text in recorder.notices.all() if "is empty or gone" in text]
    assert kept.name in notice
    assert recorder.trouble is None
    assert recorder.last_seq >= 100


@pytest.mark.parametrize("kept", ["damaged-20260101-000000", "before-restore-20260101-000000"])
def test_s11_a_log_that_was_kept_and_lost_its_database_moves_no_healthy_history(
    open_recorder, live, clock, tmp_path, kept
):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    recorder.work(clock.s(1000), flush=True)
    recorder.close()
    stray = tmp_path / f"history.{kept}.db-wal"
    stray.write_bytes(b"x" * 5000)  # its owner deleted history.damaged-*.db
    recorder = open_recorder()
    assert recorder.last_seq == 100
    assert count(recorder, "registers") == 100
    assert recorder.moved_aside is None
    assert recorder.notices.all() == ()
    assert [file.name for file in tmp_path.glob("history.*-2026*")] == [stray.name]


def test_s8_an_overwritten_log_that_was_kept_may_be_deleted_in_any_way(open_recorder, live, clock, tmp_path):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    recorder.work(clock.s(1000), flush=True)
    recorder.close()
    log_of(recorder.path).write_bytes(b"x" * 5000)
    recorder = open_recorder()
    assert recorder.moved_aside.read_bytes() == b"x" * 5000
    assert count(recorder, "registers") == 100
    recorder.close()
    for file in tmp_path.glob("history.damaged-*.db"):
        file.unlink()
    recorder = open_recorder()
    assert count(recorder, "registers") == 100
    assert recorder.moved_aside is None


async def test_s7_a_page_only_readers_meet_is_an_error_and_told(damaged, open_store, clock):
    leaves = leaf_pages(damaged, "blocks_a")
    damage(damaged, leaves[len(leaves) // 2])
    async with open_store() as store:
        assert store.status().ok

        async def ask_for_all():
            for hour in range(48):
                begin = clock.at(hour * 3600)
                await store.series("house", ["active_power_import"], begin, begin + timedelta(hours=1))

        with pytest.raises(Unreadable, match="damaged"):
            await ask_for_all()
        await store.flush()
        status = store.status()
        assert not status.ok
        assert status.code == "history_damaged"
        assert "present values" in status.message
        assert "nes2mqtt history acknowledge" in status.message
        # What can be read is there again.
        series = await store.series("house", ["active_power_import"], clock.at(0), clock.at(3600))
        values = series.lines["active_power_import"].average
        assert len([value for value in values if value is not None]) == 60
        store.acknowledge()
        assert store.status().ok


async def test_s7_damage_inside_a_block_is_an_error_and_told_once(damaged, open_store, clock):
    with closing(sqlite3.connect(damaged)) as connection, connection:
        connection.execute("UPDATE blocks_a SET data = x'0102' WHERE block = 3")
    connection.close()
    async with open_store() as store:
        with pytest.raises(Unreadable, match="damaged"):
            await store.series("house", ["active_power_import"], clock.at(0), clock.at(3600))
        await store.flush()
        (notice,) = store.status().notices
        assert "single present values of house from 2026-01-15 12:" in notice
        assert (await store.series("house", ["active_power_import"], clock.at(0), clock.at(3600))).times


def test_s7_a_page_only_an_outbox_meets_is_mended_and_told(damaged, open_recorder):
    leaves = leaf_pages(damaged, "registers_a")
    recorder = open_recorder()
    damage(damaged, leaves[len(leaves) // 3])
    recorder.journal.connection.execute("PRAGMA shrink_memory")
    assert recorder.after(0, 5000) is None
    (notice,) = recorder.notices.all()
    assert "was damaged" in notice
    numbers = [seq for seq, _ in recorder.after(0, 5000)]
    assert 2700 < len(numbers) < 2880
    assert (numbers[0], numbers[-1]) == (1, 2880)


def test_s7_a_question_that_fails_though_all_is_whole_is_said_once_and_costs_one_look(
    open_recorder, live, clock, caplog, monkeypatch
):
    recorder = open_recorder()
    live(recorder, 0, 100)
    recorder.work(clock.s(100), flush=True)
    looks = []
    suspect = recorder.suspect
    monkeypatch.setattr(recorder, "suspect", lambda now: (looks.append(now), suspect(now)))

    def after(seq, limit):
        raise damage_error("database disk image is malformed")

    monkeypatch.setattr(recorder.journal, "after", after)
    assert [recorder.after(0, 10) for _ in range(5)] == [None] * 5
    assert len(looks) == 1
    assert len([record for record in caplog.records if "cannot be read from" in record.getMessage()]) == 1


# R8, R13


def test_r8_the_same_trouble_is_said_once(open_recorder, clock, caplog, registers):
    def connect(path):
        raise sqlite3.OperationalError("attempt to write a readonly database")

    recorder = open_recorder(connect)
    for turn in range(1, 8640):
        recorder.take([registers(10 * turn, turn)], clock.s(10 * turn))
        recorder.work(clock.s(10 * turn))
    assert recorder.trouble is not None
    assert len(caplog.records) == 1


def test_r8_trouble_that_comes_and_goes_is_not_said_each_time(open_recorder, clock, caplog, registers, monkeypatch):
    recorder = open_recorder()
    recorder.take([registers(0, 0)], clock.s(0))
    recorder.work(clock.s(0))
    from nes2mqtt.history.tables.journal import Journal  # noqa: PLC0415

    def write(*args, **named):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Journal, "write", write)
    for turn in range(1, 300):
        recorder.take([registers(10 * turn, turn)], clock.s(10 * turn))
        recorder.work(clock.s(10 * turn))
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


def test_r13_the_history_is_its_owners_alone_also_one_that_was_not(open_recorder, live, kill, tmp_path):
    recorder = open_recorder()
    live(recorder, 0, 100)
    for name in ("history.db", "history.db-wal", "history.seq", "history.db-tail"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0, name
    recorder.close()
    (tmp_path / "history.db").chmod(0o644)
    recorder = open_recorder()
    live(recorder, 100, 200)
    for name in ("history.db", "history.db-wal"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600, name


# Pages


def test_s5_a_history_with_small_pages_gets_large_ones_and_a_kill_meanwhile_costs_nothing(
    open_recorder, live, clock, tmp_path, monkeypatch
):
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE other (x)")
        connection.execute("INSERT INTO other VALUES (7)")
    connection.close()
    assert page_size_of(path) == 512

    def killed(_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("nes2mqtt.history.database.page_size.os.fsync", killed)
        with pytest.raises(Killed):
            open_recorder()
    assert page_size_of(path) == 512
    recorder = open_recorder()
    assert page_size_of(path) == PAGE_SIZE == 4096
    assert count(recorder, "other") == 1
    assert not list(tmp_path.glob("*.new"))
    live(recorder, 0, 100)
    recorder.work(clock.s(RETRY_AFTER + 100), flush=True)
    assert count(recorder, "registers") == 10


# Bytes that changed without SQLite's noticing


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE segments SET base = '{\"active_energy_import\": !5}'",
        "UPDATE segments SET base = CAST(x'7b22ff223a357d' AS TEXT)",
        "UPDATE segments SET restarted = '[5]'",
        "UPDATE segments SET restarted = '{\"active_energy_import\": 9223372036854775807}'",
        "UPDATE segments SET started = 9223372036854775807",
        "UPDATE segments SET serial = CAST(x'ff' AS TEXT)",
        "UPDATE registers_a SET other = '{' WHERE seq > 2",
        "UPDATE registers_a SET behind = '1 x'",
        "UPDATE heads SET received = 9223372036854775807",
        "UPDATE state SET value = 7 WHERE name = 'part'",
        "INSERT INTO state VALUES ('part', 'x') ON CONFLICT (name) DO UPDATE SET value = 'x'",
        "DELETE FROM meters WHERE id = 'house'",
    ],
)
def test_a_damaged_field_costs_itself_and_no_reading(open_recorder, registers, clock, change):
    recorder = open_recorder()
    recorder.take([registers(0, 1), registers(0, 2, meter="shed")], clock.s(0))
    recorder.work(clock.s(0), flush=True)
    recorder.take([registers(10 * turn, turn) for turn in range(1, 5)], clock.s(40))
    recorder.work(clock.s(40))
    recorder.work(clock.s(400))
    recorder.close()
    with closing(sqlite3.connect(recorder.path)) as connection, connection:
        connection.execute(change)
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    recorder = open_recorder()
    assert recorder.trouble is None
    recorder.take([registers(1000 + turn, 100 + turn) for turn in range(5)], clock.s(1005))
    recorder.work(clock.s(1005), flush=True)
    assert (recorder.trouble, recorder.dropped, len(recorder.waiting.registers)) == (None, 0, 0)
    assert [seq for seq, _ in recorder.after(0, 3)] == [1, 2, 3]
    assert [seq for seq, _ in recorder.after(3, 100)] == list(range(4, 12))
    told = ("segments SET base", "restarted", "started", "DELETE FROM meters")
    assert bool(recorder.notices.all()) == any(words in change for words in told)
    recorder.close()
    recorder.notices.acknowledge()
    recorder = open_recorder()
    assert recorder.trouble is None
    assert recorder.notices.all() == (), "it is told once"


def test_a_reading_that_cannot_be_understood_is_passed_over(open_recorder, registers, clock):
    recorder = open_recorder()
    recorder.take([registers(10 * turn, turn) for turn in range(10)], clock.s(100))
    recorder.work(clock.s(100), flush=True)
    recorder.journal.connection.execute("UPDATE registers_a SET received = 1 << 62 WHERE seq BETWEEN 3 AND 7")
    assert [seq for seq, _ in recorder.after(0, 3)] == [1, 2, 8]
    assert [seq for seq, _ in recorder.after(2, 2)] == [8, 9]


def test_a_mistake_while_opening_takes_no_reading_that_waits(open_recorder, registers, clock, monkeypatch):
    recorder = open_recorder()
    recorder.take([registers(0, 0)], clock.s(0))
    recorder.work(clock.s(0), flush=True)
    recorder.close()

    def load(_):
        raise KeyError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr("nes2mqtt.history.tables.rollups.Rollups._load_heads", load)
        recorder = open_recorder()
        for turn in range(1, 6):
            recorder.take([registers(20 * turn, turn)], clock.s(20 * turn))
            recorder.work(clock.s(20 * turn))
        assert recorder.trouble is not None
    recorder.work(clock.s(200), flush=True)
    assert (recorder.trouble, recorder.dropped, count(recorder, "registers")) == (None, 0, 6)
