"""Values of tables, written by hand from the bytes of the guide's pages (MEP guide v1.1)."""

from datetime import UTC, datetime

import pytest
from table_bytes import ET09_SAMPLE, at
from told import told

from osgp.psem import table_id
from osgp.tables import TABLES

GEN4 = told(firmware=(4, 60), summations=19, mep_clients=2)


def decoded(table, data, dims):
    record = TABLES[table].decode(data, dims)
    assert record.tail == b""
    return record


class TestQuality:
    """ET09, p. 68-77, of a meter that keeps two outages: the rest counts from B = 36, DRP and DRC from A = 36 + 357."""

    B, A = 36, 36 + 357
    DIMS = told(firmware=(4, 21), power_outages_recorded=2)
    DATA = ET09_SAMPLE

    def test_values(self):
        record = decoded("ET09", self.DATA, self.DIMS)
        assert [
            record[name]
            for name in (
                "long_outage_threshold", "sag_swell_minutes", "sag_threshold", "swell_threshold", "over_current_threshold",
            )
        ] == [20, 1, 10, 11, 50]  # fmt: skip
        assert record["outages"] == (
            {
                "power_on": datetime(2024, 3, 5, 6, 7, 8, tzinfo=UTC),
                "cause": 3,
                "power_off": datetime(2024, 3, 5, 6, tzinfo=UTC),
                "duration": 428,
            },
            {"power_on": None, "cause": 0, "power_off": None, "duration": 0},
        )
        assert record["sags"][0] == {"last_at": datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC), "events": 7}
        assert (record["sags"][1]["events"], record["sags"][2]["events"]) == (9, 0x0118)
        assert record["swells"][2] == {"last_at": None, "events": 0}
        assert (record["minimum_frequency"], record["maximum_frequency"]) == (49_999, 50_236)
        assert record["minimum_frequency_at"] == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert record["over_current_events"] == (5, 0, 7)
        assert [record[f"phase_lost_l{number}"] for number in (1, 2, 3)] == [True, False, True]
        assert [loss["events"] for loss in record["phase_losses"]] == [3, 0, 4]
        assert (record["sag_voltages"], record["swell_voltages"]) == ((150_000, 0, 0), (100_000, 0, 0))
        assert (record["short_outages"], record["configuration_id"], record["sag_swell_seconds"]) == (
            99,
            0x12345678,
            30,
        )
        assert (record["power_up_hold"], record["over_current_seconds"]) == (2, 10)
        voltage, _, power = record["distortion"]
        assert (voltage["seconds"], voltage["threshold"]) == (10, 80)
        assert (voltage["phases"][0]["events"], voltage["phases"][0]["maximum"]) == (6, 123)
        assert voltage["phases"][0]["average"] == 100
        assert (power["seconds"], power["phases"][0]["events"]) == (1, 8)
        assert record["critical_voltages"][0] == {"drp": 123, "drc": 1, "at": datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)}
        assert record["critical_voltages"][11]["drp"] == 9
        assert (record["sag2_seconds"], record["sag2_threshold"]) == (30, 20)
        assert record["sags2"][0] == {"last_at": datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "events": 11}
        assert record["sag2_voltages"] == (1, 0, 0)
        assert (record["average_current_seconds"], record["early_events"]) == (600, True)

    @pytest.mark.parametrize(
        ("firmware", "last", "first_absent"),
        [
            ((2, 0), "short_outages", "configuration_id"),
            ((2, 12), "sag_swell_seconds", "power_up_hold"),
            ((3, 10), "distortion", "critical_voltages"),
            ((3, 82), "critical_voltages", "sag2_seconds"),
            ((4, 10), "average_current_seconds", "early_events"),
        ],
    )
    def test_each_firmware_has_its_part(self, firmware, last, first_absent):
        record = TABLES["ET09"].decode(self.DATA, told(firmware=firmware, power_outages_recorded=2))
        assert last in record
        assert first_absent not in record


def test_pending_tables():
    """Optical guide v1.1 p. 10-11: BT54's pending table waits for 2024-03-04 05:06 and reads itself before."""
    data = at(68, _6="40", _30="1802030405", _35="01", _36="1018030405063610")
    record = decoded("BT04", data, GEN4)
    assert record["basic_pending"] == {54}
    assert (record["last_activation"].isoformat(), record["pending"]) == ("2024-02-03T04:05:00", 1)
    assert record["activations"][0] == {
        "event_code": 0,
        "self_read": True,
        "demand_reset": False,
        "event_storage": bytes.fromhex("1803040506"),
        "table": 54,
        "still_pending": True,
    }


