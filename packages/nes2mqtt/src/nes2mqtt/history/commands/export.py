"""The command ``nes2mqtt export``.

This module does not know tables or file formats.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nes2mqtt.history.database.migrations import migrate
from nes2mqtt.history.database.snapshot import snapshot
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.export import Format, What, export
from nes2mqtt.history.tables.journal import Journal
from nes2mqtt.history.tables.rollups import Rollups
from nes2mqtt.history.tables.rows import stamp

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["copy_up_to_date", "run_export"]


def run_export(
    database: Path, zone: ZoneInfo, *, begin: str, end: str, out: Path, kind: Format, what: What, meter: str
) -> int:
    """Export what the options of ``nes2mqtt export`` ask for; return the number of rows.

    Args:
        database: the gateway's history.
        zone: for times without an offset, and for local times in the file.
        begin: ``--from``.
        end: ``--to``; empty for now.
        out: ``--out``.
        kind: ``--format``.
        what: ``--what``.
        meter: ``--meter``; empty for all.

    Raises:
        HistoryError: the text says what is wrong and what to do.
    """
    start = _moment(begin, zone)
    until = _moment(end, zone) if end else datetime.now(UTC)
    if until <= start:
        raise HistoryError("--to is not after --from; swap them")
    with tempfile.TemporaryDirectory(prefix="nes2mqtt-export-") as folder:
        copy = copy_up_to_date(database, Path(folder))
        try:
            return export(copy, out, what=what, start=start, end=until, zone=zone, kind=kind, meter=meter or None)
        except OSError as error:
            raise HistoryError(f"{out} cannot be written: {error.strerror}") from error
        except sqlite3.Error as error:
            raise HistoryError(f"{database} cannot be read: {error}") from error


def copy_up_to_date(database: Path, folder: Path) -> Path:
    """Copy the history into a folder, and roll up there what the gateway committed and has not rolled up: it does so hourly.

    Raises:
        HistoryError: it cannot be copied or read; the text says what to do.
    """
    copy = snapshot(database, folder)
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            migrate(connection)
            Rollups(Journal(connection)).flush(stamp(datetime.now(UTC)))
    except sqlite3.Error as error:
        raise HistoryError(f"{database} cannot be read: {error}") from error
    return copy


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise HistoryError(f"'{text}' is no time; write 2026-11-01, 2026-11-01T06:00 or 2026-11-01T06:00Z") from error
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
