"""What follows when the meter refuses a service, or does not answer it: how often it is asked again, and what then.

The two functions that judge only look: what they look at is a :class:`Spent`, which never changes. What the verdict costs
is added by :meth:`Spent.by_refusal` and :meth:`Spent.by_loss`, which return another one.

This module does not know how a service is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from osgp.errors import LinkError
from osgp.optical.datalink.events import FailReason
from osgp.optical.diagnosis import Hearing, lost
from osgp.optical.services import Identify, Logon, Negotiate, OpticalResponseCode, Security, Service
from osgp.psem import PartialRead, Read

__all__ = ["BUSY", "LEFTOVERS", "ODD_GRANTS", "Spent", "Verdict", "judge_loss", "judge_refusal", "starts_anew"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """How much of the patience for one wish is used up."""

    restarts: int = 0
    """Sessions used up."""
    openings: int = 0
    """Times an older session had to be ended first."""
    busies: int = 0
    """Times the meter was too busy."""
    leftovers: int = 0
    """Answers of an older session that came before the one to Identify."""
    passwords: int = 0
    """Times the key was shown."""
    same_toggles: int = 0
    """Answers that were not believed because their toggle bit was that of the one before."""
    repeated: bool = False
    """Whether it was asked again in a fresh session, because the meter refused it."""

    def by_refusal(self, service: Service, verdict: Verdict) -> Spent:
        """Return what is spent after a refusal of this service was judged so."""
        match verdict:
            case Verdict.AGAIN:
                return replace(self, busies=self.busies + 1)
            case Verdict.ANEW if isinstance(service, Identify):
                return replace(self, openings=self.openings + 1)
            case Verdict.ANEW:
                return replace(self, restarts=self.restarts + 1)
            case Verdict.REPEAT:
                return replace(self, repeated=True)
            case _:
                return self

    def by_loss(self) -> Spent:
        """Return what is spent after one more exchange was lost, and the session with it."""
        return replace(self, restarts=self.restarts + 1)

    def by_showing(self) -> Spent:
        """Return what is spent after the key was shown."""
        return replace(self, passwords=self.passwords + 1)

    def by_leftover(self) -> Spent:
        """Return what is spent after an answer of an older session."""
        return replace(self, leftovers=self.leftovers + 1)

    def by_same_toggle(self) -> Spent:
        """Return what is spent after an answer whose toggle bit did not change."""
        return replace(self, same_toggles=self.same_toggles + 1)


def starts_anew(code: int) -> bool:
    """Tell whether the meter wants another session: renegotiate, or wrong state."""
    return code in _ANEW


def judge_refusal(service: Service, code: int, spent: Spent | None, *, proven: bool) -> Verdict:
    """Return what to do about a response code other than ok.

    Args:
        service: what was refused.
        code: with which response code.
        spent: of the wish it was asked for; None when nobody waits for it any more.
        proven: the meter accepted the key before.
    """
    if spent is not None and (proven or not isinstance(service, Security) or spent.passwords < SHOWN_UNANSWERED):
        if code in BUSY and spent.busies < BUSY_RETRIES:
            return Verdict.AGAIN
        if code in _ANEW:
            first = isinstance(service, Identify)
            if (spent.openings < OPENINGS) if first else (spent.restarts < RESTARTS):
                return Verdict.ANEW
    match service:
        case Negotiate():
            return Verdict.WITHOUT
        case Security() if code not in BUSY | _ANEW:
            return Verdict.FINAL
        case Identify() | Logon() | Security():
            return Verdict.FAILED
        case Read() | PartialRead() if spent is not None and not spent.repeated and code not in BUSY | _ANEW:
            # An answer does not say what it answers: it may be one to another program at the same probe.
            return Verdict.REPEAT
        case _:
            # Codes up to this one mean the same on both ports; the others were dealt with above, as far as possible.
            return Verdict.ANSWER if code <= OpticalResponseCode.IAR else Verdict.FAILED


def judge_loss(
    service: Service, reason: FailReason | None, spent: Spent, hearing: Hearing, *, proven: bool, known: bool
) -> LinkError | None:
    """Return the error when the patience for lost exchanges is used up, None to begin anew.

    Args:
        service: what was asked.
        reason: why it is lost; None when an answer came that was none to it.
        spent: of the wish it was asked for, this loss included.
        hearing: what was heard in place of an answer.
        proven: the meter accepted the key before.
        known: the meter answered to Identify before.
    """
    if isinstance(service, Identify) and reason is not None:
        heard = reason not in {FailReason.SILENT, FailReason.NAKED}
        rounds = SEARCHES + heard if known or heard else 1
        return hearing.verdict(reason) if spent.restarts >= rounds else None
    last_showing = isinstance(service, Security) and not proven and spent.passwords >= SHOWN_UNANSWERED
    if spent.restarts <= RESTARTS and not last_showing:
        return None
    never_toggles = reason is FailReason.OUT_OF_STEP and spent.same_toggles >= spent.restarts
    return lost(service, reason, spent.restarts, never_toggles=never_toggles)