def test_display():
    """p. 220-222: one list of three items, shown for six seconds each."""
    record = decoded("BT30", bytes.fromhex("01 c203 02 1e00 01 0000 00"), GEN4)
    assert (record["on_time"], record["off_time"]) == (True, False)
    assert (record["sources"], record["primary_list_items"], record["primary_lists"]) == (962, 30, 1)
    record = decoded("BT33", bytes.fromhex("06 10 03 0020 0120 0000"), told(display_lists=1, display_items=3))
    assert record["lists"] == ({"on_time": 6, "off_time": 0, "hold_time": 0, "mode": 1, "items": 3},)
    assert record["sources"] == (0x2000, 0x2001, 0)


def test_display_of_the_load_profile():
    """p. 168-172: two channels, of which the second is shown with three decimals and five digits before them."""
    codes = b"P01 \x00" + b"DATE\x01" + b"TIME\x02" + b"STAT\x04"
    channels = b"CH01\x00\x0a" + b"CH02\x08" + bytes((3 | 5 << 3 | 0x80,))
    data = b"\x03" + codes + channels + b"POWR\x00" + b"NUM \x08"
    record = decoded("ET62", data, told(most_channels=2))
    assert (record["local_time"], record["all_characters"], record["load_profile_hidden"]) == (True, True, False)
    assert [record[f"{each}_id"] for each in ("list", "date", "time", "status")] == ["P01", "DATE", "TIME", "STAT"]
    assert (record["date_id_points"], record["status_id_points"]) == (1, 4)
    assert record["channels"][1] == {"id": "CH02", "id_points": 8, "decimals": 3, "digits": 5, "hide_zeros": True}
    assert (record["outages_id"], record["outage_number_id"], record["outage_number_id_points"]) == ("POWR", "NUM", 8)


def test_state_of_the_contactor():
    """p. 98-99."""
    record = decoded("ET23", at(218, _0="01000000", _4="02000000", _94="02", _95="78563412"), GEN4)
    assert dict(record) == {
        "plc_messages": 1,
        "plc_messages_validated": 2,
        "contactor": 2,
        "active_calendar_id": 0x12345678,
    }


def test_hardware():
    """p. 100-104: bit 23 of the options is the second MEP port; of the extended ones, bits 5-6 a supercap."""
    data = at(
        54, _0="a105c0", _5="82", _24="020101", _30="030301", _33="e0600000", _47="41", _48="050301", _51="040402"
    )
    record = decoded("ET29", data, GEN4)
    on = {name for name, value in record.items() if value is True}
    assert on == {
        "pulse_output", "disconnect", "relay_2", "mbus", "mep_1", "non_latching_relay", "mep_2", "polyphase",
        "power_boost_relay", "earth_fault_protection", "relay_1_latching", "relay_2_latching",
    }  # fmt: skip
    assert "pulse_input_1" not in record
    assert record["ports"] == (
        {"board": 2, "port": 1, "number": 1},
        {"board": 0, "port": 0, "number": 0},
        {"board": 3, "port": 3, "number": 1},
    )
    assert (record["battery"], record["line_sensor"], record["neutral_sensor"]) == (3, 1, 2)
    assert record["gateway_ports"][1] == {"board": 4, "port": 4, "number": 2}
    old = TABLES["ET29"].decode(data[:20], told(firmware=(3, 60)))
    assert (old["pulse_input_1"], old["pulse_output"]) == (False, True)
    assert {"relay_2", "mep_2", "relay_for_power_limit", "power_boost_relay", "ports"}.isdisjoint(old)


def test_limits():
    """p. 121-122."""
    record = decoded("ET46", at(23, _11="01", _13="18fcffff", _17="180203040506"), GEN4)
    assert dict(record) == {
        "limit_type": 1,
        "prepay_negative_credit": -1000,
        "limit_opened_at": datetime(2024, 2, 3, 4, 5, 6),  # noqa: DTZ001 - whose time is not said
    }


def test_override():
    """p. 122-123."""
    record = decoded("ET47", bytes.fromhex("02 03 100e0000 180203040506 78563412"), GEN4)
    assert dict(record) == {
        "tier": 2,
        "cancellation": 3,
        "duration": 3600,
        "until": datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC),
        "calendar_id": 0x12345678,
    }


def test_relay_switches():
    """p. 167: closed from 06:30, relay 2 open from 23:59."""
    data = at(
        320,
        _0=(1 | 30 << 5 | 6 << 11).to_bytes(2, "little").hex(),
        _160=(59 << 5 | 23 << 11).to_bytes(2, "little").hex(),
    )
    first, second = decoded("ET61", data, GEN4)["relays"]
    assert first["switches"][0] == {"closed": True, "minute": 30, "hour": 6}
    assert second["switches"][0] == {"closed": False, "minute": 59, "hour": 23}
    assert len(first["switches"]) == 80


