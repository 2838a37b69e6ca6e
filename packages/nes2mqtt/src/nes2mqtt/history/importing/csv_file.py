"""Old readings from a CSV file: columns by their titles, or by what the owner says of them.

A line is looked at while it is read; a file of years needs no more memory than one of a day.

This module does not know what may be believed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.amounts import UNITS, WRITTEN, NotANumber, amount, unit_in
from nes2mqtt.history.importing.lines import Line, Refused
from nes2mqtt.history.importing.times import NotATime, time_of
from nes2mqtt.history.importing.titles import AMOUNTS, TIMES, normal, register_named, sum_of_tariffs
from osgp.sources import SOURCES, Source

__all__ = ["CsvFile", "Wanted"]

_LOOKED_AT = 64 * 1024
"""Bytes by which the encoding is told."""
_LONGEST_LINE = 1 << 20
_MOST_LINES = 1000
"""Lines that a row of cells in quotation marks may have."""
_DELIMITERS = ";\t,|"
_STATES = ("entity_id", "state", "last_changed")
"""Titles of Home Assistant's own export of states."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the owner says of a file.

    Args:
        columns: title (or number, from 1) of a column, or the id of a statistic or an entity, by the key of its register.
        times: titles or numbers of the columns that tell the time, put together with a blank; found by their titles if empty.
        time_format: how times are written; as people write them if empty.
        unit: of columns whose title tells none.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    times: Sequence[str] = ()
    time_format: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Column:
    place: int
    source: Source
    unit: str


