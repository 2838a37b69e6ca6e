"""One world: print processors, Business Central with its users, CUPS and printers, on a computer with a clock and a disk, and what goes wrong.

A world is wholly decided by its :class:`Setting`. What is the program's runs as it is: ``piprint.runtime.service.run`` with its real client over
connections in memory.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import random
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TextIO

from piprint.config.load import Loaded
from piprint.config.settings import Config
from piprint.contract import JobState
from piprint.journal.entry import Entry
from piprint.runtime import service
from simulation import disk, files
from simulation.chance import undisturbed
from simulation.conditions import Conditions
from simulation.loop import OWNER
from simulation.plan import Fault
from simulation.printing import actions, seams
from simulation.printing.central import HOST, PORT, TENANT, Central
from simulation.printing.cups import Cups
from simulation.printing.faults import draw, words
from simulation.printing.network import Network, Place
from simulation.printing.papers import Ledger, Paper
from simulation.printing.printers import Device, IppPrinter, RawPrinter
from simulation.printing.sentences import SENTENCES
from simulation.printing.watch import Watch
from simulation.telling import Telling

__all__ = ["Processor", "Setting", "World", "run"]

_START = 1_795_867_200.0  # 2026-11-28T12:00Z
SETTLE = 900.0
"""Seconds after the last fault in which all has to become well."""
_LOCAL = ("127.0.0.1", 631)


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that decides a world.

    Args:
        seed: of latencies, of what users print and when, and of what the faults leave to chance.
        faults: what goes wrong.
        minutes: for which users print and faults come.
        jobs: documents printed, besides those of the faults.
        extension: of Business Central.
        processors: with one host name and different data folders, on one computer.
        uncertain: see below, as for all that follow.
        save_after: seconds after which CUPS saves its job list.
        give_up: seconds a job may wait for its printer, and be said to print without a sign of it.
        lease: seconds.
        token_seconds: how long a token lives.
        page_seconds: how long a printer takes for a page.
    """

    seed: int
    faults: tuple[Fault, ...] = ()
    minutes: float = 10.0
    jobs: int = 8
    extension: str = "2.0"
    processors: int = 1
    uncertain: str = "hold"
    """What shall become of uncertain jobs."""
    save_after: float = 30.0
    give_up: float = 300.0
    lease: float = 60.0
    token_seconds: float = 4500.0
    page_seconds: float = 1.5

    @classmethod
    def draw(cls, seed: int, kinds: Sequence[str]) -> Setting:
        """Draw a world by its seed."""
        rng = random.Random(f"print {seed}")
        minutes, jobs = rng.choice((2.0, 4.0, 4.0, 10.0)), rng.choice((2, 5, 8, 12))
        setting = cls(
            seed,
            (),
            minutes,
            jobs,
            rng.choice(("2.0", "2.0", "1.0")),
            rng.choice((1, 1, 1, 2)),
            rng.choice(("hold", "hold", "reprint")),
            rng.choice((0.0, 2.0, 30.0, 30.0)),
            token_seconds=rng.choice((4500.0, 4500.0, 400.0)),
            page_seconds=rng.choice((0.3, 1.5, 6.0)),
        )
        return replace(setting, faults=tuple(draw(rng, minutes, kinds, setting.times())))

    def times(self) -> list[float]:
        """Return when users print."""
        rng = random.Random(f"times {self.seed}")
        return sorted(round(rng.uniform(5, max(20.0, self.minutes * 60 - 30)), 1) for _ in range(self.jobs))


