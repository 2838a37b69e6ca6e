from __future__ import annotations

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest

from nes2mqtt.history.database.migrations import VERSION, migrate
from osgp.sources import SOURCES

DATABASES = sorted((Path(__file__).parent / "databases").glob("schema_*.sql"))


@pytest.fixture
def old(tmp_path, request):
    """The database of an older program, as history.db."""
    connection = sqlite3.connect(tmp_path / "history.db")
    connection.executescript(request.param.read_text(encoding="utf-8"))
    connection.close()
    return tmp_path / "history.db"


@pytest.mark.parametrize("old", DATABASES, indirect=True, ids=lambda path: path.stem)
def test_an_old_history_is_brought_up_to_date_and_nothing_in_it_is_lost(old, open_recorder, clock, registers):
    recorder = open_recorder()
    assert recorder.trouble is None
    assert recorder.journal.connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    samples = recorder.after(0, 100)
    assert [seq for seq, _ in samples] == [1, 2, 3, 4, 5, 6, 7]
    assert samples[0][1].values == {
        SOURCES["active_energy_import"]: 65_845_342,
        SOURCES["active_energy_export"]: 179,
        SOURCES["reactive_energy_export_t7"]: 5,
    }
    assert recorder.cursors == {"mqtt localhost": 6}
    assert recorder.journal.identity("house", 1).serial == "83334"
    recorder.take([registers(700, 65_845_412)], clock.s(700))
    recorder.work(clock.s(700), flush=True)
    rows = recorder.journal.connection.execute("SELECT sum(active_energy_import), sum(samples) FROM minute_rollups")
    assert rows.fetchone() == (70, 7)


def test_there_is_an_old_database_of_every_schema_but_the_last():
    assert [int(path.stem[-4:]) for path in DATABASES] == list(range(1, VERSION))


def test_schema_files_are_numbered_without_gaps():
    names = sorted(file.name for file in (files("nes2mqtt.history.database") / "schema").iterdir())
    assert [int(name[:4]) for name in names] == list(range(1, VERSION + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in names)


def test_a_migration_that_fails_leaves_the_database_as_it_was(monkeypatch):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    monkeypatch.setattr(
        "nes2mqtt.history.database.migrations._scripts", lambda: [(1, "CREATE TABLE a (x); CREATE TABLE a (x);")]
    )
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    connection.close()


def test_every_column_is_a_published_source_or_known_to_the_program():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    plain = {"seq", "meter", "received", "segment", "meter_time", "behind", "other", "at", "start", "samples"}
    plain |= {"energy_from", "energy_to"}
    for table in ("registers", "present", "minute_rollups", "quarter_rollups", "hour_rollups", "day_rollups", "heads"):
        names = {name for (name,) in connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,))}
        keys = {re.sub(r"_(avg|min|max)$", "", name) for name in names - plain}
        assert keys <= set(SOURCES), keys - set(SOURCES)
    parts = {
        tuple(connection.execute(f"SELECT name FROM pragma_table_info('registers_{part}')").fetchall())
        for part in ("a", "b", "c", "kept")
    }
    assert len(parts) == 1
    connection.close()
