"""The tables of M-Bus devices: the bytes that the guide prints, and each field where it prints it (MEP guide v1.1)."""

from datetime import datetime

import pytest

from osgp.errors import TableError
from osgp.tables import TABLES, Dimensions, survey

GEN3, GEN4 = Dimensions(), Dimensions(mep_devices=6)

PRINTED = {
    # p. 84-89, of the first entry.
    ("ET14", "devices"): {
        "handle": 6, "status": 8, "baud_rate": 9, "billing_read_length": 10, "read_attempts": 12, "read_answers": 16,
        "billing_data_collected": 20, "serial_number_mismatch": 20, "primary_address": 22, "device_alarms": 29,
        "status_read": 30, "last_read_attempt": 36,
    },
    # p. 90-91
    ("ET15", "requests"): {"transaction": 1, "handle": 3, "type": 5, "result": 6},
    ("ET15", "writes"): {"length": 5 * 6 + 1},
    # p. 92-93
    ("ET16", "mbus"): {"time": 0, "msb_first": 6, "security_failed": 6, "telegrams": 7},
    # p. 95, of the fifth entry
    ("ET16", "mep"): {"time": 2068, "read_count": 2068 + 7, "length": 2068 + 9, "data": 2068 + 11},
    # p. 106-107
    ("ET34", "devices"): {
        "groups": 2, "profile_poll_minutes": 4, "control_data_type": 6, "command_data_type": 7, "time_data_type": 8,
        "hour_start": 9, "hour_bits": 9, "minute_start": 10, "minute_bits": 10, "profile_poll_wait": 11,
        "profile_poll_retries": 12, "profile_poll_retry_wait": 13,
    },
    ("ET57", "entries"): {"kind": 0, "data_type": 0, "special": 0, "header": 1},  # p. 164
    ("ET58", "devices"): {"control_status": 0},  # p. 165
}  # fmt: skip


@pytest.mark.parametrize(("table", "group"), PRINTED)
def test_fields_stand_where_the_guide_prints_them(table, group):
    printed = PRINTED[table, group]
    assert {name: TABLES[table].place(GEN3, group, 0, name).offset for name in printed} == printed


@pytest.mark.parametrize(
    ("table", "group", "stride"),
    [
        ("ET14", "devices", 36),
        ("ET15", "requests", 6),
        ("ET15", "writes", 25),
        ("ET16", "mbus", 517),
        ("ET34", "devices", 22),
        ("ET57", "entries", 4),
        ("ET58", "devices", 20),
    ],
)
def test_entries_follow_each_other_at_the_size_that_et11_tells(table, group, stride):
    name = next(iter(PRINTED[table, group]))
    first, second = (TABLES[table].place(GEN3, group, number, name).offset for number in (0, 1))
    assert second - first == stride


def test_8_et14_of_the_transaction_on_page_49():
    data = bytes.fromhex("00 00 00 00 00 11 01 00 01 04 2F 00")
    record = TABLES["ET14"].decode(data, GEN3)
    assert record["occupied"] == {0, 4}  # the first M-Bus device and the MEP client
    # The entry is longer than what was read; read with the rest as zeros it says what p. 49 shows.
    device = TABLES["ET14"].decode(data.ljust(186, b"\0"), GEN3)["devices"][0]
    assert (device["handle"], device["status"], device["baud_rate"]) == (1, 1, 4)
    assert device["billing_read_length"] == 0x2F
    assert device["status_read"] is None


def test_8_et15_of_the_transaction_on_page_50():
    data = bytes.fromhex("00 4200 0100 02 01 4500 0100 02 01 4800 0100 02 01 0300 F803 02 01 4B00 0100 02 01")
    record = TABLES["ET15"].decode(data, GEN3)
    assert [(one["transaction"], one["handle"]) for one in record["requests"]] == [
        (0x42, 1),
        (0x45, 1),
        (0x48, 1),
        (0x03, 0x03F8),
        (0x4B, 1),
    ]
    assert {(one["type"], one["result"]) for one in record["requests"]} == {(2, 1)}
    assert "writes" not in record


