"""What kind of device sends a telegram: the "medium" of its header.

The MEP guide (v1.1 p. 94) prints 3, 4, 6 and 7; the others are facts from libmbus.

This module does not know a telegram.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["DEVICE_TYPES"]

DEVICE_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0x00: "other",
        0x01: "oil",
        0x02: "electricity",
        0x03: "gas",
        0x04: "heat (outlet)",
        0x05: "steam",
        0x06: "warm water",
        0x07: "water",
        0x08: "heat cost allocator",
        0x09: "compressed air",
        0x0A: "cooling (outlet)",
        0x0B: "cooling (inlet)",
        0x0C: "heat (inlet)",
        0x0D: "heat and cooling",
        0x0F: "unknown",
        0x15: "hot water",
        0x16: "cold water",
        0x17: "dual water",
        0x18: "pressure",
        0x19: "analog-digital converter",
        0x1A: "smoke detector",
        0x1B: "room sensor",
        0x1C: "gas detector",
        0x20: "breaker",
        0x21: "valve",
        0x28: "waste water",
    }
)
"""Device type -> its name for people."""
