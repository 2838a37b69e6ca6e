"""A stand-in for Business Central's queue until it is known which extension answers.

:class:`ReconnectingQueue` tries to connect at the first call, and at every further call until that succeeds. So the
processor starts even without a network: jobs that are already on disk are printed, and the page says what is wrong. The
loops that retry a failed call thereby retry a failed connection as well. For display, the class also counts calls and
failures and keeps the time of the last answer.

This module does not know what the calls mean.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from piprint.bc.job import Claim, JobRow
from piprint.bc.queue import BcProblem, Claimed, FinishOutcome, OfferedPrinter, Probe, Queue
from piprint.clock import utc_now
from piprint.contract import JobState
from piprint.errors import BcError, BcRefused, ConfigError

__all__ = ["ReconnectingQueue"]

_T = TypeVar("_T")
_HOUR = 3600.0
_SAMPLE = 60.0


class ReconnectingQueue:
    """Implements :class:`piprint.bc.queue.Queue`.

    Args:
        connect: connects to Business Central and returns the queue of the extension that answers.
        now: the time of day, UTC.
    """

    def __init__(self, connect: Callable[[], Awaitable[Queue]], *, now: Callable[[], datetime] = utc_now) -> None:
        self._connect = connect
        self._now = now
        self._queue: Queue | None = None
        self._connecting: asyncio.Task[Queue] | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self._tries = 0
        self.dialect = ""
        """Which extension answers; "" while that is not known."""
        self.says_state = True
        """See :class:`piprint.bc.queue.Queue`; valid once the extension is known."""
        self.failed = 0
        """Calls without a good answer."""
        self.last_answer: datetime | None = None

    @property
    def calls(self) -> int:
        """Return how many calls to Business Central there were so far."""
        return self._tries + (self._queue.calls if self._queue is not None else 0)

    def calls_last_hour(self) -> int:
        """Return how many calls there were in the last 60 minutes, to the minute."""
        now = self._sample()
        at, before = self._samples[0]
        return self.calls - (before if now - at >= _HOUR else 0)

    def _sample(self) -> float:
        """Note the number of calls so far, at most once a minute, whether or not the page is open; return the time."""
        now = asyncio.get_running_loop().time()
        if not self._samples or now - self._samples[-1][0] >= _SAMPLE:
            self._samples.append((now, self.calls))
        while len(self._samples) > 1 and now - self._samples[1][0] >= _HOUR:
            self._samples.popleft()
        return now

    async def check(self) -> None:
        """See :class:`piprint.bc.queue.Queue`, as for all that follow."""
        return await self._ask(lambda queue: queue.check())

    async def processors(self, since: datetime) -> set[str]:
        """Return the instances that work for this host's id."""
        return await self._ask(lambda queue: queue.processors(since))

    async def probe(self, *, beat: bool = False) -> Probe:
        """Ask whether there is work."""
        return await self._ask(lambda queue: queue.probe(beat=beat))

    async def register(self, printers: Sequence[OfferedPrinter], *, message: str = "") -> dict[str, BcProblem]:
        """Make Business Central offer these printers."""
        return await self._ask(lambda queue: queue.register(printers, message=message))

    async def waiting(self, printers: Sequence[str], limit: int) -> list[JobRow]:
        """Return jobs that wait."""
        return await self._ask(lambda queue: queue.waiting(printers, limit))

    async def printing(self) -> list[JobRow]:
        """Return jobs in state Printing."""
        return await self._ask(lambda queue: queue.printing())

    async def row(self, row_no: int) -> JobRow | None:
        """Return a job."""
        return await self._ask(lambda queue: queue.row(row_no))

    async def claim(self, job: JobRow, claim: Claim, into: Path, *, lease: float) -> Claimed:
        """Take a job."""
        return await self._ask(lambda queue: queue.claim(job, claim, into, lease=lease))

    async def fetch(self, job: JobRow, into: Path) -> int:
        """Write a document once more."""
        return await self._ask(lambda queue: queue.fetch(job, into))

    async def renew(self, job: JobRow, claim: Claim, *, lease: float) -> bool:
        """Say that we still have the job."""
        return await self._ask(lambda queue: queue.renew(job, claim, lease=lease))

    async def submitting(self, job: JobRow, claim: Claim) -> bool:
        """Say that the job goes to a printer now."""
        return await self._ask(lambda queue: queue.submitting(job, claim))

    async def tell(self, job: JobRow, claim: Claim, message: str) -> bool:
        """Write what a job of ours waits for."""
        return await self._ask(lambda queue: queue.tell(job, claim, message))

    async def note(self, job: JobRow, message: str) -> None:
        """Write why a waiting job is not taken."""
        return await self._ask(lambda queue: queue.note(job, message))

    async def release(self, job: JobRow, claim: Claim, message: str) -> FinishOutcome:
        """Give a job back."""
        return await self._ask(lambda queue: queue.release(job, claim, message))

    async def finish(self, job: JobRow, claim: Claim, *, printed: bool, message: str) -> FinishOutcome:
        """Report an outcome."""
        return await self._ask(lambda queue: queue.finish(job, claim, printed=printed, message=message))

    async def amend(self, job: JobRow, claim: Claim, message: str, *, before: str) -> bool:
        """Change what is said of a job's end."""
        return await self._ask(lambda queue: queue.amend(job, claim, message, before=before))

    async def restart(self, row_no: int, *, any_host: bool = False) -> JobState | None:
        """Queue a job again."""
        return await self._ask(lambda queue: queue.restart(row_no, any_host=any_host))

    async def close(self) -> None:
        """Give back the connections."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._queue is not None:
            await self._queue.close()

    async def _ask(self, call: Callable[[Queue], Awaitable[_T]]) -> _T:
        self._sample()
        try:
            answer = await call(await self._connected())
        except BcError:
            self.failed += 1
            raise
        self.last_answer = self._now()
        return answer

    async def _connected(self) -> Queue:
        if self._queue is not None:
            return self._queue
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._try(), name="connect")
            self._connecting.add_done_callback(self._tried)
        # Whoever asks meanwhile shares this try and its failure: one after the other, each would wait for its own.
        return await asyncio.shield(self._connecting)

    async def _try(self) -> Queue:
        try:
            self._queue = await self._connect()
        except BcError:
            self._tries += 1
            raise
        except ConfigError as error:  # a certificate file that is not there may appear yet
            raise BcRefused(str(error)) from None
        self.dialect, self.says_state = self._queue.dialect, self._queue.says_state
        return self._queue

    def _tried(self, task: asyncio.Task[Queue]) -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits for it any more
