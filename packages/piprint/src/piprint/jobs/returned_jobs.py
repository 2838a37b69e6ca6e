"""Jobs that had ended and that a spooler has again: finds them, cancels them before they print, or tells that they printed.

CUPS saves its list of jobs up to DirtyCleanInterval seconds late (30 unless set). After a power cut, or a kill, it has jobs
as they were when it last saved: one that was printed is waiting again, and prints again. The journal knows better. So at our
start, and whenever a spooler may have restarted, its list is compared with the journal.

CUPS begins to print as soon as it runs, and this processor starts after it: what prints first cannot be stopped, only told.
What can be done is to have CUPS save at once; ``piprint doctor`` looks at that.

This module does not know Business Central.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from piprint.bc.queue import OfferedPrinter
from piprint.contract import cut
from piprint.errors import BcError, PrinterError, concerns_one
from piprint.jobs import wording
from piprint.jobs.active_job import row_of
from piprint.jobs.context import Context
from piprint.jobs.printing.printer_session import accepted_of, cancel
from piprint.journal.entry import Entry
from piprint.journal.steps import Step
from piprint.printers.printer import Feedback, JobStatus, Printer, SpoolerState
from piprint.printers.registry import PrinterRegistry
from piprint.printers.restarts.runs import is_time_of_day

__all__ = ["ReturnedJobs"]

_log = logging.getLogger(__name__)

_TRIES, _FIRST_PAUSE, _LONGEST_PAUSE = 40, 60.0, 3600.0
"""Times and seconds that Business Central is told again what it does not take of one job."""
_TOLD_FOR = 86400.0
"""Seconds for which the page and Business Central's list of printers show it."""
_MOST_TOLD = 20
_LONGEST_STATE = 250
_CUPS_EVERY, _PRINTERS_EVERY = 10.0, 6
"""Seconds between two questions to CUPS whether it has run on; a printer itself is asked every so many times."""
_JUST_NOW = 60
"""Seconds: nobody was away for so long who was killed in the same second as CUPS."""
_NEXT_SECOND = 1.0
_LIST_PAUSE, _LONGEST_LIST_PAUSE = 10.0, 600.0
"""Seconds until a list that could not be had is asked for again: each time twice as long."""
_FAILURES_TOLD = 3
_UNTOLD_EVERY = 60.0
"""Seconds between two looks at a queue of CUPS where nothing tells whether CUPS has run on."""
_PATIENCE = 20.0
"""Seconds a printer may take to list and cancel its jobs."""
_NOT_SAID = (
    "job %d: that it may have come out again is not in Business Central: somebody had the job since, or the extension there is older "
    "than this program and should be upgraded"
)
_OVER = frozenset({Step.ENDED, Step.REPORTED})
_AT_PRINTER = frozenset({Step.SENDING, Step.SENT, Step.RELEASING, Step.FOLLOWING})
_AT_WORK = frozenset({SpoolerState.PROCESSING, SpoolerState.STOPPED})


@dataclass(slots=True)
class _Told:
    printer_id: str
    text: str
    at: float


@dataclass(slots=True)
class _Owed:
    entry: Entry
    tries: int = 0
    not_before: float = 0.0


