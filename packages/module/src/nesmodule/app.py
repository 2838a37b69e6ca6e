"""Starts the module's tasks and begins them again when they fail.

This module does not know pins: who starts it hands in the line to the meter.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.register import Limits
from nesmodule.board.clock import Clock, closed, listen, sleep_ms
from nesmodule.meter.line import MeterLine
from nesmodule.meter.poller import Poller
from nesmodule.meter.tables import Tables
from nesmodule.outputs.homeassistant import HomeAssistant
from nesmodule.outputs.page import Page
from osgp.errors import TransportError
from osgp.key import MeterKey

__all__ = ["main", "run"]

_AGAIN = 5000
_NO_MEMORY = "the module's memory did not suffice; it begins again"
_NO_KEY = "-" * 20
_PROVEN, _LAG = 120_000, 5000


class _Stream:
    """A stream that can be opened anew under those who use it."""

    def __init__(self, opens: Callable[[], Awaitable[tuple[Any, Any]]], chip: Any) -> None:
        self._opens = opens
        self._chip = chip
        self._reader: Any = None
        self._writer: Any = None

    async def open(self) -> None:
        self._reader, self._writer = await self._opens()

    async def close(self) -> None:
        if self._writer is not None:
            await closed(self._writer)
        self._reader = self._writer = None

    def read(self, most: int) -> Any:
        if self._chip is not None:
            self._chip.alive("meter")
        return self._reader.read(most)

    def write(self, data: bytes) -> None:
        if self._writer is None:
            raise OSError("the line to the meter is not open")
        self._writer.write(data)

    def drain(self) -> Any:
        return self._writer.drain()


async def run(
    settings: dict[str, Any],
    opens: Callable[[], Awaitable[tuple[Any, Any]]],
    set_lines: Callable[[bool, bool], Awaitable[None]] | None = None,
    confirm: Callable[[], None] | None = None,
    ask_for_safe_mode: Callable[[], None] | None = None,
    folder: str = "",
    chip: Any = None,
) -> None:
    """Run until the module is to start again, which is a SystemExit.

    Args:
        settings: ``key``, ``name``, ``meter``, ``encrypt``, ``max_power``, ``mqtt`` (see :class:`HomeAssistant`), ``http_port``,
            ``device_key``, ``values_need_login``, ``dabbler`` (see :class:`nesmodule.outputs.guarded.GuardedPage`), ``tap_token``,
            ``tap_port`` (see :class:`nesmodule.tap.server.Tap`).
        opens: opens the line to the meter: a reader and a writer.
        set_lines: switches the level shifter's supply and ENABLE; None where they cannot be switched.
        confirm: notes that this program works; None where nobody waits for it.
        ask_for_safe_mode: has the next start be one in safe mode; None where there is none.
        folder: where the file of the settings is, with a slash at its end.
        chip: what only a chip has (:class:`nesmodule.chip.Chip`); None on a computer.
    """
    clock = Clock()
    stream = _Stream(opens, chip)
    line = MeterLine(
        stream,
        MeterKey.parse(settings.get("key") or _NO_KEY),
        clock.now,
        encrypt=bool(settings.get("encrypt")),
        first_sequence=int.from_bytes(os.urandom(4), "big"),
        latency=int(settings.get("latency") or 20),
    )
    time_of_day = chip and chip.time_of_day.now
    meter = settings.get("meter") or "meter"
    guard = Guard(meter, Limits(int(settings.get("max_power") or 100_000)))
    poller = Poller(
        Tables(line, clock.now, sleep_ms),
        guard,
        clock.now,
        sleep_ms,
        power_cycle=chip and chip.power_cycle,
        time_of_day=time_of_day,
    )
    output = None
    tasks = [] if confirm is None else [asyncio.create_task(_prove(confirm, clock.now))]
    if (settings.get("mqtt") or {}).get("host"):
        name = settings.get("name") or "module"
        output = HomeAssistant(poller, settings["mqtt"], name, meter, clock.now, chip.sleep if chip else sleep_ms)
        tasks.append(asyncio.create_task(output.run()))
    if settings.get("http_port"):
        page = Page(poller, clock.now)
        if settings.get("device_key") or settings.get("values_need_login") or settings.get("dabbler"):
            # Loaded only where it is asked for.
            from nesmodule.outputs.guarded import GuardedPage  # noqa: PLC0415

            page = GuardedPage(
                poller, clock.now, settings, meter, folder, ask_for_safe_mode, sys.exit, chip and chip.log, time_of_day
            )
        where = settings.get("http_host") or "0.0.0.0"  # noqa: S104
        tasks.append(asyncio.create_task(listen(page.serve, where, settings["http_port"])))
    reads = poller.run
    if settings.get("tap_token"):
        # Loaded only where it is asked for.
        from nesmodule.board.health import Health  # noqa: PLC0415
        from nesmodule.tap.server import Tap  # noqa: PLC0415

        tap = Tap(
            settings["tap_token"],
            stream,
            poller,
            clock.now,
            os.urandom,
            Health(clock.now, chip and chip.wifi_strength).document,
            set_lines,
        )
        where = settings.get("tap_host") or "0.0.0.0"  # noqa: S104
        tasks.append(asyncio.create_task(listen(tap.serve, where, int(settings.get("tap_port") or 2323))))
        reads = tap.attend
    if chip is not None:
        chip.poller, chip.output = poller, output
    if not (settings.get("tap_token") or settings.get("key")):
        await _wait_for_key(poller)
    while True:
        try:
            await _attend(stream, reads, poller)
        except MemoryError:
            # Whatever failed, also while it was told what failed: the reading goes on.
            poller.message = _NO_MEMORY
        gc.collect()
        await sleep_ms(_AGAIN)


async def _attend(stream: _Stream, reads: Callable[[], Awaitable[None]], poller: Poller) -> None:
    """Open the line and use it until it is gone. Raises MemoryError."""
    try:
        await stream.open()
        await reads()
    except (OSError, TransportError) as error:
        poller.state, poller.message = "port_gone", "the line to the meter cannot be used: %s" % error
    finally:
        await stream.close()


async def _wait_for_key(poller: Poller) -> None:
    """Read nothing: the key comes with a new start."""
    poller.message = "the meter's key is missing. It is entered on the page of the settings"
    while True:
        await sleep_ms(60_000)


async def _prove(confirm: Callable[[], None], now: Callable[[], int]) -> None:
    """Confirm this program once its tasks were served in time for two minutes without a break."""
    begun = last = now()
    while now() - begun < _PROVEN:
        await sleep_ms(1000)
        if now() - last > _LAG:
            begun = now()
        last = now()
    confirm()


def main(confirm: Callable[[], None] | None = None, ask_for_safe_mode: Callable[[], None] | None = None) -> None:
    """Run on a computer's MicroPython: the settings are a file, the line is a TCP port of a serial bridge or of ``osgp simulate``.

    Returns when the module is to start again.
    """
    gc.threshold(4096)  # type: ignore[attr-defined] # MicroPython has it
    path = sys.argv[1] if len(sys.argv) > 1 else "settings.json"
    with open(path) as file:
        settings = json.load(file)
    host, port = settings["line"].split(":")
    folder = path[: path.rfind("/") + 1]
    with suppress(SystemExit):
        asyncio.run(
            run(settings, lambda: asyncio.open_connection(host, int(port)), None, confirm, ask_for_safe_mode, folder)
        )
