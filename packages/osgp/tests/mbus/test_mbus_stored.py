"""What the meter's tables hold: telegrams with lengths and closing zeros, headers, encryption, the fixed form."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import TableError
from osgp.mbus.codes.device_types import DEVICE_TYPES
from osgp.mbus.faults import Fault
from osgp.mbus.fixed import decode_fixed
from osgp.mbus.telegram import Header, decode_telegram, split_telegrams

HEADER = "04 00 00 10 67 3E 01 03 FF A3 00 00"
RECORD = "0C 93 3A 45 23 01 00"


def test_a_whole_slot():
    """Made by hand: 29 Nov 2026 08:00:00, response information 0, one telegram of twenty bytes, the end."""
    slot = bytes.fromhex("1A 0B 1D 08 00 00  00  14" + HEADER + RECORD + "00  00")
    assert len(slot) == 29
    [(body, whole)] = split_telegrams(slot[7:])
    assert (len(body), whole) == (20, True)
    telegram = decode_telegram(body, whole=whole)
    header = telegram.header
    assert (header.serial, header.manufacturer, header.device) == ("10000004", "OSG", "gas")
    [record] = telegram.content.records
    assert (record.value, record.unit, record.header.modifiers) == (Decimal("12.345"), "m³", (0x3A,))
    assert (telegram.content.rest, telegram.whole) == (b"", True)


def test_status_bits():
    status = Header.decode(bytes.fromhex(HEADER)).status
    assert (status.code, status.alarm, status.manufacturer_bits) == (0xA3, True, 5)
    names = ("busy", "application_error", "alarm", "power_low", "permanent_error", "temporary_error")
    for code, name in {
        0xA3: "alarm",
        1: "busy",
        2: names[1],
        4: names[3],
        8: names[4],
        16: names[5],
        0xE0: None,
    }.items():
        status = Header.decode(bytes.fromhex(HEADER[:27] + f"{code:02X}" + HEADER[29:])).status
        assert [each for each in names if getattr(status, each)] == ([name] if name else [])


def test_odd_headers_are_kept():
    header = Header.decode(bytes.fromhex("AF 00 00 1F 00 00 01 77 00 00 FF FF"))
    assert (header.serial, header.manufacturer, header.device) == ("1F0000AF", "@@@", "unknown (77)")
    assert 0x77 not in DEVICE_TYPES


def test_header_with_the_most_significant_byte_first():
    header = Header.decode(bytes.fromhex("10 00 00 04 3E 67 01 03 FF A3 05 01"), msb_first=True)
    assert (header.serial, header.manufacturer, header.signature) == ("10000004", "OSG", 0x0501)


def test_telegrams_follow_each_other_and_the_last_may_be_cut():
    one = bytes.fromhex(HEADER + RECORD + "00")
    found = split_telegrams(bytes([20]) + one + bytes([20]) + one[:15])
    assert found == [(one, True), (one[:15], False)]
    assert split_telegrams(b"") == []
    cut = decode_telegram(one[:15], whole=False)
    assert (cut.content.records, cut.content.rest, cut.whole) == ((), one[12:15], False)


def test_the_closing_zero_is_no_record_and_no_data_of_the_manufacturer():
    assert decode_telegram(bytes.fromhex(HEADER + "0F 01 02 00")).content.manufacturer == b"\1\2"
    assert decode_telegram(bytes.fromhex(HEADER + "00")).content.records == ()
    assert decode_telegram(bytes.fromhex(HEADER + "00")).content.rest == b""


def test_a_zero_that_the_last_record_needs_is_its_own():
    """A meter that closes nothing: twelve bytes and records to the end."""
    [record] = decode_telegram(bytes.fromhex(HEADER + RECORD)).content.records
    assert record.value == Decimal("12.345")


def test_a_cut_telegram_keeps_its_last_zero():
    content = decode_telegram(bytes.fromhex(HEADER + RECORD), whole=False).content
    assert [record.value for record in content.records] == [Decimal("12.345")]


@pytest.mark.parametrize("mode", range(32))
def test_encryption_modes(mode):
    clear = bytes.fromhex(HEADER[:-2] + f"{mode:02X}" + RECORD + "00")
    secret = bytes.fromhex(HEADER[:-2] + f"{mode:02X}" + "8B 60 04 37 18")
    assert (decode_telegram(clear).content is None) == (1 <= mode <= 15)
    assert (decode_telegram(secret).content is None) == (mode != 0)
    for body in (clear, secret):
        assert decode_telegram(body, decrypted=True).content is not None
    if mode:
        assert decode_telegram(secret).undecoded == secret[12:]


def test_too_short_for_a_header():
    with pytest.raises(TableError, match="of 11 bytes is too short"):
        decode_telegram(bytes(11))


def test_fixed_form():
    """Two frames of libmbus (BSD-3-Clause), from the serial number on."""
    fixed = decode_fixed(bytes.fromhex("78563412 0A 00 E97E 01000000 35010000"))
    assert (fixed.serial, fixed.access_number, fixed.device_type) == ("12345678", 10, 7)
    now, then = fixed.counters
    assert (now.value, now.code.unit, now.stored) == (Decimal("0.001"), "m³", False)
    assert (then.value, then.code.unit, then.stored) == (Decimal("0.135"), "m³", True)
    fixed = decode_fixed(bytes.fromhex("93929190 10 00 0569 31650000 69000000"))
    assert (fixed.serial, fixed.device_type) == ("90919293", 4)
    energy, volume = fixed.counters
    assert (energy.value, energy.code.unit, energy.code.quantity) == (6_531_000, "Wh", "energy")
    assert (volume.value, volume.code.unit) == (Decimal("0.069"), "m³")


def test_fixed_form_with_binary_counters_of_a_past_date():
    body = bytes.fromhex("78563412 0A 03 3F7F FFFFFFFF 00000100")
    first, second = decode_fixed(body).counters
    assert (first.value, first.code, first.stored, second.value) == (-1, None, True, 65536)
    first, second = decode_fixed(body, msb_first=True).counters
    assert (decode_fixed(body, msb_first=True).serial, first.value, second.value) == ("78563412", -1, 256)


def test_fixed_form_with_a_digit_that_is_none():
    first, second = decode_fixed(bytes.fromhex("78563412 0A 00 E97E A1000000 35010000")).counters
    assert (first.value, first.fault, second.value) == (None, Fault.NOT_DECIMAL, Decimal("0.135"))


def test_units_of_the_fixed_form():
    """Low six bits; each run rises tenfold from its first code on."""
    runs = {0x02: ("Wh", 1), 0x0B: ("J", 1000), 0x14: ("W", 1), 0x1D: ("J/h", 1000)}
    small = {0x26: "m³", 0x2F: "m³/h"}
    for step in range(9):
        for first, (unit, factor) in runs.items():
            counter = decode_fixed(bytes.fromhex(f"00000000 00 00 {first + step:02X}3F 12000000 00000000")).counters[0]
            assert (counter.value, counter.code.unit) == (12 * factor * 10**step, unit)
        for first, unit in small.items():
            counter = decode_fixed(bytes.fromhex(f"00000000 00 00 {first + step:02X}3F 12000000 00000000")).counters[0]
            assert (counter.value * 10**6, counter.code.unit) == (12 * 10**step, unit)


def test_fixed_form_is_sixteen_bytes():
    with pytest.raises(TableError, match="not 15"):
        decode_fixed(bytes(15))


@given(data=st.binary(max_size=300), whole=st.booleans(), msb_first=st.booleans(), decrypted=st.booleans())
def test_any_bytes_are_a_telegram_or_our_error(data, whole, msb_first, decrypted):
    assert all(all_there for _, all_there in split_telegrams(data)[:-1])
    for decode in (
        lambda: decode_telegram(data, whole=whole, msb_first=msb_first, decrypted=decrypted),
        lambda: decode_fixed(data, msb_first=msb_first),
    ):
        try:
            decode()
        except TableError:
            assert len(data) < 16