class CsvFile:
    """A CSV file of registers.

    Args:
        path: the file.
        wanted: what its owner says of it.

    Raises:
        HistoryError: it cannot be read, or nobody can tell which columns it has; the text says what to do.
    """

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.path = path
        self._wanted = wanted
        self._encoding = _encoding(path)
        self._delimiter, titles = self._head()
        self._states = tuple(normal(title) for title in titles[:3]) == _STATES
        if self._states:
            self._entities = {entity: SOURCES[key] for key, entity in wanted.columns.items()}
            if not self._entities:
                raise HistoryError(
                    f"{path.name} is an export of Home Assistant's states. Say which entity is which register, such as "
                    "--column import=sensor.meter_import"
                )
            self._unit = _known_unit(wanted.unit, "the states")
            self._times: list[int] = [2]
            self._columns: list[_Column] = []
        else:
            self._times = self._time_columns(titles)
            self._columns = self._value_columns(titles)
        self.titled = frozenset(column.source for column in self._columns)

    @property
    def columns(self) -> str:
        """Return which columns are taken, in words."""
        if self._states:
            return ", ".join(f"{source.key} from {entity}" for entity, source in self._entities.items())
        return ", ".join(f"{one.source.key} from column {one.place + 1} ({one.unit})" for one in self._columns)

    def __iter__(self) -> Iterator[Line | Refused]:
        """Yield what each line tells; lines without any register are passed over.

        Raises:
            HistoryError: the file cannot be read further.
        """
        for place, cells in self._cells():
            if self._states and cells[0].strip() not in self._entities:
                continue
            try:
                line = self._line(place, cells)
            except (NotATime, NotANumber) as error:
                yield Refused(place, str(error))
            except IndexError:
                yield Refused(place, f"it has {len(cells)} columns, too few")
            else:
                if line is not None:
                    yield line

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        try:
            with self.path.open(encoding=self._encoding, errors="replace", newline="") as file:
                ended = 0

                def lines() -> Iterator[str]:
                    for number, text in enumerate(_lines(file, self.path), start=1):
                        if number - ended > _MOST_LINES:
                            raise HistoryError(
                                f"{self.path.name}: the row that begins in line {ended + 1} does not end; a quotation mark may be missing"
                            )
                        yield text

                reader = csv.reader(lines(), delimiter=self._delimiter)
                first = True
                for cells in reader:
                    ended = reader.line_num
                    if not cells or not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                        continue
                    if not (first and self._is_titles(cells)):
                        yield reader.line_num, cells
                    first = False
        except OSError as error:
            raise HistoryError(f"{self.path} cannot be read: {error.strerror}") from error
        except csv.Error as error:
            raise HistoryError(f"{self.path}, line {reader.line_num}: this is no CSV ({error})") from error

    def _is_titles(self, cells: Sequence[str]) -> bool:
        try:
            self._time(cells)
        except (NotATime, IndexError):
            return True
        return False

    def _time(self, cells: Sequence[str]) -> str:
        text = " ".join(cells[place].strip() for place in self._times)
        time_of(text, self._wanted.time_format)
        return text

    def _line(self, place: int, cells: Sequence[str]) -> Line | None:
        values: dict[Source, int] = {}
        steps = [1]
        columns = [_Column(1, self._entities[cells[0].strip()], self._unit)] if self._states else self._columns
        for column in columns:
            found = amount(cells[column.place], column.unit)
            if found is not None:
                values[column.source], step = found
                steps.append(step)
        if not values:
            return None
        time = time_of(" ".join(cells[at].strip() for at in self._times), self._wanted.time_format)
        return Line(place, time, sum_of_tariffs(values, self.titled), max(steps))

    def _head(self) -> tuple[str, list[str]]:
        """Return what stands between columns, and the cells of the first line."""
        try:
            with self.path.open(encoding=self._encoding, errors="replace", newline="") as file:
                lines = (line for line in _lines(file, self.path) if line.strip() and not line.lstrip().startswith("#"))
                first = next(lines, None)
        except OSError as error:
            raise HistoryError(f"{self.path} cannot be read: {error.strerror}") from error
        if first is None:
            raise HistoryError(f"{self.path} is empty")
        delimiter = max(_DELIMITERS, key=first.count)
        if first.count(";"):  # then commas are decimal ones
            delimiter = ";"
        try:
            return delimiter, next(csv.reader([first], delimiter=delimiter))
        except csv.Error as error:
            raise HistoryError(f"{self.path}: this is no CSV ({error})") from error

    def _time_columns(self, titles: Sequence[str]) -> list[int]:
        if self._wanted.times:
            return [self._place(titles, name, "--time-column") for name in self._wanted.times]
        there = [normal(title) for title in titles]
        for known in TIMES:
            if known in there:
                return [there.index(known)]
        raise HistoryError(
            f"which column of {self.path.name} has the time cannot be told. Name it, such as --time-column "
            f"'{titles[0].strip()}'; its columns are: {_listed(titles)}"
        )

    def _value_columns(self, titles: Sequence[str]) -> list[_Column]:
        found: list[_Column] = []
        for key, name in self._wanted.columns.items():
            place = self._place(titles, name, "--column")
            unit = unit_in(titles[place]) or self._wanted.unit
            found.append(_Column(place, SOURCES[key], _known_unit(unit, f"column '{titles[place].strip()}'")))
        if found:
            return found
        for place, title in enumerate(titles):
            known = register_named(title)
            if known is not None and known[0] not in {one.source for one in found}:
                unit = unit_in(title) or known[1] or self._wanted.unit
                found.append(_Column(place, known[0], _known_unit(unit, f"column '{title.strip()}'")))
        if found:
            return found
        why = ""
        if any(normal(title) in AMOUNTS for title in titles):
            why = (
                " It may tell what was used in each hour or day; only what the meter's register shows can be imported."
            )
        raise HistoryError(
            f"which column of {self.path.name} has the meter's register cannot be told.{why} Name it, such as --column "
            f"import='{titles[-1].strip()}'; its columns are: {_listed(titles)}"
        )

    def _place(self, titles: Sequence[str], name: str, option: str) -> int:
        """Return where a column is, by its title or its number."""
        for place, title in enumerate(titles):
            if name.strip() == title.strip() or normal(name) == normal(title) != "":
                return place
        if name.isdecimal() and 1 <= int(name) <= len(titles):
            return int(name) - 1
        raise HistoryError(f"{option}: {self.path.name} has no column '{name}'; its columns are: {_listed(titles)}")


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    number = 0
    while text := file.readline(_LONGEST_LINE):
        number += 1
        if len(text) == _LONGEST_LINE and not text.endswith(("\n", "\r")):
            raise HistoryError(
                f"{path.name}: line {number} is longer than a million characters; this is no CSV of readings"
            )
        yield text


def _known_unit(unit: str, what: str) -> str:
    if unit.lower() not in UNITS:
        raise HistoryError(f"the unit of {what} cannot be told; add --unit kWh or --unit Wh")
    return WRITTEN[unit.lower()]


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(title.strip()[:40] for title in titles[:30])


def _encoding(path: Path) -> str:
    """Return how a file's letters are written: UTF-8, UTF-16 or, as old programs of Western Europe do, Windows-1252."""
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError as error:
        raise HistoryError(f"{path} cannot be read: {error.strerror}") from error
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        start[: -4 if len(start) == _LOOKED_AT else None].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end < len(start) - 4:
            return "cp1252"
    return "utf-8-sig"
