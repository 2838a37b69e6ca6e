"""Times as files have them: with an offset, as seconds since 1970, or as local times.

A local time that came twice, when the clocks were put back, is settled by the order of the lines: where the times go back there, the
second hour begins. Where they do not, nobody knows which hour it was, and the line is refused. A local time that never came, when
the clocks were put forward, is refused.

Nothing here knows a file, nor what time it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.lines import Line, Refused

__all__ = ["NotATime", "descending", "settled", "time_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1971, 2199
# Ten digits and thirteen are times since 2001; with fewer, 240131143000 would be one.
_SECONDS = re.compile(r"\d{10}(\.\d+)?", re.ASCII)
_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)
_LONGEST = 64
_MOST_TWICE = 20_000
"""Lines of an hour that came twice that wait for its end: more than one a second."""
_FORMATS = tuple(
    f"{day}{clock}"
    for day in ("%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%y")
    for clock in (" %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", "")
)
"""Tried in this order, where the time is not written as ISO 8601 says."""


class NotATime(HistoryError):
    """The text is for the owner, and goes on after "line 7: "."""


def time_of(text: str, form: str = "") -> datetime:
    """Return the time that a cell tells: aware if it says of which zone it is, else naive.

    Args:
        text: the cell.
        form: how it is written, as Python's ``strptime`` takes it; tried as people write it if left out.

    Raises:
        NotATime: it is none.
    """
    cell = text.strip().strip("\"'").strip()
    if len(cell) > _LONGEST:
        raise NotATime(f"'{cell[:40]}...' is no time")
    found = _time_in(cell, form)
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise NotATime(f"'{cell[:40]}' is of a year in which there were no such meters")
    return found


def _time_in(cell: str, form: str) -> datetime:
    if form:
        try:
            return datetime.strptime(cell, form)  # noqa: DTZ007 - a local time is naive here
        except (ValueError, re.error):  # the second if something is in the form twice
            raise NotATime(f"'{cell[:40]}' is no time of the form {form}") from None
    if _SECONDS.fullmatch(cell):
        return _EPOCH + timedelta(seconds=float(cell))
    if _MILLISECONDS.fullmatch(cell):
        return _EPOCH + timedelta(milliseconds=int(cell))
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        pass
    for known in _FORMATS:
        try:
            return datetime.strptime(cell, known)  # noqa: DTZ007
        except ValueError:
            continue
    raise NotATime(
        f"'{cell[:40]}' is no time; write 2024-01-31 14:30 or 31.01.2024 14:30, or say how with --time-format"
    )


def descending(times: Iterable[datetime]) -> bool:
    """Tell whether lines go from new to old."""
    up = down = 0
    for earlier, later in pairwise(time.replace(tzinfo=None) for time in times):
        up += later > earlier
        down += later < earlier
    return down > up


def settled(lines: Iterable[Line | Refused], zone: ZoneInfo, *, back: bool) -> Iterator[Line | Refused]:
    """Yield each line with a time in UTC, or why it has none.

    Args:
        lines: in the order of the file.
        zone: of times without an offset.
        back: whether the file goes from new to old.
    """
    twice: list[Line] = []
    hopeless: date | None = None
    for line in lines:
        if isinstance(line, Refused):
            yield line
            continue
        if line.time.tzinfo is not None:
            yield replace(line, time=line.time.astimezone(UTC))
            continue
        first, second = (line.time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            yield from _hours_of(twice, zone, back=back)
            twice = []
            yield replace(line, time=first.astimezone(UTC))
        elif first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != line.time:
            yield Refused(
                line.place,
                f"{line.time:%Y-%m-%d %H:%M} never came in {zone}: the clocks were put forward over it. If the file has times in UTC, "
                "add --zone UTC",
            )
        else:
            if twice and twice[-1].time.date() != line.time.date():
                yield from _hours_of(twice, zone, back=back)
                twice = []
            if line.time.date() == hopeless:
                yield _unknown(line, zone)
                continue
            twice.append(line)
            if len(twice) > _MOST_TWICE:
                hopeless = line.time.date()
                yield from (_unknown(one, zone) for one in twice)
                twice = []
    yield from _hours_of(twice, zone, back=back)


def _hours_of(lines: Sequence[Line], zone: ZoneInfo, *, back: bool) -> Iterator[Line | Refused]:
    """Tell of lines of the hour that came twice which of the two it was."""
    turns = [
        place
        for place, (earlier, later) in enumerate(pairwise(lines), start=1)
        if (later.time >= earlier.time if back else later.time <= earlier.time)
    ]
    if len(turns) != 1:
        yield from (_unknown(line, zone) for line in lines)
        return
    for place, line in enumerate(lines):
        fold = int((place >= turns[0]) != back)
        yield replace(line, time=line.time.replace(tzinfo=zone, fold=fold).astimezone(UTC))


def _unknown(line: Line, zone: ZoneInfo) -> Refused:
    return Refused(
        line.place,
        f"{line.time:%Y-%m-%d %H:%M} came twice in {zone}, when the clocks were put back, and the order of the lines does not tell which "
        "of the two it is",
    )
