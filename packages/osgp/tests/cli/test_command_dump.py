"""dump, diff and decode: files that go round, go on, and hold no secret."""

import json
import struct

import pytest

from osgp.errors import TableError
from osgp.image import MeterImage
from osgp.image.dump import Dump
from osgp.optical.server import Meter
from osgp.optical.timing import Limits
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions

MBUS_KEY = bytes(range(0x41, 0x61))


@pytest.fixture
def secretive(town):
    """Give a meter whose ET13 holds the key of a device, and which has a table of passwords."""
    image = MeterImage()
    image.tables = {
        table_id("BT42"): bytearray(b"Password-of-the-optical-port"),
        table_id("ET03"): bytearray(b"LGZ0012345678".ljust(143, b"\0")),
        table_id("ET11"): bytearray((5, 66)) + bytearray(30),
        table_id("ET13"): bytearray(30) + MBUS_KEY + bytearray(330 - 62),
        table_id("BT52"): bytearray.fromhex("1a0b16081e0500"),
        table_id("BT55"): bytearray.fromhex("1a0b16091e00300100"),
    }
    return town.put("secretive", image)


LOGS = {
    "ET31": (20, 3), "ET41": (0, 0), "ET45": (525, 2), "ET75": (143, 4), "ET81": (12, 40),
}  # fmt: skip
"""Entry size and number of entries, as ET36 tells them."""


def large_image():
    """Return a meter with tables that are longer than an answer, each full of bytes that are not zero."""
    image = MeterImage.load("image:denmark-gen3")
    dims = Dimensions(firmware=(3, 82), self_reads=3)
    records = [(table_id(name), *sizes) for name, sizes in LOGS.items()]
    small = {
        "BT01": {"firmware": (3, 82, 5)},
        "BT20": {"self_reads": 12, "summations": 11, "tiers": 4, "present_values": 55},
        "BT21": {"self_reads": 3, "summations": 11, "tiers": 4, "present_values": 55},
        "BT61": {"int32": True, "data_sets": [{"blocks": 30, "intervals": 96, "channels": 2}] + [{}] * 3},
        "BT71": {"history_entries": 60, "history_data_length": 2},
        "ET04": {"power_outages_recorded": 10},
        "ET11": {
            "devices": 5,
            "data_entry_size": 517,
            "transaction_request_size": 896,
            "transaction_response_size": 1785,
        },
        "ET54": {"et74_entries": 2, "et79_entries": 40, "multiple_load_profiles": True},
    }
    made = {name: TABLES[name].encode(fields, dims) for name, fields in small.items()}
    made["ET36"] = bytes((len(records),)) + b"".join(
        struct.pack("<HHHH9x", number, size, 255, count) for number, size, count in records
    )
    for name, size in LARGE.items():
        made[name] = bytes(1 + at % 251 for at in range(size))
    image.tables = {table_id(name): bytearray(data) for name, data in made.items()} | {
        number: data for number, data in image.tables.items() if number in (23, 28)
    }
    image.derive_dimensions()
    return image


LARGE = {
    "BT26": 6 + 3 * (6 + 220),
    "BT64": 30 * 977,
    "BT74": 11 + 60 * 14,
    "ET09": 180 + 477,
    "ET16": 2585,
    "ET45": 6 + 2 * 525,
    "ET52": 896,
    "ET53": 1785,
    "ET74": 9 + 2 * 525,
    "ET75": 6 + 4 * 143,
    "ET79": 11 + 40 * 14,
    "ET81": 6 + 40 * 12,
}


@pytest.mark.parametrize("port", ["mep", "optical"])
def test_d7_a_dump_holds_tables_that_are_longer_than_an_answer(osgp, town, keys, tmp_path, port):
    image = large_image()
    where = town.put("large", image)
    document = json.loads(
        osgp("dump", "a.json", "--json", "--fast", "-p", getattr(where, port), key=getattr(keys, port)).out
    )
    assert document["missing"] == []
    assert document["complete"]
    held = tables(tmp_path / "a.json")
    for name, size in LARGE.items():
        assert bytes.fromhex(held[name]) == bytes(image.tables[table_id(name)]), name
        assert len(bytes.fromhex(held[name])) == size


