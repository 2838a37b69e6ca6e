"""Cutting the power of a level shifter by three means."""

import asyncio
import os
import stat
import sys
from enum import Enum

import pytest

from osgp.errors import MisuseError, TransportError
from osgp.ports.recovery import CommandPowerCycle, GpioPowerCycle, ModemLinePowerCycle


class FakePort:
    def __init__(self, clock):
        self.clock, self.switched = clock, []

    async def set_lines(self, **lines):
        self.switched.append((self.clock(), lines))


class FakeGpiod:
    """A chip as libgpiod version 2 shows it."""

    class line:  # noqa: N801 - the library's name
        Value = Enum("Value", ["INACTIVE", "ACTIVE"])
        Direction = Enum("Direction", ["INPUT", "OUTPUT"])

    def __init__(self, clock, error=None):
        self.clock, self.error, self.switched, self.requests = clock, error, [], []

    def LineSettings(self, **settings):  # noqa: N802 - the library's name
        return settings

    def request_lines(self, path, *, consumer, config):
        if self.error:
            raise self.error
        self.requests.append((path, consumer, config))
        ((line, settings),) = config.items()
        self.set_value(line, settings["output_value"])
        return self

    def set_value(self, line, value):
        self.switched.append((self.clock(), line, value is self.line.Value.ACTIVE))


@pytest.mark.parametrize("line", ["dtr", "rts"])
async def test_modem_line(virtual_clock, line):
    port = FakePort(virtual_clock)
    await ModemLinePowerCycle(line, off_seconds=1.5).run(port)
    assert port.switched == [(0.0, {line: False}), (1.5, {line: True})]


async def test_gpio(virtual_clock):
    gpiod = FakeGpiod(virtual_clock)
    cycle = GpioPowerCycle("/dev/gpiochip0", 17, active_low=True, gpiod=gpiod)
    await cycle.run(FakePort(virtual_clock))
    await cycle.run(FakePort(virtual_clock))
    assert gpiod.switched == [(0.0, 17, False), (1.0, 17, True), (1.0, 17, False), (2.0, 17, True)]
    ((path, consumer, config),) = gpiod.requests
    assert (path, consumer) == ("/dev/gpiochip0", "osgp")
    assert config[17]["active_low"] is True
    assert config[17]["direction"] is gpiod.line.Direction.OUTPUT


async def test_gpio_that_cannot_be_taken(virtual_clock):
    gpiod = FakeGpiod(virtual_clock, OSError(16, "busy"))
    with pytest.raises(TransportError, match="group gpio"):
        await GpioPowerCycle("/dev/gpiochip0", 17, gpiod=gpiod).run(FakePort(virtual_clock))


async def test_gpio_without_its_library(virtual_clock, monkeypatch):
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(TransportError, match="apt install python3-libgpiod"):
        await GpioPowerCycle("/dev/gpiochip0", 17).run(FakePort(virtual_clock))


async def test_gpio_with_its_library(virtual_clock, monkeypatch):
    gpiod = FakeGpiod(virtual_clock)
    monkeypatch.setitem(sys.modules, "gpiod", gpiod)
    await GpioPowerCycle("/dev/gpiochip0", 4).run(FakePort(virtual_clock))
    assert [on for _, _, on in gpiod.switched] == [False, True]


async def test_a_program_that_is_ended_leaves_the_power_on(virtual_clock):
    port = FakePort(virtual_clock)
    task = asyncio.create_task(ModemLinePowerCycle("dtr").run(port))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert [lines for _, lines in port.switched] == [{"dtr": False}, {"dtr": True}]


def script(tmp_path, text):
    path = tmp_path / "cycle"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def test_command_runs_without_shell_or_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("MQTT_PASSWORD", "hush")
    out = tmp_path / "out"
    program = script(tmp_path, f'printf "%s|" "$@" > {out}; env >> {out}')
    await CommandPowerCycle((program, "$HOME; rm", "two words")).run(FakePort(None))
    text = out.read_text()
    assert text.startswith("$HOME; rm|two words|")
    assert "hush" not in text


@pytest.mark.parametrize(("text", "told"), [("exit 3", "status 3"), ("exec sleep 60", "did not end within 0.2 s")])
async def test_command_that_fails(tmp_path, text, told):
    with pytest.raises(TransportError, match=told):
        await CommandPowerCycle((script(tmp_path, text),), timeout=0.2).run(FakePort(None))


async def test_command_that_is_not_there(tmp_path):
    with pytest.raises(TransportError, match="No such file"):
        await CommandPowerCycle((os.fspath(tmp_path / "none"),)).run(FakePort(None))


def test_a_command_is_something():
    with pytest.raises(MisuseError):
        CommandPowerCycle(())
