"""Tells in Business Central what jobs wait for, within a minute, once, with what to do; and takes it back when they go on.

The job in hand has it in its own message. The jobs behind it have not, as that would cost a call for each and change them
under their users' hands: with our extension the printer's row says which job waits and for what. PIPrint 1.0 has no place for
that, so there the first jobs behind it are told after all. The same when no job is taken at all, because the disk is full.

This module does not know why a job waits, nor Business Central's wire.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from piprint import wording
from piprint.bc.queue import OfferedPrinter
from piprint.errors import BcError, concerns_one
from piprint.inhand import Job
from piprint.journal.steps import Step
from piprint.surroundings import Surroundings

__all__ = ["Teller", "excuse"]

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


def excuse(row_no: int, error: BcError) -> None:
    """Let what Business Central has against one job hold up no other; raise again whatever is wider."""
    if not concerns_one(error):
        raise error
    _log.warning("job %d: %s", row_no, error)


class Teller:
    """Tells it for all printers.

    Args:
        around: the jobs, and Business Central.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._look_from: dict[str, float] = {}
        self._noted: set[str] = set()

    def offered(self, printers: Iterable[OfferedPrinter], paused: str) -> list[OfferedPrinter]:
        """Return the printers with what their jobs wait for as their message.

        Args:
            printers: as they are.
            paused: why no job is taken at all; "" when they are.
        """
        waiting = {job.entry.printer_id: job for job in self._around.jobs.values() if _text(job)}
        return [self._with_message(each, waiting.get(each.printer_id), paused) for each in printers]

    def _with_message(self, printer: OfferedPrinter, job: Job | None, paused: str) -> OfferedPrinter:
        if job is not None:
            told = wording.holds_up(job.entry.row_no, job.trouble, job.remedy)
        elif paused:
            told = wording.sentence(paused)
        elif found := self._around.no_room.get(printer.printer_id):
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
        for job in list(self._around.jobs.values()):
            _watch(job)
            try:
                await self._tell(job)
            except BcError as error:
                job.tell_from = _now() + _AFTER_REFUSAL
                excuse(job.entry.row_no, error)
        if self._around.queue.says_state:
            return
        for printer_id in {*queued, *self._noted}:
            await self._note(printer_id, paused, waiting=queued.get(printer_id, 0) > 0)

    async def _tell(self, job: Job) -> None:
        text = self._message(job)
        if text == job.told or _now() < job.tell_from or job.changed:
            return
        if job.entry.step in {Step.CLAIMING, Step.ENDED, Step.REPORTED}:
            return  # not ours yet; or its end says all
        job.tell_from = _now() + _TELL_EVERY
        if await self._around.queue.tell(job.row, job.claim, text):
            job.told = text
        else:
            job.tell_from = _now() + _AFTER_REFUSAL

    def _message(self, job: Job) -> str:
        """Return what a job's message shall say; as long as a wait is young, what it said before."""
        if job.waiting_since is None:
            return ""
        if not (reason := _text(job)):
            return job.told
        printer_id = job.entry.printer_id
        if job.silent:
            return wording.silent(reason, job.remedy, self._around.stuck_after(printer_id))
        bounded = job.trouble_since is not None
        return wording.waiting(reason, job.remedy, self._around.give_up_after(printer_id) if bounded else None)

    async def _note(self, printer_id: str, paused: str, *, waiting: bool) -> None:
        """Tell the first jobs behind one that waits, or that none is taken; take it back when that is over (PIPrint 1.0)."""
        holding = next(
            (job for job in self._around.jobs.values() if job.entry.printer_id == printer_id and _text(job)), None
        )
        text = ""
        if holding is not None:
            text = f"{_WAITING} behind job {holding.entry.row_no}: {wording.sentence(holding.trouble)} "
            text += wording.sentence(holding.remedy)
        elif paused:
            text = f"{_WAITING}: {wording.sentence(paused)}"
        text = text.strip()
        alone = self._around.no_room.get(printer_id, (0, ""))
        if _now() < self._look_from.get(printer_id, 0.0) or not (text or alone[0] or printer_id in self._noted):
            return
        self._look_from[printer_id] = _now() + _NOTE_EVERY
        rows = await self._around.queue.waiting([printer_id], _NOTED) if waiting else []
        for row in rows:
            own = text or (f"{_WAITING}: {wording.sentence(alone[1])}" if row.row_no == alone[0] else "")
            if row.row_no in self._around.jobs or row.message == own or not (own or row.message.startswith(_WAITING)):
                continue
            try:
                await self._around.queue.note(row, own)
            except BcError as error:
                excuse(row.row_no, error)
        if text or alone[0]:
            self._noted.add(printer_id)
        else:
            self._noted.discard(printer_id)


def _watch(job: Job) -> None:
    """Note since when a job waits, for whatever it is."""
    if not job.trouble:
        if job.told:
            _log.info("job %d goes on", job.entry.row_no)
        job.waiting_since = None
    elif job.waiting_since is None:
        job.waiting_since = _now()


def _text(job: Job) -> str:
    """Return why a job waits, once that has lasted."""
    lasted = job.waiting_since is not None and _now() - job.waiting_since >= _TOLD_AFTER
    return job.trouble if lasted and job.entry.step is not Step.ENDED else ""


def _now() -> float:
    return asyncio.get_running_loop().time()
