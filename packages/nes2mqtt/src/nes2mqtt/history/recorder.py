"""Keeps readings coming into the database, whatever the disk does.

The recorder numbers register samples, groups what waits into transactions and decides what is due:
a commit, roll-ups, retention. When the database fails it keeps readings in memory up to a limit,
tries again by itself, and says in plain words what is wrong.

Time is passed in; nothing here sleeps. One thread at a time calls it (:mod:`nes2mqtt.history.writer`).
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.database import WriteAheadLog, is_damage, open_writer
from nes2mqtt.history.errors import NewerSchema
from nes2mqtt.history.journal import Journal, Numbered
from nes2mqtt.history.migrations import migrate
from nes2mqtt.history.retention import tidy
from nes2mqtt.history.rollups import Rollups
from nes2mqtt.history.rows import stamp
from nes2mqtt.reading import Event, MeterInfo, MeterStatus, Sample, TableGroup

__all__ = ["KEPT_IN_MEMORY", "RETRY_AFTER", "ROLLUPS_EVERY", "Recorder", "Trouble"]

_log = logging.getLogger(__name__)

KEPT_IN_MEMORY = 20_000
"""Register samples kept while the database fails: two days of one meter, some 60 MB."""
RETRY_AFTER = timedelta(seconds=10)
ROLLUPS_EVERY = timedelta(minutes=5)
"""Open buckets are written this often; after a kill that much is read again from the journal."""
_EARLY = 0.85
POSITIONS_WITHIN = timedelta(seconds=15)
"""How long an outbox's position may wait for a register sample to be committed with: alone it would double the writes."""
TIDY_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing is written now."""

    message: str
    since: datetime


class Recorder:
    """Writes to the database at ``path``.

    Args:
        path: the database file; made when it does not exist.
        config: how often and how long.
        connect: opens the database; tests make it fail.
    """

    def __init__(
        self, path: Path, config: HistoryConfig, connect: Callable[[Path], sqlite3.Connection] = open_writer
    ) -> None:
        self.path = path
        self.config = config
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self.journal: Journal | None = None
        self.rollups: Rollups | None = None
        self.unsaved: deque[Numbered] = deque()
        """Register samples that are numbered, but not committed."""
        self._present: deque[Sample] = deque()
        self._present_since: datetime | None = None
        self._infos: dict[str, MeterInfo] = {}
        self.last_seq = 0
        self._numbered = False
        """Whether last_seq continues what is in the database."""
        self.cursors: dict[str, int] = {}
        """How far each outbox has delivered, also those of brokers that are no longer configured."""
        self._used: set[str] = set()
        """Outboxes that somebody delivers from now; only these keep readings from being thrown away."""
        self._moved: set[str] = set()
        self._moved_since: datetime | None = None
        self._fresh: list[Numbered] = []
        self._renumbered = False
        self.trouble: Trouble | None = None
        self.moved_aside: Path | None = None
        self.dropped = 0
        self.written = 0
        """Bytes written to the database and its log since this program started."""
        self._log: WriteAheadLog | None = None
        self._tidy_at: datetime | None = None
        self._retry_at: datetime | None = None
        self._rollups_at: datetime | None = None
        self.generation = 0
        """Counts how often roll-ups went from memory to the database."""
        self.opened = 0
        """Counts how often a database was opened."""

    @property
    def saved_seq(self) -> int:
        """Return the number of the last committed register sample."""
        return self.unsaved[0][0] - 1 if self.unsaved else self.last_seq

    def take(self, events: Iterable[Event], now: datetime) -> None:
        """Number register samples and keep all samples for the next commit; leave out doubles."""
        for event in events:
            if isinstance(event, MeterStatus):
                self._infos[event.meter] = event.info
            elif self.journal is not None and self.journal.known(event):
                continue
            elif event.group is TableGroup.REGISTERS:
                self.last_seq += 1
                self.unsaved.append((self.last_seq, event))
                self._fresh.append((self.last_seq, event))
            elif event.group is TableGroup.PRESENT:
                self._present.append(event)
                self._present_since = self._present_since or now
        while len(self.unsaved) > KEPT_IN_MEMORY:
            self.unsaved.popleft()
            self.dropped += 1
        while len(self._present) > KEPT_IN_MEMORY:
            self._present.popleft()

    def open(self, now: datetime) -> None:
        """Open the database, now rather than with the first sample.

        Raises:
            NewerSchema: a newer program wrote it; nothing was changed.
        """
        self._attempt(now, self._open)

    def deliver(self, name: str, seq: int, now: datetime) -> None:
        """Note that an outbox has delivered everything up to ``seq``; it is written with the next commit."""
        self._used.add(name)
        if seq > self.cursors.get(name, -1):
            self.cursors[name] = seq
            self._moved.add(name)
            self._moved_since = self._moved_since or now

    def fresh(self) -> tuple[bool, list[Numbered]]:
        """Return the register samples numbered since the last call, now committed or known not to be for a while.

        The first value tells whether all numbers given out before were provisional and are void.
        """
        result = self._renumbered, self._fresh
        self._renumbered, self._fresh = False, []
        return result

    def after(self, seq: int, limit: int) -> list[Numbered] | None:
        """Return up to ``limit`` register samples numbered above ``seq``, in order; None if they cannot be read now."""
        found: list[Numbered] = []
        if seq < self.saved_seq:
            if self.journal is None:
                return None  # what comes first must not be passed over
            try:
                found = self.journal.after(seq, limit)
            except sqlite3.Error as error:
                _log.debug("reading the journal: %s", error)
                return None
        found.extend(item for item in self.unsaved if item[0] > seq)
        return found[:limit]

    def open_rows(self, meter: str) -> tuple[int, list[list[int | None]]]:
        """Return a meter's buckets that are not in the database, and the generation they are of."""
        number = None if self.journal is None else self.journal.numbers.get(meter)
        rows = [] if self.rollups is None or number is None else self.rollups.open_rows(number)
        return self.generation, rows

    def outstanding(self) -> int:
        """Return the bytes the next checkpoint will write to the database."""
        return 0 if self._log is None else self._log.outstanding()

    def due(self) -> datetime | None:
        """Return when :meth:`work` has something to do by itself; None: only after more events."""
        if self.trouble is not None:
            return self._retry_at
        times = [self._present_since + timedelta(seconds=self.config.commit_every)] if self._present_since else []
        if self._moved_since is not None:
            times.append(self._moved_since + POSITIONS_WITHIN)
        times.extend(time for time in (self._rollups_at, self._tidy_at) if time is not None)
        return min(times, default=None)

    def work(self, now: datetime, *, flush: bool = False) -> None:
        """Commit and tidy up whatever is due, or with ``flush`` all there is. Never raises for a failing disk."""
        if self._retry_at is not None and now < self._retry_at and not flush:
            return
        self._attempt(now, lambda at: self._work(at, flush=flush))

    def close(self) -> None:
        """Close the database; the next :meth:`work` opens it again."""
        connection, self._connection = self._connection, None
        self.journal = self.rollups = self._log = None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error as error:
                _log.debug("closing the history: %s", error)

    def _attempt(self, now: datetime, action: Callable[[datetime], None]) -> None:
        try:
            if self._connection is None:
                self._open(now)
            action(now)
        except NewerSchema as error:
            if self.journal is None and action == self._open:
                raise
            self._fail(error, now)
        except Exception as error:  # noqa: BLE001 - the thread that writes must go on whatever happens
            if not isinstance(error, sqlite3.Error | OSError):
                self._give_up()
            self.close()
            if isinstance(error, sqlite3.Error) and is_damage(error):
                self._move_aside(now)
            self._fail(error, now)
        else:
            if self.trouble is not None:
                _log.warning("history: writing again after %s", _span(now - self.trouble.since))
            self.trouble = self._retry_at = None

    def _open(self, now: datetime) -> None:
        if self._connection is not None:
            return
        connection = self._connect(self.path)
        try:
            migrate(connection)
            journal = Journal(connection)
            self.rollups = Rollups(journal)
        except BaseException:
            connection.close()
            raise
        self._connection, self.journal = connection, journal
        self._log = WriteAheadLog(connection, self.path)
        self._continue_numbers(journal)
        self._rollups_at = self._next_rollups(now)
        self._tidy_at = self._tidy_at or now + TIDY_EVERY
        self.generation += 1
        self.opened += 1

    def _continue_numbers(self, journal: Journal) -> None:
        """Fit what was numbered without the database behind what is in it."""
        if not self._numbered:
            shift = journal.last_seq
            self.unsaved = deque((seq + shift, sample) for seq, sample in self.unsaved)
            self._fresh = [(seq + shift, sample) for seq, sample in self._fresh]
            self._renumbered = bool(self.last_seq and shift)
            self.last_seq += shift
            self.cursors = {name: seq + shift for name, seq in self.cursors.items()} | journal.cursors
            self._moved = set(self.cursors) - set(journal.cursors)
            self._numbered = True
        # A commit may have succeeded although its answer was an error; and what is saved must not come twice.
        self.unsaved = deque((seq, sample) for seq, sample in self.unsaved if not journal.known(sample))
        self._present = deque(sample for sample in self._present if not journal.known(sample))
        self.last_seq = max(self.last_seq, journal.last_seq)

    def _work(self, now: datetime, *, flush: bool) -> None:
        connection, journal, rollups, log = self._connection, self.journal, self.rollups, self._log
        if connection is None or journal is None or rollups is None or log is None:
            return  # _attempt has opened them; this tells the type checker
        self._commit(journal, rollups, now, flush=flush)
        if flush or (self._rollups_at is not None and now >= self._rollups_at):
            self.generation += 1  # first, so that whoever reads meanwhile knows that it may have seen both
            rollups.flush(stamp(now))
            self._rollups_at = self._next_rollups(now)
        if self._tidy_at is not None and now >= self._tidy_at:
            delivered = min((self.cursors[name] for name in self._used), default=self.last_seq)
            tidy(connection, self.config, now, delivered)
            journal.use_part()
            self._tidy_at = now + TIDY_EVERY
        self.written += log.grown() + log.checkpoint()

    def _commit(self, journal: Journal, rollups: Rollups, now: datetime, *, flush: bool) -> None:
        """Write the register samples that wait, and present values if they have waited long enough."""
        present = flush or self._present_due(now)
        moved = self._moved_since is not None and (flush or now >= self._moved_since + POSITIONS_WITHIN)
        if not (self.unsaved or moved or (present and self._present)):
            return
        numbered, samples = tuple(self.unsaved), tuple(self._present) if present else ()
        cursors = {name: self.cursors[name] for name in self._moved}
        journal.write(numbered, samples, cursors=cursors, infos=self._infos)
        self.unsaved.clear()
        self._moved.clear()
        self._moved_since = None
        if present:
            self._present.clear()
            self._present_since = None
        rollups.add_registers(numbered)
        rollups.add_present(samples)

    def _present_due(self, now: datetime) -> bool:
        """Tell whether present values are to be written; a little early if register samples are written anyway."""
        since, wait = self._present_since, timedelta(seconds=self.config.commit_every)
        return since is not None and now - since >= (wait * _EARLY if self.unsaved else wait)

    def _next_rollups(self, now: datetime) -> datetime:
        """Return the next full five minutes, so that a bucket is rarely written in two parts."""
        return now + ROLLUPS_EVERY - (now - datetime.min.replace(tzinfo=now.tzinfo)) % ROLLUPS_EVERY

    def _give_up(self) -> None:
        """Let go of samples that cannot be written for a reason that will not pass, rather than try them for ever."""
        _log.exception("history: a mistake in this program; %d register samples are given up", len(self.unsaved))
        self.dropped += len(self.unsaved)
        self.unsaved.clear()
        self._present.clear()
        self._present_since = None

    def _move_aside(self, now: datetime) -> None:
        """Give a damaged file another name, so that a new one can begin."""
        target = self.path.with_name(f"{self.path.stem}.damaged-{now:%Y%m%d-%H%M%S}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            source = self.path.with_name(self.path.name + suffix)
            if source.exists():
                source.rename(target.with_name(target.name + suffix))
        self.moved_aside = target
        _log.error("history: %s is damaged; it was kept as %s and a new history begins", self.path.name, target.name)

    def _fail(self, error: Exception, now: datetime) -> None:
        message = _explain(error, self.path)
        if self.trouble is None:
            _log.error("history: %s", message)
        since = self.trouble.since if self.trouble is not None else now
        self.trouble = Trouble(message, since)
        self._retry_at = now + RETRY_AFTER


def _span(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} seconds"


def _explain(error: Exception, path: Path) -> str:
    """Return what happened, what it means and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    after = "Live values go on; register readings wait in memory and are written when this is mended."
    match primary:
        case sqlite3.SQLITE_FULL:
            return f"the disk is full: {path} cannot grow. {after} Free some space."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return f"{path} cannot be written. {after} Check that the folder exists and belongs to this service's user."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another program has {path} open. {after} Close it; only one gateway may use a history."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"{path} was damaged and is kept under another name; a new history begins. {after}"
        case sqlite3.SQLITE_IOERR:
            return f"the disk reports an error with {path} ({error}). {after} Check the disk or the card."
        case _ if isinstance(error, PermissionError):
            return f"{path} cannot be written. {after} Let the folder belong to this user, or set data_dir."
        case _:
            return f"{path} cannot be written: {error}. {after}"
