"""Where the product is given the world: one place for every name that is replaced, and put back at the end.

What the product takes as a parameter is passed (``gateway.run(clock=, stop=)``); the rest stands here. A new entry is a wish for a
parameter.
"""

from __future__ import annotations

import inspect
import logging
import os
import random
import secrets
import sqlite3
import sys
import threading
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, Self
from zoneinfo import ZoneInfo

import anyio.to_thread

import nes2mqtt.history.running_energy
import nes2mqtt.history.writing.recorder
import nes2mqtt.outputs.mqtt.client.broker
import nes2mqtt.outputs.mqtt.output
import nes2mqtt.outputs.web.access.gate
import nes2mqtt.outputs.web.access.login
import nes2mqtt.outputs.web.api.current
import nes2mqtt.outputs.web.app
import nes2mqtt.outputs.web.output
import nes2mqtt.outputs.web.server
from nes2mqtt.config.settings import Config
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.store import Store
from nes2mqtt.readings.hub import Hub
from nes2mqtt.runtime import gateway
from simulation.chance import PinnedRandom
from simulation.fibers import Fibers
from simulation.host import Host
from simulation.loop import SimLoop

if TYPE_CHECKING:
    from simulation.gateway.world import World

__all__ = ["Seams", "clock_of", "open_store", "run_gateway"]

_HAS_CLOCK = "clock" in inspect.signature(gateway.run).parameters


def clock_of(world: Basis, built: float = 0.0) -> Any:
    """Return the product's clock, on this world's."""
    from nes2mqtt.timing.clock import Clock  # noqa: PLC0415 - not in the oldest code that this runs

    return Clock(
        wall=world.host.wall,
        monotonic=world.loop.time,
        synchronised=lambda: world.host.synchronised,
        built=built,
    )


def run_gateway(world: World, config: Config, stop: Any) -> Any:
    """Return the gateway, to be awaited."""
    more: dict[str, Any] = {"clock": clock_of(world, world.setting.start - 30 * 86400.0)} if _HAS_CLOCK else {}
    return gateway.run(config, stop=stop, **more)


def open_store(world: Basis, path: Path, config: HistoryConfig, zone: ZoneInfo) -> Store:
    """Return the history, to be entered."""
    clock: Any = clock_of(world) if _HAS_CLOCK else lambda: datetime.fromtimestamp(world.host.wall(), UTC)
    return Store.open(path, config, zone, clock=clock)


class Basis(Protocol):
    """What the product stands on."""

    loop: SimLoop
    host: Host
    fibers: Fibers
    connections: list[sqlite3.Connection]
    in_ram: Path
    """A folder in RAM, where there is one."""


class Ground:
    """Time, threads and the list of open databases: what the history alone needs."""

    def __init__(self, basis: Basis) -> None:
        self._basis = basis
        self._undo: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Self:
        basis, connect = self._basis, sqlite3.connect

        def noted(*args: Any, **more: Any) -> sqlite3.Connection:
            connection = connect(*args, **more)
            basis.connections.append(connection)
            return connection

        self._set(sqlite3, "connect", noted)
        self._time_and_threads()
        recorder = nes2mqtt.history.writing.recorder
        if hasattr(recorder, "this_boot"):
            self._set(recorder, "this_boot", lambda _: f"boot {basis.host.boots}")
        # What systemd gives a service: a folder in RAM that outlives the program, but no power cut.
        self._runtime = os.environ.get("RUNTIME_DIRECTORY")
        if basis.in_ram.is_dir():
            os.environ["RUNTIME_DIRECTORY"] = str(basis.in_ram)
        else:
            os.environ.pop("RUNTIME_DIRECTORY", None)
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, value in reversed(self._undo):
            setattr(owner, name, value)
        self._undo.clear()
        os.environ.pop("RUNTIME_DIRECTORY", None)
        if self._runtime is not None:
            os.environ["RUNTIME_DIRECTORY"] = self._runtime

    def _set(self, owner: Any, name: str, value: Any) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def _time_and_threads(self) -> None:
        fibers = self._basis.fibers
        host = self._basis.host

        class WallClock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(host.wall(), tz)

        tokens = SimpleNamespace(
            randbits=random.getrandbits,
            token_hex=lambda count=32: random.randbytes(count).hex(),
            token_bytes=lambda count=32: random.randbytes(count),
            token_urlsafe=lambda count=32: random.randbytes(count).hex(),
            compare_digest=secrets.compare_digest,
        )
        instead = {
            "time": (time, fibers.time),
            "threading": (threading, fibers.threading),
            "secrets": (secrets, tokens),
            "random": (random, PinnedRandom()),
        }
        if not _HAS_CLOCK:
            instead["datetime"] = (datetime, WallClock)
        for name, module in sorted(sys.modules.items()):
            if name.partition(".")[0] not in ("nes2mqtt", "osgp") or name == "nes2mqtt.timing.clock":
                continue
            for attribute, (real, ours) in instead.items():
                if module.__dict__.get(attribute) is real:
                    self._set(module, attribute, ours)


