"""``nes2mqtt import``: what comes in is held against energies that are worked out here, from the lines alone."""

from __future__ import annotations

import asyncio
import csv
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from nes2mqtt.cli import app
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.history.tables.retention import Retention

ZONE = ZoneInfo("Europe/Copenhagen")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SHOWN = 20_000_000
"""Wh that the meter shows when the gateway reads it first."""
HOUR = timedelta(hours=1)

CONFIG = """
timezone = "Europe/Copenhagen"
data_dir = "{folder}"

[history]
path = "{folder}/history.db"

[meters.house]
port = "/dev/ttyUSB0"
key = "0123456789ABCDEF0123"
"""

CONTRACT = """
[[contracts]]
name = "Example"
meter = "house"
from = 2025-01-01
currency = "DKK"
vat = "0 %"
[[contracts.lines]]
name = "Energy"
price = "2 DKK per kWh"
"""


@pytest.fixture
def config(open_store, registers, clock, tmp_path):
    """A gateway that read the meter for an hour, was off for two days, and read it for two hours more."""

    async def make():
        async with open_store() as store:
            for second in (*range(0, 3601, 10), *range(2 * 86_400, 2 * 86_400 + 7201, 10)):
                clock.now = clock.at(second)
                store.offer(registers(second, SHOWN + second))
                if second % 600 == 0:
                    await store.flush()
        file = tmp_path / "nes2mqtt.toml"
        file.write_text(CONFIG.format(folder=tmp_path))
        return file

    return make


def run(config, *arguments):
    return CliRunner().invoke(app, ["import", "--config", str(config), *(str(one) for one in arguments)])


