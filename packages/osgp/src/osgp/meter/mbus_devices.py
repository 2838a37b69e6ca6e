"""The M-Bus devices behind a meter, read from an open connection: what the meter has of them, nothing more.

Only the meter's tables are read. No device is asked for anything: each answer takes a little of its battery, so when
devices are read is the grid company's decision (MEP guide v1.1 p. 33).

ET14 says how many bytes of a place in ET16 are its device's (p. 86), so it is read before and behind them: where a device
was read or exchanged meanwhile, both are read again.

This module does not know what the bytes of a read mean (:mod:`osgp.tables.mbus`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from osgp.errors import TablesChanging
from osgp.meter.layout import ROUNDS
from osgp.meter.reader import TableReader
from osgp.tables import TABLES, Dimensions
from osgp.tables.mbus.devices import MbusDevice, devices, slot_window, with_reads
from osgp.tables.mbus.reading import decode_read

__all__ = ["DeviceReader"]

_Found = dict[int, tuple[MbusDevice, bytes]]
"""Devices by place, each with its bytes of ET16."""

Confirmed = Callable[[Callable[[Dimensions], Awaitable[_Found]]], Awaitable[_Found]]
"""Reads by the meter's layout until it is confirmed."""


class DeviceReader:
    """Reads the devices of one connection's meter.

    Args:
        reader: reads.
        confirmed: calls what reads, with the meter's layout, until it is confirmed that this was right.
    """

    def __init__(self, reader: TableReader, confirmed: Confirmed) -> None:
        self._reader = reader
        self._confirmed = confirmed

    async def read(self) -> tuple[MbusDevice, ...]:
        """Read all of them. See :meth:`osgp.meter.meter.Meter.mbus_devices`."""
        found = await self._confirmed(self._found)
        return tuple(with_reads(device, [decode_read(data)] if data else []) for device, data in found.values())

    async def _found(self, dims: Dimensions) -> _Found:
        et14, et16 = TABLES["ET14"], TABLES["ET16"]
        listed = devices(await self._reader.whole(et14, dims), dims)
        for _ in range(ROUNDS):
            found: _Found = {}
            for device in listed:
                window = slot_window(device, dims)
                found[device.index] = device, b"" if window is None else await self._reader.part(et16.id, *window)
            before, listed = listed, devices(await self._reader.whole(et14, dims), dims) if found else listed
            if [_of_read(one) for one in before] == [_of_read(one) for one in listed]:
                return found
        raise TablesChanging(
            "the meter read its M-Bus devices again and again meanwhile, so nothing is given out of them. They are read again"
        )


def _of_read(device: MbusDevice) -> tuple[int, int, int, int]:
    return device.index, device.handle, device.read_length, device.read_answers
