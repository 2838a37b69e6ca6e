"""The devices behind a meter as the outputs get them: gas, water and heat meters, each with who it is and what it counts.

A device is known by maker and serial number, not by its place or the meter's handle for it: it stays the same when it moves,
and what takes its place is another one. One that was never read is nobody yet and is left out.

This module does not know how devices are read, and not what anything is called in an output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from osgp.tables.mbus.devices import MbusDevice
from osgp.tables.mbus.reading import MbusIdentity, MbusReading

if TYPE_CHECKING:
    from osgp.mbus.measured import Measured

__all__ = ["Device", "DeviceKind", "DeviceValue", "devices_of"]


_CLOCK_SLACK = timedelta(minutes=10)
"""So much the meter's clock may be ahead."""


class DeviceKind(StrEnum):
    """What a device is for, as far as outputs tell it apart."""

    GAS = "gas"
    WATER = "water"
    HEAT = "heat"
    """Also cooling."""
    OTHER = "other"


_KINDS: Mapping[int, DeviceKind] = {
    0x03: DeviceKind.GAS,
    **dict.fromkeys((0x06, 0x07, 0x15, 0x16, 0x17), DeviceKind.WATER),
    **dict.fromkeys((0x04, 0x0A, 0x0B, 0x0C, 0x0D), DeviceKind.HEAT),
}
"""By the type in the telegram (:mod:`osgp.mbus.codes.device_types`)."""


@dataclass(frozen=True, slots=True)
class DeviceValue:
    """One value that a device told."""

    value: int | float | str
    """A number in :attr:`unit`; dates, times and texts as text."""
    unit: str
    quantity: str
    """As in :mod:`osgp.mbus.codes`: ``volume``."""
    main: bool
    """It is the device's main value of the quantity, now."""
    is_date: bool = False
    """A date without a time."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device. None is what it, or the meter, does not tell."""

    id: str
    """Maker and serial number: ``osg_10000004``."""
    kind: DeviceKind
    type: str
    """The device type in words: ``warm water``."""
    manufacturer: str
    """Three letters; empty where the device does not tell."""
    serial: str
    version: int | None
    place: int
    """Which of the meter's four places it has, from 1."""
    read: datetime | None
    """When the meter read it, by the meter's local time, without zone."""
    reachable: bool | None
    battery_low: bool | None
    permanent_error: bool | None
    temporary_error: bool | None
    alarm: bool | None
    trouble: tuple[str, ...]
    """What the meter found, as named in ET14, and why values are missing: ``encrypted``, ``incomplete``, ``security_failed``."""
    counter: str
    """Key of the value that the device is there to count; empty if it is not told."""
    values: Mapping[str, DeviceValue]
    """By key (:mod:`osgp.mbus.measured`)."""

    def read_at(self, zone: tzinfo, told: datetime) -> datetime | None:
        """Return when the meter read it, taking the meter's local time for that of a zone.

        Args:
            zone: of the house.
            told: when the meter told of it, aware.

        Returns:
            None if that would be later than ``told``: then the meter has another zone, or its clock is wrong.
        """
        moment = None if self.read is None else self.read.replace(tzinfo=zone)
        return None if moment is None or moment > told + _CLOCK_SLACK else moment


def devices_of(found: Iterable[MbusDevice]) -> tuple[Device, ...]:
    """Return the devices that say who they are, by place."""
    devices: dict[str, Device] = {}
    for each in found:
        reading, who = each.reading, each.identity
        if reading is not None and who is not None:
            name = _id(who)
            # Two parts of one device may share a serial number; then the later one has its type behind it.
            name = f"{name}_{who.device_type:02x}" if name in devices else name
            devices.setdefault(name, _device(name, each, who, reading))
    return tuple(devices.values())


def _id(who: MbusIdentity) -> str:
    return re.sub(r"[^a-z0-9]+", "_", f"{who.manufacturer}_{who.serial}".lower()).strip("_")


_NO_TROUBLE = frozenset({"billing_data_collected", "new_device_alarm"})
"""What ET14 also notes: that there is something to read."""


def _device(name: str, device: MbusDevice, who: MbusIdentity, reading: MbusReading) -> Device:
    missing = {
        "security_failed": reading.security_failed,
        "encrypted": reading.encrypted,
        "incomplete": not reading.whole and not reading.encrypted,
    }
    counter = reading.counter
    return Device(
        id=name,
        kind=_KINDS.get(who.device_type, DeviceKind.OTHER),
        type=who.kind,
        manufacturer=who.manufacturer,
        serial=who.serial,
        version=who.version,
        place=device.index + 1,
        read=reading.time,
        reachable=device.up,
        battery_low=device.battery_low,
        permanent_error=device.permanent_error,
        temporary_error=device.temporary_error,
        alarm=device.alarm,
        trouble=(*sorted(device.alarms - _NO_TROUBLE), *(word for word, so in missing.items() if so)),
        counter="" if counter is None else counter[0],
        values={key: _value(one) for key, one in reading.values.items()},
    )


def _value(one: Measured) -> DeviceValue:
    value = one.value
    if isinstance(value, Decimal):
        number = int(value) if value == value.to_integral_value() else float(value)
        return DeviceValue(number, one.unit, one.quantity, one.main)
    if isinstance(value, str):
        return DeviceValue(value, "", one.quantity, one.main)
    is_date = isinstance(value, date) and not isinstance(value, datetime)
    return DeviceValue(value.isoformat(), "", one.quantity, one.main, is_date)
