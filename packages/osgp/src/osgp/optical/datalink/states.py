"""The life of a message on the data link of C12.18, as a table for each of the two ends.

Sending is stop and wait: a message is cut into packets, and each must be answered by ACK before the next one leaves. Both
ends do that alike; only the client then waits for an answer to its message, and the meter waits for nothing.

There are two states for a packet that is held back, because they differ in what a packet from the other end means. While
nothing of our message has left (``HELD_FIRST``), no answer to it can come: what comes is left over from before, and the
client's message still leaves. Later (``HELD_NEXT``) it may be the answer, whose ACK got lost. A meter that holds its
answer back and hears something new has a new client, or one that does not wait any more: its answer is for nobody.

The drawing is in ``docs/reference/links.md``. This module does not know what time it is, or what a packet holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

__all__ = ["MOVES", "Happening", "LinkState", "Role"]


class Role(Enum):
    """Which end of the link this is."""

    CLIENT = "client"
    METER = "meter"


class LinkState(Enum):
    """Where the message under way stands; the value says it in words."""

    IDLE = "no message is under way, and none is awaited"
    HELD_FIRST = "a message waits for the turn-around to be over; nothing of it has left"
    HELD_NEXT = "its next packet, or the same once more, waits for the turn-around to be over"
    AWAITING_ACK = "a packet has left, its ACK is awaited"
    AWAITING_REPLY = "the message has arrived, the answer to it is awaited"


class Happening(Enum):
    """What happens to a message; the value says it in words."""

    ASKED = "a message is to be sent"
    SENT = "the turn-around is over: the packet leaves"
    ACKNOWLEDGED = "ACK, and packets are left"
    DELIVERED = "ACK to the last packet"
    OVERTAKEN = "a new packet comes where an ACK should"
    NAKED = "NAK: the packet is to be sent again"
    SILENT = "no ACK in time: the packet is to be sent again"
    LISTENED = "wait for an answer, or for the rest of it"
    ANSWERED = "the whole answer has come"
    FAILED = "given up"
    FORGOTTEN = "the session is over"


_S, _H = LinkState, Happening

MOVES: Mapping[Role, Mapping[LinkState, Mapping[Happening, LinkState]]] = {
    Role.CLIENT: {
        _S.IDLE: {
            _H.ASKED: _S.HELD_FIRST,
            _H.LISTENED: _S.AWAITING_REPLY,
            _H.FORGOTTEN: _S.IDLE,
        },
        _S.HELD_FIRST: {
            _H.SENT: _S.AWAITING_ACK,
            _H.FORGOTTEN: _S.IDLE,
        },
        _S.HELD_NEXT: {
            _H.SENT: _S.AWAITING_ACK,
            _H.OVERTAKEN: _S.AWAITING_REPLY,
            _H.FORGOTTEN: _S.IDLE,
        },
        _S.AWAITING_ACK: {
            _H.ACKNOWLEDGED: _S.HELD_NEXT,
            _H.DELIVERED: _S.AWAITING_REPLY,
            _H.OVERTAKEN: _S.AWAITING_REPLY,
            _H.NAKED: _S.HELD_NEXT,
            _H.SILENT: _S.HELD_NEXT,
            _H.FAILED: _S.IDLE,
            _H.FORGOTTEN: _S.IDLE,
        },
        _S.AWAITING_REPLY: {
            _H.LISTENED: _S.AWAITING_REPLY,
            _H.ANSWERED: _S.IDLE,
            _H.FAILED: _S.IDLE,
            _H.FORGOTTEN: _S.IDLE,
        },
    },
    Role.METER: {
        _S.IDLE: {
            _H.ASKED: _S.HELD_FIRST,
            _H.FORGOTTEN: _S.IDLE,
        },
        _S.HELD_FIRST: {
            _H.SENT: _S.AWAITING_ACK,
            _H.OVERTAKEN: _S.IDLE,
            _H.FORGOTTEN: _S.IDLE,
        },
        _S.HELD_NEXT: {
            _H.SENT: _S.AWAITING_ACK,
            _H.OVERTAKEN: _S.IDLE,
            _H.FORGOTTEN: _S.IDLE,
        },
        _S.AWAITING_ACK: {
            _H.ACKNOWLEDGED: _S.HELD_NEXT,
            _H.DELIVERED: _S.IDLE,
            _H.OVERTAKEN: _S.IDLE,
            _H.NAKED: _S.HELD_NEXT,
            _H.SILENT: _S.HELD_NEXT,
            _H.FAILED: _S.IDLE,
            _H.FORGOTTEN: _S.IDLE,
        },
    },
}
"""What follows what; anything else is :class:`~osgp.errors.IllegalMove`."""
