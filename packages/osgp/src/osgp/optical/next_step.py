"""Which service a client says next: a pure function of how far the session has come and of what is wanted.

::

    wanted        BASE       IDENTIFIED     SETTLED     LOGGED_ON            SECURED
    identity      Identify   (done)         (done)      (done)               (done)
    login         Identify   Negotiate (1)  Logon       Security (2)         (done)
    request       Identify   Negotiate (1)  Logon       Security (2)         the request, part by part
    end           (done)     Terminate      Terminate   Terminate            Terminate

    (1) unless it was refused before: then Logon, with packets of 64 bytes
    (2) unless there is no key: then as in SECURED, and the meter shows little more than its name

This module does not know how a service is sent, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from osgp.optical.events import EndReason, Identified, SessionOpened
from osgp.optical.services import Identify, Identity, Logon, Negotiate, Security, Service, Terminate
from osgp.optical.states import State
from osgp.optical.task import Goal, Task
from osgp.optical.timing import Limits

__all__ = ["Ask", "Finish", "Rest", "Situation", "Step", "next_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that the next step depends on."""

    state: State
    """How far the session has come."""
    task: Task | None
    """What is wanted; it is only looked at."""
    ending: EndReason | None
    """Why the session is to be ended; None while it is not."""
    old: bool
    """Whether the session is to be opened anew before anything else is asked."""
    identity: Identity | None
    """What the meter said to Identify."""
    offer: Negotiate | None
    """What is offered; None where Negotiate is left out."""
    logon: Logon
    password: bytes | None = field(repr=False)
    limits: Limits


@dataclass(frozen=True, slots=True)
class Ask:
    """Say this service."""

    service: Service
    ending: EndReason | None


@dataclass(frozen=True, slots=True)
class Finish:
    """What was wanted is reached: tell it, and look again."""

    event: Identified | SessionOpened
    ending: EndReason | None


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do."""

    ending: EndReason | None


Step = Ask | Finish | Rest
"""What to do; each says also why the session is to be ended from then on, None if it is not."""


def next_step(now: Situation) -> Step:
    """Return the next step by the table above.

    Raises:
        MisuseError: what is wanted cannot be said in one message; the text says how much can.
    """
    task, ending = now.task, now.ending
    if now.state is State.BASE:
        return Rest(None) if task is None else Ask(Identify(), ending)
    if ending is None and task is not None and now.old:
        ending = EndReason.RENEWED
    if ending is not None and (task is None or ending is not EndReason.CLOSED):
        return Ask(Terminate(), ending)
    return Rest(ending) if task is None else _step_towards(task, now)


def _step_towards(task: Task, now: Situation) -> Step:
    """Return the next step towards what is wanted, in an open session."""
    if task.wanted is Goal.IDENTITY and now.identity is not None:
        return Finish(Identified(now.identity), now.ending)
    if now.state is State.IDENTIFIED and now.offer is not None:
        return Ask(now.offer, now.ending)
    if now.state in {State.IDENTIFIED, State.SETTLED}:
        return Ask(now.logon, now.ending)
    if now.state is State.LOGGED_ON and now.password is not None:
        return Ask(Security(now.password), now.ending)
    if task.wanted is Goal.LOGIN:
        return Finish(SessionOpened(now.limits, now.state is State.SECURED), now.ending)
    return Ask(task.next_service(now.limits), now.ending)
