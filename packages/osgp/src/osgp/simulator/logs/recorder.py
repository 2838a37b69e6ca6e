"""All logs of one simulated meter as tables: BT03, BT24-BT26, BT61-BT67, BT74, ET09, ET14, ET16, ET21, ET31, ET41, ET79, ET81.

All of it follows from the house, its history and the time, as the registers do: an entry is what BT23 showed at its moment, and
nothing has to be kept over a restart. No entry is unread: somebody has read them all.

Numbers of pages are those of the MEP guide v1.1. A clock that a *fault* has set ahead does not move what was logged; one that was
set by the utility (:class:`~osgp.simulator.history.happenings.ClockSet`) does. This module does not know how tables are
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from osgp.simulator.history.configuration import DATA_SETS, DataSet
from osgp.simulator.history.happenings import Reconfigured
from osgp.simulator.house import House
from osgp.simulator.localtime import local_offset
from osgp.simulator.logs.events import Events
from osgp.simulator.logs.mbus_reads import MbusReads
from osgp.simulator.logs.profile import ProfileRing
from osgp.simulator.logs.quality import Quality
from osgp.simulator.logs.self_reads import SelfReads
from osgp.tables import TABLES, Dimensions

__all__ = ["Recorder", "profile_control", "profile_dimensions"]

_INT32 = 32
"""Format of BT62: values are snapshots of registers (p. 236)."""
_FIRST_SOURCES = 8
"""ET21 has the sources of eight channels, and behind them those of eight more (p. 96)."""
_TWO_LOGS_SINCE = (3, 70)
"""Firmware (p. 241)."""
_MEMORY = 104_832
"""Bytes for load profiles in a meter with 128 KiB (p. 231)."""


def profile_dimensions(data_sets: Sequence[DataSet] = DATA_SETS) -> dict[str, Any]:
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
            for one in data_sets
        ],
    }


def profile_control(data_sets: Sequence[DataSet] = DATA_SETS) -> bytes:
    """Return BT62: of each data set the sources of its channels, three bytes each, and the format (p. 235-236)."""
    return b"".join(b"".join(bytes((0, source, 0)) for source in one.sources) + bytes((_INT32,)) for one in data_sets)


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
        self._events = Events(house, two_logs=dims.firmware is None or dims.firmware >= _TWO_LOGS_SINCE)
        self._quality = Quality(house, dims)
        self._mbus = MbusReads(house, dims)
        self._self_reads = SelfReads(house, encode_registers)
        self._rings: dict[int, list[ProfileRing]] = {}

    def tables(self) -> Mapping[str, Callable[[float], bytes]]:
        """Return the tables as functions of true time, UTC seconds."""
        profile = {f"BT{64 + number}": self._profile_of(number) for number in range(self._dims.load_profile_sets)}
        return profile | {
            "BT03": self.bt03,
            "BT24": self._self_reads.bt24,
            "BT25": self._self_reads.bt25,
            "BT26": self._self_reads.bt26,
            "BT61": self.bt61,
            "BT62": self.bt62,
            "BT63": self.bt63,
            "BT74": self._events.bt74,
            "ET09": self._quality.et09,
            "ET14": self._mbus.et14,
            "ET16": self._mbus.et16,
            "ET21": self.et21,
            "ET31": self._self_reads.et31,
            "ET41": self._self_reads.et41,
            "ET79": self._events.et79,
            "ET81": self._quality.et81,
        }

    def data_sets(self, now: float) -> tuple[DataSet, ...]:
        """Return the load profiles that are configured."""
        changes = self._house.history.until(now, Reconfigured)
        return (changes[-1].data_sets if changes else DATA_SETS)[: self._dims.load_profile_sets]

    # -- alarms -----------------------------------------------------------------------------------

    def bt03(self, now: float) -> bytes:
        """Return the alarms (Optical guide v1.1 p. 45-47)."""
        known = TABLES["BT03"].layout(self._dims).entries
        on = [name for name in self._events.alarms(now) if name in known]
        return TABLES["BT03"].encode({"metering": True} | dict.fromkeys(on, True), self._dims)

    # -- load profile -----------------------------------------------------------------------------

    def rings(self, now: float) -> list[ProfileRing]:
        """Return the data sets as they are configured now."""
        changes = self._house.history.until(now, Reconfigured)
        begin = changes[-1].at if changes else self._house.installed
        if begin not in self._rings:
            self._rings = {begin: [ProfileRing(self._house, one, begin) for one in self.data_sets(now)]}
        return self._rings[begin]

    def bt61(self, now: float) -> bytes:
        """Return the sizes of the load profiles (p. 233-235)."""
        return TABLES["BT61"].encode(profile_dimensions(self.data_sets(now)), self._dims)

    def bt62(self, now: float) -> bytes:
        """Return what the load profiles record (p. 235-236)."""
        return profile_control(self.data_sets(now))

    def bt63(self, now: float) -> bytes:
        """Return how far each data set has come (p. 236-238)."""
        return TABLES["BT63"].encode({"data_sets": [_status(one, now) for one in self.rings(now)]}, self._dims)

    def et21(self, now: float) -> bytes:
        """Return the same in the meter's own words, with the sizes (p. 95-98)."""
        table = TABLES["ET21"]
        records = table.layout(self._dims).entries["data_sets"].records
        known = {} if records is None else records.entries
        configuration = 1 + len(self._house.history.until(now, Reconfigured))
        told = [_internal(one, now) | {"configuration_id": configuration} for one in self.rings(now)]
        return table.encode(
            {"data_sets": [{name: value for name, value in one.items() if name in known} for one in told]}, self._dims
        )

    def _profile_of(self, number: int) -> Callable[[float], bytes]:
        return lambda now: self.rings(now)[number].data(now)


