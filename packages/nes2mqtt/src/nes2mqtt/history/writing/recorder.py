"""Brings readings into the database, whatever the disk and the clocks do.

The recorder decides what is due: a commit of what waits (:mod:`nes2mqtt.history.writing.waiting`), roll-ups, retention.
When the database fails, readings go on waiting up to a limit; the recorder tries again by itself, mends what it
can, and says in plain words what is wrong.

Instants and durations are of the monotonic clock. While the time of day is not known nothing is committed.

Nothing here sleeps. One thread at a time calls it (:mod:`nes2mqtt.history.writing.writer`).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.database.connection import WriteAheadLog, damage, is_damage, open_writer, transaction
from nes2mqtt.history.database.migrations import migrate
from nes2mqtt.history.database.page_size import rewrite_pages
from nes2mqtt.history.database.repair import check_before_opening, repair
from nes2mqtt.history.errors import NewerSchema
from nes2mqtt.history.tables.filled import Filling, Looked
from nes2mqtt.history.tables.journal import Journal, Numbered
from nes2mqtt.history.tables.retention import Retention
from nes2mqtt.history.tables.rollups import Rollups
from nes2mqtt.history.tables.rows import stamp
from nes2mqtt.history.writing.notices import Notices, notices_of
from nes2mqtt.history.writing.tail import this_boot
from nes2mqtt.history.writing.trouble import Trouble, explain
from nes2mqtt.history.writing.waiting import Waiting
from nes2mqtt.readings.reading import MeterEvent, Sample
from nes2mqtt.timing.clock import Clock

__all__ = ["RETRY_AFTER", "ROLLUPS_EVERY", "Recorder"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_AFTER = 10.0
ROLLUPS_EVERY = 3600.0
"""Seconds. Open buckets are written this often; after a kill that much is read again from the journal."""
MOST_BUCKETS = 5000
"""Buckets in memory; many meters write them more often for it."""
TIDY_EVERY = 3600.0
_PAUSE = 1.0
"""Seconds between two slices of a part that is emptied."""
_LOOK_AGAIN = 5.0
"""Seconds between two looks whether the time of day is known."""
_SAY_AGAIN = 3600.0
"""Seconds for which the same trouble is not said again, though it came and went."""


class Recorder:
    """Writes to the database at ``path``. Where a method takes ``now``, that is the monotonic clock, in seconds.

    Args:
        path: the database file; made when it does not exist.
        config: how often and how long.
        clock: the clocks of this program.
        connect: opens the database; tests make it fail.
        boot: tells which start of the machine this is, for a folder; tests let the power fail.
    """

    def __init__(
        self,
        path: Path,
        config: HistoryConfig,
        clock: Clock,
        *,
        connect: Callable[[Path], sqlite3.Connection] | None = None,
        boot: Callable[[Path], str] | None = None,
    ) -> None:
        self.path = path
        self.config = config
        self._clock = clock
        self._connect = connect if connect is not None else open_writer
        self._connection: sqlite3.Connection | None = None
        self.journal: Journal | None = None
        self.rollups: Rollups | None = None
        self._retention: Retention | None = None
        self._log: WriteAheadLog | None = None
        self.waiting = Waiting(path, config, clock, boot if boot is not None else this_boot)
        self.trouble: Trouble | None = None
        self._said: dict[str, float] = {}
        self.notices = Notices(notices_of(path))
        self.moved_aside: Path | None = None
        self._opened_at: float | None = None
        self._ran_before = 0.0
        self._tidy_at: float | None = None
        self._retry_at: float | None = None
        self._rollups_at: float | None = None
        self._look_at: float | None = None
        self.generation = 0
        """Counts how often samples or roll-ups went from memory to the database."""
        self._looked_through = -1, 0.0
        """Which opened database was looked through because an outbox could not be read, and when."""
        self.opened = 0
        """Counts how often a database was opened."""

    @property
    def last_seq(self) -> int:
        """Return the number of the last register sample."""
        return self.waiting.last_seq

    @property
    def cursors(self) -> dict[str, int]:
        """Return how far each outbox has delivered."""
        return self.waiting.cursors

    @property
    def dropped(self) -> int:
        """Return how many register samples were given up."""
        return self.waiting.dropped

    @property
    def survives(self) -> bool:
        """Tell whether all register samples taken so far survive a kill of this program."""
        return self.waiting.survives

    @property
    def waits_for_the_clock(self) -> bool:
        """Tell whether samples wait only because the time of day is not known."""
        return self._look_at is not None and self.trouble is None and self.waiting.commit_at() is not None

    @property
    def meters(self) -> int:
        """Return how many meters there are."""
        return len(self.waiting.infos)

    def take(self, events: Iterable[MeterEvent], now: float) -> None:
        """Number register samples, and keep all samples in the tail and for the next commit."""
        self.waiting.take(events, now, self.journal)
        if self.trouble is not None or not self._clock.known:
            self.waiting.drop_what_is_too_much()

    def give_up(self) -> None:
        """Count an event that cannot even be taken."""
        self.waiting.dropped += 1

    def open(self, now: float) -> None:
        """Open the database, now rather than with the first sample.

        Raises:
            NewerSchema: a newer program wrote it; nothing was changed.
        """
        self._attempt(now, self._open)

    def deliver(self, name: str, seq: int, now: float) -> None:
        """Note that an outbox has delivered everything up to ``seq``; it is written with the next commit."""
        self.waiting.deliver(name, seq, now)

    def fresh(self) -> tuple[bool, list[Numbered]]:
        """Return the register samples numbered since the last call: they survive a kill, or nothing does for a while.

        The first value tells whether all positions given out before were provisional and are void.
        """
        return self.waiting.fresh()

    def after(self, seq: int, limit: int) -> list[Numbered] | None:
        """Return up to ``limit`` register samples numbered above ``seq``, in order; None if they cannot be read now."""
        found: list[Numbered] = []
        if seq < self.waiting.saved_seq:
            if self.journal is None:
                return None  # what comes first must not be passed over
            try:
                found = self.journal.after(seq, limit)
            except sqlite3.Error as error:
                self._cannot_read(error, self._clock.monotonic())
                return None
        if len(found) < limit:
            found.extend(item for item in self.waiting.registers if item[0] > seq)
        return found[:limit]

    def open_rows(self, meter: str) -> tuple[int, list[list[int | None]], list[Sample]]:
        """Return what is not in the database of a meter: its buckets, and single present values.

        The first value is the generation they are of. What waits for the time of day to be known is not in it.
        """
        number = None if self.journal is None else self.journal.numbers.get(meter)
        if self.rollups is None or number is None:
            return self.generation, [], []
        registers, present = self.waiting.of(meter)
        return self.generation, self.rollups.rows_with(number, registers, present), present

    def last_registers(self, meter: str) -> Sample | None:
        """Return the last value of every register of a meter's last segment, committed or not."""
        sample = None if self.rollups is None else self.rollups.head_sample(meter)
        for _, later in self.waiting.registers:
            if later.meter == meter:
                same = sample is not None and later.segment == sample.segment
                values = dict(sample.values) if sample is not None and same else {}
                sample = replace(self.waiting.dated(later), values=values | dict(later.values))
        return sample

    def due(self) -> float | None:
        """Return when :meth:`work` has something to do by itself; None: only after more events."""
        if self.trouble is not None:
            return self._retry_at
        times = [time for time in (self._rollups_at, self._tidy_at) if time is not None]
        commit = self.waiting.commit_at()
        if commit is not None:
            times.append(commit if self._look_at is None else max(commit, self._look_at))
        return min(times, default=None)

    def work(self, now: float, *, flush: bool = False) -> None:
        """Commit and tidy up whatever is due, or with ``flush`` all there is. Never raises for a failing disk."""
        if self._retry_at is not None and now < self._retry_at and not flush:
            return
        self._attempt(now, lambda at: self._work(at, flush=flush))

    def write_gaps(self, meter: str, now: float) -> None:
        """Write all there is, if something that is only in memory tells of a time in which a meter was not read.

        Thousands of meters are asked for their gaps in the minutes after a start, so not each question writes everything.
        """
        number = None if self.journal is None else self.journal.numbers.get(meter)
        if number is None or self.rollups is None or self.rollups.tell_of_a_gap(number, self.waiting.of(meter)[0]):
            self.work(now, flush=True)

    def fill(self, looked: Looked, now: float) -> int | None:
        """Store what became of a gap; return how many readings are new, None if they cannot be written now."""
        stored: list[int] = []

        def store(at: float) -> None:
            self._work(at, flush=True)
            if self._clock.known and self.journal is not None and self.rollups is not None:
                self.generation += 1
                stored.append(Filling(self.journal, self.rollups).store(looked))

        self._attempt(now, store)
        return stored[0] if stored and self.trouble is None else None

    def transact(self, work: Callable[[sqlite3.Connection], T], now: float) -> T | None:
        """Do something in one transaction; None if nothing can be written now."""
        done: list[T] = []

        def write(_: float) -> None:
            if self._connection is not None and self._clock.known:
                with transaction(self._connection) as connection:
                    done.append(work(connection))

        self._attempt(now, write)
        return done[0] if done and self.trouble is None else None

    def profile_mark(self, meter: str) -> str:
        """Return how far the load profile of a meter was read; empty if it never was, or that cannot be read."""
        journal = self.journal
        if journal is None:
            return ""
        query = "SELECT mark FROM profile_marks WHERE meter = ?"
        try:
            row = journal.connection.execute(query, (journal.numbers.get(meter, 0),)).fetchone()
        except sqlite3.Error:
            return ""
        return "" if row is None else str(row[0])

    def note(self, name: str, value: int, now: float) -> None:
        """Keep a number in table ``state``."""

        def keep(_: float) -> None:
            if self.journal is not None:
                self.journal.note(name, value)

        self._attempt(now, keep)

    def noted(self, name: str) -> int:
        """Return a number of table ``state``; 0 if it is not there, or cannot be read."""
        journal = self.journal
        if journal is None:
            return 0
        try:
            row = journal.connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        except sqlite3.Error:
            return 0
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """End in order, if everything is committed; the next :meth:`work` opens the database again."""
        journal = self.journal if self.trouble is None else None
        self._disconnect()
        self.waiting.end(journal)

    def suspect(self, now: float, block: int | None = None) -> None:
        """Look whether the database is damaged, as somebody who read it says, and mend it if it is.

        Args:
            now: the instant.
            block: a block of present values that cannot be unpacked: SQLite sees no damage in it.
        """

        def look(_: float) -> None:
            if self._connection is None:
                return
            (verdict,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damage(str(verdict))
            if block is not None and self.journal is not None:
                text = self.journal.forget_block(block)
                if text:
                    self.notices.add(text, self._label())

        self._attempt(now, look)

    def _attempt(self, now: float, action: Callable[[float], None], *, again: bool = True) -> None:
        try:
            if self._connection is None:
                self._open(now)
            if self.trouble is not None:
                self._note_running(now)  # a write that proves that writing works again
            action(now)
        except NewerSchema as error:
            if self.journal is None and action == self._open:
                raise
            self._fail(error, now)
        except sqlite3.Error as error:
            self._disconnect()
            if is_damage(error) and again and self._mend(str(error)):
                self._attempt(now, action, again=False)
            else:
                self._fail(error, now)
        except Exception as error:  # noqa: BLE001 - the thread that writes must go on whatever happens
            if not isinstance(error, OSError):
                _log.exception("history: a mistake in this program")
            self._disconnect()
            self._fail(error, now)
        else:
            self._recovered(now)

    def _cannot_read(self, error: sqlite3.Error, now: float) -> None:
        """Have damage mended that only an outbox has met; say anything else."""
        message = (
            f"what waits for brokers cannot be read from {self.path}: {error}. It is tried again with each reading"
        )
        said = self._said.get(message)
        if said is None or now - said >= _SAY_AGAIN:
            self._said[message] = now
            _log.error("history: %s", message)
        # To look through it takes a while: a database that was found whole is not looked through with each reading.
        seen, at = self._looked_through
        if is_damage(error) and (seen != self.opened or now - at >= _SAY_AGAIN):
            self._looked_through = self.opened, now
            self.suspect(now)

    def _recovered(self, now: float) -> None:
        if self.trouble is not None and self.trouble.said:
            _log.warning("history: writing again after %.0f seconds", now - self.trouble.since)
        self.trouble = self._retry_at = None

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self.journal = self.rollups = self._log = self._retention = None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error as error:
                _log.debug("closing the history: %s", error)

    def _open(self, now: float) -> None:
        if self._connection is not None:
            return
        lost = check_before_opening(self.path, self._today())
        if lost is not None:
            self.moved_aside = lost.kept_as
            self.notices.add(lost.text, self._label())
        rewrite_pages(self.path, self._connect)
        connection = self._connect(self.path)
        try:
            migrate(connection)
            journal = Journal(connection)
            rollups = Rollups(journal)
        except BaseException:
            connection.close()
            raise
        self._connection, self.journal, self.rollups = connection, journal, rollups
        self._retention = Retention(connection, self.config)
        self._log = WriteAheadLog(connection, self.path)
        for text in journal.mended:
            self.notices.add(text, self._label())
        missing = self.waiting.go_on(journal, now)
        if missing:
            self.notices.add(missing, self._label())
        if self._opened_at is None:
            state = dict(connection.execute("SELECT name, value FROM state"))
            self._ran_before = float(state.get("ran", 0))
            self._opened_at = now
            self._tidy_at = now + TIDY_EVERY - self._ran_before % TIDY_EVERY
        self._rollups_at = self._next_rollups(now)
        self.generation += 1
        self.opened += 1

    def _work(self, now: float, *, flush: bool) -> None:
        connection, journal, rollups, log = self._connection, self.journal, self.rollups, self._log
        if connection is None or journal is None or rollups is None or log is None or self._retention is None:
            return  # _attempt has opened them; this tells the type checker
        self.waiting.write_tail()
        self.waiting.number_what_waits(journal)
        known = self._clock.known
        self._look_at = None if known else now + _LOOK_AGAIN
        commit = self.waiting.commit_at()
        if known and (flush or self.trouble is not None or (commit is not None and now >= commit)):
            self._commit(journal, rollups)
        due = self._rollups_at is not None and now >= self._rollups_at
        if known and (flush or due or rollups.size >= MOST_BUCKETS):
            self.generation += 1  # first, so that whoever reads meanwhile knows that it may have seen both
            rollups.flush(stamp(self._clock.label(now)), {"ran": self._ran(now)})
        if self._rollups_at is not None and now >= self._rollups_at:
            self._rollups_at = self._next_rollups(now)
        if self._tidy_at is not None and now >= self._tidy_at:
            delivered = min((self.cursors[name] for name in self.waiting.used), default=self.last_seq)
            more = self._retention.tidy(self._ran(now), self._label_ms(now), delivered)
            journal.use_part()
            self._tidy_at = now + (_PAUSE if more else TIDY_EVERY)
        log.checkpoint()

    def _commit(self, journal: Journal, rollups: Rollups) -> None:
        """Write all that waits, in portions."""
        while (portion := self.waiting.portion(journal)) is not None:
            try:
                journal.write(portion.registers, portion.present, cursors=portion.cursors, infos=self.waiting.infos)
            except (sqlite3.Error, OSError):
                raise
            except Exception:
                self.waiting.give_up()  # only here samples can be to blame; whatever else fails, they wait
                raise
            self.generation += 1
            self.waiting.committed(portion, journal)
            rollups.add_registers(portion.registers)
            rollups.add_present(portion.present)
            if portion.last:
                return

    def _label(self) -> datetime | None:
        return self._clock.now() if self._clock.known else None

    def _label_ms(self, now: float) -> int | None:
        label = self._clock.label_if_known(now)
        return None if label is None else stamp(label)

    def _today(self) -> str:
        return f"{self._clock.now():%Y%m%d-%H%M%S}"

    def _ran(self, now: float) -> int:
        return int(self._ran_before + (now - self._opened_at if self._opened_at is not None else 0.0))

    def _note_running(self, now: float) -> None:
        if self.journal is not None:
            self.journal.note("ran", self._ran(now))

    def _next_rollups(self, now: float) -> float:
        """Return the next full hour, so that a bucket is rarely written in two parts."""
        return now + ROLLUPS_EVERY - self._clock.label(now).timestamp() % ROLLUPS_EVERY

    def _mend(self, error: str) -> bool:
        """Keep a damaged file under another name, and what can be read of it in a new one; return whether that is done."""
        try:
            mended = repair(self.path, self._today(), error, self._connect)
        except OSError as problem:
            _log.error("history: the damaged %s cannot be renamed: %s", self.path, problem.strerror)
            return False
        self.moved_aside = mended.kept_as
        self.notices.add(mended.text, self._label())
        return True

    def _fail(self, error: Exception, now: float) -> None:
        code, message = explain(error, self.path)
        said = self._said.get(message)
        new = self.trouble is None or self.trouble.message != message
        say = new and (said is None or now - said >= _SAY_AGAIN)
        if say:
            _log.error("history: %s", message)
            self._said[message] = now
        since = self.trouble.since if self.trouble is not None else now
        self.trouble = Trouble(code, message, since, said=say or (self.trouble is not None and self.trouble.said))
        self._retry_at = now + RETRY_AFTER
        self.waiting.go_on_without()
