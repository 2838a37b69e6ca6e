"""Power outages: the log ET81 (MEP guide v1.1 p. 185-186) and the records of ET09 (p. 69-70), put together.

ET81, from firmware 3.70 on, has the begin and the end of each outage in *local* time, as many as ET36 says; the default is none
(p. 109). ET09 has the ten or so newest (ET04.53) in UTC, with their length and their cause. An outage that stands in both is one.

Local times alone do not tell how long an outage lasted: each autumn an hour comes twice. With a time zone, begin and end in
UTC are those that can be; where several can be, none is given.

ET09 tells the length in seconds. The registers of firmware 2.0 count outages in minutes (Optical guide v1.1 p. 25), and whether
that holds for ET09 is not said: for that firmware the length is worked out from begin and end.

This module does not know how a table is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from osgp.errors import TableError
from osgp.psem import EXTENDED
from osgp.tables.logs.ring import SHORT_HEADER, Entry, Ring
from osgp.tables.schema.count import count
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Field, Group, Layout, Table
from osgp.tables.schema.types import LTIME_DATE

__all__ = ["CAUSES", "ET81", "Outage", "decode_outages", "in_zone", "outage_ring", "put_together", "recorded"]

_ENTRY = (Field("begin", LTIME_DATE, note="local"), Field("end", LTIME_DATE, note="local"))
_ENTRY_SIZE = 2 * LTIME_DATE.size

ET81 = Table(
    EXTENDED + 81,
    "Power Outage Log",
    "185-186",
    (*SHORT_HEADER.fields, Group("entries", _ENTRY, count("logs.outages"))),
)

CAUSES: Mapping[int, str] = {3: "power failure", 8: "brown-out"}
"""Why the meter started anew (ET09, p. 70)."""

_COUNTS_MINUTES = (2, 0)
_QUARTER = timedelta(minutes=15)
_OFFSETS = (timedelta(hours=-12), timedelta(hours=16))
"""By which local times differ from UTC, with two hours of daylight saving (BT53, p. 225: -12 to +14 hours without)."""
_MOST_SAVING = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage. What is not known is None."""

    begin: datetime | None = None
    """UTC, as is :attr:`end`."""
    end: datetime | None = None
    seconds: int | None = None
    """How long it lasted."""
    local_begin: datetime | None = None
    """By the meter's local time (ET81), without a zone; as is :attr:`local_end`."""
    local_end: datetime | None = None
    cause: int | None = None
    """By ET09: see :data:`CAUSES`."""
    sequence: int | None = None
    """Its number in ET81."""


def outage_ring(dims: Dimensions) -> Ring | None:
    """Return the outage log of such a meter; None if it has no place or nothing tells how many.

    Raises:
        TableError: no meter has such a log.
    """
    logs = dims.logs
    if not logs.outages:
        return None
    if logs.outage_size != _ENTRY_SIZE:
        raise TableError(
            f"ET81 would have entries of {logs.outage_size} bytes where {_ENTRY_SIZE} are right; read ET36 again"
        )
    return Ring("ET81", SHORT_HEADER, logs.outages, _ENTRY_SIZE, dims.byte_order)


def decode_outages(entries: Iterable[Entry], dims: Dimensions) -> list[Outage]:
    """Return entries of ET81 as outages, in their order."""
    layout = dims.cache.get("outage")
    if not isinstance(layout, Layout):
        layout = dims.cache["outage"] = Layout(_ENTRY, dims)
    decoded = ((entry.sequence, layout.decode(entry.raw, 0)) for entry in entries)
    return [Outage(local_begin=one["begin"], local_end=one["end"], sequence=number) for number, one in decoded]


def recorded(records: Iterable[Mapping[str, Any]], dims: Dimensions) -> list[Outage]:
    """Return the outages of ET09, the newest first.

    Args:
        records: of ET09, decoded, without unused ones, which are all zero.
        dims: the meter's.
    """
    found = []
    for one in records:
        begin, end, seconds = one["power_off"], one["power_on"], one["duration"]
        if dims.firmware == _COUNTS_MINUTES:
            seconds = None if begin is None or end is None or end < begin else int((end - begin).total_seconds())
        found.append(Outage(begin, end, seconds, cause=one["cause"]))
    return found


def in_zone(outage: Outage, zone: tzinfo | None) -> Outage:
    """Return an outage with begin, end and length in UTC, if its local times leave no choice in this zone."""
    if zone is None or outage.begin is not None or outage.local_begin is None or outage.local_end is None:
        return outage
    ends = _readings(outage.local_end, zone)
    possible = [(begin, end) for begin in _readings(outage.local_begin, zone) for end in ends if begin <= end]
    if len(possible) != 1:
        return outage
    ((begin, end),) = possible
    return replace(outage, begin=begin, end=end, seconds=int((end - begin).total_seconds()))


def put_together(logged: Sequence[Outage], known: Sequence[Outage], new: int) -> list[Outage]:
    """Return the outages of ET81 and ET09, the newest first, each once.

    Args:
        logged: of ET81, the newest first.
        known: of ET09, the newest first.
        new: how many of these are wanted even if ET81 does not have them: the newest.
    """
    left = list(enumerate(known))
    joined: list[Outage] = []
    for outage in logged:
        match = next((place for place, (_, one) in enumerate(left) if _same(outage, one)), None)
        if match is None:
            joined.append(outage)
        else:
            _, one = left.pop(match)
            joined.append(
                replace(one, local_begin=outage.local_begin, local_end=outage.local_end, sequence=outage.sequence)
            )
    return list(_merged(joined, [one for number, one in left if number < new]))


def _same(logged: Outage, known: Outage) -> bool:
    """Tell whether local times and UTC can be those of one outage: they differ by whole quarters of an hour."""
    if None in (logged.local_begin, logged.local_end, known.begin, known.end):
        return False
    begin, end = _offset(logged.local_begin, known.begin), _offset(logged.local_end, known.end)
    return begin is not None and end is not None and abs(begin - end) <= _MOST_SAVING


def _offset(local: datetime | None, utc: datetime | None) -> timedelta | None:
    assert local is not None and utc is not None  # noqa: S101, PT018 - the caller has looked
    offset = local.replace(tzinfo=UTC) - utc
    return offset if _OFFSETS[0] <= offset <= _OFFSETS[1] and not offset % _QUARTER else None


def _merged(logged: Sequence[Outage], other: Sequence[Outage]) -> Iterator[Outage]:
    """Give both, the newest first, by what is known of their times; those of the log keep their order."""
    waiting = list(other)
    for outage in logged:
        moment = outage.begin or (outage.local_begin and outage.local_begin.replace(tzinfo=UTC))
        while waiting and moment is not None and (begin := waiting[0].begin) is not None and begin > moment:
            yield waiting.pop(0)
        yield outage
    yield from waiting


def _readings(local: datetime, zone: tzinfo) -> list[datetime]:
    """Return what a local time can be in UTC: two times in the hour that comes twice, none in the one that is left out."""
    moments = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(moment for moment in moments if moment.astimezone(zone).replace(tzinfo=None, fold=0) == local)
