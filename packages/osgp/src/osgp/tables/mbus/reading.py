"""One read of an M-Bus device: from the bytes of a slot or log entry to who sent them, how it is, and what it measured.

How many of the bytes count must be known before: behind them stand leftovers of longer reads (MEP guide v1.1 p. 86). A read
whose security check failed keeps its telegrams, but no value of them is given out: its sender may be another device, or
its time wrong (p. 93).

What decodes M-Bus is imported with the first read: most meters have no such device, and the decoder takes half a megabyte.

This module does not know which table the bytes are from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from osgp.errors import TableError
from osgp.tables.mbus.data import MBUS_READ, READ_HEAD_SIZE
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Layout

if TYPE_CHECKING:
    from osgp.mbus.fixed import FixedTelegram
    from osgp.mbus.measured import Measured
    from osgp.mbus.telegram import Status, Telegram

__all__ = ["MbusIdentity", "MbusReading", "decode_read"]

_COUNT_ENERGY = frozenset({0x02, 0x04, 0x05, 0x0A, 0x0B, 0x0C, 0x0D})
_ENERGY, _VOLUME = ("energy",), ("volume", "volume_converted", "mass", "heat_cost_allocation")
_LAST_SHARED, _UNKNOWN = 0x08, 0x0F
"""Up to 8 the media of the fixed form are device types."""
_HEAD = Layout(MBUS_READ, Dimensions())


@dataclass(frozen=True, slots=True)
class MbusIdentity:
    """Who a device says it is."""

    serial: str
    """Eight characters; digits in devices that keep to the standard."""
    manufacturer: str
    """Three letters; empty where the telegram has none (fixed form)."""
    version: int | None
    """The device's generation or version, by the manufacturer's count; None in the fixed form."""
    device_type: int
    """A key of :data:`~osgp.mbus.codes.device_types.DEVICE_TYPES`, or none."""

    @property
    def kind(self) -> str:
        """Return what kind of device it is, for people: ``gas``."""
        from osgp.mbus.codes.device_types import DEVICE_TYPES  # noqa: PLC0415

        return DEVICE_TYPES.get(self.device_type, f"unknown ({self.device_type:02X})")


@dataclass(frozen=True)
class MbusReading:
    """What a device sent in one read."""

    time: datetime | None
    """When it was read, by the meter's local time, without zone; None if the meter's clock was not set."""
    identity: MbusIdentity | None
    """None if nothing of the telegram is there."""
    status: Status | None
    """What the device says of itself; in the fixed form only battery and errors mean what they say."""
    access_number: int | None
    """The device counts its answers with it, up to 255."""
    security_failed: bool
    """The meter's check of the sender's id or of the date failed."""
    whole: bool
    """All of it is there and was decoded."""
    encrypted: bool
    """Some of it is encrypted, and the meter had no key."""
    telegrams: tuple[Telegram, ...] = field(default=(), repr=False)
    """Of the variable form: all records, decoded or not."""
    fixed: FixedTelegram | None = field(default=None, repr=False)
    """The telegram of the fixed form."""

    @cached_property
    def values(self) -> Mapping[str, Measured]:
        """Return what it measured, by key (:mod:`osgp.mbus.measured`); empty if the security check failed."""
        if self.security_failed:
            return {}
        from osgp.mbus.measured import counted, measured  # noqa: PLC0415

        if self.fixed is not None:
            return counted(self.fixed.counters)
        return measured(
            record for telegram in self.telegrams if telegram.content for record in telegram.content.records
        )

    @property
    def counter(self) -> tuple[str, Measured] | None:
        """Return key and value of what the device is there to count; None if it does not tell.

        That is energy for heat, cooling, steam and electricity, and volume for all others.
        """
        counts_energy = self.identity is not None and self.identity.device_type in _COUNT_ENERGY
        for key in (*_ENERGY, *_VOLUME) if counts_energy else (*_VOLUME, *_ENERGY):
            found = self.values.get(key)
            if found is not None and found.main and isinstance(found.value, Decimal):
                return key, found
        return None


def decode_read(data: bytes) -> MbusReading:
    """Decode one read. What cannot be decoded is left out and shows in :attr:`MbusReading.whole`.

    Args:
        data: from the time on, no more than are valid.

    Raises:
        TableError: they end before the first telegram could begin.
    """
    if len(data) < READ_HEAD_SIZE:
        raise TableError(
            f"the read of an M-Bus device has {len(data)} bytes, its head alone {READ_HEAD_SIZE}. Read it again after the "
            "meter's next read of the device"
        )
    from osgp.mbus.telegram import split_telegrams  # noqa: PLC0415

    head = _HEAD.decode(data, 0)
    bodies = split_telegrams(data[READ_HEAD_SIZE:])
    return _fixed(head, bodies) if head["fixed_structure"] else _variable(head, bodies)


def _variable(head: Mapping[str, Any], bodies: list[tuple[bytes, bool]]) -> MbusReading:
    from osgp.mbus.telegram import HEADER_SIZE, decode_telegram  # noqa: PLC0415

    telegrams: list[Telegram] = []
    for body, whole in bodies:
        if len(body) < HEADER_SIZE:
            break
        telegram = decode_telegram(body, whole=whole, msb_first=head["msb_first"], decrypted=head["decrypted"])
        if telegrams and not _same_sender(telegram, telegrams[0]):
            break
        telegrams.append(telegram)
    first = telegrams[0].header if telegrams else None
    return MbusReading(
        time=head["time"],
        identity=None
        if first is None
        else MbusIdentity(first.serial, first.manufacturer, first.version, first.device_type),
        status=None if first is None else first.status,
        access_number=None if first is None else first.access_number,
        security_failed=head["security_failed"],
        whole=bool(telegrams) and len(telegrams) == len(bodies) and all(_is_whole(one) for one in telegrams),
        encrypted=any(one.content is None for one in telegrams),
        telegrams=tuple(telegrams),
    )


def _same_sender(one: Telegram, other: Telegram) -> bool:
    return (one.header.serial, one.header.manufacturer) == (other.header.serial, other.header.manufacturer)


def _is_whole(telegram: Telegram) -> bool:
    return telegram.whole and telegram.content is not None and not telegram.content.rest


def _fixed(head: Mapping[str, Any], bodies: list[tuple[bytes, bool]]) -> MbusReading:
    from osgp.mbus.fixed import FIXED_SIZE, decode_fixed  # noqa: PLC0415

    body = bodies[0][0] if bodies else b""
    found = decode_fixed(body, msb_first=head["msb_first"]) if len(body) >= FIXED_SIZE else None
    return MbusReading(
        time=head["time"],
        identity=None if found is None else MbusIdentity(found.serial, "", None, _listed(found.device_type)),
        status=None if found is None else found.status,
        access_number=None if found is None else found.access_number,
        security_failed=head["security_failed"],
        whole=found is not None,
        encrypted=False,
        fixed=found,
    )


def _listed(medium: int) -> int:
    """Return the device type of a medium of the fixed form, whose upper ones are of another list."""
    return medium if medium <= _LAST_SHARED else _UNKNOWN
