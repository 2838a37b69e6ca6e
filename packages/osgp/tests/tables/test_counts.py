"""Dimensions and counts: what is said about them is what is done."""

import re
from dataclasses import fields
from importlib import import_module
from pkgutil import walk_packages

import pytest

from osgp import tables
from osgp.psem import table_id
from osgp.tables import TABLES, Calendar, Dimensions, FieldAbsent
from osgp.tables.schema.count import count, own_count
from osgp.tables.schema.dimensions import told_by, where_told
from osgp.tables.schema.table import Table

NAMES = [one.name for one in fields(Dimensions) if "told" in one.metadata]
CALENDAR = [f"calendar.{one.name}" for one in fields(Calendar)]
PLACE = re.compile(r"([BE]T\d\d)\.(\d+)(?:\.(\d))?")
# A count at the fourth byte of the fifth table: the page of the guide names the bytes, so the test does, too.
MEP_GUIDE = {
    "summations": "BT21.3",
    "time_remaining": "BT21.0.6",
    "max_tiers": "BT20.7",
    "mep_devices": "ET11.0",
    "calendar.tier_switches": "BT50.5",
}


@pytest.mark.parametrize("name", [*NAMES, *CALENDAR])
def test_10_a_dimension_is_told_where_a_field_stands(name):
    """The place that the reference page prints is the place of a field in the declared table."""
    dims = Dimensions(firmware=(4, 30))
    places = PLACE.findall(where_told(name))
    assert places
    for table, byte, bit in places:
        layout = TABLES[table].layout(dims)
        within = [
            (entry.offset + inner.offset, inner)
            for entry in layout.entries.values()
            if entry.records is not None
            for inner in entry.records.entries.values()
        ]
        found = [
            entry
            for offset, entry in [*((entry.offset, entry) for entry in layout.entries.values()), *within]
            if offset == int(byte) and (entry.bit.low == int(bit) if bit else True)
        ]
        assert found, f"{table} has no field at {byte}.{bit}"
        if table in {"BT21", "BT50"}:
            assert name.removeprefix("calendar.") in {entry.name for entry in found}
    assert MEP_GUIDE.get(name, where_told(name)) == where_told(name)


def test_10_bt21_tells_what_it_is_said_to_tell():
    assert set(told_by("BT21")) < set(TABLES["BT21"].layout(Dimensions()).entries)
    assert len(told_by("BT21")) == 14


@pytest.mark.parametrize(
    ("expression", "dims", "text", "number"),
    [
        (count("tiers"), {"tiers": 3}, "BT21.7", 3),
        (1 + count("tiers"), {"tiers": 3}, "1 + BT21.7", 4),
        (count("tiers") + 1, {"tiers": 3}, "BT21.7 + 1", 4),
        ((count("demands") + 7) // 8, {"demands": 9}, "(BT21.4 + 7) / 8", 2),
        (count("demands") // 2, {"demands": 9}, "BT21.4 / 2", 4),
        (count("max_tiers") - 1, {"max_tiers": 0}, "BT20.7 - 1", 0),
        (count("mep_devices").at_most(4), {"mep_devices": 9}, "min(4, ET11.0)", 4),
        (count("mep_devices").at_most(4), {"mep_devices": 3}, "min(4, ET11.0)", 3),
        (count("status_size").above(2), {"status_size": 2}, "BT00.17 > 2", False),
        (count("status_size").above(2), {"status_size": 3}, "BT00.17 > 2", True),
        (count("status_size").above(2), {"status_size": None}, "BT00.17 > 2", True),
        (count("calendar.separate_weekdays").negated(), {}, "not BT50.1.1", True),
        (4 + count("is_generation_4").written("X"), {"firmware": (4, 0)}, "4 + X", 5),
        (count("load_profile_sets"), {"firmware": (3, 40)}, "4 if ET54.0.2 else 1", 1),
        (own_count(1, "BT00.14"), {}, "BT00.14", 0),
        (own_count(1, "BT00.14"), {"own": (7, 8)}, "BT00.14", 8),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_10_one_expression_gives_text_and_number(expression, dims, text, number):
    assert (expression.text, expression.of(Dimensions(**dims))) == (text, number)


def test_10_a_count_of_what_is_no_dimension_is_refused():
    with pytest.raises(KeyError):
        count("tier")


def test_10_a_table_registers_itself():
    """Whatever module of the package or of one inside it declares a table: it is in TABLES, in the order of ids."""
    modules = [import_module(found.name) for found in walk_packages(tables.__path__, "osgp.tables.")]
    declared = {each.name for module in modules for each in vars(module).values() if isinstance(each, Table)}
    assert declared == set(TABLES)
    assert list(TABLES) == sorted(TABLES, key=table_id)


@pytest.mark.parametrize(
    ("table", "path", "place"),
    [
        ("ET50", ("clients", 0, "replies_in_et59"), (30, 1, 0x02)),
        ("ET13", ("mep", 0, "delta_data"), (4 * 66 + 8, 1, 0x10)),
        ("ET04", ("idt_version",), (116, 1, 0)),
        ("ET03", ("utility_serial_number",), (0, 30, 0)),
        ("BT23", ("blocks", 1, "summations"), (44, 44, 0)),
    ],
)
def test_10_places_come_from_the_declarations_and_are_those_of_the_guide(table, path, place):
    """MEP guide v1.1 p. 124-125, 80-83, 65, 55, 207."""
    assert TABLES[table].place(Dimensions(), *path) == place


@pytest.mark.parametrize("path", [("nothing",), ("clients", 0, "nothing"), ("nothing", 0, "icons")])
def test_10_a_place_that_is_not_there_is_said(path):
    with pytest.raises(FieldAbsent, match="ET50 has no"):
        TABLES["ET50"].place(Dimensions(), *path)
