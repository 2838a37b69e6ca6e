"""Devices behind the meter, put together from table bytes; every telegram and number here is worked out by hand."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from osgp.errors import TableError
from osgp.tables import TABLES, Dimensions
from osgp.tables.mbus.channels import data_types, time_of
from osgp.tables.mbus.devices import devices, newest, slot_window, with_reads
from osgp.tables.mbus.reading import decode_read

DIMS = Dimensions()
MORNING = "1A0B1D080000"
GAS = "04000010 673E 01 03 FF 00 0000"
VOLUME = "0C933A 45230100"


def telegram(header=GAS, records=VOLUME, closing="00"):
    body = bytes.fromhex(header + records + closing)
    return bytes((len(body),)) + body


def read(*telegrams, at=MORNING, info=0):
    return bytes.fromhex(at) + bytes((info,)) + b"".join(telegrams)


def et14(*entries, occupied=None, dims=DIMS):
    """Return ET14 with these entries at places 0, 1 and so on."""
    padded = [*entries, *[{}] * (dims.mep_devices - len(entries))]
    occupied = frozenset(range(len(padded))) if occupied is None else occupied
    return TABLES["ET14"].encode({"occupied": occupied, "devices": padded}, dims)


class TestDevices:
    def test_8_the_device_of_page_49(self):
        data = bytes.fromhex("00 00 00 00 00 11 01 00 01 04 2F 00").ljust(186, b"\0")
        (device,) = devices(data, DIMS)
        assert (device.index, device.handle, device.up, device.read_length) == (0, 1, True, 47)
        assert device.alarms == frozenset()
        assert (device.battery_low, device.alarm, device.identity) == (None, None, None)

    def test_empty_places_and_clients_are_no_devices(self):
        table = et14({"handle": 7, "status": 2}, {}, {"handle": 3}, {}, {"handle": 1000}, occupied={0, 1, 4})
        assert [(one.index, one.handle, one.up) for one in devices(table, DIMS)] == [(0, 7, False)]
        assert devices(et14(occupied=frozenset()), DIMS) == []

    def test_what_the_meter_found_has_names(self):
        table = et14({"handle": 7, "serial_number_mismatch": True, "communication_failed": True, "read_attempts": 9})
        (device,) = devices(table, DIMS)
        assert device.alarms == {"serial_number_mismatch", "communication_failed"}
        assert (device.read_attempts, device.read_answers, device.up) == (9, 0, None)

    @pytest.mark.parametrize("cut", [0, 5, 6, 185])
    def test_half_a_table_tells_of_no_device(self, cut):
        with pytest.raises(TableError, match="which cannot be"):
            devices(et14({"handle": 7})[:cut], DIMS)

    def test_entries_shorter_than_printed_are_no_entries(self):
        with pytest.raises(TableError, match="which cannot be"):
            devices(bytes(500), Dimensions(device_status_size=35))

    def test_a_status_read_counts_as_well_as_the_telegram(self):
        when = datetime.fromisoformat("2026-11-29 09:00")
        (low,) = devices(et14({"handle": 7, "device_alarms": 0x04, "status_read": when}), DIMS)
        assert (low.battery_low, low.permanent_error, low.temporary_error) == (True, False, False)
        well = with_reads(low, [decode_read(read(telegram()))])
        assert well.battery_low is True
        (quiet,) = devices(et14({"handle": 7, "device_alarms": 0x04}), DIMS)
        assert quiet.battery_low is None
        assert with_reads(quiet, [decode_read(read(telegram()))]).battery_low is False

    @pytest.mark.parametrize(
        ("status", "name"),
        [("04", "battery_low"), ("08", "permanent_error"), ("10", "temporary_error"), ("03", "alarm")],
    )
    def test_status_bits_of_the_telegram(self, status, name):
        (device,) = devices(et14({"handle": 7}), DIMS)
        told = with_reads(device, [decode_read(read(telegram(GAS[:-7] + status + " 0000")))])
        names = ("battery_low", "permanent_error", "temporary_error", "alarm")
        assert {each: getattr(told, each) for each in names} == {each: each == name for each in names}

    def test_two_latched_codes_are_no_alarm(self):
        when = datetime.fromisoformat("2026-11-29 09:00")
        (device,) = devices(et14({"handle": 7, "device_alarms": 0x03, "status_read": when}), DIMS)
        assert device.alarm is None


class TestSlots:
    def test_only_the_bytes_that_et14_counts_are_read(self):
        table = et14({}, {"handle": 7, "billing_read_length": 47}, {"handle": 8, "billing_read_length": 9000})
        own, long = devices(table, DIMS)
        assert slot_window(own, DIMS) == (517, 47)
        assert slot_window(long, DIMS) == (1034, 517)

    @pytest.mark.parametrize("length", [0, 6])
    def test_what_a_place_kept_of_the_device_before_is_nobodys(self, length):
        (exchanged,) = devices(et14({"handle": 8, "billing_read_length": length}), DIMS)
        assert slot_window(exchanged, DIMS) is None


class TestReading:
    def test_the_worked_slot(self):
        reading = decode_read(bytes.fromhex("1A0B1D080000 00 14 04000010673E0103FFA30000 0C933A45230100 00 00"))
        assert reading.time == datetime.fromisoformat("2026-11-29 08:00")
        who = reading.identity
        assert (who.serial, who.manufacturer, who.version, who.kind) == ("10000004", "OSG", 1, "gas")
        assert (reading.access_number, reading.status.code, reading.status.alarm) == (255, 0xA3, True)
        assert reading.values["volume"].value == Decimal("12.345")
        assert reading.whole
        assert not reading.encrypted

    def test_two_telegrams_are_one_reading(self):
        first = telegram(records=VOLUME + "1F")
        second = telegram(GAS.replace("FF", "00"), "0C13 99999900")
        reading = decode_read(read(first, second, b"\0\x14leftover"))
        assert list(reading.values) == ["volume"]
        assert len(reading.telegrams) == 2
        assert reading.whole
        third = telegram(records="04 6D 3A0DE602")
        assert list(decode_read(read(first, third)).values) == ["volume", "date_time"]

    def test_a_telegram_of_another_device_is_not_mixed_in(self):
        other = telegram(GAS.replace("04000010", "05000010"), "046D 3A0DE602")
        reading = decode_read(read(telegram(), other))
        assert list(reading.values) == ["volume"]
        assert not reading.whole

    def test_a_cut_telegram_gives_what_is_there(self):
        reading = decode_read(read(telegram(records=VOLUME + "046D 3A0DE602")[:-3]))
        assert list(reading.values) == ["volume"]
        assert not reading.whole
        assert not decode_read(read(telegram()[:-1])).whole

    def test_less_than_a_header_tells_nobody(self):
        reading = decode_read(read(telegram()[:12]))
        assert (reading.identity, reading.status, reading.values, reading.whole) == (None, None, {}, False)
        assert decode_read(read()).identity is None

    @pytest.mark.parametrize("size", [0, 6])
    def test_less_than_a_head_is_no_read(self, size):
        with pytest.raises(TableError, match="its head alone 7"):
            decode_read(read(telegram())[:size])

    def test_a_failed_check_keeps_the_telegram_and_gives_no_value(self):
        reading = decode_read(read(telegram(), info=0x28))
        assert reading.security_failed
        assert reading.values == {}
        assert reading.identity.serial == "10000004"
        assert reading.telegrams[0].content.records[0].value == Decimal("12.345")

    def test_encrypted_records_are_absent(self):
        encrypted = GAS[:-4] + "0005"  # mode 5
        reading = decode_read(read(telegram(encrypted, "A1B2C3D4")))
        assert (reading.encrypted, reading.whole, reading.values) == (True, False, {})
        assert reading.identity.kind == "gas"
        assert decode_read(read(telegram(encrypted), info=0x04)).values["volume"].value == Decimal("12.345")

    def test_the_fixed_form(self):
        """libmbus's frame: serial number 12345678, one litre now and 135 of a past date; medium 7 is water."""
        reading = decode_read(read(bytes.fromhex("10 785634120A00E97E0100000035010000"), info=2))
        assert (reading.identity.serial, reading.identity.manufacturer) == ("12345678", "")
        assert reading.identity.kind == "water"
        assert reading.values["volume"].value == Decimal("0.001")
        assert reading.whole
        assert not decode_read(read(bytes.fromhex("10 7856341200"), info=2)).whole
        (device,) = devices(et14({"handle": 1}), DIMS)
        assert with_reads(device, [reading]).alarm is None

    def test_other_media_of_the_fixed_form_are_of_another_list(self):
        body = "10 78563412 0A 00 69 BE 01000000 35010000"  # medium 9
        assert decode_read(read(bytes.fromhex(body), info=2)).identity.kind == "unknown"

    def test_the_most_significant_byte_first(self):
        body = telegram("10000004 3E67 01 03 FF 00 0000", "0C13 00012345")
        reading = decode_read(read(body, info=1))
        assert (reading.identity.serial, reading.identity.manufacturer) == ("10000004", "OSG")
        assert reading.values["volume"].value == Decimal("12.345")

    def test_a_clock_that_was_not_set(self):
        assert decode_read(read(telegram(), at="000000000000")).time is None


