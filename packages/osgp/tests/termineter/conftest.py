"""The real Termineter, unpatched, beside a simulated meter in this process."""

import asyncio
import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from osgp.image import MeterImage
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access
from osgp.optical.server import Meter as Habits
from osgp.simulator import House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

ROOT = Path(__file__).parents[4]
NOW = datetime(2026, 2, 3, 17, 30, tzinfo=UTC)
RECIPE_PASSWORD = "0123456789abcdefghij"
KEYS = {
    Access.READ_ONLY: OpticalKey(b"read-only key, 20 b."),
    Access.UNIQUE: OpticalKey.parse(RECIPE_PASSWORD),
}


def _load(name, path):
    """Load a module by its path: tools are no package."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


installer = _load("termineter_environment", ROOT / "tools" / "termineter_environment.py")


@pytest.fixture(scope="session")
def termineter():
    """Return the Python that Termineter is installed in."""
    try:
        return installer.environment()
    except installer.InstallError as error:
        pytest.fail(str(error))


def still_image():
    """Return the image of a made-up meter whose registers and clock stand still."""
    house = House(1, ledger=Ledger(Household(1), int(NOW.timestamp()) - 2 * 86400))
    meter = SimulatedMeter(house, clock=NOW.timestamp)
    tables = {table: meter.read(table) for table in range(2048 + 128)}
    return MeterImage({table: bytearray(data) for table, data in tables.items() if data is not None})


@pytest.fixture
async def meter():
    """A simulated meter whose tables stand still; it has one UART, so each session's first packet arrives damaged."""
    async with SimulatedMeter(still_image(), optical_keys=KEYS, clock=NOW.timestamp) as simulated:
        yield simulated


@pytest.fixture
async def strict_meter():
    """The same with a UART of its own; it takes the same toggle for a duplicate."""
    habits = Habits(strict_toggle=True)
    async with SimulatedMeter(still_image(), optical_keys=KEYS, habits=habits, clock=NOW.timestamp) as simulated:
        yield simulated


class Run:
    """What the tests take from here; test folders are no packages."""

    KEYS, PASSWORD = KEYS, RECIPE_PASSWORD

    def __init__(self, python, home):
        self.python, self.home = python, home

    async def console(self, lines):
        """Feed Termineter's console and return what it printed."""
        program = self.python.parent / "termineter"
        return await self._run([self.python, program, "-L", "CRITICAL"], "\n".join([*lines, "exit", ""]))

    async def script(self, path, *arguments):
        """Run a script with Termineter's library and return what it printed."""
        return await self._run([self.python, path, *arguments], "")

    async def _run(self, command, text):
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.home,
            env={"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TERM": "dumb"},
        )
        async with asyncio.timeout(120):
            said, _ = await process.communicate(text.encode())
        return said.decode()


@pytest.fixture
def run(termineter, tmp_path):
    """Run Termineter."""
    return Run(termineter, tmp_path)
