"""One world: a gateway with two meters, a broker and a page, on a computer with a clock and a disk, and what goes wrong.

A world is wholly decided by its :class:`Setting`.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TextIO

from nes2mqtt.config.settings import Config
from simulation import disk, files
from simulation.chance import undisturbed
from simulation.conditions import Conditions
from simulation.gateway import actions, seams
from simulation.gateway.accounts import check_accounts, check_integrity
from simulation.gateway.broker import Broker
from simulation.gateway.faults import Fault, draw, words
from simulation.gateway.lines import Line, Lines
from simulation.gateway.meters import Meter
from simulation.gateway.sentences import SENTENCES
from simulation.gateway.watch import Watch
from simulation.loop import OWNER
from simulation.plan import FOR_EVER
from simulation.telling import Telling

__all__ = ["Setting", "World", "run"]

ORDINARY = 1_795_867_200.0  # 2026-11-28T12:00Z
INTO_SUMMER = 1_806_177_600.0  # 2027-03-27T20:00Z: the night that is one hour short
INTO_WINTER = 1_792_872_000.0  # 2026-10-24T20:00Z: the night that is one hour long
COMMIT = 60.0
"""Seconds between two writes to the database, as configured."""
SETTLE = 370.0
"""Seconds after the last fault in which all has to become well."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that decides a world.

    Args:
        seed: of latencies and of what the faults leave to chance.
        faults: what goes wrong.
        hours: how long it goes on, at least.
        present: seconds between two readings of the present values.
        registers: and of the registers.
        start: true time when it begins, UTC seconds.
        protocol: of the broker: "5" or "3.1.1".
        page_every: seconds between two looks at the page.
        optical: see below, as for :attr:`tail_in_ram`.
    """

    seed: int
    faults: tuple[Fault, ...] = ()
    hours: float = 1.0
    present: float = 10.0
    registers: float = 30.0
    start: float = ORDINARY
    protocol: str = "5"
    page_every: int = 60
    optical: bool = True
    """There is a second meter, at its optical port."""
    tail_in_ram: bool = True
    """The program has a folder in RAM for what it has not written to the database yet."""

    @classmethod
    def draw(cls, seed: int, kinds: list[str]) -> Setting:
        """Draw a world by its seed: every fourth is short and busy, the others take two quiet days."""
        rng = random.Random(f"plan {seed}")
        busy = seed % 4 == 0
        hours = 1.0 if busy else 48.0
        start = rng.choice((ORDINARY, ORDINARY, INTO_SUMMER, INTO_WINTER))
        start += rng.uniform(0, max(0.0, 6 - hours)) * 3600 if start != ORDINARY else 0.0
        return cls(
            seed,
            tuple(draw(rng, hours, kinds, (1, 3) if busy else (3, 8))),
            hours,
            *((10.0, 30.0) if busy else (300.0, 900.0)),
            start=float(round(start)),
            protocol=rng.choice(("5", "5", "3.1.1")),
            page_every=60 if busy else 1800,
            optical=busy or rng.random() < 0.15,
            tail_in_ram=rng.random() < 0.6,
        )


@dataclass
class World(Telling):
    """The world while it runs."""

    sentences: ClassVar[dict[str, str]] = SENTENCES

    setting: Setting
    plant: Callable[[World], Any] | None = None
    """Breaks the product on purpose; called when all seams are in place."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.begin(f"world {self.setting.seed}", self.setting.start)
        self.lines = Lines(self.loop, self.host.alive)
        self.bad = Conditions(self.loop.time)
        self.watch = Watch(self)
        self.broker = Broker(self.loop, self.host.alive, self.watch.took)
        self.folder = Path(
            tempfile.mkdtemp(prefix="simulation-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        )
        self.database = self.folder / "history.db"
        self.disk = disk.Disk.of("unix-excl", self.folder, self.loop.time)
        self.files = files.Files(self.folder, self.disk.sqlites, self.disk.renamed)
        self.in_ram = self.files.in_ram
        if self.setting.tail_in_ram:
            self.in_ram.mkdir()
        self.connections: list[sqlite3.Connection] = []
        self.page: Any = None
        self.web: Any = None
        self.hub: Any = None
        self.store: Any = None
        self.last_status = ""
        self.alive_since = 0.0
        self.power = asyncio.Lock()
        """Held by a fault that takes the program down."""
        self.damaged = False
        """A drive destroyed a part of the history: it need not be whole any more."""
        self.outbox_gone = False
        self.labels_wrong = False
        """The host's clock was wrong while it said that it was right."""
        self.losses: list[tuple[float, float]] = []
        """Stretches of time whose register readings may be lost."""
        self.present_losses: list[tuple[float, float]] = []
        """The same of present values."""
        self.refusing_since: float | None = None
        self.clock_wrong_since: float | None = None
        self._mine: set[asyncio.Task[Any]] = set()

    # Telling.

    def what_happened(self) -> str:
        """Say in numbers what this life was."""
        return f"{self.host.life} lives of the program, {self.broker.messages} messages"

    def bad_end(self, part: str) -> float:
        """Return when a part became good last."""
        good = self.bad.good_for(part)
        return self.loop.now - good if good != float("inf") else 0.0

    # Time.

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task of the world."""
        task = self.loop.create_task(work)
        self._mine.add(task)
        return task

    def collect_garbage(self) -> None:
        """Collect garbage at fixed times only: finalizers run code."""
        if int(self.loop.now / 30) % 240 == 0:
            gc.collect()

    # The program.

    def boot(self) -> None:
        """Start the program."""
        host = self.host
        host.life += 1
        host.running = True
        self.page = None
        self.alive_since = self.loop.now
        self.watch.restarted()
        disk.seed_sqlite(self.setting.seed * 1000 + host.life)
        random.seed(f"{self.setting.seed} {host.life}")
        self.stop = asyncio.Event()
        context = contextvars.copy_context()
        context.run(OWNER.set, host.life)
        self.program = context.run(self.loop.create_task, seams.run_gateway(self, self.config, self.stop))
        self.program.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail("mistake", f"the program ended: {error!r}"[:300])

    async def halt(self) -> None:
        """Stop the program as systemd does."""
        self.stop.set()
        await asyncio.wait([self.program])
        self.host.running = False
        self._close_connections()

    async def fall(self, left: dict[str, bytes], how: str, *, power: bool) -> None:
        """Stop everything of the program between two steps; what it still tries has no effect."""
        life = self.host.life
        self.host.running = False
        if power:
            self.broker.vanish(life)
        else:
            for client in tuple(self.broker.clients):
                self.broker.drop(client)
        self.fibers.kill()
        while others := sorted((t for t in asyncio.all_tasks() if getattr(t, "owner", 0) == life), key=hash):
            for task in others:
                task.cancel()
            await asyncio.sleep(0.01)
            self.fibers.kill()
        self._close_connections()
        for line in self.lines.by_port.values():
            line.break_off()
        self.files.off = False
        self.disk.power_on(left)
        self.host.boots += power
        self.files.cut(how, self.rng, power=power)

    def loses_by_kill(self) -> None:
        """Excuse what the end of the program may cost: nothing, but present values where there is no folder in RAM."""
        now = self.loop.now
        self.losses.append((now - 1, now + 1))
        self.present_losses.append((now - (10 if self.setting.tail_in_ram else COMMIT + 30), now + 1))

    def loses_by_power(self) -> None:
        """Excuse what a power cut may cost: one commit interval."""
        now = self.loop.now
        for losses in (self.losses, self.present_losses):
            losses.append((now - COMMIT - 30, now + 1))

    def _close_connections(self) -> None:
        for connection in self.connections:
            with suppress(sqlite3.Error):
                connection.close()
        self.connections.clear()
        self.store = self.web = None
        gc.collect()  # a cursor that lives on keeps its connection half open, and would write later

    # The page.

    async def get(self, path: str, query: bytes = b"") -> tuple[int, bytes]:
        """Ask the gateway's own application, without a server."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1:8099")],
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 8099),
            "scheme": "http",
            "root_path": "",
            "state": {},
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.page(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        self.note(f"GET {path} {sent[0]['status']} {len(body)}")
        return sent[0]["status"], body

    # All of it.

    async def play(self) -> None:
        """Live through the world."""
        setting = self.setting
        self._mine.add(asyncio.current_task())  # type: ignore[arg-type]
        true, start = self.host.true, setting.start
        self.meters = {
            "house": Meter("house", optical=False, clock=true, start=start, wh=65_000_000),
            "cottage": Meter("cottage", optical=True, clock=true, start=start, wh=31_000_000),
        }
        if not setting.optical:
            del self.meters["cottage"]
        async with AsyncExitStack() as stack:
            ports = []
            for meter in self.meters.values():
                simulated = await stack.enter_async_context(meter.simulated)
                ports.append(
                    await (simulated.serve_optical_tcp("sim") if meter.optical else simulated.serve_tcp("sim"))
                )
            self.config = self._configuration(dict(zip(self.meters, ports, strict=True)))
            self.boot()
            watching = self.spawn(self.watch.run())
            await self._suffer()
            if watching.done():  # a watch that broke off would find nothing more
                watching.result()
            watching.cancel()
            await self._end()

    async def _suffer(self) -> None:
        under_way = []
        for fault in self.setting.faults:
            await self.sleep(fault.at - self.loop.now)
            self.note(words(fault), tell=True)
            under_way.append(self.spawn(actions.ACTIONS[fault.kind](self, fault)))  # type: ignore[arg-type]
            if fault.kind in actions.TAKES_DOWN:
                await under_way[-1]
        lasting = [task for task, fault in zip(under_way, self.setting.faults, strict=True) if fault.span < FOR_EVER]
        await self.sleep(self.setting.hours * 3600 - SETTLE - 30 - self.loop.now)
        if lasting:
            await asyncio.wait(lasting)
        for task in under_way:
            if task.done() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]
        # What was refused is tried again less and less often: after ten minutes at most.
        refused = any(fault.kind.startswith("refuse") for fault in self.setting.faults)
        await self.sleep(SETTLE + (300.0 if refused else 0.0))
        self.watch.all_well()

    async def _end(self) -> None:
        self.note("the end: kill -9", tell=True)
        self.loses_by_kill()
        self.losses.append((self.loop.now - 30, self.loop.now))
        await self.fall(self.disk.cut("all", self.rng), "all", power=False)
        check_integrity(self, "in the end")
        self.host.put_right()
        self.host.synchronised = True
        self.host.life += 1
        self.host.running = True
        OWNER.set(self.host.life)
        store = seams.open_store(self, self.database, self.config.history, self.config.timezone)
        async with store:
            await check_accounts(self, store)

    def _configuration(self, ports: dict[str, str]) -> Config:
        setting = self.setting
        pace = {"present_every": setting.present, "registers_every": setting.registers}
        every = max(10.0, setting.present)
        return Config.model_validate(
            {
                "timezone": "Europe/Copenhagen",
                "data_dir": str(self.folder),
                "meters": {name: {"port": port, "key": "SIMULATED-METER-DEMO", **pace} for name, port in ports.items()},
                "mqtt": [
                    {
                        "host": "broker",
                        "protocol": setting.protocol,
                        "homeassistant": {"every": every},
                        "diagnostics_every": max(60.0, setting.registers),
                    }
                ],
                "history": {"commit_every": COMMIT},
                "web": {"listen": "127.0.0.1:8099"},
            }
        )

    def line_of(self, meter: str) -> Line:
        """Return the line to a meter."""
        return list(self.lines.by_port.values())[list(self.meters).index(meter)]

    def close(self) -> None:
        """Leave nothing behind."""
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.fibers.kill()
        self._close_connections()
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(setting: Setting, *, log: TextIO | None = None, plant: Callable[[World], Any] | None = None) -> World:
    """Run a world from begin to end and return it."""
    with undisturbed():
        world = World(setting, log=log, plant=plant)
        asyncio.set_event_loop(world.loop)
        try:
            with world.disk, seams.Seams(world), world.files, world.broker.in_place_of_network():
                planted = plant(world) if plant is not None else None
                try:
                    world.run()
                finally:
                    if planted is not None:
                        planted()
                    world.close()
        finally:
            asyncio.set_event_loop(None)
        return world