class TestCounter:
    @pytest.mark.parametrize(
        ("kind", "records", "key", "value"),
        [
            ("03", "0C13 45230100", "volume", "12.345"),
            ("03", "0C933E 45230100", "volume_converted", "12.345"),
            ("04", "0C13 45230100 0C06 11000000", "energy", "11"),
            ("07", "0C06 11000000 0C13 45230100", "volume", "12.345"),
            ("08", "0C6E 11000000", "heat_cost_allocation", "11"),
            ("02", "0C13 45230100 0C06 11000000", "energy", "11"),
        ],
    )
    def test_what_a_device_is_there_to_count(self, kind, records, key, value):
        header = GAS.replace(" 03 ", f" {kind} ")
        counter = decode_read(read(telegram(header, records))).counter
        assert counter is not None
        assert (counter[0], counter[1].value) == (key, Decimal(value))

    @pytest.mark.parametrize("records", ["4C13 45230100", "046D 3A0DE602", "0C13 4523010F", "0D13 0131"])
    def test_nothing_else_stands_in_for_it(self, records):
        """A kept value, a date, digits that are none, and a text where a number is due."""
        assert decode_read(read(telegram(records=records))).counter is None
        assert decode_read(read()).counter is None


class TestNewest:
    def test_the_later_one(self):
        early, late = (decode_read(read(telegram(), at=at)) for at in (MORNING, "1A0B1D090000"))
        assert newest([early, late]) is late
        assert newest([late, early]) is late

    def test_a_time_beats_none_and_the_first_of_equals_counts(self):
        timeless, first, second = (decode_read(read(telegram(), at=at)) for at in ("00" * 6, MORNING, MORNING))
        assert newest([timeless, first, second]) is first
        assert newest([first, timeless]) is first


