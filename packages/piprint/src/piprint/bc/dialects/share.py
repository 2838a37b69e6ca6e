"""A fair share of the queued jobs: thousands of one printer do not hide those of another.

The oldest jobs of all printers are asked for first. When as many came as were asked for, and a printer has none among
them, it is asked for alone; then each printer gets its oldest, in turn, until there are enough. That costs a call for each
printer that has none, so name only printers with work (the probe tells).

This module does not know how jobs are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from piprint.bc.job import JobRow

__all__ = ["fair_share"]


async def fair_share(
    ask: Callable[[int, str], Awaitable[list[JobRow]]], printers: Sequence[str], limit: int
) -> list[JobRow]:
    """Return at most ``limit`` jobs of these printers, oldest first.

    Args:
        ask: returns so many of the oldest queued jobs, of one printer or ("") of all.
        printers: their ids.
        limit: at least 1.
    """
    wanted = dict.fromkeys(printers)
    if not wanted:
        return []
    found = await ask(limit, "")
    jobs = [job for job in found if job.printer_id in wanted]
    if len(found) < limit:
        return jobs
    present = {job.printer_id for job in jobs}
    for missing in wanted:
        if missing not in present:
            jobs += [job for job in await ask(limit, missing) if job.printer_id == missing]
    queues: dict[str, list[JobRow]] = defaultdict(list)
    for job in sorted(jobs, key=lambda each: each.row_no):
        queues[job.printer_id].append(job)
    turns = [(turn, job.row_no, job) for queue in queues.values() for turn, job in enumerate(queue)]
    chosen = [job for _, _, job in sorted(turns, key=lambda each: each[:2])[:limit]]
    return sorted(chosen, key=lambda job: job.row_no)
