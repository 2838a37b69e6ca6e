"""Bringing a silent meter back: cut the level shifter's power and give it back.

A meter's MEP port and a serial adapter speak different levels, so a level shifter stands between them, and level
shifters get stuck. People who build readers found the cure: a second without power. There are three ways to switch:

* :class:`GpioPowerCycle`: a GPIO line of a Raspberry Pi and the like, through libgpiod;
* :class:`ModemLinePowerCycle`: DTR or RTS of the serial adapter itself;
* :class:`CommandPowerCycle`: a program of the owner's.

:class:`Recovery` does it when :mod:`osgp.ports.silences` says so.

This module does not know meters or frames.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, Protocol, cast

from osgp.errors import MisuseError, TransportError
from osgp.ports.silences import OFF_SECONDS, SETTLE_SECONDS, Silences
from osgp.ports.transport import ModemLines

__all__ = ["CommandPowerCycle", "GpioPowerCycle", "ModemLinePowerCycle", "PowerCycle", "Recovery"]


class _HeldLines(Protocol):
    """What libgpiod's ``request_lines`` gives."""

    def set_value(self, line: int, value: object) -> None:
        """Set one of the lines."""


class Gpiod(Protocol):
    """What is used of the module ``gpiod``, version 2."""

    line: Any
    """Its enumerations ``Value`` and ``Direction``."""
    LineSettings: Any

    def request_lines(self, path: str, *, consumer: str, config: dict[int, Any]) -> _HeldLines:
        """Take lines of a chip."""


class PowerCycle(Protocol):
    """A way to cut the power of the level shifter and give it back."""

    async def run(self, port: ModemLines) -> None:
        """Switch off, wait, switch on.

        Args:
            port: the open port of the meter.

        Raises:
            TransportError: it cannot be switched.
        """


class Recovery:
    """When to power-cycle. Keep one for each meter; it outlives connections.

    Args:
        power_cycle: how to.
        settle_seconds: how long the meter's port is left in peace afterwards.
    """

    def __init__(self, power_cycle: PowerCycle, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._power_cycle = power_cycle
        self._settle_seconds = settle_seconds
        self._silences = Silences()

    def answered(self) -> None:
        """Note that the meter answered: the next silence starts afresh."""
        self._silences.answered()

    def silent(self, now: float) -> bool:
        """Note that a request went unanswered; tell whether it is time for a power cycle."""
        return self._silences.silent(now)

    async def run(self, port: ModemLines, now: float) -> None:
        """Power-cycle and let the port settle.

        Raises:
            TransportError: it cannot be switched.
        """
        self._silences.cycled(now)
        await self._power_cycle.run(port)
        await asyncio.sleep(self._settle_seconds)


async def _off_and_on(switch: Callable[[bool], Awaitable[None]], off_seconds: float) -> None:
    try:
        await switch(False)
        await asyncio.sleep(off_seconds)
    finally:
        # Whatever happened: even a program that is being ended must not leave the port without power.
        await asyncio.shield(asyncio.ensure_future(switch(True)))


class ModemLinePowerCycle:
    """Switches by a modem line of the serial port.

    Args:
        line: the line that feeds the level shifter.
        off_seconds: how long it is off.
    """

    def __init__(self, line: Literal["dtr", "rts"], *, off_seconds: float = OFF_SECONDS) -> None:
        self._line = line
        self._off_seconds = off_seconds

    async def run(self, port: ModemLines) -> None:
        """Switch off, wait, switch on."""

        async def switch(on: bool) -> None:  # noqa: FBT001 - the level of a line
            if self._line == "dtr":
                await port.set_lines(dtr=on)
            else:
                await port.set_lines(rts=on)

        await _off_and_on(switch, self._off_seconds)


class GpioPowerCycle:
    """Switches by a GPIO line, through libgpiod version 2 (Debian: python3-libgpiod, PyPI: gpiod).

    The line is taken at the first power cycle and held from then on, so that it keeps its level.

    Args:
        chip: ``/dev/gpiochip0``.
        line: offset of the line on that chip.
        active_low: the power is on while the line is low.
        off_seconds: how long the power is off.
        gpiod: the module, for tests.
    """

    def __init__(
        self,
        chip: str,
        line: int,
        *,
        active_low: bool = False,
        off_seconds: float = OFF_SECONDS,
        gpiod: Gpiod | None = None,
    ) -> None:
        self._chip = chip
        self._line = line
        self._active_low = active_low
        self._off_seconds = off_seconds
        self._gpiod = gpiod
        self._held: _HeldLines | None = None

    async def run(self, port: ModemLines) -> None:
        """Switch off, wait, switch on."""
        del port
        await _off_and_on(self._switch, self._off_seconds)

    async def _switch(self, on: bool) -> None:  # noqa: FBT001 - the level of a line
        gpiod = self._gpiod = self._gpiod or _import_gpiod()
        value = gpiod.line.Value.ACTIVE if on else gpiod.line.Value.INACTIVE
        try:
            if self._held is None:
                settings = gpiod.LineSettings(
                    direction=gpiod.line.Direction.OUTPUT, active_low=self._active_low, output_value=value
                )
                self._held = gpiod.request_lines(self._chip, consumer="osgp", config={self._line: settings})
            else:
                self._held.set_value(self._line, value)
        except OSError as error:
            raise TransportError(
                f"GPIO line {self._line} of {self._chip} cannot be switched: {os.strerror(error.errno or 0)}. "
                "Check chip, line, and that this user is in group gpio"
            ) from error


def _import_gpiod() -> Gpiod:
    try:
        gpiod: Any = importlib.import_module("gpiod")
    except ImportError as error:
        raise TransportError(
            "power cycling by gpio needs libgpiod. Install it: sudo apt install python3-libgpiod, or pip install gpiod"
        ) from error
    return cast("Gpiod", gpiod)


class CommandPowerCycle:
    """Runs a program that switches off and on again.

    It runs without a shell, and of our environment it sees only where programs are: no secret can reach it.

    Args:
        command: program and arguments.
        timeout: seconds after which it is ended.
    """

    def __init__(self, command: Sequence[str], *, timeout: float = 30.0) -> None:
        if not command:
            raise MisuseError("a power-cycle command names a program")
        self._command = tuple(command)
        self._timeout = timeout

    async def run(self, port: ModemLines) -> None:
        """Run the program and wait for its end."""
        del port
        name = self._command[0]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=_plain_environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise TransportError(
                f"the power-cycle command {name} cannot be run: {error.strerror}. Check its path and that it is executable"
            ) from error
        try:
            async with asyncio.timeout(self._timeout):
                status = await process.wait()
        except TimeoutError as error:
            raise TransportError(f"the power-cycle command {name} did not end within {self._timeout:g} s") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if status != 0:
            raise TransportError(f"the power-cycle command {name} failed with status {status}. Try it in a terminal")


def _plain_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in ("PATH", "HOME", "LANG") if name in environment}
