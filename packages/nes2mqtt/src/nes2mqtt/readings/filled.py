"""An interval of a meter's load profile that filled a gap, as outputs get it.

This module does not know where it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nes2mqtt.readings.reading import Sample

__all__ = ["FilledInterval"]


@dataclass(frozen=True, slots=True)
class FilledInterval:
    """What registers showed while nobody read them.

    Args:
        since: the reading before it (UTC, aware).
        sample: what they showed at its end, which is :attr:`Sample.received`.
    """

    since: datetime
    sample: Sample
