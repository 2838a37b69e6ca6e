"""What waits for the next commit: samples and positions of outboxes, in memory and in the tail.

Register samples get their numbers here. A sample gets its time of day late, when it is committed, by what is
known then.

This module does not write to the database.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.tables.journal import Journal, Numbered
from nes2mqtt.history.tables.rows import moment
from nes2mqtt.history.writing.continuation import Continuation, Found, go_on
from nes2mqtt.history.writing.numbers import RESERVE, Numbers, read_mark
from nes2mqtt.history.writing.tail import Head, Tail, place_of, read_tail
from nes2mqtt.readings.reading import MeterEvent, MeterInfo, MeterStatus, Sample, TableGroup, guessed_at
from nes2mqtt.timing.clock import Clock
from osgp.sources import Source

__all__ = ["KEPT_IN_MEMORY", "Portion", "Waiting", "numbers_of"]

_log = logging.getLogger(__name__)

KEPT_IN_MEMORY = 20_000
"""Register samples kept while nothing can be committed: two days of one meter, some 60 MB."""
MOST_WAITING = 16_000
"""Samples that wait for a commit at most; many meters commit more often than ``commit_every`` for it."""
SLICE = 5_000
"""Register samples in one transaction."""
POSITIONS_WITHIN = 15.0
"""Seconds an outbox's position may wait for a commit when there is no tail to keep it in."""
_NEARLY = 1.0
"""Seconds by which the label of a sample may differ from what it was given when it was read."""
_LARGEST = 1 << 63


def numbers_of(database: Path) -> Path:
    """Return the file of the mark of numbers that belongs to a database."""
    return database.with_name(f"{database.stem}.seq")


@dataclass(frozen=True, slots=True)
class Portion:
    """What goes into one transaction.

    Args:
        registers: numbered samples with their times of day.
        present: the same of present values.
        cursors: positions of outboxes that changed.
        last: whether nothing else waits.
        block: the last block before it, to tell later whether it was committed.
    """

    registers: Sequence[Numbered]
    present: Sequence[Sample]
    cursors: dict[str, int]
    last: bool
    block: int


