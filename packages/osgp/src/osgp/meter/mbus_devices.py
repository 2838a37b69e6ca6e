"""The M-Bus devices behind a meter, read from an open connection: what the meter has of them, nothing more.

Only the meter's tables are read. No device is asked for anything: each answer takes a little of its battery, so when
devices are read is the grid company's decision (MEP guide v1.1 p. 33).

The newest read of a device may stand in ET16, or in the logs of scheduled reads ET45 and ET74 (p. 27-28). Of these only what is
new is read; what they held before is remembered in :class:`~osgp.meter.known.KnownMeter`.

ET14 says how many bytes of a place in ET16 are its device's (p. 86), so it is read before and behind them: where a device
was read or exchanged meanwhile, both are read again.

This module does not know what the bytes of a read mean (:mod:`osgp.tables.mbus`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from osgp.errors import MeterRefused, TablesChanging
from osgp.meter.known import KnownMeter
from osgp.meter.layout import ROUNDS
from osgp.meter.logs import LogReader
from osgp.meter.reader import TableReader
from osgp.tables import TABLES, Dimensions
from osgp.tables.mbus.devices import MbusDevice, devices, newest, slot_window, with_reads
from osgp.tables.mbus.reading import decode_read
from osgp.tables.mbus.recurring import RECURRING_LOGS

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
        logs: reads the logs.
        known: remembers what they held.
    """

    def __init__(self, reader: TableReader, confirmed: Confirmed, logs: LogReader, known: KnownMeter) -> None:
        self._reader = reader
        self._confirmed = confirmed
        self._logs = logs
        self._known = known

    async def read(self) -> tuple[MbusDevice, ...]:
        """Read all of them. See :meth:`osgp.meter.meter.Meter.mbus_devices`."""
        found = await self._confirmed(self._found)
        if not found:
            return ()
        await self._follow_logs({device.handle for device, _ in found.values()})
        return tuple(self._with_newest(device, data) for device, data in found.values())

    def _with_newest(self, device: MbusDevice, data: bytes) -> MbusDevice:
        logged = self._known.device_reads.get(device.handle)
        reads = [decode_read(data)] if data else []
        return with_reads(device, reads if logged is None else [logged, *reads])

    async def _follow_logs(self, handles: set[int]) -> None:
        """Take note of what is new in the logs of reads; once more from their beginning if one is another log than before."""
        for _ in range(2):
            if not any([await self._follow(table, handles) for table in RECURRING_LOGS]):
                break
        for gone in self._known.device_reads.keys() - handles:
            del self._known.device_reads[gone]

    async def _follow(self, table: str, handles: set[int]) -> bool:
        """Take note of what is new in one log; tell whether it is another one, so that all that was known counts no more."""
        known = self._known
        try:
            read = await self._logs.recurring_reads(table, known.device_logs.get(table, ""), None)
        except MeterRefused:
            return False  # a key that may not read it sees the reads in ET16 alone
        if read.restarted:
            known.device_reads.clear()
            known.device_logs.clear()
            return True
        known.device_logs[table] = read.known
        for one in reversed(read.entries):
            if one.handle in handles and one.reading is not None:
                before = known.device_reads.get(one.handle)
                known.device_reads[one.handle] = newest([one.reading, before] if before else [one.reading])
        return False

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
