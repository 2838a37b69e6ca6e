"""uvicorn inside our own event loop: no signal handlers, no access log, no ticking.

Whoever can connect can also try to keep everybody else out, with connections that say nothing, that say it slowly or
that do not read what they asked for. So the number of connections has a limit, for all and for each address. The time
in which a request has to be said has one too, and so has the time in which a reply has to be taken.

This module does not know what is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Generator, Iterable

import h11
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server

from nes2mqtt.outputs.web.access.headers import security_headers
from nes2mqtt.outputs.web.config import WebConfig
from servicekit.limits import Shares
from servicekit.page import MOST_HEAD

__all__ = ["serve"]

MOST_CONNECTIONS = 200
"""Beyond the live clients; more are closed at once."""

PATIENCE = 10.0
"""Seconds in which a connection has to say a whole request, or to shake hands for TLS."""

LEAST_TAKEN = 10_000
"""Bytes of a reply that a connection has to take within :data:`PATIENCE` while it has any to take."""

_TOO_LARGE = 431


class _Connection(H11Protocol):
    """A connection that is closed when there are too many, says no request in time, or does not take its reply."""

    shares = Shares(0)
    """How many connections all, and one address, may hold."""
    reply_headers: tuple[tuple[bytes, bytes], ...] = ()
    """What every reply carries."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take the connection, or turn it away."""
        super().connection_made(transport)
        self._served: object = None
        self._to_take = 0
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

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request. The original tells 400 of all, and has none of our headers."""
        error = sys.exc_info()[1]
        too_large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == _TOO_LARGE
        status, words = (_TOO_LARGE, "The request's headers are too long.\n") if too_large else (400, f"{msg}\n")
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(words)).encode()),
            (b"connection", b"close"),
            *self.reply_headers,
        ]
        for event in (
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=words.encode("ascii")),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _is_too_many(self) -> bool:
        others = [self.shares.holder(_address(each)) for each in self.connections if each is not self]
        return not self.shares.admits(self.shares.holder(_address(self)), others)

    def _look(self) -> None:
        """Close the connection when since the last look no request was begun or answered, or no reply taken."""
        to_take = self.transport.get_write_buffer_size()
        idle = self.cycle is None or self.cycle.response_complete
        stuck = 0 < self._to_take <= to_take + LEAST_TAKEN and to_take > 0
        if stuck or (idle and self.cycle is self._served):
            self.transport.abort()
            return
        self._served, self._to_take = None if to_take else self.cycle, to_take
        self._look_again = self.loop.call_later(PATIENCE, self._look)


def _address(connection: object) -> str:
    client = getattr(connection, "client", None)
    return client[0] if client else ""


class _Server(Server):
    """A server that is stopped by cancelling it, and that sleeps when nobody asks."""

    def __init__(
        self,
        config: Config,
        opened: Callable[[], None],
        *,
        shares: Shares,
        reply_headers: Iterable[tuple[str, str]],
    ) -> None:
        super().__init__(config)
        self._opened = opened
        self._shares = shares
        self._reply_headers = tuple((name.encode(), value.encode()) for name, value in reply_headers)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door. The original leaves a handshake for TLS a minute."""
        config, loop = self.config, asyncio.get_running_loop()
        await self.lifespan.startup()

        def connection() -> asyncio.Protocol:
            made = _Connection(config, self.server_state, self.lifespan.state, loop)
            made.shares, made.reply_headers = self._shares, self._reply_headers
            return made

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
        Config(
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
            h11_max_incomplete_event_size=MOST_HEAD,
            ssl_certfile=config.tls_certificate,
            ssl_keyfile=config.tls_key,
        ),
        opened,
        shares=Shares(MOST_CONNECTIONS + config.max_live_clients, config.trusted_proxies),
        reply_headers=security_headers(config),
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
