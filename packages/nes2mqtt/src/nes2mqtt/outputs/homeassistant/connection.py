"""A connection to Home Assistant's WebSocket API: a question, an answer.

The API is described at developers.home-assistant.io/docs/api/websocket: after ``auth_required`` the client sends its token;
then each command has a number, which its result repeats.

This module does not know what is asked.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
from collections import deque
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from nes2mqtt.host.secret import Secret
from nes2mqtt.outputs.homeassistant.frames import Decoder, Opcode, WebSocketError, encode, is_accepted, upgrade

__all__ = ["INVALID_FORMAT", "HomeAssistant", "HomeAssistantError", "Refused", "TokenRefused"]

_PATIENCE = 60.0
"""Seconds for one step: a small board with a large database takes its time."""
_MOST_HEAD = 16_384
_READ = 65_536
INVALID_FORMAT = "invalid_format"
"""The code with which a command is refused that has a field too many or too few."""


class HomeAssistantError(Exception):
    """Home Assistant cannot be asked, or says no. The text is for the owner."""


class TokenRefused(HomeAssistantError):
    """It does not take the token."""


class Refused(HomeAssistantError):
    """It answers, and does not do what it is asked.

    Args:
        text: for the owner.
        code: Home Assistant's own word for the reason.
    """

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


class HomeAssistant:
    """Home Assistant at an address. Use it as an async context manager.

    Args:
        url: its address, as in the browser.
        token: of an administrator.
    """

    def __init__(self, url: str, token: Secret) -> None:
        self._url = url
        self._token = token
        self._decoder = Decoder()
        self._messages: deque[Any] = deque()
        self._number = 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        """Connect and log in.

        Raises:
            TokenRefused: it does not take the token.
            HomeAssistantError: it cannot be reached, or is something else.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._open()
                await self._log_in()
        except BaseException as error:
            await self._close()
            raise self._explained(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        del kind, error, trace
        await self._close()

    async def ask(self, command: str, **more: Any) -> Any:
        """Send a command and return its result.

        Raises:
            TokenRefused: the token is of somebody who may not do this.
            Refused: it says no.
            HomeAssistantError: it says nothing any more.
        """
        self._number += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._send({"id": self._number, "type": command, **more})
                while True:
                    answer = await self._receive()
                    if answer.get("id") == self._number and answer.get("type") == "result":
                        break
        except BaseException as error:
            raise self._explained(error) from error
        if not answer.get("success"):
            why = answer.get("error") or {}
            code = str(why.get("code", "unknown"))
            if code == "unauthorized":
                raise TokenRefused(f"Home Assistant lets only administrators do {command}. Make a token of one")
            text = f"{why.get('message', 'no reason given')} ({code})"
            raise Refused(f"Home Assistant refuses {command}: {text}", code)
        return answer.get("result")

    def _explained(self, error: BaseException) -> BaseException:
        """Return an error in words; what is no trouble of the connection stays as it is."""
        if isinstance(error, TimeoutError):
            return HomeAssistantError(f"{self._url} does not answer within {_PATIENCE:.0f} s")
        if isinstance(error, WebSocketError):
            return HomeAssistantError(f"{self._url} does not answer like Home Assistant: {error}")
        if isinstance(error, OSError | EOFError | ValueError):
            return HomeAssistantError(f"{self._url} cannot be reached: {error or type(error).__name__}")
        return error

    async def _open(self) -> None:
        parts = urlsplit(self._url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        context = await asyncio.to_thread(ssl.create_default_context) if secure else None
        self._reader, self._writer = await asyncio.open_connection(host, port, ssl=context, limit=_MOST_HEAD)
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(upgrade(parts.netloc, f"{parts.path}/api/websocket", key))
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise WebSocketError("it says too much") from error
        if not is_accepted(head, key):
            first = head.split(b"\r\n", 1)[0].decode("latin-1")
            raise WebSocketError(f"it says {first!r}; is the address right, and does your proxy let WebSockets pass?")

    async def _log_in(self) -> None:
        if (await self._receive()).get("type") != "auth_required":
            raise WebSocketError("it does not ask for a token")
        await self._send({"type": "auth", "access_token": self._token.reveal()})
        if (await self._receive()).get("type") != "auth_ok":
            raise TokenRefused("Home Assistant refuses the token. Make a new one on an administrator's profile page")

    async def _send(self, message: dict[str, Any]) -> None:
        if self._writer is None:
            raise ConnectionError("not connected")
        self._writer.write(encode(Opcode.TEXT, json.dumps(message).encode(), os.urandom(4)))
        await self._writer.drain()

    async def _receive(self) -> dict[str, Any]:
        while not self._messages:
            if self._reader is None or self._writer is None:
                raise ConnectionError("not connected")
            data = await self._reader.read(_READ)
            if not data:
                raise ConnectionError("the connection ended")
            for kind, payload in self._decoder.feed(data):
                if kind is Opcode.PING:
                    self._writer.write(encode(Opcode.PONG, payload, os.urandom(4)))
                elif kind is Opcode.CLOSE:
                    raise ConnectionError("it closed the connection")
                elif kind is Opcode.TEXT:
                    found = json.loads(payload)
                    # Several answers may come in one message.
                    self._messages.extend(found if isinstance(found, list) else [found])
        message = self._messages.popleft()
        if not isinstance(message, dict):
            raise WebSocketError("it sends something else than messages")
        return message

    async def _close(self) -> None:
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.close()
            try:
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()
            except (OSError, TimeoutError):
                return
