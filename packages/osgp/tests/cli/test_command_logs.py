"""``osgp events``, ``osgp outages``, ``osgp selfreads``, against a simulated meter of table bytes."""

import csv
import io
import json
import struct

import pytest

from osgp.image import MeterImage
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions

# As in the golden files of tests/tables/logs: by hand from the guides.
BT74 = """06 0400 0100 03000100 0200
1A0B010A0005 0100 FDFF 23F1 3412
1A0B010A0709 0300 FFFF 4500 0000
1A0A1E173B3B FDFF 0100 0108 FF00
1A0A1F000000 FFFF FEFF 0200 0700"""
ET36 = b"\1" + struct.pack("<HHHHB8x", table_id("ET81"), 12, 253, 3, 0) + b"\0"
ET81 = "06 03 00 0400 01 1A0A19023200 1A0A19020A00 1A06010C0000 1A06010C002D 1A091E173B32 1A0A01001E00"

EVENTS = """\
Number  Time (UTC)           Event  Name          Argument  By
 65539  2026-11-01 10:07:09     69  cover opened  00 00
 65537  2026-11-01 10:00:05    291                34 12     MEP port
 65535  2026-10-31 00:00:00      2  power up      07 00     power line
 65533  2026-10-30 23:59:59   2049                ff 00     optical, user 1
"""
OUTAGES = """\
Begin                End                  Clock  Lasted       Cause
2026-10-25 00:50:00  2026-10-25 01:10:00  UTC    20 min
2026-09-30 21:59:50  2026-09-30 22:30:00  UTC    30 min 10 s
2026-06-01 10:00:00  2026-06-01 10:00:45  UTC    45 s
"""
LOCAL_OUTAGES = """\
Begin                End                  Clock  Lasted  Cause
2026-10-25 02:50:00  2026-10-25 02:10:00  local
"""
SELF_READS = """\
What             Local time        Season         Import     Export
self read        2026-11-01 00:00       1  1,010.000 kWh  0.000 kWh
self read        2026-10-01 00:00       0  1,000.000 kWh  0.000 kWh
previous season  2026-10-25 03:00       0  1,007.000 kWh  0.000 kWh
"""


def copy(month, day, hour, season, energy):
    registers = energy.to_bytes(4, "little") + bytes(216)
    return bytes((26, month, day, hour, 0, season)) + registers


TELLING = {
    "BT71": TABLES["BT71"].encode({"history_entries": 4, "history_data_length": 2}, Dimensions()),
    "BT74": bytes.fromhex(BT74),
    "ET36": ET36,
    "ET81": bytes.fromhex(ET81),
    "BT26": b"\4" + struct.pack("<BBHB", 2, 1, 7, 0) + copy(10, 1, 0, 0, 1_000_000) + copy(11, 1, 0, 1, 1_010_000),
    "BT24": copy(10, 25, 3, 0, 1_007_000),
    "BT25": bytes(226),
}


@pytest.fixture
def kept(town):
    """Give what puts up the Danish meter with these logs, and only these."""

    def put(**tables):
        image = MeterImage.load("image:denmark-gen3")
        for name in ("BT24", "BT25", "BT26", "BT71", "BT74", "ET36", "ET79", "ET81", "ET09", "ET31", "ET41"):
            image.tables.pop(table_id(name), None)
        for name, data in tables.items():
            image.tables[table_id(name)] = bytearray(data)
        image.derive_dimensions()
        image.tables[table_id("BT21")][2] = 2
        return town.put("kept", image).mep

    return put


def told(osgp, command, where, *options):
    ended = osgp(command, "--fast", "-p", where, *options)
    assert ended.code == 0, ended.err
    return ended


def test_events_for_people_with_the_owner_s_names(osgp, kept, tmp_path):
    (tmp_path / "names.toml").write_text('[events]\n69 = "cover opened"\n', encoding="utf-8")
    ended = told(osgp, "events", kept(**TELLING), "--names", "names.toml")
    assert ended.out == EVENTS
    assert ended.err == ""


def test_events_for_scripts_and_what_is_new_since(osgp, kept):
    where = kept(**TELLING)
    document = json.loads(told(osgp, "events", where, "--json").out)
    assert document["events"][0] == {
        "sequence": 65539, "time": "2026-11-01T10:07:09+00:00", "event": 69, "name": None, "user": 0xFFFF, "argument": "0000", "logs": ["BT74"],
    }  # fmt: skip
    assert document["tables"] == ["BT74"]
    assert (document["missed"], document["restarted"]) == (None, False)
    assert told(osgp, "events", where, "--known", document["known"]).out == "Nothing new.\n"
    again = json.loads(told(osgp, "events", where, "--json", "--known", document["known"]).out)
    assert (again["events"], again["missed"], again["known"]) == ([], 0, document["known"])


