"""The tables of codes against a list that was written apart, through whole records."""

import re
from decimal import Decimal

import pytest

from osgp.mbus.codes.combinable import COMBINABLE, Effect
from osgp.mbus.codes.device_types import DEVICE_TYPES
from osgp.mbus.codes.extended import BEHIND_FB, BEHIND_FD, BEHIND_FD_FD
from osgp.mbus.codes.primary import PRIMARY
from osgp.mbus.faults import Fault
from osgp.mbus.records import decode_records

NUMBER = 12345
DATA = NUMBER.to_bytes(4, "little")

# Codes, unit, power of ten; n, nn and n4 are the low three, two and four bits of the code. "-" for no unit.
LISTS = {
    (): """
        00-07 Wh n-3       08-0F J n          10-17 m³ n-6       18-1F kg n-3
        20,24 s 0          21,25 min 0        22,26 h 0          23,27 d 0
        28-2F W n-3        30-37 J/h n        38-3F m³/h n-6     40-47 m³/min n-7   48-4F m³/s n-9
        50-57 kg/h n-3     58-5F °C nn-3      60-63 K nn-3       64-67 °C nn-3      68-6B bar nn-3
        6E - 0             70,74 s 0          71,75 min 0        72,76 h 0          73,77 d 0
        78-7A - 0
    """,
    (0xFB,): """
        00-01 MWh n-1      02-03 kvarh n-2    04-05 kVAh n-4     08-09 GJ n-1       0C-0F Mcal nn-1
        10-11 m³ n+2       14-17 kvar nn-3    18-19 t n+2        1A-1B % n-3
        20 ft³ 0           21 ft³ -1          22 gal -1
        24 gal/min -3      25 gal/min 0       26 gal/h 0
        28-29 MW n-1       2A-2B ° -1         2C-2F Hz nn-3      30-31 GJ/h n-1     34-37 kVA nn-3
        58-67 °F nn-3      68-6E - 0          70-73 °F nn-3      74-77 °C nn-3      78-7F W n-3
    """,
    (0xFD,): """
        00-07 - nn-3       08-11 - 0          17-18 - 0          1A-1B - 0          1C Bd 0
        1D bit_times 0     1E - 0             20-22 - 0
        24,2C,34 s 0       25,2D,31,35 min 0  26,2E,32,36,68,6C h 0  27,2F,33,37,69,6D d 0
        28,38,6A,6E month 0  29,39,6B,6F year 0  3A - 0
        40-4F V n4-9       50-5F A n4-12      60-67 - 0
        71 dBm 0           74 d 0             75 - 0
    """,
    (0xFD, 0xFD): "02 month 0  03 year 0",
}
"""FB 02 to 05 and 1A are printed as "n" and "n-1" of a code that does not begin at n = 0: here n is that of its own run."""

ROW = re.compile(r"([0-9A-F,-]+) (\S+) (n4|nn|n)?([+-]?\d+)?(?=\s|$)")


def _codes(text):
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def _expected():
    bits = {"n": 7, "nn": 3, "n4": 15}
    for lead, text in LISTS.items():
        for codes, unit, variable, shift in ROW.findall(text):
            for code in _codes(codes):
                low = code & bits[variable] if variable else 0
                yield lead, code, unit.replace("_", " ").replace("-", ""), low + int(shift or 0)


EXPECTED = list(_expected())


def _record(lead, code, data=DATA, vifes=b""):
    vif = bytes([*lead, code | (0x80 if vifes else 0)]) + vifes
    [record] = decode_records(b"\x04" + vif + data).records
    return record


@pytest.mark.parametrize("lead", LISTS, ids=lambda lead: bytes(lead).hex() or "primary")
def test_each_code_has_its_unit_and_power_of_ten(lead):
    rows = [row[1:] for row in EXPECTED if row[0] == lead]
    for code, unit, exponent in rows:
        record = _record(lead, code)
        wanted = Decimal(NUMBER) * 10**exponent if exponent >= 0 else Decimal(NUMBER) / 10**-exponent
        assert (f"{code:02X}", record.unit, record.value) == (f"{code:02X}", unit, wanted)
        assert record.plain
        assert record.quantity


