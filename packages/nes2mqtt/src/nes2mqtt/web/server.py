"""uvicorn inside our own event loop: no signal handlers, no access log, no ticking.

Whoever can connect can also try to keep everybody else out, with connections that say nothing. So connections have a
limit, for all and for each address, and the time in which a request has to be said has one, too.

This module does not know what is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from nes2mqtt.web.config import WebConfig

__all__ = ["serve"]

MOST_CONNECTIONS = 200
"""Beyond the live clients; more are closed at once."""

ONE_ADDRESS = 0.5
"""Share of all connections that one address may hold. This machine is free of it: a reverse proxy speaks for many."""

PATIENCE = 10.0
"""Seconds in which a connection has to say a whole request, or to shake hands for TLS."""


class _Connection(H11Protocol):
    """A connection that is closed when there are too many, or when it says no request in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take the connection, or turn it away."""
        super().connection_made(transport)
        self._served: object = None
        self._look_again: asyncio.TimerHandle | None = None
        if self._is_too_many():
            transport.abort()
        else:
            self._look_again = self.loop.call_later(PATIENCE, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._look_again is not None:
            self._look_again.cancel()
        super().connection_lost(exc)

    def _is_too_many(self) -> bool:
        most = self.limit_concurrency or 0
        if len(self.connections) > most:
            return True
        address = _address(self)
        if not address or ipaddress.ip_address(address).is_loopback:
            return False
        return sum(_address(other) == address for other in self.connections) > most * ONE_ADDRESS

    def _look(self) -> None:
        """Close the connection when since the last look no request was begun or answered."""
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._served:
            self.transport.abort()
            return
        self._served = self.cycle
        self._look_again = self.loop.call_later(PATIENCE, self._look)


def _address(connection: object) -> str:
    client = getattr(connection, "client", None)
    return client[0].partition("%")[0] if client else ""


class _Server(uvicorn.Server):
    """A server that is stopped by cancelling it, and that sleeps when nobody asks."""

    def __init__(self, config: uvicorn.Config, opened: Callable[[], None]) -> None:
        super().__init__(config)
        self._opened = opened

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door. The original leaves a handshake for TLS a minute."""
        config, loop = self.config, asyncio.get_running_loop()
        await self.lifespan.startup()

        def connection() -> asyncio.Protocol:
            return _Connection(config, self.server_state, self.lifespan.state, loop)

        patience = PATIENCE if config.ssl is not None else None
        self.servers = [
            await loop.create_server(connection, sock=listener, ssl=config.ssl, ssl_handshake_timeout=patience)
            for listener in sockets or ()
        ]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the application."""
        yield

    async def main_loop(self) -> None:
        """Wait to be cancelled. The original wakes ten times a second for features that are off here."""
        self._opened()
        await asyncio.get_running_loop().create_future()


async def serve(app: ASGIApp, listener: socket.socket, config: WebConfig, opened: Callable[[], None]) -> None:
    """Serve until cancelled, then close all connections at once."""
    server = _Server(
        uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            # Our own handler logs mistakes; uvicorn would report every page that was closed or cut off as one.
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=MOST_CONNECTIONS + config.max_live_clients,
            ssl_certfile=config.tls_certificate,
            ssl_keyfile=config.tls_key,
        ),
        opened,
    )
    try:
        await server.serve([listener])
    finally:
        server.force_exit = True
        for connection in list(server.server_state.connections):
            connection.shutdown()
        for task in list(server.server_state.tasks):
            task.cancel()
        await asyncio.gather(*server.server_state.tasks, return_exceptions=True)
        for accepting in server.servers:
            accepting.close()
        # A connection that is still open now has nothing left to say.
        for connection in list(server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)