class Processor:
    """A print processor: its data folder, and its life where it has one."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.folder = world.folder / f"processor{number}"
        self.life = 0
        self.instance = ""
        self.running = False
        self.since = 0.0
        self.dispatcher: Any = None
        self.journal: Any = None
        self.program: asyncio.Task[None]
        self.stop: asyncio.Event
        self.known: dict[tuple[int, int], tuple[Entry, Entry]] = {}
        """By row and attempt: what was committed for certain, and what may have been since."""
        self.at_commit: Callable[[str, Entry], bool] | None = None
        """Asked at each step of the journal; True: the program ends here."""

    def boot(self) -> None:
        """Start it."""
        world = self.world
        world.lives += 1
        self.life, self.running, self.since = world.lives, True, world.loop.now
        world.living[self.life] = self
        self.dispatcher = None
        disk.seed_sqlite(world.setting.seed * 1000 + self.life)
        random.seed(f"{world.setting.seed} {self.life}")
        context = contextvars.copy_context()
        context.run(OWNER.set, self.life)
        self.stop = asyncio.Event()
        loaded = Loaded(world.configuration(self), Path("piprint.toml"), (), ())
        work = service.run(loaded, seams.recent(), stop=self.stop)
        self.program = context.run(world.loop.create_task, work)
        life = self.life
        self.program.add_done_callback(lambda task: self._ended(task, life))

    def _ended(self, task: asyncio.Task[None], life: int) -> None:
        if not self.world.alive(life):
            if not task.cancelled():
                task.exception()
            return
        if not task.cancelled() and (error := task.exception()) is not None:
            self.world.fail("mistake", f"the program ended: {error!r}"[:300])

    async def opened(self, journal: Any) -> None:
        """Look whether the journal has what was committed."""
        self.journal, self.instance = journal, journal.instance
        entries = {(entry.row_no, entry.attempt): entry for entry in await journal._call(lambda: journal._select("1"))}
        for key, (sure, maybe) in self.known.items():
            has = entries.get(key)
            if has is None or (has.step, has.outcome) not in {(one.step, one.outcome) for one in (sure, maybe)}:
                self.world.fail(
                    "journal",
                    f"job {key[0]}, attempt {key[1]}: {sure.step} was synced, the journal has {has.step if has else 'nothing'}",
                )
        self.known = {key: (entry, entry) for key, entry in entries.items()}

    def committed(self, moment: Literal["before", "after"], entry: Entry) -> None:
        """Hear of a step, on the journal's thread."""
        key = entry.row_no, entry.attempt
        if moment == "after":
            self.known[key] = entry, entry
            self.world.note(f"journal {self.number}: job {entry.row_no} {entry.step}")
        elif key in self.known:
            self.known[key] = self.known[key][0], entry
        if self.at_commit is not None and self.at_commit(moment, entry):
            self.world.fibers.give_way()  # for ever: the thread is killed where it stands


