"""The load profile of one data set: its channels, and the registers at the end of each interval.

When an interval ended follows from its slot: the header of a block tells when its newest one ended (MEP guide v1.1 p. 239), and
slots are equally far apart, left out or not. Daylight saving moves nothing, the profile is kept in standard time (p. 240);
nor does a day matter, for blocks of 18 hours begin at 00, 18, 12 and 06 o'clock (p. 30).

Left out are slots without a bit in the simple status, whose bytes are of an older round (p. 239); an interval that still waits
for the data of a device (ET21.91, p. 97); and, after the meter's clock was set back, slots that lie in its future until they are
recorded again.

This module does not know how blocks are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from osgp.errors import MisuseError, TableError
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.ring import RingState
from osgp.tables.load_profile.sizes import ProfileSizes
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags
from osgp.tables.schema.types import STIME_DATE

__all__ = [
    "BlockPart",
    "LoadProfile",
    "ProfileInterval",
    "ProfileMark",
    "ProfileSetup",
    "begin_of",
    "intervals_of",
    "minutes_of",
    "newest_slot",
]

_WHOLE_DAY = 84
"""Stands for 24 hours among the minutes of an interval, unless the profile follows ANSI C12.19 strictly (p. 97, 233, 235)."""
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class ProfileInterval:
    """One interval: what the registers showed when it ended."""

    end: datetime
    """UTC; whole minutes."""
    values: tuple[int | None, ...]
    """Of each channel, in its unit, but of devices as they sent it (:meth:`LoadProfile.readings`); None where the meter says that
    there is none."""
    status: tuple[ChannelStatus, ...]
    """Of each channel."""
    flags: IntervalFlags
    """Of all channels."""
    usable: tuple[bool, ...]
    """Of each channel: whether its value is the register at the end, of which differences may be taken."""


@dataclass(frozen=True, slots=True)
class ProfileMark:
    """How far a load profile was read, so that a later call reads only what is new. Opaque; keep it as :meth:`to_json` gives it."""

    meter: str
    """Serial number; "" where the meter tells none."""
    layout: str
    configuration: int | None
    """None for who may not read ET21."""
    sequence: int
    """Number of the newest block."""
    end: datetime | None
    """Of the newest interval that was given; None if there was none."""

    def to_json(self) -> str:
        """Return it as text."""
        end = None if self.end is None else self.end.isoformat()
        return json.dumps([self.meter, self.layout, self.configuration, self.sequence, end])

    @classmethod
    def from_json(cls, text: str) -> ProfileMark:
        """Return what :meth:`to_json` wrote.

        Raises:
            MisuseError: it did not write this.
        """
        try:
            meter, layout, configuration, sequence, end = json.loads(text)
            moment = None if end is None else datetime.fromisoformat(end)
        except (ValueError, TypeError, RecursionError) as error:
            raise MisuseError(f"this is no mark of a load profile: {text[:40]!r}") from error
        texts, numbers = (meter, layout), (sequence, 0 if configuration is None else configuration)
        if not all(isinstance(each, str) for each in texts) or not all(type(each) is int for each in numbers):
            raise MisuseError(f"this is no mark of a load profile: {text[:40]!r}")
        if moment is not None and moment.tzinfo is None:
            raise MisuseError("the time in this mark of a load profile has no time zone")
        return cls(meter, layout, configuration, sequence, moment)

    def of_same(self, other: ProfileMark) -> bool:
        """Tell whether both are of one meter and one configuration, as far as both know it."""
        unknown = self.configuration is None or other.configuration is None
        return (self.meter, self.layout) == (other.meter, other.layout) and (
            unknown or self.configuration == other.configuration
        )


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """What was read of one data set."""

    data_set: int
    """1 to 4."""
    minutes: int
    """Of an interval; 0 if the meter records nothing in this data set."""
    channels: tuple[ProfileChannel, ...]
    intervals: tuple[ProfileInterval, ...]
    """The oldest first. What the meter did not record is missing, as are intervals that it has not finished."""
    mark: ProfileMark

    def consumption(self, channel: int) -> Iterator[tuple[ProfileInterval, int | None]]:
        """Yield each interval with what a channel's register counted in it.

        None where that cannot be said: the interval before is missing, one of the two values is not usable, the channel is no
        register, or it fell for another reason than that it begins anew at its end.

        Args:
            channel: counted from 0.
        """
        length = timedelta(minutes=self.minutes)
        before: ProfileInterval | None = None
        for interval in self.intervals:
            counted = None
            if before is not None and interval.end - before.end == length:
                counted = _counted(self.channels[channel], before, interval, channel)
            yield interval, counted
            before = interval

    def readings(self, channel: int) -> Iterator[tuple[ProfileInterval, Decimal | None]]:
        """Yield each interval with what a device behind the meter showed then, in its channel's unit; None where there is no value.

        Args:
            channel: counted from 0.
        """
        described = self.channels[channel]
        for interval in self.intervals:
            yield interval, described.decoded(interval.values[channel])


def _counted(described: ProfileChannel, before: ProfileInterval, after: ProfileInterval, channel: int) -> int | None:
    earlier, later = before.values[channel], after.values[channel]
    if earlier is None or later is None or not (before.usable[channel] and after.usable[channel]):
        return None
    return described.consumed(earlier, later)


@dataclass(frozen=True, slots=True)
class ProfileSetup:
    """How a data set is configured."""

    data_set: int
    sizes: ProfileSizes
    minutes: int
    """0 if the meter records nothing in it."""
    channels: tuple[ProfileChannel, ...]

    @property
    def length(self) -> timedelta:
        """How long an interval is."""
        return timedelta(minutes=self.minutes)

    @property
    def block_length(self) -> timedelta:
        """How long a block is."""
        return self.length * self.sizes.intervals

    def mark(self, meter: str, state: RingState, end: datetime | None) -> ProfileMark:
        """Return the mark of a data set that was read so far."""
        ids = ",".join(str(channel.source_id) for channel in self.channels)
        layout = f"{self.data_set}: {self.sizes.blocks}x{self.sizes.intervals}x{self.minutes}: {ids}"
        return ProfileMark(meter, layout, state.configuration, state.sequence, end)


class BlockPart(NamedTuple):
    """What was read of a block: its header, and intervals from one slot on."""

    sequence: int
    header: bytes
    first: int
    """Slot of the first interval in :attr:`data`."""
    data: bytes


def minutes_of(told: int, *, ansi: bool) -> int:
    """Return how many minutes an interval has, as BT61 tells it (p. 97, 235)."""
    return _DAY_MINUTES if told == _WHOLE_DAY and not ansi else told


def newest_slot(sizes: ProfileSizes, header: bytes, state: RingState) -> int | None:
    """Return the slot whose end the header of the newest block tells: ET21.20, else the highest that was recorded.

    Raises:
        TableError: the header is shorter than it is.
    """
    recorded = sizes.recorded(header)
    if state.slot is not None and state.slot in recorded:
        return state.slot
    return max(recorded, default=None)


def begin_of(setup: ProfileSetup, header: bytes, newest: int | None) -> datetime | None:
    """Return when a block began, UTC; None if its header tells no time or it has no interval."""
    if newest is None or STIME_DATE.decode is None:
        return None
    end = STIME_DATE.decode(header[: STIME_DATE.size])
    return None if end is None else end.replace(tzinfo=UTC) - setup.length * (newest + 1)


def intervals_of(
    setup: ProfileSetup, parts: Iterable[BlockPart], state: RingState, *, since: datetime | None = None
) -> tuple[ProfileInterval, ...]:
    """Return the intervals of some blocks, the oldest first.

    Args:
        setup: how the data set is configured.
        parts: blocks, in any order.
        state: how far the data set had come when they were read; blocks that it no longer holds are left out.
        since: only intervals that ended then or later.

    Raises:
        TableError: a header is shorter than it is, or data do not consist of whole intervals.
    """
    decoder = _Decoder(setup)
    found: list[ProfileInterval] = []
    upto: datetime | None = None
    for part in sorted(
        (part for part in parts if state.holds(part.sequence)), key=lambda part: state.age(part.sequence)
    ):
        block = decoder.block(part, _limit(setup, part, state), state)
        # Where times overlap, because the clock was set back, the block that was recorded later is right.
        kept = [one for one in block if (since is None or one.end >= since) and (upto is None or one.end < upto)]
        if block:
            upto = block[0].end if upto is None else min(upto, block[0].end)
        found += reversed(kept)
    return tuple(reversed(found))


def _limit(setup: ProfileSetup, part: BlockPart, state: RingState) -> int:
    """Return the first slot of a block that must not be given out yet."""
    if part.sequence != state.sequence:
        return setup.sizes.intervals
    newest = newest_slot(setup.sizes, part.header, state)
    if newest is None:
        return 0
    if state.in_progress is None:
        # Without ET21 nobody says whether the newest one still waits for a device; the next one will show that it does not.
        return newest if any(channel.awaited for channel in setup.channels) else newest + 1
    if state.in_progress == 0:
        return newest + 1
    # The guide does not say whether this "number" (p. 97) counts from 0 or 1; 0 is none, so neither of the two is given out.
    return min(newest + 1, state.in_progress - 1)


class _Said(NamedTuple):
    """What the status bytes of an interval say."""

    flags: IntervalFlags
    status: tuple[ChannelStatus, ...]
    usable: tuple[bool, ...]
    plain: bool
    """All channels have values as they stand."""


class _Decoder:
    """Turns blocks of one data set into intervals."""

    def __init__(self, setup: ProfileSetup) -> None:
        self._setup = setup
        self._said: dict[bytes, _Said] = {}
        self._steps = tuple(channel.step for channel in setup.channels)
        self._scaled = any(step != 1 for step in self._steps)
        self._awaited = any(channel.awaited for channel in setup.channels)

    def block(self, part: BlockPart, limit: int, state: RingState) -> list[ProfileInterval]:
        """Return a block's intervals before a slot, in the order of time."""
        setup, sizes = self._setup, self._setup.sizes
        newest = part.sequence == state.sequence
        last = newest_slot(sizes, part.header, state) if newest else max(sizes.recorded(part.header), default=None)
        begin = begin_of(setup, part.header, last)
        if begin is None:
            return []
        recorded, length = set(sizes.recorded(part.header)), setup.length
        return [
            self._interval(begin + length * (slot + 1), *raw)
            for slot, raw in enumerate(sizes.unpack(part.data), part.first)
            if slot in recorded and slot < limit
        ]

    def _interval(self, end: datetime, status: bytes, *values: int) -> ProfileInterval:
        said = self._said.get(status)
        if said is None:
            said = self._said[status] = self._read_status(status)
        usable = said.usable
        if self._scaled:
            values = tuple(value * step for value, step in zip(values, self._steps, strict=True))
        kept: tuple[int | None, ...] = values
        if not said.plain or (self._awaited and 0 in values):
            kept = tuple(map(self._value, values, said.status, self._setup.channels))
            usable = tuple(good and value is not None for good, value in zip(usable, kept, strict=True))
        return ProfileInterval(end, kept, said.status, said.flags, usable)

    def _read_status(self, raw: bytes) -> _Said:
        common, *each_channel = self._setup.sizes.statuses(raw)
        status = tuple(map(ChannelStatus, each_channel))
        return _Said(
            IntervalFlags(common),
            status,
            tuple(each.usable for each in status),
            all(each.holds_value for each in status),
        )

    @staticmethod
    def _value(value: int, status: ChannelStatus, channel: ProfileChannel) -> int | None:
        """Return a value if it is one. A device that was not asked in this interval may read 0 without a status (p. 33)."""
        if not status.holds_value or (value == 0 and channel.awaited and status is ChannelStatus.OK):
            return None
        return value


def setup_of(
    bt61: Mapping[str, Any], data_set: int, channels: Sequence[ProfileChannel], sizes: ProfileSizes, *, ansi: bool
) -> ProfileSetup:
    """Return how a data set is configured.

    Raises:
        TableError: its intervals have no length.
    """
    told = bt61["data_sets"][data_set - 1]["interval_minutes"]
    if not told:
        raise TableError(
            "BT61 tells of a load profile whose intervals last no minute; it was read wrongly. Read it again"
        )
    return ProfileSetup(data_set, sizes, minutes_of(told, ansi=ansi), tuple(channels))
