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
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.database.connection import is_damage, open_reader
from nes2mqtt.history.errors import HistoryError, Unreadable
from nes2mqtt.history.outbox import WINDOW, Outbox
from nes2mqtt.history.queries.gaps import Gaps, filled_count, filled_gaps, looked_into
from nes2mqtt.history.queries.periods import Unit, periods
from nes2mqtt.history.queries.reader import EnergyPeriod, OpenRow, Reader, Series
from nes2mqtt.history.tables.blocks import BadBlock
from nes2mqtt.history.tables.filled import FilledGap, Gap, Looked, LookedInto
from nes2mqtt.history.tables.journal import Numbered
from nes2mqtt.history.tables.rows import stamp
from nes2mqtt.history.writing.recorder import Recorder
from nes2mqtt.history.writing.trouble import Trouble
from nes2mqtt.history.writing.writer import Writer
from nes2mqtt.readings.reading import MeterEvent, MeterInfo, Sample, TableGroup
from nes2mqtt.timing.clock import Clock

__all__ = ["Store", "StoreStatus"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_READERS = 2
_TRIES = 10
_COMMAND = "nes2mqtt history acknowledge"
_ROUNDS = 2
"""Rounds of all meters that stand ready in an outbox."""


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the history is.

    Args:
        ok: False while nothing can be written, and while something happened that nobody has acknowledged.
        message: for people: what happened, what it means, what to do; empty when all is well.
        since: since when nothing can be written.
        path: the database file.
        size: bytes on disk.
        waiting: register samples in memory only.
        dropped: register samples given up because the disk failed for too long.
        moved_aside: the damaged file, if one was found since this program started.
        notices: what happened to the history and its owner has not acknowledged (:meth:`Store.acknowledge`).
        code: the kind of the message: ``history_full``, ``history_readonly``, ``history_busy``, ``history_disk``,
            ``history_trouble``, ``history_stopped``, ``history_damaged``, ``history_waits_clock``; empty when all is well.
        params: what differs between two messages of one kind: ``lost`` and ``command`` of ``history_damaged``.
    """

    ok: bool
    message: str
    since: datetime | None
    path: Path
    size: int
    waiting: int = 0
    dropped: int = 0
    moved_aside: Path | None = None
    notices: tuple[str, ...] = ()
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


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
        self._recorder = Recorder(path, config, self._clock)
        self._writer = Writer(self._recorder, self._clock, self._committed)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="history-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outboxes: dict[str, Outbox] = {}
        self.registers_heard: dict[str, int] = {}
        """How many register samples each meter gave since this program started: energies change with these only."""
        self._last_seq = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._unanswered: set[str] = set()
        """Outboxes whose question could not be answered, which was said."""

    @classmethod
    def open(cls, path: Path, config: HistoryConfig, timezone: ZoneInfo, *, clock: Clock | None = None) -> Store:
        """Return a store that opens ``path`` when it is entered with ``async with``."""
        return cls(path, config, timezone, clock=clock)

    async def __aenter__(self) -> Self:
        """Open the database, repair it if it has to be. A disk that fails is no error here: the status says so.

        Raises:
            NewerSchema: a newer program wrote the database; nothing was changed.
        """
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        try:
            await self._call(lambda: self._recorder.open(self._clock.monotonic()))
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

    def offer(self, event: MeterEvent) -> None:
        """Keep a sample, or learn who a meter is. Returns at once."""
        if isinstance(event, Sample) and event.group is TableGroup.REGISTERS:
            self.registers_heard[event.meter] = self.registers_heard.get(event.meter, 0) + 1
        self._writer.put(event)

    async def append(self, sample: Sample) -> bool:
        """Keep a sample; return whether all register samples survive a kill of this program from now on.

        Present values do as well where the tail is in memory; else they wait up to ``commit_every`` seconds.
        """
        self.offer(sample)
        return await self._call(lambda: self._recorder.survives)

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
        return await self._call(lambda: self._recorder.last_registers(meter))

    async def last_identity(self, meter: str) -> MeterInfo | None:
        """Return who the meter is that was read last at that place, None if it never told."""

        def find() -> MeterInfo | None:
            sample = self._recorder.last_registers(meter)
            journal = self._recorder.journal
            return None if sample is None or journal is None else journal.identity(meter, sample.segment)

        return await self._call(find)

    async def energy(self, meter: str, unit: Unit | str, start: datetime, end: datetime) -> list[EnergyPeriod]:
        """Return what the registers counted in each period that has a part between two moments.

        Raises:
            Unreadable: the database cannot be read now.
        """
        wanted = Unit(unit)
        return await self._read(
            lambda reader, pending, _: reader.energy(meter, wanted, start, end, self.zone, pending), meter
        )

    async def energies(self, meter: str, spans: Sequence[tuple[datetime, datetime]]) -> list[EnergyPeriod]:
        """Return what the registers counted in periods that follow each other; their edges are full minutes.

        Raises:
            Unreadable: the database cannot be read now.
        """
        return await self._read(lambda reader, pending, _: reader.energies(meter, spans, pending), meter)

    async def series(
        self, meter: str, keys: Sequence[str], start: datetime, end: datetime, max_points: int = 600
    ) -> Series:
        """Return curves of present values between two moments, as fine as ``max_points`` allows.

        Raises:
            ValueError: a key names nothing that is kept.
            Unreadable: the database cannot be read now.
        """
        return await self._read(
            lambda reader, pending, fresh: reader.series(meter, keys, start, end, max_points, pending, fresh), meter
        )

    async def ask(self, question: Callable[[Reader, Iterable[OpenRow]], T], meter: str) -> T:
        """Return the answer to a question of several parts, such as a bill, asked in a reading thread.

        Args:
            question: takes the reader, and the buckets of the meter that are still in memory.
            meter: its id.

        Raises:
            Unreadable: the database cannot be read now.
        """
        return await self._read(lambda reader, pending, _: question(reader, pending), meter)

    async def now(self, meter: str, unit: Unit | str) -> EnergyPeriod:
        """Return the energy of the hour, day, month or year that is running; none while the time of day is unknown.

        Raises:
            Unreadable: the database cannot be read now.
        """
        now = self._clock.now()
        wanted = Unit(unit)
        found = await self.energy(meter, wanted, now, now + datetime.resolution) if self._clock.known else []
        return (
            found[0] if found else EnergyPeriod(*next(periods(now, now + datetime.resolution, wanted, self.zone)), {})
        )

    async def today(self, meter: str) -> EnergyPeriod:
        """Return the energy of the local day that is running."""
        return await self.now(meter, Unit.DAY)

    async def month(self, meter: str) -> EnergyPeriod:
        """Return the energy of the local month that is running."""
        return await self.now(meter, Unit.MONTH)

    async def gaps(self, meter: str, since: datetime) -> list[Gap]:
        """Return the times without a reading of registers that nobody looked into yet, oldest first.

        Args:
            meter: its id.
            since: when the earliest of them may have ended.

        Raises:
            Unreadable: the database cannot be read now.
        """
        await self._call(lambda: self._recorder.write_gaps(meter, self._clock.monotonic()))

        def find(reader: Reader, _: Iterable[OpenRow], __: Sequence[Sample]) -> list[Gap]:
            number = reader.number(meter)
            return [] if number is None else Gaps(reader.connection).of(meter, number, stamp(since))

        return await self._read(find, meter)

    async def looked_into(self, meter: str, limit: int) -> list[LookedInto]:
        """Return the gaps of a meter that were looked into and what became of them, the newest first.

        Raises:
            Unreadable: the database cannot be read now.
        """

        def find(reader: Reader, _: Iterable[OpenRow], __: Sequence[Sample]) -> list[LookedInto]:
            number = reader.number(meter)
            return [] if number is None else looked_into(reader.connection, number, limit)

        return await self._read(find, meter)

    async def fill(self, looked: Looked) -> int | None:
        """Keep what became of a gap: the readings in it, marked as filled in, and the energies booked anew.

        Returns:
            How many readings are new; 0 if the gap was looked into before. None if they cannot be written now.
        """
        return await self._call(lambda: self._recorder.fill(looked, self._clock.monotonic()))

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something in one transaction; None if nothing can be written now."""
        return await self._call(lambda: self._recorder.transact(work, self._clock.monotonic()))

    async def profile_mark(self, meter: str) -> str:
        """Return how far the load profile of a meter was read, as the library noted it; empty if it never was."""
        return await self._call(lambda: self._recorder.profile_mark(meter))

    async def filled_gaps(self, after: int, limit: int = 20) -> list[FilledGap]:
        """Return gaps that were filled and have a number above ``after``, in the order of their numbers.

        Raises:
            Unreadable: the database cannot be read now.
        """
        return await self._read(lambda reader, _, __: filled_gaps(reader.connection, after, limit), "")

    async def filled_count(self, after: int) -> int:
        """Return how many gaps that were filled have a number above ``after``.

        Raises:
            Unreadable: the database cannot be read now.
        """
        return await self._read(lambda reader, _, __: filled_count(reader.connection, after), "")

    async def note(self, name: str, value: int) -> None:
        """Keep a number for an output; a disk that fails forgets it."""
        await self._call(lambda: self._recorder.note(f"output:{name}", value, self._clock.monotonic()))

    async def noted(self, name: str) -> int:
        """Return a number that was kept for an output, 0 if none was."""
        return await self._call(lambda: self._recorder.noted(f"output:{name}"))

    def status(self) -> StoreStatus:
        """Tell how the history is. Returns at once."""
        recorder = self._recorder
        trouble, notices = recorder.trouble, recorder.notices.all()
        code, message, params = _worst(trouble, self._writer.mistake, notices, waits=recorder.waits_for_the_clock)
        writing = trouble is None and not self._writer.mistake
        return StoreStatus(
            ok=not code,
            message=message,
            since=None if trouble is None else self._clock.label(trouble.since),
            path=self.path,
            size=_size(self.path),
            waiting=self._writer.queued + (0 if writing else len(recorder.waiting.registers)),
            dropped=recorder.dropped,
            moved_aside=recorder.moved_aside,
            notices=notices,
            code=code,
            params=params,
        )

    @property
    def stands_still(self) -> bool:
        """Tell whether the thread that writes has not moved for so long that it never will."""
        return self._writer.stands_still

    def acknowledge(self) -> tuple[str, ...]:
        """Forget what happened to the history: its owner has read it. Return what it was.

        Raises:
            HistoryError: it cannot be forgotten.
        """
        try:
            return self._recorder.notices.acknowledge()
        except OSError as error:
            raise HistoryError(f"{self._recorder.notices.path} cannot be removed: {error.strerror}") from error

    async def flush(self) -> None:
        """Write all that is in memory, now."""
        await self._call(lambda: self._recorder.work(self._clock.monotonic(), flush=True))

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

    async def _read(self, ask: Callable[[Reader, Iterable[OpenRow], Sequence[Sample]], T], meter: str) -> T:
        """Run a question in a reading thread, together with what is not written yet of the meter."""

        def question(rows: Iterable[OpenRow], fresh: Sequence[Sample]) -> T:
            return ask(self._reader(), rows, fresh)

        loop = asyncio.get_running_loop()
        for _ in range(_TRIES):
            generation, pending, fresh = await self._call(lambda: self._recorder.open_rows(meter))
            try:
                answer = await loop.run_in_executor(self._readers, question, pending, fresh)
            except (sqlite3.Error, BadBlock) as error:
                damaged = isinstance(error, BadBlock) or is_damage(error)
                if damaged:
                    self._suspect(error.block if isinstance(error, BadBlock) else None)
                raise Unreadable(_why(error, damaged=damaged)) from error
            # What was written in between would be counted twice.
            if self._recorder.generation == generation:
                return answer
        raise Unreadable("the history is being written all the time; ask again")

    def _suspect(self, block: int | None) -> None:
        """Let the thread that writes look whether the database is damaged."""
        self._writer.call(lambda: self._recorder.suspect(self._clock.monotonic(), block))

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
        window = max(WINDOW, _ROUNDS * self._recorder.meters)
        for name, outbox in self._outboxes.items():
            outbox.window = window
            if cursors:
                outbox.reset(cursors.get(name, last), last)
            elif numbered:
                outbox.add(numbered)

    async def _refill(self, name: str, seq: int) -> None:
        outbox = self._outboxes[name]
        try:
            numbered, last = await self._call(
                lambda: (self._recorder.after(seq, outbox.window), self._recorder.last_seq)
            )
        except Exception:  # noqa: BLE001 - an outbox that is not answered would never ask again
            if name not in self._unanswered:
                self._unanswered.add(name)
                _log.exception(
                    "history: what waits for %s cannot be read now; it is tried again with each reading", name
                )
            outbox.refill(None, seq)
            return
        self._unanswered.discard(name)
        outbox.refill(numbered, last)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _worst(
    trouble: Trouble | None, mistake: str, notices: Sequence[str], *, waits: bool
) -> tuple[str, str, Mapping[str, str]]:
    """Return a code, a message and what differs in it of what is wrong, the worst first; empty if all is well."""
    if trouble is not None:
        return trouble.code, f"history: {trouble.message}", {}
    if mistake:
        text = (
            f"history: {mistake}; readings wait in memory, and writing is tried again. Please report it with the log."
        )
        return "history_stopped", text, {}
    if notices:
        more = f" And {len(notices) - 1} more before." if len(notices) > 1 else ""
        text = f"history: {notices[-1]}.{more} When you have read this, type: {_COMMAND}"
        return "history_damaged", text, {"lost": notices[-1], "command": _COMMAND}
    if waits:
        text = "history: the time of day is not known, so readings wait in memory. Let the network set the clock."
        return "history_waits_clock", text, {}
    return "", "", {}


def _why(error: Exception, *, damaged: bool) -> str:
    if damaged:
        return (
            f"the history cannot be read here: the file is damaged ({error}). It is looked into now; the log tells more"
        )
    return f"the history cannot be read now: {error}. Look at the status"


def _size(path: Path) -> int:
    """Return the bytes of a database and its log."""
    total = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            total += file.stat().st_size
    return total
