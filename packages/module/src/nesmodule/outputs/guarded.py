"""The page with what most modules do without: a login with the device's own key, values behind it, Dabbler's document.

Loaded only where one of these is asked for, instead of taking memory from all.

This module does not know MQTT.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from nesmodule.access.door import Door
from nesmodule.board.clock import wait_for_ms
from nesmodule.board.seldom import forget
from nesmodule.meter.poller import Poller
from nesmodule.outputs.page import Page, answer

__all__ = ["GuardedPage"]

_PATIENCE = 5000


class GuardedPage(Page):
    """Serves one meter.

    Args:
        poller: has the values.
        now: gives milliseconds that only grow.
        settings: ``device_key``; without it nobody gets in. ``values_need_login``, ``dabbler``.
        meter: id of the meter.
    """

    def __init__(self, poller: Poller, now: Callable[[], int], settings: dict[str, Any], meter: str) -> None:
        super().__init__(poller, now)
        self.door = Door(settings.get("device_key") or "", now, os.urandom)
        self._shut = bool(settings.get("values_need_login"))
        self._meter = meter if settings.get("dabbler") else ""

    async def respond(self, reader: Any, writer: Any) -> None:
        """Answer one request, of those whom the door lets in."""
        request = await wait_for_ms(self.door.read(reader), _PATIENCE)
        asks_to_enter = request.path in (b"/login", b"/logout")
        if asks_to_enter or (self._shut and not self.door.lets_in(request)):
            # Loaded for this alone.
            from nesmodule.outputs import login  # noqa: PLC0415

            await login.log_in(self.door, request if asks_to_enter else None, reader, writer)
            forget("nesmodule.outputs.login")
        elif request.path == b"/getDashDataWS" and self._meter and request.method == b"GET":
            await self._dash(writer)
        else:
            await self.show(request.path if request.method == b"GET" else b"", writer)

    async def _dash(self, writer: Any) -> None:
        from nesmodule.outputs.dabbler import dash  # noqa: PLC0415

        found = dash(self.poller, self._meter, self.now())
        if found is None:
            text = b"The meter has not told all of it yet, or not for a while."
            await answer(writer, b"503 Service Unavailable", b"text/plain", lambda: iter((text,)))
        else:
            await answer(writer, b"200 OK", b"application/json", found)
        forget("nesmodule.outputs.dabbler")
