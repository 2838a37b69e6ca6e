"""Decides where a run of the program goes on, from the database, the mark of numbers and the tail of the run before.

This module opens nothing and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nes2mqtt.history.writing.numbers import RESTORED, Mark
from nes2mqtt.history.writing.tail import Kept
from nes2mqtt.readings.reading import Sample

__all__ = ["Continuation", "Found", "go_on"]


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the database.

    Args:
        seq: number of the last register reading.
        block: number of the last block.
        reserved: the database's copy of the mark; 0 if an earlier program wrote it.
        latest: time of the last reading as people write it; empty if there is none.
    """

    seq: int
    block: int
    reserved: int
    latest: str = ""


@dataclass(slots=True)
class Continuation:
    """What to begin with.

    Args:
        seq: number of the last register reading there ever was, or that might have been.
        registers: readings to be written to the database.
        present: the same of present values. Samples whose times of day are a guess have moments of the monotonic clock.
        cursors: how far outboxes have delivered, where that is newer than in the database.
        remark: for the log; empty if the run before ended in order and nothing is missing.
        whole: whether nothing is missing, though the run before did not end in order.
        missing: for the status: what was in the database and is no longer there; empty if nothing.
    """

    seq: int
    registers: list[tuple[int, Sample]] = field(default_factory=list)
    present: list[Sample] = field(default_factory=list)
    cursors: dict[str, int] = field(default_factory=dict)
    remark: str = ""
    whole: bool = False
    missing: str = ""


def go_on(found: Found, mark: Mark | None, kept: Kept | None, boot: str) -> Continuation:
    """Decide where to go on.

    Args:
        found: what is in the database.
        mark: what the file of numbers says.
        kept: what is in the tail.
        boot: of which start of the machine this run is (:func:`nes2mqtt.history.writing.tail.this_boot`).
    """
    if kept is not None and mark is not None and kept.head.life != mark.life:
        kept = None  # of another database, or older than what the mark knows
    whole = kept is not None and boot != "" and kept.head.boot == boot
    result = Continuation(_last(found, mark, kept if whole else None))
    if kept is not None:
        _take_over(result, found, kept, same_boot=whole)
        if found.seq < kept.head.seq or found.block < kept.head.block:  # these were synced to the disk
            result.missing = _older(found, kept.head.seq)
    if mark is None:
        return result
    if mark.last is not None:
        if mark.life != RESTORED and (found.seq < mark.last or found.block < (mark.block or 0)):
            result.missing = _older(found, mark.last)
        return result
    if whole:
        result.whole = True
        count = len(result.registers)
        result.remark = (
            "the program before did not end in order (killed?); nothing is missing: "
            f"{count} register readings come from the tail"
        )
        return result
    if not (found.seq or found.block or mark.reserved):
        return result
    since = f"after {found.latest}" if found.latest else "of the time before"
    result.remark = (
        f"the program before did not end in order (power cut?): readings {since} may be missing here, at most those of one "
        f"commit_every. Brokers may have them. Numbers (seq) go on at {result.seq + 1}, so that none is given twice"
    )
    return result


def _last(found: Found, mark: Mark | None, whole: Kept | None) -> int:
    """Return the number behind which all is free."""
    if mark is None:
        # The file was lost, or never was: an earlier program wrote the database, or a backup came back.
        return max(found.seq, found.reserved)
    if mark.last is not None:
        # In order. The copy in the database may know more if it came from elsewhere, as a backup does.
        beyond = found.reserved if found.reserved > mark.reserved and mark.life != RESTORED else 0
        return max(found.seq, mark.last, beyond)
    if whole is not None:
        return max(found.seq, whole.last_seq)
    return max(found.seq, mark.reserved, found.reserved)


def _take_over(result: Continuation, found: Found, kept: Kept, *, same_boot: bool) -> None:
    registers = [(seq, sample) for seq, sample in kept.registers if seq > found.seq]
    # Register readings may be committed in slices; present values go all with the last one, so either all are in the
    # database or none is.
    present = kept.present if found.block <= kept.head.block else []
    result.cursors = dict(kept.cursors)
    # A time of day that was known once stays: what this program believes at its start may be worse, as long as no
    # meter has told the time. What has none gets one later; after another boot the monotonic clock began anew: never.
    result.registers = [
        (seq, s if id(s) in kept.undated else _settled(s))
        for seq, s in registers
        if same_boot or id(s) not in kept.undated
    ]
    result.present = [
        s if id(s) in kept.undated else _settled(s) for s in present if same_boot or id(s) not in kept.undated
    ]


def _settled(sample: Sample) -> Sample:
    """Return a sample whose times of day nobody changes any more: without moments of the monotonic clock."""
    return replace(sample, instant=0.0, segment_instant=None)


def _older(found: Found, last: int) -> str:
    gone = last - found.seq
    what = f"{gone} register readings" if gone > 0 else "present values"
    until = f"; its last reading is of {found.latest}" if found.latest else ""
    return (
        f"{what} that were stored are no longer in the database{until}. An older copy of the file was put back, or its "
        "-wal file was lost. Energies are counted on from the meter's registers"
    )
