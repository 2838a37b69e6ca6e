"""What follows when the meter refuses a service, or does not answer it: how often, and what then.

This module does not know how a service is asked again.
"""

from __future__ import annotations

from enum import Enum, auto

from osgp.errors import LinkError
from osgp.optical.datalink.link import FailReason
from osgp.optical.diagnosis import lost
from osgp.optical.errand import Errand
from osgp.optical.services import Identify, Logon, Negotiate, OpticalResponseCode, Security, Service
from osgp.psem import PartialRead, Read

__all__ = ["BUSY", "LEFTOVERS", "ODD_GRANTS", "Verdict", "judge_loss", "judge_refusal", "starts_anew"]

RESTARTS = 3
"""Sessions one request may use up, beside the first."""

OPENINGS = RESTARTS + 1
"""Times an older session is ended before Identify is asked again: one may be left over from each session lost."""

SEARCHES = 2
"""Rounds of Identify to a meter that answered before, each with three repeats; one round to an unknown one. A
meter that acknowledges gets one round more, because it is there."""

BUSY_RETRIES = 5
"""Times a service is asked again that the meter was too busy for."""

SHOWN_UNANSWERED = 2
"""Times a key is shown, for one request, that the meter never accepted and that draws no answer."""

LEFTOVERS = 3
"""Answers of an older session that may come before the one to Identify."""

ODD_GRANTS = 2
"""Answers to Negotiate that cannot be understood before it is left out. One may have been another's."""

BUSY = frozenset({OpticalResponseCode.BSY, OpticalResponseCode.DNR})
_ANEW = frozenset({OpticalResponseCode.RNO, OpticalResponseCode.ISSS})


class Verdict(Enum):
    """What to do about a refusal."""

    AGAIN = auto()
    """Ask the same after a pause."""
    ANEW = auto()
    """Terminate and begin with Identify."""
    REPEAT = auto()
    """As ANEW, only to hear the same refusal again."""
    WITHOUT = auto()
    """Live without this service."""
    FINAL = auto()
    """The key is wrong. Never show it again."""
    FAILED = auto()
    """What was wanted cannot be had."""
    ANSWER = auto()
    """The refusal is the answer."""


def starts_anew(code: int) -> bool:
    """Tell whether the meter wants another session: renegotiate, or wrong state."""
    return code in _ANEW


def judge_refusal(service: Service, code: int, errand: Errand | None, *, proven: bool) -> Verdict:
    """Return what to do about a response code other than ok, and count it.

    Args:
        service: what was refused.
        code: with which response code.
        errand: for whom; None when nobody waits for it any more.
        proven: the meter accepted the key before.
    """
    if errand is not None and (proven or not isinstance(service, Security) or errand.passwords < SHOWN_UNANSWERED):
        if code in BUSY and errand.busies < BUSY_RETRIES:
            errand.busies += 1
            return Verdict.AGAIN
        if code in _ANEW and isinstance(service, Identify) and errand.openings < OPENINGS:
            errand.openings += 1
            return Verdict.ANEW
        if code in _ANEW and not isinstance(service, Identify) and errand.restarts < RESTARTS:
            errand.restarts += 1
            return Verdict.ANEW
    match service:
        case Negotiate():
            return Verdict.WITHOUT
        case Security() if code not in BUSY | _ANEW:
            return Verdict.FINAL
        case Identify() | Logon() | Security():
            return Verdict.FAILED
        case Read() | PartialRead() if errand is not None and not errand.repeated and code not in BUSY | _ANEW:
            # An answer does not say what it answers: it may be one to another program at the same probe.
            errand.repeated = True
            return Verdict.REPEAT
        case _:
            # Codes up to this one mean the same on both ports; the others were dealt with above, as far as possible.
            return Verdict.ANSWER if code <= OpticalResponseCode.IAR else Verdict.FAILED


def judge_loss(
    service: Service, reason: FailReason | None, errand: Errand, *, proven: bool, known: bool
) -> LinkError | None:
    """Count a lost exchange; return the error when patience for it is used up, None to begin anew.

    Args:
        service: what was asked.
        reason: why it is lost; None when an answer came that was none to it.
        errand: for whom.
        proven: the meter accepted the key before.
        known: the meter answered to Identify before.
    """
    errand.restarts += 1
    if isinstance(service, Identify) and reason is not None:
        heard = reason not in {FailReason.SILENT, FailReason.NAKED}
        rounds = SEARCHES + heard if known or heard else 1
        return errand.hearing.verdict(reason) if errand.restarts >= rounds else None
    last_showing = isinstance(service, Security) and not proven and errand.passwords >= SHOWN_UNANSWERED
    never_toggles = reason is FailReason.OUT_OF_STEP and errand.same_toggles >= errand.restarts
    return (
        lost(service, reason, errand.restarts, never_toggles=never_toggles)
        if errand.restarts > RESTARTS or last_showing
        else None
    )
