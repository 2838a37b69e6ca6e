"""Where the blocks and intervals of a data set stand in BT64-BT67, worked out from BT61.

Pages are those of the MEP guide v1.1: BT64-BT67 p. 238-241, and how to read them p. 29-31. The "Optical Port Programmer's
Guide" (v1.1, June 2021) prints them too, p. 30-38.

A *data set* is a ring of *blocks*, mostly days; a block is a header and its intervals. How large a block and an interval
are can be read in ET21, which the read-only key of the optical port may not do (Optical guide p. 38), or be worked out from
BT61, which it may.

Slots of a block that were left out, in an outage for instance, keep their place: they may hold bytes of an older round, and
the block's *simple status* has no bit for them (p. 239). So the newest interval is not where the *number* of valid
intervals (BT63.11) points; ET21.20 says where (p. 31), or the highest bit of the simple status.

This module does not know what the values of an interval are, nor when it ended.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from osgp.errors import MisuseError, TableError
from osgp.tables.load_profile.configured import MOST_CHANNELS
from osgp.tables.schema.types import NI_FMAT, STIME_DATE

__all__ = ["MAX_MEMORY", "Block", "Interval", "ProfileSizes"]

MAX_MEMORY = 1 << 18
"""Bytes of the largest meter's memory; its load profile has 233,856 of them (p. 231)."""
_MOST_INTERVALS = 1440
"""The most intervals that a block can have (p. 233)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One interval: a status of four bits for all channels, one for each, and the values at its end, raw."""

    common_status: int
    statuses: tuple[int, ...]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The intervals of a block that were recorded, by their index, and when the last one ended."""

    end: datetime | None
    """UTC; None where the meter's clock was not set."""
    intervals: Mapping[int, Interval]


