"""write and call: nothing is sent unless it was meant three times."""

import json

import pytest


def test_write_is_a_dry_run(osgp, house, town):
    ended = osgp("write", "ET50", "--hex", "01", "--offset", "30", "-p", house.mep)
    assert ended.out.splitlines() == [
        "ET50, bytes 30 to 30:",
        "  now   00",
        "  then  01",
        "Nothing was written. Give --allow-writes to send this to the meter.",
    ]
    assert ended.code == 0
    assert town.meters["house"].read("ET50")[30] == 0


def test_write_needs_a_typed_word(osgp, house, town):
    for words in ([], ["--confirm", "ET51"]):
        ended = osgp("write", "ET50", "--hex", "01", "--offset", "30", "--allow-writes", *words, "-p", house.mep)
        assert ended.code == 2
        assert "not confirmed, nothing was sent. Type ET50" in ended.err
        assert town.meters["house"].read("ET50")[30] == 0


def test_write_reads_back(osgp, house, town):
    words = ["write", "ET50", "--hex", "01", "--offset", "30", "--allow-writes", "--confirm", "ET50", "-p", house.mep]
    ended = osgp(*words)
    assert "Written, and read back the same." in ended.out
    assert "A meter is the grid company's." in ended.err
    assert town.meters["house"].read("ET50")[30] == 1


def test_write_by_field_changes_only_its_bytes(osgp, house):
    document = json.loads(
        osgp("write", "ET55", "--set", "energy_unit=10", "--set", "message_text=Hej", "--json", "-p", house.mep).out
    )
    assert document["written"] is False
    [change] = document["changes"]
    assert change["before"] != change["after"]
    assert bytes.fromhex(change["after"])[:3] == b"Hej"
    assert bytes.fromhex(change["after"])[-1] == 10


def test_write_of_what_is_there_already(osgp, house):
    ended = osgp("write", "ET55", "--set", "energy_unit=1", "-p", house.mep)
    assert "there is nothing to write" in ended.out
    assert ended.code == 0


def test_a_write_the_key_may_not_make_is_refused_by_the_meter(osgp, house):
    ended = osgp("write", "ET55", "--set", "energy_unit=10", "--allow-writes", "--confirm", "ET55", "-p", house.mep)
    assert ended.code == 1
    assert "writing ET55 failed: the meter refused to write ET55: this key may not do that" in ended.err


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["write", "ET50"], "either --set FIELD=VALUE or --hex"),
        (["write", "ET50", "--hex", "01", "--set", "a=1"], "either --set"),
        (["write", "ET50", "--hex", "1"], "half a byte"),
        (["write", "ET50", "--hex", ""], "holds no bytes"),
        (["write", "ET96", "--set", "a=1"], "the fields of ET96 are not known"),
        (["write", "XX01", "--hex", "01"], "no table name"),
        (["write", "ET55", "--set", "energy_unit"], "write FIELD=VALUE"),
        (["write", "ET55", "--set", "nothing=1"], "has no single field nothing"),
        (["write", "ET55", "--set", "energy_unit=many"], "is no number"),
        (["write", "ET55", "--set", "energy_unit=999"], "cannot hold 999"),
        (["write", "ET55", "--set", "optical_timers=maybe"], "yes or no"),
        (["write", "ET55", "--set", "over_power_threshold=-1"], "cannot hold -1"),
        (["write", "ET55", "--set", "message_start=soon"], "2026-11-22T18:30:00"),
        (["write", "ET55", "--set", "message_text=far too long"], "the field holds 8"),
        (["call", "ET17"], "no procedure name"),
        (["call", "EP17", "u8:300"], "does not fit u8"),
        (["call", "EP17", "five"], "is no parameter"),
        (["call", "EP17", "u8:five"], "is no number"),
    ],
)
def test_what_cannot_be_written_is_said(osgp, house, words, wanted):
    ended = osgp(*words, "-p", house.mep)
    assert ended.code == 2
    assert wanted in ended.err


def test_call_shows_its_bytes_and_sends_nothing(osgp):
    ended = osgp("call", "EP17", "u8:1", "u16:0xFFFF", "text:a", "hex:0b 0c", "i16:-2", key=None)
    assert ended.code == 0
    assert ended.out.splitlines()[1] == "  11 08 .. 01 ff ff 61 0b 0c fe ff"
    assert "Nothing was sent" in ended.out
    assert json.loads(osgp("call", "EP17", "u8:1", "--json", key=None).out) == {
        "procedure": "EP17", "parameters": "01", "called": False,
    }  # fmt: skip


def test_call_reports_the_meters_result(osgp, house):
    words = ["call", "EP17", "u8:0", "u16:0xFFFF", "--allow-writes", "-p", house.mep]
    assert osgp(*words).code == 2
    ended = osgp(*words, "--confirm", "EP17")
    assert ended.code == 1
    assert "Result 6: the meter has no such procedure" in ended.out
    document = json.loads(osgp(*words, "--confirm", "EP17", "--json").out)
    assert document["result"] == 6
    assert document["called"] is True
