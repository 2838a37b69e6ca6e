"""A broker in memory that speaks MQTT 3.1.1 and 5, byte by byte, with the product's client at the other end.

What it does wrong is told to it by :class:`Mood`: it answers packets with any reason code, has limits, keeps silent, loses
acknowledgements, breaks connections off. It keeps retained messages and carries wills out, as late as a
broker does that has to wait for one and a half keep-alives.
"""

from __future__ import annotations

import asyncio
import errno
import fnmatch
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nes2mqtt.outputs.mqtt.client import wire_client
from simulation.gateway import packets
from simulation.gateway.packets import Kind, Packet, Publish
from simulation.loop import OWNER, SimLoop

__all__ = ["Broker", "Mood"]

TOO_LARGE, QUOTA, NO_RETAIN, NO_QOS = 0x95, 0x93, 0x9A, 0x9B
"""What MQTT 5 says when a limit is exceeded (section 3.14.2.1)."""


@dataclass(slots=True)
class Mood:
    """How the broker is at the moment."""

    away: bool = False
    """Nobody listens."""
    mute: frozenset[int] = frozenset()
    """Kinds of packets that it takes and leaves without an answer."""
    greeting: int = 0
    """Reason code of each CONNACK (MQTT 5 numbers)."""
    refuse: int = 0
    """Reason code of each PUBACK to a topic that :attr:`refused` fits."""
    refused: str = "*"
    wish: int = 0
    """Reason code of each SUBACK."""
    largest: int = 0
    """Maximum packet size; 0: none."""
    best: int = 2
    """Maximum quality of service."""
    retains: bool = True
    receive: int = 0
    """Receive maximum; 0: none told."""
    lose_acks: int = 0
    """It takes so many messages to come and breaks the connection off before it confirms them."""
    slow: float = 0.0
    """Seconds until it answers."""


@dataclass(slots=True)
class _Client:
    """One connection."""

    socket: _Socket
    version: int = 4
    name: str = ""
    keepalive: int = 0
    will: Publish | None = None
    topics: dict[str, int] = field(default_factory=dict)
    buffer: bytearray = field(default_factory=bytearray)
    greeted: bool = False
    heard: float = 0.0
    number: int = 0


