"""uvicorn inside our own event loop: no signal handlers, no access log, no ticking.

This module does not know what is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from nes2mqtt.web.config import WebConfig

__all__ = ["serve"]

MOST_CONNECTIONS = 200
"""Beyond the live clients; more are answered with 503."""


class _Server(uvicorn.Server):
    """A server that is stopped by cancelling it, and that sleeps when nobody asks."""

    def __init__(self, config: uvicorn.Config, opened: Callable[[], None]) -> None:
        super().__init__(config)
        self._opened = opened

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
            http="h11",
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
