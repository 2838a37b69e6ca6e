"""What the energy registers showed at certain moments: BT24-BT26, ET31 and ET41 (MEP guide v1.1 p. 104-105, 110-111, 211-214).

* BT24: when the season changed last; BT25: at the last demand reset. One copy of BT23 each.
* BT26: at the moments that the calendar sets (BT54), mostly the first of a month: *self reads*. A ring.
* ET31: when somebody asked for it (*one-time reads*); ET41: at each demand reset. Rings, sized by ET36.

A copy is laid out as BT23 was *at its moment*. After a reconfiguration the older copies of a ring do not fit the layout of now.
Where demands are configured, each entry of a ring holds the number of the billing interface (BIDN) that it was written under,
and ET42.8 tells that of now: only where both are the same is a copy decoded. The bytes are always there. Offsets printed for
BT26 (p. 214) hold only with this number, which is left out where there are no demands (p. 105 shows both).

Times are local (BT55) and have no seconds: in autumn two entries can have the same one. Their numbers say which is older.

This module does not know how a table is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from osgp.errors import TableError
from osgp.psem import EXTENDED
from osgp.sources import Source
from osgp.tables import registers
from osgp.tables.logs.ring import SHORT_HEADER, Entry, Ring
from osgp.tables.registers import BT23
from osgp.tables.schema.count import Count, count
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.parts import Filler, Group, counts_of
from osgp.tables.schema.table import Field, FieldList, Layout, Table
from osgp.tables.schema.types import STIME_DATE, UINT8, UINT16

__all__ = [
    "BT24",
    "BT25",
    "BT26",
    "ET31",
    "ET41",
    "RESET_REASONS",
    "SNAPSHOT_LOGS",
    "Snapshot",
    "decode_snapshot",
    "decode_snapshots",
    "snapshot_ring",
]

_SEASON: FieldList = (Field("time", STIME_DATE, note="local"), Field("season", UINT8))

BT24 = Table(24, "Previous Season Data", "211-212", (*_SEASON, *BT23.fields))
BT25 = Table(25, "Previous Demand Reset Data", "212", (*_SEASON, *BT23.fields))

_ENTRY: FieldList = (Field("bidn", UINT16, when=count("demands")), *_SEASON)
_RESET_ENTRY: FieldList = (
    Field("length", UINT16, unit="byte"),
    Field("reason", UINT8, note="0 scheduled, 1 procedure, 2 push button, 3 pending table"),
    Field("bidn", UINT16),
    *_SEASON,
)
RESET_REASONS = ("scheduled", "procedure", "push button", "pending table")
"""What brought about a demand reset (p. 111)."""


def _spare(head: FieldList, size: str, where: str) -> Filler:
    """Return what is left of the room that ET36 gives each entry of a log."""

    def left(dims: Dimensions) -> int | None:
        room: int | None = attrgetter(size)(dims)
        needed = Layout(head, dims).size + BT23.size(dims)
        if not room:
            return None if room is None else 0  # a log without a place needs no room
        if room < needed:
            raise TableError(
                f"{where} gives each entry {room} bytes, and a copy of the registers needs {needed}: the one or the other is "
                "of before a reconfiguration, or was read wrongly. Read both again"
            )
        return room - needed

    names = frozenset({size}) | {name for each in counts_of((*head, *BT23.fields)) for name in each.names}
    return Filler(Count(f"{where} - the fields before", left, names))


BT26 = Table(
    26,
    "Self-Read Data",
    "212-214",
    (*SHORT_HEADER.fields, Group("entries", (*_ENTRY, *BT23.fields), count("self_reads"))),
)
ET31 = Table(
    EXTENDED + 31,
    "Meter One-time-read Log",
    "104-105",
    (
        *SHORT_HEADER.fields,
        Group(
            "entries",
            (*_ENTRY, *BT23.fields, _spare(_ENTRY, "logs.one_time_read_size", "ET36.3")),
            count("logs.one_time_reads"),
        ),
    ),
)
ET41 = Table(
    EXTENDED + 41,
    "Historical Demand Reset Log",
    "110-111",
    (
        *SHORT_HEADER.fields,
        Group(
            "entries",
            (*_RESET_ENTRY, *BT23.fields, _spare(_RESET_ENTRY, "logs.demand_reset_size", "ET36.54")),
            count("logs.demand_resets"),
        ),
    ),
)

SNAPSHOT_LOGS: Mapping[str, FieldList] = {"BT26": _ENTRY, "ET31": _ENTRY, "ET41": _RESET_ENTRY}
"""The rings of copies, by table: what stands before the copy in an entry."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the registers showed at one moment."""

    table: str
    """Where it stands."""
    sequence: int | None
    """Its number; None in BT24 and BT25, which hold one only."""
    time: datetime | None
    """The meter's local time, without a zone and seconds; None where its clock was not set."""
    season: int
    values: Mapping[Source, int] | None
    """Raw, as :meth:`osgp.meter.Meter.registers` gives them; None if it cannot be told how the copy is laid out."""
    raw: bytes
    """The copy of BT23, whatever its layout, and what may follow it in the entry's room."""
    bidn: int | None = None
    """Number of the billing interface it was written under; None where the entry has none."""
    reason: int | None = None
    """ET41: what brought the reset about (:data:`RESET_REASONS`)."""


