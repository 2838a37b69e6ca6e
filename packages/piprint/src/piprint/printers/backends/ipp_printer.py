"""A CUPS queue or an IPP Everywhere printer, by IPP (RFC 8011, PWG 5100.14).

A job is handed over so that every step can be asked about after a kill: announced (Create-Job), held where the printer can
hold, its document sent (Send-Document), let go (Release-Job), followed (Get-Job-Attributes). What printers do that the
standards do not say, each measured and tested:

* CUPS shows a job's name only to the user name that made it: the requesting user is always ``piprint``.
* Job ids are used again after a spooler's restart: a job is ours only if its name or uuid says so, too.
* A long or non-ASCII job name can stop a queue: names are cut to 64 plain characters.
* ippeveprinter takes one job at a time (server-error-busy), and refuses job-hold-until.
* A held job without a document is told by CUPS as held, not as incomplete.
* CUPS keeps a connection open as long as it lives, and closes it when it dies or reloads; so jobs there are followed by one
  connection for all its queues (:mod:`piprint.printers.restarts.spooler_watch`). Other printers often serve one connection at a time:
  theirs are given back at once, and printer-up-time tells.

This module does not know what to do about any failure; :mod:`piprint.jobs.worker` decides.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from piprint.clock import utc_seconds
from piprint.config.settings import PrinterConfig
from piprint.documents.paper import media_name
from piprint.errors import PrinterBusy, PrinterRefused
from piprint.ipp.client import IppClient
from piprint.ipp.codec import Attribute, Group, Message, attribute
from piprint.ipp.registry import Delimiter, Operation, Status, Tag
from piprint.printers.backends.unsupported import HOLD, Attempts, ignored, not_done
from piprint.printers.capabilities import (
    CAPABILITY_ATTRIBUTES,
    JOB_ATTRIBUTES,
    STATUS_ATTRIBUTES,
    capabilities_told,
    is_held,
    job_told,
    status_told,
    with_settings,
)
from piprint.printers.printer import (
    Accepted,
    Capabilities,
    Feedback,
    JobStatus,
    Media,
    PrinterAddress,
    PrinterStatus,
    Run,
    Ticket,
)
from piprint.printers.restarts.runs import Beginning, RunCounter
from piprint.printers.restarts.spooler_watch import SpoolerWatch

__all__ = ["IppPrinter", "job_attributes"]

_LONGEST_NAME: Final = 64
_GONE: Final = frozenset({Status.NOT_FOUND, Status.GONE})
_NOTHING_TO_CANCEL: Final = _GONE | {Status.NOT_POSSIBLE}
_MOST_JOBS: Final = 1000
"""Completed jobs that are asked for, the last ones (RFC 8011, 4.2.6.2: the newest come first): about 1 MB."""
_SUBSCRIBED: Final = "subscription "
"""So begins a :attr:`Run.token` of CUPS; that of a printer is :attr:`Beginning.token`."""


class IppPrinter:
    """One printer, asked by IPP; see :class:`piprint.printers.printer.Printer`.

    Args:
        address: where it is.
        settings: what the configuration says about it.
        timeout: seconds to wait for an answer.
        wall: the time of day, in seconds; for what outlives this process.
    """

    feedback = Feedback.FOLLOWED

    def __init__(
        self,
        address: PrinterAddress,
        settings: PrinterConfig,
        *,
        timeout: float = 30,
        wall: Callable[[], float] = utc_seconds,
    ) -> None:
        self.address = address
        self._settings = settings
        self._wall = wall
        self._client = IppClient(
            address.uri, ca_file=settings.ca_file, timeout=timeout, stall=max(timeout, settings.give_up_after)
        )
        self._runs = RunCounter()
        self._spooler: SpoolerWatch | None = None
        self._timeout = timeout
        self._known: Capabilities | None = None
        self._refuses_hold = False

    async def capabilities(self) -> Capabilities:
        """Ask what it can do."""
        answer = await self._client.ask(Operation.GET_PRINTER_ATTRIBUTES, [_wanted(CAPABILITY_ATTRIBUTES)])
        self._known = with_settings(capabilities_told(answer.first(Delimiter.PRINTER)), self._settings)
        return self._known

    async def status(self) -> PrinterStatus:
        """Ask how it is."""
        answer = await self._client.ask(Operation.GET_PRINTER_ATTRIBUTES, [_wanted(STATUS_ATTRIBUTES)])
        return status_told(answer.first(Delimiter.PRINTER))

    async def create(self, ticket: Ticket) -> Accepted:
        """Announce a job (Create-Job), held where the printer can hold.

        A printer without Create-Job is told nothing yet: the job has the id 0 until it is sent.
        """
        known = self._known or await self.capabilities()
        if _is_cups(known):
            self._cups().follow()
        name = _plain(ticket.name)
        if known.operations and Operation.CREATE_JOB not in known.operations:
            return Accepted(0, "", name)
        wanted = job_attributes(ticket, known)
        if known.holds and not self._refuses_hold:
            wanted = [attribute(HOLD, Tag.KEYWORD, "indefinite"), *wanted]
        return await self._make(Operation.CREATE_JOB, ticket, wanted)

    async def send(self, accepted: Accepted, ticket: Ticket, document: Path) -> Accepted:
        """Send the document (Send-Document; Print-Job where nothing was announced)."""
        if self._known is None or not _is_cups(self._known):
            return await self._send(accepted, ticket, document)
        spooler = self._cups()
        spooler.begin()
        try:
            return await self._send(accepted, ticket, document)
        finally:
            spooler.end()

    async def _send(self, accepted: Accepted, ticket: Ticket, document: Path) -> Accepted:
        form = attribute("document-format", Tag.MIME_MEDIA_TYPE, ticket.format)
        if accepted.id == 0:
            known = self._known or await self.capabilities()
            wanted = job_attributes(ticket, known)
            return await self._make(Operation.PRINT_JOB, ticket, wanted, form, document=document)
        try:
            await self._client.ask(
                Operation.SEND_DOCUMENT,
                [form, attribute("last-document", Tag.BOOLEAN, True)],
                job_id=accepted.id,
                document=document,
            )
        except (
            PrinterBusy
        ) as busy:  # the job is there all the same: this is not the "nothing was taken" of a busy printer
            raise PrinterRefused(str(busy), status=Status.BUSY) from None
        return accepted

    async def release(self, accepted: Accepted) -> None:
        """Let a held job print (Release-Job); no error when it is not held any more, be it let go, cancelled or done."""
        try:
            await self._client.ask(Operation.RELEASE_JOB, job_id=accepted.id)
        except PrinterRefused as refusal:
            if refusal.status != Status.NOT_POSSIBLE:
                raise
            job, _ = await self._job(accepted)
            if job is None or is_held(job):
                raise

    async def look(self, accepted: Accepted) -> JobStatus | None:
        """Ask for a job by id; None when it is gone, or when the id is another job's now."""
        asked = asyncio.get_running_loop().time()
        job, connection = await self._job(accepted)
        if job is None:
            return None
        told, answered = job_told(job), asyncio.get_running_loop().time()
        if self._known is not None and _is_cups(self._known):
            run = await self._cups().number(connection, answered, final=told.state.final)
        else:
            run = self._runs.see(told.up_time, answered, asked)
        return replace(told, run=run)

    async def find(self, name: str) -> list[JobStatus]:
        """Ask for our jobs of that name."""
        return [job for job in await self.jobs() if job.name == _plain(name)]

    async def jobs(self) -> list[JobStatus]:
        """Ask for all our jobs."""
        found: dict[int, JobStatus] = {}
        # In this order: a job that ends between the two questions is in both answers, not in none.
        for which in ("not-completed", "completed"):
            asked = [
                attribute("which-jobs", Tag.KEYWORD, which),
                attribute("my-jobs", Tag.BOOLEAN, True),
                _wanted(JOB_ATTRIBUTES),
            ]
            if which == "completed":
                asked.insert(0, attribute("limit", Tag.INTEGER, _MOST_JOBS))
            answer = await self._client.ask(Operation.GET_JOBS, asked)
            found.update((job.id, job) for job in map(job_told, answer.all(Delimiter.JOB)))
        return list(found.values())

    async def cancel(self, accepted: Accepted) -> None:
        """Cancel a job; nothing happens when it is done, gone, or the id is another job's now."""
        job = await self.look(accepted)
        if job is None or job.state.final:
            return
        try:
            await self._client.ask(Operation.CANCEL_JOB, job_id=accepted.id)
        except PrinterRefused as refusal:
            if refusal.status not in _NOTHING_TO_CANCEL:
                raise

    async def run(self) -> Run:
        """Ask which run of the printer, or of CUPS, answers."""
        known = self._known or await self.capabilities()
        if _is_cups(known):
            run = await self._cups().told(self._client)
            return replace(run, token=_SUBSCRIBED + run.token if run.token else "")
        loop = asyncio.get_running_loop()
        asked, wall = loop.time(), self._wall()
        answer = await self._client.ask(Operation.GET_PRINTER_ATTRIBUTES, [_wanted(("printer-up-time",))])
        up_time, answered = answer.first(Delimiter.PRINTER).integer("printer-up-time"), loop.time()
        number = self._runs.see(up_time, answered, asked)
        if not number or up_time is None:
            return Run(number, "", up_time)
        return Run(number, Beginning.of(up_time, wall, wall + answered - asked).token, up_time)

    async def has_run_on(self, token: str) -> bool | None:
        """Tell whether the printer, or CUPS, has run on since :meth:`run` returned this token."""
        if token.startswith(_SUBSCRIBED):
            return await self._cups().run.is_same(token.removeprefix(_SUBSCRIBED))
        if (then := Beginning.read(token)) is None:
            return None
        now = Beginning.read((await self.run()).token)
        return None if now is None else then.is_same(now)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        spooler, self._spooler = self._spooler, None
        if spooler is not None:
            await spooler.close()

    def _cups(self) -> SpoolerWatch:
        if self._spooler is None:
            self._spooler = SpoolerWatch.at(self.address.uri, self._settings.ca_file, self._timeout)
        return self._spooler

    async def _make(
        self,
        operation: Operation,
        ticket: Ticket,
        job: list[Attribute],
        *more: Attribute,
        document: Path | None = None,
    ) -> Accepted:
        """Make a job of what the printer takes of a ticket; see :mod:`piprint.printers.backends.unsupported`."""
        name = _plain(ticket.name)
        head = [attribute("job-name", Tag.NAME, name), attribute("ipp-attribute-fidelity", Tag.BOOLEAN, False), *more]
        attempts = Attempts(job)
        while True:
            try:
                answer = await self._client.ask(operation, head, job=attempts.job, document=document)
                break
            except PrinterRefused as refusal:
                # Only what it says itself is true of the next job, too.
                says_so = refusal.status == Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED and HOLD in refusal.unsupported
                self._refuses_hold = self._refuses_hold or says_so
                if not attempts.go_on(refusal):
                    raise
        job, left_out = attempts.job, attempts.left_out
        accepted = await self._accepted(answer, name)
        names = not_done(answer, job, left_out)
        untrue = tuple(text for text, about in ticket.notes if not names.isdisjoint(about))
        return replace(accepted, ignored=ignored(answer, job, left_out), untrue=untrue)

    async def _accepted(self, answer: Message, name: str) -> Accepted:
        """Read the id a job got, and ask what else identifies it: the answers to Create-Job and Print-Job lack it."""
        made = answer.first(Delimiter.JOB).integer("job-id")
        if not made:
            raise PrinterRefused(
                f"{self.address.uri} took the job {name} but gave it no job-id; print through a CUPS queue"
            )
        job = answer.first(Delimiter.JOB)
        # Refused or not: the job is there now, and whoever asked for it must learn its id.
        with suppress(PrinterBusy, PrinterRefused):
            told = await self._client.ask(Operation.GET_JOB_ATTRIBUTES, [_wanted(JOB_ATTRIBUTES)], job_id=made)
            job = told.first(Delimiter.JOB)
        return Accepted(
            id=made,
            uuid=job.text("job-uuid"),
            name=name,
            up_time=job.integer("job-printer-up-time"),
            held=is_held(job),
        )

    async def _job(self, accepted: Accepted) -> tuple[Group | None, int]:
        """Ask for a job; return it, and by which connection CUPS told it (see :meth:`SpoolerWatch.ask`)."""
        if accepted.id == 0:
            return None, 0
        if self._known is None:  # started anew: CUPS, or a printer?
            with suppress(PrinterBusy, PrinterRefused):
                await self.capabilities()
        asked, connection = (Operation.GET_JOB_ATTRIBUTES, [_wanted(JOB_ATTRIBUTES)]), 0
        try:
            if self._known is not None and _is_cups(self._known):
                self._cups().follow()
                answer, connection = await self._cups().ask(self._client, *asked, job_id=accepted.id)
            else:
                answer = await self._client.ask(*asked, job_id=accepted.id)
        except PrinterRefused as refusal:
            if refusal.status in _GONE:
                return None, 0
            raise
        job = answer.first(Delimiter.JOB)
        return (job if _is_same(job, accepted) else None), connection


