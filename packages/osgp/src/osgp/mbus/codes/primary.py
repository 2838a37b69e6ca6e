"""The first table: what a VIF (value information field) means by itself.

The key is the byte without its highest bit. 6F, 7B and 7D are reserved and not here; FB and FD lead to
:mod:`~osgp.mbus.codes.extended`; 7C is text, 7E "any", 7F the manufacturer's own.

This module does not know what further bytes make of a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osgp.mbus.codes.code import Code, Kind, durations, powers, single

__all__ = ["PRIMARY"]

PRIMARY: Mapping[int, Code] = MappingProxyType(
    dict(
        [
            *powers(range(0x08), "energy", "Wh", -3),
            *powers(range(0x08, 0x10), "energy", "J", 0),
            *powers(range(0x10, 0x18), "volume", "m³", -6),
            *powers(range(0x18, 0x20), "mass", "kg", -3),
            *durations(0x20, "on_time"),
            *durations(0x24, "operating_time"),
            *powers(range(0x28, 0x30), "power", "W", -3),
            *powers(range(0x30, 0x38), "power", "J/h", 0),
            *powers(range(0x38, 0x40), "volume_flow", "m³/h", -6),
            *powers(range(0x40, 0x48), "volume_flow", "m³/min", -7),
            *powers(range(0x48, 0x50), "volume_flow", "m³/s", -9),
            *powers(range(0x50, 0x58), "mass_flow", "kg/h", -3),
            *powers(range(0x58, 0x5C), "flow_temperature", "°C", -3),
            *powers(range(0x5C, 0x60), "return_temperature", "°C", -3),
            *powers(range(0x60, 0x64), "temperature_difference", "K", -3),
            *powers(range(0x64, 0x68), "external_temperature", "°C", -3),
            *powers(range(0x68, 0x6C), "pressure", "bar", -3),
            *single(0x6C, "date", kind=Kind.TIME_POINT),
            *single(0x6D, "date_time", kind=Kind.TIME_POINT),
            *single(0x6E, "heat_cost_allocation"),
            *durations(0x70, "averaging_duration"),
            *durations(0x74, "actuality_duration"),
            *single(0x78, "fabrication_number"),
            *single(0x79, "identification"),
            *single(0x7A, "bus_address"),
        ]
    )
)
"""VIF without its highest bit -> code."""
