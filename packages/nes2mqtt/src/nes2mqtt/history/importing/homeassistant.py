"""Old readings from the database of Home Assistant's recorder: its long-term statistics, one an hour, kept for ever.

``state`` is what the meter's register showed at the end of the hour that begins at ``start_ts``. Databases of before 2023 have
``start`` as text in its place. The file is only read.

This module does not know what may be believed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.amounts import UNITS, NotANumber, amount
from nes2mqtt.history.importing.csv_file import Wanted
from nes2mqtt.history.importing.lines import Line, Refused
from osgp.sources import SOURCES, Source

__all__ = ["HomeAssistant", "is_database"]

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 10
"""Wh: statistics are rounded numbers of sensors."""


def is_database(path: Path) -> bool:
    """Tell whether a file is a database of SQLite."""
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError as error:
        raise HistoryError(f"{path} cannot be read: {error.strerror}") from error


class HomeAssistant:
    """The statistics of some sensors.

    Args:
        path: the database.
        wanted: which statistic is which register, and the unit of those that have none.

    Raises:
        HistoryError: it cannot be read, or has no such statistic; the text says what to do.
    """

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.path = path
        self._statistics: dict[int, tuple[Source, str]] = {}
        self._names: list[str] = []
        for number, name, unit in self._ask(
            "SELECT id, statistic_id, unit_of_measurement FROM statistics_meta WHERE has_sum ORDER BY statistic_id"
        ):
            self._names.append(str(name))
            for key, statistic in wanted.columns.items():
                if statistic == name:
                    known = str(unit or wanted.unit)
                    if known.lower() not in UNITS:
                        raise HistoryError(
                            f"{name} is in {known or 'no unit'}, and a register in Wh, kWh or MWh is wanted"
                        )
                    self._statistics[int(number)] = SOURCES[key], known
        missing = set(wanted.columns.values()) - set(self._names)
        if missing or not wanted.columns:
            there = ", ".join(self._names) or "none"
            what = (
                f"it has no statistic {', '.join(sorted(missing))}"
                if missing
                else "say which statistic is which register"
            )
            raise HistoryError(
                f"{path.name} is a database of Home Assistant; {what}, such as --column import=sensor.meter_import. "
                f"Those that count are: {there}"
            )
        self.titled: frozenset[Source] = frozenset(source for source, _ in self._statistics.values())

    @property
    def columns(self) -> str:
        """Return what is taken, in words."""
        return ", ".join(f"{source.key} ({unit})" for source, unit in self._statistics.values())

    def __iter__(self) -> Iterator[Line | Refused]:
        """Yield what each hour tells, in order of time.

        Raises:
            HistoryError: the file cannot be read further.
        """
        has = {str(row[1]) for row in self._ask("PRAGMA table_info(statistics)")}
        time = "start_ts" if "start_ts" in has else "NULL"
        old = "start" if "start" in has else "NULL"
        marks = ", ".join("?" * len(self._statistics))
        query = (
            f"SELECT id, metadata_id, {time}, {old}, state FROM statistics WHERE metadata_id IN ({marks})"  # noqa: S608 - names of two columns
            f" AND state IS NOT NULL ORDER BY coalesce({time}, {old}), id"
        )
        for number, statistic, seconds, text, state in self._ask(query, *self._statistics):
            source, unit = self._statistics[statistic]
            try:
                begin = _EPOCH + timedelta(seconds=seconds) if seconds is not None else _utc(str(text))
                found = amount(str(Decimal(repr(float(state)))), unit)
            except (NotANumber, ValueError, ArithmeticError) as error:
                yield Refused(number, f"{error}")
                continue
            if found is not None:
                values: Mapping[Source, int] = {source: found[0]}
                yield Line(number, begin + _HOUR, values, _STEP)

    def _ask(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                yield from connection.execute(query, values)
        except sqlite3.Error as error:
            raise HistoryError(
                f"{self.path} cannot be read as a database of Home Assistant: {error}. If Home Assistant runs, copy the file while it "
                "is stopped, or from a backup, and import the copy"
            ) from error


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
