from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta

import pytest
from pyarrow import parquet

from nes2mqtt.history.commands.export import run_export
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.export import Format, What
from nes2mqtt.history.tables.filled import Gap, Looked


@pytest.fixture
def filled(open_recorder, registers, present, clock):
    """A recorder that is still open: a running gateway."""
    recorder = open_recorder()
    for second in range(0, 3601, 10):
        recorder.take(
            [registers(second, 65_845_342 + second), present(second, 432, voltage_l1=228_693, power_factor_l1=-711)],
            clock.s(second),
        )
    recorder.work(clock.s(3700), flush=True)
    return recorder


@pytest.fixture
def export(filled, zone, tmp_path):
    def make(what, *, kind=Format.CSV, begin="2026-01-15", end="2026-01-16", meter="", out="out"):
        target = tmp_path / out
        count = run_export(filled.path, zone, begin=begin, end=end, out=target, kind=kind, what=what, meter=meter)
        return count, target

    return make


def read(target):
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_units_in_its_titles_and_both_times(export):
    count, target = export(What.PRESENT)
    rows = read(target)
    assert count == len(rows) == 361
    assert rows[0]["time_utc"] == "2026-01-15T12:00:00.000Z"
    assert rows[0]["time_local"] == "2026-01-15T13:00:00.000+01:00"
    assert rows[0]["active_power_import_W"] == "432"
    assert rows[0]["voltage_l1_V"] == "228.693"
    assert rows[0]["power_factor_l1"] == "-0.711"
    assert rows[0]["voltage_l2_V"] == ""  # absent is not zero


def test_registers_and_roll_ups_agree(export):
    _, target = export(What.REGISTERS)
    rows = read(target)
    assert rows[0]["active_energy_import_kWh"] == "65845.342"
    _, target = export(What.QUARTERS)
    quarters = read(target)
    assert [row["active_energy_import_kWh"] for row in quarters] == ["0.900"] * 4 + [
        ""
    ]  # the last reading begins a fifth
    assert quarters[0]["active_power_import_avg_W"] == "432"


def test_times_without_offset_are_local_and_the_end_is_not_included(export):
    count, target = export(What.REGISTERS, begin="2026-01-15T13:00", end="2026-01-15T12:01Z")
    assert count == 6
    assert read(target)[-1]["time_utc"] == "2026-01-15T12:00:50.000Z"


def test_parquet_holds_the_same(export):
    count, target = export(What.REGISTERS, kind=Format.PARQUET)
    table = parquet.read_table(target)
    assert table.num_rows == count == 361
    assert table.column("active_energy_import_kWh")[1].as_py() == 65845.352
    assert table.column("time_utc")[0].as_py() == datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert table.column("time_local")[0].as_py().utcoffset() == timedelta(hours=1)
    assert table.column("active_energy_export_kWh")[0].as_py() is None


def test_parquet_without_pyarrow_says_what_to_install(export, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(HistoryError, match=r"nes2mqtt\[parquet\]"):
        export(What.REGISTERS, kind=Format.PARQUET)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"begin": "yesterday"}, "'yesterday' is no time"),
        ({"begin": "2026-01-16", "end": "2026-01-15"}, "swap them"),
        ({"meter": "shed"}, "knows no meter 'shed'; it knows: house"),
        ({"out": "no/such/folder"}, "cannot be written"),
    ],
)
def test_what_is_wrong_is_said(export, wrong, said):
    with pytest.raises(HistoryError, match=said):
        export(What.HOURS, **wrong)


def test_there_must_be_a_history(tmp_path, zone):
    with pytest.raises(HistoryError, match="there is no history"):
        run_export(
            tmp_path / "none.db",
            zone,
            begin="2026-01-01",
            end="",
            out=tmp_path / "x",
            kind=Format.CSV,
            what=What.DAYS,
            meter="",
        )


@pytest.fixture
def backfilled(filled, registers, clock):
    """The same recorder after a gap of two hours, of which the meter's load profile told three quarters."""
    filled.take([registers(second, 65_853_000 + second) for second in (10_800, 10_810)], clock.s(10_810))
    filled.work(clock.s(10_810), flush=True)
    clock.now = clock.at(12_000)
    before = registers(3600, 65_848_942)
    gap = Gap(before, registers(10_800, 65_863_800))
    late = [registers(second, 65_849_000 + second) for second in (4500, 5400, 6300)]
    assert filled.fill(Looked(gap, late, "partly"), clock.s(12_000)) == 3


def test_what_was_filled_in_stands_where_it_belongs_and_is_marked(backfilled, export):
    count, target = export(What.REGISTERS, begin="2026-01-15T12:59:50Z")
    rows = read(target)
    assert count == 7
    assert [(row["time_utc"][11:19], row["active_energy_import_kWh"], row["filled"]) for row in rows[:-1]] == [
        ("12:59:50", "65848.932", "false"),
        ("13:00:00", "65848.942", "false"),
        ("13:15:00", "65853.500", "true"),
        ("13:30:00", "65854.400", "true"),
        ("13:45:00", "65855.300", "true"),
        ("15:00:00", "65863.800", "false"),
    ]
    _, target = export(What.QUARTERS, begin="2026-01-15T12:45Z")
    rows = read(target)
    assert [(row["time_utc"][11:16], row["active_energy_import_kWh"], row["filled"]) for row in rows[:5]] == [
        ("12:45", "0.900", "false"),
        ("13:00", "4.558", "true"),
        ("13:15", "0.900", "true"),
        ("13:30", "0.900", "true"),
        ("14:45", "8.500", "false"),
    ]
    _, target = export(What.HOURS, kind=Format.PARQUET)
    table = parquet.read_table(target)
    assert table.column("filled").to_pylist()[:3] == [False, True, False]