@dataclass
class World(Telling):
    """The world while it runs."""

    sentences: ClassVar[dict[str, str]] = SENTENCES
    setting: Setting
    plant: Callable[[World], Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        setting = self.setting
        self.begin(f"print world {setting.seed}", _START)
        self.network = Network(self.loop, self.alive)
        self.bad = Conditions(self.loop.time)
        self.ledger = Ledger()
        self.folder = Path(tempfile.mkdtemp(prefix="printing-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.disk = disk.Disk.of("unix", self.folder, self.loop.time)
        self.files = files.Files(self.folder, self.disk.sqlites, self.disk.renamed)
        self.disk.gone = self.files.gone = self._is_dead
        self.connections: list[tuple[int, sqlite3.Connection]] = []
        self.living: dict[int, Processor] = {}
        self.lives = 0
        self.power = asyncio.Lock()
        """Held by a fault that takes a program down."""
        self.watch = Watch(self)
        self.numbers = 0
        self._mine: set[asyncio.Task[Any]] = set()

    def _furnish(self) -> None:
        """Put up Business Central and the printers; needs the seams."""
        setting = self.setting
        self.central = Central(self, setting.extension)
        self.devices = {
            name: Device(name, self.loop, self.ledger, setting.page_seconds) for name in ("office", "desk", "label")
        }
        self.cups = Cups(
            self.loop, self.rng, self.spawn, self.host.wall, {"office": self.devices["office"]}, setting.save_after
        )
        self.desk = IppPrinter(self.devices["desk"], self.loop, self.rng, self.spawn)
        lock = asyncio.Lock()
        self.label = Place(lambda: RawPrinter(self.devices["label"], self.spawn, lock))
        self.network.listen(*_LOCAL, self.cups.place)
        self.network.listen("10.0.0.2", 631, self.desk.place)
        self.network.listen("10.0.0.3", 9100, self.label)
        self.processors = [Processor(self, number) for number in range(1, setting.processors + 1)]

    def configuration(self, processor: Processor) -> Config:
        """Return the settings."""
        setting = self.setting
        more = {"uncertain": setting.uncertain, "give_up_after": setting.give_up, "stuck_after": setting.give_up}
        return Config.model_validate(
            {
                "host": "shop",
                "data_dir": str(processor.folder),
                "business_central": {
                    "url": f"http://{HOST}:{PORT}/BC/ODataV4/",
                    "extension": "auto",
                    "login": {
                        "kind": "secret",
                        "tenant": TENANT,
                        "client_id": "66666666-7777-8888-9999-000000000000",
                        "secret": "stand-in-secret",
                        "token_url": f"http://{HOST}:{PORT}/{TENANT}/oauth2/v2.0/token",
                    },
                },
                "cups": {"url": "http://127.0.0.1:631/"},
                "printers": [
                    {"id": "office", **more},
                    {"id": "desk", "uri": "ipp://10.0.0.2:631/ipp/print", **more},
                    {"id": "label", "uri": "socket://10.0.0.3:9100", "language": "raw", **more},
                ],
                "lease": {"seconds": setting.lease},
                "limits": {"keep_free_mb": 0},
                "web": {"enabled": False},
            }
        )

    # Telling.

    def what_happened(self) -> str:
        """Say in numbers what this life was."""
        return f"{self.lives} lives of the program, {self.numbers} documents, {len(self.ledger.sheets)} sheets"

    # Who lives.

    def alive(self, life: int) -> bool:
        """Tell whether what belongs to a life has an effect; the world itself (0) always has."""
        return life == 0 or life in self.living

    def _is_dead(self) -> bool:
        return not self.alive(OWNER.get())

    def processor_of(self, life: int) -> Processor:
        """Return whose life that is."""
        return self.living[life]

    def has_lived(self, instance: str, seconds: float) -> bool:
        """Tell whether a processor has run, and been heard by Business Central, for so long without a break."""
        lives = any(
            each.running and each.instance == instance and self.loop.now - each.since > seconds
            for each in self.processors
        )
        return lives and all(self.bad.good_for(part) > seconds for part in ("bc", "threads", "host", "clock"))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task of the world, whoever asks for it."""
        context = contextvars.copy_context()
        context.run(OWNER.set, 0)
        task: asyncio.Task[Any] = context.run(self.loop.create_task, work)
        self._mine.add(task)
        task.add_done_callback(self._mine.discard)
        return task

    # Ends of programs.

    def strike(self, processors: Sequence[Processor], *, power: str = "") -> None:
        """End programs at once, between two steps; with ``power`` the whole host, of whose unsynced writes so much is left."""
        self.struck_by = power
        self._left = self.disk.cut(power, self.rng) if power else None
        if power:
            self.files.off = True
            self.cups.kill(power=True)
        for processor in processors:
            if processor.running:
                processor.running, processor.at_commit = False, None
                self.living.pop(processor.life, None)
                self.network.end_of(processor.life, power=bool(power))

    async def bury(self, processors: Sequence[Processor]) -> None:
        """Clear away what was struck."""
        lives = {processor.life for processor in processors if not processor.running}
        for life in lives:
            self.fibers.kill(life)
        while others := sorted((t for t in asyncio.all_tasks() if getattr(t, "owner", 0) in lives), key=hash):
            for task in others:
                task.cancel()
            await asyncio.sleep(0)
            for life in lives:
                self.fibers.kill(life)
        self._close(lives)
        for processor in processors:
            if processor.journal is not None and processor.journal._lock is not None:
                processor.journal._lock.release()
            processor.journal = processor.dispatcher = None
        gc.collect()
        if self._left is not None:
            self.disk.power_on(self._left)
            self.files.off = False
            self.files.cut(self.struck_by, self.rng, power=True)
            self._left = None

    async def halt(self, processor: Processor) -> None:
        """Stop a program as systemd does."""
        processor.stop.set()
        await asyncio.wait([processor.program])
        processor.running = False
        self.living.pop(processor.life, None)
        self._close({processor.life})
        processor.journal = processor.dispatcher = None

    def _close(self, lives: set[int]) -> None:
        for life, connection in self.connections:
            if life in lives:
                context = contextvars.copy_context()
                context.run(OWNER.set, life)  # so that closing writes nothing that its program did not
                with suppress(sqlite3.Error):
                    context.run(connection.close)
        self.connections = [(life, connection) for life, connection in self.connections if life not in lives]

    # All of it.

    async def play(self) -> None:
        """Live through the world."""
        self._furnish()
        planted = self.plant(self) if self.plant is not None else None
        try:
            for processor in self.processors:
                processor.boot()
            watching = self.spawn(self.watch.run())
            users = self.spawn(self._users())
            await self._suffer()
            await users
            await self._settle()
            if watching.done():  # a watch that broke off would find nothing more
                watching.result()
            watching.cancel()
            self.watch.in_the_end()
            for processor in self.processors:
                await self.halt(processor)
            self.watch.leftovers()
        finally:
            if planted is not None:
                planted()

    async def _users(self) -> None:
        setting = self.setting
        rng = random.Random(f"users {setting.seed}")
        for at in setting.times():
            printer = rng.choice(("office", "office", "office", "desk", "desk", "label"))
            pages, large = rng.choice((1, 1, 2, 5)), rng.random() < 0.15
            await asyncio.sleep(max(0.0, at - self.loop.now))
            await self.print(printer, pages, size=40_000 if large else 600)

    async def print(self, printer: str, pages: int = 1, *, size: int = 600, poison: bool = False) -> None:
        """Let a user print a document, as soon as the printer is offered."""
        self.numbers += 1
        paper = Paper(self.numbers, pages, poison, size)
        for _ in range(3600):
            if self.central.print(paper, printer):
                self.note(f"a user prints document {paper.number}, {pages} pages, at {printer}", tell=True)
                return
            await asyncio.sleep(1)
        self.fail("lost", f"the printer {printer} is not offered", "printer")

    async def _suffer(self) -> None:
        under_way = []
        for fault in self.setting.faults:
            await asyncio.sleep(max(0.0, fault.at - self.loop.now))
            self.note(words(fault), tell=True)
            under_way.append(self.spawn(actions.ACTIONS[fault.kind](self, fault)))
            if fault.kind in actions.TAKES_DOWN:
                await under_way[-1]
        await asyncio.sleep(max(0.0, self.setting.minutes * 60 - self.loop.now))
        if under_way:
            await asyncio.wait(under_way)
        for task in under_way:
            if task.exception() is not None:
                raise task.exception()  # type: ignore[misc]

    async def _settle(self) -> None:
        """Wait until all is done, or has had its time."""
        self.watch.settling = self.loop.now
        while self.loop.now - self.watch.settling < SETTLE:
            await asyncio.sleep(10)
            if not any(
                row.status in {JobState.QUEUED, JobState.PRINTING} for row in self.central.rows().values()
            ) and all(each.dispatcher is not None and not each.dispatcher._context.jobs for each in self.processors):
                break
        await asyncio.sleep(40)

    def close(self) -> None:
        """Leave nothing behind."""
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.living.clear()
        self.fibers.kill()
        self._close({life for life, _ in self.connections})
        for processor in getattr(self, "processors", ()):
            if processor.journal is not None and processor.journal._lock is not None:
                processor.journal._lock.release()
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if hasattr(self, "central"):
            self.central.environment.folder.cleanup()


def run(setting: Setting, *, log: TextIO | None = None, plant: Callable[[World], Any] | None = None) -> World:
    """Run a world from begin to end and return it."""
    with undisturbed():
        world = World(setting, log=log, plant=plant)
        asyncio.set_event_loop(world.loop)
        try:
            with warnings.catch_warnings(), world.disk, seams.Seams(world), world.files:
                warnings.simplefilter("ignore", ResourceWarning)  # a killed program closes nothing
                try:
                    world.run()
                finally:
                    world.close()
                    gc.collect()
        finally:
            asyncio.set_event_loop(None)
        return world
