"""What holds for every table, whatever stands in it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from told import told

from osgp.errors import MisuseError, TableError
from osgp.psem import EXTENDED
from osgp.tables import TABLES, Calendar, Dimensions
from osgp.tables.schema.count import Count, Untold, count
from osgp.tables.schema.dimensions import Logs
from osgp.tables.schema.table import Bit, Bits, Field, FieldAbsent, Filler, Group, Table
from osgp.tables.schema.types import NI_FMAT, UINT8, UINT16, char, octets, set_of

few = st.integers(0, 4)
dimensions = st.builds(
    told,
    summations=st.sampled_from([11, 15, 19]),
    demands=few,
    coincidents=few,
    occurrences=few,
    tiers=few,
    present_demands=few,
    present_values=few,
    demand_reset_counter=st.booleans(),
    cumulative_demand=st.booleans(),
    continuous_cumulative_demand=st.booleans(),
    time_remaining=st.booleans(),
    max_tiers=st.sampled_from([0, 4, 8]),
    firmware=st.sampled_from([None, (2, 0), (2, 12), (3, 13), (3, 50), (3, 60), (3, 70), (3, 80), (4, 0), (4, 30)]),
    mep_devices=st.integers(0, 6),
    mep_configuration_size=st.integers(66, 70),
    mep_data_sources=few,
    mep_clients=st.integers(1, 2),
    module_records_size=st.sampled_from([0, 42]),
    multiple_load_profiles=st.booleans(),
    power_outages_recorded=few,
    display_lists=few,
    display_items=few,
    free_texts=few,
    logs=st.builds(
        Logs,
        events=few,
        argument_size=few,
        alternate_events=few,
        one_time_reads=few,
        one_time_read_size=st.just(20_000),
        demand_resets=few,
        demand_reset_size=st.just(20_000),
        channel_changes=few,
        channel_change_size=st.sampled_from([143, 159]),
        outages=few,
        recurring_reads=few,
        recurring_read_size=st.integers(0, 40),
        extended_recurring_reads=few,
    ),
    profile_channels=st.lists(few, max_size=4).map(tuple),
    profile_blocks=st.lists(few, max_size=4).map(tuple),
    profile_intervals=st.lists(few, max_size=4).map(tuple),
    profile_end_readings=st.booleans(),
    profile_scalars=st.frozensets(st.integers(0, 3)),
    calendar=st.builds(
        Calendar,
        seasons=few,
        nonrecurring_dates=few,
        recurring_dates=few,
        tier_switches=few,
        separate_weekdays=st.booleans(),
    ),
)


def _typeable(value):
    """Replace what a meter may hold but nobody can write: text that is no ASCII."""
    if isinstance(value, str):
        return value.replace("\N{REPLACEMENT CHARACTER}", "?")
    if isinstance(value, dict):
        return {name: _typeable(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_typeable, value))
    return value


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@settings(max_examples=15)
@given(dims=dimensions, seed=st.integers(0, 1 << 32))
def test_decoded_values_survive_encoding(table, dims, seed):
    source = random.Random(seed)
    # A table that counts itself may count up to 4 KiB.
    data = source.randbytes(table.size(dims) + (6000 if table.own_counts else 7))
    values = _typeable(dict(table.decode(data, dims)))
    again = table.decode(table.encode(values, dims, base=data), dims)
    assert dict(again) == values
    assert again.tail == table.decode(data, dims).tail
    # Written over zeros nothing but the values counts.
    if not table.own_counts:
        assert dict(table.decode(table.encode(values, dims), dims)) == values


@pytest.mark.parametrize("table", [table for table in TABLES.values() if not table.own_counts], ids=lambda t: t.name)
@settings(max_examples=10)
@given(dims=dimensions, seed=st.integers(0, 1 << 32), cut=st.floats(0, 1), skip=st.floats(0, 1))
def test_a_part_of_a_table_gives_the_values_it_holds(table, dims, seed, cut, skip):
    size = table.size(dims)
    data = random.Random(seed).randbytes(size)
    whole = dict(table.decode(data, dims))
    end = int(size * cut)
    start = int(end * skip)
    part = dict(table.decode(data[start:end], dims, offset=start))
    expected = {}
    for name, value in whole.items():
        offset, count = table.window(dims, name)
        if start <= offset and offset + count <= end:
            expected[name] = value
    assert part == expected


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@settings(max_examples=20)
@given(data=st.binary(max_size=300), dims=dimensions)
def test_any_bytes_decode_or_are_a_table_error(table, data, dims):
    try:
        record = table.decode(data, dims)
    except TableError:
        return
    assert set(record) == set(dict(record))


SAMPLE = Table(
    EXTENDED + 2047,
    "Sample",
    "0",
    (
        Bits(UINT8, (Bit("on", 0), Bit("level", 4, 6))),
        Filler(1),
        Field("counts", UINT16, count=Count("2", lambda _: 2)),
        Field("text", char(4)),
        Group("pairs", (Field("left", UINT8), Field("right", NI_FMAT)), count=2),
        Field("raw", octets(2)),
        Field("numbers", set_of(1)),
        Field("newer", UINT8, since=(9, 0)),
    ),
)
DATA = bytes.fromhex("51 ee 0100 0200 61620020 03 ffffffff 04 05000000 beef 81")
VALUES = {
    "on": True,
    "level": 5,
    "counts": (1, 2),
    "text": "ab",
    "pairs": ({"left": 3, "right": -1}, {"left": 4, "right": 5}),
    "raw": b"\xbe\xef",
    "numbers": frozenset({0, 7}),
}
OLD = Dimensions(firmware=(3, 70))


def test_every_kind_of_field():
    record = SAMPLE.decode(DATA + b"tail", OLD)
    assert dict(record) == VALUES
    assert record.tail == b"tail"
    assert repr(record) == f"Record({SAMPLE.name}, {VALUES!r})"
    assert SAMPLE.decode(DATA + b"\x07", Dimensions())["newer"] == 7
    assert SAMPLE.window(OLD, "counts", "pairs") == (2, 18)


def test_writing_one_field_leaves_the_others_and_the_fillers():
    data = SAMPLE.encode({"level": 2, "text": "xyz"}, OLD, base=DATA + b"tail")
    assert data == bytes.fromhex("21 ee 0100 0200 78797a00") + DATA[10:] + b"tail"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level", 8),
        ("level", -1),
        ("on", 2),
        ("on", None),
        ("counts", (1,)),
        ("counts", (1, 1 << 16)),
        ("counts", 3),
        ("text", "toolong"),
        ("text", "é"),
        ("text", 3),
        ("raw", b"x"),
        ("numbers", {8}),
        ("numbers", {-1}),
        ("pairs", [{"left": 1}]),
        ("pairs", [{"left": 1}, {"middle": 2}]),
        ("pairs", [{"left": 1}, {"left": 256}]),
        ("newer", 1),
        ("other", 1),
    ],
)
def test_values_a_field_cannot_hold_are_the_callers_fault(name, value):
    with pytest.raises(MisuseError, match=name):
        SAMPLE.encode({name: value}, OLD)


def test_absent_fields_are_both_key_and_table_errors():
    record = SAMPLE.decode(DATA[:3], OLD)
    assert record.get("text") is None
    for error in (KeyError, TableError, FieldAbsent):
        with pytest.raises(error, match="ET2047 as read has no text") as caught:
            record["text"]
        assert str(caught.value) == "ET2047 as read has no text"
    with pytest.raises(FieldAbsent, match="has no field newer"):
        SAMPLE.window(OLD, "newer")


MARKED = Table(
    EXTENDED + 2044,
    "Marked",
    "0",
    (
        Bits(UINT8, (Bit("always", 0), Bit("later", 1, since=(3, 50)), Bit("once", 2, before=(4, 0)))),
        Field("middle", UINT16, since=(3, 50), also=((2, 13),)),
        Field("all", UINT8),
        Group("pairs", (Field("left", UINT8), Field("right", UINT8)), 2, since=(3, 70)),
        Field("last", UINT8, since=(3, 80), also=((3, 13),)),
    ),
)
MARKED_DATA = bytes((0b111, 2, 0, 3, 4, 5, 6, 7, 8))
MIDDLE, PAIRS, LAST = {"middle": 2}, {"pairs": ({"left": 4, "right": 5}, {"left": 6, "right": 7})}, {"last": 8}
BASE, LATER = {"always": True, "once": True, "all": 3}, {"later": True}


@pytest.mark.parametrize(
    ("firmware", "values", "size"),
    [
        ((2, 12), BASE, 4),
        ((2, 13), BASE | MIDDLE, 4),
        ((3, 13), BASE | LAST, 9),
        ((3, 50), BASE | LATER | MIDDLE, 4),
        ((3, 70), BASE | LATER | MIDDLE | PAIRS, 8),
        ((3, 80), BASE | LATER | MIDDLE | PAIRS | LAST, 9),
        ((4, 0), {"always": True, "all": 3} | LATER | MIDDLE | PAIRS | LAST, 9),
        (None, BASE | LATER | MIDDLE | PAIRS | LAST, 9),
    ],
)
def test_firmware_decides_what_is_there_and_moves_nothing(firmware, values, size):
    dims = Dimensions(firmware=firmware)
    assert dict(MARKED.decode(MARKED_DATA, dims)) == values
    assert MARKED.size(dims) == size
    assert MARKED.certain_size(dims) == 4
    assert MARKED.encode(values, dims, base=MARKED_DATA) == MARKED_DATA


def test_what_was_not_told_is_not_guessed():
    table = Table(
        EXTENDED + 2043, "Untold", "0", (Group("x", (Field("y", UINT8),), count("power_outages_recorded") + 1),)
    )
    assert table.told_by == ("ET04",)
    assert table.size(Dimensions(power_outages_recorded=2)) == 3
    with pytest.raises(Untold, match=r"stands in ET04\.53, which was not read"):
        table.decode(b"1234", Dimensions())


def test_control_characters_of_a_meter_never_reach_a_terminal():
    assert (
        SAMPLE.decode(DATA[:6] + b"\x1b[m\x80", OLD)["text"] == "\N{REPLACEMENT CHARACTER}[m\N{REPLACEMENT CHARACTER}"
    )


def test_layouts_are_compiled_once():
    assert TABLES["BT23"].layout(OLD) is TABLES["BT23"].layout(OLD)


def test_two_fields_of_one_name_are_a_mistake_of_the_declaration():
    twice = Table(EXTENDED + 2046, "Twice", "0", (Field("same", UINT8), Field("same", UINT8)))
    with pytest.raises(MisuseError, match="two fields are called same"):
        twice.size(OLD)
