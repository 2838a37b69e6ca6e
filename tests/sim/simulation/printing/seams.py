"""Where the print processor is given the world: one place for every name that is replaced, and put back at the end.

A new entry is a wish for a parameter.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import secrets
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import aiohttp.connector

import piprint.bc.http.client
import piprint.documents.inspect
import piprint.runtime.service
from piprint.log import RecentLines
from simulation.chance import PinnedRandom
from simulation.fibers import Fibers
from simulation.loop import OWNER
from simulation.printing.papers import read

if TYPE_CHECKING:
    from simulation.printing.world import World

__all__ = ["InOrder", "Seams"]

_SERVICE: Any = piprint.runtime.service
_REAL_DATETIME = dt.datetime
_TELL_EVERY = 60.0
"""Seconds between two tidyings of what the page shows: nobody looks, and there is no systemd."""


class InOrder:
    """An executor that does one thing after the other, as one thread does."""

    def __init__(self, fibers: Fibers) -> None:
        self._fibers = fibers
        self._last = 0.0

    def in_order(self, job: Callable[[], Any]) -> None:
        """Do this after all before it."""
        loop = self._fibers.loop
        delay = self._fibers.lag or loop.rng.random() * 0.004
        self._last = max(self._last + 1e-6, loop.now + delay)
        self._fibers.start(job, self._last - loop.now)

    def shutdown(self) -> None:
        """Nothing is left to do."""


class _WallType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _REAL_DATETIME)


def _inspects(world: World) -> Callable[..., Any]:
    """Return what answers for the helper process that reads PDFs: the parsing is left to tests with real parts."""

    async def exchange(_: Any, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        await asyncio.sleep(0.005 + world.rng.random() * 0.02)
        data = Path(request["path"]).read_bytes()  # noqa: ASYNC240 - in memory
        paper = read(data[:200])
        if paper is None or not data.endswith(b"%%EOF\n"):
            return {"trouble": "damaged"}, b""
        size = (595.0, 842.0)
        # All that any version asks for.
        return {"pages": paper.pages, "width": size[0], "height": size[1], "sizes": [size], "forbidden": False}, b""

    return exchange


class Seams:
    """All that is replaced while a world runs."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._undo: list[tuple[Any, str, Any]] = []
        self._handler = _Handler(world)

    def __enter__(self) -> Self:
        self._modules()
        self._databases()
        self._network()
        self._parts()
        for name in ("piprint", "asyncio", "aiohttp"):
            logger = logging.getLogger(name)
            self._set(logger, "propagate", False)
            logger.addHandler(self._handler)
        self._set(logging.getLogger("piprint"), "level", logging.INFO)
        logging.getLogger("piprint").manager._clear_cache()  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("piprint", "asyncio", "aiohttp"):
            logging.getLogger(name).removeHandler(self._handler)
        for owner, name, value in reversed(self._undo):
            setattr(owner, name, value)
        self._undo.clear()
        logging.getLogger("piprint").manager._clear_cache()  # type: ignore[attr-defined]

    def _set(self, owner: Any, name: str, value: Any) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def _modules(self) -> None:
        """Give every module of the product our time, our random numbers and our names."""
        world = self._world

        class WallClock(_REAL_DATETIME, metaclass=_WallType):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
                return _REAL_DATETIME.fromtimestamp(world.host.wall(), tz)

        tokens = SimpleNamespace(
            token_hex=lambda count=32: random.randbytes(count).hex(),
            token_bytes=lambda count=32: random.randbytes(count),
            token_urlsafe=lambda count=32: random.randbytes(count).hex(),
            compare_digest=secrets.compare_digest,
        )
        instead = {
            "time": (time, world.fibers.time),
            "secrets": (secrets, tokens),
            "random": (random, PinnedRandom()),
            "uuid": (uuid, SimpleNamespace(uuid4=lambda: uuid.UUID(int=world.rng.getrandbits(128)), UUID=uuid.UUID)),
            "datetime": (_REAL_DATETIME, WallClock),
            "monotonic": (time.monotonic, world.loop.time),
        }
        for name, module in sorted(sys.modules.items()):
            if name.partition(".")[0] not in ("piprint", "servicekit"):
                continue
            for attribute, (real, ours) in instead.items():
                if module.__dict__.get(attribute) is real:
                    self._set(module, attribute, ours)

    def _databases(self) -> None:
        world, connect = self._world, sqlite3.connect

        def noted(*args: Any, **more: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **more)
            world.connections.append((OWNER.get(), connection))
            return connection

        self._set(sqlite3, "connect", noted)

    def _network(self) -> None:
        connector: Any = aiohttp.connector
        self._set(connector, "monotonic", self._world.loop.time)
        happy = SimpleNamespace(**vars(connector.aiohappyeyeballs))
        happy.start_connection = self._world.network.start_connection
        self._set(connector, "aiohappyeyeballs", happy)
        for name, value in (("getproxies", dict), ("proxy_bypass", lambda _: True)):
            if hasattr(piprint.bc.http.client, name):
                self._set(piprint.bc.http.client, name, value)

    def _parts(self) -> None:
        """Stand beside the parts that the service makes."""
        world, service = self._world, _SERVICE
        journal, dispatcher = service.Journal, service.Dispatcher

        async def opened(folder: Path, **more: Any) -> Any:
            processor = world.processor_of(OWNER.get())
            ours = {"executor": InOrder(world.fibers), "observer": processor.committed, "seconds": world.loop.time}
            made = await journal.open(folder, **ours, **more)
            await processor.opened(made)
            return made

        def dispatches(*args: Any, **more: Any) -> Any:
            made = dispatcher(*args, **more)
            world.processor_of(OWNER.get()).dispatcher = made
            return made

        self._set(service, "Journal", SimpleNamespace(open=opened))
        self._set(service, "Dispatcher", dispatches)
        self._set(piprint.documents.inspect.Inspector, "_exchange", _inspects(world))
        self._set(service, "_TELL_EVERY", _TELL_EVERY)


def recent() -> RecentLines:
    """Return what the page's log is kept in; nobody looks."""
    return RecentLines(lambda text: text)  # type: ignore[arg-type]


class _Handler(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        if self._world.alive(OWNER.get()):  # what a killed program still says reaches nobody
            self._world.watch.said(record)
