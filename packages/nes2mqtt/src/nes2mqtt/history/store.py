"""The history as the rest of the program sees it.

:class:`Store` joins the parts: a thread that writes, threads that read, outboxes on the event loop.
None of its methods block the loop, and a disk that fails never raises here: the status says so.

This module does not know SQL, MQTT or HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

from nes2mqtt.clock import Clock
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.database import open_reader
from nes2mqtt.history.journal import Numbered
from nes2mqtt.history.outbox import WINDOW, Outbox
from nes2mqtt.history.output import HistoryOutput
from nes2mqtt.history.periods import Unit, periods
from nes2mqtt.history.queries import EnergyPeriod, Line, OpenRow, Reader, Series
from nes2mqtt.history.recorder import Recorder
from nes2mqtt.history.writer import Writer
from nes2mqtt.reading import Event, MeterInfo, Sample

__all__ = ["Store", "StoreStatus"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_READERS = 2
_TRIES = 10


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the history is.

    Args:
        ok: False while nothing can be written.
        message: for people: what happened, what it means, what to do; empty when all is well.
        since: since when nothing can be written.
        path: the database file.
        size: bytes on disk.
        written: bytes given to the operating system to write since this program started.
        waiting: register samples in memory only.
        dropped: register samples given up because the disk failed for too long.
        moved_aside: the damaged file, if one was found since this program started.
    """

    ok: bool
    message: str
    since: datetime | None
    path: Path
    size: int
    written: int
    waiting: int = 0
    dropped: int = 0
    moved_aside: Path | None = None


