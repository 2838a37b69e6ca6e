"""Channels of the load profile that hold values of M-Bus devices: which device and what (MEP guide v1.1 p. 32-34, 163-164).

A channel's id tells the place of the device and a *data type*, under which ET57 has one or more record headers (DRH). More than
one where devices send the same thing in different ways: the interval's status then says *special* for the header that ET57
marks so, such as a volume converted to standard temperature (p. 33).

This module does not know where in a profile a channel stands (:mod:`osgp.tables.load_profile`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any

from osgp.errors import TableError

if TYPE_CHECKING:
    from osgp.mbus.measured import Measured
    from osgp.mbus.records import Record

__all__ = ["DataType", "data_types", "time_of"]

_MBUS, _CONTINUES = 1, 3
_KEPT = 4
"""Bytes of a value that a channel holds (p. 32)."""
_DEFAULT_LOCATORS: Mapping[int, tuple[tuple[int, int], tuple[int, int]]] = {4: ((9, 5), (1, 6)), 6: ((17, 5), (9, 6))}
"""Bytes of a time stamp -> start bit, from 1, and number of bits, of its hour and of its minute (p. 33)."""


@dataclass(frozen=True, slots=True)
class DataType:
    """What the load profile records under one number."""

    number: int
    """1 to 31, the lower bits of a channel's id."""
    headers: tuple[bytes, ...]
    """The record headers that it stands for, without what follows them in ET57."""
    special: tuple[bytes, ...]
    """Those of them that the status of an interval marks as special."""

    def value(self, stored: int, *, special: bool = False) -> Record | None:
        """Return what a channel holds.

        Args:
            stored: the channel's number, of 32 bits with a sign, as the profile has it.
            special: the interval's status says so.

        Returns:
            None where several headers would give different meanings.
        """
        from osgp.mbus.records import decode_value  # noqa: PLC0415 - see osgp.tables.mbus.reading

        raw = (stored & 0xFFFFFFFF).to_bytes(_KEPT, "little")
        fitting = [header for header in self.headers if (header in self.special) == special] or list(self.headers)
        found = [decode_value(header, raw) for header in fitting]
        return found[0] if found and all(_alike(one, found[0]) for one in found) else None

    def measured(self, stored: int) -> tuple[str, Measured] | None:
        """Return what a channel holds, under its key (:mod:`osgp.mbus.measured`) and in the one unit for people; None if that is nothing."""
        from osgp.mbus.measured import measured  # noqa: PLC0415 - see osgp.tables.mbus.reading

        record = self.value(stored)
        found = {} if record is None else measured([record])
        return next(iter(found.items()), None)

    @property
    def described(self) -> tuple[str, str]:
        """Return key and unit of the values, as far as the headers tell; empty where they do not."""
        nothing = self.value(0)
        found = None if nothing is None else self.measured(0)
        if found is not None:
            return found[0], found[1].unit
        # Zeros are no date, for instance.
        return ("" if nothing is None else nothing.quantity or ""), ""


def _alike(one: Record, other: Record) -> bool:
    return (one.quantity, one.unit, one.value, one.plain) == (other.quantity, other.unit, other.value, other.plain)


def data_types(entries: Sequence[Mapping[str, Any]]) -> dict[int, DataType]:
    """Return the data types of M-Bus devices by number.

    A header that is none is left out: the meter compares it with what devices send, and finds nothing (p. 32).

    Args:
        entries: of ET57, as decoded.
    """
    from osgp.mbus.records import decode_value  # noqa: PLC0415 - see osgp.tables.mbus.reading

    found: dict[int, tuple[list[bytes], list[bytes]]] = {}
    for place, entry in enumerate(entries):
        if entry["kind"] != _MBUS:
            continue
        header = bytes(entry["header"])
        for further in entries[place + 1 :]:
            if further["kind"] != _CONTINUES:
                break
            header += further["header"]
        try:
            header = decode_value(header, bytes(_KEPT)).header.encoded
        except TableError:
            continue
        headers, special = found.setdefault(entry["data_type"], ([], []))
        headers.append(header)
        if entry["special"]:
            special.append(header)
    return {number: DataType(number, tuple(headers), tuple(special)) for number, (headers, special) in found.items()}


def time_of(stamp: bytes, hour: tuple[int, int] = (0, 0), minute: tuple[int, int] = (0, 0)) -> time | None:
    """Return the hour and minute of a device's time stamp, as the meter finds them to see whether a read is current.

    Args:
        stamp: the data of the record, the least significant byte first.
        hour: start bit, from 1, and number of bits, as ET34 has them (``hour_start``, ``hour_bits``).
        minute: the same of the minute.

    Returns:
        None where there is neither a locator nor a default for stamps of this length, or no such time.
    """
    defaults = _DEFAULT_LOCATORS.get(len(stamp), ((0, 0), (0, 0)))
    told = hour if hour[1] else defaults[0], minute if minute[1] else defaults[1]
    hours, minutes = (_located(stamp, *each) for each in told)
    try:
        return None if hours is None or minutes is None else time(hours, minutes)
    except ValueError:
        return None


def _located(stamp: bytes, start: int, bits: int) -> int | None:
    if not start or not bits:
        return None
    return int.from_bytes(stamp, "little") >> start - 1 & (1 << bits) - 1