def done(config, *arguments):
    result = run(config, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(config, *arguments):
    result = run(config, *arguments)
    assert result.exit_code == 1, result.output
    return result.output


def old_readings():
    """Return (time, Wh) of each hour from 2024 to the end of 2025: three days are missing, and the meter was exchanged in June."""
    begin = datetime(2023, 12, 31, 23, tzinfo=UTC)
    exchanged = datetime(2024, 6, 12, 9, tzinfo=UTC)
    total = 0
    shown = []
    for number in range(2 * 8784):
        at = begin + number * HOUR
        if at > datetime(2025, 12, 31, 23, tzinfo=UTC):
            break
        if not datetime(2025, 2, 3, 4, tzinfo=UTC) < at < datetime(2025, 2, 6, 5, tzinfo=UTC):
            shown.append((at, (31_234_500 if at < exchanged else 0) + total))
        total += 200 + number % 24 * 31 + number // 24 % 365 * 3
        if at == exchanged - HOUR:
            total = 0
    assert shown[-1][1] < SHOWN
    return shown


def expected(readings, key, longest=timedelta.max):
    """Return Wh by local period, each difference booked to the period in which it ended; none across a fall, none that is too long."""
    found = {}
    for (since, earlier), (at, later) in pairwise(readings):
        if later >= earlier and at - since <= longest:
            period = key((at - timedelta(seconds=1)).astimezone(ZONE))
            found[period] = found.get(period, 0) + later - earlier
    return found


def as_csv(readings, tmp_path, name="old.csv"):
    """Write local times without an offset, decimal commas, semicolons and a byte order mark."""
    lines = ["Zeit;Zählerstand (kWh);Bemerkung"]
    lines += [
        f"{at.astimezone(ZONE):%d.%m.%Y %H:%M};{wh // 1000:,}".replace(",", ".") + f",{wh % 1000:03};"
        for at, wh in readings
    ]
    path = tmp_path / name
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    return path


async def energies(open_store, clock, unit, start, end):
    clock.now = max(clock.now, NOON + timedelta(days=2, hours=3))
    async with open_store() as store:
        return await store.energy("house", unit, start, end)


ASKED = ("--column", "import=Zählerstand (kWh)")


@pytest.mark.parametrize("order", [1, -1])
async def test_two_years_of_hours_are_those_that_were_used(config, open_store, clock, tmp_path, order):
    file = await config()
    readings = old_readings()
    path = as_csv(readings[::order], tmp_path)
    output = done(file, path, *ASKED, "--swap", "2024-06-12", "--apply")
    assert f"{len(readings)} readings in 731 days" in output
    assert "2025-02-03 05:00 to 2025-02-06 06:00" in output
    assert "the meter was exchanged before 2024-06-12 11:00" in output
    assert "not taken" not in output.lower()
    begin, end = datetime(2024, 1, 1, tzinfo=ZONE), datetime(2026, 1, 1, tzinfo=ZONE)
    for unit, key, longest in (
        (
            Unit.DAY,
            datetime.date,
            timedelta(days=1),
        ),  # nobody knows how much of a gap of three days was used on the last of them
        (Unit.MONTH, lambda at: (at.year, at.month), timedelta(days=30)),
        (Unit.YEAR, lambda at: at.year, timedelta(days=365)),
    ):
        wanted = expected(readings, key, longest)
        found = await energies(open_store, clock, unit, begin, end)
        told = {key(one.start.astimezone(ZONE)): one.values["active_energy_import"] for one in found if one.values}
        assert told == wanted
        assert all(one.imported for one in found if one.values)
    days = await energies(open_store, clock, Unit.DAY, begin, end)
    incomplete = [one.start.astimezone(ZONE).date().isoformat() for one in days if not one.complete]
    assert incomplete == ["2025-02-03", "2025-02-04", "2025-02-05", "2025-02-06"]


async def test_a_trial_changes_nothing_and_an_import_is_taken_back_whole(config, open_store, clock, tmp_path):
    file = await config()
    path = as_csv(old_readings(), tmp_path)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        before = list(connection.iterdump())
    output = done(file, path, *ASKED, "--swap", "2024-06-12")
    assert "This was a trial; nothing was changed" in output
    assert done(file, "--list") == "nothing was imported\n"
    done(file, path, *ASKED, "--swap", "2024-06-12", "--apply")
    assert done(file, "--list").startswith("1: old.csv (csv), meter house, ")
    assert "taken back" in done(file, "--undo", 1)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        assert list(connection.iterdump()) == before
    assert "there is no import 1" in refused(file, "--undo", 1)


async def test_what_was_used_between_the_last_old_reading_and_the_first_new_one_is_there(
    config, open_store, clock, tmp_path
):
    file = await config()
    last = NOON - timedelta(hours=12)
    done(file, "--total", f"{last.astimezone(ZONE):%Y-%m-%d %H:%M}=19990", "--total", "2025-01-01=15000,5", "--apply")
    begin, end = datetime(2025, 1, 1, tzinfo=ZONE), datetime(2027, 1, 1, tzinfo=ZONE)
    years = await energies(open_store, clock, Unit.YEAR, begin, end)
    # A step of 379 days ends in 2026. It is in the year in which it ended, as a gap's is, which says from when it is.
    assert [dict(one.values) for one in years] == [{}, {"active_energy_import": SHOWN - 15_000_500 + 2 * 86_400 + 7200}]
    assert years[1].first == begin
    assert not years[1].complete
    # Of no hour is anything known but of those in which the meter was read.
    hours = await energies(open_store, clock, Unit.HOUR, NOON - 3 * HOUR, NOON + HOUR)
    assert [dict(one.values) for one in hours] == [{}, {}, {}, {"active_energy_import": 3600}]
    (day,) = await energies(open_store, clock, Unit.DAY, NOON, NOON + HOUR)
    assert day.values == {"active_energy_import": 10_000 + 3600}


async def test_the_hours_of_a_gap_are_those_of_the_file_and_the_sum_is_that_of_the_meter(
    config, open_store, clock, tmp_path
):
    file = await config()
    begin, end = NOON - HOUR, NOON + timedelta(days=2, hours=2)
    measured = await energies(open_store, clock, Unit.HOUR, begin, end)
    assert sum(one.values.get("active_energy_import", 0) for one in measured) == 2 * 86_400 + 7200
    readings = [(NOON + hour * HOUR, SHOWN + 3600 + (hour - 1) * 3700) for hour in range(2, 40)]
    output = done(file, as_csv(readings, tmp_path), *ASKED, "--apply")
    assert "38 readings" in output
    hours = await energies(open_store, clock, Unit.HOUR, begin, end)
    used = [one.values.get("active_energy_import") for one in hours]
    assert used[:41] == [None, 3600, *[3700] * 38, None]
    assert sum(one or 0 for one in used) == 2 * 86_400 + 7200
    assert [bool(one.imported) for one in hours[:41]] == [False, False, *[True] * 38, False]
    # Eight hours of which nobody knows; they are in the hour in which the meter was read again, which says so.
    assert used[41:48] == [None] * 7
    assert hours[48].first == NOON + 39 * HOUR
    days = await energies(open_store, clock, Unit.DAY, begin, end)
    assert sum(one.values["active_energy_import"] for one in days) == 2 * 86_400 + 7200
    async with open_store() as store:
        assert [one.outcome for one in await store.looked_into("house", 5)] == ["imported"]
        assert await store.gaps("house", NOON - HOUR) == []
    done(file, "--undo", 1)
    assert await energies(open_store, clock, Unit.HOUR, begin, end) == measured


async def test_what_was_measured_stays_and_what_differs_is_told(config, open_store, clock, tmp_path):
    file = await config()
    same = [(NOON + minutes * timedelta(minutes=1), SHOWN + minutes * 60) for minutes in (10, 20, 40)]
    output = done(file, as_csv(same, tmp_path), *ASKED, "--apply")
    assert "None of it would be new" in output
    assert "the history has it: 3; they agree" in output
    other = [(at, wh + 5000) for at, wh in same[:1]]
    output = refused(file, as_csv(other, tmp_path), *ASKED)
    assert "line 2 (2026-01-15 13:10): active_energy_import is 20005.600 kWh, and the history has" in output
    late = [(NOON + timedelta(days=3), 2 * SHOWN)]
    assert "1 of after the last reading of this program" in done(file, as_csv(late, tmp_path), *ASKED)


@pytest.mark.parametrize(
    ("shown", "arguments", "told"),
    [
        ([(0, 900_000), (1, 10)], (), "falls from 900.000 to 0.010 kWh"),
        ([(0, 99_000_000), (24 * 30, 5_000_000)], (), "falls from 99000.000 to 5000.000 kWh"),
        ([(0, SHOWN + 60_000)], (), "the first reading of this program behind it"),
        ([(0, 100), (1, 300_000)], (), "more than a house can use"),
        ([(0, 100), (1, 200)], ("--swap", "2026-01-02"), "no register falls at that time"),
    ],
)
async def test_no_register_falls_or_jumps_that_nothing_explains(config, tmp_path, shown, arguments, told):
    file = await config()
    readings = [(datetime(2025, 12, 1, tzinfo=UTC) + hours * HOUR, wh) for hours, wh in shown]
    readings += [(datetime(2026, 1, 5, tzinfo=UTC) + hours * HOUR, readings[-1][1] + hours) for hours in range(1, 4)]
    path = as_csv(readings, tmp_path)
    result = run(file, path, *ASKED, *arguments, "--apply")
    assert told in result.output
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        assert result.exit_code or connection.execute("SELECT count(*) FROM imported").fetchone()[0] < len(readings)


async def test_a_single_wrong_value_costs_only_itself(config, tmp_path):
    file = await config()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    shown = [100_000, 101_000, 0, 103_000, 904_000_000, 105_000]
    output = done(file, as_csv([(begin + n * HOUR, wh) for n, wh in enumerate(shown)], tmp_path), *ASKED)
    assert "4 readings" in output
    assert "line 4: at 2026-01-01 03:00 the register falls and is back again" in output
    assert "line 6: active_energy_import would rise by 903897.000 kWh" in output


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("wrong", [106_000, 103_001, 150_000])
async def test_a_value_that_is_a_little_too_high_costs_only_itself(config, tmp_path, place, wrong):
    file = await config()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    shown = [100_000, 100_500, 101_000, 101_500, 102_000, 103_000]
    shown[place] = wrong
    output = done(file, as_csv([(begin + n * HOUR, wh) for n, wh in enumerate(shown)], tmp_path), *ASKED)
    assert "5 readings" in output
    assert f"line {place + 2}: at 2026-01-01 0{place + 1}:00 the register is higher than in the readings" in output


async def test_a_reading_that_is_too_high_for_the_gateways_next_one_costs_only_itself(config, tmp_path):
    file = await config()
    shown = [(NOON - 5 * HOUR, SHOWN - 500), (NOON - 3 * HOUR, SHOWN + 900), (NOON - HOUR, SHOWN - 100)]
    output = done(file, as_csv(shown, tmp_path), *ASKED)
    assert "2 readings" in output
    assert "line 3: at 2026-01-15 10:00 the register is higher than in the readings behind it" in output


async def test_a_meter_that_may_have_been_exchanged_is_no_wrong_value(config, tmp_path):
    file = await config()
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    shown = [0, 900_000, 400_000, 410_000, 420_000]
    path = as_csv([(begin + 48 * n * HOUR, wh) for n, wh in enumerate(shown)], tmp_path)
    assert "add --swap 2025-01-05" in refused(file, path, *ASKED)


async def test_a_wrong_first_value_costs_only_itself(config, tmp_path):
    file = await config()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    readings = [(begin + n * HOUR, wh) for n, wh in enumerate([0, 10_001_000, 10_002_000, 10_003_000])]
    output = done(file, as_csv(readings, tmp_path), *ASKED)
    assert "3 readings" in output
    assert "line 2: active_energy_import would rise by 10001.000 kWh" in output


async def test_an_hour_that_came_twice_is_settled_by_order_or_refused(config, tmp_path):
    file = await config()
    path = tmp_path / "autumn.csv"
    hours = ("01:00", "02:00", "02:00", "03:00")
    path.write_text("time,tPI\n" + "".join(f"2025-10-26 {hour},{n + 1}\n" for n, hour in enumerate(hours)))
    assert "4 readings" in done(file, path)
    assert "from 2025-10-26 01:00 to 2025-10-26 03:00" in done(file, path)
    path.write_text("time,tPI\n2025-10-26 01:00,1\n2025-10-26 02:00,2\n2025-10-26 03:00,3\n")
    output = done(file, path)
    assert "2 readings" in output
    assert "line 3: 2025-10-26 02:00 came twice in Europe/Copenhagen" in output
    path.write_text("time,tPI\n2025-03-30 01:30,1\n2025-03-30 02:30,2\n2025-03-30 03:30,3\n")
    output = done(file, path)
    assert "2 readings" in output
    assert "line 3: 2025-03-30 02:30 never came in Europe/Copenhagen" in output
    assert "3 readings" in done(file, path, "--zone", "UTC")


async def test_while_the_gateway_runs_an_import_can_be_tried_only(config, open_store, clock, tmp_path):
    file = await config()
    path = as_csv(old_readings()[-100:], tmp_path)
    program = "from nes2mqtt.cli import main; main()"
    command = [sys.executable, "-c", program, "import", "--config", file, path, *ASKED]

    async def ended(*more):
        # A process of its own: one that closes a file it has open lets go of its locks.
        return await asyncio.to_thread(
            subprocess.run, [*command, *more], capture_output=True, text=True, timeout=120, check=False
        )

    async with open_store():
        assert "This was a trial" in (await ended()).stdout
        tried = await ended("--apply")
        assert tried.returncode == 1
        assert "the gateway runs" in tried.stderr
    assert "It is in the history now" in (await ended("--apply")).stdout


async def test_what_imported_energy_cost_is_billed(config, tmp_path):
    """Hours have no quarters of their own: their energy is spread, so that a fixed price and a time of use find all of it."""
    file = await config()
    file.write_text(file.read_text() + CONTRACT)
    readings = old_readings()
    done(file, as_csv(readings[-1000:], tmp_path), *ASKED, "--apply")
    result = CliRunner().invoke(app, ["costs", "--config", str(file), "--from", "2025-12-05", "--to", "2025-12-06"])
    assert result.exit_code == 0, result.output
    (used,) = (wh for day, wh in expected(readings[-1000:], datetime.date).items() if f"{day}" == "2025-12-05")
    assert ["Energy", f"{used / 1000 * 2:.2f}", "DKK"] in [line.split() for line in result.output.splitlines()]


async def test_an_import_stands_in_exports(config, tmp_path):
    file = await config()
    readings = old_readings()[-200:]
    done(file, as_csv(readings, tmp_path), *ASKED, "--apply")
    told = {}
    for what in ("registers", "days"):
        out = tmp_path / f"{what}.csv"
        arguments = ["export", "--config", str(file), "--from", "2025-12-01", "--out", str(out), "--what", what]
        assert CliRunner().invoke(app, arguments).exit_code == 0
        told[what] = list(csv.DictReader(out.read_text().splitlines()))
    marked = [row for row in told["registers"] if row["imported"] == "true"]
    assert [(row["time_utc"], row["active_energy_import_kWh"], row["filled"]) for row in marked] == [
        (f"{at:%Y-%m-%dT%H:%M:%S}.000Z", f"{wh / 1000:.3f}", "false") for at, wh in readings
    ]
    assert all(row["imported"] == "false" for row in told["registers"][len(readings) :])
    wanted = expected(readings, lambda at: f"{at.astimezone(UTC):%Y-%m-%d}")
    days = {row["time_utc"][:10]: row["active_energy_import_kWh"] for row in told["days"] if row["imported"] == "true"}
    assert days == {day: f"{wh / 1000:.3f}" for day, wh in wanted.items()}


async def test_a_second_import_fits_to_the_first(config, open_store, clock, tmp_path):
    file = await config()
    readings = old_readings()[-500:]
    done(file, as_csv(readings[:200], tmp_path, "a.csv"), *ASKED, "--apply")
    output = done(file, as_csv(readings[100:], tmp_path, "b.csv"), *ASKED, "--apply")
    assert "300 readings" in output
    assert "the history has it: 100; they agree" in output
    begin, end = readings[0][0], readings[-1][0]
    days = await energies(open_store, clock, Unit.DAY, begin, end)
    wanted = expected(readings, datetime.date)
    assert {one.start.astimezone(ZONE).date(): one.values["active_energy_import"] for one in days} == wanted
    done(file, "--undo", 1)
    (day,) = await energies(open_store, clock, Unit.DAY, begin, begin + HOUR)
    assert day.values == {}
    lower = [(at, wh - 9_000_000) for at, wh in readings[:50]]
    assert "50 readings" in done(file, as_csv(lower, tmp_path, "c.csv"), *ASKED, "--apply")
    higher = [(at, wh + 100_000) for at, wh in readings[100:150]]
    assert "falls" in refused(file, as_csv(higher, tmp_path, "d.csv"), *ASKED)


async def test_a_meter_that_began_above_the_old_one_is_no_energy(config, open_store, clock, tmp_path):
    file = await config()
    begin = datetime(2025, 6, 1, tzinfo=UTC)
    readings = [(begin + n * HOUR, 1_000_000 + n * 500 + (2_000 if n > 10 else 0)) for n in range(20)]
    path = as_csv(readings, tmp_path)
    output = done(file, path, *ASKED, "--swap", "2025-06-01T12:30", "--apply")  # 10:30 in UTC
    assert "counted 9.000 kWh" in output
    days = await energies(open_store, clock, Unit.DAY, begin, begin + 20 * HOUR)
    assert [dict(one.values) for one in days] == [{"active_energy_import": 18 * 500}]


async def test_of_each_quarter_of_an_hour_the_last_reading_is_kept(config, tmp_path):
    file = await config()
    begin = datetime(2025, 6, 1, 12, tzinfo=UTC)
    readings = [(begin + minute * timedelta(minutes=1), 1_000_000 + minute * 10) for minute in range(1, 121)]
    assert "8 readings" in done(file, as_csv(readings, tmp_path), *ASKED, "--apply")
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        kept = connection.execute("SELECT received, active_energy_import FROM imported ORDER BY received").fetchall()
    assert kept == [(int(at.timestamp()) * 1000, wh) for at, wh in readings[14::15]]


async def test_an_import_that_breaks_in_the_middle_leaves_nothing(config, tmp_path, monkeypatch):
    def broken(*_):
        raise sqlite3.OperationalError("database or disk is full")

    file = await config()
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        before = list(connection.iterdump())
    monkeypatch.setattr("nes2mqtt.history.importing.bringing.count_anew", broken)
    output = refused(file, as_csv(old_readings()[-100:], tmp_path), *ASKED, "--apply")
    assert "database or disk is full. Nothing was changed" in output
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        assert list(connection.iterdump()) == before


async def test_the_first_quarter_of_an_hour_is_not_counted_twice_when_one_reading_of_it_is_left(
    open_store, registers, clock, tmp_path
):
    async with open_store() as store:
        for second in range(120, 7200, 10):
            clock.now = clock.at(second)
            store.offer(registers(second, SHOWN + second))
    thin_out(tmp_path)
    file = tmp_path / "nes2mqtt.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    hand = ("--total", f"{(NOON - HOUR).astimezone(ZONE):%Y-%m-%d %H:%M}=19999")
    measured = (NOON + timedelta(minutes=10), SHOWN + 600)
    output = done(file, "--total", f"{measured[0].astimezone(ZONE):%Y-%m-%d %H:%M}={measured[1] / 1000}")
    assert "the history has it: 1; they agree" in output
    done(file, *hand, "--apply")
    (year,) = await energies(open_store, clock, Unit.YEAR, NOON, NOON + HOUR)
    assert year.values == {"active_energy_import": SHOWN + 7190 - 19_999_000}


@pytest.mark.parametrize("lost", ["received < ?", "received BETWEEN ?1 - 3600000 AND ?1 + 3600000"])
async def test_what_was_measured_is_not_counted_twice_when_its_readings_are_lost(
    open_store, registers, clock, tmp_path, lost
):
    """As after damage, when only the energies of some hours could be saved."""
    async with open_store() as store:
        for second in range(0, 6 * 3600 + 1, 60):
            clock.now = clock.at(second)
            store.offer(registers(second, SHOWN + second))
    thin_out(tmp_path)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection, connection:
        middle = int((NOON + 3 * HOUR).timestamp()) * 1000
        assert connection.execute(f"DELETE FROM registers_kept WHERE {lost}", (middle,)).rowcount > 5
    file = tmp_path / "nes2mqtt.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    begin, end = NOON - HOUR, NOON + 7 * HOUR
    before = await energies(open_store, clock, Unit.QUARTER, begin, end)
    readings = [(NOON + minutes * timedelta(minutes=1), SHOWN + 60 * minutes) for minutes in (125, 160, 170, 200)]
    assert "None of it would be new" in done(file, as_csv(readings, tmp_path), *ASKED, "--apply")
    assert await energies(open_store, clock, Unit.QUARTER, begin, end) == before


async def test_an_exchange_is_not_forgotten_while_another_import_needs_it(config, open_store, clock, tmp_path):
    file = await config()
    may, june = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
    both = [(june + n * HOUR, 5_000_000 + n * 100 if n < 24 else n * 100) for n in range(48)]
    done(file, as_csv(both, tmp_path), *ASKED, "--swap", "2025-06-02", "--apply")
    earlier = [(may + n * HOUR, 4_000_000 + n * 100) for n in range(48)]
    done(file, as_csv(earlier, tmp_path), *ASKED, "--apply")
    before = await energies(open_store, clock, Unit.YEAR, may, NOON)
    assert "Take import 2 back first" in refused(file, "--undo", 1)
    assert await energies(open_store, clock, Unit.YEAR, may, NOON) == before
    done(file, "--undo", 2)
    done(file, "--undo", 1)
    assert done(file, "--list") == "nothing was imported\n"


async def test_odd_names_are_shown_and_kept_without_what_steers_a_terminal(config, tmp_path):
    file = await config()
    path = tmp_path / os.fsdecode(b"a\xff';DROP TABLE imports;--\x1b[31m.csv")
    path.write_text("time,tPI\n2025-01-01,1\n2025-01-02,\x1b[2J2\n2025-01-03,3\n")
    output = done(file, path, "--apply")
    assert "line 3: '?[2J2' is no number" in output
    assert "\x1b" not in output
    assert done(file, "--list").startswith("1: a?';DROP TABLE imports;--?[31m.csv (csv), meter house, 2 readings")
    assert "there is no file" in refused(file, "x" * 300)
    assert "there is no import" in refused(file, "--undo", 10**20)


def thin_out(folder):
    """Keep one register reading for each quarter of an hour, as is done when they are old."""
    with closing(sqlite3.connect(folder / "history.db", isolation_level=None)) as connection:
        retention = Retention(connection, HistoryConfig(keep_raw_days=1))
        for days in range(10):
            retention.tidy(86_400 * days, None, 1 << 62)
        assert connection.execute("SELECT count(*) FROM registers_kept").fetchone()[0] > 5
        assert connection.execute("SELECT count(*) FROM registers").fetchone()[0] < 50
