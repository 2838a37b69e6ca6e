"""A load profile as a table, a plot, rows for files, and a document for scripts.

People get local time; files and scripts get UTC, in which the meter keeps the profile. What the meter did not record is a gap, never
a zero.

This module does not know how a profile is read, nor terminals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from osgp.cli.text.measured_values import value_text
from osgp.cli.text.screen import BLOCKS
from osgp.cli.text.terminal import columns
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

__all__ = [
    "decimal_titles",
    "gap_count",
    "plot_lines",
    "profile_document",
    "profile_rows",
    "profile_titles",
    "table_lines",
]

_GAP = " "
_NOTHING = "·"
"""An interval that was recorded and of which nothing can be said, or not without the one before."""
_DAY_MINUTES = 24 * 60
_PLAIN = str.maketrans({"³": "3", "°": "", "/": "_per_", "%": "percent"})
"""For titles: letters and digits that every program takes."""
_UNMARKED = IntervalFlags.DAYLIGHT_SAVING
"""Flags that say nothing of the values."""

Consumption = dict[int, dict[datetime, int | None]]
"""What each register counted, by channel and the interval's end."""


def _consumption(profile: LoadProfile) -> Consumption:
    """Return what each channel that is a register counted in each interval."""
    return {
        place: {interval.end: counted for interval, counted in profile.consumption(place)}
        for place, channel in enumerate(profile.channels)
        if channel.counts
    }


def gap_count(profile: LoadProfile) -> int:
    """Return how many intervals are missing between the first and the last."""
    if not profile.intervals:
        return 0
    span = profile.intervals[-1].end - profile.intervals[0].end
    return int(span / timedelta(minutes=profile.minutes)) + 1 - len(profile.intervals)


def _words(mark: IntervalFlags | ChannelStatus) -> str:
    if isinstance(mark, ChannelStatus):
        return mark.name.lower()
    return " ".join(str(flag.name).lower() for flag in IntervalFlags if flag in mark)


# -- a table ------------------------------------------------------------------------------------------


def table_lines(profile: LoadProfile, zone: tzinfo | None = None) -> list[str]:
    """Return one line for each interval, and one for each gap, in local time or that of a zone."""
    counted = _consumption(profile)
    head = ["End"]
    for place, channel in enumerate(profile.channels):
        head += [channel.label, "in it"] if place in counted else [channel.label]
    rows, before = [head, []], None
    for interval in profile.intervals:
        if before is not None and interval.end - before > timedelta(minutes=profile.minutes):
            missing = int((interval.end - before) / timedelta(minutes=profile.minutes)) - 1
            rows.append([f"({missing} not recorded)"])
        cells = [f"{interval.end.astimezone(zone):%Y-%m-%d %H:%M}"]
        for place, channel in enumerate(profile.channels):
            cells.append(_value(channel, interval.values[place]))
            if place in counted:
                cells.append(_value(channel, counted[place][interval.end]))
        rows.append([*cells, _marks(interval)])
        before = interval.end
    return columns(rows, right=range(1, len(head)))


def _value(channel: ProfileChannel, value: int | None) -> str:
    if value is None:
        return "-"
    if channel.source is not None:
        return value_text(channel.source, value)
    told = channel.decoded(value)
    if told is not None:
        return f"{told:,} {channel.unit}".rstrip()
    # What a device sent and nobody can decode is no number to show as if it were one.
    return "-" if channel.of_device is not None and channel.of_device.key else str(value)


def _marks(interval: ProfileInterval) -> str:
    marks = [_words(interval.flags & ~_UNMARKED), *dict.fromkeys(_words(one) for one in interval.status if one)]
    return ", ".join(filter(None, marks)).replace("_", " ")


# -- a plot -------------------------------------------------------------------------------------------


