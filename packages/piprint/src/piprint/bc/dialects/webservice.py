"""PIPrint 1.0: printers and jobs as OData web services, where only a row's tag keeps two from overwriting each other.

The extension guards nothing: any state may follow any. What a user or another processor did meanwhile shows in the row's
tag alone, so every change names the tag it was decided by (``If-Match``, never ``*``). A refused tag (409; 412 from a
proxy) is no final answer, since fields looked up in other tables take part in it: the row is read again, from the primary,
and decided on again, a few times. The same when no answer came: the row tells whether it was done, because the job's
message holds the claim while it prints::

    Printing at pi [claim k3f9.1.0badcafe]          claimed
    Printing at pi [claim k3f9.1.0badcafe] 2        and a sign of life, the second: another host sees it change
    Printing at pi [claim k3f9.1.0badcafe] 3 sent   it may be at a printer; who takes over must not simply print it
    Waiting. Paper jam. [claim k3f9.1.0badcafe] 4   what it waits for, in place of the first words

Every answer to a change holds the whole row with the document. That of a claim is kept (:mod:`piprint.bc.dialects.rowstream`); of
the others no more than a little is read.

Printers of this host are looked after by :mod:`piprint.bc.dialects.printers`. This module does not know HTTP, nor printers' names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from piprint.bc.dialects import printers as offered
from piprint.bc.dialects.documents import absent
from piprint.bc.dialects.outcome import expect_own, ours, seen
from piprint.bc.dialects.pages import read_all
from piprint.bc.dialects.rowstream import RowReader
from piprint.bc.dialects.share import fair_share
from piprint.bc.http.answer import may_have_been_done
from piprint.bc.http.client import READ_ONLY, READ_WRITE, Answer, Counters, Http
from piprint.bc.http.download import download
from piprint.bc.job import Claim, JobRow
from piprint.bc.odata import Place, both, equal, number, rows, tag, text, truth
from piprint.bc.queue import BcProblem, Claimed, ClaimOutcome, FinishOutcome, OfferedPrinter, Probe
from piprint.contract import PRINTER_WS, QUEUE_WS, JobState, cut, read_state
from piprint.errors import BcConflict, BcError, BcMissing, BcRefused

__all__ = ["WebServiceQueue"]

_DOCUMENT = "PDFPrintJobBASE64"
_LISTED = "RowNo,PrinterRowNo,HostID,PrinterID,Status,PrinterJobJsonPayload,PrinterMessage"
_MESSAGE_LENGTH = QUEUE_WS.by_name["PrinterMessage"].length or 0
_TRIES = 3
"""Changes of a row that are refused because it changed; after that the caller's time has come to wait."""
_SIGN = re.compile(r"\] (\d{1,9})( sent)?$")
"""What follows the claim in the message: how many signs of life, and whether it may be at a printer."""


@dataclass(slots=True)
class _Held:
    """A job that is ours.

    Attributes:
        tag: the newest known; "" when it must be read.
        signs: how often we gave a sign of life.
        sent: we said that it may be at a printer.
        waits: what we said it waits for; "" while it goes on.
    """

    tag: str
    signs: int = 1
    sent: bool = False
    waits: str = ""


