"""What the log says of a gap that was looked into.

This module does not decide anything.
"""

from __future__ import annotations

import logging

from nes2mqtt.backfill.decision import Decision, Outcome
from nes2mqtt.history.tables.filled import NOT_BOOKED, Gap

__all__ = ["say"]

_log = logging.getLogger(__name__)

_WHY = {
    Outcome.NOT_KEPT: "the meter kept nothing of that time",
    Outcome.NO_REGISTER: "its load profile holds no register that is read here",
    Outcome.CLOCK: "the meter's clock was off by another amount after it than before, and the meter does not say when that "
    "came: nobody knows which time its intervals are of",
    Outcome.CONTRADICTS: "what the load profile says does not fit the registers before and after it",
    Outcome.REPLACED: "the meter that knew is not there any more",
    NOT_BOOKED: "the history no longer tells where the energy of the gap was booked, so it cannot be booked anew",
}


def say(gap: Gap, decision: Decision, outcome: str) -> None:
    """Tell what became of a gap.

    Args:
        gap: which.
        decision: what the meter's load profile tells of it.
        outcome: what the history made of that.
    """
    begin, end = gap.before.received, gap.after.received
    span = f"the gap from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    count = len(decision.readings)
    if outcome == Outcome.FILLED:
        _log.info("meter %s: %s is filled from the meter's load profile (%d intervals)", gap.meter, span, count)
    elif outcome == Outcome.PARTLY:
        refused = f"; {decision.refused} did not fit the registers around it" if decision.refused else ""
        _log.warning(
            "meter %s: %s is filled in part from the meter's load profile: %d of %d intervals, the others the meter did not "
            "note or no longer has%s",
            *(gap.meter, span, count, decision.expected, refused),
        )
    else:
        _log.warning(
            "meter %s: %s cannot be filled: %s. What was used in it stays booked to its end",
            *(gap.meter, span, _WHY[outcome]),
        )
