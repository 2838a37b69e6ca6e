"""What this program asks of an MQTT client, and what a client may answer.

:class:`Client` is the port between this program and an MQTT client. :mod:`nes2mqtt.outputs.mqtt.client.wire_client` fills it;
tests fill it with a broker in memory. A client is one connection: it is made, connects
once, and is thrown away.

This module does not know how bytes get to a broker, nor what is published.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.config import MqttConfig

__all__ = [
    "Answer",
    "Client",
    "ClientFactory",
    "Disconnected",
    "Limits",
    "NoGreeting",
    "NoMqtt",
    "Received",
    "Refused",
    "Version",
]


class Version(IntEnum):
    """MQTT version, as the number in a CONNECT (MQTT 3.1.1 and 5, section 3.1.2.2)."""

    V311 = 4
    V5 = 5

    def __str__(self) -> str:
        """Return the version as people write it."""
        return {Version.V311: "3.1.1", Version.V5: "5"}[self]


class Answer(StrEnum):
    """The packets by which a broker can refuse something (MQTT 5, section 2.4)."""

    CONNACK = "CONNACK"
    PUBACK = "PUBACK"
    SUBACK = "SUBACK"
    DISCONNECT = "DISCONNECT"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker said of itself when it greeted us (MQTT 5, section 3.2.2.3).

    A broker of MQTT 3.1.1 says nothing, and has its limits all the same.
    """

    version: Version = Version.V311
    packet: int | None = None
    """Bytes of the largest packet it takes; None: it names no limit."""
    qos: int = 2
    """The highest QoS it takes."""
    retain: bool = True
    """Whether it keeps retained messages."""
    in_flight: int = 65535
    """Messages of QoS 1 that may wait for their PUBACK at once."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker."""

    topic: str
    payload: str
    retained: bool
    """It was kept by the broker and may be old."""


class Disconnected(Exception):
    """The connection is gone; whoever uses it has to wait for the next one. Its cause may be a :class:`Refused`."""


class NoGreeting(Exception):
    """The connection was made, but no CONNACK came: the broker closed it, or said nothing in time."""


class NoMqtt(Exception):
    """The other side sent what is no MQTT, or what may not come; the text says which, for a log."""


class Refused(Exception):
    """The broker answered with a reason code of 0x80 or more; after a PUBACK or SUBACK the connection goes on.

    Args:
        answer: the packet it came in.
        code: the reason code (MQTT 5, section 2.4; the refusals of MQTT 3.1.1 are given the same numbers).
        words: what the broker says of it in its own words (Reason String), if anything.
    """

    def __init__(self, answer: Answer, code: int, words: str = "") -> None:
        super().__init__(f"{answer} 0x{code:02X} {words}".rstrip())
        self.answer = answer
        self.code = code
        self.words = words


class Client(Protocol):
    """One connection to a broker. Only :meth:`connect` has time limits of its own; each method may be cancelled."""

    async def connect(self) -> Limits:
        """Connect and be greeted. Each address of the broker has its time, and so has the greeting.

        Raises:
            Disconnected: it did not work. The cause is :class:`Refused` (a CONNACK), :class:`NoGreeting`, or what the
                operating system said.
        """

    async def publish(self, message: Message) -> None:
        """Publish: with QoS 1 return when the broker has confirmed it, with QoS 0 when it is sent.

        Messages leave in the order of the calls.

        Raises:
            Refused: the broker does not take it (PUBACK); the connection goes on.
            Disconnected: nobody knows whether the broker got it.
        """

    async def subscribe(self, topics: Sequence[str]) -> Sequence[Refused | None]:
        """Ask for messages on topics, QoS 1; return for each topic why it is refused, None if it is not.

        Raises:
            Disconnected: the connection is gone.
        """

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """Ask for no more messages on topics.

        Raises:
            Disconnected: the connection is gone.
        """

    def messages(self) -> AsyncIterator[Received]:
        """Yield what the broker sends.

        Raises:
            Disconnected: the connection is gone. If the broker said why (DISCONNECT), the cause is :class:`Refused`.
        """

    async def disconnect(self) -> None:
        """Take leave in good order, so that the broker does not publish the will; never raises."""

    def hang_up(self) -> None:
        """Free what the connection holds, whatever its state; once more does no harm."""


ClientFactory = Callable[[MqttConfig, str, Message, Version], Client]
"""Makes a client: the broker's section, our client id, the will, the version to speak.

Raises OSError or ValueError for a certificate or key that cannot be used."""
