"""The command as people run it, in this process and in time that does not pass.

Each run of the command gets a loop whose clock jumps, and in it the simulated meters that the test names: ``DENMARK`` and
``HOUSE`` on either port. Whatever is run, its output is searched for keys.
"""

import asyncio
import io
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from osgp.cli import main, opening
from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access
from osgp.psem import table_id
from osgp.simulator import Faults, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

KEY = "Kp7!vQz2-mB4xT9wLd3s"
"""Must never be seen again."""
READ_ONLY_KEY = "Rk5?nHc8_gY1uJ6oEa0f"


@dataclass(frozen=True)
class Ports:
    """What belongs to the two ports of a meter."""

    mep: str
    optical: str


class Typed(io.StringIO):
    """What is typed, at a terminal or into a pipe."""

    terminal = False

    def isatty(self):
        return self.terminal


@dataclass(frozen=True)
class Ended:
    """What a command said."""

    code: int
    out: str
    err: str


@pytest.fixture
def keys():
    """Give the keys of all meters, by port."""
    return Ports(KEY, READ_ONLY_KEY)


def danish_image():
    """Return the Danish image with alarms, clocks that stand still and a table nobody knows."""
    image = MeterImage.load("image:denmark-gen3")
    image.tables[table_id("BT03")] = bytearray.fromhex("01 00 10 00 10 00 00 00 00 00 00 00 00")
    image.tables[table_id("BT52")] = bytearray.fromhex("1a0b1608 1e05 00")
    image.tables[table_id("BT55")] = bytearray.fromhex("1a0b1609 1e00 30 0100")
    image.tables[table_id("BT13")] = bytearray.fromhex("aa bb cc")
    image.derive_dimensions()
    return image


class Town:
    """The meters a command can find, by made-up addresses."""

    def __init__(self, new_loop):
        self.new_loop = new_loop
        self.sources = {}
        self.faults = {}
        self.urls = {}
        self.read_only_key, self.habits = READ_ONLY_KEY, None
        self.strangers = {}
        self.meters = {}
        self.plugged = {}
        self.elapsed = 0.0

    def plug(self, path, mep, optical):
        """Let a serial port of this computer lead to these addresses, as which port of a meter it may be tried."""
        self.plugged |= {f"serial://{path}": mep, f"optical://{path}": optical}

    def put(self, name, source, *faults):
        """Put up a meter; returns its addresses."""
        self.sources[name] = source
        self.faults[name] = Faults.parse(faults)
        return Ports(f"tcp://{name}", f"optical+tcp://{name}")

    def put_stranger(self, name, answer):
        """Put up something that is no meter and answers each chunk by ``answer(chunk)``; returns its optical address."""
        self.strangers[name] = answer
        return f"optical+tcp://{name}"

    def run(self, work):
        """Stand in for asyncio.run: with the meters, in jumping time."""
        loop = self.new_loop()
        began = loop.time()
        try:
            return loop.run_until_complete(self._beside_meters(work))
        finally:
            self.elapsed = loop.time() - began
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _beside_meters(self, work):
        optical = {Access.READ_ONLY: OpticalKey.parse(self.read_only_key)}
        for name, source in self.sources.items():
            clock = (lambda house=source: house.installed + 5000.0) if isinstance(source, House) else lambda: 1.8e9
            meter = SimulatedMeter(
                source,
                mbk=MeterKey.parse(KEY),
                optical_keys=optical,
                habits=self.habits,
                clock=clock,
                faults=self.faults[name],
            )
            self.meters[name] = await meter.__aenter__()
            self.urls[f"tcp://{name}"] = await meter.serve_tcp()
            self.urls[f"optical+tcp://{name}"] = await meter.serve_optical_tcp()
        servers = []
        for name, answer in self.strangers.items():
            server = await asyncio.start_server(partial(_talk, answer), "127.0.0.1", 0)
            self.urls[f"optical+tcp://{name}"] = f"optical+tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.urls[f"tcp://{name}"] = self.urls[f"optical+tcp://{name}"].removeprefix("optical+")
            servers.append(server)
        self.urls |= {url: self.urls[leads_to] for url, leads_to in self.plugged.items()}
        try:
            return await work
        finally:
            for server in servers:
                server.close()
                await server.wait_closed()
            for meter in self.meters.values():
                await meter.__aexit__(None, None, None)


async def _talk(answer, reader, writer):
    while chunk := await reader.read(4096):
        writer.write(answer(chunk))
    writer.close()
    await writer.wait_closed()


@pytest.fixture
def town(request, monkeypatch):
    """Give a place to put meters."""
    conftest = Path(__file__).parents[1] / "conftest.py"
    town = Town(request.config.pluginmanager.get_plugin(str(conftest)).VirtualClockLoop)
    monkeypatch.setattr(opening.asyncio, "run", town.run)
    plain = opening.Target.url.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(opening.Target, "url", property(lambda target: town.urls.get(plain(target), plain(target))))
    return town


@pytest.fixture
def denmark(town):
    """Give the addresses of a meter that serves :func:`danish_image`."""
    return town.put("denmark", danish_image())


@pytest.fixture
def house(town):
    """Give the addresses of a house's meter that was put in a short while ago."""
    return town.put("house", House(ledger=Ledger(Household(1))))


@pytest.fixture
def osgp(town, monkeypatch, capsys, tmp_path):
    """Run the command with the right key in the environment; ``key=None`` leaves it out."""
    monkeypatch.chdir(tmp_path)
    for name in ("OSGP_PORT", "OSGP_KEY_FILE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*words, key=KEY, typed=""):
        monkeypatch.setitem(os.environ, "OSGP_KEY", key or "")
        if key is None:
            monkeypatch.delenv("OSGP_KEY")
        monkeypatch.setattr(sys, "argv", ["osgp", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", Typed(typed))
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        for secret in (KEY, READ_ONLY_KEY, KEY[:16]):
            for form in (secret, secret.encode().hex(), secret.encode().hex(" ")):
                assert form not in said.out + said.err, "a key was told"
        return Ended(code, said.out, said.err)

    return run


@pytest.fixture
def typed():
    """Give the class of standard input, whose ``terminal`` can be switched on."""
    return Typed