@dataclass(frozen=True, slots=True)
class ProfileSizes:
    """Sizes of one data set, worked out from BT61 (p. 239; Optical guide p. 36): what ET21 tells, without its key.

    Args:
        blocks: how many blocks the ring has.
        intervals: how many intervals a block has.
        channels: how many channels an interval has.
        end_readings: whether each block holds the readings of its channels.
        big_endian: see :attr:`osgp.tables.Dimensions.big_endian`.
    """

    blocks: int
    intervals: int
    channels: int
    end_readings: bool = False
    big_endian: bool = False

    @classmethod
    def of(cls, bt61: Mapping[str, Any], data_set: int = 1, *, big_endian: bool = False) -> ProfileSizes:
        """Return the sizes of data set 1 to 4.

        Raises:
            MisuseError: BT61 has no data set of this number.
            TableError: BT61 states more intervals, channels or bytes than any meter has.
        """
        sets = bt61.get("data_sets", ())
        if not 1 <= data_set <= len(sets):
            raise MisuseError(f"this meter tells of {len(sets)} load profile data sets; there is no number {data_set}")
        one = sets[data_set - 1]
        sizes = cls(one["blocks"], one["intervals"], one["channels"], bt61.get("end_readings", False), big_endian)
        too_large = sizes.intervals > _MOST_INTERVALS or sizes.channels > MOST_CHANNELS
        if too_large or sizes.blocks * sizes.block_size > MAX_MEMORY:
            raise TableError(
                f"BT61 tells of {sizes.blocks} blocks of {sizes.intervals} intervals of {sizes.channels} channels, which no "
                "meter has; it was read wrongly. Read it again"
            )
        return sizes

    @property
    def simple_status_offset(self) -> int:
        """Offset in a block of the bits that say which of its intervals were recorded."""
        return STIME_DATE.size + (NI_FMAT.size * self.channels if self.end_readings else 0)

    @property
    def simple_status_size(self) -> int:
        """Bytes of the simple status, which has one bit for each interval."""
        return (self.intervals + 7) // 8

    @property
    def header_size(self) -> int:
        """Bytes before the first interval."""
        return self.simple_status_offset + self.simple_status_size

    @property
    def status_size(self) -> int:
        """Bytes of an interval's statuses: four bits for all channels and four for each."""
        return self.channels // 2 + 1

    @property
    def interval_size(self) -> int:
        """Bytes of an interval."""
        return self.status_size + NI_FMAT.size * self.channels

    @property
    def block_size(self) -> int:
        """Bytes of a block."""
        return self.header_size + self.intervals * self.interval_size

    def block(self, index: int) -> tuple[int, int]:
        """Return offset and count of a block; an index before the first is one at the end of the ring.

        Raises:
            MisuseError: the data set has no blocks.
        """
        if not self.blocks:
            raise MisuseError("this load profile data set holds no blocks; the meter does not record it")
        return index % self.blocks * self.block_size, self.block_size

    def newest_header(self, status: Mapping[str, Any]) -> tuple[int, int] | None:
        """Return offset and count of the newest block's header, as BT63 states it; None if nothing was recorded."""
        if not status["valid_blocks"] or not status["valid_intervals"]:
            return None
        return self.block(status["last_block"])[0], self.header_size

    def newest_slot(self, header: bytes) -> int | None:
        """Return the index of the newest interval, as the block's header states it; None if no interval was recorded.

        Raises:
            TableError: the header is shorter than :attr:`header_size`.
        """
        return max(self.recorded(header), default=None)

    def newest_interval(self, status: Mapping[str, Any], slot: int) -> tuple[int, int] | None:
        """Return offset and count of the newest interval, as BT63 states it; None if nothing was recorded.

        Args:
            status: an element of BT63's ``data_sets``.
            slot: the interval's index in the newest block: ET21's ``last_interval`` (p. 31), or :meth:`newest_slot` for
                who may not read ET21. It is not the number of valid intervals less one: slots may have been left out.

        Raises:
            MisuseError: a block has no such slot.
        """
        if not status["valid_blocks"] or not status["valid_intervals"]:
            return None
        if not 0 <= slot < self.intervals:
            raise MisuseError(
                f"a block of this load profile has intervals 0 to {self.intervals - 1}; there is no {slot}"
            )
        start, _ = self.block(status["last_block"])
        return start + self.header_size + slot * self.interval_size, self.interval_size

    def recorded(self, header: bytes) -> list[int]:
        """Return the indexes of the intervals that a block's header says were recorded, in order.

        Raises:
            TableError: the header is shorter than :attr:`header_size`.
        """
        if len(header) < self.header_size:
            raise TableError(
                f"the header of a block of this load profile has {self.header_size} bytes, not {len(header)}"
            )
        status = header[self.simple_status_offset : self.header_size]
        return [place for place in range(self.intervals) if status[place // 8] >> place % 8 & 1]

    def decode_interval(self, data: bytes) -> Interval:
        """Decode the bytes of an interval.

        Raises:
            TableError: ``data`` does not have :attr:`interval_size` bytes.
        """
        if len(data) != self.interval_size:
            raise TableError(f"an interval of this load profile has {self.interval_size} bytes, not {len(data)}")
        (raw,) = self.unpack(data)
        status, *values = raw
        common, *statuses = self.statuses(status)
        return Interval(common, tuple(statuses), tuple(values))

    def unpack(self, data: bytes) -> Iterator[tuple[Any, ...]]:
        """Yield status bytes and raw values of whole intervals.

        Raises:
            TableError: ``data`` are no whole intervals.
        """
        if len(data) % self.interval_size:
            raise TableError(f"{len(data)} bytes are no whole intervals of {self.interval_size}")
        order = ">" if self.big_endian else "<"
        return struct.iter_unpack(f"{order}{self.status_size}s{self.channels}{NI_FMAT.code}", data)

    def statuses(self, raw: bytes) -> tuple[int, ...]:
        """Return the status of all channels and that of each; the higher four bits of a byte come first (p. 240)."""
        nibbles = [nibble for byte in raw for nibble in (byte >> 4, byte & 0x0F)]
        return tuple(nibbles[: 1 + self.channels])

    def decode_block(self, data: bytes) -> Block:
        """Decode the bytes of a block. Intervals that were not recorded are absent, whatever their bytes are (p. 239).

        Raises:
            TableError: ``data`` does not have :attr:`block_size` bytes.
        """
        if len(data) != self.block_size:
            raise TableError(f"a block of this load profile has {self.block_size} bytes, not {len(data)}")
        end = STIME_DATE.decode(data[: STIME_DATE.size]) if STIME_DATE.decode else None
        starts = {place: self.header_size + place * self.interval_size for place in self.recorded(data)}
        return Block(
            end.replace(tzinfo=UTC) if isinstance(end, datetime) else None,
            {place: self.decode_interval(data[at : at + self.interval_size]) for place, at in starts.items()},
        )
