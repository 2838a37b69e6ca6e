"""What came of an import, in sentences.

This module does not decide anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from nes2mqtt.history.importing.bringing import Brought
from nes2mqtt.history.queries.imported import ImportedSoFar
from nes2mqtt.history.tables.rows import moment
from osgp.sources import Source

__all__ = ["differences", "list_of", "tell"]

_DAY = 86_400_000


def tell(brought: Brought, what: str, columns: str, zone: ZoneInfo, meter: str) -> Iterator[str]:
    """Yield what an import would bring, or brought.

    Args:
        brought: what came of it.
        what: the file.
        columns: what was taken from it.
        zone: in which times are told.
        meter: its id.
    """
    yield f"{what}: {brought.lines} lines with a reading; {columns}"
    if brought.readings:
        days = -(-(brought.last - brought.first) // _DAY)
        yield (
            f"Of meter {meter}, {_count(brought.readings, 'reading')} in {_count(days, 'day')}, from {_time(brought.first, zone)} to "
            f"{_time(brought.last, zone)} ({zone}), at most one for each quarter of an hour:"
        )
        for source, total in brought.totals.items():
            yield (
                f"  {source.key}: {_shown(source, total.first)} to {_shown(source, total.last)}, counted {_shown(source, total.counted)}"
            )
    else:
        yield f"None of it would be new in the history of meter {meter}."
    yield from (f"  the meter was exchanged before {_time(at, zone)}" for at in brought.verdict.swaps)
    yield from (f"  a register began again at 0 before {_time(at, zone)}" for at in brought.verdict.rollovers)
    if brought.gap_count:
        yield f"Gaps: {brought.gap_count}; the longest:"
        yield from (f"  {_time(since, zone)} to {_time(until, zone)}" for since, until in brought.gaps)
    yield from _not_taken(brought)


def _not_taken(brought: Brought) -> Iterator[str]:
    verdict = brought.verdict
    if verdict.agree:
        yield f"Not taken, as the history has it: {verdict.agree}; they agree with it."
    if verdict.closed:
        yield (
            f"Not taken: {verdict.closed} in gaps that the meter's load profile filled, or in which the meter was exchanged while this "
            "program ran, or whose readings the history has lost and whose energy it still has."
        )
    if verdict.late:
        yield f"Not taken: {verdict.late} of after the last reading of this program."
    if brought.refused_count:
        yield f"Lines that are not taken: {brought.refused_count}"
        yield from (f"  line {one.place}: {one.reason}" for one in brought.refused)
        if brought.refused_count > len(brought.refused):
            yield f"  and {brought.refused_count - len(brought.refused)} more"


def differences(brought: Brought, zone: ZoneInfo) -> str:
    """Return what does not agree with the history, and what to do."""
    verdict = brought.verdict
    listed = "; ".join(
        f"line {one.place} ({_time(one.at, zone)}): {one.source.key} is {_shown(one.source, one.value)}, and "
        f"the history has {_shown(one.source, one.low)} to {_shown(one.source, one.high)}"
        for one in verdict.differences
    )
    return (
        f"{_count(verdict.differ, 'reading')} of times that the history knows {'does' if verdict.differ == 1 else 'do'} not agree with it, so "
        f"nothing was taken: {listed}. Is it another meter (--meter), another time zone (--zone), or another unit (--unit)? To take only "
        "what comes before, add --to with a date"
    )


def list_of(imports: list[ImportedSoFar], zone: ZoneInfo) -> Iterator[str]:
    """Yield the imports that are in the history."""
    for one in imports:
        times = " to ".join(_time(at, zone) for at in (one.first, one.last))
        yield (
            f"{one.number}: {one.name} ({one.kind}), meter {one.meter}, {_count(one.readings, 'reading')}, {times}, imported "
            f"{_time(one.made, zone)}"
        )
    if not imports:
        yield "nothing was imported"


def _time(at: int, zone: ZoneInfo) -> str:
    return f"{moment(at).astimezone(zone):%Y-%m-%d %H:%M}"


def _shown(source: Source, value: int) -> str:
    if source.unit in {"kWh", "kvarh"}:
        return f"{value / 1000:.3f} {source.unit}"
    return f"{source.scaled(value)} {source.unit or ''}".strip()


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