def test_d7_the_made_up_house_is_dumped_whole_over_the_mep_port(osgp, house, town, tmp_path):
    ended = osgp("dump", "a.json", "--json", "--fast", "-p", house.mep)
    document = json.loads(ended.out)
    assert (document["complete"], document["refused"]) == (True, {})
    meter = town.meters["house"]
    for name, text in tables(tmp_path / "a.json").items():
        assert len(bytes.fromhex(text)) == len(meter.read(name)), name
    assert bytes.fromhex(tables(tmp_path / "a.json")["BT64"]) == meter.read("BT64")


def test_d7_one_long_table_is_shown(osgp, town):
    where = town.put("large", large_image())
    document = json.loads(osgp("tables", "BT26", "--json", "--fast", "-p", where.mep).out)
    assert document["tables"][0]["bytes"] == LARGE["BT26"]
    assert document["tables"][0]["hex"] == large_image().tables[26].hex()
    assert document["tables"][0]["unknown"] == ""


def test_r10_a_dump_says_which_tables_are_missing(osgp, town, tmp_path):
    image = large_image()
    image.tables[table_id("BT02")] = bytearray(b"\x01" * 600)
    del image.tables[table_id("BT71")]
    del image.tables[0]
    image.derive_dimensions()
    where = town.put("large", image)
    ended = osgp("dump", "a.json", "--fast", "-p", where.mep)
    assert "Not complete: BT02, BT74, ET79 could not be read" in ended.err
    assert (
        "BT02: the meter does not give BT02 as a whole: probably it is longer than the 465 bytes that this program"
        in ended.err
    )
    assert "no guide tells how long it is" in ended.err
    assert "Over the optical port" in ended.err
    assert "what tells its size (BT71) was not read" in ended.err
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["complete"] is False
    assert set(document["refused"]) == {"BT02", "BT74", "ET79"}
    town.sources["large"].tables[table_id("BT02")] = bytearray(b"\x01" * 60)
    ended = osgp("dump", "a.json", "--json", "--fast", "-p", where.mep)
    assert json.loads(ended.out)["missing"] == ["BT74", "ET79"]
    assert "BT02" not in json.loads((tmp_path / "a.json").read_text())["refused"]


def test_l6_a_dump_says_whether_its_tables_are_of_one_configuration(osgp, town, tmp_path):
    image = large_image()
    image.tables[table_id("BT02")] = bytearray(b"\x01" * 600)
    del image.tables[0]
    image.derive_dimensions()
    where = town.put("large", image)
    ended = osgp("dump", "a.json", "--fast", "-p", where.mep)
    assert "reconfigured" not in ended.err
    assert json.loads((tmp_path / "a.json").read_text())["layout"] == "confirmed"
    osgp("dump", "a.json", "--fast", "-p", where.mep)
    assert json.loads((tmp_path / "a.json").read_text())["layout"] == "confirmed", "also when it is continued"
    version = TABLES["ET04"].layout(Dimensions()).entries["idt_version"].offset
    town.sources["large"].tables[table_id("ET04")][version] += 1
    ended = osgp("dump", "a.json", "--fast", "-p", where.mep)
    assert "Not complete. The meter was reconfigured while this dump was taken" in ended.err
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["layout"].startswith("changed: The meter was reconfigured")
    assert document["complete"] is False
    ended = osgp("dump", "a.json", "--fast", "-p", where.mep)
    assert ended.code != 0
    assert "a.json cannot be continued. The meter was reconfigured" in ended.err
    assert "Delete the file and take the dump again" in ended.err
    osgp("dump", "b.json", "--from", "a.json", "--anonymise")
    assert json.loads((tmp_path / "b.json").read_text())["layout"].startswith("changed: ")


