"""What people see of the processor, and what they may ask of it: fills the page's view (:mod:`piprint.web.view`).

History is read from the journal now and then and kept here, so that a look at the page asks nobody.
This module does not know HTTP, and takes no decision about jobs.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from piprint import __version__
from piprint.bc.backoff import ConnectionState
from piprint.bc.reconnecting import ReconnectingQueue
from piprint.clock import Clock, monotonic
from piprint.config.settings import Config
from piprint.documents.paper import PAPER_KINDS, PAPER_SOURCES
from piprint.documents.payloads import UNITS
from piprint.errors import BcError, PiprintError
from piprint.jobs import wording
from piprint.jobs.dispatcher import Dispatcher
from piprint.jobs.state import JobFacts, PrinterFacts, State
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step
from piprint.printers.printer import Feedback
from piprint.printers.reasons import in_words
from piprint.printers.registry import PrinterRegistry
from piprint.printers.sample_print import print_test_page
from piprint.web.view import ActionFailed, Connection, Job, PastJob, PrinterView, Snapshot, Totals, Trouble

if TYPE_CHECKING:
    from piprint.log import RecentLines

__all__ = ["Presenter"]

_log = logging.getLogger(__name__)

WINDOW = 200
"""Jobs read from the journal at a look; more do not end between two looks."""
_SHOWN = 50
_KEPT_DAY = timedelta(hours=24)
_KEPT_MOST = 20_000
"""Jobs whose ends are counted by the hour; what is shown of them is decided when it is shown, so a clock that is set hides nothing."""
_HANGS = 900.0
"""Seconds by which the loop that asks for work may be late; after that it must hang, or make the same mistake for ever."""
_OUTCOMES = {
    Outcome.PRINTED: "printed",
    Outcome.ERROR: "error",
    Outcome.UNCERTAIN: "uncertain",
    Outcome.RELEASED: "released",
    Outcome.CHANGED: "changed",
}
_AT_PRINTER = frozenset({Step.CREATED, Step.SENDING, Step.SENT, Step.RELEASING, Step.FOLLOWING})
_FAILED = frozenset({Outcome.ERROR, Outcome.UNCERTAIN})
_STATES = {
    ConnectionState.UNKNOWN: "connecting",
    ConnectionState.OK: "connected",
    ConnectionState.THROTTLED: "connected",
}


class Presenter:
    """Answers the page; implements :class:`piprint.web.view.Service`.

    Args:
        config: the settings.
        queue: Business Central.
        registry: the printers.
        dispatcher: the jobs.
        recent: the log's last lines.
        warnings: what the configuration should not stay like.
        clock: tells the time of day.
        changes: how often a reported job was reported or noted anew (:attr:`piprint.journal.store.Journal.changes`).
    """

    def __init__(
        self,
        config: Config,
        queue: ReconnectingQueue,
        registry: PrinterRegistry,
        dispatcher: Dispatcher,
        recent: RecentLines,
        warnings: Sequence[str] = (),
        *,
        clock: Clock | None = None,
        changes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._config = config
        self._queue = queue
        self._registry = registry
        self._dispatcher = dispatcher
        self._recent = recent
        self._warnings = warnings
        self._clock = clock or Clock()
        self._history: tuple[PastJob, ...] = ()
        self._known: set[tuple[int, int]] | None = None
        self._changes = changes
        self._seen: tuple[int, dict[Outcome, int]] | None = None
        self._day: deque[tuple[datetime, bool]] = deque(maxlen=_KEPT_MOST)
        self._uncertain: dict[int, float] = {}
        """By row number, the moment from which it is no longer told; by the clock that is never set."""
        self._uncertain_before: dict[int, datetime] = {}
        """The same of jobs that ended before this start: when. Whether that is long ago is decided when it is shown: at the start nobody
        has said yet whether the host's clock is right."""
        self._totals = Totals()

    # ---- History ----

    async def refresh(self) -> None:
        """Read what has ended since the last look; asks the journal only if something has."""
        now = monotonic()
        self._uncertain = {row_no: until for row_no, until in self._uncertain.items() if now < until}
        seen = (self._changes(), dict(self._dispatcher.snapshot().totals))
        if seen == self._seen:
            return
        self._seen = seen
        first = self._known is None
        entries = await self._dispatcher.history(_KEPT_MOST if first else WINDOW)
        fresh = [entry for entry in entries if (entry.row_no, entry.attempt) not in (self._known or ())]
        for entry in reversed(fresh):
            self._note(entry, counted=not first)
        self._known = {(entry.row_no, entry.attempt) for entry in entries[:WINDOW]}
        self._history = tuple(_past(entry) for entry in entries[:_SHOWN])

    def _note(self, entry: Entry, *, counted: bool) -> None:
        if entry.outcome is Outcome.UNCERTAIN:
            if counted:
                self._uncertain[entry.row_no] = monotonic() + _KEPT_DAY.total_seconds()
            else:
                self._uncertain_before[entry.row_no] = _ended(entry)
        elif entry.outcome in {Outcome.PRINTED, Outcome.CHANGED}:
            self._uncertain.pop(entry.row_no, None)
            self._uncertain_before.pop(entry.row_no, None)
        if entry.outcome in _FAILED or entry.outcome is Outcome.PRINTED:
            self._day.append((_ended(entry), entry.outcome is Outcome.PRINTED))
        if counted and entry.outcome is Outcome.PRINTED and entry.seconds is not None:
            self._totals.took(entry.seconds)

    # ---- What the page asks for ----

    def snapshot(self) -> Snapshot:
        """Return how everything is now."""
        state = self._dispatcher.snapshot()
        now = self._clock.now().astimezone()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        today = [printed for at, printed in self._day if at >= midnight]
        jobs: dict[str, list[JobFacts]] = {}
        for job in state.jobs:
            jobs.setdefault(job.entry.printer_id, []).append(job)
        totals = replace(
            self._totals, outcomes={_OUTCOMES[each]: count for each, count in state.totals.items() if each in _OUTCOMES}
        )
        return Snapshot(
            version=__version__,
            host=state.host,
            instance=state.instance,
            started=state.started,
            connection=self._connection(state),
            printers=tuple(_printer(each, jobs.get(each.address.printer_id, [])) for each in state.printers),
            jobs=tuple(map(_job, state.jobs)),
            history=self._history,
            troubles=tuple(self._troubles(state)),
            hours=self._hours(now),
            printed_today=sum(today),
            failed_today=len(today) - sum(today),
            totals=totals,
        )

    def watched(self) -> None:
        """Have printers asked more often how they are."""
        self._registry.watch()

    def healthy(self) -> bool:
        """Tell whether the loop that asks for work turns; that Business Central is away is no illness."""
        return self._dispatcher.snapshot().overdue < _HANGS

    def sentence(self) -> str:
        """Return how it is in one line, for ``systemctl status``."""
        state = self._dispatcher.snapshot()
        link = _STATES.get(state.connection.state, "trouble")
        words = {"connected": "connected", "connecting": "connecting"}.get(link, state.connection.message)
        return f"{_count(state.printers, 'printer')}, {_count(state.jobs, 'job')} in work; Business Central: {words}"

    def log_lines(self, after: int = 0) -> tuple[int, list[str]]:
        """Return the count of lines so far, and those after the ``after``-th."""
        return self._recent.count, self._recent.since(after)

    async def test_page(self, printer_id: str) -> str:
        """Print a test page."""
        printer = self._registry.printer(printer_id)
        if printer is None:
            raise ActionFailed(f"this host has no printer {printer_id}")
        try:
            told = await print_test_page(printer, self._config)
        except (PiprintError, OSError) as error:
            raise ActionFailed(str(error)) from error
        _log.info("%s", told)
        return told

    async def restart(self, row_no: int, *, any_host: bool = False) -> str:
        """Queue a job again, also another host's if that is asked for."""
        try:
            state = await self._queue.restart(row_no, any_host=any_host)
        except BcError as error:
            raise ActionFailed(str(error)) from error
        if state is None:
            raise ActionFailed(f"Business Central has no job {row_no} any more")
        _log.info("job %d is queued again, by the page or the command", row_no)
        self._dispatcher.wake()
        return f"Job {row_no} is now {state.enum_name} in Business Central."

    # ---- Parts of the snapshot ----

    def _connection(self, state: State) -> Connection:
        address = urlsplit(self._config.business_central.odata)
        return Connection(
            state=_STATES.get(state.connection.state, "trouble"),
            address=f"{address.netloc.rpartition('@')[2]}{address.path.removesuffix('ODataV4/')}",
            company=self._config.business_central.company,
            dialect=state.dialect,
            last_contact=self._queue.last_answer,
            calls=self._queue.calls,
            failed=self._queue.failed,
            calls_last_hour=self._queue.calls_last_hour(),
            next_try=state.connection.next_try,
        )

    def _troubles(self, state: State) -> Iterator[Trouble]:
        link = state.connection
        if link.message:
            yield Trouble(
                "Business Central asks to wait"
                if link.state is ConnectionState.THROTTLED
                else "Business Central cannot be used",
                link.message,
            )
        if state.paused:
            yield Trouble("No job is taken", state.paused)
        now = self._clock.now()
        before = (row_no for row_no, ended in self._uncertain_before.items() if now - ended < _KEPT_DAY)
        for row_no in dict.fromkeys((*before, *self._uncertain)):
            yield Trouble(
                f"Job {row_no} may have been printed",
                "Look at the paper. If it is missing, press Print again; else leave it.",
            )
        waiting = {
            job.entry.printer_id: _message(job)
            for job in state.jobs
            if job.message and job.entry.step is not Step.ENDED
        }
        for printer in state.printers:
            told = waiting.get(printer.address.printer_id, "") or printer.problem
            if told and not printer.disabled:
                yield Trouble(f"Printer {printer.address.printer_id}", told)
        for problem in state.problems:
            yield Trouble("Printers" if "printer" in problem else "piprint", problem)
        if self._clock.trouble:
            yield Trouble("The clock", self._clock.trouble)
        for warning in self._warnings:
            yield Trouble("Configuration", warning)

    def _hours(self, now: datetime) -> tuple[tuple[int, int], ...]:
        first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
        hours = [[0, 0] for _ in range(24)]
        for at, printed in self._day:
            index = int((at - first) // timedelta(hours=1))
            if 0 <= index < len(hours):
                hours[index][0 if printed else 1] += 1
        return tuple((printed, failed) for printed, failed in hours)


def _message(job: JobFacts) -> str:
    """Return what a job waits for, with what to do about it; or how it ended."""
    return f"{wording.sentence(job.message)} {wording.sentence(job.remedy)}" if job.remedy else job.message


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _ended(entry: Entry) -> datetime:
    return entry.ended or entry.changed


def _past(entry: Entry) -> PastJob:
    return PastJob(
        entry.row_no,
        entry.printer_id,
        _OUTCOMES.get(entry.outcome, "") if entry.outcome is not None else "",
        entry.message,
        _ended(entry),
        entry.seconds,
        entry.attempt,
        entry.title,
        entry.company,
    )


def _job(job: JobFacts) -> Job:
    entry = job.entry
    return Job(
        row_no=entry.row_no,
        printer=entry.printer_id,
        step=entry.step,
        message=_message(job),
        since=entry.begun,
        attempt=entry.attempt,
        title=entry.title,
        company=entry.company,
    )


def _printer(facts: PrinterFacts, jobs: Sequence[JobFacts]) -> PrinterView:
    """Say how a printer is; that was asked up to a minute ago, what its job says is newer."""
    known, status = facts.known, facts.known.status
    state = status.state.name.lower() if status is not None and not facts.gone else "unreachable"
    at_work = [job for job in jobs if job.entry.step in _AT_PRINTER]
    if state == "idle" and at_work:
        state = "processing"
    trouble = next((job.message for job in at_work if job.message), "")
    papers, trays, duplex, color = _told(known.payload)
    return PrinterView(
        id=known.address.printer_id,
        title=known.description or known.address.title,
        uri=known.address.uri,
        origin=known.address.origin,
        state=state,
        reasons=status.reasons if status is not None else (),
        words=in_words(status.reasons) if status is not None else (),
        message=trouble or (status.message if status is not None else facts.problem),
        accepting=status.accepting if status is not None else True,
        offered=facts.offered and not facts.disabled,
        problem="" if facts.offered else facts.problem,
        papers=papers,
        trays=trays,
        duplex=duplex,
        color=color,
        followed=known.printer.feedback is Feedback.FOLLOWED,
        queued=facts.queued,
        printing=len(jobs),
    )


def _told(payload: str) -> tuple[tuple[str, ...], tuple[str, ...], bool | None, bool | None]:
    """Read from a printer's payload what people want to know: papers, trays, both sides, colour."""
    if not payload:
        return (), (), None, None
    told: dict[str, Any] = json.loads(payload)
    papers, trays = [], []
    for tray in told["papertrays"]:
        kind, source = tray["paperkind"], tray["papersourcekind"]
        named = PAPER_KINDS.get(kind)
        papers.append(named.name if named is not None and kind else _size(tray))
        trays.append(PAPER_SOURCES.get(source, str(source)))
    return tuple(dict.fromkeys(papers)), tuple(trays), told.get("duplex"), told.get("color")


def _size(tray: dict[str, Any]) -> str:
    width, height = (round(tray[side] * UNITS[tray["units"]] / 100, 1) for side in ("width", "height"))
    return f"{width:g} \u00d7 {height:g} mm"