def test_the_list_leaves_out_only_dates_secrets_and_what_nobody_knows():
    listed = {(lead, code) for lead, code, _, _ in EXPECTED}
    tables = {(): PRIMARY, (0xFB,): BEHIND_FB, (0xFD,): BEHIND_FD, (0xFD, 0xFD): BEHIND_FD_FD}
    held = {(lead, code) for lead, table in tables.items() for code in table}
    fd = [0x30, 0x70, 0x72, *range(0x12, 0x17)]
    assert held - listed == {((), 0x6C), ((), 0x6D), *(((0xFD,), code) for code in fd)}
    assert listed <= held


def test_codes_nobody_knows_keep_their_bytes():
    known = {(lead, code) for lead, code, _, _ in EXPECTED}
    for lead in LISTS:
        for code in range(0x7C):
            if (lead, code) in known or (lead, code) in {((), 0x6C), ((), 0x6D)} or (lead == (0xFD,) and code < 0x73):
                continue
            record = _record(lead, code)
            assert (record.value, record.plain, record.unit) == (DATA, False, "")
    for code in (0x7E, 0x7F):
        assert _record((), code).value == DATA
        assert not _record((), code).plain


def test_secrets_are_not_shown():
    for code in range(0x12, 0x17):
        record = _record((0xFD,), code)
        assert (record.value, record.fault) == (None, Fault.WITHHELD)
        assert repr(DATA)[2:-1] not in repr(record)


def test_each_row_has_a_source():
    for table in (PRIMARY, BEHIND_FB, BEHIND_FD, BEHIND_FD_FD, COMBINABLE):
        assert all(row.source for row in table.values())


def test_flags_have_no_sign():
    for code in (0x17, 0x18, 0x1A, 0x1B):
        assert _record((0xFD,), code, b"\xff\xff\xff\xff").value == 2**32 - 1
    assert _record((0xFD,), 0x71, b"\xc4\xff\xff\xff").value == -60


# What may follow a code and leave the quantity what it is; everything else must not be published under its name.
HARMLESS = {0x3A, 0x3B, 0x3E, *range(0x70, 0x78), 0x7D}
ERRORS = {*range(0x01, 0x10), *range(0x15, 0x1D)}
DATES = {0x39, 0x42, 0x43, 0x46, 0x47, 0x4A, 0x4B, 0x4E, 0x4F, 0x6A, 0x6B, 0x6E, 0x6F}
UNITS = ["s", "min", "h", "d"]


@pytest.mark.parametrize("code", range(0x80))
def test_each_byte_that_may_follow(code):
    record = _record((), 0x14, vifes=bytes([code]) if code != 0x7C else bytes([0xFC, 0x01]))
    assert record.plain == (code in HARMLESS)
    assert record.present == (code in HARMLESS)
    if code in ERRORS:
        assert record.value is None
        assert record.fault is not None
    elif code in DATES:
        assert record.header.of == "volume"
        assert record.quantity == "date"
        assert not isinstance(record.value, Decimal)
    elif 0x50 <= code <= 0x67:
        assert (record.quantity, record.header.of, record.unit) == ("duration", "volume", UNITS[code & 3])
        assert record.value == NUMBER
    elif code in {0x41, 0x49}:
        assert (record.quantity, record.header.of, record.unit, record.value) == ("count", "volume", "", NUMBER)
    elif 0x70 <= code <= 0x77:
        assert record.value == Decimal(NUMBER) / 100 * Decimal(10) ** (code - 0x70 - 6)
    elif code == 0x7D:
        assert record.value == NUMBER * 10
    else:
        assert record.value == Decimal(NUMBER) / 100


def test_errors_the_device_reports_have_their_names():
    names = [_record((), 0x14, vifes=bytes([code])).fault for code in (0x15, 0x16, 0x17, 0x18, 0x1C, 0x01)]
    assert names == [Fault.NO_DATA, Fault.OVERFLOW, Fault.UNDERFLOW, Fault.DATA_ERROR, Fault.REPORTED, Fault.REPORTED]


def test_meanings_of_limits():
    assert COMBINABLE[0x4B].meaning == "end of the first time outside the upper limit"
    assert COMBINABLE[0x46].meaning == "begin of the last time outside the lower limit"
    assert COMBINABLE[0x5F].meaning == "how long the last time outside the upper limit lasted"
    assert COMBINABLE[0x6E].meaning == "begin of the last occasion"
    assert sum(row.effect is Effect.DATES for row in COMBINABLE.values()) == len(DATES)


def test_device_types_of_the_guide():
    """MEP guide v1.1 p. 94."""
    assert [DEVICE_TYPES[code] for code in (3, 6, 7)] == ["gas", "warm water", "water"]
    assert DEVICE_TYPES[4].startswith("heat")
