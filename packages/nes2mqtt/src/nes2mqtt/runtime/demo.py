"""The demonstration: the whole gateway on a simulated meter, with nothing to configure.

The meter answers on a loopback port in this process; everything after that port is what a real
meter gets: the configuration goes through the same checks and the gateway through
:mod:`nes2mqtt.runtime.gateway`. If mosquitto is installed, a private broker runs beside it, also on loopback.

This module does not know how meters, pages or brokers work.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from nes2mqtt.config.settings import parse
from nes2mqtt.outputs.web.context import SettingsDesk
from nes2mqtt.outputs.web.output import Serve
from nes2mqtt.runtime import gateway
from nes2mqtt.runtime.first_run import FirstRun, stopped_when
from nes2mqtt.setup.writing import Saved
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter

__all__ = ["free_port", "run_demo"]

_LOOPBACK = "127.0.0.1"
_MQTT_PORT = 1883
_PORTS_TRIED = 100
_BROKER_START = 5.0
"""Seconds mosquitto gets to start listening."""

_CONFIG = """
name = "demo"
timezone = "Europe/Copenhagen"
data_dir = '{folder}'

[meters.house]
name = "House"
port = "{meter}"
key = "{key}"

[web]
listen = "{loopback}:{port}"
"""

_BROKER = """
[[mqtt]]
host = "{loopback}"
port = {port}
dialects = ["homeassistant", "nmr-raw", "dabbler"]
"""


_BY_HAND = ("Ctrl-C ends it. To read your own meter: README.md, 'Connect a real meter'",)


def free_port(first: int) -> int:
    """Return the first loopback port from ``first`` on that nobody listens on.

    Raises:
        OSError: there is none among the next hundred.
    """
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((_LOOPBACK, port))
                return port
    raise OSError(errno.EADDRINUSE, f"no free port from {first} on")


async def run_demo(
    port: int,
    folder: Path,
    say: Callable[[str], None],
    *,
    house: House | None = None,
    stop: asyncio.Event | None = None,
    first_run: FirstRun | None = None,
) -> Saved | None:
    """Run the demonstration until it is stopped, or a meter of one's own is connected.

    Args:
        port: of the page; the next free one if it is taken.
        folder: where the history and the broker's configuration go; made if missing.
        say: prints a line.
        house: that the meter measures, with all that happens to it; by default the usual one.
        stop: as for :func:`nes2mqtt.runtime.gateway.run`.
        first_run: offers to connect a meter of one's own, at the same port, to the whole network behind a one-time code.

    Returns:
        The configuration of that meter; None when it was just stopped.
    """
    folder = _made(folder)
    if first_run is not None:
        async with first_run.opened(port) as server:
            with stopped_when(server.finished, stop) as ended:
                await _run(port, server.port, folder, say, house, ended, first_run.lines(server), server.serve)
            return server.saved
    page = free_port(port)
    await _run(port, page, folder, say, house, stop, _BY_HAND, None)
    return None


async def _run(
    port: int,
    page: int,
    folder: Path,
    say: Callable[[str], None],
    house: House | None,
    stop: asyncio.Event | None,
    way_out: Sequence[str],
    serve: Serve | None,
) -> None:
    async with SimulatedMeter(house) as meter, _broker(folder) as mqtt_port:
        text = _text(folder, await meter.serve_tcp(_LOOPBACK, 0), page, mqtt_port)
        config = parse(text, Path("demonstration"))
        say("A demonstration: a simulated meter in a made-up house. No real meter is read.")
        if page != port:
            say(f"Port {port} is taken, so the page is on the next free one.")
        say(f"  Page     http://{_LOOPBACK}:{page}")
        if mqtt_port is None:
            say("  MQTT     none: mosquitto is not installed (sudo apt install mosquitto mosquitto-clients)")
        else:
            say(f"  MQTT     mosquitto_sub -h {_LOOPBACK} -p {mqtt_port} -v -t '#'")
        say(f"  History  {folder / 'history.db'}")
        for line in way_out:
            say(line)
        await gateway.run(config, stop=stop, serve=serve, desk=_settings(text))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _settings(text: str) -> SettingsDesk:
    from nes2mqtt.setup.changes.desk import OpenBook  # noqa: PLC0415 - with the settings comes what changes them

    return OpenBook(text)


def _text(folder: Path, meter: str, page: int, mqtt_port: int | None) -> str:
    text = _CONFIG.format(folder=folder, meter=meter, key=DEMO_KEY_TEXT, loopback=_LOOPBACK, port=page)
    if mqtt_port is not None:
        text += _BROKER.format(loopback=_LOOPBACK, port=mqtt_port)
    return text


@asynccontextmanager
async def _broker(folder: Path) -> AsyncIterator[int | None]:
    """Run mosquitto on a free loopback port and yield the port; None where it is not installed or does not start."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    port = free_port(_MQTT_PORT)
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} {_LOOPBACK}\nallow_anonymous true\npersistence false\nlog_type error\n")
    # A session of its own: Ctrl-C reaches us alone, and the broker lives until we have said goodbye to it.
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(file), stdin=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield port if await _listening(port, process) else None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> bool:
    """Wait until somebody listens on a port; False when the process ended or took too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_BROKER_START):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(_LOOPBACK, port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return True
    return False
