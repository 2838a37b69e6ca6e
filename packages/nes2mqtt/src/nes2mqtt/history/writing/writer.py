"""The thread that owns the database connection that writes.

Events go in from the event loop without waiting; what is queued when the thread wakes is taken at once. Under
load the thread keeps a distance between two looks, which grows with the number of meters.

A mistake in the program must not end the thread: it is said, in the log and in the status, and the thread goes
on with all that was queued.

This module does not know SQL.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from nes2mqtt.history.writing.recorder import Recorder
from nes2mqtt.readings.reading import MeterEvent
from nes2mqtt.timing.clock import Clock

__all__ = ["Writer"]

_log = logging.getLogger(__name__)

_DISTANCE = 0.1
"""Seconds between two looks under load, for a few meters ..."""
_LARGEST_DISTANCE = 0.5
"""... and for thousands."""
_METERS_A_SECOND = 5000
_STANDS_STILL = 600.0
"""Seconds. A database that is repaired or rewritten may take minutes."""
_TRIES = 3
_AFTER_A_MISTAKE = 1.0
"""Seconds before the thread goes on after a mistake in this program."""

T = TypeVar("T")


class Writer:
    """Runs a recorder.

    Args:
        recorder: used by the thread only, once it is started.
        clock: the clocks of this program.
        committed: called in the thread after each look at what was queued.
    """

    def __init__(self, recorder: Recorder, clock: Clock, committed: Callable[[], None]) -> None:
        self._recorder = recorder
        self._clock = clock
        self._committed = committed
        self._events: deque[MeterEvent] = deque()
        self._taken: deque[MeterEvent] = deque()
        """Events that left the queue and may not have reached the recorder."""
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._asked_at = 0.0
        """Since when something waits for the thread."""
        self._tried: MeterEvent | None = None
        self._tries = 0
        self._moved: dict[str, int] = {}
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.mistake = ""
        """What went wrong in this program, as long as the thread has not worked again since; for people."""

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)
        self._thread.start()

    def put(self, event: MeterEvent) -> None:
        """Queue an event; returns at once."""
        with self._wake:
            self._note_asked()
            self._events.append(event)
            self._wake.notify()
        self._see_to_the_thread()

    def deliver(self, name: str, seq: int) -> None:
        """Queue an outbox's new position; returns at once."""
        with self._wake:
            self._moved[name] = seq
            self._wake.notify()

    def call(self, action: Callable[[], T]) -> Future[T]:
        """Run ``action`` in the thread, after all that was queued before it."""
        future: Future[T] = Future()
        with self._wake:
            self._note_asked()
            self._calls.append((future, action))
            self._wake.notify()
        self._see_to_the_thread()
        return future

    def stop(self) -> None:
        """Write what is queued and end the thread. Blocks."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    @property
    def queued(self) -> int:
        """Return how many events the thread has not seen yet."""
        return len(self._events) + len(self._taken)

    @property
    def stands_still(self) -> bool:
        """Tell whether there was something to do for minutes and the thread did not do it: starting it anew is no cure."""
        waits = bool(self._events or self._calls)
        return waits and self._thread is not None and self._clock.monotonic() - self._asked_at > _STANDS_STILL

    def _note_asked(self) -> None:
        if not (self._events or self._calls):
            self._asked_at = self._clock.monotonic()

    def _see_to_the_thread(self) -> None:
        """Start the thread anew if something ended it."""
        thread = self._thread
        if thread is not None and not self._stopping and not thread.is_alive():
            self.mistake = self.mistake or "the thread that writes ended"
            _log.error("history: %s; it is started again", self.mistake)
            self.start()

    def _run(self) -> None:
        failed_to_stop = 0
        while failed_to_stop < _TRIES:
            try:
                if self._turns():
                    return
            except Exception as error:  # noqa: BLE001 - nothing may end the thread that writes
                if not self.mistake:
                    _log.exception("history: a mistake in this program; the thread that writes goes on")
                self.mistake = f"a mistake in this program ({type(error).__name__}: {error})"
                failed_to_stop += self._stopping
                time.sleep(_AFTER_A_MISTAKE)

    def _turns(self) -> bool:
        """Work until told to stop."""
        recorder = self._recorder
        last = 0.0
        while True:
            stopping = self._wait()
            distance = last + self._distance() - self._clock.monotonic()
            if distance > 0 and not (stopping or self._calls):
                time.sleep(distance)
            with self._wake:
                self._taken.extend(self._events)
                self._events.clear()
                moved, self._moved = self._moved, {}
                calls, self._calls = self._calls, deque()
            try:
                now = self._clock.monotonic()
                recorder.take(self._taking(), now)
                for name, seq in moved.items():
                    recorder.deliver(name, seq, now)
                recorder.work(now, flush=stopping)
                last = self._clock.monotonic()
                self._committed()
                self.mistake = ""
            except Exception as error:
                # Whoever waits for an answer must not wait for ever.
                for future, _ in calls:
                    _fail(future, error)
                with self._wake:
                    self._moved = moved | self._moved
                raise
            for future, action in calls:
                _answer(future, action)
            if stopping:
                recorder.close()
                return True

    def _taking(self) -> Iterator[MeterEvent]:
        """Yield what was taken out of the queue; an event stays until the recorder has asked for the next."""
        while self._taken:
            event = self._taken[0]
            self._tries = self._tries + 1 if event is self._tried else 1
            self._tried = event
            if self._tries <= _TRIES:
                yield event
            else:
                self._recorder.give_up()
                _log.error("history: an event of %s is given up: taking it fails each time", event.meter)
            self._taken.popleft()
        self._tried = None

    def _distance(self) -> float:
        return min(_LARGEST_DISTANCE, _DISTANCE + self._recorder.meters / _METERS_A_SECOND)

    def _wait(self) -> bool:
        """Sleep until there is something to do; return whether to stop."""
        with self._wake:
            while not (self._events or self._taken or self._calls or self._moved or self._stopping or self.mistake):
                due = self._recorder.due()
                timeout = None if due is None else due - self._clock.monotonic()
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


def _fail(future: Future[Any], error: Exception) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)
