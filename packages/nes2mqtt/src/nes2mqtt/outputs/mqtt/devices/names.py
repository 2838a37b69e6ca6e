"""What Home Assistant calls the values of gas, water and heat meters, and what people call the devices and their values.

A heat meter's volume is no ``water``: its Energy page would count it as drinking water. A temperature difference has no
class: as a temperature, 55.5 K would be shown as -217.65 °C. What falls when a date passes (values kept of the last billing
date, highest values) is no total.

This module does not know messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from nes2mqtt.readings.devices import Device, DeviceKind, DeviceValue

__all__ = ["MAINTENANCE", "ValueClass", "device_title", "value_class", "value_title"]

MAINTENANCE = frozenset({"remaining_battery", "on_time", "operating_time", "battery_operating_time"})
"""Quantities that tell of the device's life rather than of what it measures."""

_TOTAL, _NOW = "total_increasing", "measurement"


class ValueClass(NamedTuple):
    """What Home Assistant calls a value."""

    device_class: str | None = None
    state_class: str | None = None


_VOLUME_OF: Mapping[DeviceKind, str] = {DeviceKind.GAS: "gas", DeviceKind.WATER: "water"}
_VOLUME_UNITS: Mapping[str, frozenset[str]] = {
    "gas": frozenset({"m³", "ft³"}),
    "water": frozenset({"m³", "ft³", "gal"}),
    "volume": frozenset({"m³", "ft³", "gal"}),
}

_CLASSES: Mapping[tuple[str, str], ValueClass] = MappingProxyType(
    {
        ("energy", "kWh"): ValueClass("energy", _TOTAL),
        ("energy", "GJ"): ValueClass("energy", _TOTAL),
        ("energy", "Mcal"): ValueClass("energy", _TOTAL),
        ("mass", "kg"): ValueClass(None, _TOTAL),
        ("heat_cost_allocation", ""): ValueClass(None, _TOTAL),
        ("power", "W"): ValueClass("power", _NOW),
        ("power", "J/h"): ValueClass(None, _NOW),
        ("power", "GJ/h"): ValueClass(None, _NOW),
        ("volume_flow", "m³/h"): ValueClass("volume_flow_rate", _NOW),
        ("volume_flow", "gal/min"): ValueClass("volume_flow_rate", _NOW),
        ("mass_flow", "kg/h"): ValueClass(None, _NOW),
        ("flow_temperature", "°C"): ValueClass("temperature", _NOW),
        ("return_temperature", "°C"): ValueClass("temperature", _NOW),
        ("external_temperature", "°C"): ValueClass("temperature", _NOW),
        ("flow_temperature", "°F"): ValueClass("temperature", _NOW),
        ("return_temperature", "°F"): ValueClass("temperature", _NOW),
        ("external_temperature", "°F"): ValueClass("temperature", _NOW),
        ("temperature_difference", "K"): ValueClass(None, _NOW),
        ("pressure", "bar"): ValueClass("pressure", _NOW),
        ("relative_humidity", "%"): ValueClass("humidity", _NOW),
        ("voltage", "V"): ValueClass("voltage", _NOW),
        ("current", "A"): ValueClass("current", _NOW),
        ("frequency", "Hz"): ValueClass("frequency", _NOW),
        ("remaining_battery", "d"): ValueClass("duration", _NOW),
        **{
            (name, unit): ValueClass("duration", _TOTAL)
            for name in ("on_time", "operating_time", "battery_operating_time")
            for unit in ("s", "min", "h", "d")
        },
    }
)
"""By quantity and unit (:mod:`osgp.mbus.codes`); a unit that Home Assistant does not take for a class is not here."""


def value_class(kind: DeviceKind, key: str, one: DeviceValue) -> ValueClass:
    """Return what Home Assistant calls a value of a device.

    Args:
        kind: of the device.
        key: of the value.
        one: the value.
    """
    if one.quantity == "volume":
        word = _VOLUME_OF.get(kind, "volume")
        found = ValueClass(word if one.unit in _VOLUME_UNITS[word] else None, _TOTAL)
    else:
        found = _CLASSES.get((one.quantity, one.unit), ValueClass())
    falls = found.state_class == _TOTAL and ("_target" in key or "_storage_" in key or key.startswith(("max_", "min_")))
    return found._replace(state_class=None) if falls else found


def value_title(key: str) -> str:
    """Return what people call a value: ``Volume target``."""
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def device_title(device: Device) -> str:
    """Return what people call a device: ``Gas meter 10000004``."""
    kind = device.type if device.kind is DeviceKind.OTHER else device.kind.value
    return f"{kind[:1].upper()}{kind[1:]} meter {device.serial}"
