"""The command ``nes2mqtt import``: old readings into the history, each import marked and taken back whole.

Without ``--apply`` it is tried on a copy, also while the gateway runs. Writing needs a stopped gateway: no other program can open its
history (:mod:`nes2mqtt.history.database.connection`).

This module does not know formats of files, nor what may be believed.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nes2mqtt.history.commands.export import copy_up_to_date
from nes2mqtt.history.database.connection import open_writer, transaction
from nes2mqtt.history.database.migrations import migrate
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.bringing import Asked, Brought, bring
from nes2mqtt.history.importing.csv_file import CsvFile, Wanted
from nes2mqtt.history.importing.homeassistant import HomeAssistant, is_database
from nes2mqtt.history.importing.judge import Swap
from nes2mqtt.history.importing.telling import differences, list_of, tell
from nes2mqtt.history.importing.times import NotATime, time_of
from nes2mqtt.history.importing.titles import NAMES
from nes2mqtt.history.importing.totals import Totals
from nes2mqtt.history.queries.imported import imports
from nes2mqtt.history.tables.columns import COUNTED, keys_of
from nes2mqtt.history.tables.imported import Import, count_anew, needs_swaps_of, take_back
from nes2mqtt.history.tables.rows import stamp

__all__ = ["Order", "list_imports", "printable", "run_import", "undo_import"]

T = TypeVar("T")

_NEVER = 1 << 62
"""No import has so high a number."""
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class Order:
    """What the options of ``nes2mqtt import`` ask for; the names are theirs.

    Args:
        file: the file; None with ``totals``.
        meter: its id; empty if the history knows one only.
        columns: ``NAME=COLUMN`` each.
        times: titles of columns of times.
        time_format: how times are written.
        unit: of columns that tell none.
        zone: of times without an offset; empty for the gateway's.
        swaps: when the meter was exchanged.
        totals: registers by hand, by the key of the register.
        begin: ``--from``.
        end: ``--to``.
        apply: whether to write.
    """

    file: Path | None = None
    meter: str = ""
    columns: Sequence[str] = ()
    times: Sequence[str] = ()
    time_format: str = ""
    unit: str = ""
    zone: str = ""
    swaps: Sequence[str] = ()
    totals: Mapping[str, Sequence[str]] = field(default_factory=dict)
    begin: str = ""
    end: str = ""
    apply: bool = False


def run_import(database: Path, zone: ZoneInfo, order: Order, now: datetime) -> list[str]:
    """Do an import, or try it on a copy; return what to say of it.

    Args:
        database: the gateway's history.
        zone: the gateway's.
        order: what is asked for.
        now: UTC.

    Raises:
        HistoryError: nothing was changed; the text says why and what to do.
    """
    theirs = _zone(order.zone) if order.zone else zone
    source, kind, name = _source(order)
    swaps = [_swap(text, theirs) for text in order.swaps]
    begin = _moment(order.begin, "--from", theirs) if order.begin else 0
    end = _moment(order.end, "--to", theirs) if order.end else 1 << 62

    def work(connection: sqlite3.Connection) -> tuple[Brought, str]:
        number, meter = _meter(connection, order.meter)
        asked = Asked(Import(number, stamp(now), kind, name), theirs, zone, swaps, begin, end)
        brought = bring(connection, source, asked)
        if brought.verdict.differ:
            raise HistoryError(differences(brought, zone))
        return brought, meter

    brought, meter = _written(database, work) if order.apply else _tried(database, work)
    told = list(tell(brought, name, source.columns, zone, meter))
    if not brought.readings:
        told.append("Nothing was changed.")
    elif order.apply:
        told.append(f"It is in the history now, as import {brought.number}. To take it back: --undo {brought.number}")
    else:
        told.append("This was a trial; nothing was changed. To bring it in, stop the gateway and add --apply")
    return told


def list_imports(database: Path, zone: ZoneInfo) -> list[str]:
    """Return what was imported, a line each.

    Raises:
        HistoryError: the history cannot be read.
    """
    return _tried(database, lambda connection: list(list_of(imports(connection), zone)))


def undo_import(database: Path, number: int) -> str:
    """Take an import back whole; return what to say of it.

    Raises:
        HistoryError: nothing was changed; the text says why and what to do.
    """

    def work(connection: sqlite3.Connection) -> str:
        known = min(number, _NEVER)
        found = connection.execute("SELECT meter, name, readings FROM imports WHERE import = ?", (known,)).fetchone()
        if found is None:
            raise HistoryError(f"there is no import {number}; nes2mqtt import --list tells which there are")
        needing = needs_swaps_of(connection, number)
        if needing is not None:
            raise HistoryError(
                f"import {needing} has readings of an earlier meter, and import {number} told when that was exchanged. Without it energy "
                f"would be counted across the exchange, so nothing was changed. Take import {needing} back first (--undo {needing}); you "
                "can import it again with --swap"
            )
        take_back(connection, number)
        count_anew(connection, int(found[0]))
        return f"Import {number} ({found[1]}, {found[2]} readings) is taken back; the history is as if it had never been there."

    return _written(database, work)


def printable(text: str) -> str:
    """Return what a file or its name tells as it can be shown and kept: without letters that steer a terminal or are none."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _source(order: Order) -> tuple[CsvFile | HomeAssistant | Totals, str, str]:
    """Return where readings come from, what kind of source that is, and its name."""
    totals = {key: written for key, written in order.totals.items() if written}
    if totals:
        if order.file is not None:
            raise HistoryError("totals by hand and a file are two imports; make one after the other")
        return Totals(totals, order.unit), "totals", "totals by hand"
    if order.file is None:
        raise HistoryError("name the file to import, or write totals by hand: --total 2024-01-01=12345.6")
    try:
        there = order.file.is_file()
    except (OSError, ValueError):  # no file can have such a name
        there = False
    if not there:
        raise HistoryError(f"there is no file {order.file}")
    name = printable(order.file.name)
    wanted = Wanted(_columns(order.columns), order.times, order.time_format, order.unit)
    if is_database(order.file):
        return HomeAssistant(order.file, wanted), "homeassistant", name
    return CsvFile(order.file, wanted), "csv", name


