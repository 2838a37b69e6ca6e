"""How large logs are: ET36 and BT71, against the places that the guide prints."""

import pytest

from osgp.errors import TableError
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions, survey
from osgp.tables.logs.dimensions import log_places
from osgp.tables.schema.count import Untold
from osgp.tables.schema.dimensions import Logs
from osgp.tables.survey import SURVEYED

DIMS = Dimensions()
LOGS = (
    ("ET31", 232, 2),
    ("ET32", 525, 8),
    ("ET38", 35, 10),
    ("ET41", 233, 3),
    ("ET45", 525, 4),
    ("ET75", 143, 5),
    ("ET81", 12, 60),
)
"""The order and the entry sizes of p. 108-109."""


def et36(logs=LOGS):
    records = b"".join(
        table_id(name).to_bytes(2, "little")
        + size.to_bytes(2, "little")
        + bytes((255, 0))
        + count.to_bytes(2, "little")
        + bytes(9)
        for name, size, count in logs
    )
    return bytes((len(logs),)) + records + bytes((0b100_0001,))


@pytest.mark.parametrize(
    ("name", "size_at", "count_at"),
    [("ET31", 3, 7), ("ET41", 54, 58), ("ET45", 71, 75), ("ET75", 88, 92), ("ET81", 105, 109)],
)
def test_a_record_stands_where_et42_says_or_should(name, size_at, count_at):
    # P. 115-116 cite ET36.7, .3, .58, .54, .75, .71, .88 as they are; .90, .107 and .103 cannot be.
    data = et36()
    size, count = (int.from_bytes(data[at : at + 2], "little") for at in (size_at, count_at))
    record = TABLES["ET36"].decode(data, DIMS)
    assert log_places(record, table_id(name)) == (count, size)
    assert (name, size, count) in LOGS


def test_et36_to_its_end():
    record = TABLES["ET36"].decode(et36(), DIMS)
    assert record["unread"] == {0, 6}
    assert record["log_list"][6] == {
        "table": 81, "extended": True, "procedure": False, "entry_size": 12, "most_entries": 255, "entries": 60, "length_included": False,
    }  # fmt: skip
    assert not record.tail
    assert log_places(record, table_id("ET40")) is None
    assert log_places(record, 81) is None, "BT81 is another table"


def test_logs_are_learned_from_the_tables_that_tell():
    bt71 = TABLES["BT71"].encode({"history_entries": 100, "history_data_length": 3}, DIMS)
    logs = survey({"BT71": bt71, "ET36": et36()}).logs
    assert (logs.events, logs.argument_size) == (100, 3)
    assert (logs.one_time_reads, logs.one_time_read_size) == (2, 232)
    assert (logs.demand_resets, logs.demand_reset_size) == (3, 233)
    assert (logs.recurring_reads, logs.recurring_read_size) == (4, 525)
    assert (logs.channel_changes, logs.channel_change_size) == (5, 143)
    assert (logs.outages, logs.outage_size) == (60, 12)


def test_what_a_short_table_does_not_tell_stays_unknown():
    assert survey({"BT71": bytes(4), "ET36": b""}).logs == Logs()
    assert survey({"ET36": et36()[:60]}).logs == Logs()
    assert survey({"ET36": et36(LOGS[:1])}).logs.outages is None, "not listed"


@pytest.mark.parametrize(("firmware", "entries"), [((3, 60), None), ((3, 70), 20)])
def test_the_alternate_log_is_told_by_et54(firmware, entries):
    et54 = TABLES["ET54"].encode({"et79_entries": 20}, Dimensions(firmware=(3, 70)))
    bt01 = TABLES["BT01"].encode({"firmware": (*firmware, 0)}, DIMS)
    assert survey({"BT01": bt01, "ET54": et54}).logs.alternate_events == entries


def told_dims(firmware=(3, 82), **fields):
    """Return the dimensions of a meter that tells how large its logs are."""
    bt71 = TABLES["BT71"].encode({"history_entries": 100, "history_data_length": 2}, DIMS)
    firm = Dimensions(firmware=firmware)
    et54 = TABLES["ET54"].encode({"et79_entries": 20}, firm)
    bt01 = TABLES["BT01"].encode({"firmware": (*firmware, 0)}, firm)
    bt21 = TABLES["BT21"].encode({"date_time": True, "self_reads": 12, "summations": 11, "tiers": 4} | fields, firm)
    return survey({"BT01": bt01, "BT21": bt21, "BT71": bt71, "ET36": et36(), "ET54": et54})


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("BT24", 226),  # "226 at 11 sums/4 tiers" (p. 214)
        ("BT25", 226),
        ("BT26", 6 + 12 * 226),
        ("BT74", 11 + 100 * 14),
        ("ET31", 6 + 2 * 232),
        ("ET36", 1 + 7 * 17 + 1),
        ("ET41", 6 + 3 * 233),
        ("ET75", 6 + 5 * 143),
        ("ET79", 11 + 20 * 14),
        ("ET81", 6 + 60 * 12),
    ],
)
def test_d7_sizes_of_the_guide(name, size):
    assert TABLES[name].size(told_dims(), et36()) == size


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("BT26", {"BT21"}),
        ("BT74", {"BT71"}),
        ("ET31", {"BT21", "ET36"}),
        ("ET41", {"BT21", "ET36"}),
        ("ET75", {"ET36"}),
        ("ET79", {"BT71", "ET54"}),
        ("ET81", {"ET36"}),
    ],
)
def test_nothing_is_guessed(name, by):
    assert set(TABLES[name].told_by) == by
    if name != "BT26":
        with pytest.raises(Untold):
            TABLES[name].size(DIMS)


def test_d7_demands_make_self_reads_longer():
    dims = told_dims(self_reads=2, demands=1, coincidents=1, occurrences=1)
    assert TABLES["BT26"].size(dims) == 6 + 2 * (2 + 6 + TABLES["BT23"].size(dims))


def test_a_copy_that_does_not_fit_its_room_is_refused():
    with pytest.raises(TableError, match=r"ET36\.3 gives each entry 232 bytes, and a copy of the registers needs 306"):
        TABLES["ET31"].size(told_dims(summations=15))


@pytest.mark.parametrize(("room", "code"), [(143, "P.01"), (159, "P.01x")])
def test_the_id_codes_of_channel_changes_are_as_long_as_et36_has_room_for(room, code):
    dims = Dimensions(logs=Logs(channel_changes=2, channel_change_size=room))
    assert TABLES["ET75"].size(dims) == 6 + 2 * room
    entry = bytes((26, 11, 1, 10, 15)) + bytes(range(32)) + bytes(range(8)) + bytes((15, 2))
    entry += code.encode() + bytes((0b100, 0b1_0110_010)) + bytes(15 * (len(code) + 2))
    record = TABLES["ET75"].decode(bytes((0, 1, 0, 7, 0, 1)) + entry + bytes(room), dims)
    assert record["newest_sequence_number"] == 7
    first = record["entries"][0]
    assert (first["demand_subinterval"], first["demand_multiplier"]) == (15, 2)
    assert first["extended_sources"][1] == 0x0302
    assert first["display"][0] == {
        "id_code": code, "id_decimal_points": 4, "digits_after_point": 2, "digits_before_point": 6, "leading_zeros_hidden": True,
    }  # fmt: skip


def test_registers_do_not_wait_for_the_sizes_of_logs():
    assert not {"BT71", "ET36"} & set(SURVEYED)
