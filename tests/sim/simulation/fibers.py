"""Threads as fibers: they run on the loop's thread and give way where a thread would block, and nowhere else.

The product's own loops over conditions and sleeps stay under test, waits included. What two threads do to each other between
two statements is not explored; tests with real threads do that.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import greenlet

from simulation.loop import OWNER, SimLoop

__all__ = ["Fibers"]


class Fibers:
    """All fibers of one loop.

    Args:
        loop: the loop whose time they wait by.
        wall: the host's time, seconds since 1970, for ``time.time``.
    """

    def __init__(self, loop: SimLoop, wall: Callable[[], float]) -> None:
        self.loop = loop
        self.lag = 0.0
        """Seconds that a woken thread waits for a processor; 0: as on a computer with nothing else to do."""
        self._main = greenlet.getcurrent()
        self._alive: list[_Fiber] = []
        loop.execute = self._execute
        fibers = self

        class Thread(_Fiber):
            def __init__(self, *args: Any, **more: Any) -> None:
                super().__init__(fibers, *args, **more)

        self.threading = SimpleNamespace(
            **{name: getattr(threading, name) for name in ("local", "get_ident", "current_thread", "main_thread")},
            Thread=Thread,
            Condition=lambda lock=None: _Condition(self),
            Event=lambda: _Event(self),
            Lock=lambda: _Lock(self),
            RLock=lambda: _Lock(self, reentrant=True),
            excepthook=threading.excepthook,
        )
        self.time = SimpleNamespace(
            monotonic=loop.time,
            monotonic_ns=lambda: int(loop.time() * 1e9),
            perf_counter=loop.time,
            time=wall,
            time_ns=lambda: int(wall() * 1e9),
            sleep=self.sleep,
            strftime=time.strftime,
            gmtime=lambda at=None: time.gmtime(wall() if at is None else at),
            localtime=lambda at=None: time.localtime(wall() if at is None else at),
        )

    def sleep(self, seconds: float) -> None:
        """Sleep as a thread does."""
        self.loop.call_later(max(0.0, seconds), _wake, self.current())
        self._main.switch()

    def current(self) -> greenlet.greenlet:
        """Return the fiber that runs.

        Raises:
            RuntimeError: it is the event loop itself, which must never block.
        """
        me = greenlet.getcurrent()
        if me is self._main:
            raise RuntimeError("the event loop would block here")
        return me

    def delay(self) -> float:
        """Draw how late a thread wakes up."""
        return self.lag or 0.0002 + self.loop.rng.random() * 0.003

    def kill(self, owner: int | None = None) -> None:
        """End all fibers, or those of one owner, where they stand, as a power cut does. What they still try has no effect."""
        for fiber in tuple(self._alive):
            if not fiber.run.dead and owner in (None, fiber.owner):
                fiber.run.throw(greenlet.GreenletExit)
        self._alive = [fiber for fiber in self._alive if not fiber.run.dead]

    def _execute(self, job: Callable[[], Any]) -> None:
        _Fiber(self, job, delay=self.loop.rng.random() * 0.004).start()

    def start(self, job: Callable[[], Any], delay: float) -> None:
        """Start a thread for a job after a delay."""
        _Fiber(self, job, delay=delay).start()

    def give_way(self) -> None:
        """Let others run until somebody switches back."""
        self._main.switch()


class _Fiber:
    """A thread."""

    def __init__(
        self,
        fibers: Fibers,
        target: Callable[..., Any] | None = None,
        name: str = "",
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        daemon: bool = True,
        delay: float = 0.0,
    ) -> None:
        self._fibers, self._target, self._args, self._kwargs = fibers, target, args, kwargs or {}
        self.name, self.daemon, self._delay = name, daemon, delay
        self.ident = id(self)
        self.owner = OWNER.get()
        self._ended = False
        self._joining: list[greenlet.greenlet] = []
        self.run = greenlet.greenlet(self._body, parent=fibers._main)
        self.run.gr_context = contextvars.copy_context()  # so that what it starts has its owner

    def _body(self) -> None:
        try:
            if self._target is not None:
                self._target(*self._args, **self._kwargs)
        except greenlet.GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001 - a thread that dies says so on its own
            hook = self._fibers.threading.excepthook
            hook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
        finally:
            self._ended = True
            if self in self._fibers._alive:
                self._fibers._alive.remove(self)
            for waiting in self._joining:
                self._fibers.loop.call_soon(_wake, waiting)

    def start(self) -> None:
        self._fibers._alive.append(self)
        self._fibers.loop.call_later(self._delay, _wake, self.run)

    def is_alive(self) -> bool:
        return not self._ended

    def join(self, timeout: float | None = None) -> None:
        del timeout
        while not self._ended:
            self._joining.append(self._fibers.current())
            self._fibers.give_way()


class _Condition:
    def __init__(self, fibers: Fibers) -> None:
        self._fibers = fibers
        self._sleepers: list[greenlet.greenlet] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass

    def notify(self, n: int = 1) -> None:
        for _ in range(min(n, len(self._sleepers))):
            self._fibers.loop.call_later(self._fibers.delay(), _wake, self._sleepers.pop(0))

    def notify_all(self) -> None:
        self.notify(len(self._sleepers))

    def wait(self, timeout: float | None = None) -> bool:
        me = self._fibers.current()
        self._sleepers.append(me)
        rung = []

        def ring() -> None:
            if me in self._sleepers:
                self._sleepers.remove(me)
                rung.append(True)
                _wake(me)

        timer = self._fibers.loop.call_later(max(0.0, timeout), ring) if timeout is not None else None
        self._fibers.give_way()
        if timer is not None:
            timer.cancel()
        return not rung

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        end = None if timeout is None else self._fibers.loop.time() + timeout
        while not (found := predicate()):
            left = None if end is None else end - self._fibers.loop.time()
            if left is not None and left <= 0:
                break
            self.wait(left)
        return found


class _Event:
    def __init__(self, fibers: Fibers) -> None:
        self._set = False
        self._condition = _Condition(fibers)

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self._condition.notify_all()

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        return bool(self._condition.wait_for(lambda: self._set, timeout))


class _Lock:
    def __init__(self, fibers: Fibers, *, reentrant: bool = False) -> None:
        self._fibers, self._reentrant = fibers, reentrant
        self._holder: object = None
        self._depth = 0
        self._free = _Condition(fibers)

    def acquire(self, blocking: object = True, timeout: float = -1) -> bool:  # noqa: FBT002 - as threading has it
        me = greenlet.getcurrent()
        while self._depth and not (self._reentrant and self._holder is me):
            if not blocking:
                return False
            self._free.wait(timeout if timeout >= 0 else None)
            if self._depth and timeout >= 0:
                return False
        self._holder = me
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._holder = None
            self._free.notify()

    def locked(self) -> bool:
        return self._depth > 0

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def _wake(sleeper: greenlet.greenlet) -> None:
    if not sleeper.dead:
        sleeper.switch()
