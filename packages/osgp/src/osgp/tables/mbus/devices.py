"""The M-Bus devices of a meter: each with its place, handle, alarms, and the newest read of it.

A device's *handle* is the meter's name for it as long as it is there; whatever takes its place gets another one (MEP guide
v1.1 p. 27, 84). So another handle at a place is another device, and entries of the log of reads belong to the device with
their handle, or to one that is gone. A place keeps the data of the device before (p. 36): they count only as far as ET14
says that this device was read (p. 86). Who a device is, the same behind another meter too, is its serial number and maker.

Reads come from three tables (p. 27-28, 92, 119, 176): the first one and those on demand stand in ET16, scheduled ones in
ET45, and before there is room for them there, in ET74. An entry that moves from ET74 to ET45 is one read and not two.

This module does not know how the tables are read, and nothing in it asks a device for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from osgp.errors import TableError
from osgp.tables.mbus.data import ET16, READ_HEAD_SIZE
from osgp.tables.mbus.reading import MbusIdentity, MbusReading
from osgp.tables.mbus.status import ENTRY_SIZE, ET14
from osgp.tables.schema.dimensions import MBUS_DEVICES, Dimensions
from osgp.tables.schema.windows import Window

if TYPE_CHECKING:
    from osgp.mbus.telegram import Status

__all__ = ["MbusDevice", "devices", "newest", "slot_window", "with_reads"]

_UP, _DOWN = 1, 2


@dataclass(frozen=True, slots=True)
class MbusDevice:
    """One device as the meter knows it."""

    index: int
    """Its place in the meter's tables, 0 to 3; M-Bus address and number in the load profile follow from it (p. 27, 32)."""
    handle: int
    """The meter's name for it, 1 to 999; another one means another device."""
    up: bool | None
    """Whether the meter reaches it; None where it does not tell."""
    read_length: int
    """Bytes of ET16 that are its own; 0 if it was not read yet."""
    read_attempts: int
    read_answers: int
    alarms: frozenset[str]
    """What the meter found, as named in ET14; each stays until the grid company clears it."""
    reported: Status
    """What the device said of itself in status reads; each bit stays until the grid company clears it."""
    status_read: datetime | None
    """When the last status read succeeded, by the meter's local time, without zone."""
    last_read_attempt: datetime | None
    """When the meter last tried to read it."""
    reading: MbusReading | None = None
    """The newest read of it; None if there is none that can be decoded."""

    @property
    def identity(self) -> MbusIdentity | None:
        """Return who it says it is; None until it was read."""
        return None if self.reading is None else self.reading.identity

    @property
    def battery_low(self) -> bool | None:
        """Tell whether it reported a weak battery; None if it never reported anything."""
        return self._reported("power_low")

    @property
    def permanent_error(self) -> bool | None:
        """Tell whether it reported an error that stays; None if it never reported anything."""
        return self._reported("permanent_error")

    @property
    def temporary_error(self) -> bool | None:
        """Tell whether it reported an error that may go away; None if it never reported anything."""
        return self._reported("temporary_error")

    @property
    def alarm(self) -> bool | None:
        """Tell whether it reported an alarm in its newest read; None where it has no such report."""
        # Bits that are kept from several status reads are no code any more, and in the fixed form they mean something else.
        reading = self.reading
        return None if reading is None or reading.status is None or reading.fixed is not None else reading.status.alarm

    def _reported(self, name: str) -> bool | None:
        said = [] if self.status_read is None else [self.reported]
        if self.reading is not None and self.reading.status is not None:
            said.append(self.reading.status)
        return any(getattr(status, name) for status in said) if said else None


def devices(et14: bytes, dims: Dimensions) -> list[MbusDevice]:
    """Return the M-Bus devices that ET14 names, without their reads; those of MEP clients are not among them.

    Args:
        et14: the whole table.
        dims: the meter's dimensions.

    Raises:
        TableError: it ends before its entries do, or they are too short to hold what the guide prints.
    """
    if dims.device_status_size < ENTRY_SIZE or len(et14) < ET14.size(dims):
        raise TableError(
            f"ET14 has {len(et14)} bytes for {dims.mep_devices} devices of {dims.device_status_size} bytes, which cannot be. "
            "Read it again; if that does not help, save an osgp dump and report it"
        )
    record = ET14.decode(et14, dims)
    entries: Sequence[Mapping[str, Any]] = record["devices"]
    return [
        _device(index, entry)
        for index, entry in enumerate(entries[:MBUS_DEVICES])
        if index in record["occupied"] and entry["handle"]
    ]


def _device(index: int, entry: Mapping[str, Any]) -> MbusDevice:
    from osgp.mbus.telegram import Status  # noqa: PLC0415 - see osgp.tables.mbus.reading

    return MbusDevice(
        index=index,
        handle=entry["handle"],
        up={_UP: True, _DOWN: False}.get(entry["status"]),
        read_length=entry["billing_read_length"],
        read_attempts=entry["read_attempts"],
        read_answers=entry["read_answers"],
        alarms=frozenset(name for name, value in entry.items() if value is True),
        reported=Status(entry["device_alarms"]),
        status_read=entry["status_read"],
        last_read_attempt=entry["last_read_attempt"],
    )


def slot_window(device: MbusDevice, dims: Dimensions) -> Window | None:
    """Return offset and count of what ET16 holds of a device; None if that is nothing."""
    count = min(device.read_length, dims.device_data_size)
    if count < READ_HEAD_SIZE:
        return None
    return ET16.place(dims, "mbus", device.index, "time").offset, count


def newest(reads: Sequence[MbusReading]) -> MbusReading:
    """Return the newest of some reads of one device, at least one: of equal times the first.

    Times are local: of two reads in the hour that autumn has twice, the older one may be taken.
    """
    return max(reads, key=lambda read: (read.time is not None, read.time or datetime.min))  # noqa: DTZ901 - local, as all


def with_reads(device: MbusDevice, reads: Sequence[MbusReading]) -> MbusDevice:
    """Return the device with the newest of these reads of it."""
    return replace(device, reading=newest(reads) if reads else None)
