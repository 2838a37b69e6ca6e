"""The connections to one server that is asked by IPP over HTTP: opened when needed, trusted as told, counted.

This module does not know what goes over them.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any, Final

import aiohttp

from piprint.errors import PrinterError
from servicekit.tls import client_context

__all__ = ["Line"]

_IDLE: Final = 1.0
"""Seconds a connection is kept: shorter than any printer does, so that none is taken that the other side is closing."""
_KEPT: Final = 300.0
"""Seconds a connection is kept that shall tell whether the other side runs on."""


class Line:
    """The connections to one server.

    Args:
        tls: the server speaks TLS.
        ca_file: PEM file its certificate must fit; None for the system's authorities.
        keep: use one connection for everything, and keep it: that it is the same tells that the other side has run on.

    Attributes:
        connections: how many connections were opened so far; of use with ``keep``.
    """

    def __init__(self, *, tls: bool, ca_file: Path | None = None, keep: bool = False) -> None:
        self.connections = 0
        self._tls = tls
        self._ca_file = ca_file
        self._keep = keep
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """Return what asks over these connections.

        Raises:
            PrinterError: the ca_file cannot be used.
        """
        self._session = self._session or self._open()
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._trust() if self._tls else True,
            keepalive_timeout=_KEPT if self._keep else _IDLE,
            limit=1 if self._keep else 0,
            socket_factory=_socket,
            resolver=aiohttp.ThreadedResolver(),  # the system's, which knows printer.local and /etc/hosts
        )
        # No proxies from the environment, no cookies: printers stand in the same house.
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._count)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, trace_configs=[trace]
        )

    async def _count(self, *_: object) -> None:
        self.connections += 1

    def _trust(self) -> ssl.SSLContext:
        try:
            return client_context(self._ca_file)
        except ValueError as error:
            raise PrinterError(f"the printer's ca_file {self._ca_file} cannot be used: {error}") from None


def _socket(info: tuple[Any, ...]) -> socket.socket:
    """Open a socket that notices a printer switched off while it is waited for."""
    family, kind, protocol, *_ = info
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):  # not everywhere
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return made
