"""How fast the optical port is read: Termineter's way, Termineter's library, and ours, one after another in one run.

Each reads what an owner needs, bytes 0-7 of BT23 (energy) and 0-39 of BT28 (power, current, voltage), from the same
simulated meter on a pty paced at 9600 baud, from a process of its own. The meter takes 20 ms before each time it speaks,
which stands for meter and USB adapter together. Of some rounds the best counts, because other programs may take the
processor meanwhile.

The limit is what the line leaves to anybody who stays logged in: every byte of the exchange, ACKs of both sides included,
at ten bits, and the meter's 20 ms before each of its replies. It is counted from what went over the line.

These are bare reads. What a gateway publishes is confirmed: behind each table stands a read of the one byte that says that
the meter was not reconfigured meanwhile. That is measured apart, with the whole tables, and against its own limit.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from osgp.image import MeterImage
from osgp.meter import Meter, open_meter
from osgp.optical.key import OpticalKey
from osgp.psem import table_id
from osgp.simulator import DEMO_KEY_TEXT, Faults, SimulatedMeter
from osgp.tables import present, registers
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


async def _ours(url: str, key: str, samples: int) -> tuple[float, ...]:
    """Return samples a second as measured and as the line would allow: bare, whole and unconfirmed, whole and confirmed."""
    async with open_meter(url, key=OpticalKey.parse(key)) as meter:
        await meter.registers()
        sizes = [table.size(await meter.dimensions()) for table in (registers.BT23, present.BT28)]

        async def bare() -> None:
            await meter.read("BT23", 0, 8)
            await meter.read("BT28", 0, 40)

        async def whole() -> None:
            await meter.read("BT23", 0, sizes[0])
            await meter.read("BT28", 0, sizes[1])

        async def confirmed() -> None:
            await meter.registers()
            await meter.present()

        return (
            *await _pace(meter, bare, samples),
            *await _pace(meter, whole, samples),
            *await _pace(meter, confirmed, samples),
        )


async def _pace(meter: Meter, sample: Callable[[], Awaitable[None]], samples: int) -> tuple[float, float]:
    """Return samples a second as measured and as the line would allow."""
    counter = _Counter()
    await sample()
    with counter.attached(meter):
        began = time.perf_counter()
        for _ in range(samples):
            await sample()
        spent = time.perf_counter() - began
    least = counter.bytes * _BITS / _BAUD + counter.turns * _LATENCY
    return samples / spent, samples / least


async def _race() -> tuple[float, ...]:
    """Return samples a second: a session for each table, all in one session, and six figures of ours (:func:`_ours`)."""
    image, theirs, ours = MeterImage.load("image:denmark-gen3"), [[0.0, 0.0]], [[0.0] * 6]
    image.tables[table_id("ET04")] = bytearray(129)  # whoever published the image did not read it
    faults = Faults.parse([f"delay={_LATENCY}"])
    async with SimulatedMeter(image, baud=_BAUD, faults=faults, shared_uart=False) as simulated:
        url = simulated.serve_optical_pty()
        for _ in range(_ROUNDS):
            theirs.append(await _run(_termineter(), "termineter_pace.py", url.removeprefix("optical://")))
            ours.append(await _run(Path(sys.executable), "optical.py", url))
    best = [max(each[place : place + 2] for each in ours) for place in (0, 2, 4)]
    return (
        max(each[0] for each in theirs),
        max(each[1] for each in theirs),
        *(figure for pair in best for figure in pair),
    )


def rows() -> list[Row]:
    """Measure."""
    per_table, in_one, ours, limit, whole, _, sure, sure_limit = asyncio.run(_race())
    share = ours / limit
    return [
        Row("Termineter's way, a session for each table:", f"{per_table:.2f}"),
        Row("Termineter's library in one session:", f"{in_one:.2f}"),
        Row(f"ours, {_PER_SECOND}:", f"{ours:.2f} of {limit:.2f}"),
        Row("  share of the line's limit for the same bytes", f"{share:.1%}", "at least 95 %", share >= 0.95),
        Row("  times Termineter's way", f"{ours / per_table:.1f}"),
        Row("ours, whole BT23 + BT28, each confirmed, a second:", f"{sure:.2f} of {sure_limit:.2f}"),
        Row(
            "  share of the line's limit for the same bytes",
            f"{sure / sure_limit:.1%}",
            "at least 95 %",
            sure / sure_limit >= 0.95,
        ),
        Row("  share of what is possible without confirmation", f"{sure / whole:.1%}"),
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_ours(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
