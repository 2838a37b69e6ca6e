"""Tells Business Central how jobs ended, and repeats it until it is heard.

One task per outcome, so that a report Business Central refuses delays no other; until it is accepted, it stays in the
journal and survives restarts.

This module does not know printers.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from piprint.bc.backoff import pause_after
from piprint.bc.queue import FinishOutcome, Queue
from piprint.errors import BcError, JournalError
from piprint.jobs import wording
from piprint.jobs.active_job import ActiveJob
from piprint.journal.entry import Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal

__all__ = ["OutcomeReporter"]

_log = logging.getLogger(__name__)

_AFTER_MISTAKE = 60.0
_MEANING = {
    FinishOutcome.CHANGED: "a user had changed it there, and that stays",
    FinishOutcome.LOST: "another processor had taken it over",
    FinishOutcome.GONE: "it had been deleted there",
}


class OutcomeReporter:
    """Carries outcomes to Business Central.

    Args:
        queue: Business Central.
        journal: where outcomes stay until they are accepted.
        rng: blurs waiting times.
        reported: called with each job that is done.
    """

    def __init__(
        self, queue: Queue, journal: Journal, rng: random.Random, reported: Callable[[ActiveJob], None]
    ) -> None:
        self._queue = queue
        self._journal = journal
        self._rng = rng
        self._reported = reported
        self._tasks: dict[asyncio.Task[None], ActiveJob] = {}
        self._hurry = asyncio.Event()

    def add(self, job: ActiveJob) -> None:
        """Take over a job that has ended."""
        task = asyncio.create_task(self._carry(job), name=f"report {job.entry.row_no}")
        self._tasks[task] = job
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def hurry(self) -> None:
        """Try all of them now: Business Central answers again."""
        self._hurry.set()
        self._hurry = asyncio.Event()

    async def drain(self, seconds: float) -> None:
        """Wait until all is reported, at most so long; what is left stays in the journal."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)

    async def close(self) -> None:
        """Stop; what is not reported stays in the journal."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, job: ActiveJob) -> None:
        failures = 0
        while True:
            try:
                await self._report(job)
            except BcError as error:
                failures += 1
                job.hindrance.words = str(error)
                pause = pause_after(error, failures, self._rng)
            except JournalError as error:
                job.hindrance.words = str(error)
                pause = _AFTER_MISTAKE
            except Exception:  # noqa: BLE001 - an outcome is never given up
                _log.exception("job %d: its end could not be reported; it is tried again", job.entry.row_no)
                job.hindrance.words = "a mistake of piprint; please report it with the lines of the log"
                pause = _AFTER_MISTAKE
            else:
                break
            hurry = self._hurry
            try:
                async with asyncio.timeout(pause):
                    await hurry.wait()
            except TimeoutError:
                pass
        self._reported(job)

    async def _report(self, job: ActiveJob) -> None:
        entry = job.entry
        message, outcome = entry.message, entry.outcome
        if outcome is Outcome.RELEASED:
            answer = await self._queue.release(job.row, job.claim, entry.message)
        elif outcome in {Outcome.PRINTED, Outcome.ERROR, Outcome.UNCERTAIN}:
            answer = await self._queue.finish(
                job.row, job.claim, printed=outcome is Outcome.PRINTED, message=entry.message
            )
        else:
            answer = FinishOutcome.DONE  # a user or another processor decided; there is nothing to tell
        came_back = bool(wording.came_back_of(job.entry.notes))
        if came_back and answer in {FinishOutcome.DONE, FinishOutcome.CHANGED}:
            answer, message = await self._told_since(job, message, answer)
        if meaning := _MEANING.get(answer):
            message = f"{message} Business Central was not told: {meaning}."
            if outcome is Outcome.RELEASED:
                outcome = Outcome.CHANGED
        entry = job.entry  # it may have been noted on meanwhile
        job.entry = await self._journal.advance(entry, Step.REPORTED, outcome=outcome, message=message)
        await self._journal.remove_document(entry)
        _log.info("%s: %s: %s", entry.about, outcome, message)

    async def _told_since(self, job: ActiveJob, reported: str, answer: FinishOutcome) -> tuple[FinishOutcome, str]:
        """Tell what came to light about a job's end while, or after, Business Central was told of it.

        Args:
            job: the job.
            reported: the message that was to be reported.
            answer: what Business Central said: CHANGED also of an end it has from us, in the words of before.

        Returns:
            what it says now, and what the message is now.
        """
        before = reported if answer is FinishOutcome.DONE else wording.without_came_back(reported)
        while answer is FinishOutcome.CHANGED or before != job.entry.message:
            message = job.entry.message
            if not await self._queue.amend(job.row, job.claim, message, before=before):
                return FinishOutcome.CHANGED, message
            answer, before = FinishOutcome.DONE, message
        return answer, before
