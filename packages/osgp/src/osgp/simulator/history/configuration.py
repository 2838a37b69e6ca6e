"""How a simulated meter is configured: its load profile data sets, and which firmware it has.

A grid company configures them anew with EP11 or EP52: the data sets become empty and get other dimensions (MEP guide v1.1
p. 30, 65). Pages are those of that guide.

This module does not know what is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

from osgp.simulator.household import DAY
from osgp.tables.load_profile import ProfileSizes

__all__ = ["DATA_SETS", "FIRMWARE", "FIRMWARES", "OTHER_DATA_SETS", "DataSet", "Version"]

Version = tuple[int, int, int]
"""Firmware: major, minor, build."""

FIRMWARE: Version = (3, 82, 5)
"""Of the made-up meter, unless something else is said: the third generation, as installed in Denmark."""

FIRMWARES: tuple[tuple[int, int], ...] = (
    (2, 12),
    (3, 10),
    (3, 50),
    (3, 70),
    (3, 82),
    (4, 0),
    (4, 10),
    (4, 30),
    (4, 60),
)
"""Firmware that can be simulated."""

_MINUTE = 60
_WHOLE_DAY = 84
"""Stands for 24 hours among the minutes of an interval (p. 97)."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """How one load profile is configured.

    Args:
        blocks: in its ring.
        intervals: in a block.
        seconds: of an interval; a multiple of a minute up to an hour, or a day.
        sources: source ids of its channels: summations of BT23, or present values of BT28.
    """

    blocks: int
    intervals: int
    seconds: int
    sources: tuple[int, ...]

    @property
    def minutes(self) -> int:
        """Return the interval as BT61 writes it."""
        return _WHOLE_DAY if self.seconds == DAY else self.seconds // _MINUTE

    @property
    def sizes(self) -> ProfileSizes:
        """Return the sizes of its blocks."""
        return ProfileSizes(self.blocks, self.intervals, len(self.sources))


DATA_SETS = (
    DataSet(14, 96, 900, (0, 1)),
    DataSet(30, 24, 3600, (0, 1, 2, 3)),
    DataSet(62, 1, DAY, (0, 1)),
    DataSet(3, 288, 300, (0, 1)),
)
"""Quarter hours of two weeks, hours of a month, days of two months, five minutes of three days. Each fits one answer of the
optical port in packets of 64 bytes, of which Termineter takes 254."""

OTHER_DATA_SETS = (
    DataSet(10, 72, 900, (0, 1, 15, 16, 17)),
    DataSet(40, 24, 3600, (0, 1)),
    DataSet(31, 1, DAY, (0, 1, 26, 27)),
    DataSet(4, 144, 600, (0, 1)),
)
"""What a meter is configured for after a reconfiguration that does not say more: blocks of 18 hours, which begin at 00:00, 18:00,
12:00 and 06:00 in turn (p. 30), and voltages."""