class WebServiceQueue:
    """Implements :class:`piprint.bc.queue.Queue` for PIPrint 1.0.

    Args:
        http: the calls.
        place: the address ending in ``ODataV4/``, and the company.
        host: this processor's HostID.
        document_bytes: the largest document taken.
    """

    dialect = "PIPrint 1.0 web services"
    says_state = False

    def __init__(self, http: Http, place: Place, *, host: str, document_bytes: int) -> None:
        self._http = http
        self._place = place
        self._host = host
        self._document_bytes = document_bytes
        self._held: dict[tuple[int, str], _Held] = {}
        self._printers = offered.Registry(http, place, host=host)

    @property
    def counters(self) -> Counters:
        """Return what went over the wire so far."""
        return self._http.counters

    @property
    def calls(self) -> int:
        """Return how many calls went out so far; see :class:`~piprint.bc.queue.Queue`."""
        return self.counters.calls

    async def check(self) -> None:
        """Ask both web services for a row; see :class:`~piprint.bc.queue.Queue`."""
        for entity in (PRINTER_WS, QUEUE_WS):
            url = self._place.all(entity.name, filter="RowNo eq 0", select="RowNo", top=1)
            try:
                rows(await self._http.json("GET", url, asked=f"open {entity.name}", headers=READ_ONLY))
            except BcMissing as error:
                if error.code == "Internal_CompanyNotFound":
                    raise
                raise BcMissing(
                    f"Business Central has no web service {entity.name}. Install the PIPrint extension, and check that "
                    "Web Services lists it as published.",
                    status=error.status,
                    code=error.code,
                    correlation=error.correlation,
                ) from error

    async def probe(self, *, beat: bool = False) -> Probe:  # noqa: ARG002 - PIPrint 1.0 has no place for it
        """Read the counters of this host's printers; see :class:`~piprint.bc.queue.Queue`."""
        url = self._place.all(
            PRINTER_WS.name,
            filter=equal("HostID", self._host),
            select="RowNo,PrinterID,Enabled,NoQueued,NoPrinting",
        )
        found = await read_all(self._http, url, asked="ask for work", headers=READ_ONLY)
        queued: Counter[str] = Counter()
        printing: Counter[str] = Counter()
        for row in found:
            name = text(row, "PrinterID")
            if truth(row, "Enabled"):
                queued[name] += number(row, "NoQueued")
            printing[name] += number(row, "NoPrinting")
        return Probe(
            +queued, +printing, frozenset(text(row, "PrinterID") for row in found if not truth(row, "Enabled"))
        )

    async def register(self, printers: Sequence[OfferedPrinter], *, message: str = "") -> dict[str, BcProblem]:  # noqa: ARG002 - there is no place for it
        """Make Business Central offer these printers; see :class:`~piprint.bc.queue.Queue`."""
        return await self._printers.offer(printers)

    async def waiting(self, printers: Sequence[str], limit: int) -> list[JobRow]:
        """Return queued jobs, oldest first; see :class:`~piprint.bc.queue.Queue` and :mod:`piprint.bc.dialects.share`."""
        return await fair_share(self._queued, printers, limit)

    async def printing(self) -> list[JobRow]:
        """Return jobs in state Printing; see :class:`~piprint.bc.queue.Queue`."""
        url = self._place.all(QUEUE_WS.name, filter=self._in_state(JobState.PRINTING), orderby="RowNo", select=_LISTED)
        found = await read_all(self._http, url, asked="read the jobs that print", headers=READ_WRITE)
        return [job for job in map(self._job, found) if job.state is JobState.PRINTING]

    async def processors(self, since: datetime) -> set[str]:
        """Return the instances whose claims print now, as there is no list of them; see :class:`~piprint.bc.queue.Queue`."""
        del since  # a claim tells no time
        return {job.claim.instance for job in await self.printing() if job.claim is not None}

    async def row(self, row_no: int) -> JobRow | None:
        """Return one job; see :class:`~piprint.bc.queue.Queue`."""
        url = self._place.one(QUEUE_WS.name, row_no, select=_LISTED)
        try:
            return self._job(await self._http.json("GET", url, asked=f"read job {row_no}", headers=READ_WRITE))
        except BcMissing as error:
            if error.code == "Internal_CompanyNotFound":
                raise
            return None

    async def claim(self, job: JobRow, claim: Claim, into: Path, *, lease: float) -> Claimed:  # noqa: ARG002 - leases are by message
        """Take a job and its document; see :class:`~piprint.bc.queue.Queue`.

        Raises:
            DocumentError: the document is damaged, missing or too large; the claim stands, report Error.
        """
        now: JobRow | None = job
        trouble: BcError | None = None
        for _ in range(_TRIES):
            if now is not None and now.tag:
                try:
                    return await self._take(now, claim, into)
                except BcError as error:
                    if not (isinstance(error, (BcConflict, BcMissing)) or may_have_been_done(error)):
                        raise
                    trouble = error
            now = await self.row(job.row_no)
            if now is None:
                return Claimed(ClaimOutcome.CHANGED, None)
            if ours(now, claim):
                self._hold(now, claim)
                return Claimed(ClaimOutcome.OURS, now, await self.fetch(now, into))
            if now.state is JobState.PRINTING and not (job.state is now.state and job.message == now.message):
                return Claimed(ClaimOutcome.TAKEN, now)
            if now.state not in {JobState.QUEUED, JobState.PRINTING}:
                return Claimed(ClaimOutcome.CHANGED, now)
        raise trouble or _no_tag(job.row_no)

    async def fetch(self, job: JobRow, into: Path) -> int:
        """Write the document of a job once more; see :class:`~piprint.bc.queue.Queue`.

        Raises:
            DocumentError: it is damaged, missing or too large.
        """
        url = self._place.one(QUEUE_WS.name, job.row_no, select=f"RowNo,{_DOCUMENT}")
        async with self._http.call(
            "GET", url, asked=f"fetch the document of job {job.row_no}", headers=READ_WRITE
        ) as answer:
            _, size = await self._document(answer, into)
        return _present(size, job.row_no)

    async def renew(self, job: JobRow, claim: Claim, *, lease: float) -> bool:  # noqa: ARG002 - leases are by message
        """Change the job's message, so that other hosts see that we live; see :class:`~piprint.bc.queue.Queue`."""
        return await self._sign(job, claim)

    async def submitting(self, job: JobRow, claim: Claim) -> bool:
        """Write into the job's message that it may be at a printer now; see :class:`~piprint.bc.queue.Queue`."""
        return await self._sign(job, claim, sent=True)

    async def tell(self, job: JobRow, claim: Claim, message: str) -> bool:
        """Write what a job waits for before its claim; see :class:`~piprint.bc.queue.Queue`."""
        return await self._sign(job, claim, waits=message)

    async def note(self, job: JobRow, message: str) -> None:
        """Write why a waiting job is not taken; see :class:`~piprint.bc.queue.Queue`."""
        body = {"PrinterMessage": cut(message, _MESSAGE_LENGTH)}
        with suppress(BcConflict, BcMissing):  # a user, or another processor, was faster
            await self._change(job.row_no, job.tag, body, f"say why job {job.row_no} waits")

    async def release(self, job: JobRow, claim: Claim, message: str) -> FinishOutcome:
        """Give a job back; see :class:`~piprint.bc.queue.Queue`."""
        return await self._end(job, claim, JobState.QUEUED, message)

    async def finish(self, job: JobRow, claim: Claim, *, printed: bool, message: str) -> FinishOutcome:
        """Report how a job ended; see :class:`~piprint.bc.queue.Queue`."""
        return await self._end(job, claim, JobState.PRINTED if printed else JobState.ERROR, message)

    async def amend(self, job: JobRow, claim: Claim, message: str, *, before: str) -> bool:  # noqa: ARG002 - the interface's
        """Change what is said of a job's end, as long as that is what we said; see :class:`~piprint.bc.queue.Queue`."""
        now = await self.row(job.row_no)
        ended = now is not None and now.state in {JobState.PRINTED, JobState.ERROR}
        body = {"PrinterMessage": cut(message, _MESSAGE_LENGTH)}
        if now is not None and ended and now.message == body["PrinterMessage"]:
            return True  # said before; that answer was lost, or we were started anew
        if now is None or not ended or now.message != cut(before, _MESSAGE_LENGTH):
            return False
        try:
            await self._change(job.row_no, now.tag, body, f"amend job {job.row_no}")
        except (BcConflict, BcMissing):
            return False
        return True

    async def restart(self, row_no: int, *, any_host: bool = False) -> JobState | None:
        """Queue a job again, unless it prints; see :class:`~piprint.bc.queue.Queue`."""
        trouble: BcError | None = None
        for _ in range(_TRIES):
            now = await self.row(row_no)
            expect_own(now, self._host, any_host=any_host)
            if now is None or now.state in {JobState.QUEUED, JobState.PRINTING}:
                return now.state if now else None
            try:
                await self._change(row_no, now.tag, {"Status": JobState.QUEUED.wire}, f"restart job {row_no}")
            except BcMissing:
                return None
            except BcError as error:
                if not (isinstance(error, BcConflict) or may_have_been_done(error)):
                    raise
                trouble = error
            else:
                return JobState.QUEUED
        raise trouble or _no_tag(row_no)

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.close()

    # reading

    async def _queued(self, limit: int, printer: str = "") -> list[JobRow]:
        wanted = self._in_state(JobState.QUEUED)
        url = self._place.all(
            QUEUE_WS.name,
            filter=both(wanted, equal("PrinterID", printer)) if printer else wanted,
            orderby="RowNo",
            top=limit,
            select=_LISTED,
        )
        # From the primary: the tags decide claims.
        found = await read_all(self._http, url, asked="read the queued jobs", headers=READ_WRITE)
        return [job for job in map(self._job, found) if job.state is JobState.QUEUED]

    def _in_state(self, state: JobState) -> str:
        return both(equal("HostID", self._host), equal("Status", state.wire))

    def _job(self, row: Mapping[str, Any]) -> JobRow:
        try:
            state = read_state(text(row, "Status"))
        except ValueError as error:
            raise BcRefused(f"{error}.") from None
        message = text(row, "PrinterMessage")
        claim = Claim.read(self._host, message)
        prints = state is JobState.PRINTING
        sign = _SIGN.search(message)
        return JobRow(
            row_no=number(row, "RowNo"),
            printer_id=text(row, "PrinterID"),
            state=state,
            payload=text(row, "PrinterJobJsonPayload"),
            message=message,
            tag=tag(row),
            claim=claim if prints else None,
            attempts=claim.attempt if claim else 0,
            submitted=True if prints and claim and sign and sign[2] else None,
            host=text(row, "HostID"),
        )

    async def _document(self, answer: Answer, into: Path) -> tuple[dict[str, Any], int | None]:
        """Write the document in an answer to a file; return the row without it, and its bytes."""
        async with download(into) as file:
            reader = RowReader(_DOCUMENT, file.put, most=self._document_bytes)
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    reader.feed(chunk)
                    await file.flow()
            row = reader.finish()
            await file.flow(end=True)
        return row, reader.size

    # changing

    async def _take(self, job: JobRow, claim: Claim, into: Path) -> Claimed:
        # What the last holder may have done must not be forgotten, neither here nor if we go, too.
        sent = job.state is JobState.PRINTING and job.submitted is True
        message = _message(claim, 1, sent=True) if sent else claim.message
        async with self._http.call(
            "PATCH",
            self._place.one(QUEUE_WS.name, job.row_no),
            asked=f"claim job {job.row_no}",
            body={"Status": JobState.PRINTING.wire, "PrinterMessage": cut(message, _MESSAGE_LENGTH)},
            headers={"If-Match": job.tag},
        ) as answer:
            row, size = await self._document(answer, into)
        taken = replace(self._job(row), row_no=job.row_no)
        self._hold(taken, claim)
        size = await self.fetch(taken, into) if size is None else _present(size, job.row_no)
        return Claimed(ClaimOutcome.OURS, taken, size)

    def _hold(self, job: JobRow, claim: Claim) -> _Held:
        sign = _SIGN.search(job.message)
        held = _Held(job.tag, int(sign[1]) if sign else 1, sent=job.submitted is True)
        self._held[job.row_no, claim.token] = held
        return held

    async def _sign(self, job: JobRow, claim: Claim, *, sent: bool = False, waits: str | None = None) -> bool:
        """Write a sign of life, and what it waits for if that is new; False when the job is no longer ours."""
        held = await self._recall(job, claim)
        if held is None:
            return False
        held.signs += 1
        held.sent = held.sent or sent
        held.waits = held.waits if waits is None else waits
        message = _message(claim, held.signs, sent=held.sent, waits=held.waits)
        try:
            outcome = await self._settle(job, claim, JobState.PRINTING, message, f"keep job {job.row_no}")
        finally:
            held.tag = ""  # the answer's is behind megabytes of document
        return outcome is FinishOutcome.DONE

    async def _recall(self, job: JobRow, claim: Claim) -> _Held | None:
        """Return what we know of a job of ours, after a restart from its row; None when it is no longer ours."""
        if held := self._held.get((job.row_no, claim.token)):
            return held
        now = await self.row(job.row_no)
        return self._hold(now, claim) if now is not None and ours(now, claim) else None

    async def _end(self, job: JobRow, claim: Claim, state: JobState, message: str) -> FinishOutcome:
        return await self._settle(job, claim, state, message, f"report job {job.row_no}")

    async def _settle(self, job: JobRow, claim: Claim, state: JobState, message: str, asked: str) -> FinishOutcome:
        """Write a job's state and message, as long as it is ours."""
        message = cut(message, _MESSAGE_LENGTH)
        key = (job.row_no, claim.token)
        known = self._held[key].tag if key in self._held else ""
        trouble: BcError | None = None
        outcome: FinishOutcome | None = None
        for _ in range(_TRIES):
            if known:
                try:
                    await self._change(job.row_no, known, {"Status": state.wire, "PrinterMessage": message}, asked)
                    outcome = FinishOutcome.DONE
                    break
                except BcError as error:
                    if not (isinstance(error, (BcConflict, BcMissing)) or may_have_been_done(error)):
                        raise
                    trouble = error
            now = await self.row(job.row_no)
            outcome = seen(now, claim, state, message)
            if outcome is not None:
                break
            known = now.tag if now else ""
        if outcome is None:
            raise trouble or _no_tag(job.row_no)
        if state is not JobState.PRINTING or outcome is not FinishOutcome.DONE:
            self._held.pop(key, None)
        return outcome

    async def _change(self, row_no: int, known: str, body: Mapping[str, object], asked: str) -> None:
        if not known:
            raise _no_tag(row_no)
        url = self._place.one(QUEUE_WS.name, row_no)
        async with self._http.call("PATCH", url, asked=asked, body=body, headers={"If-Match": known}) as answer:
            await answer.drain()


def _message(claim: Claim, signs: int, *, sent: bool, waits: str = "") -> str:
    """Return the message of a job that is ours. Whatever it waits for stands before the claim, and cannot look like one."""
    sign = f" {signs}{' sent' if sent else ''}"
    if not waits:
        return claim.message + sign
    end = f"[claim {claim.token}]{sign}"
    return f"{cut(waits.replace('[', '('), _MESSAGE_LENGTH - len(end) - 1)} {end}"


def _present(size: int | None, row_no: int) -> int:
    if not size:
        raise absent(row_no)
    return size


def _no_tag(row_no: int) -> BcRefused:
    return BcRefused(
        f"Business Central tells no tag (@odata.etag) of job {row_no}, without which it cannot be changed."
    )
