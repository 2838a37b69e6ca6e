"""Whether a job may go to its printer now: asked of Business Central, and remembered for as long as the answer holds.

Two things must never meet: a processor that thinks a job is still its own, and a successor that thinks it was never sent.
So before the document goes out, Business Central is told; and what it last said counts only for a part of the lease.

This module does not know printers, and writes no journal.
"""

from __future__ import annotations

import asyncio
import math

from piprint.errors import BcError, BcUnreachable
from piprint.jobs.active_job import ActiveJob
from piprint.jobs.context import Context

__all__ = ["LeaseCheck"]

_FRESH = 0.75
"""Part of the lease during which nobody else can have taken a job, with room for two clocks and a slow answer."""


class LeaseCheck:
    """Stands between a claimed job and its printer.

    Args:
        context: what is worked with.
    """

    def __init__(self, context: Context) -> None:
        self._queue = context.queue
        self._lease = context.config.lease.seconds

    async def confirm(self, job: ActiveJob) -> None:
        """Make sure that nobody else can have the job; without an answer it is not begun.

        A job that is no longer ours is marked as changed.
        """
        if _now() - job.lease.confirmed < _FRESH * self._lease:
            return
        asked = _now()
        if await self._queue.renew(job.row, job.claim, lease=self._lease):
            job.lease.confirmed = asked
        else:
            await self._lost(job)

    async def announce(self, job: ActiveJob) -> bool:
        """Say that the document goes to the printer now; return whether it may.

        With API pages each time, and not without the answer: a successor to whom Business Central says that the job was not
        submitted prints it. With web services, where no successor can rely on that, it only costs a call when another
        processor may have taken the job, and without an answer it may while the lease is fresh.
        """
        if not job.row.id and _now() - job.lease.confirmed < self._lease / 2:
            return True
        asked = _now()
        try:
            async with asyncio.timeout(self._lease / 4):
                ours = await self._queue.submitting(job.row, job.claim)
        except (BcError, TimeoutError) as error:
            if not job.row.id and _now() - job.lease.confirmed < _FRESH * self._lease:
                return True
            job.lease.confirmed = -math.inf  # nothing is announced again before Business Central answers
            if isinstance(error, BcError):
                raise
            raise BcUnreachable("Business Central did not say in time whether the job is still ours.") from None
        if not ours:
            await self._lost(job)
            return False
        job.lease.confirmed, job.lease.guarded = asked, True
        return True

    async def _lost(self, job: ActiveJob) -> None:
        row = await self._queue.row(job.entry.row_no)
        if job.is_ours(row):
            raise BcUnreachable("Business Central says that the job is ours and that it is not; it is asked again.")
        job.change(row)


def _now() -> float:
    return asyncio.get_running_loop().time()