def test_events_for_spreadsheets(osgp, kept):
    rows = list(csv.DictReader(io.StringIO(told(osgp, "events", kept(**TELLING), "--csv", "--last", "2").out)))
    assert [row["sequence"] for row in rows] == ["65539", "65537"]
    assert rows[1]["argument"] == "3412"
    assert rows[1]["name"] == ""


def test_names_that_are_none_are_explained(osgp, kept, tmp_path):
    (tmp_path / "names.toml").write_text("[events]\nx = 1\n", encoding="utf-8")
    ended = osgp("events", "--fast", "-p", kept(**TELLING), "--names", "names.toml")
    assert ended.code == 2
    assert "names.toml: 'x' is no number of an event" in ended.err


def test_a_meter_without_logs_says_so(osgp, kept):
    where = kept()
    assert told(osgp, "events", where).out == "This meter keeps no event log.\n"
    assert told(osgp, "outages", where).out == "This meter keeps no list of outages.\n"


def test_outages_in_the_zone_of_the_meter(osgp, kept):
    ended = told(osgp, "outages", kept(**TELLING), "--zone", "Europe/Copenhagen")
    assert ended.out == OUTAGES
    assert ended.err == ""


def test_outages_without_a_zone_have_no_length(osgp, kept):
    ended = told(osgp, "outages", kept(**TELLING), "--last", "1")
    assert ended.out == LOCAL_OUTAGES
    assert "--zone" in ended.err


def test_outages_for_scripts_and_spreadsheets(osgp, kept):
    where = kept(**TELLING)
    document = json.loads(told(osgp, "outages", where, "--json", "--zone", "Europe/Copenhagen").out)
    assert document["outages"][0] == {
        "begin": "2026-10-25T00:50:00+00:00", "end": "2026-10-25T01:10:00+00:00", "seconds": 1200, "cause": None,
        "local_begin": "2026-10-25T02:50:00", "local_end": "2026-10-25T02:10:00", "sequence": 4,
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(told(osgp, "outages", where, "--csv").out)))
    assert [(row["sequence"], row["seconds"]) for row in rows] == [("4", ""), ("3", ""), ("2", "")]


def test_a_zone_that_is_none_is_explained(osgp, kept):
    ended = osgp("outages", "--zone", "Mars/Phobos", "-p", kept(**TELLING))
    assert ended.code == 2
    assert "Mars/Phobos" in ended.err


def test_self_reads_for_people(osgp, kept):
    ended = told(osgp, "selfreads", kept(**TELLING))
    assert ended.out == SELF_READS


def test_self_reads_for_scripts_and_spreadsheets(osgp, kept):
    where = kept(**TELLING)
    document = json.loads(told(osgp, "selfreads", where, "--json", "--last", "1").out)
    kinds = [(one["kind"], one["local_time"], one["values"]["active_energy_import"]) for one in document["self_reads"]]
    assert kinds == [("self read", "2026-11-01T00:00:00", 1010.0), ("previous season", "2026-10-25T03:00:00", 1007.0)]
    rows = list(csv.DictReader(io.StringIO(told(osgp, "selfreads", where, "--csv").out)))
    assert [row["active_energy_import"] for row in rows] == ["1010.0", "1000.0", "1007.0"]


def test_read_says_what_happened_last(osgp, kept):
    where = kept(**TELLING)
    lines = told(osgp, "read", where).out.splitlines()
    assert "Event   newest 69 at 2026-11-01 10:07:09 UTC" in lines
    assert "Outage  newest 2026-10-25 02:50:00 local" in lines
    document = json.loads(told(osgp, "read", where, "--json").out)
    assert (document["newest_event"]["sequence"], document["newest_outage"]["sequence"]) == (65539, 4)
    bare = json.loads(told(osgp, "read", kept(), "--json").out)
    assert (bare["newest_event"], bare["newest_outage"]) == (None, None)
    assert not {"BT74", "ET79", "ET81", "ET09"} & bare["refused"].keys(), "said by the commands for them"


def test_the_made_up_house_has_logs(osgp, house):
    # It was put in a short while ago: nothing has happened, and no month has begun.
    assert told(osgp, "selfreads", house.mep).out == "This meter has kept no copy of its registers.\n"
    assert told(osgp, "events", house.mep).out == "No event is logged.\n"
