"""Which values have a column: the one list from which tables are made, filled, rolled up and copied.

A column of values has the name of its source (:mod:`osgp.sources`) and holds the meter's own integer; NULL is
"absent". The lists tell which version of the schema brought a column. What was published stays as it is: a new
column is a new entry, under a new version, with a step of that version in
:mod:`nes2mqtt.history.database.migrations`.

This module does not know the database; it makes the text of statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from nes2mqtt.history.tables.levels import LEVELS

__all__ = [
    "AVERAGED",
    "AVERAGED_AS",
    "COUNTED",
    "FILLED_READINGS",
    "FORMS",
    "IMPORTED_MOVES",
    "IMPORTED_READINGS",
    "IMPORTED_STEPS",
    "LAST_REGISTERS",
    "PARTS",
    "PRESENT",
    "PRESENT_VALUES",
    "REGISTERS",
    "REGISTER_READINGS",
    "ROLLUPS",
    "Form",
    "keys_of",
]

PARTS = "abc"
"""Parts of ``registers``, ``present`` and ``blocks``, used in turn. When it is old enough, the oldest is emptied as a whole
and used next: emptying a table frees its pages without writing them, deleting the same rows would write each again."""

Brought = Mapping[int, tuple[str, ...]]
"""Keys of sources, by the version of the schema that brought their columns."""

_TARIFFS = range(1, 5)

REGISTERS: Brought = {
    1: (
        "active_energy_import",
        "active_energy_export",
        "reactive_energy_import",
        "reactive_energy_export",
        "outage_duration",
        "outage_count",
        "active_energy_sum",
        "active_energy_net",
        "pulse_count_1",
        "pulse_count_2",
        "error_count",
        *(f"{energy}_energy_q{quadrant}" for energy in ("reactive", "apparent") for quadrant in range(1, 5)),
        *(
            f"{energy}_t{tariff}"
            for tariff in _TARIFFS
            for energy in (
                "active_energy_import",
                "active_energy_export",
                "reactive_energy_import",
                "reactive_energy_export",
                "active_energy_sum",
                "active_energy_net",
            )
        ),
    )
}
"""Registers that have a column; all others go as JSON into ``other``."""

PRESENT: Brought = {
    1: (
        "active_power_import",
        "active_power_export",
        "reactive_power_import",
        "reactive_power_export",
        "voltage_l1",
        "voltage_l2",
        "voltage_l3",
        "current_l1",
        "current_l2",
        "current_l3",
        "active_power_import_l1",
        "active_power_import_l2",
        "active_power_import_l3",
        "active_power_export_l1",
        "active_power_export_l2",
        "active_power_export_l3",
        "power_factor_l1",
        "power_factor_l2",
        "power_factor_l3",
        "frequency",
        "apparent_power",
        "reactive_power_import_l1",
        "reactive_power_import_l2",
        "reactive_power_import_l3",
        "reactive_power_export_l1",
        "reactive_power_export_l2",
        "reactive_power_export_l3",
        "current_neutral",
        "voltage_angle_l1_l2",
        "voltage_angle_l2_l3",
        "voltage_angle_l3_l1",
    )
}
"""Present values that are kept, in blocks (and in columns, before there were blocks); others are not."""

COUNTED: Brought = {
    2: (
        "active_energy_import",
        "active_energy_export",
        "reactive_energy_import",
        "reactive_energy_export",
        *(f"{energy}_t{tariff}" for tariff in _TARIFFS for energy in ("active_energy_import", "active_energy_export")),
        "pulse_count_1",
        "pulse_count_2",
    )
}
"""Registers whose differences are rolled up. The order is that of the columns of an export."""

AVERAGED: Brought = {
    2: (
        "active_power_import",
        "active_power_export",
        "reactive_power_import",
        "reactive_power_export",
        "apparent_power",
        "voltage_l1",
        "voltage_l2",
        "voltage_l3",
        "current_l1",
        "current_l2",
        "current_l3",
        "active_power_import_l1",
        "active_power_import_l2",
        "active_power_import_l3",
        "active_power_export_l1",
        "active_power_export_l2",
        "active_power_export_l3",
        "power_factor_l1",
        "power_factor_l2",
        "power_factor_l3",
        "frequency",
    )
}
"""Present values that are rolled up, each as :data:`AVERAGED_AS`. The order is that of the columns of an export."""

AVERAGED_AS = ("avg", "min", "max")


def keys_of(brought: Brought, version: int | None = None) -> tuple[str, ...]:
    """Return the keys of a list, as far as a version of the schema has them; all without one."""
    return tuple(
        chain.from_iterable(keys for since, keys in sorted(brought.items()) if version is None or since <= version)
    )


@dataclass(frozen=True, slots=True)
class Form:
    """Tables that are all alike.

    Args:
        tables: their names.
        since: the version of the schema that brought them.
        head: name and declaration of each column that holds no value of the meter.
        values: keys of the values, and the endings with which each has a column; no ending for a column of its own name.
    """

    tables: tuple[str, ...]
    since: int
    head: Mapping[str, str]
    values: tuple[tuple[Brought, tuple[str, ...]], ...]

    @property
    def stored(self) -> tuple[str, ...]:
        """The columns that are written: all but those that SQLite works out from others."""
        head = (name for name, declared in self.head.items() if not declared.endswith("VIRTUAL"))
        return (*head, *self._value_columns(lambda _: True))

    def made(self, version: int) -> Iterator[str]:
        """Yield the statements that a version of the schema needs: new tables, or new columns of earlier ones."""
        if version == self.since:
            values = (f"{name} INTEGER" for name in self._value_columns(lambda since: since <= version))
            declared = ",\n    ".join((*(f"{name} {declared}" for name, declared in self.head.items()), *values))
            yield from (f"CREATE TABLE {table} (\n    {declared}\n)" for table in self.tables)
        elif version > self.since:
            for name in self._value_columns(lambda since: since == version):
                yield from (f"ALTER TABLE {table} ADD COLUMN {name} INTEGER" for table in self.tables)

    def _value_columns(self, wanted: Callable[[int], bool]) -> Iterator[str]:
        for brought, endings in self.values:
            for since, keys in sorted(brought.items()):
                if wanted(since):
                    yield from (f"{key}_{ending}" if ending else key for key in keys for ending in endings)


_PLAIN = ("",)

REGISTER_READINGS = Form(
    (*(f"registers_{part}" for part in PARTS), "registers_kept"),
    1,
    {
        "seq": "INTEGER PRIMARY KEY",
        "meter": "INTEGER NOT NULL",
        "received": "INTEGER NOT NULL",
        "segment": "INTEGER NOT NULL",
        "meter_time": "INTEGER",
        "behind": "",
        "other": "TEXT",
    },
    ((REGISTERS, _PLAIN),),
)
"""Register readings in the order in which they were committed; in ``registers_kept``, of parts that were emptied, the last
of each quarter of an hour. ``seq`` grows for ever and is never used twice; outboxes count by it. ``behind``: by how
many numbers each outbox was behind, in order, blanks between. There is no index besides ``seq``: an index would double the
pages written by each commit. Table "hours" finds a time, the writer keeps doubles out."""

LAST_REGISTERS = Form(
    ("heads",),
    2,
    {
        "meter": "INTEGER PRIMARY KEY",
        "seq": "INTEGER NOT NULL",
        "received": "INTEGER NOT NULL",
        "segment": "INTEGER NOT NULL",
        "meter_time": "INTEGER",
        "behind": "",
        "other": "TEXT",
    },
    ((REGISTERS, _PLAIN),),
)
"""What each meter's registers showed last, as of the reading numbered state "rolled_seq": where roll-ups go on after a
restart."""

PRESENT_VALUES = Form(
    tuple(f"present_{part}" for part in PARTS),
    1,
    {
        "at": "INTEGER PRIMARY KEY",
        "meter": "INTEGER AS (at & 65535) VIRTUAL",
        "received": "INTEGER AS (at >> 16) VIRTUAL",
    },
    ((PRESENT, _PLAIN),),
)
"""Present values as programs before version 3 wrote them. ``at`` is the time (ms) * 65536 + meter: one b-tree, appended to,
is all there was to write."""

ROLLUPS = Form(
    tuple(level.table for level in LEVELS),
    2,
    {
        "at": "INTEGER PRIMARY KEY",
        "meter": "INTEGER AS (at & 65535) VIRTUAL",
        "start": "INTEGER AS (at >> 16) VIRTUAL",
        "samples": "INTEGER NOT NULL",
        "energy_from": "INTEGER",
        "energy_to": "INTEGER",
    },
    ((COUNTED, _PLAIN), (AVERAGED, AVERAGED_AS)),
)
"""Of a meter and a bucket (UTC): the energy its registers counted, from the reading at ``energy_from`` (ms) to that at
``energy_to``, and average, lowest and highest of ``samples`` present values. ``at`` is the start of the bucket (ms) *
65536 + meter. Energies are differences of readings of one segment, booked to the bucket of the later reading."""

FILLED_READINGS = Form(
    ("filled",),
    4,
    {
        "number": "INTEGER PRIMARY KEY",
        "meter": "INTEGER NOT NULL",
        "received": "INTEGER NOT NULL",
        "since": "INTEGER NOT NULL",
        "segment": "INTEGER NOT NULL",
        "other": "TEXT",
    },
    ((REGISTERS, _PLAIN),),
)
"""What registers showed while this program did not read them, from the meter's load profile: ``received`` is the end of an
interval (ms), ``since`` the reading before it. They have no ``seq``: they came late and are not what was read then.
``number`` grows in the order in which they were filled in."""

IMPORTED_READINGS = Form(
    ("imported",),
    6,
    {
        "number": "INTEGER PRIMARY KEY",
        "import": "INTEGER NOT NULL",
        "meter": "INTEGER NOT NULL",
        "received": "INTEGER NOT NULL",
    },
    ((COUNTED, _PLAIN),),
)
"""What registers showed when this program did not read them, from a file or by hand; ``import`` says from which."""

IMPORTED_STEPS = Form(
    ("imported_steps",),
    6,
    {
        "number": "INTEGER PRIMARY KEY",
        "meter": "INTEGER NOT NULL",
        "level": "INTEGER NOT NULL",
        "start": "INTEGER NOT NULL",
        "alone": "INTEGER NOT NULL",
        "energy_from": "INTEGER NOT NULL",
        "energy_to": "INTEGER NOT NULL",
    },
    ((COUNTED, _PLAIN),),
)
"""What was counted between imported readings: in a bucket (its start, ms) of ``level`` (its length, ms), or, if ``alone`` is 1, in
one step that is longer than such a bucket. Made anew from the readings by each import and each one that is taken back."""

IMPORTED_MOVES = Form(
    ("imported_moves",),
    6,
    {
        "number": "INTEGER PRIMARY KEY",
        "meter": "INTEGER NOT NULL",
        "began": "INTEGER NOT NULL",
        "last": "INTEGER NOT NULL",
        "ended": "INTEGER NOT NULL",
        "unplaced": "TEXT NOT NULL",
    },
    ((COUNTED, _PLAIN),),
)
"""Of a gap between two readings of this program (``began``, ``ended``) with imported readings in it (``last``): what is taken off the
bucket in which the meter was heard again, because it stands in ``imported_steps``; keys of registers of which nobody knows it."""

FORMS = (
    REGISTER_READINGS,
    PRESENT_VALUES,
    ROLLUPS,
    LAST_REGISTERS,
    FILLED_READINGS,
    IMPORTED_READINGS,
    IMPORTED_STEPS,
    IMPORTED_MOVES,
)