class Store:
    """One history. Use it as ``async with Store.open(path, config, zone) as store``.

    Args:
        path: the database file; made, with its folder, when it does not exist.
        config: what is kept how long.
        zone: by whose rules days and months begin.
        clock: the clocks of this program.
    """

    def __init__(self, path: Path, config: HistoryConfig, zone: ZoneInfo, *, clock: Clock | None = None) -> None:
        self.path = path
        self.config = config
        self.zone = zone
        self._clock = clock if clock is not None else Clock()
        self._recorder = Recorder(path, config)
        self._writer = Writer(self._recorder, self._clock, self._committed)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="history-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outboxes: dict[str, Outbox] = {}
        self._last_seq = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def open(cls, path: Path, config: HistoryConfig, timezone: ZoneInfo, *, clock: Clock | None = None) -> Store:
        """Return a store that opens ``path`` when it is entered with ``async with``."""
        return cls(path, config, timezone, clock=clock)

    async def __aenter__(self) -> Self:
        """Open the database. A disk that fails is no error here: the status says so.

        Raises:
            NewerSchema: a newer program wrote the database; nothing was changed.
        """
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        try:
            await self._call(lambda: self._recorder.open(self._clock.now()))
        except BaseException:
            await self._close()
            raise
        self._last_seq = self._recorder.last_seq
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is in memory and close the database."""
        del kind, error, trace
        await self._close()

    def output(self) -> HistoryOutput:
        """Return this store as an output of the hub."""
        return HistoryOutput(self)

    def offer(self, event: Event) -> None:
        """Keep a sample, or learn who a meter is. Returns at once."""
        self._writer.put(event)

    async def append(self, sample: Sample) -> bool:
        """Keep a sample; return whether it survives a kill of this program from now on.

        Register samples do unless the disk fails; present values wait up to ``commit_every`` seconds.
        """
        self._writer.put(sample)
        return await self._call(lambda: self._recorder.trouble is None)

    def outbox(self, name: str) -> Outbox:
        """Return the durable queue of register samples for one output.

        A name that is new gets what comes from now on; a known one goes on where it was.
        """
        outbox = self._outboxes.get(name)
        if outbox is None:
            position = self._recorder.cursors.get(name)
            if position is None:
                position = self._last_seq
            self._writer.deliver(name, position)  # from now on it keeps what it has not delivered
            outbox = self._outboxes[name] = Outbox(
                name,
                position,
                self._last_seq,
                fetch=lambda seq: self._spawn(self._refill(name, seq)),
                deliver=lambda seq: self._writer.deliver(name, seq),
            )
        return outbox

    async def last_registers(self, meter: str) -> Sample | None:
        """Return the last value of every register the meter at that place ever showed, None if there is none."""

        def find() -> Sample | None:
            rollups = self._recorder.rollups
            return None if rollups is None else rollups.head_sample(meter)

        return await self._call(find)

    async def last_identity(self, meter: str) -> MeterInfo | None:
        """Return who the meter of the last segment was, None if that was never learned."""

        def find() -> MeterInfo | None:
            sample = self._recorder.rollups.head_sample(meter) if self._recorder.rollups else None
            journal = self._recorder.journal
            return None if sample is None or journal is None else journal.identity(meter, sample.segment)

        return await self._call(find)

    async def energy(self, meter: str, unit: Unit | str, start: datetime, end: datetime) -> list[EnergyPeriod]:
        """Return what the registers counted in each hour, day, month or year between two moments."""
        wanted = Unit(unit)
        return await self._read(
            lambda reader, pending: reader.energy(meter, wanted, start, end, self.zone, pending), meter, []
        )

    async def series(
        self, meter: str, keys: Sequence[str], start: datetime, end: datetime, max_points: int = 600
    ) -> Series:
        """Return curves of present values between two moments, as fine as ``max_points`` allows.

        Raises:
            ValueError: a key names nothing that is kept.
        """
        nothing = Series(meter, None, [], {key: Line() for key in keys})
        return await self._read(
            lambda reader, pending: reader.series(meter, keys, start, end, max_points, pending), meter, nothing
        )

    async def now(self, meter: str, unit: Unit | str) -> EnergyPeriod:
        """Return the energy of the hour, day, month or year that is running."""
        now = self._clock.now()
        wanted = Unit(unit)
        found = await self.energy(meter, wanted, now, now + datetime.resolution)
        return (
            found[0] if found else EnergyPeriod(*next(periods(now, now + datetime.resolution, wanted, self.zone)), {})
        )

    async def today(self, meter: str) -> EnergyPeriod:
        """Return the energy of the local day that is running."""
        return await self.now(meter, Unit.DAY)

    async def month(self, meter: str) -> EnergyPeriod:
        """Return the energy of the local month that is running."""
        return await self.now(meter, Unit.MONTH)

    def status(self) -> StoreStatus:
        """Tell how the history is. Returns at once."""
        recorder = self._recorder
        trouble = recorder.trouble
        return StoreStatus(
            ok=trouble is None,
            message="" if trouble is None else f"history: {trouble.message}",
            since=None if trouble is None else trouble.since,
            path=self.path,
            size=_size(self.path),
            written=recorder.written,
            waiting=self._writer.queued + (0 if trouble is None else len(recorder.unsaved)),
            dropped=recorder.dropped,
            moved_aside=recorder.moved_aside,
        )

    async def flush(self) -> None:
        """Write all that is in memory, now."""
        await self._call(lambda: self._recorder.work(self._clock.now(), flush=True))

    async def _close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.to_thread(self._writer.stop)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._connections:
            connection.close()

    async def _call(self, action: Callable[[], T]) -> T:
        """Run something in the writer's thread, after all that was offered before."""
        return await asyncio.wrap_future(self._writer.call(action))

    async def _read(self, ask: Callable[[Reader, Iterable[OpenRow]], T], meter: str, otherwise: T) -> T:
        """Run a question in a reading thread, together with the meter's buckets that are not written yet."""

        def question(rows: Iterable[OpenRow]) -> T:
            return ask(self._reader(), rows)

        loop = asyncio.get_running_loop()
        for _ in range(_TRIES):
            generation, pending = await self._call(lambda: self._recorder.open_rows(meter))
            try:
                answer = await loop.run_in_executor(self._readers, question, pending)
            except sqlite3.Error as error:
                _log.warning("reading the history: %s", error)
                return otherwise
            # Buckets that were written in between would be counted twice.
            if self._recorder.generation == generation:
                return answer
        return otherwise

    def _reader(self) -> Reader:
        """Return this thread's reader, anew when another database took the place of the one it has."""
        opened = self._recorder.opened
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None or self._local.opened != opened:
            if reader is not None:
                self._local.reader = None
                self._connections.remove(reader.connection)
                reader.connection.close()
            reader = Reader(open_reader(self.path))
            self._connections.append(reader.connection)
            self._local.reader, self._local.opened = reader, opened
        return reader

    def _committed(self) -> None:
        """Tell the outboxes what is new; the writer's thread calls it."""
        renumbered, numbered = self._recorder.fresh()
        if self._loop is not None and (renumbered or numbered):
            cursors = dict(self._recorder.cursors) if renumbered else {}
            last = self._recorder.last_seq
            self._loop.call_soon_threadsafe(self._hand_out, numbered, cursors, last)

    def _hand_out(self, numbered: list[Numbered], cursors: Mapping[str, int], last: int) -> None:
        self._last_seq = last
        for name, outbox in self._outboxes.items():
            if cursors:
                outbox.reset(cursors.get(name, last), last)
            elif numbered:
                outbox.add(numbered)

    async def _refill(self, name: str, seq: int) -> None:
        numbered, last = await self._call(lambda: (self._recorder.after(seq, WINDOW), self._recorder.last_seq))
        self._outboxes[name].refill(numbered, last)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _size(path: Path) -> int:
    """Return the bytes of a database and its log."""
    total = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            total += file.stat().st_size
    return total
