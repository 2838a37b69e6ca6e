"""How fast the optical port is read: Termineter's way, Termineter's library, and ours, one after another in one run.

Each reads what an owner needs, bytes 0-7 of BT23 (energy) and 0-39 of BT28 (power, current, voltage), from the same
simulated meter on a pty paced at 9600 baud, from a process of its own. The meter takes 20 ms before each time it speaks,
which stands for meter and USB adapter together. Of some rounds the best counts, because other programs may take the
processor meanwhile.

The limit is what the line leaves to anybody who stays logged in: every byte of the exchange, ACKs of both sides included,
at ten bits, and the meter's 20 ms before each of its replies. It is counted from what went over the line.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from osgp.image import MeterImage
from osgp.meter import Meter, open_meter
from osgp.optical.key import OpticalKey
from osgp.simulator import DEMO_KEY_TEXT, Faults, SimulatedMeter
from table import Row

_ROOT = Path(__file__).resolve().parent.parent
_BAUD, _BITS, _LATENCY = 9600, 10, 0.020
_SAMPLES = 25
_ROUNDS = 3
_PER_SECOND = "BT23 0/8 + BT28 0/40 a second"


def _termineter() -> Path:
    """Return the Python of Termineter's environment."""
    spec = importlib.util.spec_from_file_location(
        "termineter_environment", _ROOT / "tools" / "termineter_environment.py"
    )
    assert spec is not None
    assert spec.loader is not None
    installer: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(installer)
    python: Path = installer.environment()
    return python


async def _run(python: Path, script: str, port: str) -> list[float]:
    """Run a reader in a process of its own and return what it measured."""
    process = await asyncio.create_subprocess_exec(
        python, Path(__file__).with_name(script), port, DEMO_KEY_TEXT, str(_SAMPLES), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode:
        sys.exit(f"{script} could not read the simulated meter")
    figures: list[float] = json.loads(said)
    return figures


class _Counter:
    """Counts what goes over the line."""

    def __init__(self) -> None:
        self.bytes = self.turns = 0

    @contextmanager
    def attached(self, meter: Meter) -> Iterator[None]:
        """Count while a meter is read."""
        port = meter._connection._port  # noqa: SLF001 - the meter's interface has no need to show its bytes
        assert port is not None
        write, received, silent = port.write, port.data_received, True

        def wrote(data: bytes) -> None:
            nonlocal silent
            self.bytes, silent = self.bytes + len(data), True
            write(data)

        def heard(data: bytes) -> None:
            nonlocal silent
            self.bytes, self.turns, silent = self.bytes + len(data), self.turns + silent, False
            received(data)

        port.write, port.data_received = wrote, heard  # type: ignore[method-assign]
        yield
        port.write, port.data_received = write, received  # type: ignore[method-assign]


async def _ours(url: str, key: str, samples: int) -> tuple[float, float]:
    """Return samples a second as measured and as the line would allow."""
    counter = _Counter()
    async with open_meter(url, key=OpticalKey.parse(key)) as meter:
        await meter.read("BT23", 0, 8)
        await meter.read("BT28", 0, 40)
        with counter.attached(meter):
            began = time.perf_counter()
            for _ in range(samples):
                await meter.read("BT23", 0, 8)
                await meter.read("BT28", 0, 40)
            spent = time.perf_counter() - began
    least = counter.bytes * _BITS / _BAUD + counter.turns * _LATENCY
    return samples / spent, samples / least


async def _race() -> tuple[float, float, float, float]:
    """Return samples a second: a session for each table, all in one session, ours, the limit."""
    image, theirs, ours = MeterImage.load("image:denmark-gen3"), [[0.0, 0.0]], [[0.0, 0.0]]
    faults = Faults.parse([f"delay={_LATENCY}"])
    async with SimulatedMeter(image, baud=_BAUD, faults=faults, shared_uart=False) as simulated:
        url = simulated.serve_optical_pty()
        for _ in range(_ROUNDS):
            theirs.append(await _run(_termineter(), "termineter_pace.py", url.removeprefix("optical://")))
            ours.append(await _run(Path(sys.executable), "optical.py", url))
    speed, limit = max(ours)
    return max(each[0] for each in theirs), max(each[1] for each in theirs), speed, limit


def rows() -> list[Row]:
    """Measure."""
    per_table, in_one, ours, limit = asyncio.run(_race())
    share = ours / limit
    return [
        Row("Termineter's way, a session for each table:", f"{per_table:.2f}"),
        Row("Termineter's library in one session:", f"{in_one:.2f}"),
        Row(f"ours, {_PER_SECOND}:", f"{ours:.2f} of {limit:.2f}"),
        Row("  share of the line's limit for the same bytes", f"{share:.1%}", "at least 95 %", share >= 0.95),
        Row("  times Termineter's way", f"{ours / per_table:.1f}"),
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_ours(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
