"""A connection to a broker as a state machine: what came, what may come, and what is to be answered.

::

    NEW --greet--> GREETING --CONNACK, code 0--> OPEN --DISCONNECT, farewell--> OVER
                      |                           |
                      +--CONNACK, code != 0-------+--anything that may not come there--> OVER

Bytes in, events out; it never waits and never sends by itself: what is to be sent is returned, or stands in :attr:`Wire.answers`.

This module does not know sockets or clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TypeAlias

from nes2mqtt.outputs.mqtt.client.wire.fields import PROTOCOL_ERROR, Malformed
from nes2mqtt.outputs.mqtt.client.wire.packets import (
    LAST,
    PING,
    V5,
    Arrived,
    Confirmed,
    Ended,
    Greeted,
    Hello,
    Kind,
    Subscribed,
    confirm,
    connack,
    connect,
    disconnect,
    disconnected,
    puback,
    publish,
    published,
    suback,
    subscribe,
    unsubscribe,
)

__all__ = ["Event", "Ponged", "State", "TooLarge", "Wire"]

_TOO_LARGE = 0x95
_NUMBERS = 65_535
"""Packet identifiers there are (section 2.2.1)."""


class State(Enum):
    """Where a connection is."""

    NEW = "new"
    GREETING = "greeting"
    """CONNECT was sent."""
    OPEN = "open"
    OVER = "over"


class Ponged:
    """A PINGRESP."""


_PONGED = Ponged()

Event: TypeAlias = Greeted | Confirmed | Subscribed | Arrived | Ended | Ponged


class TooLarge(ValueError):
    """The packet is larger than the broker takes (section 3.2.2.3.6)."""


class Wire:
    """One connection.

    Args:
        hello: what we say of ourselves.
        version: 4 for MQTT 3.1.1, 5 for 5.
    """

    def __init__(self, hello: Hello, version: int) -> None:
        self.state = State.NEW
        self.version = version
        self.broker = Greeted()
        """What the broker said of itself."""
        self.answers: list[bytes] = []
        """What is to be sent for what was received; whoever sends it empties it."""
        self.unconfirmed = 0
        """Messages of QoS 1 that wait for their PUBACK."""
        self._hello = hello
        self._part = b""
        """The beginning of a packet whose rest has not come."""
        self._last = 0
        self._in_use: dict[int, Kind] = {}
        """Packet identifiers that wait for an answer of this kind."""

    # What we send.

    def greet(self) -> bytes:
        """Return the CONNECT, the first packet of a connection (section 3.1).

        Raises:
            ValueError: a text is too long, or we have greeted already.
        """
        if self.state is not State.NEW:
            raise ValueError("a connection is greeted once")
        data = connect(self._hello, self.version)
        self.state = State.GREETING
        return data

    def publish(self, topic: str, payload: bytes, *, confirmed: bool, retain: bool) -> tuple[bytes, int]:
        """Return a PUBLISH, and its number: QoS 1 if it is to be confirmed, else QoS 0 with the number 0.

        No more than :attr:`Greeted.receive` messages may be unconfirmed; see :attr:`unconfirmed`.

        Raises:
            TooLarge: the broker does not take packets of this size.
            ValueError: it is longer than MQTT allows, or no connection is open.
        """
        self._must_be_open()
        number = self._number() if confirmed else 0
        data = publish(topic, payload, number, self.version, retain=retain)
        if self.broker.packet is not None and len(data) > self.broker.packet:
            raise TooLarge(f"a packet of {len(data)} bytes; the broker takes {self.broker.packet}")
        if confirmed:
            self._in_use[number] = Kind.PUBACK
            self.unconfirmed += 1
        return data, number

    def subscribe(self, topics: Sequence[str]) -> tuple[bytes, int]:
        """Return a SUBSCRIBE for topics, QoS 1, and its number."""
        self._must_be_open()
        number = self._number()
        data = subscribe(number, topics, self.version)
        self._in_use[number] = Kind.SUBACK
        return data, number

    def unsubscribe(self, topics: Sequence[str]) -> tuple[bytes, int]:
        """Return an UNSUBSCRIBE, and its number."""
        self._must_be_open()
        number = self._number()
        data = unsubscribe(number, topics, self.version)
        self._in_use[number] = Kind.UNSUBACK
        return data, number

    def ping(self) -> bytes:
        """Return a PINGREQ."""
        self._must_be_open()
        return PING

    def farewell(self) -> bytes:
        """Return the last packet: after it the broker forgets the will (section 3.14.4). Empty when nothing is open."""
        was_open = self.state is State.OPEN
        self.state = State.OVER
        return LAST if was_open else b""

    def _must_be_open(self) -> None:
        if self.state is not State.OPEN:
            raise ValueError("no connection is open")

    def _number(self) -> int:
        """Return a packet identifier that is not in use (section 2.2.1)."""
        if len(self._in_use) >= _NUMBERS:
            raise ValueError("every packet identifier is in use")
        number = self._last
        while True:
            number = number % _NUMBERS + 1
            if number not in self._in_use:
                self._last = number
                return number

    # What we get.

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes, and return what they say.

        Raises:
            Malformed: they are no MQTT, or nothing that may come now. The connection is over; :attr:`answers` holds our last
                word. What came before in the same bytes is lost, as the connection is.
        """
        try:
            events: list[Event] = []
            for first, body in self._packets(data):
                if first == 0x40 and len(body) == 2 and self.state is State.OPEN:  # noqa: PLR2004 - by far the most come so
                    number = body[0] << 8 | body[1]
                    if self._answers(number, Kind.PUBACK):
                        events.append(Confirmed(number))
                elif (event := self._understood(first, body)) is not None:
                    events.append(event)
        except Malformed as error:
            if self.state is State.OPEN:
                self.answers.append(disconnect(error.code, self.version))
            self.state = State.OVER
            raise
        return events

    def _packets(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the first byte and the body of each packet that is whole (section 2.1)."""
        data = self._part + data if self._part else data
        self._part = b""
        at, end = 0, len(data)
        if data and self.state is State.GREETING and data[0] >> 4 != Kind.CONNACK:
            # Whoever speaks another protocol is known by its first byte; the packet it seems to begin may never end.
            raise Malformed("the first packet is no CONNACK", PROTOCOL_ERROR)
        while at + 1 < end and self.state is not State.OVER:
            length, place = data[at + 1], at + 2
            if length >= 0x80:  # noqa: PLR2004 - more bytes of the length follow
                length &= 0x7F
                for shift in (7, 14, 21, 28):
                    if shift == 28:  # noqa: PLR2004
                        raise Malformed("a length goes on without end")
                    if place == end:
                        self._part = data[at:]
                        return
                    byte = data[place]
                    place += 1
                    length |= (byte & 0x7F) << shift
                    if byte < 0x80:  # noqa: PLR2004
                        break
            if place + length - at > self._hello.packet:
                raise Malformed("a packet is larger than we take", _TOO_LARGE)
            if place + length > end:
                break
            body = data[place : place + length]
            first, at = data[at], place + length
            yield first, body
        self._part = data[at:]

    def _understood(self, first: int, body: bytes) -> Event | None:
        kind, flags = first >> 4, first & 15
        if flags and kind != Kind.PUBLISH:
            raise Malformed("a packet has flags that are reserved")
        if self.state is State.GREETING:
            return self._greeted(body)
        match kind:
            case Kind.PUBLISH:
                arrived = published(flags, body, self.version)
                if arrived.number:
                    self.answers.append(confirm(arrived.number))
                return arrived
            case Kind.PUBACK:
                confirmed = puback(body, self.version)
                return confirmed if self._answers(confirmed.number, Kind.PUBACK) else None
            case Kind.SUBACK | Kind.UNSUBACK:
                subscribed = suback(body, self.version)
                return subscribed if self._answers(subscribed.number, Kind(kind)) else None
            case Kind.PINGRESP if not body:
                return _PONGED
            case Kind.DISCONNECT if self.version == V5:
                self.state = State.OVER
                return disconnected(body)
        raise Malformed(f"a packet of type {kind} cannot come", PROTOCOL_ERROR)

    def _greeted(self, body: bytes) -> Greeted:
        self.broker = connack(body, self.version)
        self.state = State.OVER if self.broker.code else State.OPEN
        return self.broker

    def _answers(self, number: int, kind: Kind) -> bool:
        """Tell whether this answers what we sent under a number. What answers nothing does no harm and is passed over."""
        if self._in_use.get(number) is not kind:
            return False
        del self._in_use[number]
        if kind is Kind.PUBACK:
            self.unconfirmed -= 1
        return True
