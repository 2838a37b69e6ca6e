"""Names for the channels of a load profile that hold what devices behind the meter sent.

A channel tells the place of a device and a data type (MEP guide v1.1 p. 32). ET57 has the record header of a data type, so what the
stored bytes mean; who is at the place, the device's own telegrams tell (ET14, ET16). Both are read only where a profile has such a
channel, and where the meter does not show them, the channel keeps its numbers.

This module does not know how a profile is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from osgp.errors import MeterRefused, TableError, TablesChanging
from osgp.tables import Record
from osgp.tables.load_profile.channels import OfDevice, ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile
from osgp.tables.mbus.channels import DataType, data_types
from osgp.tables.mbus.devices import MbusDevice
from osgp.tables.mbus.reading import MbusIdentity

__all__ = ["ChannelNames"]


class ChannelNames:
    """Names channels of one meter's profiles.

    Args:
        table: reads a whole table and decodes it, confirmed (:meth:`osgp.meter.meter.Meter.table`).
        devices: reads the devices behind the meter, by place (:meth:`osgp.meter.meter.Meter.mbus_devices`).
    """

    def __init__(
        self, table: Callable[[str], Awaitable[Record]], devices: Callable[[], Awaitable[tuple[MbusDevice, ...]]]
    ) -> None:
        self._table = table
        self._devices = devices

    async def named(self, profile: LoadProfile) -> LoadProfile:
        """Return the profile with what can be told of its devices' channels.

        Raises:
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        if not any(channel.device is not None for channel in profile.channels):
            return profile
        types, who = await self._types(), await self._identities()
        return replace(profile, channels=tuple(_named(channel, types, who) for channel in profile.channels))

    async def _types(self) -> Mapping[int, DataType]:
        try:
            return data_types((await self._table("ET57")).get("entries", ()))
        except (MeterRefused, TableError):
            return {}

    async def _identities(self) -> Mapping[int, MbusIdentity]:
        try:
            devices = await self._devices()
        except (MeterRefused, TableError, TablesChanging):
            return {}
        return {device.index: device.identity for device in devices if device.identity is not None}


def _named(channel: ProfileChannel, types: Mapping[int, DataType], who: Mapping[int, MbusIdentity]) -> ProfileChannel:
    if channel.device is None:
        return channel
    place, number = channel.device
    identity, data_type = who.get(place), types.get(number)
    key, unit = ("", "") if data_type is None else data_type.described
    of_device = OfDevice(
        kind="" if identity is None else identity.kind,
        serial="" if identity is None else identity.serial,
        manufacturer="" if identity is None else identity.manufacturer,
        key=key,
        unit=unit,
        decode=_decoder(data_type),
    )
    return replace(channel, of_device=of_device)


def _decoder(data_type: DataType | None) -> Callable[[int], Decimal | None]:
    def decode(stored: int) -> Decimal | None:
        found = None if data_type is None else data_type.measured(stored)
        return found[1].value if found is not None and isinstance(found[1].value, Decimal) else None

    return decode
