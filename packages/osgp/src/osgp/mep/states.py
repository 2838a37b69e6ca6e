"""The life of a request on a MEP line, as a table.

*Held* requests wait until 100 ms have passed since the last one began (MEP guide v1.1 p. 21). One that is to be sent again
may be answered while it is held: after a silence that was too short, or after a 0x0B that somebody else on
the line had said. What can happen to one that is *awaited*:

answered
    The digest verifies and the content fits the question. The code may still be an error code.
silent
    No reply within 500 ms. The guide wants the same bytes again (p. 21), so that a meter that
    missed them answers and one that did not says 0x0C instead of doing it twice.
unreadable
    Something came that cannot be believed. The rest of it is waited for (silence), because nothing marks where the next
    frame begins. The meter has most likely taken the request, so the same bytes would only draw 0x0C: a read is
    asked again under the next number, as the guide's other rule on retries has it (p. 11). A write
    is sent again with the same number: it must not be done twice.
refused
    0x0B: the meter could not verify *our* digest. One such reply says nothing about the key, the line
    may have changed a bit. It is taken for a wrong key only when it repeats (:data:`osgp.mep.client.REFUSALS_UNPROVEN`),
    and after the meter had taken the key only when that happens twice: the first time it is trouble of the line.
shut out
    0x0B twice in a row: perhaps the meter is in a TLS session that somebody left, in which it refuses RC4 (p. 8). So the end of
    one is sent, once, and the request again, whatever the meter says to it: a meter without TLS says 0x0B, or nothing.
renumbered
    0x0C with a digest that verifies: the meter expects another sequence number N. We go on with N + 1, as the guide's
    example does (p. 16) although its text says N (p. 11): N + 1 is right under both readings, because the meter
    accepts numbers up to 8 ahead.
failed
    It was tried as often as is allowed, or the program that asked does not want the answer any more.

The drawing is in ``docs/reference/links.md``. This module does not know how any of these come about.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

__all__ = ["TRANSITIONS", "Outcome", "State"]


class State(Enum):
    """Where the request under way stands; the value says it in words."""

    IDLE = "no request is under way"
    HELD = "the request waits until it may leave"
    AWAITING = "the request has left, its reply is awaited"
    ENDING = "a TLS session that somebody may have left is being ended"


class Outcome(Enum):
    """What happens to a request; the value says it in words."""

    ASKED = "a program asks"
    DUE = "100 ms have passed since the last request began: it leaves"
    ANSWERED = "a reply came whose digest verifies"
    SILENT = "no reply within 500 ms"
    UNREADABLE = "something came that cannot be believed"
    REFUSED = "0x0B: the meter could not verify our digest"
    SHUT_OUT = "0x0B twice: the meter may be in somebody's TLS session"
    ENDED = "the meter has heard the end of the session, or is silent"
    RENUMBERED = "0x0C: the meter expects another sequence number"
    FAILED = "given up, or forgotten by its user"


TRANSITIONS: Mapping[State, Mapping[Outcome, State]] = {
    State.IDLE: {
        Outcome.ASKED: State.HELD,
    },
    State.HELD: {
        Outcome.DUE: State.AWAITING,
        Outcome.ANSWERED: State.IDLE,
        Outcome.RENUMBERED: State.HELD,
        Outcome.FAILED: State.IDLE,
    },
    State.AWAITING: {
        Outcome.ANSWERED: State.IDLE,
        Outcome.SILENT: State.HELD,
        Outcome.UNREADABLE: State.HELD,
        Outcome.REFUSED: State.HELD,
        Outcome.SHUT_OUT: State.ENDING,
        Outcome.RENUMBERED: State.HELD,
        Outcome.FAILED: State.IDLE,
    },
    State.ENDING: {
        Outcome.ENDED: State.HELD,
        Outcome.ANSWERED: State.IDLE,
        Outcome.RENUMBERED: State.HELD,
        Outcome.FAILED: State.IDLE,
    },
}
"""What follows what; anything else is :class:`~osgp.errors.IllegalMove`."""
