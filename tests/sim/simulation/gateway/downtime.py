"""A world in which the gateway is stopped for days and started again, with a house behind the meter that goes on living.

The meter is the product's simulated one with its house model, which keeps a load profile as a real meter does. The truth is what
the house's registers show at each quarter of an hour; :meth:`Downtime.check` compares the history with it.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nes2mqtt.config.settings import Config
from osgp.simulator import House, SimulatedMeter
from osgp.simulator.history.happenings import Happening, History
from simulation.gateway import seams
from simulation.gateway.world import Setting, World
from simulation.loop import OWNER

__all__ = ["Downtime", "Filled", "live_through"]

QUARTER = 900
_LIVE = 1800.0
"""Seconds for which the gateway runs before the downtime, and after it."""
_IMPORT, _EXPORT = 0, 1
"""Places among the house's summations."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A reading that was filled in: when, and what the registers showed."""

    at: float
    imported: int
    exported: int


@dataclass
class Downtime(World):
    """One downtime.

    Args:
        seconds: how long the gateway is stopped.
        happenings: what happens to the meter, true time.
        keep: where a copy of what the gateway has written is left.
    """

    seconds: float = 6 * 86400.0
    happenings: tuple[Happening, ...] = ()
    keep: Path | None = None
    said: list[str] = field(default_factory=list)
    """Lines of the log."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.watch: Any = SimpleNamespace(
            published=lambda _: None,
            took=lambda *_: None,
            restarted=lambda: None,
            said=self._hear,
        )
        self.house = House(self.setting.seed + 3, history=History(self.happenings))
        self.stopped = self.started = 0.0
        """True time when the gateway was stopped, and when it was started again."""

    def _hear(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        if record.exc_info is not None and record.exc_info[1] is not None:
            self.fail("mistake", f"{record.getMessage()}: {record.exc_info[1]!r}"[:300])

    async def play(self) -> None:
        """Run, stop, let days pass, run again; then stop for good."""
        true = self.host.true
        async with AsyncExitStack() as stack:
            meter = SimulatedMeter(self.house, clock=true, seed=7, shared_uart=False)
            await stack.enter_async_context(meter)
            port = await meter.serve_tcp("sim")
            self.config = Config.model_validate(
                {
                    "timezone": "Europe/Copenhagen",
                    "data_dir": str(self.folder),
                    "meters": {
                        "house": {
                            "port": port,
                            "key": "SIMULATED-METER-DEMO",
                            "present_every": 60.0,
                            "registers_every": 60.0,
                        }
                    },
                    "history": {"commit_every": 300.0},
                }
            )
            self.boot()
            await self.sleep(_LIVE)
            await self.halt()
            self.stopped = true()
            await self.sleep(self.seconds)
            self.started = true()
            self.boot()
            await self.sleep(_LIVE)
            await self.halt()
        self.host.life += 1
        self.host.running = True
        OWNER.set(self.host.life)
        async with seams.open_store(self, self.database, self.config.history, self.config.timezone):
            pass  # rolls up what is over
        self.host.running = False
        self.read_back()

    def read_back(self) -> None:
        """Take what the history holds, by SQL, as somebody else's program would."""
        self._close_connections()
        if self.keep is not None:
            shutil.copytree(self.folder, self.keep)
        with closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            self.filled = [
                Filled(row["received"] / 1000, row["active_energy_import"], row["active_energy_export"])
                for row in connection.execute("SELECT * FROM filled ORDER BY received")
            ]
            self.quarters = {
                row["start"] // 1000: (
                    row["energy_from"] / 1000,
                    row["energy_to"] / 1000,
                    row["active_energy_import"],
                    row["active_energy_export"],
                )
                for row in connection.execute("SELECT * FROM quarter_rollups")
            }
            self.sums = {
                level: connection.execute(f"SELECT sum(active_energy_import) FROM {level}_rollups").fetchone()[0]
                for level in ("minute", "quarter", "hour")
            }
            self.gaps = [dict(row) for row in connection.execute("SELECT * FROM gaps ORDER BY began")]
            ends = "SELECT min(received), max(received), min(active_energy_import), max(active_energy_import)"
            self.ends = tuple(connection.execute(f"{ends} FROM registers").fetchone())

    # The truth.

    def truth(self, at: float) -> tuple[int, int]:
        """Return what the house's registers show at the begin of a second of true time: import, export."""
        total, _ = self.house.registers_at(round(at))
        return total[_IMPORT], total[_EXPORT]

    def used(self, begin: float) -> tuple[int, int]:
        """Return what the house used in the quarter of an hour that begins then."""
        before, after = self.truth(begin), self.truth(begin + QUARTER)
        return after[0] - before[0], after[1] - before[1]

    def quarters_away(self) -> list[int]:
        """Return the begins of the quarters of an hour that lie wholly in the downtime."""
        first = int(-(-self.stopped // QUARTER) * QUARTER)
        return list(range(first, int(self.started) - QUARTER + 1, QUARTER))

    def check(self) -> list[int]:
        """Compare what the history holds of the downtime with the truth.

        Returns:
            The begins of the quarters of an hour whose energy the history does not claim to know.
        """
        assert not self.failures, self.failures
        for reading in self.filled:
            shown = reading.imported, reading.exported
            if reading.at % QUARTER:  # by a clock that is off, of which whole seconds are read
                low, high = self.truth(reading.at - 1), self.truth(reading.at + 1)
                assert low[0] <= shown[0] <= high[0], _when(reading.at)
                assert low[1] <= shown[1] <= high[1], _when(reading.at)
            else:
                assert shown == self.truth(reading.at), _when(reading.at)
        counted = self.ends[3] - self.ends[2]
        assert set(self.sums.values()) == {counted}
        unknown = []
        for begin in self.quarters_away():
            quarter = self.quarters.get(begin)
            if quarter is not None and quarter[:2] == (begin, begin + QUARTER):
                assert quarter[2:] == self.used(begin), _when(begin)
            else:
                unknown.append(begin)
        return unknown


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def live_through(
    start: float, seconds: float, *happenings: Happening, seed: int = 0, keep: Path | None = None
) -> Downtime:
    """Return a world in which the gateway was stopped for so long, half an hour after its start."""
    from simulation.chance import undisturbed  # noqa: PLC0415 - with the world only

    setting = Setting(seed, start=start, optical=False)
    with undisturbed():
        world = Downtime(setting, seconds=seconds, happenings=happenings, keep=keep)
        asyncio.set_event_loop(world.loop)
        try:
            with world.disk, seams.Seams(world), world.files, world.broker.in_place_of_network():
                try:
                    world.run()
                finally:
                    world.close()
        finally:
            asyncio.set_event_loop(None)
        return world
