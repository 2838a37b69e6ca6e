"""Records: threads about bugs of others, telegrams that end too early, single values, and what holds for all bytes."""

import math
import struct
from datetime import date, datetime, time
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import TableError
from osgp.mbus.faults import Fault
from osgp.mbus.record_header import Function
from osgp.mbus.records import decode_records, decode_value


def _records(text, **options):
    return decode_records(bytes.fromhex(text), **options)


def _one(text, **options):
    [record] = _records(text, **options).records
    return record


# --- threads


def test_libmbus_82_durations_of_a_limit_are_no_flow():
    record = _one("04 BE 50 71 BB B0 00")
    assert (record.quantity, record.header.of, record.value, record.unit) == ("duration", "volume_flow", 11582321, "s")
    assert not record.plain


def test_libmbus_116_modifiers():
    assert _one("04 85 7D 01 00 00 00").value == 100_000  # 10^2 Wh, and times 1000
    assert _one("04 85 7D 01 00 00 00").plain
    for text in ("04 85 33 01 00 00 00", "04 90 28 01 00 00 00", "04 90 29 01 00 00 00"):
        assert not _one(text).plain


@pytest.mark.parametrize("text", ["02 6C FF FF", "42 6C FF FF", "04 6D FF FF FF FF", "04 6D 00 00 FF FF"])
def test_libmbus_123_ffff_is_no_date(text):
    assert (_one(text).value, _one(text).fault) == (None, Fault.NO_DATE)


def test_m_bus_parser_114_bytes_of_the_manufacturer_scale_nothing():
    record = _one("04 84 FF F2 00 39 30 00 00")
    assert record.value == 123450
    assert record.header.modifiers == (0x7F, 0x7F72, 0x7F00)
    assert not record.plain


def test_wmbusmeters_2034_year_127_is_every_year():
    assert _one("02 6C E1 F1").fault is Fault.NO_DATE  # 1 January of year 127
    assert _one("02 6C E1 C1").fault is Fault.NO_DATE  # year 103
    assert _one("02 6C 61 C1").value == date(1999, 1, 1)


def test_the_second_table_does_not_scale():
    record = _one("04 94 FC 74 01 00 00 00")
    assert (record.value, record.header.modifiers, record.plain) == (Decimal("0.01"), (0x7C, 0x7C74), False)


# --- headers


def test_storage_tariff_and_subunit_grow_with_each_extension():
    head = _one("CC 91 01 16 00 00 00 00").header
    assert (head.storage, head.tariff, head.subunit) == (35, 1, 0)
    head = _one("84 80 40 14 00 00 00 00").header
    assert (head.storage, head.tariff, head.subunit) == (0, 0, 2)
    head = _one("C4" + "FF" * 9 + "7F 14 00 00 00 00").header
    assert (head.storage, head.tariff, head.subunit) == (2**41 - 1, 2**20 - 1, 2**10 - 1)


def test_functions():
    functions = [_one(f"{dif} 14 00").header.function for dif in ("01", "11", "21", "31")]
    assert functions == list(Function)


@pytest.mark.parametrize("text", ["84" + "80" * 10 + "00 14", "04 94" + "80" * 10 + "00"])
def test_the_eleventh_extension_ends_the_telegram(text):
    found = _records("01 14 05" + text + "01 00 00 00")
    assert [record.value for record in found.records] == [Decimal("0.05")]
    assert found.rest == bytes.fromhex(text + "01 00 00 00")
    assert "more than 10" in found.trouble


# --- telegrams that end too early


@pytest.mark.parametrize(
    ("rest", "trouble"),
    [
        ("8B 60 04 37 18", "2 bytes of data where its header tells 3"),
        ("8B 8B", "before its data information is complete"),
        ("8B 60", "before its value information"),
        ("12 FC F3 48 52 25", "within the 243 characters"),
        ("12 FC", "before the length of its unit's text"),
        ("0D 14", "before the length of its data"),
        ("0D 14 F7 00", "reserved"),
        ("0D 14 CA 00", "reserved"),
        ("0D 14 05 00", "2 bytes of data where its header tells 6"),
        ("04 94", "before its value information is complete"),
        ("8F 00 14 00", "does not say how long"),
        ("00", "before its value information"),
    ],
)
def test_records_before_a_cut_one_stay(rest, trouble):
    found = _records("0C 16 69 02 00 00" + rest)
    assert [(record.value, record.unit) for record in found.records] == [(269, "m³")]
    assert found.rest == bytes.fromhex(rest)
    assert trouble in found.trouble


