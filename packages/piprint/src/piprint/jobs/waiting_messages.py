"""Writes into Business Central what a job waits for and what to do about it, within a minute, and removes it when the job goes on.

It stands in the message of the job that was claimed. The jobs that queue behind it keep their messages, as to change each would
cost a call and disturb whoever is editing it; with our extension the printer's row says which job waits, and for what. PIPrint 1.0
has no such place, so there the first jobs of the queue get a message, too. The same holds when no job is taken because the disk is full.

This module does not know why a job waits, nor Business Central's wire.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from piprint.bc.job import JobRow
from piprint.bc.queue import OfferedPrinter
from piprint.contract import JobState
from piprint.errors import BcError, concerns_one
from piprint.jobs import wording
from piprint.jobs.active_job import ActiveJob
from piprint.jobs.context import Context
from piprint.jobs.progress import without_counts
from piprint.journal.steps import Step

__all__ = ["WaitingMessages", "excuse", "is_no_news"]

_log = logging.getLogger(__name__)

_TOLD_AFTER = 20.0
"""Seconds a job waits before it is told: most waits are shorter, and each telling costs a call."""
_TELL_EVERY = 30.0
"""Seconds at least between two tellings of one job."""
_AFTER_REFUSAL = 600.0
_NOTE_EVERY = 60.0
"""Seconds between two looks at the jobs behind one, with PIPrint 1.0."""
_NOTED = 20
"""Of them so many are told."""
_LONGEST_STATE = 250
_WAITING = "Waiting"
"""With this word begins what waiting jobs are told; so a later run finds what it has to take back."""
_BEHIND = re.compile(rf"{_WAITING} behind job (\d+):")


def excuse(row_no: int, error: BcError) -> None:
    """Log an error that concerns only this job, so that the others are told all the same; raise any other error again."""
    if not concerns_one(error):
        raise error
    _log.warning("job %d: %s", row_no, error)


def is_no_news(offered: Sequence[OfferedPrinter], before: Sequence[OfferedPrinter]) -> bool:
    """Tell whether printers say the same as before, apart from numbers: a message that counts seconds is not worth a call each time."""
    return [replace(each, state_message=without_counts(each.state_message)) for each in offered] == [
        replace(each, state_message=without_counts(each.state_message)) for each in before
    ]


class WaitingMessages:
    """Tells it for all printers.

    Args:
        context: the jobs, and Business Central.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._look_from: dict[str, float] = {}
        self._noted: set[str] = set()
        self._seen: set[str] = set()
        """The printers whose waiting jobs were looked at: those that were told something by an earlier run have it no more."""
        self._own: dict[int, str] = {}
        """What this run wrote into waiting jobs."""
        self._began: float | None = None

    def offered(self, printers: Iterable[OfferedPrinter], paused: str) -> list[OfferedPrinter]:
        """Return the printers with what their jobs wait for as their message.

        Args:
            printers: as they are.
            paused: why no job is taken at all; "" when they are.
        """
        waiting = {job.entry.printer_id: job for job in self._context.jobs.values() if _text(job)}
        return [self._with_message(each, waiting.get(each.printer_id), paused) for each in printers]

    def _with_message(self, printer: OfferedPrinter, job: ActiveJob | None, paused: str) -> OfferedPrinter:
        if job is not None:
            told = wording.holds_up(job.entry.row_no, job.hindrance.words, job.hindrance.remedy)
        elif paused:
            told = wording.sentence(paused)
        elif found := self._context.no_room.get(printer.printer_id):
            told = wording.sentence(f"job {found[0]} waits: {found[1]}")
        else:
            return printer
        return replace(printer, state_message=wording.fit(told, _LONGEST_STATE))

    async def tell(self, paused: str, queued: Mapping[str, int]) -> None:
        """Tell what is new.

        Args:
            paused: as above.
            queued: jobs waiting in Business Central, by printer.

        Raises:
            BcError: it is not one job's.
        """
        for job in list(self._context.jobs.values()):
            _watch(job)
            try:
                await self._tell(job)
            except BcError as error:
                job.notice.not_before = _now() + _AFTER_REFUSAL
                excuse(job.entry.row_no, error)
        if self._context.queue.says_state:
            return
        for printer_id in {*queued, *self._noted}:
            await self._note(printer_id, paused, waiting=queued.get(printer_id, 0) > 0)

    def read(self, job: ActiveJob, row: JobRow) -> None:
        """Take in what a job of ours was told by an earlier run, from its row, so that it can be taken back."""
        if not job.notice.words and job.notice.not_before == -math.inf and row.message.startswith(_WAITING):
            job.notice.words, job.notice.not_before = (
                row.message,
                _now() + _TELL_EVERY,
            )  # it may wait for the same still

    async def _tell(self, job: ActiveJob) -> None:
        text = self._message(job)
        if text == job.notice.words or _now() < job.notice.not_before or job.changed:
            return
        if job.entry.step in {Step.CLAIMING, Step.ENDED, Step.REPORTED}:
            return  # not ours yet; or its end says all
        job.notice.not_before = _now() + _TELL_EVERY
        if await self._context.queue.tell(job.row, job.claim, text):
            job.notice.words = text
        else:
            job.notice.not_before = _now() + _AFTER_REFUSAL

    def _message(self, job: ActiveJob) -> str:
        """Return what a job's message shall say; as long as a wait is young, what it said before."""
        if job.notice.waiting_since is None:
            return ""
        if not (reason := _text(job)):
            return job.notice.words
        printer_id = job.entry.printer_id
        if job.hindrance.silent:
            return wording.silent(reason, job.hindrance.remedy, self._context.stuck_after(printer_id))
        bounded = job.hindrance.since is not None
        return wording.waiting(
            reason, job.hindrance.remedy, self._context.give_up_after(printer_id) if bounded else None
        )

    async def _note(self, printer_id: str, paused: str, *, waiting: bool) -> None:
        """Tell the first jobs behind one that waits, or that none is taken; take it back when that is over (PIPrint 1.0)."""
        holding = next(
            (job for job in self._context.jobs.values() if job.entry.printer_id == printer_id and _text(job)), None
        )
        text = ""
        if holding is not None:
            text = f"{_WAITING} behind job {holding.entry.row_no}: {wording.sentence(holding.hindrance.words)} "
            text += wording.sentence(holding.hindrance.remedy)
        elif paused:
            text = f"{_WAITING}: {wording.sentence(paused)}"
        text = text.strip()
        alone = self._context.no_room.get(printer_id, (0, ""))
        told, first = bool(text or alone[0]), printer_id not in self._seen
        self._began = _now() if self._began is None else self._began
        if first and not told and _now() < self._began + _NOTE_EVERY:
            return  # jobs taken up from the last run have yet to meet what they wait for
        if _now() < self._look_from.get(printer_id, 0.0) or not (told or first or printer_id in self._noted):
            return
        self._look_from[printer_id] = _now() + _NOTE_EVERY
        # Rows of a printer that was disabled are not counted; what they were told is taken back all the same.
        rows = await self._context.queue.waiting([printer_id], _NOTED) if waiting or not told else []
        await self._write(rows, text, alone, first=first)
        self._seen.add(printer_id)
        if told:
            self._noted.add(printer_id)
        else:
            self._noted.discard(printer_id)
            for row in rows:
                self._own.pop(row.row_no, None)

    async def _write(self, rows: Sequence[JobRow], text: str, alone: tuple[int, str], *, first: bool) -> None:
        """Write into waiting jobs what they wait for; "" where that is over."""
        printing: dict[int, bool] = {}
        for row in rows:
            own = text or (f"{_WAITING}: {wording.sentence(alone[1])}" if row.row_no == alone[0] else "")
            if row.row_no in self._context.jobs or row.message == own or not (own or row.message.startswith(_WAITING)):
                continue
            if await self._is_anothers(row, printing, first=first):
                continue
            try:
                await self._context.queue.note(row, own)
            except BcError as error:
                excuse(row.row_no, error)
            else:
                self._own[row.row_no] = own

    async def _is_anothers(self, row: JobRow, printing: dict[int, bool], *, first: bool) -> bool:
        """Tell whether another processor of this host wrote the message of a waiting job, and the job it names still prints.

        Two that write over each other's words would change the jobs each minute under their users' hands.
        """
        if not row.message.startswith(_WAITING) or self._own.get(row.row_no) == row.message:
            return False
        if (found := _BEHIND.match(row.message)) is None:
            return not first
        holder = int(found[1])
        if holder in self._context.jobs:
            return False
        if holder not in printing:
            try:
                other = await self._context.queue.row(holder)
            except BcError as error:
                excuse(holder, error)
                return True
            printing[holder] = other is not None and other.state is JobState.PRINTING
        return printing[holder]


def _watch(job: ActiveJob) -> None:
    """Note since when a job waits, for whatever it is."""
    if not job.hindrance.words:
        if job.notice.words:
            _log.info("job %d goes on", job.entry.row_no)
        job.notice.waiting_since = None
    elif job.notice.waiting_since is None:
        job.notice.waiting_since = _now()


def _text(job: ActiveJob) -> str:
    """Return why a job waits, once that has lasted."""
    lasted = job.notice.waiting_since is not None and _now() - job.notice.waiting_since >= _TOLD_AFTER
    return job.hindrance.words if lasted and job.entry.step is not Step.ENDED else ""


def _now() -> float:
    return asyncio.get_running_loop().time()
