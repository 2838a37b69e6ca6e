"""Serves the access point's page and its names, and tries the network that somebody chose.

A module that knows a network stays here for five minutes, longer while somebody is with it, and goes back to its program as soon as that network is there again
and nobody is with it.

This module does not know what may be set.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

from nesmodule.access.request import read_request
from nesmodule.board.clock import closed, listen, sleep_ms, wait_for_ms
from nesmodule.board.lines import Lines
from nesmodule.setup.names import answer
from nesmodule.setup.portal import LEFT, SAVED, TRYING, Portal

__all__ = ["SetUp"]

_PATIENCE = 10_000
_LONGEST = 1024
_PIECE = 512
_LOOK_EVERY, _LISTEN_EVERY = 500, 50
_TRIES_FOR = 20_000
_REFUSALS = 6
"""Looks in a row that must say that the password is wrong: a radio that tries again says so for moments too."""
_STAYS, _STAYS_WITH_SOMEBODY = 300_000, 1_800_000
_SAID_FOR = 5000
"""Milliseconds in which the page hears that all is well, before the module starts again."""


class SetUp:
    """Serves until the module is to start again.

    Args:
        portal: decides.
        radio: see :class:`nesmodule.setup.radio.Radio`.
        page: opens the page for reading bytes.
        now: gives milliseconds that only grow.
    """

    def __init__(self, portal: Portal, radio: Any, page: Callable[[], Any], now: Callable[[], int]) -> None:
        self._portal = portal
        self._radio = radio
        self._page = page
        self._now = now

    async def run(self, host: str, port: int, names_port: int, address: bytes) -> None:
        """Serve. ``address`` is what every name leads to."""
        portal, radio = self._portal, self._radio
        tasks = [
            asyncio.create_task(listen(self._serve, host, port)),
            asyncio.create_task(self._answer_names(host, names_port, address)),
        ]
        portal.networks = radio.networks()
        began = self._now()
        if portal.usable:
            radio.join(*portal.wanted)
        while portal.state not in (SAVED, LEFT):
            radio.feed()
            if portal.state == TRYING:
                await self._try()
            elif portal.usable:
                stayed = self._now() - began
                if stayed > (_STAYS_WITH_SOMEBODY if radio.guests else _STAYS) or (radio.joined and not radio.guests):
                    break
                # Whoever is with the module is not sent away because the old network came back meanwhile; but in both at once, the other one reaches the page.
                if radio.joined:
                    radio.leave()
            await sleep_ms(_LOOK_EVERY)
        if portal.state:
            await sleep_ms(_SAID_FOR)
        for task in tasks:
            task.cancel()

    async def _try(self) -> None:
        """Try the network that was chosen, and have the portal say what came of it."""
        portal, radio = self._portal, self._radio
        radio.join(*portal.wanted)
        end = self._now() + _TRIES_FOR
        # What a radio says at once is about the network before.
        await sleep_ms(_LOOK_EVERY)
        refused = 0
        while not radio.joined and refused < _REFUSALS and self._now() < end:
            refused = refused + 1 if radio.why() == "password" else 0
            radio.feed()
            await sleep_ms(_LOOK_EVERY)
        portal.tried("" if radio.joined else radio.why())
        if portal.state != SAVED:
            # A network that is joined late would reach a page that asks for no key yet.
            radio.leave()
            if portal.usable:
                radio.join(*portal.wanted)

    async def _answer_names(self, host: str, port: int, address: bytes) -> None:
        serving: Any = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        serving.setblocking(False)
        serving.bind(socket.getaddrinfo(host, port)[0][-1])
        while True:
            try:
                question, asker = serving.recvfrom(512)
                told = answer(question, address)
                if told:
                    serving.sendto(told, asker)
            except OSError:
                # Nobody asks now.
                await sleep_ms(_LISTEN_EVERY)

    async def _serve(self, reader: Any, writer: Any) -> None:
        try:
            lines = Lines(reader)
            request = await wait_for_ms(read_request(lines), _PATIENCE)
            if request.length > _LONGEST:
                return
            body = await wait_for_ms(lines.readexactly(request.length), _PATIENCE) if request.length else b""
            status, kind, text = self._portal.respond(request, body)
            writer.write(b"HTTP/1.0 " + status + b"\r\nContent-Type: " + kind + b"\r\nCache-Control: no-store\r\n")
            if status.startswith(b"302"):
                writer.write(b"Location: " + text + b"\r\n")
            writer.write(
                b"X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
            )
            for piece in self._file() if kind.startswith(b"text/html") else iter((text,)):
                writer.write(piece)
                await wait_for_ms(writer.drain(), _PATIENCE)
        except (OSError, EOFError, ValueError, MemoryError, asyncio.TimeoutError):
            pass
        finally:
            await closed(writer)

    def _file(self) -> Iterator[bytes]:
        with self._page() as file:
            piece = file.read(_PIECE)
            while piece:
                yield piece
                piece = file.read(_PIECE)