@pytest.mark.parametrize("began", ["refused at first", "by an earlier version"])
def test_l6_a_dump_whose_configuration_was_asked_for_late_is_not_confirmed(osgp, town, tmp_path, began):
    """Its first tables may be of another configuration than its ET04; also when it is continued once more."""
    image = large_image()
    image.tables[table_id("BT02")] = bytearray(b"\x01" * 600)
    del image.tables[0]
    image.derive_dimensions()
    where = town.put("large", image)
    osgp("dump", "a.json", "--fast", "-p", where.mep)
    file = tmp_path / "a.json"
    document = json.loads(file.read_text())
    assert (document["layout"], document["complete"]) == ("confirmed", False)
    if began == "refused at first":
        document["layout"] = "not confirmed: the dump is not finished"
        del document["tables"]["ET04"]
    else:
        del document["layout"]
    file.write_text(json.dumps(document))
    version = TABLES["ET04"].layout(Dimensions()).entries["idt_version"].offset
    if began == "refused at first":
        town.sources["large"].tables[table_id("ET04")][version] += 1
    for _ in range(2):
        osgp("dump", "a.json", "--fast", "-p", where.mep)
        assert json.loads(file.read_text())["layout"].startswith("not confirmed: ET04, whose version")


def test_r10_a_dump_of_an_earlier_version_is_no_more_complete_than_it_was():
    text = '{"format": 1, "refused": {"BT26": "the operation is not possible"}, "listed": ["BT26"], "complete": true, "tables": {}}'
    dump = Dump.parse(text, "old.json")
    assert not dump.complete
    assert dump.missing() == ["BT26"]
    assert Dump.parse(text.replace("the operation", "not read: the operation"), "old.json").complete


def test_r10_255_packets_hold_what_sixteen_do_not(osgp, town, keys, tmp_path):
    image = MeterImage.load("image:denmark-gen3")
    image.tables[table_id("BT02")] = bytearray(b"\x01" * 20_000)
    where = town.put("large", image)
    ended = osgp("dump", "a.json", "--fast", "-p", where.optical, key=keys.optical)
    assert "Not complete" not in ended.err
    assert len(bytes.fromhex(tables(tmp_path / "a.json")["BT02"])) == 20_000


def test_r10_a_meter_that_grants_little_is_said_so(osgp, town, keys):
    image = MeterImage.load("image:denmark-gen3")
    image.tables[table_id("BT02")] = bytearray(b"\x01" * 600)
    town.habits = Meter(limits=Limits(64, 1))
    where = town.put("small", image)
    ended = osgp("dump", "a.json", "--fast", "-p", where.optical, key=keys.optical)
    assert "Not complete: BT02 could not be read" in ended.err
    assert "no guide tells how long it is" in ended.err


def tables(path):
    return {name: entry["hex"] for name, entry in json.loads(path.read_text())["tables"].items()}


def test_a_dump_served_and_dumped_again_is_the_same(osgp, denmark, town, tmp_path):
    ended = osgp("dump", "first.json", "-p", denmark.mep)
    assert ended.code == 0
    assert ended.out == "first.json: 11 tables, 637 bytes. Try it: osgp simulate first.json\n"
    copy = town.put("copy", MeterImage.load("first.json"))
    document = json.loads(osgp("dump", "second.json", "--json", "-p", copy.mep).out)
    assert document == {
        "file": "second.json",
        "tables": 11,
        "bytes": 637,
        "refused": {},
        "complete": True,
        "missing": [],
        "layout": "not confirmed: the meter does not give ET04, whose version says whether it was reconfigured meanwhile",
    }
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


