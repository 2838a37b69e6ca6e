"""The page with a login by the device's own key, and what is behind it: settings, updates, values where that is set; Dabbler's document.

Loaded only where one of these is asked for, instead of taking memory from all.

This module does not know MQTT.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from nesmodule.access.door import Door
from nesmodule.access.request import Request
from nesmodule.board.clock import wait_for_ms
from nesmodule.board.seldom import forget
from nesmodule.meter.poller import Poller
from nesmodule.outputs.page import Page, answer

__all__ = ["GuardedPage"]

_PATIENCE = 5000
_SET_UP = (b"/settings", b"/api/settings", b"/safe-mode")
_LATE = (
    "nesmodule.outputs.setup",
    "nesmodule.board.fields",
    "nesmodule.board.form",
    "nesmodule.board.flash",
    "nesmodule.board.settings",
)
"""What is loaded for the settings alone, and forgotten again."""


class GuardedPage(Page):
    """Serves one meter.

    Args:
        poller: has the values.
        now: gives milliseconds that only grow.
        settings: ``device_key``; without it nobody gets in. ``values_need_login``, ``dabbler``.
        meter: id of the meter.
        folder: where the file of the settings is, with a slash at its end.
        ask_for_safe_mode: has the next start be one in safe mode; None where there is none.
        restart: starts the module again.
        log: what happened lately (:class:`nesmodule.board.log.Log`); None where nobody keeps it.
        time_of_day: gives milliseconds since 1970, or 0 while the time is not known.
    """

    def __init__(
        self,
        poller: Poller,
        now: Callable[[], int],
        settings: dict[str, Any],
        meter: str,
        folder: str,
        ask_for_safe_mode: Callable[[], None] | None,
        restart: Callable[[], None],
        log: Any = None,
        time_of_day: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(poller, now)
        self._folder = folder
        self._ask_for_safe_mode = ask_for_safe_mode
        self._restart = restart
        self._log = log
        self._time_of_day = time_of_day
        self.door = Door(settings.get("device_key") or "", now, os.urandom)
        self._shut = bool(settings.get("values_need_login"))
        self._meter = meter if settings.get("dabbler") else ""

    async def respond(self, reader: Any, writer: Any) -> None:
        """Answer one request, of those whom the door lets in."""
        request = await wait_for_ms(self.door.read(reader), _PATIENCE)
        asks_to_enter = request.path in (b"/login", b"/logout")
        sets_up, looks = request.path in _SET_UP, request.path == b"/log"
        if asks_to_enter or ((self._shut or sets_up or looks) and not self.door.lets_in(request)):
            # Loaded for this alone.
            from nesmodule.outputs import login  # noqa: PLC0415

            await login.log_in(self.door, request if asks_to_enter else None, reader, writer)
            forget("nesmodule.outputs.login")
            forget("nesmodule.board.fields")
        elif sets_up:
            await self._set_up(request, reader, writer)
        elif looks and self._log is not None:
            # One that does not grow while it is counted and sent.
            lines = list(self._log.lines())
            await answer(writer, b"200 OK", b"text/plain; charset=utf-8", lambda: iter(lines))
        elif request.path == b"/getDashDataWS" and self._meter and request.method == b"GET":
            await self._dash(writer)
        else:
            await self.show(request.path if request.method == b"GET" else b"", writer)

    async def _set_up(self, request: Request, reader: Any, writer: Any) -> None:
        again = False
        # There is memory for one of these at a time.
        async with self.turn:
            try:
                from nesmodule.outputs.setup import set_up  # noqa: PLC0415

                again = await set_up(self._folder, self._ask_for_safe_mode, request, reader, writer)
            finally:
                for name in _LATE:
                    forget(name)
        if again:
            self._restart()

    async def _dash(self, writer: Any) -> None:
        from nesmodule.outputs.dabbler import dash  # noqa: PLC0415

        found = dash(self.poller, self._meter, self.now(), self._time_of_day() if self._time_of_day else 0)
        if found is None:
            text = b"The meter has not told all of it yet, or not for a while."
            await answer(writer, b"503 Service Unavailable", b"text/plain", lambda: iter((text,)))
        else:
            await answer(writer, b"200 OK", b"application/json", found)
        forget("nesmodule.outputs.dabbler")