def plot_lines(profile: LoadProfile, room: int, zone: tzinfo | None = None) -> list[str]:
    """Return for each register that counted something one line of blocks for each day, with what the day came to.

    A block is as high as the power in its time, against the highest of all days. A blank is a gap.
    """
    lines: list[str] = []
    for place, counted in _consumption(profile).items():
        channel = profile.channels[place]
        days = _days(counted, profile.minutes, zone)
        if channel.source is None or not any(value for values in days.values() for value in values.values()):
            continue
        slots = max(_DAY_MINUTES // profile.minutes, 1)
        together = max(-(-slots // max(room - len("2026-01-01  ") - 16, 1)), 1)
        bins = {day: list(_bins(values, slots, together)) for day, values in days.items()}
        top = max((value for each in bins.values() for value in each if value is not None), default=0)
        rows: list[list[str]] = []
        for day, values in days.items():
            bar = "".join(_block(bins[day], at, values, together, top) for at in range(len(bins[day])))
            known = [value for value in values.values() if value is not None]
            if not rows and not known and len(values) < slots:
                continue  # of the first interval nothing can be said, and it alone is no day
            mark = "" if len(known) == slots else "+"
            rows.append([str(day), bar, value_text(channel.source, sum(known)) + mark if known else "-"])
        scale = value_text(channel.source, top) if top else ""
        span = timedelta(minutes=profile.minutes * together)
        lines += ["", f"{channel.label}: a full block is {scale} in {_span(span)}", *columns(rows, right=(2,))]
    return lines[1:]


def _days(counted: dict[datetime, int | None], minutes: int, zone: tzinfo | None) -> dict[date, dict[int, int | None]]:
    """Return by day and place in the day what was counted; an interval is of the day in which it began."""
    days: dict[date, dict[int, int | None]] = {}
    for end, value in counted.items():
        begin = (end - timedelta(minutes=minutes)).astimezone(zone)
        place = (begin.hour * 60 + begin.minute) // minutes
        day = days.setdefault(begin.date(), {})
        earlier = day.get(place)
        # The hour that comes twice in autumn has one place.
        day[place] = value if earlier is None else earlier if value is None else earlier + value
    return days


def _bins(values: dict[int, int | None], slots: int, together: int) -> Iterator[int | None]:
    for first in range(0, slots, together):
        known = [value for at in range(first, first + together) if (value := values.get(at)) is not None]
        yield sum(known) if known else None


def _block(bins: Sequence[int | None], at: int, values: dict[int, int | None], together: int, top: int) -> str:
    value = bins[at]
    if value is None:
        recorded = any(place in values for place in range(at * together, (at + 1) * together))
        return _NOTHING if recorded else _GAP
    return BLOCKS[min(max(value, 0) * len(BLOCKS) // top, len(BLOCKS) - 1)] if top else BLOCKS[0]


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


# -- files and scripts ----------------------------------------------------------------------------------


def profile_titles(profile: LoadProfile) -> list[str]:
    """Return the titles of the columns of :func:`profile_rows`: each channel's value, what it counted, and its status."""
    titles = ["end"]
    for name, channel in zip(_names(profile), profile.channels, strict=True):
        titles += [_titled(name, channel), *([_titled(f"{name}_counted", channel)] if channel.counts else [])]
        titles.append(f"{name}_status")
    return [*titles, "flags"]


def decimal_titles(profile: LoadProfile) -> frozenset[str]:
    """Return the titles of those columns of :func:`profile_rows` that hold decimal numbers: what devices showed."""
    named = zip(_names(profile), profile.channels, strict=True)
    return frozenset(_titled(name, channel) for name, channel in named if _is_decoded(channel))


def _titled(name: str, channel: ProfileChannel) -> str:
    unit = channel.unit.lower().translate(_PLAIN)
    return f"{name}_{unit}" if unit else name


def _is_decoded(channel: ProfileChannel) -> bool:
    return channel.of_device is not None and bool(channel.of_device.key)


def _names(profile: LoadProfile) -> list[str]:
    """Return a name for each channel; a second one of the same source is numbered."""
    names: list[str] = []
    for channel in profile.channels:
        name = _key(channel)
        again = sum(1 for one in names if one == name or one.startswith(f"{name}_again_"))
        names.append(f"{name}_again_{again}" if again else name)
    return names


def _key(channel: ProfileChannel) -> str:
    if channel.source is not None:
        return channel.source.key
    device = channel.of_device
    if device is None or not device.key:
        return f"source_{channel.source_id}"
    kind = "".join(letter if letter.isalnum() else " " for letter in device.kind)
    return "_".join((*kind.split(), *filter(None, (device.serial, device.key))))


def profile_rows(profile: LoadProfile) -> Iterator[list[Any]]:
    """Yield for each interval its end (aware, UTC), raw values (None where there is none), and words."""
    counted = _consumption(profile)
    for interval in profile.intervals:
        row: list[Any] = [interval.end]
        for place, channel in enumerate(profile.channels):
            value = interval.values[place]
            row.append(channel.decoded(value) if _is_decoded(channel) else value)
            if channel.counts:
                row.append(counted[place][interval.end])
            row.append(_words(interval.status[place]))
        yield [*row, _words(interval.flags)]


def profile_document(profile: LoadProfile) -> dict[str, Any]:
    """Return the profile for scripts."""
    counted = _consumption(profile)
    return {
        "data_set": profile.data_set,
        "minutes": profile.minutes,
        "channels": [
            {
                "key": None if channel.source is None else channel.source.key,
                "source_id": channel.source_id,
                "label": channel.label,
                "unit": channel.unit,
                "device": _device(channel),
            }
            for channel in profile.channels
        ],
        "intervals": [
            {
                "end": interval.end.isoformat().replace("+00:00", "Z"),
                "values": [
                    _number(channel, value) for channel, value in zip(profile.channels, interval.values, strict=True)
                ],
                "counted": [
                    counted[place][interval.end] if place in counted else None for place in range(len(profile.channels))
                ],
                "status": [_words(one) for one in interval.status],
                "flags": _words(interval.flags).split(),
            }
            for interval in profile.intervals
        ],
        "mark": profile.mark.to_json(),
    }


def _device(channel: ProfileChannel) -> dict[str, Any] | None:
    if channel.device is None:
        return None
    place, data_type = channel.device
    told = channel.of_device
    return {
        "place": place + 1,
        "data_type": data_type,
        "kind": told.kind or None if told else None,
        "serial": told.serial or None if told else None,
        "manufacturer": told.manufacturer or None if told else None,
        "key": told.key or None if told else None,
    }


def _number(channel: ProfileChannel, value: int | None) -> int | float | None:
    """Return a value for scripts: what a device showed, not the bytes it sent."""
    if not _is_decoded(channel):
        return value
    told = channel.decoded(value)
    if told is None:
        return None
    return int(told) if told == told.to_integral_value() else float(told)
