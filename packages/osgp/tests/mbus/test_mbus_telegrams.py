"""Telegrams of real meters, and some made by hand: every header and every record as others read them.

Each file in telegrams/ says where its telegram is from. Its lines are in a notation of their own, in which a record is
function, quantity, [s storage, t tariff, u subunit], {VIFE}, value, unit. They are not written by our decoder.
"""

import struct
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from osgp.mbus.faults import Fault
from osgp.mbus.record_header import Function
from osgp.mbus.telegram import decode_telegram

FILES = sorted((Path(__file__).parent / "telegrams").glob("*.txt"))
FUNCTIONS = {
    Function.INSTANTANEOUS: "",
    Function.MAXIMUM: "max ",
    Function.MINIMUM: "min ",
    Function.ERROR_STATE: "err ",
}
NAMES = {
    "averaging_duration": "avgdur",
    "customer": "customer",
    "date_time": "datetime",
    "error_flags": "flags",
    "external_temperature": "Text",
    "fabrication_number": "fab",
    "firmware_version": "fw_version",
    "flow_temperature": "Tflow",
    "on_time": "ontime",
    "operating_time": "optime",
    "remaining_battery": "battery_remaining",
    "return_temperature": "Tret",
    "software_version": "sw_version",
    "supplier_information": "supplier_info",
    "temperature_difference": "dT",
    "volume_flow": "flow",
}
UNITS = {"m³": "m3", "m³/h": "m3/h", "°C": "C"}
FAULTS = {Fault.NOT_DECIMAL: "bcd", Fault.NO_DATE: "invalid"}
REAL = 5


def _lines(path):
    pairs = [line.split(": ", 1) for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {key: [value for name, value in pairs if name == key] for key, _ in pairs}


def _value(record):
    value = record.value
    if record.fault:
        return f"=ERR({FAULTS[record.fault]})"
    if isinstance(value, datetime):
        has_seconds = record.header.data_code == 6 and record.summer_time is not None
        text = value.isoformat(timespec="seconds" if has_seconds else "minutes")
        return f"={text}{'+DST' if record.summer_time and has_seconds else ''}"
    if isinstance(value, (date, time)):
        return f"={value.isoformat()}"
    if isinstance(value, bytes):
        return f" raw {value.hex()}" if record.header.text is None else f" {len(value)} raw bytes"
    if isinstance(value, str):
        return f"={value!r}"
    unit = UNITS.get(record.unit, record.unit)
    return f"={value:f} {unit}".rstrip()


def _name(record):
    head = record.header
    name = f"text:{head.text!r}" if head.text is not None else NAMES.get(record.quantity, record.quantity)
    places = "".join(
        f"{letter}{n}" for letter, n in (("s", head.storage), ("t", head.tariff), ("u", head.subunit)) if n
    )
    modifiers = "".join(f"{{{code:02x}}}" for code in head.modifiers)
    about = f" of {NAMES.get(head.of, head.of)} limit exceed" if head.of else ""
    return FUNCTIONS[head.function] + (name or "mfrVIF") + (f"[{places}]" if places else "") + modifiers + about


def _same(expected, record):
    """Whether the record is what the line says; of numbers the value counts, of real ones nine digits."""
    written = _name(record) + _value(record)
    if not isinstance(record.value, Decimal):
        return written == expected
    name, _, number = expected.rpartition("=")
    amount, _, unit = number.partition(" ")
    true = Decimal(amount)
    tolerance = abs(true) * Decimal("6e-8") if record.header.data_code == REAL else 0
    return written == f"{name}={record.value:f} {unit}".rstrip() and abs(record.value - true) <= tolerance


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_telegram_reads_as_others_read_it(path):
    lines = _lines(path)
    telegram = decode_telegram(bytes.fromhex(lines["telegram"][0]) + b"\0")  # as the meter keeps it
    head = telegram.header
    sender = f"{head.serial} {head.manufacturer} v{head.version} m{head.device_type}"
    assert lines["header"] == [f"{sender} acc{head.access_number} st{head.status.code:02x} sig{head.signature:04x}"]
    content = telegram.content
    written = [_name(record) + _value(record) for record in content.records]
    assert len(written) == len(lines["record"]), written
    for expected, record in zip(lines["record"], content.records, strict=True):
        assert _same(expected, record), (expected, _name(record) + _value(record))
    [manufacturer] = lines.get("manufacturer", ["-"])
    assert content.manufacturer.hex() + (" MORE" if content.more_follow else "") in {
        manufacturer,
        manufacturer.removeprefix("-"),
    }
    assert content.rest == b""
    for record in content.records:
        if record.header.data_code == REAL:
            exponent = record.header.code.exponent
            assert struct.pack("<f", float(record.value.scaleb(-exponent))) == record.raw


def test_every_file_says_where_it_is_from():
    assert len(FILES) == 26
    for path in FILES:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert "BSD-3-Clause" in first or "made by hand" in first


def test_what_may_be_published_of_them():
    """A modifier that changes the meaning is never the plain quantity, and most records are."""
    present, other = {}, {}
    for path in FILES:
        content = decode_telegram(bytes.fromhex(_lines(path)["telegram"][0]) + b"\0").content
        present[path.stem[:2]] = [_name(record) for record in content.records if record.present]
        other[path.stem[:2]] = [_name(record) for record in content.records if not record.plain]
    assert present["17"] == ["fab", "datetime", "volume", "date", "flow", "ontime", "flags"]
    assert other["17"] == ["volume{28}"]
    assert present["18"] == ["fab", "datetime", "volume"]
    assert "volume{7f}" in other["18"]
    assert present["26"] == ["volume{3a}", "volume{3e}", "fab", "volume", "volume", "customer"]
    assert present["04"] == ["energy{3b}"]
    assert other["08"] == ["date[s1]{7e}"]
    assert "err flags" not in present["21"]
    assert other["15"] == ["text:'PW'"]