def job_attributes(ticket: Ticket, known: Capabilities) -> list[Attribute]:
    """Return a ticket as IPP job attributes.

    Args:
        ticket: already clamped to what the printer can do.
        known: what it can do; decides between media (PWG 5101.1) and media-col (PWG 5100.7), which also names the tray.
    """
    wanted = []
    if ticket.copies > 1 or known.copies is not None or known.copies_default > 1:
        wanted.append(attribute("copies", Tag.INTEGER, ticket.copies))
    if ticket.sides:
        wanted.append(attribute("sides", Tag.KEYWORD, ticket.sides))
    if ticket.color_mode:
        wanted.append(attribute("print-color-mode", Tag.KEYWORD, ticket.color_mode))
    if ticket.orientation is not None:
        wanted.append(attribute("orientation-requested", Tag.ENUM, ticket.orientation))
    if ticket.scaling:
        wanted.append(attribute("print-scaling", Tag.KEYWORD, ticket.scaling))
    if ticket.source and known.media_col:
        members = [] if ticket.media is None else [_size(ticket.media)]
        members.append(attribute("media-source", Tag.KEYWORD, ticket.source))
        wanted.append(attribute("media-col", Tag.BEGIN_COLLECTION, tuple(members)))
    elif ticket.media is not None:
        name = ticket.media.name or media_name((ticket.media.width, ticket.media.height))
        wanted.append(attribute("media", Tag.KEYWORD, name))
    return wanted


def _size(media: Media) -> Attribute:
    sides = (
        attribute("x-dimension", Tag.INTEGER, media.width),
        attribute("y-dimension", Tag.INTEGER, media.height),
    )
    return attribute("media-size", Tag.BEGIN_COLLECTION, sides)


def _is_cups(known: Capabilities) -> bool:
    return Operation.CUPS_GET_PRINTERS in known.operations


def _is_same(job: Group, accepted: Accepted) -> bool:
    """Tell whether a job with our id is our job: nothing may contradict, and name or uuid must agree."""
    told = ((job.text("job-uuid"), accepted.uuid), (job.text("job-name"), accepted.name))
    compared = [one == other for one, other in told if one and other]
    return bool(compared) and all(compared)


def _plain(name: str) -> str:
    return re.sub(r"[^ -~]", "_", name)[:_LONGEST_NAME]


def _wanted(names: Iterable[str]) -> Attribute:
    return attribute("requested-attributes", Tag.KEYWORD, *names)