class Seams(Ground):
    """All that is replaced while a world runs."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._world = world
        self._handler = _Handler(world)

    def __enter__(self) -> Self:
        super().__enter__()
        self._web()
        self._listen_in()
        for module in (gateway, sys.modules.get("nes2mqtt.runtime.watch")):
            for name in ("_STATUS_EVERY", "_LOOK_EVERY"):
                if hasattr(module, name):
                    self._set(module, name, 60.0)  # nobody listens: there is no systemd
        if hasattr(nes2mqtt.history.running_energy, "_ROUND"):
            # Asked each 10 s it took two thirds of a world's time, and finds nothing that the end does not.
            self._set(nes2mqtt.history.running_energy, "_ROUND", 600.0)
        for name in ("nes2mqtt", "asyncio", "osgp"):
            logger = logging.getLogger(name)
            self._set(logger, "propagate", False)
            logger.addHandler(self._handler)
        self._set(logging.getLogger("nes2mqtt"), "level", logging.INFO)
        logging.getLogger("nes2mqtt").manager._clear_cache()  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("nes2mqtt", "asyncio", "osgp"):
            logging.getLogger(name).removeHandler(self._handler)
        super().__exit__()
        logging.getLogger("nes2mqtt").manager._clear_cache()  # type: ignore[attr-defined]

    def _web(self) -> None:
        """Replace the listening socket and uvicorn: the page is asked in process."""
        world = self._world

        async def inline(work: Any, *args: Any, **_: Any) -> Any:
            return work(*args)

        self._set(anyio.to_thread, "run_sync", inline)
        socket = SimpleNamespace(getsockname=lambda: ("127.0.0.1", 8099), close=lambda: None)
        self._set(nes2mqtt.outputs.web.output, "listen", lambda *_, **__: socket)

        async def serve(page: Any, listener: Any, config: Any, opened: Any, **_: Any) -> None:
            del listener, config
            world.page = page
            opened()
            try:
                await world.loop.create_future()
            finally:
                world.page = None

        self._set(nes2mqtt.outputs.web.server, "serve", serve)

    def _listen_in(self) -> None:
        """Hear what goes through the hub, and know the history."""
        world = self._world
        publish, enter, construct = Hub.publish, Store.__aenter__, nes2mqtt.outputs.web.output.WebOutput.__init__

        def heard(hub: Hub, event: Any) -> None:
            world.hub = hub
            world.watch.published(event)
            publish(hub, event)

        async def entered(store: Store) -> Store:
            world.store = store
            return await enter(store)

        def constructed(output: Any, *args: Any, **more: Any) -> None:
            construct(output, *args, **more)
            world.web = output

        self._set(Hub, "publish", heard)
        self._set(Store, "__aenter__", entered)
        self._set(nes2mqtt.outputs.web.output.WebOutput, "__init__", constructed)


class _Handler(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.watch.said(record)
