"""How large logs are: ET36 and BT71, against the places that the guide prints."""

import pytest

from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions, survey
from osgp.tables.logs.dimensions import log_places
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
    assert log_places(record, table_id("ET40")) == (0, 0)
    assert log_places(record, 81) == (0, 0), "BT81 is another table"


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
    # A log that is not listed has no entries: "defines all extended tables with the following properties" (p. 107).
    assert survey({"ET36": et36(LOGS[:1])}).logs.outages == 0


@pytest.mark.parametrize(("firmware", "entries"), [((3, 60), None), ((3, 70), 20)])
def test_the_alternate_log_is_told_by_et54(firmware, entries):
    et54 = TABLES["ET54"].encode({"et79_entries": 20}, Dimensions(firmware=(3, 70)))
    bt01 = TABLES["BT01"].encode({"firmware": (*firmware, 0)}, DIMS)
    assert survey({"BT01": bt01, "ET54": et54}).logs.alternate_events == entries


def test_registers_do_not_wait_for_the_sizes_of_logs():
    assert not {"BT71", "ET36"} & set(SURVEYED)
