"""Termineter's own console reads, writes and calls a procedure, unpatched, over a pty and over TCP."""

import csv

import pytest

pytestmark = pytest.mark.xdist_group("termineter")

BASIC, EXTENDED = range(76), range(2048, 2048 + 100)

RECIPE = """
set USE_COLOR false
set SERIAL_CONNECTION {address}
set PASSWORD_HEX false
set PASSWORD {password}
set C1218_PACKET_SIZE 64
set C1218_MAX_PACKETS 254
connect
use dump_tables
set UPPER 75
set FILE {folder}/basic.csv
run
use read_table
set TABLE_ID 28
run
use write_table
set TABLE_ID 2059
set DATA aabbcc
set OFFSET 3
run
use run_procedure
set PROC_NUMBER 3
set PARAMS 00
run
""".strip()

DUMP_EXTENDED = """
use dump_tables
set LOWER 2048
set UPPER 2147
set FILE {folder}/extended.csv
run
""".strip()


def dumped(path):
    """Return the tables of a dump."""
    with path.open() as file:
        rows = {int(number): bytes.fromhex(data) for number, _, size, data in csv.reader(file)}
    assert rows
    return rows


async def recipe_works(meter, run, folder, address):
    """Run the recipe and compare what came of it with the meter's memory."""
    before = {table: meter.read(table) for table in BASIC}
    written = meter.read("ET11")

    said = await run.console(RECIPE.format(address=address, password=run.PASSWORD, folder=folder).splitlines())

    assert dumped(folder / "basic.csv") == {table: data for table, data in before.items() if data}, said
    assert "Found readable table, ID: 28" in said
    assert f"Read {len(before[28])} bytes" in said
    assert "Table Write Verification Passed" in said
    assert meter.read("ET11") == written[:3] + b"\xaa\xbb\xcc" + written[6:]
    assert "Procedure completed" in said
    assert not any(meter.read("BT23"))


@pytest.mark.parametrize("port", ["pty", "socket"])
async def test_07_02_termineters_recipe(meter, run, tmp_path, port):
    if port == "pty":
        address = meter.serve_optical_pty(str(tmp_path / "probe")).removeprefix("optical://")
    else:
        address = "socket" + (await meter.serve_optical_tcp()).removeprefix("optical+tcp")
    await recipe_works(meter, run, tmp_path, address)


async def test_07_02_termineters_recipe_with_a_strict_meter(strict_meter, run, tmp_path):
    """To this meter a packet with the toggle of the one before is a duplicate, whatever it holds."""
    address = strict_meter.serve_optical_pty(str(tmp_path / "probe")).removeprefix("optical://")
    await recipe_works(strict_meter, run, tmp_path, address)


async def test_07_02_termineter_dumps_extended_tables(meter, run, tmp_path):
    address = meter.serve_optical_pty(str(tmp_path / "probe")).removeprefix("optical://")
    steps = f"{RECIPE[: RECIPE.index('use')]}{DUMP_EXTENDED}"
    said = await run.console(steps.format(address=address, password=run.PASSWORD, folder=tmp_path).splitlines())
    there = {table: meter.read(table) for table in EXTENDED}
    assert dumped(tmp_path / "extended.csv") == {table: data for table, data in there.items() if data}, said


async def test_07_14_termineter_with_a_wrong_password_reads_nothing(meter, run, tmp_path):
    address = meter.serve_optical_pty(str(tmp_path / "probe")).removeprefix("optical://")
    steps = RECIPE[: RECIPE.index("use write_table")].format(address=address, password="x" * 20, folder=tmp_path)
    said = await run.console([*steps.splitlines()])
    assert "BT28" not in said
    # Without a key the meter shows what it shows to everybody, and nothing else.
    assert set(dumped(tmp_path / "basic.csv")) == {0, 1}
