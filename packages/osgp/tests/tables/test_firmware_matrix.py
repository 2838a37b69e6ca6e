"""Done when 5: each generation of firmware has the fields that its pages give it, and no others.

firmware_matrix.csv is written from the guides' pages alone: a row for each "fields added in firmware version ..." and for some of what
every firmware has. M is the MEP Client Developer's Guide v1.1, O the Optical Port Programmer's Guide v1.1.
"""

import csv
from pathlib import Path

import pytest
from told import told

from osgp.tables import TABLES
from osgp.tables.schema.table import Bits, Filler, Group

ROWS = list(csv.DictReader((Path(__file__).parent / "firmware_matrix.csv").read_text(encoding="utf-8").splitlines()))
GENERATIONS = [
    "2.00",
    "2.10",
    "2.12",
    "3.00",
    "3.10",
    "3.13",
    "3.50",
    "3.70",
    "3.82",
    "4.00",
    "4.02",
    "4.10",
    "4.30",
    "4.60",
]


def firmware(text):
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def expected(row, generation):
    """Tell what the page says, by its own words only."""
    here = firmware(generation)
    if here in [firmware(one) for one in row["also"].split()]:
        return True
    if row["since"] and here < firmware(row["since"]):
        return False
    return not (row["before"] and here >= firmware(row["before"]))


def layout_of(table, path, dims):
    layout = TABLES[table].layout(dims)
    *groups, name = path.split(".")
    for group in groups:
        inner = layout.entries[group].records
        assert inner is not None
        layout = inner
    return layout, name


@pytest.mark.parametrize("generation", GENERATIONS)
def test_5_fields_are_there_in_the_firmware_that_has_them_and_in_no_other(generation):
    dims = told(firmware=firmware(generation), status_size=9, mep_clients=2, module_records_size=42)
    wrong = []
    for row in ROWS:
        for path in row["fields"].split():
            layout, name = layout_of(row["table"], path, dims)
            if (name in layout.entries) != expected(row, generation):
                wrong.append(f"{row['table']} {path}: page {row['page']}")
    assert not wrong


@pytest.mark.parametrize("generation", GENERATIONS)
def test_5_what_a_meter_sends_decodes_to_these_and_to_no_others(generation):
    """The same by bytes: of a table that is as long as this generation's, and of one that is longer than any."""
    dims = told(firmware=firmware(generation), status_size=9, mep_clients=2, module_records_size=42)
    for row in ROWS:
        table = TABLES[row["table"]]
        for size in (table.size(dims), 4000):
            record = table.decode(bytes(size), dims)
            for path in row["fields"].split():
                if "." not in path:
                    assert (path in record) == expected(row, generation), (row["table"], path, size)


def marked(fields, prefix=""):
    """Yield the names of what only some firmware has."""
    for part in fields:
        has_mark = part.since or part.before
        if isinstance(part, Bits):
            yield from (prefix + bit.name for bit in part.bits if has_mark or bit.since or bit.before)
        elif isinstance(part, Group):
            if has_mark:
                yield prefix + part.name
            yield from marked(part.fields, f"{prefix}{part.name}.")
        elif has_mark and not isinstance(part, Filler):
            yield prefix + part.name


def test_5_every_table_with_a_mark_is_in_the_matrix():
    missing = {name for name, table in TABLES.items() if any(marked(table.fields))} - {row["table"] for row in ROWS}
    assert missing <= {"BT01", "ET42"}, "BT01's serial number has no firmware on its page; ET42 describes itself"
