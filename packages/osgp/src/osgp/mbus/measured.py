"""What a device measures, under names that stay: each value of its records that is what it seems to be.

>>> from osgp.mbus.records import decode_records
>>> telegram = decode_records(bytes.fromhex("0c 13 45 23 01 00  4c 13 00 00 01 00"))
>>> {key: f"{one.value} {one.unit}" for key, one in measured(telegram.records).items()}
{'volume': '12.345 m³', 'volume_target': '10.000 m³'}

A key is the name of the quantity with what tells one value of it from another:

==================  =====================================================================================
part of the key     says
==================  =====================================================================================
``max_``, ``min_``  the highest or lowest value, not the one now
``_converted``      converted to standard conditions (VIFE 3E); what is as measured has no such word
``_target``         kept under storage number 1, which is mostly that of the last billing date
``_storage_2``      kept under another storage number
``_tariff_1``       of one tariff, not of all together
``_subunit_1``      of a part of the device, a pulse input for instance
==================  =====================================================================================

Left out is what would be mistaken: values that a modifier made another quantity of, values during an error of the device,
values cut or without meaning here, and a second value of the same key. Energies, powers and flows are given in one unit
each (kWh, GJ, W, m³/h), exactly.

This module does not know telegrams, nor how anything is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType

from osgp.mbus.codes.code import Code
from osgp.mbus.fixed import Counter
from osgp.mbus.record_header import Function, RecordHeader
from osgp.mbus.records import Record
from osgp.mbus.values import scaled

__all__ = ["Measured", "counted", "measured"]

_CONVERTED = 0x3E
_PREFIXES = {Function.MAXIMUM: "max_", Function.MINIMUM: "min_"}
_TARGET = 1

_UNITS: Mapping[str, tuple[str, int, int]] = MappingProxyType(
    {
        "Wh": ("kWh", 1, -3),
        "MWh": ("kWh", 1, 3),
        "J": ("GJ", 1, -9),
        "MW": ("W", 1, 6),
        "m³/min": ("m³/h", 60, 0),
        "m³/s": ("m³/h", 3600, 0),
        "t": ("kg", 1, 3),
    }
)
"""Unit of a record -> the one unit for people, and factor and power of ten that lead there. Others have no exact factor."""


Shown = Decimal | date | datetime | time | str


@dataclass(frozen=True, slots=True)
class Measured:
    """One value."""

    quantity: str
    """Name of the quantity, as in :mod:`osgp.mbus.codes`: ``volume``."""
    value: Shown
    """A number, a point in time without zone, or a text without control characters."""
    unit: str
    """Of a number; empty for none."""
    main: bool
    """It is the device's main value of the quantity, now."""


def measured(records: Iterable[Record]) -> dict[str, Measured]:
    """Return the values of a device's records by key.

    Args:
        records: of one telegram, or of several that continue each other.
    """
    found: dict[str, Measured] = {}
    for record in records:
        told = record.value
        if not record.plain or told is None or isinstance(told, bytes):
            continue
        if record.header.function is not Function.ERROR_STATE:
            value, unit = _for_people(told, record.unit, record.header.code)
            one = Measured(record.quantity or "", value, unit, record.present)
            found.setdefault(_key(record.header, one.quantity), one)
    return found


def counted(counters: Iterable[Counter]) -> dict[str, Measured]:
    """Return the values of the fixed form's counters by key, as :func:`measured` does."""
    found: dict[str, Measured] = {}
    for counter in counters:
        if counter.code is not None and counter.value is not None:
            value, unit = _for_people(counter.value, counter.code.unit, counter.code)
            key = f"{counter.code.quantity}_target" if counter.stored else counter.code.quantity
            found.setdefault(key, Measured(counter.code.quantity, value, unit, main=not counter.stored))
    return found


def _key(head: RecordHeader, quantity: str) -> str:
    key = _PREFIXES.get(head.function, "") + quantity
    if _CONVERTED in head.modifiers:
        key += "_converted"
    if head.storage:
        key += "_target" if head.storage == _TARGET else f"_storage_{head.storage}"
    if head.tariff:
        key += f"_tariff_{head.tariff}"
    if head.subunit:
        key += f"_subunit_{head.subunit}"
    return key


def _for_people(value: Shown, unit: str, code: Code | None) -> tuple[Shown, str]:
    if isinstance(value, Decimal) and unit in _UNITS:
        unit, factor, exponent = _UNITS[unit]
        return _exactly(value, factor, exponent, 0 if code is None else code.exponent), unit
    if isinstance(value, str):
        # It goes to logs and pages.
        return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value), unit
    return value, unit


def _exactly(value: Decimal, factor: int, exponent: int, of_code: int) -> Decimal:
    """Multiply without the rounding of decimal contexts, and without digits that the device does not tell."""
    sign, digits, power = value.as_tuple()
    number = int("".join(map(str, digits))) * (-factor if sign else factor)
    places = int(power) + exponent
    for _ in range(of_code):
        if number % 10:
            break  # a real number, which has digits of its own
        number, places = number // 10, places + 1
    return scaled(Decimal(number), places)
