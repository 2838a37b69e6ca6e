"""The thread that owns the database connection that writes.

Events go in from the event loop without waiting; what is queued when the thread wakes becomes one
transaction. A single sample is committed at once; under load, commits keep a distance and carry more.

This module does not know SQL.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from nes2mqtt.clock import Clock
from nes2mqtt.history.recorder import Recorder
from nes2mqtt.reading import Event

__all__ = ["Writer"]

_DISTANCE = 0.1
"""Seconds between commits under load: 2000 meters read every 10 s bring 20 register samples in it."""

T = TypeVar("T")


class Writer:
    """Runs a recorder.

    Args:
        recorder: used by the thread only, once it is started.
        clock: the clocks of this program.
        committed: called in the thread after each commit, or attempt.
    """

    def __init__(self, recorder: Recorder, clock: Clock, committed: Callable[[], None]) -> None:
        self._recorder = recorder
        self._clock = clock
        self._committed = committed
        self._events: deque[Event] = deque()
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._moved: dict[str, int] = {}
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, event: Event) -> None:
        """Queue an event; returns at once."""
        with self._wake:
            self._events.append(event)
            self._wake.notify()

    def deliver(self, name: str, seq: int) -> None:
        """Queue an outbox's new position; returns at once."""
        with self._wake:
            self._moved[name] = seq
            self._wake.notify()

    def call(self, action: Callable[[], T]) -> Future[T]:
        """Run ``action`` in the thread, after all that was queued before it."""
        future: Future[T] = Future()
        with self._wake:
            self._calls.append((future, action))
            self._wake.notify()
        return future

    def stop(self) -> None:
        """Write what is queued and end the thread. Blocks."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def queued(self) -> int:
        """Return how many events the thread has not seen yet."""
        return len(self._events)

    def _run(self) -> None:
        recorder = self._recorder
        last = 0.0
        while True:
            stopping = self._wait()
            distance = last + _DISTANCE - self._clock.monotonic()
            if distance > 0 and not (stopping or self._calls):
                time.sleep(distance)
            with self._wake:
                events, self._events = self._events, deque()
                moved, self._moved = self._moved, {}
                calls, self._calls = self._calls, deque()
            now = self._clock.now()
            recorder.take(events, now)
            for name, seq in moved.items():
                recorder.deliver(name, seq, now)
            recorder.work(now, flush=stopping)
            last = self._clock.monotonic()
            self._committed()
            for future, action in calls:
                _answer(future, action)
            if stopping:
                recorder.close()
                return

    def _wait(self) -> bool:
        """Sleep until there is something to do; return whether to stop."""
        with self._wake:
            while not (self._events or self._calls or self._moved or self._stopping):
                due = self._recorder.due()
                timeout = None if due is None else (due - self._clock.now()).total_seconds()
                if timeout is not None and timeout <= 0:
                    break
                self._wake.wait(timeout)
            return self._stopping


def _answer(future: Future[T], action: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(action())
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the answer
        future.set_exception(error)
