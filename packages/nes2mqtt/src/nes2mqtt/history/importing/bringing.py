"""Brings old readings into a history, inside one transaction, and tells what came of it.

The lines of a file are put into order in a database of their own, which lies on disk while it is large. Of each quarter of an hour
the last reading is kept, as the history does with its own.

This module does not know formats of files.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo

from nes2mqtt.history.importing.judge import Candidate, Judge, Swap, Verdict
from nes2mqtt.history.importing.lines import Line, Refused
from nes2mqtt.history.importing.times import descending, settled
from nes2mqtt.history.tables.energy import difference
from nes2mqtt.history.tables.imported import COLUMNS, Import, Shown, all_of, count_anew, insert
from nes2mqtt.history.tables.levels import QUARTERS
from nes2mqtt.history.tables.rows import moment, stamp
from osgp.sources import Source

__all__ = ["Asked", "Brought", "Lines", "bring"]

_TOLD = 20
"""So many lines that are not taken are told one by one."""
_LONGEST_GAPS = 5


class Lines(Protocol):
    """A source of old readings, which can be gone through more than once."""

    def __iter__(self) -> Iterator[Line | Refused]:
        """Yield what each line tells."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Args:
        what: of the import.
        zone: of times without an offset.
        local: zone in which times are told.
        swaps: when the meter was exchanged.
        begin: nothing of before (ms).
        end: nothing of then or later (ms).
    """

    what: Import
    zone: ZoneInfo
    local: ZoneInfo
    swaps: Sequence[Swap] = ()
    begin: int = 0
    end: int = 1 << 62


@dataclass(slots=True)
class Total:
    """What a register shows in what comes in: first and last, and what it counted in between."""

    first: int
    last: int
    counted: int = 0


@dataclass(slots=True)
class Brought:
    """What came of an import.

    Args:
        number: of the import; 0 if nothing came in.
        lines: how many lines had a reading.
        readings: how many came in.
        first: the first of them (ms).
        last: the last.
        totals: by register.
        gaps: the longest times without a reading between them (ms).
        gap_count: how many such times there are.
        refused: the first lines that were not taken, and why.
        refused_count: how many were not.
        verdict: what became of the others.
    """

    number: int = 0
    lines: int = 0
    readings: int = 0
    first: int = 0
    last: int = 0
    totals: dict[Source, Total] = field(default_factory=dict)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    gap_count: int = 0
    refused: list[Refused] = field(default_factory=list)
    refused_count: int = 0
    verdict: Verdict = field(default_factory=Verdict)

    def refuse(self, line: Refused) -> None:
        """Note a line that is not taken."""
        self.refused_count += 1
        if len(self.refused) < _TOLD:
            self.refused.append(line)


def bring(connection: sqlite3.Connection, source: Lines, asked: Asked) -> Brought:
    """Bring in what may come in, inside the caller's transaction, which is to be rolled back if this fails.

    Raises:
        HistoryError: the source cannot be read, or a register falls and nothing explains it.
        sqlite3.Error: the history cannot be written.
    """
    brought = Brought()
    with closing(sqlite3.connect("", isolation_level=None)) as staged:
        step = _stage(staged, source, asked, brought)

        def date(at: int) -> str:
            return f"{moment(at).astimezone(asked.local):%Y-%m-%d %H:%M}"

        judge = Judge(all_of(connection, asked.what.meter), asked.swaps, step, brought.refuse, date)
        taken = _counted(judge.of(_thinned(staged, brought)), brought, judge.verdict)
        # What is there is read while what comes in is written: so it is written when all of it was read.
        accepted = _kept(staged, taken)
        brought.verdict = judge.verdict
        if brought.readings:
            what = Import(
                asked.what.meter, asked.what.made, asked.what.kind, asked.what.name, tuple(judge.verdict.swaps)
            )
            brought.number = insert(connection, what, accepted)
            count_anew(connection, asked.what.meter)
            _find_gaps(connection, brought)
    return brought


def _stage(staged: sqlite3.Connection, source: Lines, asked: Asked, brought: Brought) -> int:
    """Put the lines into a table, with their times in UTC; return the largest last digit (Wh)."""
    columns = ", ".join(COLUMNS.keys)
    staged.execute(f"CREATE TABLE lines (at INTEGER, place INTEGER, {columns})")
    staged.execute(f"CREATE TABLE taken (at INTEGER, {columns})")
    back = descending(line.time for line in source if isinstance(line, Line) and line.time.tzinfo is None)
    steps: Counter[int] = Counter()

    def rows() -> Iterator[Sequence[int | None]]:
        for line in settled(source, asked.zone, back=back):
            if isinstance(line, Refused):
                brought.refuse(line)
                continue
            brought.lines += 1
            steps[line.step] += 1
            at = stamp(line.time)
            if asked.begin <= at < asked.end:
                yield [at, line.place, *COLUMNS.values(line.values)]

    marks = ", ".join("?" * (2 + len(COLUMNS.keys)))
    staged.execute("BEGIN")
    staged.executemany(f"INSERT INTO lines VALUES ({marks})", rows())  # noqa: S608 - marks only
    staged.execute("COMMIT")
    # The finest that was written: a program that leaves out zeros at the end writes whole kWh now and then.
    return min(steps, default=1)


def _thinned(staged: sqlite3.Connection, brought: Brought) -> Iterator[Candidate]:
    """Yield one reading for each quarter of an hour: its last, with the last value of each register in it."""
    open_: Candidate | None = None
    quarter = -1
    for one in _merged(staged, brought):
        ended = QUARTERS.floor(one.at - 1)
        if open_ is not None and ended == quarter:
            open_ = Candidate(one.place, one.at, {**open_.values, **one.values})
            continue
        if open_ is not None:
            yield open_
        open_, quarter = one, ended
    if open_ is not None:
        yield open_


def _merged(staged: sqlite3.Connection, brought: Brought) -> Iterator[Candidate]:
    """Yield one reading for each moment; lines that tell two different values of one register are not taken."""
    open_: Candidate | None = None
    for at, place, *cells in staged.execute("SELECT * FROM lines ORDER BY at, place"):
        values = COLUMNS.present(cells)
        if open_ is None or open_.at != at:
            if open_ is not None:
                yield open_
            open_ = Candidate(place, at, values)
            continue
        if any(open_.values.get(source, value) != value for source, value in values.items()):
            brought.refuse(Refused(place, f"line {open_.place} tells another value of the same time"))
            continue
        open_ = Candidate(open_.place, at, {**open_.values, **values})
    if open_ is not None:
        yield open_


def _counted(accepted: Iterable[Candidate], brought: Brought, verdict: Verdict) -> Iterator[Candidate]:
    """Yield readings, and note what they tell."""
    for one in accepted:
        brought.readings += 1
        brought.first = brought.first or one.at
        brought.last = one.at
        new = bool(verdict.swaps) and verdict.swaps[-1] == one.at
        for source, value in one.values.items():
            total = brought.totals.get(source)
            if total is None:
                brought.totals[source] = Total(value, value)
                continue
            total.counted += 0 if new else difference(source, total.last, value) or 0
            total.last = value
        yield one


def _kept(staged: sqlite3.Connection, taken: Iterable[Candidate]) -> Iterator[Shown]:
    """Write down what comes in, then yield it."""
    marks = ", ".join("?" * (1 + len(COLUMNS.keys)))
    rows = ([one.at, *COLUMNS.values(one.values)] for one in taken)
    staged.execute("BEGIN")
    staged.executemany(f"INSERT INTO taken VALUES ({marks})", rows)  # noqa: S608 - marks only
    staged.execute("COMMIT")
    return (Shown(at, COLUMNS.present(cells)) for at, *cells in staged.execute("SELECT * FROM taken ORDER BY at"))


def _find_gaps(connection: sqlite3.Connection, brought: Brought) -> None:
    """Note times without a reading that are more than twice as long as most."""
    steps = (
        "WITH steps AS (SELECT received AS since, lead(received) OVER (ORDER BY received) - received AS length"
        " FROM imported WHERE import = ?)"
    )
    middle = connection.execute(
        f"{steps} SELECT length FROM steps WHERE length IS NOT NULL ORDER BY length LIMIT 1 OFFSET ?",  # noqa: S608
        (brought.number, max(0, brought.readings - 1) // 2),
    ).fetchone()
    if middle is None:
        return
    most = 2 * int(middle[0])
    (brought.gap_count,) = connection.execute(
        f"{steps} SELECT count(*) FROM steps WHERE length > ?",  # noqa: S608
        (brought.number, most),
    ).fetchone()
    rows = connection.execute(
        f"{steps} SELECT since, since + length FROM steps WHERE length > ? ORDER BY length DESC LIMIT ?",  # noqa: S608
        (brought.number, most, _LONGEST_GAPS),
    )
    brought.gaps = sorted((since, until) for since, until in rows)