def _status(ring: ProfileRing, now: float) -> dict[str, Any]:
    newest = ring.newest(now)
    running = {"circular": True, "active": True}
    if newest is None:
        return running
    return running | {
        "valid_blocks": min(newest.block + 1, ring.one.blocks),
        "last_block": newest.block % ring.one.blocks,
        "last_block_sequence_number": newest.block,
        "valid_intervals": newest.intervals,
    }


def _internal(ring: ProfileRing, now: float) -> dict[str, Any]:
    newest, sizes = ring.newest(now), ring.one.sizes
    sources = ring.one.sources + (0,) * (2 * _FIRST_SOURCES - len(ring.one.sources))
    fields = {
        "block_size": sizes.block_size,
        "block_header_size": sizes.header_size,
        "simple_status_offset": sizes.simple_status_offset,
        "simple_status_size": sizes.simple_status_size,
        "first_interval_offset": sizes.header_size,
        "interval_size": sizes.interval_size,
        "first_channel_offset": sizes.status_size,
        "channels": sizes.channels,
        "interval_minutes": ring.one.minutes,
        "sources": sources[:_FIRST_SOURCES],
        "further_sources": sources[_FIRST_SOURCES:],
        "most_memory": _MEMORY,
    }
    if newest is None:
        return fields
    (*_, last) = ring.intervals(newest.block, now)
    end = datetime.fromtimestamp(last.shown, UTC)
    begin = newest.block % ring.one.blocks * sizes.block_size
    return fields | {
        "block_address": begin,
        "interval_address": begin + sizes.header_size + newest.slot * sizes.interval_size,
        "valid_blocks": min(newest.block + 1, ring.one.blocks),
        "valid_intervals": newest.intervals,
        "last_block": newest.block % ring.one.blocks,
        "last_interval": newest.slot,
        "block_start": end - timedelta(seconds=(newest.slot + 1) * ring.one.seconds),
        "interval_end": end,
        "interval_end_local": (end + timedelta(seconds=local_offset(last.shown))).replace(tzinfo=None),
    }