@dataclass(slots=True)
class ReturnedJobs:
    """Looks for returned jobs.

    Attributes:
        context: the journal, which knows what has ended, and the active jobs.
        registry: the printers.
        guarded: does something under a name, and counts what goes wrong in it by a mistake of ours.
    """

    context: Context
    registry: PrinterRegistry
    guarded: Callable[[str, Callable[[], Awaitable[None]]], Awaitable[None]]
    _runs: dict[str, int] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _look_from: dict[str, float] = field(default_factory=dict)
    _sweep_from: dict[str, float] = field(default_factory=dict)
    _told: list[_Told] = field(default_factory=list)
    _owed: list[_Owed] = field(default_factory=list)
    """What Business Central does not know yet."""
    _seen: list[tuple[Entry, JobStatus, bool]] = field(default_factory=list)
    """What is to be told: the job, what the printer says, and whether its printer was looked at for the first time."""

    async def watch(self) -> None:
        """Look whenever a spooler may have restarted: at queues of CUPS often, at printers seldom, as asking wakes them."""
        await asyncio.gather(self._look_again_and_again(), self._hear_once_more())

    async def _hear_once_more(self) -> None:
        """Look where a job began and ended within one second, in the next: a restart later is no reason to doubt it then."""
        while True:
            asked = {await self.context.unheard.get()}
            await asyncio.sleep(_NEXT_SECOND)
            while not self.context.unheard.empty():
                asked.add(self.context.unheard.get_nowait())
            await asyncio.gather(*map(self._look_guarded, sorted(asked)))

    async def _look_again_and_again(self) -> None:
        suspected = self.context.suspected
        for turn in itertools.count(1):
            with suppress(TimeoutError):
                async with asyncio.timeout(_CUPS_EVERY):
                    await suspected.wait()
            everywhere = suspected.is_set() or turn % _PRINTERS_EVERY == 0
            suspected.clear()
            await self.look_everywhere(everywhere=everywhere)
            await self.guarded("telling what came out again", self._pay)

    async def look_everywhere(self, *, everywhere: bool = True) -> None:
        """Look at all printers that are there; else at the queues of CUPS. Never raises for a printer's sake.

        The first time, those that did not say how they are are left for later: the start does not wait for them twice.
        """
        started = bool(self._runs)
        asked = [
            each.address.printer_id
            for each in self.registry.all()
            if each.gone_since is None
            and (everywhere or each.address.origin == "cups")
            and (started or each.status is not None)
        ]
        await asyncio.gather(*map(self._look_guarded, asked))

    async def _look_guarded(self, printer_id: str) -> None:
        async def look() -> None:
            if _now() < self._look_from.get(printer_id, 0.0):
                return
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self.look(printer_id)
            except (PrinterError, TimeoutError) as error:
                self._failed(printer_id, error)
            else:
                self._failures.pop(printer_id, None)
            while self._seen:  # beyond the time limit: a printer that is slow must not cut it off half told
                await self._tell(*self._seen.pop(0))

        await self.guarded("looking for jobs that came back", look)

    def _failed(self, printer_id: str, error: Exception) -> None:
        """Ask again later, and later each time; say so once."""
        times = self._failures[printer_id] = self._failures.get(printer_id, 0) + 1
        self._look_from[printer_id] = _now() + min(_LIST_PAUSE * 2.0 ** min(times - 1, 10), _LONGEST_LIST_PAUSE)
        if times == _FAILURES_TOLD:
            why = str(error) or f"it took more than {_PATIENCE:.0f} seconds"
            _log.warning(
                "printer %s: its list of jobs cannot be had, so a job that comes out again after a restart is not seen; "
                "it is tried again: %s",
                printer_id,
                why,
            )

    async def look(self, printer_id: str) -> None:
        """Look at one printer, unless it has run on since the last time.

        Raises:
            PrinterError: it does not answer, or does not cancel; look again later.
        """
        printer = self.registry.printer(printer_id)
        if printer is None or printer.feedback is Feedback.SENT_ONLY:
            return
        run, last = await printer.run(), self._runs.get(printer_id)
        untold = (
            run.number == 0 and printer.address.origin == "cups" and _now() >= self._sweep_from.get(printer_id, 0.0)
        )
        if last != run.number or untold:
            await self._sweep(printer_id, printer)
            self._runs[printer_id], self._sweep_from[printer_id] = run.number, _now() + _UNTOLD_EVERY
            self.context.heard.pop((printer_id, -1 if last is None else last), None)
        if run.up_time is not None:
            self.context.heard[printer_id, run.number] = run.up_time

    def told(self, printer_id: str = "") -> list[str]:
        """Return what could not be stopped within the last day; at one printer, or at all."""
        since = _now() - _TOLD_FOR
        self._told = [each for each in self._told if each.at >= since][-_MOST_TOLD:]
        return [each.text for each in self._told if printer_id in {"", each.printer_id}]

    def with_remark(self, printer: OfferedPrinter) -> OfferedPrinter:
        """Say at the printers in Business Central which jobs may have been printed twice: the job's own row is closed by then."""
        told = self.told(printer.printer_id)
        message = "; ".join(filter(None, (printer.state_message, *reversed(told))))
        return replace(printer, state_message=cut(message, _LONGEST_STATE))

    async def _sweep(self, printer_id: str, printer: Printer) -> None:
        jobs = await printer.jobs()
        entries = {entry.name: entry for entry in await self.context.journal.by_names([job.name for job in jobs])}
        first = printer_id not in self._runs
        failed: PrinterError | None = None
        for job in jobs:
            entry = entries.get(job.name)
            if entry is None or entry.printer_id != printer_id:
                continue
            if await self._may_have_begun_again(entry, job, printer):
                self._seen.append((entry, job, first))
            if not _is_returned(entry, job):
                continue
            try:
                after = job if job.state.final else await cancel(printer, accepted_of(job))
            except PrinterError as error:
                failed, after = error, job
            if job.state in _AT_WORK or (after is not None and _began_again(entry, after)):
                self._seen.append((entry, job, first))
            else:
                _log.warning("%s: it had ended, and the printer had it again; it is cancelled there", entry.about)
        if failed is not None:
            raise failed

    async def _may_have_begun_again(self, entry: Entry, job: JobStatus, printer: Printer) -> bool:
        """Tell whether CUPS may have restarted, and printed a job again, within the same second in which the job had begun.

        The subscription has to say so. Where there is none, a restart of ours, or a line given back, would make each job doubtful.
        """
        begun, now = job.begun, job.up_time
        if job.state is not SpoolerState.COMPLETED or begun is None or now is None or not is_time_of_day(now):
            return False
        if entry.step not in _OVER or not entry.ipp_run or begun != entry.ipp_begun or now - begun > _JUST_NOW:
            return False
        heard = self.context.heard.get((entry.printer_id, self._runs.get(entry.printer_id, -1)))
        over = heard is not None and heard > begun
        return not over and await printer.has_run_on(entry.ipp_run) is False

    async def _pay(self) -> None:
        """Tell Business Central what it does not know yet, as far as it answers."""
        for owed in list(self._owed):
            if _now() < owed.not_before:
                continue
            entry = owed.entry
            before = wording.without_came_back(entry.message)
            claim = entry.claim_of(self.context.config.host)
            try:
                told = await self.context.queue.amend(row_of(entry), claim, entry.message, before=before)
            except BcError as error:
                if not concerns_one(error):
                    return  # later
                owed.tries += 1
                owed.not_before = _now() + min(_FIRST_PAUSE * 1.6 ** (owed.tries - 1), _LONGEST_PAUSE)
                if owed.tries < _TRIES:
                    continue
                _log.warning("%s: that it came out again cannot be said there: %s", entry.about, error)
            else:
                if not told:
                    _log.warning(_NOT_SAID, entry.row_no)
            self._owed.remove(owed)

    async def _tell(self, entry: Entry, job: JobStatus, first: bool) -> None:  # noqa: FBT001 - as it was seen
        """Write down that a job may have come out again, and have it told."""
        journal = self.context.journal
        latest = await journal.by_claim(entry.row_no, entry.claim) or entry
        if wording.came_back_of(latest.notes):
            if first:  # found again at our start: it may not have been said
                self._remember(latest)
            return
        note = wording.came_back_note(latest.outcome, cups=is_time_of_day(job.up_time))
        _log.error("%s: %s (job %d at the printer)", latest.about, note, job.id)
        noted: Entry | None = None
        while noted is None or (latest.notes, latest.message) != (noted.notes, noted.message):  # reported just now
            message = latest.message
            if latest.step in _OVER and not wording.says_came_back(message):
                message = wording.with_came_back(message, note)
            noted = await journal.note(latest, notes=(*wording.others(latest.notes), note), message=message)
            held = self.context.jobs.get(latest.row_no)
            if held is not None and held.entry.claim == latest.claim:
                held.entry = replace(held.entry, notes=noted.notes, message=noted.message)
            latest = await journal.by_claim(entry.row_no, entry.claim) or noted
        self._remember(latest)

    def _remember(self, entry: Entry) -> None:
        """Show it for a day, and tell Business Central if its row is closed."""
        if entry.step is Step.REPORTED:
            self._owed.append(_Owed(entry))
            self.context.suspected.set()
        text = wording.came_back(entry.row_no, entry.title, entry.printer_id)
        self._told.append(_Told(entry.printer_id, text, _now()))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_returned(entry: Entry, job: JobStatus) -> bool:
    """Tell whether a printer has, or has printed, a job again; also one of an earlier try."""
    if entry.step in _OVER:
        return not job.state.final or (job.state is SpoolerState.COMPLETED and _began_again(entry, job))
    other = bool(job.uuid and entry.ipp_uuid and job.uuid != entry.ipp_uuid)
    return other and entry.step in _AT_PRINTER and not job.state.final


def _began_again(entry: Entry, job: JobStatus) -> bool:
    """Tell whether it began to print at another time than the journal knows of.

    Of a job that is over only CUPS can tell that: it keeps the time of day. A printer that counts from its start sets the times
    of the jobs it remembers to 0 or less when it is switched on (RFC 8011, 5.3.14).
    """
    if job.uuid and entry.ipp_uuid and job.uuid != entry.ipp_uuid:
        return job.begun is not None and not job.state.final
    if job.begun is None or (job.state.final and (entry.ipp_begun is None or not is_time_of_day(job.begun))):
        return False
    return job.begun != entry.ipp_begun
