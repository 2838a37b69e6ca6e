"""M-Bus devices as lines of text, and as a document for scripts.

This module does not know meters or terminals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from osgp.cli.text.terminal import columns, paint

if TYPE_CHECKING:
    from osgp.mbus.measured import Measured
    from osgp.tables.mbus.devices import MbusDevice
    from osgp.tables.mbus.reading import MbusIdentity
    from osgp.tables.mbus.recurring import RecurringRead

__all__ = ["device_document", "device_lines", "device_summary", "read_document", "read_lines"]

_REPORTS = ("battery_low", "permanent_error", "temporary_error", "alarm")
_NO_TROUBLE = frozenset({"billing_data_collected", "new_device_alarm"})
"""What ET14 also notes: that there is something to read."""


def device_lines(device: MbusDevice) -> list[str]:
    """Return one device with all it measures."""
    rows = [["Device", f"{_name(device)}, place {device.index + 1}, handle {device.handle}"]]
    reading = device.reading
    if reading is None:
        rows.append(["Read", "not yet, or nothing of it could be decoded"])
    else:
        rows.append(
            ["Read", "at a time unknown" if reading.time is None else f"{reading.time}, the meter's local time"]
        )
    rows.append(["State", paint(", ".join(_troubles(device)), "red") or _well(device)])
    values = {} if reading is None else reading.values
    shown = [[key.replace("_", " "), _value(one)] for key, one in values.items()]
    return columns(rows) + columns(shown, right=(1,), indent=2)


def device_summary(device: MbusDevice) -> str:
    """Return one device in a few words: what it is, what it counts, what is wrong."""
    counter = None if device.reading is None else device.reading.counter
    troubles = ", ".join(_troubles(device))
    return _name(device) + (f" {_value(counter[1])}" if counter else "") + (f" ({troubles})" if troubles else "")


def device_document(device: MbusDevice) -> dict[str, Any]:
    """Return one device for scripts."""
    who, reading = device.identity, device.reading
    counter = None if reading is None else reading.counter
    return {
        "place": device.index + 1,
        "handle": device.handle,
        "kind": None if who is None else who.kind,
        "serial": None if who is None else who.serial,
        "manufacturer": None if who is None else who.manufacturer,
        "version": None if who is None else who.version,
        "reachable": device.up,
        **{name: getattr(device, name) for name in _REPORTS},
        "alarms": sorted(device.alarms),
        "read_attempts": device.read_attempts,
        "read_answers": device.read_answers,
        "read": None if reading is None or reading.time is None else reading.time.isoformat(),
        "complete": None if reading is None else reading.whole,
        "encrypted": None if reading is None else reading.encrypted,
        "security_failed": None if reading is None else reading.security_failed,
        "counter": None if counter is None else counter[0],
        "values": {} if reading is None else {key: _json(one) for key, one in reading.values.items()},
    }


def read_lines(reads: Sequence[RecurringRead]) -> list[str]:
    """Return reads of devices, one a line, the newest first."""
    rows = []
    for read in reads:
        reading = read.reading
        counter = None if reading is None else reading.counter
        when = "at a time unknown" if reading is None or reading.time is None else str(reading.time)
        name = f"handle {read.handle}" if reading is None else _called(reading.identity)
        note = "no value" if counter is None else _value(counter[1])
        rows.append([when, name, note, "entered after a power cut" if read.delayed else ""])
    return columns(rows, right=(2,))


def read_document(read: RecurringRead) -> dict[str, Any]:
    """Return one read of a device for scripts."""
    reading = read.reading
    who = None if reading is None else reading.identity
    return {
        "sequence": read.sequence,
        "handle": read.handle,
        "serial": None if who is None else who.serial,
        "manufacturer": None if who is None else who.manufacturer,
        "delayed": read.delayed,
        "read": None if reading is None or reading.time is None else reading.time.isoformat(),
        "values": {} if reading is None else {key: _json(one) for key, one in reading.values.items()},
    }


def _json(one: Measured) -> dict[str, Any]:
    value = one.value
    if isinstance(value, Decimal):
        return {"value": int(value) if value == value.to_integral_value() else float(value), "unit": one.unit}
    return {"value": str(value), "unit": one.unit}


def _name(device: MbusDevice) -> str:
    return _called(device.identity)


def _called(who: MbusIdentity | None) -> str:
    return "unknown" if who is None else f"{who.kind} {who.manufacturer} {who.serial}".replace("  ", " ")


def _value(one: Measured) -> str:
    shown = f"{one.value:,}" if isinstance(one.value, Decimal) else str(one.value)
    return f"{shown} {one.unit}".rstrip()


def _troubles(device: MbusDevice) -> Iterator[str]:
    if device.up is False:
        yield "not reachable"
    yield from (name.replace("_", " ") for name in _REPORTS if getattr(device, name))
    yield from (name.replace("_", " ") for name in sorted(device.alarms - _NO_TROUBLE))
    reading = device.reading
    if reading is not None:
        found = {"security check failed": reading.security_failed, "encrypted": reading.encrypted}
        yield from (words for words, so in found.items() if so)
        if not reading.whole and not reading.encrypted:
            yield "not all of its data are here"


def _well(device: MbusDevice) -> str:
    return "not told" if device.battery_low is None else "no error"