def test_what_is_written_to_a_device_is_never_decoded():
    secret = bytes(range(0x80, 0x80 + 24))
    data = bytearray(TABLES["ET15"].size(GEN3))
    data[31:56] = bytes((24,)) + secret
    data[156:221] = bytes((64,)) + 64 * b"\xee"
    record = TABLES["ET15"].decode(bytes(data), GEN3)
    assert record["writes"][0] == {"length": 24}
    assert record["multicast_length"] == 64
    assert "\\x88" not in repr(record)
    assert TABLES["ET15"].encode(record, GEN3, base=bytes(data)) == data


def test_a_slot_of_et16():
    """The slot was put together by hand (gas, 12.345 m³, on 29 November 2026)."""
    slot = bytes.fromhex("1A0B1D080000 3B 14 04000010673E0103FFA30000 0C933A45230100 00 00")
    client = bytes.fromhex("1A0B1D080001 FF 0300 0200 ABCD")
    data = slot.ljust(517, b"\0") + bytes(3 * 517) + client.ljust(517, b"\0")
    record = TABLES["ET16"].decode(data, GEN3)
    first = record["mbus"][0]
    assert first["time"] == datetime.fromisoformat("2026-11-29 08:00:00")
    assert first["telegrams"][: first["telegrams"][0] + 1] == slot[7:28]
    flags = ("msb_first", "fixed_structure", "decrypted", "authentication", "security_failed")
    assert [first[name] for name in flags] == [True, True, False, 3, True]
    (mep,) = record["mep"]
    assert (mep["read_count"], mep["length"], mep["data"][:2]) == (3, 2, b"\xab\xcd")
    assert len(record["mbus"]) == 4
    assert len(TABLES["ET16"].decode(bytes(6 * 517), GEN4)["mep"]) == 2


def test_14_time_stamp_locators_and_the_data_type_of_page_33():
    entry = bytes.fromhex("0000 00 00 3C00 00 00 02 B1 C9 0A 03 05 0000000000000000")
    first = TABLES["ET34"].decode(entry + bytes(4 * 22), GEN3)["devices"][0]
    assert (first["hour_start"], first["hour_bits"]) == (17, 5)
    assert (first["minute_start"], first["minute_bits"]) == (9, 6)
    assert (first["profile_poll_minutes"], first["time_data_type"]) == (60, 2)
    entries = bytes.fromhex("05 0C933A 89 066D00").ljust(64, b"\0")
    gas, time, *rest = TABLES["ET57"].decode(entries, GEN3)["entries"]
    assert gas == {"kind": 1, "data_type": 1, "special": False, "header": bytes.fromhex("0C933A")}
    assert time == {"kind": 1, "data_type": 2, "special": True, "header": bytes.fromhex("066D00")}
    assert {one["kind"] for one in rest} == {0}


def test_et11_tells_how_large_they_are():
    et11 = bytearray(39)
    et11[0:7] = bytes((6, 66, 40, 7, 8)) + (300).to_bytes(2, "little")
    et11[11], et11[13], et11[20], et11[25] = 30, 24, 70, 32
    dims = survey({"ET11": bytes(et11)})
    sizes = {"ET14": 6 + 6 * 40, "ET15": 1 + 7 * (8 + 30) + 70, "ET16": 1800, "ET34": 6 * 24, "ET57": 128}
    assert {name: TABLES[name].size(dims) for name in sizes} == sizes


def test_what_et11_leaves_out_keeps_its_default():
    dims = survey({"ET11": bytes((5, 66))})
    assert TABLES["ET16"].size(dims) == 2585
    assert TABLES["ET57"].size(dims) == 64


def test_sizes_that_no_meter_has_are_refused():
    et11 = bytearray(39)
    et11[0], et11[5:7] = 255, b"\xff\xff"
    with pytest.raises(TableError, match="1048576 bytes"):
        TABLES["ET16"].size(survey({"ET11": bytes(et11)}))
