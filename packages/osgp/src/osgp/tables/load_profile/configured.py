"""How the load profile is configured: its dimensions, and the sources of its channels (BT60, BT61, BT62, ET66).

Pages are those of the MEP guide v1.1: BT60 p. 231-233, BT61 p. 233-235, BT62 p. 235-236, ET66 p. 173. The "Optical Port
Programmer's Guide" (v1.1, June 2021) prints BT61 and BT62 too, p. 31-34.

BT62 is as long as BT61 says: each data set has three bytes for each of its channels and one for the format, and four more for
each channel if bits 6-9 of BT61.4 say that the set has scalars and divisors (p. 236). Until BT61 was read, nothing of it is
known.

ET66 is printed as four arrays of 16 words, yet found by the mapped source id alone, at twice its distance from 112 (p. 173); of
its 64 words the 52 of ids 112-163 can be meant.

This module does not know what a source id stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from osgp.psem import EXTENDED
from osgp.tables.schema.count import Count, count
from osgp.tables.schema.dimensions import SETS, Dimensions
from osgp.tables.schema.parts import Bit, Bits, Field, Filler, Group
from osgp.tables.schema.table import Table
from osgp.tables.schema.types import UINT8, UINT16, UINT32

__all__ = ["BT60", "BT61", "BT62", "ET66", "FIRST_MAPPED", "MAPPED_IDS", "MOST_CHANNELS", "channels_of_set", "of_set"]

MOST_CHANNELS = 16
"""BT60.11 (p. 233)."""
FIRST_MAPPED = 112
MAPPED_IDS = range(FIRST_MAPPED, 164)
"""Source ids that are keys of ET66 (p. 31, 173, 205)."""

_EACH_SET = count("load_profile_sets")

_FLAGS = Bits(
    UINT16,
    (
        *(Bit(f"set_{number}_inhibit_overflow", number - 1) for number in SETS),
        Bit("end_readings", 4),
        Bit("end_pulses", 5),
        *(Bit(f"set_{number}_scalars", 5 + number) for number in SETS),
        Bit("extended_interval_status", 10),
        Bit("simple_interval_status", 11),
    ),
)
_FORMATS = Bits(
    UINT8,
    (
        Bit("uint8", 0),
        Bit("uint16", 1),
        Bit("uint32", 2),
        Bit("int8", 3),
        Bit("int16", 4),
        Bit("int32", 5),
        Bit("ni_fmat1", 6),
        Bit("ni_fmat2", 7),
    ),
)
_DATA_SETS = Group(
    "data_sets",
    (
        Field("blocks", UINT16),
        Field("intervals", UINT16, note="in a block"),
        Field("channels", UINT8),
        Field("interval_minutes", UINT8, unit="min", note="84: 24 hours"),
    ),
    _EACH_SET,
)

BT60 = Table(
    60,
    "Dimension Load Profile",
    "231-233",
    (Field("memory_length", UINT32, unit="byte"), _FLAGS, _FORMATS, _DATA_SETS),
    note="Each number is the largest if the others allow it; together they are no configuration.",
)

BT61 = Table(
    61,
    "Actual Load Profile",
    "233-235",
    (Field("memory_length", UINT32, unit="byte"), _FLAGS, _FORMATS, _DATA_SETS),
)


_NAMES = frozenset(
    {"profile_channels", "profile_blocks", "profile_intervals", "profile_end_readings", "profile_scalars"}
)
_FIRST_SET, _SET_SIZE = 7, 6
"""Of BT61: where the first data set stands, and how many bytes each has."""


def of_set(number: int, field: int, values: Callable[[Dimensions], Sequence[int] | None]) -> Count:
    """Return a number that BT61 tells of a data set, 0 of one that the meter does not have.

    Args:
        number: of the data set, 1 to 4.
        field: where it stands among the data set's bytes.
        values: what is known of all data sets.
    """

    def of(dims: Dimensions) -> int | None:
        told = values(dims)
        if dims.profile_channels is None or told is None:
            return None
        return told[number - 1] if number <= len(told) else 0

    return Count(f"BT61.{_FIRST_SET + _SET_SIZE * (number - 1) + field}", of, _NAMES)


def channels_of_set(number: int) -> Count:
    """Return how many channels a data set has (BT61.11)."""
    return of_set(number, 4, lambda dims: dims.profile_channels)


def _there(number: int) -> Count:
    """Return whether the meter has a data set."""
    return of_set(number, 4, lambda dims: (1,) * len(dims.profile_channels or ()))


def _scaled(number: int) -> Count:
    """Return for how many channels a data set has scalars."""
    channels, place = channels_of_set(number), number - 1
    text = f"{channels.text} if BT61.4.{6 + place}"
    return Count(text, lambda dims: channels.of(dims) if place in dims.profile_scalars else 0, _NAMES)


def _control(number: int) -> tuple[Group | Field, ...]:
    there, channels, scaled = _there(number), channels_of_set(number), _scaled(number)
    return (
        Group(
            f"set_{number}_channels",
            (
                Bits(UINT8, (Bit("end_reading", 0),)),
                Field("source", UINT8, note="112-163: see ET66"),
                Field("end_reading_source", UINT8),
            ),
            channels,
            when=there,
        ),
        Field(f"set_{number}_format", UINT8, when=there, note="32: INT32, the register at the interval's end"),
        Field(f"set_{number}_scalars", UINT16, count=scaled, when=there),
        Field(f"set_{number}_divisors", UINT16, count=scaled, when=there),
    )


BT62 = Table(
    62,
    "Load Profile Control",
    "235-236",
    tuple(part for number in SETS for part in _control(number)),
    note="Its layout is known once BT61 or ET42 was read.",
)

ET66 = Table(
    EXTENDED + 66,
    "Load Profile Source ID Mapping",
    "173",
    (
        Field("extended_sources", UINT16, count=len(MAPPED_IDS), note="of ids 112 to 163"),
        Filler(2 * (len(SETS) * MOST_CHANNELS - len(MAPPED_IDS))),
    ),
)
