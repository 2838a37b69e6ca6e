"""The program on its chip: pins, the line to the meter, Wi-Fi, the time of day, the watchdog, the jumper that has everything forgotten.

One loop looks after all of it each second, and only that loop feeds the chip's watchdog: as long as it is on time itself, the meter's line is used and
the broker is being talked to or tried.

This module does not know what is read or published.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nesmodule.app import run
from nesmodule.board.clock import Clock, sleep_ms
from nesmodule.board.files import opened
from nesmodule.board.log import Log
from nesmodule.board.reset import Jumper
from nesmodule.board.seldom import forget
from nesmodule.board.station import CONNECT, SET_UP, Station
from nesmodule.board.timeofday import TimeOfDay
from nesmodule.board.watchdog import Watchdog

__all__ = ["run_chip"]

_BOARDS = "boards.json"
_USUAL = "dabblerdk"
"""Its pins are those of most boards: for settings that name none."""
_BAUD = 9600
_ROOM = 1024
"""Bytes of the UART: the longest reply has 478."""
_FIRST_PAUSE = 3000
"""Milliseconds until the radio is switched on: a supply of one watt has to fill its capacitors first."""
_OFF, _SETTLES = 1000, 1000
"""How long the level shifter is without power, and until ENABLE and the first byte follow: the times of :mod:`osgp.ports.silences`."""
_WATCHDOG = 30_000
_PATIENCE = 300_000
"""Milliseconds within which the line must be read, and the broker be talked to or tried."""
_ASK_TIME_EVERY, _ASK_TIME_AGAIN, _ASK_TIME_SELDOM = 21_600_000, 20_000, 3_600_000
"""Milliseconds between questions for the time; while it is unknown, ever more: to look for the name of a server stops everything for seconds where no DNS answers."""
_POOL = "pool.ntp.org"


class Chip:
    """What only a chip has.

    Args:
        settings: ``wifi_name``, ``wifi_password``, ``name``, ``ntp``.
        pins: of the board, by what is at them; none where nobody knows the board: then no pin is touched.
        clock: counts.
        ask: has the next start be another one: ``safe`` mode, ``set_up``, the access point; or ``forget``, all settings forgotten.
    """

    def __init__(
        self, settings: dict[str, Any], pins: dict[str, int], clock: Clock, ask: Callable[[str], None]
    ) -> None:
        # MicroPython's, and only on a chip.
        machine: Any = __import__("machine")
        network: Any = __import__("network")
        self._settings = settings
        self._pins = pins
        self._now = clock.now
        self.ask = ask
        self._machine = machine
        self._pin = machine.Pin
        self._enable: Any = None
        if pins:
            # ENABLE is off before anything else: no current flows where nobody listens.
            self._enable = self._pin(pins["enable"], self._pin.OUT, value=1)
        self._supply: Any = None
        if "supply" in pins:
            self._supply = self._pin(pins["supply"], self._pin.OUT, value=1)
        self._button: Any = None
        if "reset_button" in pins:
            self._button = self._pin(pins["reset_button"], self._pin.IN, self._pin.PULL_UP)
        # The name must be there before the network is joined: the chip's mDNS responder answers to it, with .local behind.
        network.hostname(settings.get("name") or "nesmodule")
        self._wlan: Any = network.WLAN(network.STA_IF)
        self._uart: Any = None
        self._jumper = Jumper()
        self._station = Station(clock.now)
        self._ask_time_at = 0
        self._ask_pause = _ASK_TIME_AGAIN
        self._dog: Any = None
        self._told = ""
        self.time_of_day = TimeOfDay(clock.now)
        self.log = Log(clock.now)
        self.poller: Any = None
        self.output: Any = None

    async def begin(self) -> None:
        """Switch on radio, level shifter and watchdog, never two of them at once."""
        await sleep_ms(_FIRST_PAUSE)
        self._wlan.active(True)
        await sleep_ms(_SETTLES)
        await self.set_lines(True, True)
        self._dog = Watchdog(self._machine.WDT(timeout=_WATCHDOG).feed, self._now)
        if self._pins and self._settings.get("key"):
            self.alive("meter")
        self.log.note("started, reset cause %d" % self._machine.reset_cause())

    async def opens(self) -> tuple[Any, Any]:
        """Return the line to the meter, twice: it is read and written. Raises OSError where nobody knows at which pins it is."""
        if not self._pins:
            raise OSError("no board is called %s. Choose yours in the settings" % self._settings["board"])
        stream = asyncio.StreamReader(self._uart)
        return stream, stream

    async def set_lines(self, supply: bool, enable: bool) -> None:  # noqa: FBT001 - as a tap calls it
        """Switch the level shifter's supply and ENABLE, as far as the board can."""
        pin, pins = self._pin, self._pins
        if not pins:
            return
        if supply or self._supply is None:
            if self._supply is not None:
                self._supply.value(1)
            if self._uart is None:
                self._uart = self._machine.UART(1, _BAUD, tx=pins["tx"], rx=pins["rx"], rxbuf=_ROOM)
            else:
                self._uart.init(_BAUD, tx=pins["tx"], rx=pins["rx"], rxbuf=_ROOM)
            # Active low.
            self._enable.init(pin.OUT, value=0 if enable else 1)
        else:
            # A level shifter without supply is fed through its inputs otherwise, and does not begin anew.
            self._enable.init(pin.IN)
            pin(pins["tx"], pin.IN)
            self._supply.value(0)

    async def power_cycle(self) -> None:
        """Take the power from the level shifter for a moment; ENABLE alone where the board cannot."""
        self.log.note("the meter is silent: its level shifter is switched off and on")
        for supply, enable, wait in ((False, False, _OFF), (True, False, _SETTLES), (True, True, _SETTLES)):
            await self.set_lines(supply, enable)
            await sleep_ms(wait)

    def alive(self, task: str) -> None:
        """Note that a task goes on."""
        self._dog.alive(task, _PATIENCE)

    def wifi_strength(self) -> int | None:
        """Return how strongly the network is heard, in dBm; None where it is not, or the radio does not tell."""
        try:
            found: int | None = self._wlan.status("rssi") if self._station.connected else None
        except OSError:
            return None
        return found

    async def sleep(self, time: int) -> None:
        """Wait, as the output to the broker does it: who waits goes on."""
        self.alive("broker")
        await sleep_ms(time)

    async def live(self) -> None:
        """Look after everything each second, for ever. Raises SystemExit when the chip is to start again."""
        while True:
            late = self._dog.tick()
            if late:
                self.log.note("not on time: " + late)
            self._look_at_wifi()
            if self._button is not None and self._jumper.look(closed=not self._button.value(), now=self._now()):
                self.ask("forget")
                raise SystemExit
            self._note_troubles()
            await sleep_ms(1000)

    def _look_at_wifi(self) -> None:
        station, wlan = self._station, self._wlan
        was = station.connected
        # A radio that fails says so by an OSError, and is tried again like one that is not heard.
        try:
            what = station.look(connected=wlan.isconnected())
            if station.connected != was:
                self.log.note("Wi-Fi is there" if station.connected else "Wi-Fi is gone")
            if what == CONNECT:
                wlan.disconnect()
                wlan.connect(self._settings["wifi_name"], self._settings.get("wifi_password") or "")
        except OSError as error:
            what = ""
            self.log.note("Wi-Fi: %s" % error)
        if what == SET_UP:
            self.ask("set_up")
            raise SystemExit
        if station.connected and self._now() >= self._ask_time_at:
            self._ask_time_at = self._now() + self._ask_pause
            self._ask_pause = min(2 * self._ask_pause, _ASK_TIME_SELDOM)
            asyncio.create_task(self._ask_time())  # noqa: RUF006 - MicroPython keeps its tasks

    async def _ask_time(self) -> None:
        """Ask the server that is set, or the router and then the pool, twice at most."""
        chosen = self._settings.get("ntp") or ""
        servers: tuple[str, ...] = (chosen,) if chosen else (self._wlan.ifconfig()[2], _POOL)
        try:
            # Loaded for this alone.
            from nesmodule.board import ntp  # noqa: PLC0415

            for server in servers:
                for _ in range(2):
                    told = await ntp.ask(server, 0, os.urandom(8), sleep_ms)
                    if told and self.time_of_day.take(told):
                        self.log.note("the time is known from " + server)
                        self._ask_time_at = self._now() + _ASK_TIME_EVERY
                        self._ask_pause = _ASK_TIME_AGAIN
                        return
        except (OSError, MemoryError):
            pass
        finally:
            forget("nesmodule.board.ntp")
            gc.collect()

    def _note_troubles(self) -> None:
        """Log what went wrong, or right again."""
        if self.poller is None:
            return
        for note in self.poller.notes:
            self.log.note(note)
        self.poller.notes = []
        told = "meter: %s %s" % (self.poller.state, self.poller.message)
        if self.output is not None and self.output.trouble:
            told += "; broker: " + self.output.trouble
        if told != self._told:
            self._told = told
            self.log.note(told)


def run_chip(settings: dict[str, Any], confirm: Callable[[], None] | None, ask: Callable[[str], None]) -> None:
    """Run on a chip, until it is to start again.

    Args:
        settings: of the module.
        confirm: notes that this program works.
        ask: see :class:`Chip`.
    """
    gc.threshold(4096)  # type: ignore[attr-defined] # MicroPython has it
    with opened(_BOARDS) as file:
        boards = json.loads(file.read())
    # One that is not known gets no pins: those of another board may drive what must not be driven.
    pins = boards.get(settings.get("board") or _USUAL) or {}
    chip = Chip(settings, pins, Clock(), ask)
    with suppress(SystemExit):
        asyncio.run(_run(settings, chip, confirm))


async def _run(settings: dict[str, Any], chip: Chip, confirm: Callable[[], None] | None) -> None:
    await chip.begin()
    asyncio.create_task(chip.live())  # noqa: RUF006 - MicroPython keeps its tasks
    await run({"http_port": 80} | settings, chip.opens, chip.set_lines, confirm, lambda: chip.ask("safe"), chip=chip)
