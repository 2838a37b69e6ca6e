"""The load profile, read from an open connection: as few blocks as are asked for, within the read budget.

A whole profile takes minutes on a line of 9600 baud (104,832 bytes, MEP guide v1.1 p. 231). So it is read in parts, between
which others have the line, the oldest blocks first: they are the next that the meter overwrites. What was read of
finished blocks is kept in :class:`~osgp.meter.known.KnownMeter` until the profile is complete: after a lost line, a
reopened port goes on where it stopped.

The meter goes on recording meanwhile. So BT63 and ET21 are read before and after, until both times they say the same; what the
ring overwrote is left out. And as everywhere, nothing is given out before it is confirmed that the layout held
(:mod:`osgp.meter.layout`).

This module does not know what the bytes of a block mean (:mod:`osgp.tables.load_profile`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from osgp.errors import LinkError, MeterRefused, MisuseError, TableError, TablesChanging
from osgp.meter.known import KnownMeter
from osgp.meter.layout import REFUSED_FOR_GOOD, ROUNDS, ConfirmedLayout
from osgp.meter.reader import TableReader
from osgp.ports.connection import Connection
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile import ProfileSizes
from osgp.tables.load_profile.channels import channels_of, extended_ids, mapped
from osgp.tables.load_profile.configured import MAPPED_IDS
from osgp.tables.load_profile.profile import (
    BlockPart,
    LoadProfile,
    ProfileMark,
    ProfileSetup,
    begin_of,
    intervals_of,
    newest_slot,
    setup_of,
)
from osgp.tables.load_profile.ring import RingState, blocks_since, ring_state
from osgp.tables.schema.windows import Plan
from osgp.tables.survey import with_load_profile

__all__ = ["ProfileReader", "Progress"]

_FIRST_DATA = table_id("BT64")
_LONGEST = 2048
"""Bytes asked for at once, where an answer would hold more: others wait for the line meanwhile."""
_TRIES = 3
"""Times a part is asked for whose answer is lost, beside what the link itself does."""
_INT32 = 32
"""BT62's format of values that are what the register showed (p. 236)."""
_ANSI = 0x08
"""Of ET42's copy of ET21.93 (p. 97, 114)."""
_MOMENT = timedelta(seconds=1)

Progress = Callable[[int, int], None]
"""Told how many bytes of how many have come."""


@dataclass(slots=True)
class _Call:
    """What one call asks for, and how far it has come."""

    since: datetime | None
    known: ProfileMark | None
    burst: bool
    progress: Progress | None
    done: int = 0
    total: int = 0

    def expect(self, count: int) -> None:
        """Note that so many bytes more have to come."""
        self.total = self.done + count

    def came(self, count: int) -> None:
        """Note that so many bytes have come."""
        self.done += count
        self.total = max(self.total, self.done)
        if self.progress is not None:
            self.progress(self.done, self.total)


@dataclass(frozen=True, slots=True)
class _Configured:
    """A data set as this meter has it now."""

    setup: ProfileSetup
    dims: Dimensions
    surveys: int
    """How often the layout was found out until then."""


