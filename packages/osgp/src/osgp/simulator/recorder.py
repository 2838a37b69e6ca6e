"""What the simulated meter has logged: self reads (BT26), load profile (BT61-BT67, ET21), events (BT71, BT74).

All of it follows from the house and the time, as the registers do: an entry is what BT23 showed at its moment, and nothing
has to be kept over a restart. No entry is unread: somebody has read them all.

Numbers are those of the MEP guide v1.1. Two event numbers are those of C12.19-1997 (1 power down, 2 power up): neither guide
lists any. A clock that a fault has set ahead does not move what was logged.

This module does not know how tables are asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from osgp.simulator.house import House
from osgp.simulator.household import DAY
from osgp.simulator.localtime import daylight_saving, local_offset
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile import ProfileSizes
from osgp.tables.schema.types import LTIME_DATE_UTC, NI_FMAT, STIME_DATE, Type

__all__ = ["DATA_SETS", "EVENT_ENTRIES", "SELF_READS", "DataSet", "Recorder", "profile_control", "profile_dimensions"]

SELF_READS = 12
"""Entries of BT26: a year of months."""

EVENT_ENTRIES = 100
"""Of BT74; "the default for most meter models is 100 or 200" (Optical guide v1.1 p. 50)."""

_MINUTE = 60
_WHOLE_DAY = 84
"""Stands for 24 hours among the minutes of an interval (p. 97)."""
_INT32 = 32
"""Format of BT62: values are snapshots of registers (p. 236)."""
_MEMORY = 104_832
"""Bytes for load profiles in a meter with 128 KiB (p. 231)."""
_CIRCULAR = 4
_POWER_DOWN, _POWER_UP = 1, 2
_NOBODY = 0xFFFF
_SUMMER = 0x10
"""Daylight saving, in the four bits for all channels, which are the higher ones of the first byte (p. 240)."""
_PROFILE_SETTINGS_SIZE = 131
"""Bytes of a data set in ET21 from firmware 3.50 on (Optical guide v1.1 p. 40)."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """How one load profile is configured.

    Args:
        blocks: in its ring.
        intervals: in a block.
        seconds: of an interval; a multiple of five minutes.
        sources: source ids of its channels, of the summations of BT23.
    """

    blocks: int
    intervals: int
    seconds: int
    sources: tuple[int, ...]

    @property
    def minutes(self) -> int:
        """Return the interval as BT61 writes it."""
        return _WHOLE_DAY if self.seconds == DAY else self.seconds // _MINUTE

    @property
    def sizes(self) -> ProfileSizes:
        """Return the sizes of its blocks."""
        return ProfileSizes(self.blocks, self.intervals, len(self.sources))


DATA_SETS = (
    DataSet(14, 96, 900, (0, 1)),
    DataSet(30, 24, 3600, (0, 1, 2, 3)),
    DataSet(62, 1, DAY, (0, 1)),
    DataSet(3, 288, 300, (0, 1)),
)
"""Quarter hours of two weeks, hours of a month, days of two months, five minutes of three days. Each fits one answer of the
optical port in packets of 64 bytes, of which Termineter takes 254."""


def profile_dimensions() -> dict[str, Any]:
    """Return the fields of BT61."""
    return {
        "memory_length": _MEMORY,
        "extended_interval_status": True,
        "simple_interval_status": True,
        "int32": True,
        "data_sets": [
            {
                "blocks": one.blocks,
                "intervals": one.intervals,
                "channels": len(one.sources),
                "interval_minutes": one.minutes,
            }
            for one in DATA_SETS
        ],
    }


def profile_control() -> bytes:
    """Return BT62: of each data set the sources of its channels, three bytes each, and the format (p. 235-236)."""
    return b"".join(b"".join(bytes((0, source, 0)) for source in one.sources) + bytes((_INT32,)) for one in DATA_SETS)


@dataclass(frozen=True, slots=True)
class _Position:
    """How far a data set has come: its newest interval."""

    block: int
    """Counted from the installation; its place in the ring is this modulo the number of blocks."""
    slot: int


class Recorder:
    """The logs of one house's meter.

    Args:
        house: whose registers are logged.
        dims: the meter's dimensions.
        encode_registers: makes BT23 of what the registers show.
    """

    def __init__(
        self,
        house: House,
        dims: Dimensions,
        encode_registers: Callable[[Sequence[int], Sequence[Sequence[int]]], bytes],
    ) -> None:
        self._house = house
        self._dims = dims
        self._encode_registers = encode_registers
        self._blocks: list[dict[int, bytes]] = [{} for _ in DATA_SETS]
        self._self_reads: dict[int, bytes] = {}

    def tables(self) -> Mapping[str, Callable[[float], bytes]]:
        """Return the tables as functions of UTC seconds."""
        profile = {f"BT{64 + number}": self._profile_of(number) for number in range(len(DATA_SETS))}
        return profile | {"BT26": self.bt26, "BT63": self.bt63, "BT74": self.bt74, "ET21": self.et21}

    # -- self reads -----------------------------------------------------------------------------

    def bt26(self, now: float) -> bytes:
        """Return the self reads of the last months, each at local midnight of the first day (p. 212-214)."""
        moments = list(self._months(now))
        valid = min(len(moments), SELF_READS)
        newest = max(len(moments) - 1, 0)
        header = struct.pack("<BBBHB", _CIRCULAR, valid, newest % SELF_READS, newest & 0xFFFF, 0)
        empty = bytes(len(self._self_read(self._house.installed)))
        entries = [empty] * SELF_READS
        for number in range(len(moments) - valid, len(moments)):
            entries[number % SELF_READS] = self._self_read(moments[number])
        return header + b"".join(entries)

    def _months(self, now: float) -> Iterator[int]:
        """Yield the beginnings of the months since the installation."""
        first = datetime.fromtimestamp(self._house.installed, UTC)
        year, month = first.year, first.month
        while (moment := _local_midnight(year, month)) <= now:
            if moment >= self._house.installed:
                yield moment
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004 - months of a year

    def _self_read(self, moment: int) -> bytes:
        if moment not in self._self_reads:
            total, tiers = self._house.registers_at(moment)
            local = datetime.fromtimestamp(moment + local_offset(moment), UTC).replace(tzinfo=None)
            season = 0
            entry = _encoded(STIME_DATE, local) + bytes((season,)) + self._encode_registers(total, tiers)
            self._self_reads[moment] = entry
        return self._self_reads[moment]

    # -- load profile ---------------------------------------------------------------------------

    def bt63(self, now: float) -> bytes:
        """Return how far each data set has come (p. 236-238)."""
        return TABLES["BT63"].encode({"data_sets": [self._status(one, now) for one in DATA_SETS]}, self._dims)

    def et21(self, now: float) -> bytes:
        """Return the same in the meter's own words, with the sizes (p. 95-98)."""
        described = TABLES["ET21"]
        return b"".join(
            described.encode(self._internal(one, now), self._dims).ljust(_PROFILE_SETTINGS_SIZE, b"\0")
            for one in DATA_SETS
        )

    def _profile_of(self, number: int) -> Callable[[float], bytes]:
        return lambda now: self._profile(number, now)

    def _profile(self, number: int, now: float) -> bytes:
        """Return all blocks of a data set. What an interval to come will overwrite still stands there (p. 239)."""
        one = DATA_SETS[number]
        at = self._position(one, now)
        ring = [bytes(one.sizes.block_size)] * one.blocks
        if at is None:
            return b"".join(ring)
        kept = self._blocks[number]
        for block in range(max(0, at.block - one.blocks), at.block):
            if block not in kept:
                kept[block] = self._block(one, block, one.intervals, b"")
            ring[block % one.blocks] = kept[block]
        older = ring[at.block % one.blocks]
        ring[at.block % one.blocks] = self._block(one, at.block, at.slot + 1, older)
        for block in [block for block in kept if block < at.block - one.blocks]:
            del kept[block]
        return b"".join(ring)

    def _block(self, one: DataSet, block: int, recorded: int, older: bytes) -> bytes:
        """Return a block of which so many intervals are recorded; the rest is what stood there."""
        sizes = one.sizes
        begin = self._house.installed + block * one.intervals * one.seconds
        ends = [begin + (slot + 1) * one.seconds for slot in range(recorded)]
        # The time is that of the end of the newest interval (p. 239).
        time = _encoded(STIME_DATE, datetime.fromtimestamp(ends[-1], UTC))
        status = ((1 << recorded) - 1).to_bytes(sizes.simple_status_size, "little")
        fresh = time + status + b"".join(self._interval(one, end) for end in ends)
        return fresh + older[len(fresh) :].ljust(sizes.block_size - len(fresh), b"\0")

    def _interval(self, one: DataSet, end: int) -> bytes:
        total, _ = self._house.registers_at(end)
        common = _SUMMER if daylight_saving(end) else 0
        statuses = bytes((common,)).ljust(one.sizes.status_size, b"\0")
        return statuses + b"".join(_encoded(NI_FMAT, total[source]) for source in one.sources)

    def _position(self, one: DataSet, now: float) -> _Position | None:
        """Return the newest interval that has ended; None if none has."""
        ended = (int(now) - self._house.installed) // one.seconds
        return None if ended < 1 else _Position(*divmod(ended - 1, one.intervals))

    def _status(self, one: DataSet, now: float) -> dict[str, Any]:
        at = self._position(one, now)
        running = {"circular": True, "active": True}
        if at is None:
            return running
        return running | {
            "valid_blocks": min(at.block + 1, one.blocks),
            "last_block": at.block % one.blocks,
            "last_block_sequence_number": at.block,
            "valid_intervals": at.slot + 1,
        }

    def _internal(self, one: DataSet, now: float) -> dict[str, Any]:
        at, sizes = self._position(one, now), one.sizes
        fields = {
            "block_size": sizes.block_size,
            "block_header_size": sizes.header_size,
            "simple_status_offset": sizes.simple_status_offset,
            "simple_status_size": sizes.simple_status_size,
            "first_interval_offset": sizes.header_size,
            "interval_size": sizes.interval_size,
            "first_channel_offset": sizes.status_size,
            "channels": sizes.channels,
            "interval_minutes": one.minutes,
        }
        if at is None:
            return fields
        begin = at.block % one.blocks * sizes.block_size
        return fields | {
            "block_address": begin,
            "interval_address": begin + sizes.header_size + at.slot * sizes.interval_size,
            "valid_blocks": min(at.block + 1, one.blocks),
            "valid_intervals": at.slot + 1,
            "last_block": at.block % one.blocks,
            "last_interval": at.slot,
        }

    # -- events ---------------------------------------------------------------------------------

    def bt74(self, now: float) -> bytes:
        """Return the event log: each outage's begin and end (p. 241-243)."""
        events = [
            event
            for begin, end in self._house.outages(now)
            for event in ((begin, _POWER_DOWN), (end, _POWER_UP))
        ]  # fmt: skip
        newest = max(len(events) - 1, 0)
        valid = min(len(events), EVENT_ENTRIES)
        header = struct.pack("<BHHIH", _CIRCULAR, valid, newest % EVENT_ENTRIES, newest, 0)
        ring = [bytes(14)] * EVENT_ENTRIES
        for number in range(len(events) - valid, len(events)):
            moment, event = events[number]
            time = _encoded(LTIME_DATE_UTC, datetime.fromtimestamp(moment, UTC))
            ring[number % EVENT_ENTRIES] = time + struct.pack("<HHHH", number & 0xFFFF, _NOBODY, event, 0)
        return header + b"".join(ring)


def _local_midnight(year: int, month: int) -> int:
    """Return when a month begins, UTC seconds. Daylight saving begins and ends on other days."""
    naive = int(datetime(year, month, 1, tzinfo=UTC).timestamp())
    return naive - local_offset(naive - local_offset(naive))


def _encoded(kind: Type, value: Any) -> bytes:
    raw = value if kind.encode is None else kind.encode(value)
    return struct.pack(f"<{kind.code}", raw)