def test_a_wrong_value_leaves_its_neighbours_alone():
    found = _records(
        "0C 13 56 3A 12 00  05 2E 00 00 C0 7F  05 2E 00 00 80 FF  02 6C 00 00  04 94 15 00 00 00 00  01 14 05"
    )
    assert [record.fault for record in found.records] == [
        Fault.NOT_DECIMAL,
        Fault.NOT_A_NUMBER,
        Fault.NOT_A_NUMBER,
        Fault.NO_DATE,
        Fault.NO_DATA,
        None,
    ]
    assert [record.value for record in found.records] == [None, None, None, None, None, Decimal("0.05")]


def test_bytes_between_records():
    found = _records("2F 2F 01 14 05 3F 7F 01 14 06 2F 1F 01 14 07")
    assert [record.value for record in found.records] == [Decimal("0.05"), Decimal("0.06")]
    assert found.skipped == (0x3F, 0x7F)
    assert (found.manufacturer, found.more_follow, found.rest) == (bytes.fromhex("01 14 07"), True, b"")


@pytest.mark.parametrize("text", ["00 14", "08 14", "0D 14 C0", "0D 14 E0", "0D 78 00", "02 6C 00 00"])
def test_no_data_are_no_zero(text):
    assert (_one(text).value, _one(text).present) == (None, False)


# --- values


def test_dates():
    assert _one("02 6C 5F 3C").value == date(2026, 12, 31)
    winter, summer = _one("04 6D 1E 02 59 3A"), _one("04 6D 1E 82 59 3A")
    assert winter.value == summer.value == datetime.fromisoformat("2026-10-25T02:30")
    assert (winter.summer_time, summer.summer_time) == (False, True)
    assert _one("03 6D 1E 1E 0F").value == time(15, 30, 30)
    assert _one("06 6D 5E 1E 6F 4F 37 1D").value == datetime.fromisoformat("2026-07-15T15:30:30")
    assert _one("06 6D 5E 1E 6F 4F 37 1D").summer_time is True
    # Format F tells the century; without one, 81 to 99 are of the last.
    assert [_one(f"04 6D 00 {hour} E1 01").value.year for hour in ("00", "20", "40")] == [2007, 2007, 2107]
    assert _one("02 6C 21 A1").value.year == 1981
    assert _one("02 6C 01 A1").value.year == 2080


@pytest.mark.parametrize(
    "text",
    [
        "04 6D 9E 0F 59 3A",  # invalid bit of F
        "06 6D 1E 9E 6F 4F 37 1D",  # invalid bit of I
        "02 6C 00 11",  # day 0
        "02 6C 1E 12",  # 30 February
        "02 6C 01 10",  # month 0
        "02 6C 01 1D",  # month 13
        "04 6D 3C 00 59 3A",  # minute 60
        "04 6D 00 18 59 3A",  # hour 24
        "03 6D 3C 00 00",  # second 60
        "01 6D 05",
        "05 6D 00 00 80 3F",
        "07 6D 00 00 00 00 00 00 00 00",
    ],
)
def test_no_dates(text):
    assert (_one(text).value, _one(text).fault) == (None, Fault.NO_DATE)


def test_date_of_something():
    record = _one("02 BB 4A 5F 3C")
    assert (record.quantity, record.header.of, record.value, record.plain) == (
        "date",
        "volume_flow",
        date(2026, 12, 31),
        False,
    )


def test_text_where_a_number_is_due_is_not_plain():
    record = _one("0D 14 03 33 32 31")
    assert (record.value, record.unit, record.plain) == ("123", "", False)
    assert _one("0D 78 03 33 32 31").plain
    assert not _one("0D 14 F0" + "00" * 16).plain


def test_a_minus_in_front_of_a_length_is_the_only_one():
    assert _one("0D 13 D2 12 34").value == Decimal("-3.412")
    assert _one("0D 13 C2 12 F4").fault is Fault.NOT_DECIMAL


def test_zero_has_no_minus():
    for text in ("05 2B 00 00 00 80", "05 2E 00 00 00 80", "0C 13 00 00 00 F0", "0D 13 D1 00"):
        assert str(_one(text).value.copy_abs()) == str(_one(text).value)


def test_numbers_are_exact_in_any_decimal_context():
    with localcontext(prec=3):
        assert str(_one("04 13 D2 02 96 49").value) == "1234567.890"


