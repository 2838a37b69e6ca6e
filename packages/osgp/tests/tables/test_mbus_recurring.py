"""The logs of scheduled reads: fields where the guide prints them, whose read an entry is, and how much of it is valid."""

from dataclasses import replace
from decimal import Decimal

import pytest
from mbus_house import DIMS, entry, et36, gas, heat, ring, water

from osgp.errors import TableError
from osgp.tables import TABLES, survey
from osgp.tables.logs.ring import Entry
from osgp.tables.mbus.recurring import decode_recurring, recurring_ring
from osgp.tables.schema.count import Untold

SIZED = survey({"ET36": et36(4)})
LONG = replace(SIZED, logs=replace(SIZED.logs, extended_recurring_reads=3))

PRINTED = {
    # p. 119-121
    "ET45": {"length": 6, "identifier": 8, "namespace": 8, "handle": 10, "execution": 12, "result": 13, "read": 14},
    # p. 176-177
    "ET74": {"length": 9, "handle": 13, "execution": 15, "result": 16, "read": 17},
}


@pytest.mark.parametrize("table", PRINTED)
def test_fields_stand_where_the_guide_prints_them(table):
    places = {name: TABLES[table].place(LONG, "entries", 0, name).offset for name in PRINTED[table]}
    assert places == PRINTED[table]


def test_how_long_they_are():
    """The default entry has 525 bytes: "509 bytes of actual device data" (p. 109)."""
    dims = survey({"ET36": et36(4, 525)})
    assert TABLES["ET45"].size(dims) == 6 + 4 * 525
    assert TABLES["ET74"].size(replace(dims, logs=replace(dims.logs, extended_recurring_reads=3))) == 9 + 3 * 525
    assert recurring_ring(dims).size == 6 + 4 * 525
    with pytest.raises(Untold, match="ET36"):
        TABLES["ET45"].size(DIMS)


def test_a_whole_table_decodes():
    record = TABLES["ET45"].decode(ring([entry(gas()), entry(water())], 4, 7), SIZED)
    assert (record["valid_entries"], record["newest_entry"], record["newest_sequence_number"]) == (2, 3, 7)
    assert [(one["handle"], one["namespace"]) for one in record["entries"]] == [(0, 0), (0, 0), (1, 2), (2, 2)]


def test_no_place_no_ring():
    assert recurring_ring(DIMS) is None
    assert recurring_ring(survey({"ET36": et36(0)})) is None
    assert recurring_ring(SIZED, "ET74") is None
    assert recurring_ring(LONG, "ET74").places == 3


def test_entries_too_short_for_a_read_are_refused():
    with pytest.raises(TableError, match="too short for a read"):
        recurring_ring(survey({"ET36": et36(4, 14)}))


def reads(*raw):
    return decode_recurring([Entry(9 - age, one) for age, one in enumerate(raw)], SIZED)


def test_whose_read_it_is_and_what_it_says():
    first, second = reads(entry(water(), delayed=True), entry(gas()))
    assert (first.sequence, first.handle, first.delayed) == (9, 2, True)
    assert (second.sequence, second.handle, second.delayed) == (8, 1, False)
    assert first.reading.values["volume"].value == Decimal("28.504")
    assert second.reading.identity.serial == "10000004"


@pytest.mark.parametrize("with_id", [True, False])
@pytest.mark.parametrize("device", [gas(), water(), heat()])
def test_the_telegram_decides_what_the_length_counts(device, with_id):
    (read,) = reads(entry(device, with_id=with_id))
    assert read.reading.whole
    assert read.reading.values == reads(entry(device))[0].reading.values
    assert len(read.reading.telegrams) == 1


def test_a_cut_read_takes_nothing_of_what_stands_behind_it():
    """The last record's data end one byte early; the next bytes are leftovers that would complete it."""
    raw = bytearray(entry(gas()))
    raw[0:2] = (len(gas().read) + 6 - 3).to_bytes(2, "little")
    (read,) = decode_recurring([Entry(1, bytes(raw))], SIZED)
    assert not read.reading.whole
    assert read.reading.values == {}


def test_a_read_that_did_not_succeed_has_no_value():
    (read,) = reads(entry(gas(), result=2))
    assert (read.handle, read.reading) == (1, None)


@pytest.mark.parametrize("length", [0, 5, 12])
def test_an_entry_without_a_read_has_none(length):
    raw = length.to_bytes(2, "little") + entry(gas())[2:]
    (read,) = decode_recurring([Entry(1, raw)], SIZED)
    assert read.reading is None


def test_a_length_beyond_the_entry_is_its_end():
    (read,) = decode_recurring([Entry(1, b"\xff\xff" + entry(gas())[2:])], SIZED)
    assert read.reading.values["volume"].value == Decimal("12.345")