def entries(*rows):
    """Return entries of ET57: (kind, data type, special, header)."""
    return [
        {"kind": kind, "data_type": number, "special": special, "header": bytes.fromhex(header)}
        for kind, number, special, header in rows
    ]


class TestChannels:
    def test_14_the_data_type_of_page_34(self):
        (gas,) = data_types(entries((1, 1, False, "0C933A"), (0, 0, False, "000000"))).values()
        assert (gas.number, gas.headers, gas.special) == (1, (bytes.fromhex("0C933A"),), ())
        # 45 23 01 00 is a decimal number of 8 digits, 12345, and not 74565.
        assert gas.value(0x00012345).value == Decimal("12.345")

    def test_short_values_have_a_sign_of_their_own(self):
        (volume,) = data_types(entries((1, 2, False, "021300"))).values()
        assert volume.headers == (bytes.fromhex("0213"),)
        assert volume.value(0x0000FFFF).value == Decimal("-0.001")

    def test_negative_numbers_of_the_profile(self):
        (power,) = data_types(entries((1, 2, False, "042B00"))).values()
        assert power.value(-100).value == Decimal(-100)

    def test_special_chooses_the_header(self):
        both = data_types(entries((1, 1, False, "0C933A"), (1, 1, True, "0C933E")))[1]
        assert both.value(0x12345).header.modifiers == (0x3A,)
        assert both.value(0x12345, special=True).header.modifiers == (0x3E,)
        (only,) = data_types(entries((1, 1, False, "0C1300"))).values()
        assert only.value(0x12345, special=True).value == Decimal("12.345")

    def test_headers_that_disagree_give_no_value(self):
        two = data_types(entries((1, 1, False, "0C1300"), (1, 1, False, "0C1400")))[1]
        assert two.value(0x12345) is None
        same = data_types(entries((1, 1, False, "0C1300"), (1, 1, False, "0C1300")))[1]
        assert same.value(0x12345).value == Decimal("12.345")

    def test_long_headers_go_on_in_the_next_entries(self):
        rows = entries((1, 3, False, "8C8040"), (3, 9, True, "93BA73"), (1, 4, False, "0C1300"))
        found = data_types(rows)
        assert found[3].headers == (bytes.fromhex("8C804093BA73"),)
        assert found[3].special == ()
        assert found[4].headers == (bytes.fromhex("0C13"),)

    @pytest.mark.parametrize("header", ["8C8080", "0F1300", "8F0013", "FFFFFF"])
    def test_what_is_no_header_is_left_out(self, header):
        assert data_types(entries((1, 3, False, header))) == {}

    def test_types_of_mep_clients_are_left_out(self):
        assert data_types(entries((2, 3, False, "0C1300"))) == {}

    def test_dates_of_six_bytes_were_cut(self):
        both = data_types(entries((1, 1, False, "066D00")))[1]
        record = both.value(0x4F6F1E5E)  # the first four of six bytes of a date
        assert record.value is None
        (day,) = data_types(entries((1, 1, False, "026C00"))).values()
        assert day.value(0x3C5F).value == date(2026, 12, 31)


class TestLocators:
    def test_14_defaults_and_told_ones_agree(self):
        """06 6D: 15:30:30 on 15 July 2026; 04 6D: 13:58 on 6 February 2007 (frame 8)."""
        six, four = bytes.fromhex("5E1E6F4F371D"), bytes.fromhex("3A0DE602")
        assert time_of(six) == time_of(six, (17, 5), (9, 6)) == time(15, 30)
        assert time_of(four) == time_of(four, (9, 5), (1, 6)) == time(13, 58)
        assert time_of(six, (17, 4), (9, 6)) == time(15, 30)
        assert time_of(six, (17, 3), (9, 6)) == time(7, 30)

    def test_without_a_locator_there_is_no_time(self):
        assert time_of(b"\x1e\x1e\x0f") is None
        assert time_of(b"") is None

    def test_what_no_clock_shows_is_no_time(self):
        assert time_of(bytes.fromhex("3F1FE602")) is None
