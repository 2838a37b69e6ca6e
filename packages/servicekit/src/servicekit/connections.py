"""Connections to a page: so many for all, so many for one address, and none that only holds its place.

Whoever can connect can also try to keep everybody else out, with connections that say nothing, that say it slowly or that do
not read what they asked for. Each connection goes through a :class:`ConnectionLimit` before the web server gets it; that one closes
those that say no request in time, the limit those that do not take their answer.

This module does not know what is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

from servicekit.limits import Shares

__all__ = ["LEAST_TAKEN", "MOST_CONNECTIONS", "REQUEST_WITHIN", "TAKEN_WITHIN", "ConnectionLimit"]

MOST_CONNECTIONS = 200
"""More are closed at once."""
TAKEN_WITHIN = 30.0
"""Seconds between two looks whether a connection takes what it asked for."""
LEAST_TAKEN = 10_000
"""Bytes that a connection has to take between two looks while it has any to take; GPRS takes ten times as many."""
REQUEST_WITHIN = 20.0
"""Seconds in which a connection has to say a whole request, and between two requests."""


class ConnectionLimit:
    """Lets connections in, or not.

    Args:
        serve: makes the protocol of a connection that is let in.
        spokesmen: networks of proxies.
        most: connections there may be.
    """

    def __init__(
        self, serve: Callable[[], asyncio.Protocol], spokesmen: Iterable[str] = (), *, most: int = MOST_CONNECTIONS
    ) -> None:
        self._serve = serve
        self._shares = Shares(most, spokesmen)
        self._inside: dict[_Counted, str] = {}

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection, until it is known whose it is."""
        return _Arriving(self)

    def admit(self, transport: asyncio.Transport) -> None:
        """Hand a connection to the server, or close it."""
        self._inside = {each: holder for each, holder in self._inside.items() if not each.is_over()}
        address = str((transport.get_extra_info("peername") or ("",))[0])
        holder = self._shares.holder(address)
        if not self._shares.admits(holder, self._inside.values()):
            transport.abort()
            return
        counted = _Counted(transport)
        self._inside[counted] = holder
        protocol = self._serve()
        transport.set_protocol(protocol)
        protocol.connection_made(cast("asyncio.Transport", counted))
        self._look_later(counted)

    def _look_later(self, connection: _Counted) -> None:
        before, taken = connection.to_take(), connection.taken()

        def look() -> None:
            if connection.is_over():
                self._inside.pop(connection, None)
            elif before and connection.taken() - taken < min(before, LEAST_TAKEN):
                connection.abort()
            else:
                self._look_later(connection)

        asyncio.get_running_loop().call_later(TAKEN_WITHIN, look)


class _Counted:
    """A transport that counts what is written: else a full buffer that is read and filled again looks like one nobody reads."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._written += len(data)
        self._transport.write(data)

    def writelines(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(parts))

    def to_take(self) -> int:
        """Return the bytes that the other side has not taken yet."""
        return self._transport.get_write_buffer_size()

    def taken(self) -> int:
        """Return the bytes it has taken so far."""
        return self._written - self.to_take()

    def is_over(self) -> bool:
        """Tell whether it is closed; one that is to be closed when all is taken is not."""
        return self._transport.is_closing() and not self.to_take()


class _Arriving(asyncio.Protocol):
    def __init__(self, limit: ConnectionLimit) -> None:
        self._limit = limit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._limit.admit(cast("asyncio.Transport", transport))