class _Socket(asyncio.Transport):
    """A connection; the product writes to it, and its protocol is told what comes."""

    def __init__(self, broker: Broker, owner: int) -> None:
        super().__init__()
        self._broker, self._owner = broker, owner
        self.client = _Client(self)
        self.protocol: asyncio.Protocol | None = None
        self._open = True
        self._last = 0.0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._open and self._broker.running(self._owner):
            self._broker.later(self, bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return not self._open

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        del name
        return default

    def close(self) -> None:
        """Hang up. What was written before still arrives."""
        if self._open and self._broker.running(self._owner):
            self._open = False
            self._broker.loop.call_at(self.when(), self._broker.hung_up, self.client)
            self._tell_the_end()

    def abort(self) -> None:
        self.close()

    def _tell_the_end(self) -> None:
        assert self.protocol is not None
        self._broker.loop.call_soon(self.protocol.connection_lost, None)

    # The broker's end.

    def arrive(self, data: bytes) -> None:
        if self._open and self.protocol is not None and self._broker.running(self._owner):
            self.protocol.data_received(data)

    def end(self) -> None:
        if self._open and self._broker.running(self._owner):
            self._open = False
            self._tell_the_end()

    def when(self, late: float = 0.0) -> float:
        """Return when the next bytes arrive at the other side: never two at once."""
        loop = self._broker.loop
        self._last = max(self._last + 1e-6, loop.now + late + 0.0005 + loop.rng.random() * 0.002)
        return self._last


class Broker:
    """The broker.

    Args:
        loop: the loop.
        running: tells whether the program of a life still has its computer.
        took: told of each message it takes, with the reason code it answers.
    """

    def __init__(
        self, loop: SimLoop, running: Callable[[int], bool], took: Callable[[Publish, int], None] = lambda *_: None
    ) -> None:
        self.loop, self.running, self.took = loop, running, took
        self.mood = Mood()
        self.retained: dict[str, bytes] = {}
        self.clients: list[_Client] = []
        self.messages = 0

    @contextmanager
    def in_place_of_network(self) -> Iterator[None]:
        """Give the product's client this broker."""
        before = wire_client.open_connection
        wire_client.open_connection = self._open
        try:
            yield
        finally:
            wire_client.open_connection = before

    async def _open(self, config: object, tls: object, protocol: Callable[[], asyncio.Protocol]) -> None:
        del config, tls
        await asyncio.sleep(0.001)
        socket = self.connect()
        socket.protocol = protocol()
        socket.protocol.connection_made(socket)

    # Connections.

    def connect(self) -> _Socket:
        """Return a new connection.

        Raises:
            ConnectionRefusedError: nobody listens.
        """
        if self.mood.away or not self.running(OWNER.get()):
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        made = _Socket(self, OWNER.get())
        made.client.heard = self.loop.now
        self.clients.append(made.client)
        return made

    def later(self, socket: _Socket, data: bytes) -> None:
        self.loop.call_at(socket.when(), self._arrive, socket.client, data)

    def hung_up(self, client: _Client) -> None:
        """Act on the end of a connection that the client closed without a farewell."""
        self._forget(client, bury=self.running(client.socket._owner))

    def _forget(self, client: _Client, *, bury: bool) -> None:
        if client in self.clients:
            self.clients.remove(client)
            if bury and client.will is not None and client.greeted:
                self._take(client.will)

    def drop(self, client: _Client, reason: int | None = None) -> None:
        """Break a connection off; MQTT 5 may tell why."""
        if reason is not None and client.version == 5 and client.greeted:
            self._send(client, packets.packet(Kind.DISCONNECT, bytes((reason, 0))))
        self._forget(client, bury=True)
        self.loop.call_at(client.socket.when(), client.socket.end)

    def drop_all(self, reason: int | None = None) -> None:
        """Break all connections off."""
        for client in tuple(self.clients):
            self.drop(client, reason)

    def vanish(self, owner: int) -> None:
        """The computer of a life lost its power: no farewell comes, and one and a half keep-alives later its wills are due."""
        for client in tuple(self.clients):
            if client.socket._owner == owner:
                self.loop.call_later(
                    1.5 * (client.keepalive or 30), lambda client=client: self._forget(client, bury=True)
                )

    def garbage(self) -> None:
        """Send bytes to everybody that are no MQTT."""
        for client in tuple(self.clients):
            self._send(client, b"\x00\xff\xff\xff\xff\xff\xff")

    # What comes.

    def _arrive(self, client: _Client, data: bytes) -> None:
        if client not in self.clients:
            return
        client.heard = self.loop.now
        client.buffer += data
        for found in packets.split(client.buffer):
            if client not in self.clients:
                return
            self._answer(client, found)

    def _answer(self, client: _Client, found: Packet) -> None:
        if found.kind == Kind.DISCONNECT:
            client.will = None
            self._forget(client, bury=False)
            self.loop.call_at(client.socket.when(), client.socket.end)
            return
        if found.kind == Kind.PUBLISH and not self._allowed(client, found):
            return
        if found.kind in self.mood.mute:
            return
        match found.kind:
            case Kind.CONNECT:
                self._greet(client, packets.connect(found))
            case Kind.PUBLISH:
                self._publish(client, packets.publish(found, client.version))
            case Kind.SUBSCRIBE | Kind.UNSUBSCRIBE:
                self._subscribe(client, found)
            case Kind.PINGREQ:
                self._send(client, packets.packet(Kind.PINGRESP))

    def _greet(self, client: _Client, told: packets.Connect) -> None:
        client.version, client.name, client.keepalive = told.version, told.client_id, told.keepalive
        code = self.mood.greeting
        if client.version != 5:
            old = {0x84: 1, 0x85: 2, 0x88: 3, 0x86: 4, 0x87: 5}.get(code, 3 if code else 0)
            self._send(client, packets.packet(Kind.CONNACK, bytes((0, old))))
        else:
            limits: dict[int, int | str] = {}
            mood = self.mood
            if mood.largest:
                limits[0x27] = mood.largest
            if mood.best < 2:
                limits[0x24] = mood.best
            if not mood.retains:
                limits[0x25] = 0
            if mood.receive:
                limits[0x21] = mood.receive
            self._send(client, packets.packet(Kind.CONNACK, bytes((0, code)) + packets.properties(limits)))
        if code:
            self.drop(client)
            return
        for other in tuple(self.clients):
            if other is not client and other.greeted and other.name == client.name:
                self.drop(other, 0x8E)
        client.will, client.greeted = told.will, True

    def _allowed(self, client: _Client, found: Packet) -> bool:
        """Check a message against the limits; MQTT 5 tells which one was exceeded, 3.1.1 cannot."""
        mood, qos, retain = self.mood, found.flags >> 1 & 3, found.flags & 1
        reason = None
        if mood.largest and found.size > mood.largest:
            reason = TOO_LARGE
        elif qos > mood.best:
            reason = NO_QOS
        elif retain and not mood.retains:
            reason = NO_RETAIN
        if reason is not None:
            self.drop(client, reason)
        return reason is None

    def _publish(self, client: _Client, message: Publish) -> None:
        mood = self.mood
        refused = mood.refuse if mood.refuse and fnmatch.fnmatchcase(message.topic, mood.refused) else 0
        self.took(message, refused)
        if not refused:
            self._take(message)
        if not message.qos:
            return
        if mood.lose_acks:
            mood.lose_acks -= 1
            self.drop(client)
            return
        # MQTT 3.1.1 cannot refuse: a broker that does not want a message confirms it and throws it away.
        reason = bytes((refused, 0)) if refused and client.version == 5 else b""
        self._send(client, packets.packet(Kind.PUBACK, message.number.to_bytes(2, "big") + reason))

    def _take(self, message: Publish) -> None:
        self.messages += 1
        if message.retain:
            if message.payload:
                self.retained[message.topic] = message.payload
            else:
                self.retained.pop(message.topic, None)
        for client in tuple(self.clients):
            if message.topic in client.topics:
                self._hand(client, message, retain=False)

    def _hand(self, client: _Client, message: Publish, *, retain: bool) -> None:
        qos = min(message.qos, client.topics[message.topic])
        client.number = client.number % 65535 + 1
        handed = Publish(message.topic, message.payload, qos, retain, client.number)
        self._send(client, packets.published(handed, client.version))

    def _subscribe(self, client: _Client, found: Packet) -> None:
        asked = packets.subscribe(found, client.version)
        number, more = asked.number.to_bytes(2, "big"), b"\0" if client.version == 5 else b""
        if found.kind == Kind.UNSUBSCRIBE:
            for topic, _ in asked.topics:
                client.topics.pop(topic, None)
            self._send(
                client, packets.packet(Kind.UNSUBACK, number + more + (bytes(len(asked.topics)) if more else b""))
            )
            return
        wish = self.mood.wish
        codes = bytes(
            (wish if client.version == 5 else 0x80) if wish else min(qos, self.mood.best) for _, qos in asked.topics
        )
        self._send(client, packets.packet(Kind.SUBACK, number + more + codes))
        if not wish:
            for topic, qos in asked.topics:
                client.topics[topic] = qos
                if topic in self.retained:
                    self._hand(client, Publish(topic, self.retained[topic], 1, True), retain=True)

    def _send(self, client: _Client, data: bytes) -> None:
        self.loop.call_at(client.socket.when(self.mood.slow), client.socket.arrive, data)

    def check_keepalives(self) -> None:
        """Break off whoever was silent for too long; the world calls it now and then."""
        for client in tuple(self.clients):
            if client.keepalive and self.loop.now - client.heard > 1.5 * client.keepalive:
                self.drop(client, 0x8D)
