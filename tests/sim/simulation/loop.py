"""An event loop without waiting and without an outside.

Time jumps to the next timer. Files, sockets, pipes, signals and subprocesses do not exist: what tries to reach one
raises NotImplementedError. A call from another operating system thread ends the program, because it would
make the order of events a matter of luck.

What asyncio leaves to memory addresses is pinned: tasks and futures are hashed by their number of birth, so that sets of
them (task groups, asyncio.wait) are walked in the same order in every run.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, NoReturn

__all__ = ["OWNER", "Deadlock", "SimFuture", "SimLoop", "SimTask"]

OWNER: ContextVar[int] = ContextVar("owner", default=0)
"""Whose a task is: 0 the world's, else the number of the program's life. Tasks inherit it from who makes them."""


class Deadlock(RuntimeError):
    """Nothing will ever happen again."""


class _Numbered:
    birth: int

    def __hash__(self) -> int:
        return self.birth

    def __eq__(self, other: object) -> bool:
        return self is other


class SimTask(_Numbered, asyncio.Task):
    """A task with a number and an owner."""

    owner: int


class SimFuture(_Numbered, asyncio.Future):
    """A future with a number."""


class SimLoop(asyncio.BaseEventLoop):
    """The loop.

    Args:
        rng: draws latencies.
    """

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng = rng
        self.now = 0.0
        self.rounds = 0
        self._births = 0
        self._selector = self  # BaseEventLoop asks it for events
        self._thread = threading.get_ident()
        self.execute: Callable[[Callable[[], Any]], None] | None = None
        """Runs a job as a thread would; set by :class:`~simulation.fibers.Fibers`."""
        self.fuse = 0
        """Rounds from now to a call of :attr:`struck`; 0: none. So something happens between any two steps of tasks."""
        self.struck: Callable[[], None] = lambda: None
        self.connect: Callable[..., Coroutine[Any, Any, Any]] | None = None
        self.listen: Callable[..., Coroutine[Any, Any, Any]] | None = None
        self.set_task_factory(self._make_task)

    # Order.

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Generator[Any, None, Any], **more: Any) -> SimTask:
        task = SimTask.__new__(SimTask)
        task.birth = self._next_birth()
        task.owner = OWNER.get()
        task.__init__(work, loop=loop, **more)
        return task

    def create_future(self) -> SimFuture:
        future = SimFuture.__new__(SimFuture)
        future.birth = self._next_birth()
        future.__init__(loop=self)
        return future

    def _next_birth(self) -> int:
        self._births += 1
        return self._births

    # Time.

    def time(self) -> float:
        return self.now

    def select(self, timeout: float | None) -> tuple[()]:
        """Wait for nothing: jump to the next timer."""
        self.rounds += 1
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                self.struck()
                return ()
        if timeout is None:
            raise Deadlock("nothing will ever happen again: every task waits for another")
        if timeout > 0:
            self.now = max(self.now, self._scheduled[0]._when)
        return ()

    def _process_events(self, events: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    # Threads.

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, **more: Any) -> asyncio.Handle:
        if threading.get_ident() != self._thread:
            _escaped(callback)
        return self.call_soon(callback, *args, **more)

    def run_in_executor(self, executor: object, work: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        in_order = getattr(executor, "in_order", None)
        future = self.create_future()

        def job() -> None:
            try:
                result = work(*args)
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        assert self.execute is not None
        if in_order is not None:
            in_order(job)
        else:
            self.execute(job)
        return future

    # Sockets in memory (lines.py, broker.py).

    async def create_connection(self, *args: Any, **more: Any) -> Any:
        assert self.connect is not None
        return await self.connect(*args, **more)

    async def create_server(self, *args: Any, **more: Any) -> Any:
        assert self.listen is not None
        return await self.listen(*args, **more)

    def close(self) -> None:
        self._ready.clear()
        self._scheduled.clear()
        self._closed = True


def _escaped(callback: object) -> NoReturn:
    os.write(2, f"a real thread escaped the simulation: {callback!r}\n".encode())
    os._exit(3)
