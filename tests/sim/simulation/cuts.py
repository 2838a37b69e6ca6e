"""Power cuts of the two databases alone, by the hundred: the gateway's history and the print processor's journal.

Much cheaper than whole worlds: some hundredths of a second each. The product's own code writes; before the next cut it
opens what the last one left, and that is compared with what was promised.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import piprint.journal.store
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES
from piprint.bc.job import JobRow
from piprint.contract import JobState
from piprint.journal.entry import Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal
from simulation.disk import Disk, seed_sqlite
from simulation.fibers import Fibers
from simulation.files import Files
from simulation.gateway import seams
from simulation.host import Host
from simulation.loop import OWNER, SimLoop

__all__ = ["Report", "cut_history", "cut_journal"]

_START = 1_795_867_200.0
_ZONE = ZoneInfo("Europe/Copenhagen")
_IMPORT, _EXPORT, _POWER = (
    SOURCES[key] for key in ("active_energy_import", "active_energy_export", "active_power_import")
)
_EACH = 10.0
"""Seconds between readings."""
_COMMIT = 60.0


@dataclass
class Report:
    """What came of the cuts."""

    cuts: int = 0
    inside: int = 0
    """Cuts within a write."""
    wrong: Counter[str] = field(default_factory=Counter)
    """What was promised and did not hold, and how often."""
    most: float = 0.0
    """The most seconds of readings that one cut cost."""
    digest: Any = field(default_factory=hashlib.sha256)
    """Of all that was left: the same for the same seed."""


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="cuts-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


class _Bench:
    """As much of a world as a history needs."""

    def __init__(self, seed: int, how: Sequence[str], folder: Path) -> None:
        self.rng = random.Random(seed)
        self.seed, self.how, self.folder = seed, how, folder
        self.loop = SimLoop(self.rng)
        self.host = Host(self.loop.time, _START)
        self.fibers = Fibers(self.loop, self.host.wall)
        self.connections: list[sqlite3.Connection] = []
        self.disk = Disk.of("unix-excl", folder, self.loop.time)
        self.files = Files(folder, self.disk.sqlites, self.disk.renamed)
        self.in_ram = self.files.in_ram
        self.in_ram.mkdir()
        self.report = Report()
        self.given: dict[int, int] = {}
        """Wh by number, of all that an outbox has handed out."""
        self.wh = 1_000_000
        self.appended: list[tuple[float, int]] = []
        """When each reading since the last cut was appended, and its Wh."""

    async def work(self, cuts: int) -> None:
        mine = asyncio.current_task()
        for number in range(cuts):
            how = self.rng.choice(self.how)
            seed_sqlite(self.seed * 1000 + number)
            self.host.life += 1
            self.host.running = True
            OWNER.set(self.host.life)
            await self._live(how)
            self.host.running = False
            left = self.disk.cut(how, self.rng)
            self.report.inside += self.disk.left is not None
            self.fibers.kill()
            for task in sorted((task for task in asyncio.all_tasks() if task is not mine), key=hash):
                task.cancel()
            await asyncio.sleep(0.1)
            self.fibers.kill()
            for connection in self.connections:
                connection.close()
            self.connections.clear()
            gc.collect()
            self.disk.power_on(left)
            self.host.boots += 1
            self.files.cut(how, self.rng, power=True)
            self.report.cuts += 1
            self._look_at_files(how)

    async def _live(self, how: str) -> None:
        rng, disk = self.rng, self.disk
        store = seams.open_store(
            self, self.folder / "history.db", HistoryConfig(keep_raw_days=1, commit_every=_COMMIT), _ZONE
        )
        await store.__aenter__()
        if self.report.cuts:
            await self._look_back(store)
        outbox = store.outbox("mqtt")
        in_database = rng.random() < 0.5
        disk.arm(rng.randrange(1, 40 if in_database else 300), how, rng, main=in_database)
        self.appended = []
        for count in range(rng.randrange(1, 600)):
            if disk.off:
                break
            await asyncio.sleep(_EACH)
            self.wh += rng.randrange(1, 20)
            now = datetime.fromtimestamp(self.host.wall(), UTC)
            store.offer(_sample(TableGroup.PRESENT, now, {_POWER: 1000 + count}, self.loop.now))
            await store.append(_sample(TableGroup.REGISTERS, now, {_IMPORT: self.wh, _EXPORT: 5}, self.loop.now))
            self.appended.append((self.loop.now, self.wh))
            for seq, sample in outbox.pending(10):
                if self.given.setdefault(seq, sample.values[_IMPORT]) != sample.values[_IMPORT]:
                    self.report.wrong["a number (seq) was given to two readings"] += 1
                    self.given[seq] = sample.values[_IMPORT]
                outbox.acknowledge(seq)

    async def _look_back(self, store: Any) -> None:
        """Compare what the history has with what was appended before the cut."""
        status = store.status()
        if not status.ok:
            self.report.wrong[f"the history is not well after a cut: {status.message[:60]}"] += 1
        last = await store.last_registers("house")
        has = last.values[_IMPORT] if last is not None else 0
        lost = [at for at, wh in self.appended if wh > has]
        if lost:
            age = self.appended[-1][0] - lost[0] + _EACH
            self.report.most = max(self.report.most, age)
            if age > _COMMIT + 2 * _EACH:
                self.report.wrong["a cut cost more than one commit interval"] += 1

    def _look_at_files(self, how: str) -> None:
        report = self.report
        if any("damaged" in path.name for path in self.folder.iterdir()):
            report.wrong[f"{how}: the history was moved aside"] += 1
            for path in self.folder.iterdir():
                if "damaged" in path.name:
                    path.unlink()
        file = self.folder / "history.db"
        if not file.exists():
            return
        base = sqlite3.dbapi2.Connection(str(file))
        try:
            (found,) = base.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.Error as error:
            found = str(error)
        base.close()
        report.digest.update(file.read_bytes())
        if found != "ok":
            report.wrong[f"{how}: the history is damaged"] += 1


def _sample(group: TableGroup, label: datetime, values: dict[Any, int], instant: float) -> Sample:
    more = {"instant": instant} if "instant" in Sample.__dataclass_fields__ else {}
    return Sample("house", group, label, values, **more)


def cut_history(seed: int, cuts: int, how: Sequence[str]) -> Report:
    """Cut the power of a history so many times, each time in one of these ways."""
    folder = _folder()
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    bench = _Bench(seed, how, folder)
    asyncio.set_event_loop(bench.loop)
    try:
        with bench.disk, seams.Ground(bench), bench.files:
            bench.loop.run_until_complete(bench.loop.create_task(bench.work(cuts)))
    finally:
        asyncio.set_event_loop(None)
        bench.loop.close()
        shutil.rmtree(folder, ignore_errors=True)
        if collecting:
            gc.enable()
    return bench.report


# The print processor's journal.


class _Inline(Executor):
    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **more))
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class _Claim:
    token: str
    attempt: int = 1


_STEPS: tuple[tuple[Step, dict[str, Any]], ...] = (
    (Step.STORED, {"size": 9, "tries": 1}),
    (Step.CREATING, {}),
    (Step.CREATED, {"ipp_id": 1, "held": True}),
    (Step.SENDING, {"submitted": True}),
    (Step.SENT, {}),
    (Step.RELEASING, {}),
    (Step.FOLLOWING, {}),
    (Step.ENDED, {"outcome": Outcome.PRINTED}),
    (Step.REPORTED, {}),
)
_ORDER = [Step.CLAIMING, *(step for step, _ in _STEPS)]


async def _journal(seed: int, cuts: int, how: Sequence[str], folder: Path, disk: Disk, report: Report) -> None:
    rng = random.Random(seed)
    known: dict[int, Step] = {}
    row = 0
    for number in range(cuts):
        seed_sqlite(seed * 1000 + number)
        journal = await Journal.open(folder, executor=_Inline(), clock=lambda: datetime(2026, 11, 28, tzinfo=UTC))
        database = journal._database
        has = {at: Step(step) for at, step in database.execute("SELECT row_no, step FROM job")}
        if any(at not in has or _ORDER.index(has[at]) < _ORDER.index(step) for at, step in known.items()):
            report.wrong["a synced step was lost"] += 1
        if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            report.wrong["the journal is damaged"] += 1
        known = has
        mode = rng.choice(how)
        disk.arm(rng.randrange(1, 300), mode, rng)
        try:
            while True:
                row += 1
                job = JobRow(
                    row_no=row, printer_id="a", state=JobState.QUEUED, payload=_PAYLOAD, id=f"id-{row}", attempts=0
                )
                entry = await journal.begin(job, _Claim(f"0a.1.{row:08x}"), name=f"pi-a-{row}-1-x")  # type: ignore[arg-type]
                known[row] = Step.CLAIMING
                for step, more in _STEPS:
                    entry = await journal.advance(entry, step, **more)
                    known[row] = step
        except Exception:  # noqa: BLE001 - the disk is gone, in whatever words
            report.inside += disk.left is not None
        left = disk.cut(mode, rng)
        database.close()
        journal._lock.release()
        del journal, database
        gc.collect()
        disk.power_on(left)
        for path in sorted(folder.glob("journal*")):  # noqa: ASYNC240 - nobody waits for this loop
            if path.name.endswith("shm"):
                path.unlink()
            else:
                report.digest.update(path.read_bytes())
        report.cuts += 1


_PAYLOAD = '{"objectname":"Invoice"}' + " " * 600


def cut_journal(seed: int, cuts: int, how: Sequence[str]) -> Report:
    """Cut the power of a print journal so many times, each time in one of these ways."""
    folder, report = _folder(), Report()
    disk = Disk.of("unix", folder, lambda: 0.0)
    real = piprint.journal.store.secrets
    piprint.journal.store.secrets = type("Pinned", (), {"token_hex": staticmethod(lambda count: "0a" * count)})  # type: ignore[assignment]
    try:
        with disk:
            asyncio.run(_journal(seed, cuts, how, folder, disk, report))
    finally:
        piprint.journal.store.secrets = real
        shutil.rmtree(folder, ignore_errors=True)
    return report
