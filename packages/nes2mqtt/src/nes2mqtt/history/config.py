"""The ``[history]`` section of the configuration.

This module does not open the database.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["HistoryConfig", "TailPlace"]


class TailPlace(StrEnum):
    """Where readings are kept until they are committed."""

    MEMORY = "memory"
    DISK = "disk"


class HistoryConfig(BaseModel):
    """What is kept, where and how long."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    enabled: bool = True
    """Keep a history at all. Without it nothing survives a broker outage or a restart."""
    path: Path | None = None
    """The database file. Default: ``history.db`` in ``data_dir``."""
    commit_every: float = Field(default=300.0, ge=1.0, le=3600.0)
    """Seconds between two writes to the database. So much may a power cut cost; the end of this program costs nothing."""
    tail: TailPlace = TailPlace.MEMORY
    """Where readings are kept until then: `memory` spares the disk and survives every end of this program; `disk` is
    written at once, and a power cut takes the last half minute of register readings only."""
    keep_raw_days: int = Field(default=7, ge=1, le=3660)
    """Days of running for which every reading is kept; of older register readings one per quarter of an hour stays."""
    keep_minutes_days: int = Field(default=90, ge=7, le=36600)
    """Days of running for which one-minute roll-ups are kept. Quarters, hours and days are kept for ever."""
    backfill: bool = True
    """Fill gaps from the meter's own load profile after a downtime. It is read beside the live values, within the same
    `reads_per_second`."""
    outbox_keep_days: int = Field(default=30, ge=1, le=3660)
    """Days of running for which readings wait for a broker that is away."""
