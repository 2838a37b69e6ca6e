from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.history.database import migrations
from nes2mqtt.history.database.migrations import STEPS, VERSION, Step, migrate
from nes2mqtt.history.queries.export import What, export
from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.history.tables.columns import AVERAGED, COUNTED, PRESENT, REGISTERS
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


ZONE = ZoneInfo("Europe/Copenhagen")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("old", DATABASES, indirect=True, ids=lambda path: path.stem)
async def test_an_old_history_tells_what_it_told(old, open_store):
    """What a meter showed and used then, asked as the page, the brokers and an export ask. Worked out by hand."""
    async with open_store() as store:
        energy = await store.energy("house", Unit.HOUR, NOON, NOON + timedelta(hours=1))
        assert [dict(hour.values) for hour in energy] == [{"active_energy_import": 60, "active_energy_export": 0}]
        assert (energy[0].first, energy[0].last) == (NOON, NOON + timedelta(seconds=600))
        end = NOON + timedelta(minutes=11)
        curve = await store.series("house", ["active_power_import", "voltage_l1"], NOON, end, 1000)
        shown = curve.lines["active_power_import"].average
        assert [value for value in shown if value is not None] == [432, 433, 434, 435, 436, 437, 438]
        assert set(curve.lines["voltage_l1"].average) == {228_693, None}
        minutes = await store.series("house", ["active_power_import"], NOON, end, 11)
        assert minutes.step == timedelta(minutes=1)
        assert minutes.lines["active_power_import"].average == [
            432,
            433,
            None,
            434,
            None,
            435,
            436,
            None,
            437,
            None,
            438,
        ]
        outbox = store.outbox("mqtt localhost")
        await outbox.changed.wait()
        assert [seq for seq, _ in outbox.pending(10)] == [7]
        last = await store.last_registers("house")
        assert last.values[SOURCES["active_energy_import"]] == 65_845_402
        assert last.received == NOON + timedelta(seconds=600)
    target = old.with_name("registers.csv")
    export(old, target, what=What.REGISTERS, start=NOON, end=end, zone=ZONE)
    lines = target.read_text().splitlines()
    assert [line.split(",")[4] for line in lines[1:]] == [f"{65_845.342 + step / 100:.3f}" for step in range(7)]


def test_there_is_a_database_of_every_schema_there_ever_was():
    assert [int(path.stem[-4:]) for path in DATABASES] == list(range(1, VERSION + 1))


def test_steps_are_numbered_without_gaps_and_named():
    assert [step.version for step in STEPS] == list(range(1, VERSION + 1))
    assert len({step.name for step in STEPS}) == len(STEPS)


def described(connection):
    """Return every table with its columns, and every view, as SQLite understands them."""
    names = connection.execute("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    columns = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
    return {name: (kind, connection.execute(columns, (name,)).fetchall()) for kind, name in names.fetchall()}


@pytest.mark.parametrize("path", DATABASES, ids=lambda path: path.stem)
def test_a_published_step_makes_what_it_made_then(path, monkeypatch):
    """The databases were written by the programs of their time; the lists of columns have to make the same tables."""
    then, now = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))
    then.executescript(path.read_text(encoding="utf-8"))
    version = int(path.stem[-4:])
    monkeypatch.setattr(migrations, "STEPS", STEPS[:version])
    migrate(now)
    assert described(now) == described(then)
    assert now.execute("PRAGMA user_version").fetchone() == (version,)
    then.close()
    now.close()


@pytest.mark.parametrize("path", DATABASES, ids=lambda path: path.stem)
def test_a_new_column_comes_to_new_databases_and_to_old_ones(path, monkeypatch):
    for brought in (REGISTERS, PRESENT, COUNTED, AVERAGED):
        monkeypatch.setitem(brought, VERSION + 1, ("later",))
    step = Step(VERSION + 1, "later", lambda connection: migrations.make_tables(connection, VERSION + 1))
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, step))
    monkeypatch.setattr(migrations, "VERSION", VERSION + 1)
    old, new = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))
    old.executescript(path.read_text(encoding="utf-8"))
    for connection in (old, new):
        migrate(connection)
        names = {name for (name,) in connection.execute("SELECT name FROM pragma_table_xinfo('hour_rollups')")}
        assert {"later", "later_avg", "later_min", "later_max"} <= names
    assert described(old) == described(new)
    old.close()
    new.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(monkeypatch):
    def work(connection):
        connection.execute("CREATE TABLE a (x)")
        connection.execute("CREATE TABLE a (x)")

    connection = sqlite3.connect(":memory:", isolation_level=None)
    monkeypatch.setattr(migrations, "STEPS", (Step(1, "twice", work),))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert not connection.in_transaction
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