def test_both_ports_dump_the_same(osgp, denmark, keys, tmp_path):
    osgp("dump", "mep.json", "-p", denmark.mep)
    osgp("dump", "optical.json", "-p", denmark.optical, key=keys.optical)
    assert tables(tmp_path / "mep.json") == tables(tmp_path / "optical.json")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_dump_cut_short_goes_on_and_equals_a_whole_one(osgp, denmark, tmp_path, share):
    osgp("dump", "whole.json", "-p", denmark.mep)
    whole = (tmp_path / "whole.json").read_text()
    (tmp_path / "cut.json").write_text(whole[: int(len(whole) * share)])
    ended = osgp("dump", "cut.json", "-p", denmark.mep)
    if share > 0.2:
        assert "Going on with cut.json" in ended.err
        assert (tmp_path / "cut.json").read_text() == whole
    else:
        # Nothing to keep, so nothing to trust: better ask than overwrite.
        assert ended.code == 2
        assert "begin a new file" in ended.err


def test_a_dump_that_was_interrupted_asks_only_for_the_rest(osgp, denmark, town, tmp_path):
    osgp("dump", "whole.json", "-p", denmark.mep)
    whole = Dump.parse((tmp_path / "whole.json").read_text(), "whole.json")
    part = Dump(MeterImage(dict(list(whole.image.tables.items())[:9])), {}, whole.listed, complete=False)
    (tmp_path / "part.json").write_text(part.to_json())
    before = sum(meter.traffic.answered for meter in town.meters.values())
    assert osgp("dump", "part.json", "-p", denmark.mep).code == 0
    asked = town.meters["denmark"].traffic.answered
    assert tables(tmp_path / "part.json") == tables(tmp_path / "whole.json")
    assert asked < before


def test_a_complete_dump_is_not_taken_again(osgp, denmark):
    osgp("dump", "a.json", "-p", denmark.mep)
    ended = osgp("dump", "a.json", "-p", denmark.mep)
    assert ended.code == 2
    assert "a.json is a complete dump already" in ended.err


def test_a_dump_of_another_meter_is_not_mixed_in(osgp, secretive, house, tmp_path):
    osgp("dump", "a.json", "-p", secretive.mep)
    document = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(document | {"complete": False}))
    ended = osgp("dump", "a.json", "-p", house.mep)
    assert ended.code == 2
    assert "dump of another meter (serial number LGZ0012345678)" in ended.err


def test_no_secret_reaches_a_dump_or_the_screen(osgp, secretive, tmp_path):
    ended = osgp("dump", "a.json", "-p", secretive.mep)
    assert "BT42: not read: it holds the passwords of the optical port" in ended.err
    shown = [
        ended.out,
        ended.err,
        (tmp_path / "a.json").read_text(),
        osgp("tables", "ET13", "-p", secretive.mep).out,
        osgp("tables", "ET13", "BT42", "--json", "-p", secretive.mep).out,
    ]
    for secret in (MBUS_KEY, b"Password"):
        for text in shown:
            for form in (secret.hex(), secret.hex(" "), secret[:8].hex(), secret[:8].hex(" ")):
                assert form not in text
    assert "** x 32" in shown[3]
    assert json.loads(shown[4])["tables"][0]["hex"] is None


def test_keys_that_cannot_be_found_keep_their_table_closed(osgp, secretive, town, tmp_path):
    del town.sources["secretive"].tables[table_id("ET11")]
    ended = osgp("dump", "a.json", "-p", secretive.mep)
    assert "ET13: not read: it holds keys of M-Bus devices" in ended.err
    assert "ET13" not in tables(tmp_path / "a.json")
    ended = osgp("tables", "ET13", "-p", secretive.mep)
    assert "ET13 is not read: it holds keys of M-Bus devices" in ended.err
    data = bytearray(30) + MBUS_KEY + bytearray(330 - 62)
    (tmp_path / "a.csv").write_text(f"2061,X,330,{data.hex()}\n")
    (tmp_path / "b.csv").write_text(f"2061,X,330,{bytes(330).hex()}\n")
    for words in (["decode", "a.csv"], ["decode", "a.csv", "--json"], ["diff", "a.csv", "b.csv", "--all"]):
        ended = osgp(*words)
        assert MBUS_KEY[:4].hex() not in (ended.out + ended.err).replace(" ", "")
    osgp("dump", "c.json", "--from", "a.csv", "--anonymise")
    assert tables(tmp_path / "c.json") == {}


