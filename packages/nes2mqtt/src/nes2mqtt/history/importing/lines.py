"""What a source of old readings gives: lines, with times and registers as far as they were understood.

Nothing here knows a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from osgp.sources import Source

__all__ = ["Line", "Refused"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was understood.

    Args:
        place: its number in the file, from 1.
        time: aware, or naive for local time.
        values: in Wh (varh, pulses), by source; not empty.
        step: the last digit that was written, in Wh.
    """

    place: int
    time: datetime
    values: Mapping[Source, int]
    step: int = 1


@dataclass(frozen=True, slots=True)
class Refused:
    """A line, or a reading, that is not taken.

    Args:
        place: the line's number.
        reason: what is wrong with it, for people; it goes on after "line 7: ".
    """

    place: int
    reason: str
