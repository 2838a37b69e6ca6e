"""What the channels of a data set are: source, unit, and what one step of the stored number is worth.

BT62 names a source id for each channel; 112 to 163 are keys of ET66, which holds a longer id of 16 bits (MEP guide v1.1 p. 31,
173). ET42 holds the same longer ids at once (p. 116, 118). Their upper four bits tell the kind: 0 a plain source id, 4 a
value that a device behind the meter sends, its place in bits 8-11 and its data type in bits 0-4 (p. 32). Kind 3 is named without
a description.

Values are what the register showed when the interval ended, never what was consumed in it (p. 29, 236): energies in steps of
1, 10 or 100 Wh (p. 118), which roll over (p. 119).

This module does not know how a device's bytes are read (:mod:`osgp.mbus`); who does, gives it a :class:`OfDevice`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from osgp.sources import Kind, Source, by_id
from osgp.tables.load_profile.configured import FIRST_MAPPED, MAPPED_IDS
from osgp.tables.registers import ENERGIES, step_of
from osgp.tables.schema.dimensions import Dimensions

__all__ = ["OfDevice", "ProfileChannel", "channels_of", "extended_ids"]

_KIND_SHIFT, _PLAIN, _DEVICE = 12, 0, 4
_DEVICE_SHIFT, _DEVICE_MASK = 8, 0x0F
_DATA_TYPE_MASK = 0x1F
_PLAIN_IDS = 0x100
_FIRST_CLIENT = 4
"""Places of devices from which on there are MEP clients (p. 32, 84)."""
_DEVICE_COUNTERS = range(73, 81)
"""Counters of M-Bus and MEP devices (p. 205)."""


@dataclass(frozen=True, slots=True)
class OfDevice:
    """What a channel holds of a device behind the meter, as far as that can be told.

    It is the device that is at the channel's place *now*: a profile does not tell that it was exchanged.
    """

    kind: str
    """``gas``; empty where the device was not read yet, as are :attr:`serial` and :attr:`manufacturer`."""
    serial: str
    manufacturer: str
    key: str
    """Of the value, as in :mod:`osgp.mbus.measured`: ``volume``; empty where ET57 does not tell."""
    unit: str
    """Of the decoded value: ``m³``."""
    decode: Callable[[int], Decimal | None] = field(repr=False, compare=False)
    """Makes the value of the stored number; None where it is none."""


@dataclass(frozen=True, slots=True)
class ProfileChannel:
    """One channel of a data set."""

    source: Source | None
    """What it records; None where the meter names what this program has no name for."""
    source_id: int
    """The source's number, the longer one where the meter tells it."""
    step: int = 1
    """What one step of the stored number is worth in :attr:`unit`."""
    rollover: int | None = None
    """In :attr:`unit`: where the register begins anew; None if it does not, or that is not known."""
    of_device: OfDevice | None = None
    """What it holds of a device behind the meter; None for a source of the meter's own, and where nothing is known of the device."""

    @property
    def unit(self) -> str:
        """Return the unit of the channel's values: ``Wh``; empty where it has none or none is known.

        Of a device's value it is that of the decoded one (:meth:`decoded`): stored is what the device sent.
        """
        if self.source is None:
            return "" if self.of_device is None else self.of_device.unit
        return self.source.raw_unit

    @property
    def label(self) -> str:
        """Return its English name for people."""
        if self.source is not None:
            return self.source.label
        if self.device is None:
            return f"Source {self.source_id}"
        place, data_type = self.device
        name, what = "", ""
        if self.of_device is not None:
            name, what = f"{self.of_device.kind} {self.of_device.serial}".strip(), self.of_device.key.replace("_", " ")
        if not name:
            name = f"device {place + 1}" if place < _FIRST_CLIENT else f"MEP client {place + 1 - _FIRST_CLIENT}"
        label = f"{name}, {what or f'data type {data_type}'}"
        return label[:1].upper() + label[1:]

    @property
    def device(self) -> tuple[int, int] | None:
        """Return index (of ET13) and data type (of ET57) of a device's value; None if it is none (p. 32)."""
        if self.source_id >> _KIND_SHIFT != _DEVICE:
            return None
        return self.source_id >> _DEVICE_SHIFT & _DEVICE_MASK, self.source_id & _DATA_TYPE_MASK

    @property
    def awaited(self) -> bool:
        """Tell whether the meter has to ask a device for it, or may have to: what it says then comes late, or is a zero."""
        return self.device is not None or self.source_id in MAPPED_IDS or self.source_id in _DEVICE_COUNTERS

    @property
    def counts(self) -> bool:
        """Tell whether it is a register, of which differences say what was counted."""
        return self.source is not None and self.source.kind is not Kind.PRESENT

    def decoded(self, value: int | None) -> Decimal | None:
        """Return what a device's stored number stands for, in :attr:`unit`; None for none, and for what cannot be decoded."""
        return None if value is None or self.of_device is None else self.of_device.decode(value)

    def consumed(self, earlier: int, later: int) -> int | None:
        """Return what a register counted between two of its values; None where it does not count up, or fell."""
        if self.source is None or not self.counts:
            return None
        if later >= earlier or self.source.kind is Kind.NET_REGISTER:
            return later - earlier
        return None if self.rollover is None else later - earlier + self.rollover


def extended_ids(sources: Sequence[int], mapping: Mapping[int, int], summary: Sequence[int] = ()) -> tuple[int, ...]:
    """Return the longest id that is known of each channel.

    Args:
        sources: source ids of BT62.
        mapping: what is known of ET66: longer ids by mapped id. 0 is none: behind a table's end a meter gives zeros.
        summary: the ids that ET42 has for the same channels; believed where they say what a mapped id stands for.
    """
    listed = summary if len(summary) == len(sources) else sources
    return tuple(
        (mapping.get(number) or told) if number in MAPPED_IDS else number
        for number, told in zip(sources, listed, strict=True)
    )


def channels_of(ids: Sequence[int], dims: Dimensions, *, scaled: bool = False) -> tuple[ProfileChannel, ...]:
    """Return the channels with these source ids.

    Args:
        ids: see :func:`extended_ids`.
        dims: the meter's dimensions.
        scaled: values were multiplied and divided before they were recorded (BT62's scalars), so they are in no unit.
    """
    return tuple(_channel(number, dims, scaled=scaled) for number in ids)


def _channel(number: int, dims: Dimensions, *, scaled: bool) -> ProfileChannel:
    source = by_id(number) if number < _PLAIN_IDS and not scaled else None
    if source is None:
        return ProfileChannel(None, number)
    step, rollover = step_of(source, dims), None
    # With larger steps the guide leaves open whether the digits count steps or Wh (p. 119).
    if source.kind is Kind.REGISTER and source.quantity in ENERGIES and dims.rollover_digits is not None and step == 1:
        rollover = 10**dims.rollover_digits
    return ProfileChannel(source, number, step, rollover)


def mapped(words: Sequence[int]) -> dict[int, int]:
    """Return the words of ET66 by mapped source id (p. 173); 0 where there is none."""
    return {FIRST_MAPPED + place: word for place, word in enumerate(words)}
