"""Connections to the page: so many for all, so many for one address, and none that only holds its place.

Whoever can connect can also try to keep everybody else out, with connections that say nothing or say it slowly. Each
connection goes through a :class:`Door` before aiohttp's server gets it; that one closes those that say no request in time.

This module does not know what is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from servicekit.caller import address_of, network_of
from servicekit.limits import subscriber

__all__ = ["MOST_CONNECTIONS", "REQUEST_WITHIN", "Door"]

MOST_CONNECTIONS = 200
"""More are closed at once."""
_ONE_ADDRESS = 0.5
"""Share that one address, or one IPv6 /64, may hold. This machine and trusted proxies are free of it: they speak for many."""
REQUEST_WITHIN = 20.0
"""Seconds in which a connection has to say a whole request, and between two requests."""


class Door:
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
        self._spokesmen = tuple(network_of(text) for text in spokesmen)
        self._most = most
        self._inside: dict[asyncio.Transport, str] = {}

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection, until it is known whose it is."""
        return _Arriving(self)

    def admit(self, transport: asyncio.Transport) -> None:
        """Hand a connection to the server, or close it."""
        self._inside = {each: whose for each, whose in self._inside.items() if not each.is_closing()}
        address = str((transport.get_extra_info("peername") or ("",))[0])
        whose = "" if self._speaks_for_many(address) else subscriber(address)
        of_one = sum(each == whose for each in self._inside.values()) if whose else 0
        if len(self._inside) >= self._most or of_one >= self._most * _ONE_ADDRESS:
            transport.abort()
            return
        self._inside[transport] = whose
        protocol = self._serve()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    def _speaks_for_many(self, address: str) -> bool:
        parsed = address_of(address)
        return parsed is not None and (
            parsed.is_loopback
            or any(parsed.version == network.version and parsed in network for network in self._spokesmen)
        )


class _Arriving(asyncio.Protocol):
    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._door.admit(cast("asyncio.Transport", transport))