@pytest.mark.parametrize("table", ["ET13", "BT42", "ET94", "ET95"])
def test_tables_with_secrets_are_neither_traced_nor_written(osgp, secretive, table):
    for words in (["trace", table], ["write", table, "--hex", "00", "--offset", "30"]):
        ended = osgp(*words, "-p", secretive.mep)
        assert ended.code == 2
        assert "keys or passwords" in ended.err
        assert ended.out == ""


def test_an_anonymous_dump_does_not_tell_whose_it_is(osgp, secretive, tmp_path):
    osgp("dump", "a.json", "--anonymise", "-p", secretive.mep)
    text = (tmp_path / "a.json").read_text()
    assert b"LGZ".hex(" ") not in text
    assert MBUS_KEY[:8].hex(" ") not in text
    assert not (tmp_path / "a.json.partial").exists()
    MeterImage.load("a.json")


def test_an_anonymous_dump_leaves_out_what_nobody_understands(osgp, denmark, tmp_path):
    osgp("dump", "a.json", "--anonymise", "-p", denmark.mep)
    assert "BT13" not in tables(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())["refused"]["BT13"].startswith("left out")


def test_csv_is_that_of_termineter_and_comes_back(osgp, denmark, tmp_path):
    osgp("dump", "a.json", "-p", denmark.mep)
    osgp("dump", "a.csv", "--format", "csv", "-p", denmark.mep)
    rows = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    assert ["13", "BT13", "3", "aabbcc"] in rows
    assert all(len(row) == 4 and int(row[2]) * 2 == len(row[3]) for row in rows)
    assert osgp("dump", "b.json", "--from", "a.csv").code == 0
    assert tables(tmp_path / "a.json") == tables(tmp_path / "b.json")
    assert osgp("diff", "a.json", "a.csv").code == 0


def test_diff_names_fields_and_masks_noise(osgp, denmark, tmp_path):
    osgp("dump", "a.json", "-p", denmark.mep)
    image = MeterImage.load("a.json")
    image.tables[table_id("BT52")][5] += 1
    image.tables[table_id("BT23")][0] += 1
    image.tables[table_id("BT03")][2] = 0
    image.tables[table_id("BT13")][1] = 0
    del image.tables[table_id("BT55")]
    image.save("b.json")
    ended = osgp("diff", "a.json", "b.json")
    assert [" ".join(line.split()) for line in ended.out.splitlines()] == [
        "BT03 cover_removed yes -> no",
        "BT13 byte 1 bb -> 00",
        "BT55 (table) 9 bytes -> absent",
    ]
    assert "2 fields that change by themselves are not shown" in ended.err
    assert ended.code == 5
    document = json.loads(osgp("diff", "a.json", "b.json", "--all", "--json").out)
    assert {(each["table"], each["field"]) for each in document["differences"]} >= {
        ("BT52", "clock"), ("BT23", "blocks[0].summations[0]"), ("BT03", "cover_removed"),
    }  # fmt: skip
    assert document["masked"] == 0


def test_d7_logs_that_a_dump_now_holds_do_not_bury_what_was_configured(osgp):
    image = large_image()
    image.save("a.json")
    for name in LARGE.keys() - {"ET09", "ET52", "ET53"}:
        image.tables[table_id(name)][20] ^= 0xFF
    image.tables[table_id("ET09")][2] ^= 0xFF
    image.save("b.json")
    assert osgp("diff", "a.json", "b.json").out.split() == ["ET09", "sag_swell_minutes", "3", "min", "->", "252", "min"]