class Waiting:
    """What is not in the database yet. Where a method takes ``now``, that is the monotonic clock, in seconds.

    Args:
        path: the database.
        config: how long samples wait, and where.
        clock: the clocks of this program.
        boot: tells which start of the machine this is, for a folder.
    """

    def __init__(self, path: Path, config: HistoryConfig, clock: Clock, boot: Callable[[Path], str]) -> None:
        self._path = path
        self._config = config
        self._clock = clock
        self._boot = boot
        self.registers: deque[Numbered] = deque()
        """Register samples that are numbered, but not committed."""
        self._unnumbered: deque[Sample] = deque()
        """Register samples for which no number could be reserved."""
        self.present: deque[Sample] = deque()
        self.infos: dict[str, MeterInfo] = {}
        self.last_seq = 0
        self.cursors: dict[str, int] = {}
        """How far each outbox has delivered, also those of brokers that are no longer configured."""
        self.used: set[str] = set()
        """Outboxes that somebody delivers from now; only these keep readings from being thrown away."""
        self.dropped = 0
        self._since: float | None = None
        self._moved: set[str] = set()
        self._moved_since: float | None = None
        self._new_meter = False
        self._recent: dict[tuple[str, TableGroup], float] = {}
        self._fresh: list[Numbered] = []
        self._renumbered = False
        self._continued = False
        """Whether last_seq continues what is in the database."""
        self._attempted: Portion | None = None
        self._numbers = Numbers(numbers_of(path))
        self._tail: Tail | None = None
        self._boot_now = ""
        self._saved = (0, 0)
        """Numbers of the last register reading and the last block in the database."""
        self._gave_up = False

    @property
    def saved_seq(self) -> int:
        """Return the number of the last committed register sample."""
        return self.registers[0][0] - 1 if self.registers else self.last_seq

    @property
    def survives(self) -> bool:
        """Tell whether all register samples taken so far survive a kill of this program."""
        return not self._unnumbered and (not self.registers or not self._no_tail())

    def take(self, events: Iterable[MeterEvent], now: float, journal: Journal | None) -> None:
        """Number register samples, and keep all samples, in the tail too."""
        dated = self._clock.known
        for event in events:
            if isinstance(event, MeterStatus):
                self.infos[event.meter] = event.info
            elif not self._offered_before(event):
                if dated and event.segment_instant is not None:
                    event = replace(event, segment_instant=None)  # noqa: PLW2901 - its start was told; that stays
                if self._since is None:
                    self._since = now
                if event.group is TableGroup.REGISTERS:
                    self._take_registers(event, journal, dated=dated)
                else:
                    self.present.append(event)
                    if self._tail is not None:
                        self._tail.keep(event, None, dated=dated)
        self.write_tail()

    def drop_what_is_too_much(self) -> None:
        """Keep memory in bounds; for times in which nothing can be committed."""
        for queue in (self.registers, self._unnumbered):
            while len(queue) > KEPT_IN_MEMORY:
                queue.popleft()
                self.dropped += 1
        while len(self.present) > KEPT_IN_MEMORY:
            self.present.popleft()

    def deliver(self, name: str, seq: int, now: float) -> None:
        """Note that an outbox has delivered everything up to ``seq``."""
        self.used.add(name)
        if seq > self.cursors.get(name, -1):
            self.cursors[name] = seq
            self._moved.add(name)
            if self._moved_since is None:
                self._moved_since = now
            if self._tail is not None:
                self._tail.delivered(name, seq)

    def fresh(self) -> tuple[bool, list[Numbered]]:
        """Return the register samples numbered since the last call, and whether positions given out before are void."""
        result = self._renumbered, self._fresh
        self._renumbered, self._fresh = False, []
        return result

    def go_on(self, journal: Journal, now: float) -> str:
        """Fit what is in memory, and what is in the tail, behind what is in the database that was just opened.

        Returns:
            What is missing in the database, in words; empty if nothing is.
        """
        missing = "" if self._continued else self._continue(journal)
        self._continued = True
        attempt, self._attempted = self._attempted, None
        if attempt is not None and journal.last_block > attempt.block:
            for _ in attempt.present:
                self.present.popleft()
        while self.registers and self.registers[0][0] <= journal.last_seq:
            self.registers.popleft()
        self.last_seq = max(self.last_seq, journal.last_seq)
        self.number_what_waits(journal)
        if (self.registers or self.present) and self._since is None:
            self._since = now
        if self._moved and self._moved_since is None:
            self._moved_since = now
        self._new_meter = any(sample.meter not in journal.numbers for _, sample in self.registers)
        self.begin_tail(journal)
        return missing

    def go_on_without(self) -> None:
        """Give numbers nobody else has while the database cannot be opened, so that nothing can be looked up."""
        if not self._continued and not self._numbers.reserved:
            self.last_seq = self._numbers.unknown()
            self.number_what_waits(None)
        if self._tail is not None and (self._tail.failed is not None or self._tail.large):
            self.begin_tail(None)

    def number_what_waits(self, journal: Journal | None) -> None:
        """Try again to number what could not be numbered."""
        waiting, self._unnumbered = self._unnumbered, deque()
        for sample in waiting:
            self._take_registers(sample, journal, dated=self._clock.known)

    def write_tail(self) -> None:
        """Bring to the tail what was taken for it."""
        if self._tail is not None:
            self._tail.write()
            if self._tail.large:
                self.begin_tail(None)

    def begin_tail(self, journal: Journal | None) -> None:
        """Begin the tail anew with what is not in the database."""
        tail = self._tail
        if tail is None:
            return
        if journal is not None:
            self._saved = journal.last_seq, journal.last_block
        tail.begin(Head(self._numbers.life, self._boot_now, *self._saved))
        dated = self._clock.known
        for seq, sample in self.registers:
            tail.keep(self.dated(sample) if dated else sample, seq, dated=dated or not sample.instant)
        for sample in self.present:
            tail.keep(self.dated(sample) if dated else sample, None, dated=dated or not sample.instant)
        for name in self._moved:
            tail.delivered(name, self.cursors[name])
        tail.write()
        tail.settled()

    def commit_at(self) -> float | None:
        """Return when the next commit is due; None while nothing waits."""
        times = []
        if self._since is not None:
            at_once = self._new_meter or len(self.present) + len(self.registers) >= MOST_WAITING
            at_once = at_once or (self._no_tail() and bool(self.registers))
            times.append(self._since + (0.0 if at_once else self._config.commit_every))
        if self._moved_since is not None:
            times.append(self._moved_since + (POSITIONS_WITHIN if self._no_tail() else self._config.commit_every))
        return min(times, default=None)

    def portion(self, journal: Journal) -> Portion | None:
        """Return what goes into the next transaction; None if nothing waits. Register samples go in slices."""
        if not (self.registers or self.present or self._moved):
            self._since = self._moved_since = None
            return None
        count = min(SLICE, len(self.registers))
        last = count == len(self.registers)
        self._attempted = Portion(
            [(seq, self.dated(sample)) for seq, sample in (self.registers[place] for place in range(count))],
            [self.dated(sample) for sample in self.present] if last else [],
            {name: self.cursors[name] for name in self._moved} if last else {},
            last,
            journal.last_block,
        )
        return self._attempted

    def committed(self, portion: Portion, journal: Journal) -> None:
        """Let go of what is in the database now."""
        self._attempted = None
        for _ in portion.registers:
            self.registers.popleft()
        if not portion.last:
            return
        self.present.clear()
        self._moved.clear()
        self._since = self._moved_since = None
        self._new_meter = self._gave_up = False
        if self._numbers.reserved - self.last_seq < RESERVE // 2:
            self._reserve(journal)
        self.begin_tail(journal)

    def dated(self, sample: Sample) -> Sample:
        """Return a sample with its time of day as it is known now; one without a moment keeps the one it has."""
        if not sample.instant:
            return sample
        label = self._clock.label(sample.instant)
        if not _near(label, sample.received):
            sample = replace(sample, received=label, restarted=self._dated_restarts(sample))
        if sample.segment_instant is not None:
            start = self._clock.label(sample.segment_instant)
            if sample.segment_start is None or not _near(start, sample.segment_start):
                sample = replace(sample, segment_start=start)
        return sample

    def _dated_restarts(self, sample: Sample) -> Mapping[Source, datetime]:
        """Return when registers rolled over, where that is as wrong as the sample's own time of day with what is known now."""
        found = {}
        for source, at in sample.restarted.items():
            instant = guessed_at(at, sample.received, sample.instant)
            found[source] = at if instant is None else self._clock.label(instant)
        return found

    def of(self, meter: str) -> tuple[list[Sample], list[Sample]]:
        """Return what waits of a meter, registers and present values, once the time of day is known."""
        if not self._clock.known:
            return [], []
        return (
            [self.dated(sample) for _, sample in self.registers if sample.meter == meter],
            [self.dated(sample) for sample in self.present if sample.meter == meter],
        )

    def give_up(self) -> None:
        """Let go of samples that cannot be written for a reason that will not pass, rather than try them for ever."""
        registers = [item for item in self.registers if _can_be_written(item[1])]
        present = [sample for sample in self.present if _can_be_written(sample)]
        if len(registers) + len(present) == len(self.registers) + len(self.present) and self._gave_up:
            registers, present = [], []  # none of them alone is to blame
        self._gave_up = True
        given_up = len(self.registers) - len(registers)
        self.dropped += given_up
        self.registers, self.present = deque(registers), deque(present)
        _log.error("history: %d register samples are given up because of it", given_up)

    def end(self, journal: Journal | None) -> None:
        """End in order, if all is in the database; else the tail stays."""
        tail, self._tail, self._continued = self._tail, None, False
        if tail is None:
            return
        if journal is not None and not (self.registers or self.present or self._unnumbered):
            self._numbers.end(self.last_seq, journal.last_block)
            tail.remove()
        else:
            tail.close()

    def _take_registers(self, sample: Sample, journal: Journal | None, *, dated: bool) -> None:
        if self._unnumbered or not (self.last_seq < self._numbers.reserved or self._numbers.reserve(self.last_seq)):
            self._unnumbered.append(sample)
            return
        self.last_seq += 1
        self.registers.append((self.last_seq, sample))
        self._fresh.append((self.last_seq, sample))
        if self._tail is not None:
            self._tail.keep(sample, self.last_seq, dated=dated)
        if journal is not None and sample.meter not in journal.numbers:
            self._new_meter = True

    def _offered_before(self, sample: Sample) -> bool:
        """Tell whether a meter's sample was seen already. Only instants tell: times of day may come twice."""
        if not sample.instant:
            return False
        key = (sample.meter, sample.group)
        if self._recent.get(key) == sample.instant:
            return True
        self._recent[key] = sample.instant
        return False

    def _continue(self, journal: Journal) -> str:
        """Find out with which number to go on, and what the run before left in the tail."""
        path = place_of(self._path, self._config.tail)
        self._boot_now = self._boot(path.parent)
        mark = read_mark(self._numbers.path)
        if mark is not None and mark.life == self._numbers.life:  # opened again: what is not committed is in memory
            plan = Continuation(max(journal.last_seq, self.last_seq))
        else:
            plan = go_on(_found(journal), mark, read_tail(path), self._boot_now)
        if plan.remark:
            _log.log(logging.INFO if plan.whole else logging.WARNING, "history: %s", plan.remark)
        before, provisional = self.last_seq, list(self.registers)
        shift = max(0, plan.seq - before) if provisional and provisional[0][0] <= plan.seq else 0
        self._fresh = [(seq + shift, sample) for seq, sample in self._fresh]
        self._renumbered = self._renumbered or bool(before)  # outboxes began without knowing where they were
        self.registers = deque([*plan.registers, *((seq + shift, sample) for seq, sample in provisional)])
        self.present.extendleft(reversed(plan.present))
        self.last_seq = max(plan.seq, before + shift)
        known = journal.cursors | {name: at for name, at in plan.cursors.items() if at > journal.cursors.get(name, -1)}
        self.cursors = {name: seq + shift for name, seq in self.cursors.items()} | known
        self._moved = {name for name, seq in self.cursors.items() if journal.cursors.get(name) != seq}
        if not self._reserve(journal) and not self._numbers.reserved:
            self.last_seq = max(self.last_seq, self._numbers.unknown())
        self._tail = Tail(path, in_ram=path.parent != self._path.parent)
        return plan.missing

    def _reserve(self, journal: Journal) -> bool:
        reserved = self._numbers.reserve(self.last_seq)
        if reserved:
            journal.note("seq_reserved", self._numbers.reserved)
        return reserved

    def _no_tail(self) -> bool:
        return self._tail is None or self._tail.failed is not None


def _near(one: datetime, other: datetime) -> bool:
    return abs((one - other).total_seconds()) <= _NEARLY


def _found(journal: Journal) -> Found:
    ask: Callable[[str], sqlite3.Cursor] = journal.connection.execute
    last = ask("SELECT received FROM registers ORDER BY seq DESC LIMIT 1").fetchone()
    return Found(
        seq=journal.last_seq,
        block=journal.last_block,
        reserved=dict(ask("SELECT name, value FROM state")).get("seq_reserved", 0),
        latest=f"{moment(last[0]):%Y-%m-%d %H:%M} UTC" if last else "",
    )


def _can_be_written(sample: Sample) -> bool:
    """Tell whether a sample's numbers fit into a database: no meter has others."""
    return all(-_LARGEST <= value < _LARGEST for value in sample.values.values())
