"""S9: a backup of a running or stopped gateway, and back again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nes2mqtt.cli import app
from nes2mqtt.history.commands.acknowledge import acknowledge
from nes2mqtt.history.commands.backup import back_up, restore
from nes2mqtt.history.database.connection import log_of
from nes2mqtt.history.errors import HistoryError


@pytest.fixture
def live(registers, present, clock):
    def make(recorder, begin, end):
        for second in range(begin, end, 10):
            recorder.take([registers(second, 1_000_000 + second), present(second, 100)], clock.s(second))
            recorder.work(clock.s(second))
        recorder.work(clock.s(end), flush=True)

    return make


def rows(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        return [seq for (seq,) in connection.execute("SELECT seq FROM registers ORDER BY seq")]


def test_s9_a_backup_of_a_running_gateway_is_one_whole_file_of_its_owner_alone(open_recorder, live, tmp_path):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    target = tmp_path / "backup.db"
    assert back_up(recorder.path, target) == target.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    assert rows(target) == list(range(1, 101))
    with closing(sqlite3.connect(target)) as connection, connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    live(recorder, 1000, 1100)
    assert recorder.trouble is None
    assert recorder.last_seq == 110


def test_s9_a_restored_backup_goes_on_above_all_numbers_and_what_was_there_is_kept(
    open_recorder, live, clock, tmp_path
):
    recorder = open_recorder()
    recorder.deliver("mqtt", 0, clock.instant)
    live(recorder, 0, 1000)
    target = tmp_path / "backup.db"
    back_up(recorder.path, target)
    live(recorder, 1000, 2000)
    recorder.close()
    kept = restore(recorder.path, target, clock.now)
    assert rows(kept) == list(range(1, 201))
    assert rows(recorder.path) == list(range(1, 101))
    recorder = open_recorder()
    assert recorder.trouble is None
    assert recorder.notices.all() == (), "it is older on purpose"
    live(recorder, 2000, 2010)
    assert recorder.journal.last_seq == 201
    recorder.close()
    assert open_recorder().last_seq == 201


def test_s9_restored_after_a_power_cut_and_on_another_machine_no_number_comes_twice(
    open_recorder, live, clock, tmp_path, kill
):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    target = tmp_path / "backup.db"
    back_up(recorder.path, target)
    live(recorder, 1000, 2000)
    kill(recorder)
    restore(recorder.path, target, clock.now)
    recorder = open_recorder()
    assert 200 < recorder.last_seq < 10**7
    recorder.close()
    for name in ("history.db", "history.seq"):
        (tmp_path / name).unlink()
    restore(recorder.path, target, clock.now)
    assert open_recorder().last_seq > 10**12


def test_s9_restore_refuses_while_the_gateway_runs(open_recorder, live, clock, tmp_path, monkeypatch):
    recorder = open_recorder()
    live(recorder, 0, 100)
    target = tmp_path / "backup.db"
    back_up(recorder.path, target)

    def busy(path):
        # In one process SQLite shares its locks; another one gets this answer.
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr("nes2mqtt.history.commands.backup.files.open_damaged", busy)
    with pytest.raises(HistoryError, match="systemctl stop nes2mqtt"):
        restore(recorder.path, target, clock.now)
    live(recorder, 100, 200)
    assert recorder.trouble is None


def changed(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.write_bytes(b"no database" * 1000), "cannot be read as a history"),
        (lambda path: changed(path, "CREATE TABLE x (y)"), "is no history of nes2mqtt"),
        (lambda path: changed(path, "PRAGMA user_version = 99"), "newer version"),
    ],
)
def test_s9_what_is_no_backup_is_refused_and_nothing_is_changed(open_recorder, live, clock, tmp_path, make, said):
    recorder = open_recorder()
    live(recorder, 0, 100)
    recorder.close()
    before = recorder.path.read_bytes()
    source = tmp_path / "source.db"
    make(source)
    with pytest.raises(HistoryError, match=said):
        restore(recorder.path, source, clock.now)
    assert recorder.path.read_bytes() == before
    assert not list(tmp_path.glob("*restor*"))


def test_s9_a_damaged_history_makes_no_backup_and_the_one_before_stays(open_recorder, live, tmp_path):
    recorder = open_recorder()
    live(recorder, 0, 3000)
    recorder.close()
    target = tmp_path / "backup.db"
    target.write_bytes(b"the one before")
    data = bytearray(recorder.path.read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)
    recorder.path.write_bytes(data)
    with pytest.raises(HistoryError, match=r"damaged|malformed"):
        back_up(recorder.path, target)
    assert target.read_bytes() == b"the one before"
    assert not list(tmp_path.glob("*.new"))


def test_s9_an_old_database_beside_a_newer_log_is_put_right_by_restore(open_recorder, live, clock, tmp_path, kill):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    target = tmp_path / "backup.db"
    back_up(recorder.path, target)
    live(recorder, 1000, 2000)
    log = log_of(recorder.path).read_bytes()
    kill(recorder)
    log_of(recorder.path).write_bytes(log)
    kept = restore(recorder.path, target, clock.now)
    assert not log_of(recorder.path).exists()
    assert rows(recorder.path) == list(range(1, 101))
    assert rows(kept) == list(range(1, 201))


@pytest.fixture
def after_a_kill(open_recorder, live, tmp_path, kill):
    """A history that was killed, with its log and tail, and a backup of the half of it; return both paths."""
    recorder = open_recorder()
    live(recorder, 0, 1000)
    target = tmp_path / "backup.db"
    back_up(recorder.path, target)
    live(recorder, 1000, 2000)
    log = log_of(recorder.path).read_bytes()
    content = recorder.path.read_bytes()
    kill(recorder)
    recorder.path.write_bytes(content)
    log_of(recorder.path).write_bytes(log)
    return recorder.path, target


def fail_when_renaming(patch, wanted):
    """Let the disk fail when a file gets a name that ``wanted`` picks."""
    rename = Path.replace

    def replace(path, target):
        if wanted(Path(target).name):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    patch.setattr(Path, "replace", replace)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda name: name == "history.db.ready",
        lambda name: name == "history.db.moving",
        lambda name: "before-restore" in name and name.endswith("-wal"),
        lambda name: "before-restore" in name and name.endswith(".db"),
    ],
    ids=["ready", "moving", "log", "database"],
)
def test_s9_a_restore_that_fails_says_that_nothing_was_changed_and_that_is_so(
    after_a_kill, open_recorder, clock, tmp_path, monkeypatch, wanted
):
    database, source = after_a_kill
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with monkeypatch.context() as patch:
        fail_when_renaming(patch, wanted)
        with pytest.raises(HistoryError, match="Nothing was changed"):
            restore(database, source, clock.now)
    left = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    left.pop("history.db-shm", None)
    before.pop("history.db-shm", None)
    assert left == before
    recorder = open_recorder()
    assert recorder.last_seq == 200
    assert recorder.notices.all() == ()


def test_s9_a_restore_that_fails_at_its_last_step_says_so_and_the_next_start_goes_on_with_it(
    after_a_kill, open_recorder, clock, tmp_path, monkeypatch
):
    database, source = after_a_kill
    with monkeypatch.context() as patch:
        fail_when_renaming(patch, lambda name: name == "history.db")
        with pytest.raises(HistoryError, match="takes its place when the gateway starts"):
            restore(database, source, clock.now)
    recorder = open_recorder()
    assert recorder.last_seq >= 200
    assert recorder.notices.all() == ()
    recorder.close()
    assert rows(database) == list(range(1, 101))
    (kept,) = tmp_path.glob("history.before-restore-*.db")
    assert rows(kept) == list(range(1, 201))
    assert not list(tmp_path.glob("history.db.*"))


def test_nothing_to_acknowledge(tmp_path):
    assert acknowledge(tmp_path / "history.db") == ()


def test_s9_the_commands_as_a_user_types_them(open_recorder, live, tmp_path):
    recorder = open_recorder()
    live(recorder, 0, 1000)
    file = tmp_path / "nes2mqtt.toml"
    file.write_text(
        f'name = "home"\ntimezone = "UTC"\ndata_dir = "{tmp_path}"\n'
        '[meters.house]\nport = "tcp://127.0.0.1:1"\nkey = "ABCDEFGHIJKLMNOPQRST"\n'
    )
    file.chmod(0o600)

    def run(*words):
        return CliRunner().invoke(app, [*words, "--config", str(file)])

    target = tmp_path / "backup.db"
    result = run("backup", str(target))
    assert (result.exit_code, result.output[-8:]) == (0, "checked\n")
    recorder.close()
    recorder.notices.add("something happened", None)
    result = run("history", "acknowledge")
    assert result.output == "something happened\nacknowledged\n"
    assert run("history", "acknowledge").output == "there is nothing to acknowledge\n"
    result = run("restore", str(target))
    assert result.exit_code == 0
    assert "what was there is" in result.output
    assert rows(tmp_path / "history.db") == list(range(1, 101))
    result = run("restore", str(tmp_path / "nothing.db"))
    assert result.exit_code == 1
    assert "there is no file" in result.output
