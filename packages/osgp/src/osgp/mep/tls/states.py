"""How far a handshake has come, at both ends, as tables: which message may come when, and what follows it.

The flights, each of them one frame of the MEP port (MEP guide v1.1 p. 14)::

    client                                        meter
    ClientHello                            ->
                                           <-     ServerHello, [ServerKeyExchange,] ServerHelloDone
    ClientKeyExchange,
    ChangeCipherSpec, Finished             ->
                                           <-     ChangeCipherSpec, Finished

What stands in no row of its state ends the handshake: TLS forgives nothing. The drawings are in
``docs/reference/links.md``. This module does not know what stands in a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

__all__ = ["CLIENT", "SERVER", "Step", "Taken"]


class Step(Enum):
    """How far a handshake has come; the value says it in words."""

    BEGUN = "the hello of the other side is awaited"
    GREETED = "the other side's hello was taken"
    HINTED = "the meter gave a hint which key it wants"
    PROVING = "our own proof is out, the other side's is awaited"
    KEYED = "the identity was taken, so both sides have the session's keys"
    SEALED = "from here on the other side's records are sealed"
    OPEN = "both proofs are right: the session is open"


class Taken(Enum):
    """What is taken from the other side; the value is its name in TLS."""

    CLIENT_HELLO = "ClientHello"
    SERVER_HELLO = "ServerHello"
    SERVER_KEY_EXCHANGE = "ServerKeyExchange"
    SERVER_HELLO_DONE = "ServerHelloDone"
    CLIENT_KEY_EXCHANGE = "ClientKeyExchange"
    CHANGE_CIPHER_SPEC = "ChangeCipherSpec"
    FINISHED = "Finished"


CLIENT: Mapping[Step, Mapping[Taken, Step]] = {
    Step.BEGUN: {Taken.SERVER_HELLO: Step.GREETED},
    Step.GREETED: {Taken.SERVER_KEY_EXCHANGE: Step.HINTED, Taken.SERVER_HELLO_DONE: Step.PROVING},
    Step.HINTED: {Taken.SERVER_HELLO_DONE: Step.PROVING},
    Step.PROVING: {Taken.CHANGE_CIPHER_SPEC: Step.SEALED},
    Step.SEALED: {Taken.FINISHED: Step.OPEN},
    Step.OPEN: {},
}
"""What a client takes from the meter."""

SERVER: Mapping[Step, Mapping[Taken, Step]] = {
    Step.BEGUN: {Taken.CLIENT_HELLO: Step.GREETED},
    Step.GREETED: {Taken.CLIENT_KEY_EXCHANGE: Step.KEYED},
    Step.KEYED: {Taken.CHANGE_CIPHER_SPEC: Step.SEALED},
    Step.SEALED: {Taken.FINISHED: Step.OPEN},
    Step.OPEN: {},
}
"""What the meter takes from a client."""