def test_most_significant_byte_first():
    assert _one("04 13 00 00 30 39", msb_first=True).value == Decimal("12.345")
    assert _one("0C 13 F0 12 34 56", msb_first=True).value == Decimal("-123.456")
    assert _one("02 6C 3C 5F", msb_first=True).value == date(2026, 12, 31)
    assert _one("0D 78 03 41 42 43", msb_first=True).value == "ABC"
    assert _one("02 FC 03 25 52 48 74 11 D4", msb_first=True).header.text == "%RH"
    assert _one("05 5B 42 26 F3 22", msb_first=True).value == _one("05 5B 22 F3 26 42").value


# --- values of load profile channels


def _channel(header, raw, **options):
    return decode_value(bytes.fromhex(header), bytes.fromhex(raw), **options)


def test_a_channel_counts_as_many_bytes_as_its_header_says():
    record = _channel("0C 93 3A", "45 23 01 00")
    assert (record.value, record.unit, record.plain) == (Decimal("12.345"), "m³", True)
    assert _channel("02 13 00", "FF FF 00 00").value == Decimal("-0.001")
    assert _channel("02 13", "00 01 00 00", msb_first=True).value == Decimal("0.001")


def test_a_channel_keeps_the_low_digits_of_long_numbers():
    record = _channel("0E 13 00", "45 23 01 99")
    assert (record.value, record.modulus, record.plain) == (Decimal("99012.345"), 100_000, False)
    record = _channel("06 13 00", "FF FF FF FF")
    assert (record.value, record.modulus, record.present) == (Decimal("4294967.295"), Decimal("4294967.296"), False)


@pytest.mark.parametrize(
    ("header", "raw", "options"),
    [
        ("06 6D", "5E 1E 6F 4F", {}),
        ("06 13", "00 00 00 01", {"msb_first": True}),
        ("04 13", "00 00 00", {}),
        ("0D 13", "C1 05 00 00", {}),
    ],
)
def test_a_part_that_says_nothing_has_no_value(header, raw, options):
    assert (_channel(header, raw, **options).value, _channel(header, raw, **options).fault) == (None, Fault.CUT)


@pytest.mark.parametrize("header", ["", "0C", "8C 80 80", "0C 93", "0F 00 00"])
def test_a_header_that_is_none(header):
    with pytest.raises(TableError):
        _channel(header, "00 00 00 00")


# --- what holds for all


@given(data=st.binary(max_size=300), msb_first=st.booleans())
def test_every_byte_is_accounted_for(data, msb_first):
    found = decode_records(data, msb_first=msb_first)
    place = 0
    for record in found.records:
        while data[place] & 0x8F == 0x0F:
            assert data[place] not in {0x0F, 0x1F}
            place += 1
        assert data[place : place + len(record.encoded)] == record.encoded
        place += len(record.encoded)
        assert record.value is None or record.fault is None
    while place < len(data) and data[place] in {0x2F, 0x3F, 0x4F, 0x5F, 0x6F, 0x7F}:
        place += 1
    if place < len(data) and data[place] in {0x0F, 0x1F}:
        assert found.manufacturer == data[place + 1 :]
        assert found.more_follow == (data[place] == 0x1F)
        assert found.rest == b""
    else:
        assert data[place:] == found.rest
    assert (found.trouble is None) == (found.rest == b"")


@given(number=st.integers(-(2**63), 2**63 - 1), vif=st.integers(0x10, 0x17))
def test_integers_are_exact(number, vif):
    with localcontext(prec=3):
        record = _one(f"07 {vif:02X}" + number.to_bytes(8, "little", signed=True).hex())
    exact = record.value.as_integer_ratio()
    power = 10 ** (6 - (vif & 7)) if vif & 7 < 6 else 1
    assert exact[0] * power == number * (10 if vif & 7 == 7 else 1) * exact[1]


@given(digits=st.integers(0, 10**12 - 1), vif=st.integers(0x10, 0x17))
def test_decimals_are_exact(digits, vif):
    packed = bytes.fromhex(f"{digits:012d}")[::-1]
    whole, below = _one(f"0E {vif:02X}" + packed.hex()).value.as_integer_ratio()
    assert whole * 10**6 == digits * 10 ** (vif & 7) * below


@given(raw=st.binary(min_size=4, max_size=4))
def test_real_numbers_come_back_to_the_same_bits(raw):
    record = _one("05 2B" + raw.hex())
    (number,) = struct.unpack("<f", raw)
    if record.fault:
        assert not math.isfinite(number)
        return
    assert struct.unpack("<f", struct.pack("<f", float(record.value)))[0] == number
    assert len(record.value.as_tuple().digits) <= 9 or record.value == int(record.value)
