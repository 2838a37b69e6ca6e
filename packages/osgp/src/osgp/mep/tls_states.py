"""The life of a MEP port in TLS mode, as the client sees it, as a table.

A session is opened by two exchanges (MEP guide v1.1 p. 14): our *hello* under code 0x58, our *proof* under 0x59. In the open
session requests go under 0x80. What can happen:

greeted, opened
    The meter's answer in the handshake is good.
answered
    A record came that opens with the session's keys, as the very next one, and answers the request. It may be an error code.
silent
    No reply in time. The same bytes go out again, as the guide wants (p. 21). If only the *reply* was lost, the meter has
    counted the record and does not open it a second time: it says so (0x01, 0x0A), and that is *broken*.
refused
    The meter did not like the hello or the proof, or we did not like its. The handshake begins anew.
broken
    The session is over: the meter says that there is none, or sent what does not open. After the next handshake
    a read is asked again; a write is not, because nobody knows whether it was done.
used up
    The keys have sealed as much as keys should.
ended
    We take leave, under code 0x57, so that the port is free for others: a meter in a session refuses RC4 (p. 8). Also from the
    middle of a handshake or a request, and after one that failed: the meter does not know that we gave it up.
failed
    It was tried as often as is allowed, or the program that asked does not want the answer any more. A session with
    a request under way is given up with it: its late reply would be the next record, and nothing in TLS says which
    request a record answers.

The drawing is in ``docs/reference/links.md``. This module does not know how any of these come about.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

__all__ = ["TLS_TRANSITIONS", "TlsOutcome", "TlsState"]


class TlsState(Enum):
    """Where the port stands; the value says it in words."""

    CLOSED = "no session is open, and nothing is under way"
    GREETING = "a session is being opened: our hello is under way"
    PROVING = "a session is being opened: our proof is under way"
    OPEN = "a session is open, and nothing is under way"
    ASKING = "a request is under way in the session"
    LEAVING = "the session is being ended"


class TlsOutcome(Enum):
    """What happens; the value says it in words."""

    ASKED = "a program asks"
    GREETED = "the meter's hello came"
    OPENED = "the meter's proof is right"
    ANSWERED = "a reply came that opens with the session's keys"
    SILENT = "no reply in time: the same bytes again"
    REFUSED = "the handshake failed: begin anew"
    BROKEN = "the session is over: open another one"
    USED_UP = "the session's keys have sealed enough"
    ENDED = "we end the session, or the meter has heard it"
    FAILED = "given up, or forgotten by its user"


TLS_TRANSITIONS: Mapping[TlsState, Mapping[TlsOutcome, TlsState]] = {
    TlsState.CLOSED: {
        TlsOutcome.ASKED: TlsState.GREETING,
        TlsOutcome.ENDED: TlsState.LEAVING,
    },
    TlsState.GREETING: {
        TlsOutcome.GREETED: TlsState.PROVING,
        TlsOutcome.SILENT: TlsState.GREETING,
        TlsOutcome.REFUSED: TlsState.GREETING,
        TlsOutcome.ENDED: TlsState.LEAVING,
        TlsOutcome.FAILED: TlsState.CLOSED,
    },
    TlsState.PROVING: {
        TlsOutcome.OPENED: TlsState.ASKING,
        TlsOutcome.SILENT: TlsState.PROVING,
        TlsOutcome.REFUSED: TlsState.GREETING,
        TlsOutcome.ENDED: TlsState.LEAVING,
        TlsOutcome.FAILED: TlsState.CLOSED,
    },
    TlsState.OPEN: {
        TlsOutcome.ASKED: TlsState.ASKING,
        TlsOutcome.USED_UP: TlsState.CLOSED,
        TlsOutcome.ENDED: TlsState.LEAVING,
    },
    TlsState.ASKING: {
        TlsOutcome.ANSWERED: TlsState.OPEN,
        TlsOutcome.SILENT: TlsState.ASKING,
        TlsOutcome.BROKEN: TlsState.GREETING,
        TlsOutcome.ENDED: TlsState.LEAVING,
        TlsOutcome.FAILED: TlsState.CLOSED,
    },
    TlsState.LEAVING: {
        TlsOutcome.SILENT: TlsState.LEAVING,
        TlsOutcome.ENDED: TlsState.CLOSED,
    },
}
"""What follows what; anything else is :class:`~osgp.errors.IllegalMove`."""
