"""Golden values: what the owners' own readers printed from these very bytes."""

import json
from importlib import resources

import pytest

from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions, present, registers
from osgp.tables.identity import tables_used

# The owners' readers print the guide's field names.
KEYS = {
    "Fwd Active Wh": "active_energy_import",
    "Rev Active Wh": "active_energy_export",
    "Import Reactive VArh": "reactive_energy_import",
    "Export Reactive VArh": "reactive_energy_export",
    "Power Outage Seconds": "outage_duration",
    "Power Outage Qty": "outage_count",
    "Fwd+Rev Active Wh": "active_energy_sum",
    "Fwd-Rev Active Wh": "active_energy_net",
    "Pulse input 0": "pulse_count_1",
    "Pulse input 1": "pulse_count_2",
    "Error counter": "error_count",
    "Fwd Active W L1L2L3": "active_power_import",
    "Rev Active W L1L2L3": "active_power_export",
    "Import Reactive VAr L1L2L3": "reactive_power_import",
    "Export Reactive VAr L1L2L3": "reactive_power_export",
    "RMS Current (mA) L1": "current_l1",
    "RMS Current (mA) L2": "current_l2",
    "RMS Current (mA) L3": "current_l3",
    "RMS Voltage (mV) L1": "voltage_l1",
    "RMS Voltage (mV) L2": "voltage_l2",
    "RMS Voltage (mV) L3": "voltage_l3",
    "VA L1L2L3": "apparent_power",
    "Frequency (mHz)": "frequency",
    "Power Factor L1 (1/1000)": "power_factor_l1",
}


def _capture(name):
    document = json.loads(resources.files("osgp.data").joinpath(f"{name}.json").read_text())
    tables = {table: bytes.fromhex(held["hex"]) for table, held in document["tables"].items()}
    return tables, document["expected"]


@pytest.mark.parametrize(
    ("name", "table", "decode"),
    [
        ("denmark-gen3", "BT23", registers.decode),
        ("denmark-gen3", "BT28", present.decode),
        ("denmark-optical", "BT28", present.decode),
    ],
)
def test_values_are_those_the_owner_saw(name, table, decode):
    tables, expected = _capture(name)
    values = decode(tables[table], Dimensions())
    seen = {SOURCES[KEYS[field]]: value for field, value in expected[table].items()}
    assert seen.items() <= values.items()


def test_gen3_meter_has_all_55_present_values_and_four_tariffs():
    tables, _ = _capture("denmark-gen3")
    assert len(present.decode(tables["BT28"], Dimensions())) == 55
    values = registers.decode(tables["BT23"], Dimensions())
    # 11 totals, and in each of 4 tiers the 6 that tiers have.
    assert len(values) == 11 + 4 * 6
    assert values[SOURCES["active_energy_import_t1"]] == values[SOURCES["active_energy_import"]] == 65_845_342
    assert SOURCES["outage_count_t1"] not in values


def test_forty_bytes_of_present_values_are_ten_values_and_no_zeros():
    tables, expected = _capture("denmark-optical")
    values = present.decode(tables["BT28"], Dimensions())
    assert {source.key for source in values} == {KEYS[field] for field in expected["BT28"]}


def test_bt00_lists_the_tables_of_a_real_meter():
    tables, expected = _capture("denmark-optical")
    record = TABLES["BT00"].decode(tables["BT00"], Dimensions())
    assert record["manufacturer"] == expected["BT00"]["manufacturer"]
    assert sorted(record["basic_tables_used"]) == expected["BT00"]["basic tables used"]
    assert sorted(record["extended_tables_used"]) == expected["BT00"]["extended tables used"]
    assert {"BT23", "BT28", "ET03", "ET97"} <= tables_used(record)
    assert "ET85" not in tables_used(record)
    # p. 198: the pages print no such table, a real meter shows it: writable tables follow the procedures.
    assert sorted(record["basic_tables_written"]) == [1, 2, 5, 6, 7, 15, 23, 24, 33, 42, 53, 54, 73]
    assert record.tail == b""
    assert TABLES["BT00"].encode(record, Dimensions()) == tables["BT00"]
