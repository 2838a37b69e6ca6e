"""The fixed form of a telegram: 16 bytes with two counters, sent by old devices (CI 73 and 77).

Serial number 4, access number, status, medium and units 2, counters 4 and 4 (MEP guide v1.1 p. 94-95). What the units mean
is a fact from libmbus, except that it has 0D and 0E the wrong way round.

This module does not know the variable form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from osgp.errors import TableError
from osgp.mbus.codes.code import Code, powers, single
from osgp.mbus.faults import Fault
from osgp.mbus.telegram import Status
from osgp.mbus.values import packed_decimal, scaled

__all__ = ["FIXED_SIZE", "UNITS", "Counter", "FixedTelegram", "decode_fixed"]

FIXED_SIZE = 16
_LIBMBUS = "libmbus"
_SAME_BUT_STORED = 0x3E
_UNIT = 0x3F
_BINARY, _STORED = 0x01, 0x02

UNITS: Mapping[int, Code] = MappingProxyType(
    dict(
        [
            *powers(range(0x02, 0x0B), "energy", "Wh", 0, source=_LIBMBUS),
            *powers(range(0x0B, 0x14), "energy", "J", 3, source=_LIBMBUS),
            *powers(range(0x14, 0x1D), "power", "W", 0, source=_LIBMBUS),
            *powers(range(0x1D, 0x26), "power", "J/h", 3, source=_LIBMBUS),
            *powers(range(0x26, 0x2F), "volume", "m³", -6, source=_LIBMBUS),
            *powers(range(0x2F, 0x38), "volume_flow", "m³/h", -6, source=_LIBMBUS),
            *powers([0x38], "temperature", "°C", -3, source=_LIBMBUS),
            *single(0x39, "heat_cost_allocation", source=_LIBMBUS),
        ]
    )
)
"""Low six bits of a byte of "medium/unit" -> unit. 3E is that of counter 1, but stored; 3F is none."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One of the two counters."""

    code: Code | None
    """None without a unit, or with one nobody here knows."""
    raw: bytes
    value: Decimal | None
    """In the unit of the code; the bare number where there is none."""
    fault: Fault | None
    stored: bool
    """It is the value of a past date, not of now."""


@dataclass(frozen=True, slots=True)
class FixedTelegram:
    """What a device of the fixed form says."""

    serial: str
    """Eight characters."""
    access_number: int
    status: Status
    """Its lowest two bits are about the counters here, so only battery and errors mean what they say."""
    device_type: int
    """0 to 8 are those of :data:`~osgp.mbus.codes.device_types.DEVICE_TYPES`; others belong to a list of their own."""
    counters: tuple[Counter, Counter]


def decode_fixed(body: bytes, *, msb_first: bool = False) -> FixedTelegram:
    """Decode the 16 bytes.

    Args:
        body: from the serial number on.
        msb_first: serial number and counters have their most significant byte first; medium and units never (p. 95).

    Raises:
        TableError: there are fewer.
    """
    if len(body) < FIXED_SIZE:
        raise TableError(
            f"an M-Bus telegram of the fixed form has {FIXED_SIZE} bytes, not {len(body)}. The meter kept only a part of it; "
            "read it again after the next billing read of the device"
        )
    order: Literal["big", "little"] = "big" if msb_first else "little"
    status = body[5]
    units = body[6] & _UNIT, body[7] & _UNIT
    first = _counter(body[8:12], units[0], status, order)
    if units[1] == _SAME_BUT_STORED:
        second = _counter(body[12:16], units[0], status | _STORED, order)
    else:
        second = _counter(body[12:16], units[1], status, order)
    return FixedTelegram(
        serial=f"{int.from_bytes(body[:4], order):08X}",
        access_number=body[4],
        status=Status(status),
        device_type=body[6] >> 6 | body[7] >> 6 << 2,
        counters=(first, second),
    )


def _counter(raw: bytes, unit: int, status: int, order: Literal["big", "little"]) -> Counter:
    if status & _BINARY:
        number: Decimal | Fault = Decimal(int.from_bytes(raw, order, signed=True))
    else:
        number = packed_decimal(raw if order == "little" else raw[::-1])
    code, stored = UNITS.get(unit), bool(status & _STORED)
    if isinstance(number, Fault):
        return Counter(code, raw, None, number, stored)
    return Counter(code, raw, scaled(number, code.exponent if code else 0), None, stored)