class ProfileReader:
    """Reads the load profile of one connection's meter.

    Args:
        connection: tells how long a read may be.
        reader: reads.
        layout: tells which bytes mean what.
        known: keeps blocks over a lost line.
    """

    def __init__(
        self, connection: Connection[Any], reader: TableReader, layout: ConfirmedLayout, known: KnownMeter
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._layout = layout
        self._known = known
        self._may_read_et21 = True

    async def read(
        self,
        data_set: int,
        since: datetime | None,
        known: ProfileMark | None,
        progress: Progress | None,
        *,
        burst: bool,
    ) -> LoadProfile:
        """Read a data set. See :meth:`osgp.meter.meter.Meter.profile`."""
        if since is not None and since.tzinfo is None:
            raise MisuseError("the time since when the load profile is wanted needs a time zone")
        call = _Call(since, known, burst, progress)
        for _ in range(ROUNDS):
            configured = await self._configuration(data_set, call)
            try:
                found: LoadProfile | TableError = await self._settled(configured, call)
            except TableError as error:  # perhaps one table is from before a change, the other from behind it
                found = error
            held = await self._confirmed(configured)
            self._known.blocks.clear()
            if held and isinstance(found, TableError):
                raise found
            if held and isinstance(found, LoadProfile):
                return found
        raise TablesChanging(
            "the meter's tables changed again and again while its load profile was read, so none of it is given out. Read "
            "it again; the grid company may be configuring the meter just now"
        )

    # -- how it is configured -----------------------------------------------------------------------

    async def _configuration(self, data_set: int, call: _Call) -> _Configured:
        """Read how the data set is configured."""
        async with self._reader.turn(reads=False):
            self._layout.raise_if_swapped()
            dims, surveys = await self._layout.current(), self._layout.surveys
        bt61 = TABLES["BT61"]
        async with self._reader.turn(reads=not call.burst):
            data = await self._reader.full_or_whole(bt61, dims)
        dims = with_load_profile(data, dims)
        told = bt61.decode(data, dims)
        sizes = ProfileSizes.of(told, data_set, big_endian=dims.big_endian)
        if not (sizes.blocks and sizes.intervals and sizes.channels):
            return _Configured(ProfileSetup(data_set, sizes, 0, ()), dims, surveys)
        sources, scaled = await self._sources(dims, data_set, call)
        prefix = "load_profile" if data_set == 1 else f"set_{data_set}"
        summary = self._layout.summary(dims)
        ids = extended_ids(sources, await self._mapping(sources, dims, call), summary.get(f"{prefix}_sources", ()))
        ansi = await self._strictly_ansi(summary.get(f"{prefix}_options", 0), dims, data_set, call)
        setup = setup_of(told, data_set, channels_of(ids, dims, scaled=scaled), sizes, ansi=ansi)
        return _Configured(setup, dims, surveys)

    async def _sources(self, dims: Dimensions, data_set: int, call: _Call) -> tuple[list[int], bool]:
        """Return the source ids of the channels (BT62), and whether their values were scaled before they were recorded."""
        bt62, prefix = TABLES["BT62"], f"set_{data_set}"
        names = [f"{prefix}_{name}" for name in ("channels", "format", "scalars", "divisors")]
        offset, count = bt62.window(dims, *names)
        told = bt62.decode(await self._part(bt62.id, offset, count, call), dims, offset=offset)
        channels, kind, scalars, divisors = (told[name] for name in names)
        if kind != _INT32:
            raise TableError(
                f"BT62 says that load profile {data_set} holds values of format {kind}; 32 is the only one that the guide knows "
                "of any meter. Save an osgp dump and report it"
            )
        return [channel["source"] for channel in channels], scalars != divisors

    async def _mapping(self, sources: Sequence[int], dims: Dimensions, call: _Call) -> Mapping[int, int]:
        """Return what ET66 says of the source ids that are keys of it; nothing if the meter does not have it."""
        if not any(number in MAPPED_IDS for number in sources):
            return {}
        et66 = TABLES["ET66"]
        offset, count = et66.window(dims, "extended_sources")
        try:
            data = await self._part(et66.id, offset, count, call)
        except MeterRefused as error:
            if error.code not in REFUSED_FOR_GOOD:
                raise
            return {}
        return mapped(et66.decode(data, dims, offset=offset)["extended_sources"])

    async def _strictly_ansi(self, summary: int, dims: Dimensions, data_set: int, call: _Call) -> bool:
        """Tell whether the profile follows ANSI C12.19 strictly: by ET21, else by what ET42 has of it."""
        internal = await self._internal(dims, data_set, call)
        return bool((internal or {}).get("ansi_compliance", summary & _ANSI))

    async def _internal(self, dims: Dimensions, data_set: int, call: _Call) -> dict[str, Any] | None:
        """Return the data set's element of ET21; None if the key may not read it or the meter has none."""
        if not self._may_read_et21:
            return None
        et21 = TABLES["ET21"]
        try:
            data = await self._part(et21.id, *et21.record_window(dims, "data_sets", data_set - 1), call)
        except MeterRefused as error:
            if error.code not in REFUSED_FOR_GOOD:
                raise
            self._may_read_et21 = False
            return None
        return et21.decode_record(data, dims, "data_sets")

    # -- what it holds ------------------------------------------------------------------------------

    async def _settled(self, configured: _Configured, call: _Call) -> LoadProfile:
        """Read the blocks until the meter has recorded nothing new meanwhile."""
        setup, serial = configured.setup, self._layout.serial
        if not setup.minutes:
            return LoadProfile(setup.data_set, 0, (), (), setup.mark(serial, RingState(0, 0, 0, 0), None))
        held: dict[int, BlockPart] = {}
        state = await self._state(configured, call)
        for _ in range(ROUNDS):
            mark = setup.mark(serial, state, None)
            known = call.known if call.known is not None and call.known.of_same(mark) else None
            low = _low(call.since, known)
            await self._blocks(_Ring(setup, state, known, low), held, call)
            later = await self._state(configured, call)
            if later == state:
                intervals = intervals_of(setup, held.values(), state, since=low)
                newest = intervals[-1].end if intervals else known.end if known is not None else None
                mark = setup.mark(serial, state, newest)
                return LoadProfile(setup.data_set, setup.minutes, setup.channels, intervals, mark)
            if later.sequence != state.sequence:  # what was the newest block has got more intervals
                held.pop(state.sequence, None)
            if not later.holds(state.sequence):  # the numbers began anew
                held.clear()
                self._known.blocks.clear()
            state = later
        raise TablesChanging(
            "the meter recorded new intervals each time before the last ones were read, so its load profile is not given out. "
            "The line is too slow or too bad for intervals this short; check the line"
        )

    async def _state(self, configured: _Configured, call: _Call) -> RingState:
        """Read how far the data set has come."""
        bt63, number = TABLES["BT63"], configured.setup.data_set
        dims = configured.dims
        data = await self._part(bt63.id, *bt63.record_window(dims, "data_sets", number - 1), call)
        status = bt63.decode_record(data, dims, "data_sets")
        return ring_state(status, await self._internal(dims, number, call), configured.setup.sizes)

    async def _blocks(self, ring: _Ring, held: dict[int, BlockPart], call: _Call) -> None:
        """Read the blocks that are asked for, and are not held yet, the oldest first."""
        if not ring.state.valid:
            return
        header = await self._header(ring, ring.state.sequence, call) if ring.low is not None else None
        *older, newest = ring.asked_for(header)
        if ring.low is not None:
            while older and not await self._first_block(ring, older.pop(0), held, call):
                pass
        missing = [number for number in older if number not in held and not self._take_kept(ring, number, held)]
        call.expect((len(missing) + 1) * ring.setup.sizes.block_size)
        for _, run in groupby(enumerate(missing), lambda each: ring.state.place(each[1]) - each[0]):
            await self._whole(ring, [number for _, number in run], held, call)
        if header is None or missing:
            header = await self._header(ring, newest, call)
        await self._newest(ring, header, held, call)

    async def _header(self, ring: _Ring, number: int, call: _Call) -> bytes:
        return await self._part(ring.table, ring.start(number), ring.setup.sizes.header_size, call)

    async def _first_block(self, ring: _Ring, number: int, held: dict[int, BlockPart], call: _Call) -> bool:
        """Read a finished block from the first interval that is asked for; tell whether it holds one."""
        if number in held:
            return True
        header = await self._header(ring, number, call)
        recorded = ring.setup.sizes.recorded(header)
        first = ring.first_slot(header, max(recorded, default=None))
        wanted = [slot for slot in recorded if slot >= first]
        if not wanted:
            return False
        data = await self._intervals(ring, number, wanted[0], wanted[-1], call)
        held[number] = BlockPart(number, header, wanted[0], data)
        return True

    def _take_kept(self, ring: _Ring, number: int, held: dict[int, BlockPart]) -> bool:
        """Take a finished block that was read wholly before; tell whether there is one."""
        header_size, data = ring.setup.sizes.header_size, self._known.blocks.get((ring.key, number), b"")
        if len(data) < ring.setup.sizes.block_size:
            return False
        held[number] = BlockPart(number, data[:header_size], 0, data[header_size:])
        return True

    async def _whole(self, ring: _Ring, run: Sequence[int], held: dict[int, BlockPart], call: _Call) -> None:
        """Read finished blocks that follow each other in the ring, going on where an earlier connection stopped."""
        size, kept = ring.setup.sizes.block_size, self._known.blocks
        for number in run[1:]:
            kept.pop((ring.key, number), None)
        at = ring.start(run[0]) + len(kept.get((ring.key, run[0]), b""))
        end = ring.start(run[-1]) + size
        numbers, come = iter(run), kept.get((ring.key, run[0]), b"")
        number = next(numbers)
        async for data in self._stretch(ring.table, at, end - at, 1, call):
            come += data
            while come:
                kept[ring.key, number] = come[:size]
                if not self._take_kept(ring, number, held):
                    break
                come, number = come[size:], next(numbers, number)

    async def _newest(self, ring: _Ring, header: bytes, held: dict[int, BlockPart], call: _Call) -> None:
        """Read what is asked for of the newest block, and not held of it yet."""
        number, sizes = ring.state.sequence, ring.setup.sizes
        last = newest_slot(sizes, header, ring.state)
        if last is None:
            return
        first = ring.first_slot(header, last)
        before = held.get(number)
        done = first if before is None else before.first + len(before.data) // sizes.interval_size
        if before is None or last < done - 1:  # or the clock was set back
            before, done = BlockPart(number, header, first, b""), first
        call.expect(max(last + 1 - done, 0) * sizes.interval_size)
        data = before.data + await self._intervals(ring, number, done, last, call)
        held[number] = BlockPart(number, header, before.first, data)

    async def _intervals(self, ring: _Ring, number: int, first: int, last: int, call: _Call) -> bytes:
        """Read the intervals from one slot to another, each in one piece: those of the newest block may still change."""
        sizes = ring.setup.sizes
        at, count = ring.start(number) + sizes.header_size + first * sizes.interval_size, last + 1 - first
        read = self._stretch(ring.table, at, count * sizes.interval_size, sizes.interval_size, call)
        return b"".join([data async for data in read])

    # -- reading ------------------------------------------------------------------------------------

    async def _stretch(self, table: int, offset: int, count: int, unit: int, call: _Call) -> AsyncIterator[bytes]:
        """Yield some bytes of a table in parts of whole units, as long as an answer may be."""
        if count <= 0:
            return
        async with self._reader.turn(reads=False):
            longest = min(await self._connection.longest_read(), _LONGEST)
        step = max(longest // unit, 1) * unit
        for done in range(0, count, step):
            data = await self._part(table, offset + done, min(step, count - done), call)
            call.came(len(data))
            yield data

    async def _part(self, table: int, offset: int, count: int, call: _Call) -> bytes:
        """Read a part of a table, which counts as a table in the read budget; ask again where the answer was lost."""
        for left in reversed(range(_TRIES)):
            async with self._reader.turn(reads=not call.burst):
                self._layout.raise_if_swapped()
                try:
                    parts = await self._reader.plan(table, Plan([(offset, count)]))
                except LinkError:
                    if not left:
                        raise
                    continue
            return b"".join([data for _, data in parts])
        raise AssertionError  # the last try returns or raises

    async def _confirmed(self, configured: _Configured) -> bool:
        """Tell whether the layout was right until now."""
        async with self._reader.turn(reads=False):
            self._layout.raise_if_swapped()
            for left in reversed(range(_TRIES)):
                try:
                    return self._layout.surveys == configured.surveys and await self._layout.holds()
                except LinkError:
                    if not left:
                        raise
        raise AssertionError  # the last try returns or raises


def _low(since: datetime | None, known: ProfileMark | None) -> datetime | None:
    """Return the earliest end of an interval that is asked for; None: all are."""
    new = None if known is None or known.end is None else known.end + _MOMENT
    return since if new is None else new if since is None else max(since, new)


@dataclass(frozen=True, slots=True)
class _Ring:
    """A data set as far as it has come, and what of it is asked for."""

    setup: ProfileSetup
    state: RingState
    known: ProfileMark | None
    low: datetime | None

    @property
    def table(self) -> int:
        """Return the table that holds the blocks."""
        return _FIRST_DATA + self.setup.data_set - 1

    @property
    def key(self) -> str:
        """Return what tells its blocks from those of another configuration."""
        mark = self.setup.mark("", self.state, None)
        return f"{mark.layout} {mark.configuration}"

    def start(self, number: int) -> int:
        """Return where a block begins."""
        return self.state.place(number) * self.setup.sizes.block_size

    def asked_for(self, header: bytes | None) -> list[int]:
        """Return the numbers of the blocks that can hold what is asked for, the oldest first, the newest last."""
        most = self.state.valid
        if self.known is not None and self.state.holds(self.known.sequence):
            most = self.state.age(self.known.sequence) + 1
        if header is not None and self.low is not None:
            begin = begin_of(self.setup, header, newest_slot(self.setup.sizes, header, self.state))
            if begin is not None:
                most = min(most, blocks_since(self.low, begin, self.setup.block_length))
        return self.state.numbers(most)

    def first_slot(self, header: bytes, newest: int | None) -> int:
        """Return the first slot of a block that ended when it is asked for, or later."""
        begin = begin_of(self.setup, header, newest)
        if begin is None or self.low is None or self.low <= begin:
            return 0
        return max(0, -((begin - self.low) // self.setup.length) - 1)
