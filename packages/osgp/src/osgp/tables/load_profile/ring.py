"""Which blocks a data set holds, and which of them are asked for.

Blocks are numbered for ever, modulo 2 to the power of 32 (BT63.5, MEP guide v1.1 p. 238); the newest is at index BT63.3 of the
ring, and BT63.1 blocks up to it are valid. An outage makes no blocks, so a block's number tells how many came after it, not
when it was.

This module does not know what a block holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from osgp.errors import TableError
from osgp.tables.load_profile.sizes import ProfileSizes

__all__ = ["RingState", "blocks_since", "ring_state"]

_NUMBERS = 1 << 32


@dataclass(frozen=True, slots=True)
class RingState:
    """How far a data set has come. Two equal ones mean that nothing was recorded in between."""

    blocks: int
    """Places in the ring."""
    valid: int
    """How many of them hold a block."""
    index: int
    """Place of the newest block."""
    sequence: int
    """Number of the newest block."""
    intervals: int = 0
    """How many intervals the newest block has."""
    slot: int | None = None
    """Index of the newest interval in the newest block; None for who may not read ET21."""
    in_progress: int | None = None
    """Number of an interval that waits for the data of a device, 0 for none (ET21.91); None for who cannot read it."""
    configuration: int | None = None
    """ET21.78, which changes whenever the profile is configured anew; None for who cannot read it."""

    def age(self, sequence: int) -> int:
        """Return how many blocks came after the block with this number."""
        return (self.sequence - sequence) % _NUMBERS

    def holds(self, sequence: int) -> bool:
        """Tell whether the block with this number is in the ring."""
        return self.age(sequence) < self.valid

    def place(self, sequence: int) -> int:
        """Return the index of the block with this number."""
        return (self.index - self.age(sequence)) % self.blocks

    def numbers(self, most: int) -> list[int]:
        """Return the numbers of the newest blocks, the oldest first, the newest last: at most so many."""
        return [(self.sequence - age) % _NUMBERS for age in range(min(most, self.valid) - 1, -1, -1)]


def ring_state(bt63: Mapping[str, Any], et21: Mapping[str, Any] | None, sizes: ProfileSizes) -> RingState:
    """Return how far a data set has come.

    Args:
        bt63: its element of BT63.
        et21: its element of ET21, as far as the meter has one; None for who may not read it.
        sizes: its sizes by BT61.

    Raises:
        TableError: BT63 points out of the ring, its blocks run backwards, or ET21 contradicts BT61.
    """
    valid, index = bt63["valid_blocks"], bt63["last_block"]
    if valid > sizes.blocks or (valid and index >= sizes.blocks):
        raise TableError(
            f"BT63 counts {valid} load profile blocks up to number {index}, but BT61 tells of {sizes.blocks}. "
            "They were read wrongly, or the meter was configured meanwhile; read them again"
        )
    if bt63["descending_blocks"] or bt63["descending_intervals"]:
        raise TableError(
            "BT63 says that this load profile runs from the newest to the oldest, which the guide knows of no meter. "
            "Save an osgp dump and report it"
        )
    state = RingState(sizes.blocks, valid, index, bt63["last_block_sequence_number"], bt63["valid_intervals"])
    # Zeros are what a meter gives behind the end of a table (Optical guide v1.1 p. 9).
    if et21 is None or not et21.get("block_size"):
        return state
    told = (et21["block_size"], et21["block_header_size"], et21["interval_size"], et21["first_channel_offset"])
    if told != (sizes.block_size, sizes.header_size, sizes.interval_size, sizes.status_size):
        raise TableError(
            f"ET21 tells of load profile blocks of {told[0]} bytes with intervals of {told[2]}, where BT61 comes to "
            f"{sizes.block_size} and {sizes.interval_size}. Save an osgp dump and report it"
        )
    same_block = et21["last_block"] == index and et21["last_interval"] < sizes.intervals
    return RingState(
        *(state.blocks, state.valid, state.index, state.sequence, state.intervals),
        slot=et21["last_interval"] if same_block else None,
        in_progress=et21.get("interval_in_progress"),
        configuration=et21.get("configuration_id"),
    )


def blocks_since(moment: datetime, newest_begin: datetime, block: timedelta) -> int:
    """Return how many blocks, the newest included, can hold an interval that ended at a moment or later.

    Blocks follow each other, or with gaps, so one that is ``n`` blocks older ended at least ``n - 1`` lengths before the newest
    began.
    """
    return 1 if moment > newest_begin else 2 + (newest_begin - moment) // block