def snapshot_ring(dims: Dimensions, table: str = "BT26") -> Ring | None:
    """Return a ring of copies of such a meter; None if it has no place or nothing tells how many.

    Raises:
        TableError: no meter has such a log.
    """
    logs, least = dims.logs, _head(dims, table).size + BT23.size(dims)
    places, size = {
        "BT26": (dims.self_reads, least),
        "ET31": (logs.one_time_reads, logs.one_time_read_size),
        "ET41": (logs.demand_resets, logs.demand_reset_size),
    }[table]
    if not places or not size:
        return None
    if size < _head(dims, table).size:
        raise TableError(f"{table} would have entries of {size} bytes, too short for a time; read ET36 again")
    return Ring(table, SHORT_HEADER, places, size, dims.byte_order)


def decode_snapshots(entries: Iterable[Entry], dims: Dimensions, table: str = "BT26") -> list[Snapshot]:
    """Return entries of a ring as copies of the registers, in their order."""
    head, size = _head(dims, table), BT23.size(dims)
    found = []
    for entry in entries:
        one, raw = head.decode(entry.raw, 0), entry.raw[head.size :]
        bidn, length = one.get("bidn"), one.get("length")
        fits = len(raw) >= size and (bidn is None or bidn == dims.bidn)
        if length is not None:
            # The guide does not say whether a length counts itself.
            fits = fits and length in (head.size + size, head.size + size - UINT16.size)
        values = registers.decode(raw[:size], dims) if fits else None
        found.append(Snapshot(table, entry.sequence, one["time"], one["season"], values, raw, bidn, one.get("reason")))
    return found


def decode_snapshot(data: bytes, dims: Dimensions, table: str) -> Snapshot | None:
    """Return the copy that BT24 or BT25 holds; None if it was never made: then there is no time.

    Raises:
        TableError: the table is shorter than such a copy.
    """
    head, size = _head(dims, table), BT23.size(dims)
    if len(data) < head.size + size:
        raise TableError(f"{table} has {len(data)} bytes where {head.size + size} are right. Read it again")
    one, raw = head.decode(data, 0), data[head.size :]
    if one["time"] is None and not any(data):
        return None
    return Snapshot(table, None, one["time"], one["season"], registers.decode(raw[:size], dims), raw)


def _head(dims: Dimensions, table: str) -> Layout:
    layout = dims.cache.get(("snapshot", table))
    if not isinstance(layout, Layout):
        fields = SNAPSHOT_LOGS.get(table, _SEASON)
        layout = dims.cache["snapshot", table] = Layout(fields, dims)
    return layout