def _columns(written: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in written:
        name, equals, column = text.partition("=")
        key = NAMES.get(name.strip(), name.strip())
        if not equals or not column.strip() or key not in keys_of(COUNTED):
            raise HistoryError(
                f"--column {text}: write NAME=COLUMN, such as import='Meter reading'. Names are {', '.join(NAMES)}, and "
                f"{', '.join(key for key in keys_of(COUNTED) if key not in NAMES.values())}"
            )
        found[key] = column.strip()
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise HistoryError(f"--zone {name}: there is no such time zone; write UTC or Europe/Copenhagen") from error


def _moment(text: str, option: str, zone: ZoneInfo) -> int:
    try:
        time = time_of(text)
    except NotATime as error:
        raise HistoryError(f"{option}: {error}") from error
    return stamp((time.replace(tzinfo=zone) if time.tzinfo is None else time).astimezone(UTC))


def _swap(text: str, zone: ZoneInfo) -> Swap:
    """Return when a meter was exchanged: on a day, or at a moment."""
    begin = _moment(text, "--swap", zone)
    if ":" in text:
        return Swap(begin, begin, text)
    return Swap(begin, stamp((time_of(text) + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)), text)


def _meter(connection: sqlite3.Connection, wanted: str) -> tuple[int, str]:
    """Return number and id of a meter that this program has read: its registers tell whether old ones lead to them."""
    meters: dict[str, int] = {
        str(name): int(number) for number, name in connection.execute("SELECT meter, id FROM meters")
    }
    read = [
        name
        for name, number in meters.items()
        if connection.execute("SELECT 1 FROM registers WHERE meter = ? LIMIT 1", (number,)).fetchone()
    ]
    if wanted in read:
        return meters[wanted], wanted
    if not wanted and len(read) == 1:
        return meters[read[0]], read[0]
    if not read:
        raise HistoryError(
            "this history has no reading of a meter yet. Let the gateway read the meter for ten minutes, then import: what its registers "
            "show proves that the old readings are of the same meter"
        )
    what = f"the history has no reading of meter '{wanted}'" if wanted else "say which meter it is of with --meter"
    raise HistoryError(f"{what}; it has readings of: {', '.join(read)}")


def _tried(database: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    with tempfile.TemporaryDirectory(prefix="nes2mqtt-import-") as folder:
        copy = copy_up_to_date(database, Path(folder))
        opened = closing(sqlite3.connect(copy, isolation_level=None))
        with _explained(database), opened as connection, transaction(connection):
            return work(connection)


def _written(database: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    if not database.is_file():
        raise HistoryError(f"there is no history at {database}; is [history] path or data_dir another one?")
    with _explained(database), closing(open_writer(database)) as connection:
        migrate(connection)
        with transaction(connection):
            return work(connection)


@contextmanager
def _explained(database: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _BUSY:
            raise HistoryError(
                f"the gateway runs and has {database} open; nothing was changed. Stop it first (sudo systemctl stop nes2mqtt), import, and "
                "start it again: it misses nothing, as the meter counts on"
            ) from error
        raise HistoryError(f"{database} cannot be written: {error}. Nothing was changed") from error