def test_diff_of_a_dump_and_itself(osgp, denmark):
    osgp("dump", "a.json", "-p", denmark.mep)
    ended = osgp("diff", "a.json", "a.json")
    assert (ended.code, ended.out) == (0, "")
    assert "No difference." in ended.err


def test_decode_shows_a_dump_without_a_meter(osgp, denmark):
    osgp("dump", "a.json", "-p", denmark.mep)
    whole = osgp("decode", "a.json", key=None)
    assert whole.code == 0
    assert "65,845.342 kWh  Import energy" in whole.out
    one = osgp("decode", "a.json", "BT52", key=None).out
    assert one in whole.out
    assert osgp("tables", "BT52", "-p", denmark.mep).out == one
    assert json.loads(osgp("decode", "a.json", "--json").out)["tables"][0]["table"] == "BT00"


def test_decode_takes_pasted_hex(osgp):
    typed = osgp("decode", "BT52", typed="0x1a, 0x0b, 0x16, 0x08, 0x1e, 0x05, 0x00\n")
    assert "2026-11-22 08:30:05 UTC" in typed.out
    assert osgp("decode", "BT52", "1a0b1608", "1e0500").out == typed.out


def test_decode_takes_the_layout_from_a_dump(osgp, denmark):
    osgp("dump", "a.json", "-p", denmark.mep)
    out = osgp("decode", "BT28", "b0 01 00 00", "--dimensions", "a.json").out
    assert "432 W  Import power" in out
    # What was not pasted is not there: no zeros are made up.
    assert "Export power" not in out


def test_decode_of_a_dump_that_does_not_tell_sizes_assumes_the_usual_ones(osgp, tmp_path):
    (tmp_path / "odd.csv").write_text("1,GENERAL,2,4e45\n52,UTC,7,1a0b16081e0500\n")
    ended = osgp("decode", "odd.csv")
    assert "the usual ones are assumed: BT01 has 2 bytes" in ended.err
    assert "2026-11-22 08:30:05 UTC" in ended.out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["decode", "BT52", "1a 0"], "half a byte"),
        (["decode", "BT52", "1a xy"], "no hex digit"),
        (["decode", "BT52", ""], "no bytes of BT52"),
        (["decode", "nowhere.json"], "cannot read the dump nowhere.json"),
        (["diff", "nowhere.json", "nowhere.json"], "cannot read the dump"),
        (["decode", "broken.json"], "mend the JSON"),
        (["decode", "broken.csv"], "broken.csv, line 1"),
        (["dump", "out.json", "--from", "empty.csv"], "is empty"),
        (["dump", "/nowhere/out.json", "--from", "good.csv"], "cannot write /nowhere/out.json"),
        (["decode", "good.csv", "BT77"], "this image has no BT77"),
    ],
)
def test_wrong_files_are_named(osgp, tmp_path, words, wanted):
    (tmp_path / "broken.json").write_text('{"tables": }')
    (tmp_path / "broken.csv").write_text("1,GENERAL,2,aa\n")
    (tmp_path / "empty.csv").write_text("\n")
    (tmp_path / "good.csv").write_text("52,UTC,7,1a0b16081e0500\n")
    ended = osgp(*words)
    assert ended.code == 2
    assert wanted in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"tables": {}, "refused": 3}',
        '{"tables": {}, "listed": ["BT"]}',
        '{"tables": {}, "listed": [3]}',
        '{"tables": {}, "refused": {"BT01": 3}}',
        '{"tables": {}, "complete": "yes"}',
        "[" * 100_000,
        "{" * 100_000,
        "1,2,3",
        "99999999,X,0,",
        "6073,,0,",
        "1,A,1,aa\n1,A,1,aa",
    ],
)
def test_what_is_no_dump_is_an_error(text):
    with pytest.raises(TableError):
        Dump.parse(text, "file")
