"""The lines to the meters: connections in memory that lose, damage, break off and fall silent as told.

What one side writes is a message; it arrives whole or not at all, in order, 1 to 5 ms later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from simulation.loop import OWNER, SimLoop

__all__ = ["Line", "Lines"]


class Line:
    """A serial server with a meter behind it; it listens at a port."""

    def __init__(self, lines: Lines, factory: Callable[[], asyncio.Protocol], port: int) -> None:
        self.lines, self.factory, self.port = lines, factory, port
        self.loss = self.noise = 0.0
        """Share of the messages that are lost, and that arrive with one bit wrong."""
        self.deaf = False
        self.away = False
        self.lose_next = 0
        """So many messages from the meter to come are lost."""
        self.heard: Callable[[bytes], None] | None = None
        """Told of each message before the meter hears it."""
        self.sockets = [SimpleNamespace(getsockname=lambda: ("sim", port))]
        self._ends: list[_End] = []

    def close(self) -> None:
        self.break_off()

    async def wait_closed(self) -> None:
        pass

    def break_off(self) -> None:
        """Break all connections."""
        ends, self._ends = self._ends, []
        for end in ends:
            end.abort()

    def join(self, near: _End) -> None:
        self._ends.append(near)

    def fate(self, data: bytes, *, to_meter: bool) -> bytes | None:
        """Return what arrives of a message; None: nothing."""
        rng = self.lines.loop.rng
        if self.deaf or (self.loss and rng.random() < self.loss):
            return None
        if self.lose_next and not to_meter:
            self.lose_next -= 1
            return None
        if self.noise and rng.random() < self.noise:
            damaged = bytearray(data)
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            data = bytes(damaged)
        if to_meter and self.heard is not None:
            self.heard(data)
        return data


class Lines:
    """All lines of a world; they stand in for TCP.

    Args:
        loop: the loop.
        running: tells whether the program of a life (see :data:`~simulation.loop.OWNER`) still has its computer.
    """

    def __init__(self, loop: SimLoop, running: Callable[[int], bool]) -> None:
        self.loop, self.running = loop, running
        self.by_port: dict[int, Line] = {}
        loop.listen = self._listen
        loop.connect = self._connect

    async def _listen(self, factory: Callable[[], asyncio.Protocol], host: str = "", port: int = 0, **_: Any) -> Line:
        del host
        line = Line(self, factory, port or 10_000 + len(self.by_port))
        self.by_port[line.port] = line
        return line

    async def _connect(
        self, factory: Callable[[], asyncio.Protocol], host: str = "", port: int = 0, **_: Any
    ) -> tuple[_End, asyncio.Protocol]:
        del host
        await asyncio.sleep(0.002)
        line = self.by_port.get(port)
        if line is None or line.away:
            raise ConnectionRefusedError(111, "Connection refused")
        near, far = _End(line, OWNER.get(), near=True), _End(line, 0, near=False)
        near.far, far.far = far, near
        near.protocol, far.protocol = factory(), line.factory()
        line.join(near)
        far.protocol.connection_made(far)
        near.protocol.connection_made(near)
        return near, near.protocol


class _End(asyncio.Transport):
    """One end of a connection."""

    far: _End
    protocol: asyncio.Protocol

    def __init__(self, line: Line, owner: int, *, near: bool) -> None:
        super().__init__()
        self._line, self._owner, self._near = line, owner, near
        self._open = True
        self._last = 0.0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        line, lines = self._line, self._line.lines
        if not self._open or not lines.running(self._owner):
            return
        arrives = line.fate(bytes(data), to_meter=self._near)
        if arrives is None:
            return
        # Never two at the same time: the loop's heap of timers does not keep their order.
        self._last = max(self._last + 1e-6, lines.loop.now + 0.001 + lines.loop.rng.random() * 0.004)
        lines.loop.call_at(self._last, self.far.arrive, arrives)

    def arrive(self, data: bytes) -> None:
        if self._open:
            self.protocol.data_received(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return not self._open

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return SimpleNamespace(setsockopt=lambda *_: None) if name == "socket" else default

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        for end in (self, self.far):
            if end._open:
                end._open = False
                self._line.lines.loop.call_soon(end.protocol.connection_lost, None)

    close = abort
