"""Bytes the guide prints, and what they mean (MEP guide v1.1)."""

from datetime import UTC, date, datetime, time

import pytest

from osgp.errors import MisuseError
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions, FieldAbsent, registers, survey
from osgp.tables.identity import firmware_text

GEN3 = Dimensions()


@pytest.mark.parametrize(("word", "text"), [("3018", "3.00.24"), ("3155", "3.10.21")])
def test_firmware_versions_of_page_199(word, text):
    data = b"NES 83331-3I" + bytes(2) + bytes.fromhex(word)
    record = TABLES["BT01"].decode(data, GEN3)
    assert firmware_text(record["firmware"]) == text
    assert (record["manufacturer"], record["model"]) == ("NES", "83331-3I")
    assert TABLES["BT01"].encode(record, GEN3) == b"NES\0" + data[4:] + bytes(8)
    assert "manufacturer_serial" not in record


@pytest.mark.parametrize("version", [(16, 0, 0), (3, 128, 0), (3, 0, 32), (-1, 0, 0), (3, 0)])
def test_firmware_versions_that_do_not_fit_are_refused(version):
    with pytest.raises(MisuseError, match="field firmware cannot hold"):
        TABLES["BT01"].encode({"firmware": version}, GEN3)


def test_clock_of_appendix_a():
    # The printed reply holds 6 bytes: the clock without its flags.
    record = TABLES["BT52"].decode(bytes.fromhex("04 02 10 0F 3B 37"), GEN3)
    assert dict(record) == {"clock": datetime(2004, 2, 16, 15, 59, 55, tzinfo=UTC)}
    with pytest.raises(FieldAbsent, match="BT52 as read has no weekday"):
        record["weekday"]


@pytest.mark.parametrize(
    "data", [bytes(6), b"\xff" * 6, bytes.fromhex("18 02 1e 00 00 00"), bytes.fromhex("18 01 01 18 00 00")]
)
def test_a_clock_that_is_not_set_is_none(data):
    assert TABLES["BT52"].decode(data, GEN3)["clock"] is None


def test_time_offset_and_local_clock():
    record = TABLES["BT53"].decode(bytes.fromhex("02 00 00 3c 3c 00"), GEN3)
    assert dict(record) == {
        "daylight_saving_at": time(2, 0, 0),
        "daylight_saving_minutes": 60,
        "time_zone_minutes": 60,
    }
    assert TABLES["BT53"].decode(bytes.fromhex("19 00 00 00 88 ff"), GEN3)["daylight_saving_at"] is None
    local = TABLES["BT55"].decode(bytes.fromhex("1a 0b 16 08 05 00 68 42 30"), GEN3)
    assert local["clock"] == datetime(2026, 11, 22, 8, 5)  # noqa: DTZ001 - the meter's local time has no zone
    assert (local["weekday"], local["daylight_saving"], local["daylight_saving_applied"]) == (0, True, True)
    assert (local["tier"], local["tier_drive"], local["special_schedule"], local["season"]) == (2, 1, 0, 3)


def test_calendar_packs_tier_switches_and_dates():
    record = TABLES["BT54"].decode(bytes(808), GEN3)
    switches = [*record["tier_switches"]]
    switches[0] = {"tier": 1, "minute": 30, "hour": 17, "schedule": 0}
    dates = [*record["nonrecurring_dates"]]
    dates[0] = {"date": date(2026, 12, 24), "action": 19, "demand_reset": False, "self_read": True}
    data = TABLES["BT54"].encode({"tier_switches": switches, "nonrecurring_dates": dates}, GEN3)
    # 17 << 11 | 30 << 5 | 1, and 24 << 11 | 12 << 7 | 26, little-endian (p. 42, 228).
    assert data[144:147] == bytes.fromhex("c1 8b 00")
    assert data[:3] == bytes.fromhex("1a c6 53")
    again = TABLES["BT54"].decode(data, GEN3)
    assert again["tier_switches"][0] == switches[0]
    assert again["nonrecurring_dates"][0]["date"] == date(2026, 12, 24)
    assert again["nonrecurring_dates"][1]["date"] is None


def test_transaction_response_of_page_49():
    replies = {
        "ET11": "05 42 24 05 06 05 02 01 03 F9",
        "BT20": "3F 0E FD 0F 08 10 01 04 08 1A",
        "BT21": "3F 0E 0C 0F 08 00 01 04 08 1A",
    }
    tables = {name: bytes.fromhex(text) for name, text in replies.items()}
    # The last of the ten bytes is half of ET11.9, so that field is absent.
    et11 = TABLES["ET11"].decode(tables["ET11"], GEN3)
    assert dict(et11) == {
        "devices": 5,
        "configuration_entry_size": 66,
        "status_entry_size": 36,
        "on_demand_queue_size": 5,
        "on_demand_entry_size": 6,
        "data_entry_size": 517,
        "transaction_request_size": 769,
    }
    maxima = TABLES["BT20"].decode(tables["BT20"], GEN3)
    names = ("self_reads", "summations", "demands", "coincidents", "occurrences", "tiers", "present_demands")
    assert [maxima[name] for name in names] == [253, 15, 8, 16, 1, 4, 8]
    assert maxima["present_values"] == 26
    dims = survey(tables)
    assert (dims.self_reads, dims.summations, dims.demands, dims.coincidents) == (12, 15, 8, 0)
    assert dims.demand_reset_counter
    assert dims.cumulative_demand
    assert dims.continuous_cumulative_demand
    assert TABLES["BT23"].size(dims) == 1 + 5 * (60 + 8 * 17) == 981
    outages = TABLES["ET04"].decode(b"\x04", GEN3, offset=55)
    assert dict(outages) == {"total_energy_registers": 4}


def test_reply_of_page_16_is_eleven_summations():
    # The 44 bytes of the second read of the guide's first example: a meter that ran a few seconds.
    data = bytearray(44)
    data[16:24] = bytes.fromhex("08 00 00 00 03 00 00 00")
    data[40:44] = bytes.fromhex("06 00 00 00")
    values = registers.decode(bytes(data), GEN3)
    assert len(values) == 11
    assert values[SOURCES["outage_duration"]] == 8
    assert values[SOURCES["outage_count"]] == 3
    assert values[SOURCES["error_count"]] == 6