def test_ports_of_clients():
    """p. 128-130, 173-175."""
    first, second = decoded(
        "ET51", at(20, _0="83", _1="3c00", _3="1e", _14="5802", _16="2c01", _18="01", _19="01"), GEN4
    )["clients"]
    assert (first["optical_timers"], first["monitor_health"], first["disabled"]) == (True, True, True)
    assert (first["health_timeout"], first["on_demand_timeout"]) == (60, 30)
    assert (second["optical_session_timeout"], second["optical_session_hold_off"], second["reset_duration"]) == (
        600,
        300,
        1,
    )
    assert (first["home_network_deactivated"], second["home_network_deactivated"]) == (False, True)
    assert decoded("ET70", at(156, _142="02"), GEN4)["channel"] == 2
    sources = decoded("ET71", at(130, _0="0800 f401 64000000 9cffffff 00", _13="ff00", _25="01"), GEN4)["sources"]
    assert sources[0] == {"source": 8, "delta": 500, "comparison": 100, "sample": -100, "invalid": False}
    assert (sources[1]["source"], sources[1]["invalid"]) == (255, True)


def test_results():
    """p. 130-132, 165-166: a request of one message, and the result of EP17 with the sequence number 7."""
    record = decoded(
        "ET52",
        bytes.fromhex("1100 00 0100 0800 3f0846000 08e0001 0100".replace(" ", "")),
        told(transaction_request_size=17),
    )
    assert (record["size"], record["type"], record["number"]) == (17, 0, 1)
    assert record["records"].hex() == "08003f084600008e00010100"
    record = decoded("BT07", bytes.fromhex("1108 07 00 f803") + bytes(252), GEN4)
    assert (record["procedure"], record["sequence_number"], record["parameters"][:3]) == (2065, 7, b"\0\xf8\x03")
    for table in ("BT08", "ET59", "ET85"):
        record = decoded(table, bytes.fromhex("1108 07 01 f803") + bytes(10), GEN4)
        assert (record["procedure"], record["sequence_number"], record["code"]) == (table_id("ET17"), 7, 1)
        assert record["response"][:2] == b"\xf8\x03"


def test_security():
    """p. 187-196."""
    record = decoded("ET89", at(130, _0="e803", _32="05", _33="02", _66="01", _74="02", _75="02", _76="0a001800", _105="00002800", _113="02", _114="10", _122="0102"), GEN4)  # fmt: skip
    assert (record["mep_1_previous_handle"], record["mep_1_registrations"], record["mep_1_new_handles"]) == (1000, 5, 2)
    assert (record["mep_2_registrations"], record["h1_device_present"], record["plc_disabled"]) == (1, False, True)
    first, second = record["relays"]
    assert (first["mode"], first["maintenance_remaining"]) == (2, 10)
    assert (first["maintenance_without_end"], first["maintenance_state"]) == (True, 1)
    assert (second["local_without_end"], second["local_state"]) == (True, 2)
    assert (record["image_key_1_invalidated"], record["image_key_2_invalidated"], record["image_error"]) == (
        False,
        True,
        16,
    )
    assert record["image_signature"][:2] == b"\x01\x02"
    assert TABLES["ET89"].decode(bytes(131) + b"\x07", GEN4).tail == b"\0\x07"
    assert decoded("ET90", at(20, _0="3200", _16="03", _17="c800"), GEN4)["at_reply_size"] == 200
    old = TABLES["ET90"].decode(at(17, _16="03"), told(firmware=(3, 82)))
    assert dict(old) == {"free_texts": 3}
    record = decoded("ET97", at(125, _8="31323334", _24="01", _55="03", _86="02", _87="0100", _97="09", _98="0500", _100="25", _121="3c", _123="01"), GEN4)  # fmt: skip
    assert record["free_texts"][1] == b"1234\0\0\0\0"
    assert (record["mep_1_id_comparison"], record["mep_2_id_comparison"]) == (1, 3)
    assert record["mbus_discovery_at_300_baud"] is True
    first = record["relays"][0]
    assert (first["group_ids"][0], first["mode"], first["explicit_heartbeat"], first["heartbeat"]) == (1, 1, True, 5)
    assert (first["maintenance_entry"], first["maintenance_display"], first["maintenance_exit"]) == (1, 1, 1)
    assert record["security_log_minutes"] == 60
    assert [record[f"tls_required_{port}"] for port in ("optical", "mep_1", "mep_2")] == [False, True, False]
