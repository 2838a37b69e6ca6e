"""Names and units of a device's values; the telegrams are those of the golden files, the values are worked out by hand."""

import doctest
from datetime import date, datetime
from decimal import Decimal, localcontext
from pathlib import Path

import pytest

import osgp.mbus.measured
from osgp.mbus.fixed import decode_fixed
from osgp.mbus.measured import counted, measured
from osgp.mbus.records import decode_records
from osgp.mbus.telegram import decode_telegram

TELEGRAMS = Path(__file__).parent / "telegrams"


def values(name):
    """Return the values of a golden telegram by key."""
    (path,) = TELEGRAMS.glob(f"{name}-*.txt")
    lines = path.read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("telegram: "))
    return measured(decode_telegram(bytes.fromhex(line.removeprefix("telegram: "))).content.records)


def shown(found):
    return {key: (one.value, one.unit) for key, one in found.items()}


def records(*encoded):
    return decode_records(bytes.fromhex(" ".join(encoded))).records


def test_example_in_the_documentation():
    results = doctest.testmod(osgp.mbus.measured)
    assert (results.attempted, results.failed) == (3, 0)


def test_a_water_meter():
    assert shown(values("08")) == {
        "volume": (Decimal("1234.567"), "m³"),
        "date_time": (datetime.fromisoformat("2007-02-06 13:58"), ""),
        "date_target": (date(2007, 1, 1), ""),
        "volume_target": (Decimal("456.951"), "m³"),
    }


def test_a_heat_meter_in_the_units_that_people_read():
    found = shown(values("11"))
    # The telegram's unit is Wh: 2,850,427,000 Wh.
    assert found["energy"] == (Decimal(2850427), "kWh")
    assert found["energy_target"] == (Decimal(1445419), "kWh")
    assert found["power"] == (Decimal("329.7"), "W")
    assert found["flow_temperature"] == (Decimal("44.3"), "°C")


def test_what_is_no_plain_value_has_no_name():
    found = values("17")
    assert found["max_volume_flow"].value == Decimal("2.07")
    assert found["volume_storage_2"].value == Decimal("0.332")
    assert not any(one.value == Decimal("0.000008") for one in found.values())
    assert "power" not in values("20")  # only "during error", and its digits are none
    assert values("18")["volume"].value == Decimal("0.26")
    assert measured(records("04947F 00000000")) == {}
    assert measured(records("3B2A 123456")) == {}  # during an error


def test_tariffs_and_parts_of_a_device_have_keys_of_their_own():
    """Frame 5: 12.565 m³; the highest flow under storage number 5; 218,370 Wh of tariff 2 of subunit 1."""
    assert shown(values("05")) == {
        "volume": (Decimal("12.565"), "m³"),
        "max_volume_flow_storage_5": (Decimal("0.113"), "m³/h"),
        "energy_tariff_2_subunit_1": (Decimal("218.37"), "kWh"),
    }


def test_converted_volume_is_not_the_other_one():
    found = values("26")
    assert (found["volume"].value, found["volume_converted"].value) == (Decimal("12.345"), Decimal("12.445"))
    assert found["volume"].main
    assert found["volume_converted"].main


def test_of_two_values_with_one_key_the_first_counts():
    assert shown(measured(records("0C13 45230100", "0C13 99999999"))) == {"volume": (Decimal("12.345"), "m³")}


@pytest.mark.parametrize(
    ("record", "value", "unit"),
    [
        ("04 06 39300000", "12345", "kWh"),  # 12345 kWh
        ("04 FB01 39300000", "12345000", "kWh"),  # MWh
        ("04 FB09 39300000", "12345", "GJ"),
        ("04 0E 39300000", "12.345", "GJ"),  # 12345 x 10^6 J
        ("02 FB29 1000", "16000000", "W"),  # 16 MW
        ("02 43 6400", "0.6", "m³/h"),  # 100 x 10^-4 m3/min, 60 times that
        ("02 4C 6400", "3.6", "m³/h"),  # 100 x 10^-5 m3/s, 3600 times that
        ("02 FB18 0300", "300000", "kg"),  # 3 x 10^2 t
        ("02 2B 6400", "100", "W"),
        ("04 FB20 39300000", "12345", "ft³"),
    ],
)
def test_one_unit_for_each_quantity(record, value, unit):
    (one,) = measured(records(record)).values()
    assert (one.value, one.unit) == (Decimal(value), unit)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ("0C06 50280000", "2850"),  # 2850 x 10^3 Wh: the device tells whole kWh
        ("0C05 50280000", "285.0"),
        ("0C07 50280000", "28500"),
        ("0506 9A994541", "12.35"),  # a real number of kWh
        ("0C0F 50280000", "28.50"),  # 2850 x 10^7 J
        ("0C06 00000000", "0"),
    ],
)
def test_no_digits_that_the_device_does_not_tell(record, text):
    (one,) = measured(records(record)).values()
    assert str(one.value) == text


def test_no_context_rounds_a_value():
    with localcontext() as context:
        context.prec = 3
        (one,) = measured(records("06 03 FFFFFFFFFF7F")).values()
    assert one.value == Decimal("140737488355.327")


def test_negative_numbers_keep_their_sign():
    (one,) = measured(records("02 2B 9CFF")).values()
    assert one.value == Decimal(-100)
    (one,) = measured(records("02 06 9CFF")).values()
    assert one.value == Decimal(-100)


def test_text_of_a_device_holds_no_control_characters():
    (one,) = measured(records("0D FD10 03 1B4142")).values()
    assert one.value == "BA\N{REPLACEMENT CHARACTER}"


def test_counters_of_the_fixed_form():
    """The frames of libmbus: 1 litre and 135 stored; 6531 kWh and 69 litres."""
    found = counted(decode_fixed(bytes.fromhex("785634120A00E97E0100000035010000")).counters)
    assert shown(found) == {"volume": (Decimal("0.001"), "m³"), "volume_target": (Decimal("0.135"), "m³")}
    found = counted(decode_fixed(bytes.fromhex("9392919010000569 3165000069000000")).counters)
    assert shown(found) == {"energy": (Decimal(6531), "kWh"), "volume": (Decimal("0.069"), "m³")}
    assert found["energy"].main
