"""How far an optical session has come, as a table: which service is allowed when, and what follows it.

C12.18 knows three states. In the *base* state the meter knows nothing of anybody and the line has its default settings;
Identify leads into the *ID* state, in which packet sizes and rates can be settled; Logon leads into the
*session*, in which tables can be read. Two facts more decide what comes next, so they are states of their own here:
whether sizes were settled, and whether the key was shown. The drawing is in ``docs/reference/links.md``.

Everything but BASE ends by Terminate, or when six seconds pass without a valid packet. Logoff leads back to IDENTIFIED.
A service that stands in no row of :data:`AFTER` is answered by *isss*; a service that is refused changes nothing. In
LOGGED_ON a meter shows a few tables already (:mod:`osgp.optical.rights`).

The client walks this table from left to right as far as it has to; the meter checks each step against it.

This module does not know how services travel.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from osgp.optical.services import Identify, Logoff, Logon, Negotiate, Security, Service, Terminate, Wait
from osgp.psem import PartialRead, PartialWrite, Read, Write

__all__ = ["AFTER", "State", "state_after"]


class State(Enum):
    """How far a session has come; the value says it in words."""

    BASE = "no session is open"
    IDENTIFIED = "the meter said who it is"
    SETTLED = "sizes and speed are settled"
    LOGGED_ON = "a user is logged on, without a key: few tables can be read"
    SECURED = "the key was accepted"


_ENDS: dict[type[Service], State] = {Logoff: State.IDENTIFIED, Terminate: State.BASE}
_TABLE_SERVICES: tuple[type[Service], ...] = (Read, PartialRead, Write, PartialWrite, Wait)

AFTER: Mapping[State, Mapping[type[Service], State]] = {
    State.BASE: {
        Identify: State.IDENTIFIED,
    },
    State.IDENTIFIED: {
        Negotiate: State.SETTLED,
        Wait: State.IDENTIFIED,
        Logon: State.LOGGED_ON,
        Terminate: State.BASE,
    },
    State.SETTLED: {
        Negotiate: State.SETTLED,
        Wait: State.SETTLED,
        Logon: State.LOGGED_ON,
        Terminate: State.BASE,
    },
    State.LOGGED_ON: {
        Security: State.SECURED,
        **dict.fromkeys(_TABLE_SERVICES, State.LOGGED_ON),
        **_ENDS,
    },
    State.SECURED: {
        Security: State.SECURED,
        **dict.fromkeys(_TABLE_SERVICES, State.SECURED),
        **_ENDS,
    },
}
"""Which state follows an ok, by the state before and the service."""


def state_after(state: State, service: Service) -> State | None:
    """Return the state that follows an ok; None where the service is not allowed."""
    return AFTER[state].get(type(service))
