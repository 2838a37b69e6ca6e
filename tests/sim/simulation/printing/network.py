"""The network in memory: who listens where, who is connected, and what a broken or silent line does.

Bytes arrive in order, some milliseconds later. A program that was killed closes its connections; a computer whose power is cut says
nothing any more, and the other side waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from simulation.loop import OWNER, SimLoop

__all__ = ["End", "Network", "Place"]

_SOCKET = SimpleNamespace(
    setsockopt=lambda *_: None, type=1, family=2, proto=6, fileno=lambda: 99, gettimeout=lambda: 0.0
)


class Place:
    """An address where somebody listens.

    Args:
        factory: makes the protocol of each connection.
        latency: least and most seconds a message takes.
    """

    def __init__(self, factory: Callable[[], asyncio.Protocol], latency: tuple[float, float] = (0.0003, 0.003)) -> None:
        self.factory, self.latency = factory, latency
        self.away = False
        """Nobody listens: connections are refused."""
        self.silent = False
        """Packets are lost on the way: nothing arrives, and nobody is told."""
        self.ends: list[End] = []
        """Of the connections there are, that of whoever listens."""

    def break_off(self) -> None:
        """Break all connections."""
        for end in tuple(self.ends):
            end.abort()


class Network:
    """All places; it stands in for TCP.

    Args:
        loop: the loop.
        alive: tells whether a life of a program (see :data:`~simulation.loop.OWNER`) still runs.
    """

    def __init__(self, loop: SimLoop, alive: Callable[[int], bool]) -> None:
        self.loop, self.alive = loop, alive
        self.places: dict[tuple[str, int], Place] = {}
        self.ends: list[End] = []
        loop.connect = self._connect

    def listen(self, host: str, port: int, place: Place) -> Place:
        """Let somebody listen."""
        self.places[host, port] = place
        return place

    async def start_connection(self, addr_infos: Any, **_: Any) -> Any:
        """Stand in for aiohttp's opening of sockets: it makes them itself and hands them to ``create_connection``."""
        return SimpleNamespace(place=addr_infos[0][4][:2], **vars(_SOCKET), close=lambda: None)

    async def _connect(
        self, factory: Callable[[], asyncio.Protocol], host: str = "", port: int = 0, *, sock: Any = None, **_: Any
    ) -> tuple[End, asyncio.Protocol]:
        if sock is not None:
            host, port = sock.place
        place = self.places.get((host, port))
        await asyncio.sleep(0.0005 + self.loop.rng.random() * 0.002)
        while place is not None and place.silent:  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(1)
        if place is None or place.away:
            raise ConnectionRefusedError(111, "Connection refused")
        near, far = End(self, place, OWNER.get()), End(self, place, 0)
        near.far, far.far = far, near
        near.protocol, far.protocol = factory(), place.factory()
        place.ends.append(far)
        self.ends += (near, far)
        far.protocol.connection_made(far)
        near.protocol.connection_made(near)
        return near, near.protocol

    def end_of(self, life: int, *, power: bool) -> None:
        """Close the connections of a life that was killed; with ``power`` nobody is told of it."""
        for end in tuple(self.ends):
            if end.owner == life:
                if power:
                    end.vanish()
                else:
                    end.close()


class End(asyncio.Transport):
    """One end of a connection."""

    far: End
    protocol: asyncio.Protocol

    def __init__(self, network: Network, place: Place, owner: int) -> None:
        super().__init__()
        self._network, self._place, self.owner = network, place, owner
        self._open = True
        self._last = 0.0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        if not self._open or not self._network.alive(self.owner) or self._place.silent or not data:
            return
        self._network.loop.call_at(self._soon(), self.far.arrive, bytes(data))

    def writelines(self, pieces: Any) -> None:
        """Send."""
        self.write(b"".join(pieces))

    def _soon(self) -> float:
        loop, (least, most) = self._network.loop, self._place.latency
        # Never two at the same time: the loop's heap of timers does not keep their order.
        self._last = max(self._last + 1e-6, loop.now + least + loop.rng.random() * (most - least))
        return self._last

    def arrive(self, data: bytes) -> None:
        """Receive."""
        if self._open and self._network.alive(self.owner):
            self.protocol.data_received(data)

    def write_eof(self) -> None:
        """Say that nothing more comes."""
        if self._open and self._network.alive(self.owner) and not self._place.silent:
            self._network.loop.call_at(self._soon(), self.far.end_comes)

    def end_comes(self) -> None:
        """Hear that nothing more comes."""
        if self._open and not self.protocol.eof_received():
            self.close()

    def can_write_eof(self) -> bool:
        """Tell that it can."""
        return True

    def close(self) -> None:
        """Close when all is sent."""
        if not self._open:
            return
        silent = self._place.silent
        self._gone(None)
        if not silent:
            self._network.loop.call_at(self._soon(), self.far.lose, None)

    def abort(self) -> None:
        """Break off."""
        if not self._open:
            return
        silent = self._place.silent
        self._gone(None)
        if not silent:
            self._network.loop.call_at(
                self._soon(), self.far.lose, ConnectionResetError(104, "Connection reset by peer")
            )

    def vanish(self) -> None:
        """End without a word to the other side."""
        self._gone(None)

    def lose(self, error: Exception | None) -> None:
        """Hear that the connection is gone."""
        if self._open:
            self._gone(error)

    def _gone(self, error: Exception | None) -> None:
        self._open = False
        for ends in (self._network.ends, self._place.ends):
            if self in ends:
                ends.remove(self)
        self._network.loop.call_soon(self.protocol.connection_lost, error)

    # What a transport has besides.

    def is_closing(self) -> bool:
        """Tell whether it is closed."""
        return not self._open

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell about the socket."""
        told = {"socket": _SOCKET, "peername": ("10.0.0.9", 1), "sockname": ("10.0.0.8", 2)}
        return told.get(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return whom it tells."""
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell another one."""
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def pause_reading(self) -> None:
        """Go on: what is in memory is small."""

    def resume_reading(self) -> None:
        """Go on."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have none."""

    def get_write_buffer_size(self) -> int:
        """Return that all is sent."""
        return 0
