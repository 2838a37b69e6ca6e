"""Our extension: API pages with ids, guarded actions with a lease, documents as streams, a heartbeat.

Business Central guards each change (``packages/piprint/al``): an action is refused unless the token is the job's, and the
reason is a word in brackets in the message (:class:`piprint.contract.Guard`). So no tags are needed for jobs, and an action
may be called again after no answer: the row tells by ``claimedBy`` and ``message`` whether it was done.

Leases end by Business Central's clock. Who takes a job over learns from ``submitted`` whether it may have been printed;
that is why a job is read once more after a claim.

This module does not know HTTP, nor printers' names (:mod:`piprint.bc.dialects.printers`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from piprint import __version__
from piprint.bc.dialects import printers as offered
from piprint.bc.dialects.documents import absent, too_large
from piprint.bc.dialects.outcome import expect_own, ours, seen
from piprint.bc.dialects.pages import read_all
from piprint.bc.dialects.share import fair_share
from piprint.bc.http.answer import may_have_been_done
from piprint.bc.http.client import READ_ONLY, READ_WRITE, Counters, Http
from piprint.bc.http.download import download
from piprint.bc.job import Claim, JobRow
from piprint.bc.odata import Place, both, equal, moment, number, rows, text, truth
from piprint.bc.queue import BcProblem, Claimed, ClaimOutcome, FinishOutcome, OfferedPrinter, Probe
from piprint.contract import (
    GUARD_ERROR,
    JOBS_API,
    PRINTERS_API,
    PROCESSORS_API,
    Guard,
    JobState,
    cut,
    read_state,
)
from piprint.errors import BcConflict, BcDuplicate, BcError, BcMissing, BcRefused, BcUnreachable

__all__ = ["ApiQueue"]

_LISTED = "id,rowNo,hostId,printerId,payload,documentSize,status,claimedBy,leaseUntil,submitted,attempts,message,createdDateTime"
_TRIES = 3
_TOKEN = "claimToken"  # noqa: S105 - a parameter's name
_MESSAGE_LENGTH = JOBS_API.by_name["message"].length or 0
_STATE_LENGTH = PROCESSORS_API.by_name["stateMessage"].length or 0
_LAST_BEAT = 2**31 - 1
"""The largest number of an Integer; 1 follows."""
_PRINTERS = offered.Names(
    PRINTERS_API,
    PRINTERS_API.key,
    "hostId",
    "printerId",
    "printerName",
    "payload",
    "enabled",
    state="state",
    message="stateMessage",
)


class ApiQueue:
    """Implements :class:`piprint.bc.queue.Queue` for our extension.

    Args:
        http: the calls.
        place: the API's address, ending in ``companies(<id>)/``.
        host: this processor's HostID.
        instance: which processor of that host.
        document_bytes: the largest document taken.
    """

    dialect = "API pages"
    says_state = True

    def __init__(self, http: Http, place: Place, *, host: str, instance: str, document_bytes: int) -> None:
        self._http = http
        self._place = place
        self._host = host
        self._instance = instance
        self._document_bytes = document_bytes
        self._printers = offered.Registry(http, place, host=host, names=_PRINTERS)
        self._processor = ""  # the id of our row in Business Central
        self._beats = 0  # the number that row has, or that the last call was to write
        self._message = ""
        self._disabled: frozenset[str] = frozenset()

    @property
    def counters(self) -> Counters:
        """Return what went over the wire so far."""
        return self._http.counters

    @property
    def calls(self) -> int:
        """Return how many calls went out so far; see :class:`~piprint.bc.queue.Queue`."""
        return self.counters.calls

    async def check(self) -> None:
        """Ask all pages for a row; see :class:`~piprint.bc.queue.Queue`."""
        for entity in (PRINTERS_API, JOBS_API, PROCESSORS_API):
            url = self._place.all(entity.name, select=entity.key, top=1)
            rows(await self._http.json("GET", url, asked=f"open {entity.name}", headers=READ_ONLY))

    async def probe(self, *, beat: bool = False) -> Probe:
        """Ask for work; see :class:`~piprint.bc.queue.Queue`.

        A heartbeat's answer has the sums of all printers; only if they are not 0, the printers are asked for.
        """
        if beat:
            processor = await self._beat()
            if not number(processor, "queued") and not number(processor, "printing"):
                return Probe({}, {}, self._disabled)
        url = self._place.all(
            PRINTERS_API.name, filter=equal("hostId", self._host), select="id,printerId,enabled,queued,printing"
        )
        found = await read_all(self._http, url, asked="ask for work", headers=READ_ONLY)
        self._disabled = frozenset(text(row, "printerId") for row in found if not truth(row, "enabled"))
        queued: Counter[str] = Counter()
        printing: Counter[str] = Counter()
        for row in found:
            if truth(row, "enabled"):
                queued[text(row, "printerId")] += number(row, "queued")
            printing[text(row, "printerId")] += number(row, "printing")
        return Probe(+queued, +printing, self._disabled)

    async def register(self, printers: Sequence[OfferedPrinter], *, message: str = "") -> dict[str, BcProblem]:
        """Make Business Central offer these printers; see :class:`~piprint.bc.queue.Queue`.

        Args:
            printers: all of this host's.
            message: how the processor is, for people; told with the next heartbeat.
        """
        self._message = cut(message, _STATE_LENGTH)
        return await self._printers.offer(printers)

    async def waiting(self, printers: Sequence[str], limit: int) -> list[JobRow]:
        """Return queued jobs; see :class:`~piprint.bc.queue.Queue` and :mod:`piprint.bc.dialects.share`."""
        return await fair_share(self._queued, printers, limit)

    async def printing(self) -> list[JobRow]:
        """Return jobs in state Printing; see :class:`~piprint.bc.queue.Queue`."""
        jobs = await self._jobs("read the jobs that print", filter=self._in_state(JobState.PRINTING))
        return [job for job in jobs if job.state is JobState.PRINTING]

    async def row(self, row_no: int) -> JobRow | None:
        """Return one job; see :class:`~piprint.bc.queue.Queue`."""
        found = await self._jobs(f"read job {row_no}", filter=f"rowNo eq {row_no}", top=1)
        return found[0] if found else None

    async def claim(self, job: JobRow, claim: Claim, into: Path, *, lease: float) -> Claimed:
        """Take a job and fetch its document; see :class:`~piprint.bc.queue.Queue`.

        Raises:
            DocumentError: the document is missing or too large; the claim stands, report Error.
        """
        trouble: BcError | None = None
        for _ in range(_TRIES):
            try:
                await self._act(job, "claim", {_TOKEN: claim.token, "leaseSeconds": math.ceil(lease)})
            except BcError as error:
                if not (
                    isinstance(error, BcMissing) or _refused(error, Guard.NOT_CLAIMABLE) or may_have_been_done(error)
                ):
                    raise
                trouble = error
            now = await self.row(job.row_no)
            if now is None:
                return Claimed(ClaimOutcome.CHANGED, None)
            if ours(now, claim):
                return Claimed(ClaimOutcome.OURS, now, await self.fetch(now, into))
            if now.state is JobState.PRINTING:
                return Claimed(ClaimOutcome.TAKEN, now)
            if now.state is not JobState.QUEUED:
                return Claimed(ClaimOutcome.CHANGED, now)
        raise trouble or BcConflict(f"Job {job.row_no} is claimed and given back again and again; leave it for now.")

    async def fetch(self, job: JobRow, into: Path) -> int:
        """Write the document of a job once more; see :class:`~piprint.bc.queue.Queue`.

        Raises:
            DocumentError: it is missing or too large.
        """
        asked = f"fetch the document of job {job.row_no}"
        url = self._place.one(JOBS_API.name, await self._id(job), action="document")
        size = 0
        async with (
            download(into) as file,
            self._http.call(
                "GET", url, asked=asked, headers=READ_WRITE, accept="application/octet-stream, */*;q=0.1"
            ) as answer,
        ):
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self._document_bytes:
                        raise too_large(self._document_bytes)
                    file.put(chunk)
                    await file.flow()
            await file.flow(end=True)
        if not size:
            raise absent(job.row_no)
        if job.size is not None and size != job.size:
            raise BcUnreachable(f"Cannot {asked}: {size} of {job.size} bytes came; this is tried again.")
        return size

    async def renew(self, job: JobRow, claim: Claim, *, lease: float) -> bool:
        """Lengthen the lease; see :class:`~piprint.bc.queue.Queue`."""
        return await self._still(job, "renew", {_TOKEN: claim.token, "leaseSeconds": math.ceil(lease)})

    async def submitting(self, job: JobRow, claim: Claim) -> bool:
        """Say that the job goes to a printer; see :class:`~piprint.bc.queue.Queue`."""
        return await self._still(job, "submitting", {_TOKEN: claim.token})

    async def tell(self, job: JobRow, claim: Claim, message: str) -> bool:
        """Write what a job waits for; see :class:`~piprint.bc.queue.Queue`. An extension without that action cannot be told."""
        try:
            return await self._still(job, "tell", {_TOKEN: claim.token, "message": cut(message, _MESSAGE_LENGTH)})
        except BcRefused:
            return False

    async def note(self, job: JobRow, message: str) -> None:
        """Do nothing: the printer's row says it; see :class:`~piprint.bc.queue.Queue`."""

    async def release(self, job: JobRow, claim: Claim, message: str) -> FinishOutcome:
        """Give a job back; see :class:`~piprint.bc.queue.Queue`."""
        return await self._end(job, claim, "release", JobState.QUEUED, message, {})

    async def finish(self, job: JobRow, claim: Claim, *, printed: bool, message: str) -> FinishOutcome:
        """Report how a job ended; see :class:`~piprint.bc.queue.Queue`."""
        state = JobState.PRINTED if printed else JobState.ERROR
        return await self._end(job, claim, "finish", state, message, {"printed": printed})

    async def amend(self, job: JobRow, claim: Claim, message: str, *, before: str) -> bool:  # noqa: ARG002 - the interface's
        """Change what is said of a job's end; see :class:`~piprint.bc.queue.Queue`. An extension without that action refuses."""
        return await self._still(job, "amend", {_TOKEN: claim.token, "message": cut(message, _MESSAGE_LENGTH)})

    async def restart(self, row_no: int, *, any_host: bool = False) -> JobState | None:
        """Queue a job again, unless it prints; see :class:`~piprint.bc.queue.Queue`."""
        now = await self.row(row_no)
        expect_own(now, self._host, any_host=any_host)
        if now is None or now.state in {JobState.QUEUED, JobState.PRINTING}:
            return now.state if now else None
        try:
            await self._act(now, "restart", {})
        except BcError as error:
            if not (
                isinstance(error, BcMissing) or _refused(error, Guard.NOT_RESTARTABLE) or may_have_been_done(error)
            ):
                raise
            now = await self.row(row_no)
            if now is not None and now.state not in {JobState.QUEUED, JobState.PRINTING}:
                raise
            return now.state if now else None
        return JobState.QUEUED

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.close()

    # reading

    async def _jobs(self, asked: str, **options: str | int) -> list[JobRow]:
        url = self._place.all(JOBS_API.name, **options, orderby="rowNo", select=_LISTED)
        return [_job(row) for row in await read_all(self._http, url, asked=asked, headers=READ_WRITE)]

    async def _queued(self, limit: int, printer: str) -> list[JobRow]:
        wanted = self._in_state(JobState.QUEUED)
        wanted = both(wanted, equal("printerId", printer)) if printer else wanted
        jobs = await self._jobs("read the queued jobs", filter=wanted, top=limit)
        return [job for job in jobs if job.state is JobState.QUEUED]

    def _in_state(self, state: JobState) -> str:
        return both(equal("hostId", self._host), equal("status", state.enum_name))

    async def _id(self, job: JobRow) -> str:
        """Return a job's id; it is asked for if only the number is known: the job was claimed under PIPrint 1.0."""
        if job.id:
            return job.id
        now = await self.row(job.row_no)
        if now is None:
            raise BcMissing(f"Job {job.row_no} is no longer in Business Central.", status=404)
        return now.id

    # changing

    async def _act(self, job: JobRow, action: str, parameters: Mapping[str, object]) -> None:
        url = self._place.one(JOBS_API.name, await self._id(job), action=f"Microsoft.NAV.{action}")
        async with self._http.call("POST", url, asked=f"{action} job {job.row_no}", body=parameters) as answer:
            await answer.drain()

    async def _still(self, job: JobRow, action: str, parameters: Mapping[str, object]) -> bool:
        try:
            await self._act(job, action, parameters)
        except BcMissing:
            return False
        except BcRefused as error:
            if _refused(error, Guard.NOT_YOURS):
                return False
            raise
        return True

    async def _end(
        self, job: JobRow, claim: Claim, action: str, state: JobState, message: str, more: Mapping[str, object]
    ) -> FinishOutcome:
        message = cut(message, _MESSAGE_LENGTH)
        trouble: BcError | None = None
        for _ in range(_TRIES):
            try:
                await self._act(job, action, {_TOKEN: claim.token, "message": message, **more})
            except BcError as error:
                if not (isinstance(error, BcMissing) or _refused(error, Guard.NOT_YOURS) or may_have_been_done(error)):
                    raise
                trouble = error
            else:
                return FinishOutcome.DONE
            outcome = seen(await self.row(job.row_no), claim, state, message)
            if outcome is not None:
                return outcome
        assert trouble is not None  # noqa: S101 - each round ended with one
        raise trouble

    async def processors(self, since: datetime) -> set[str]:
        """Return the instances that share this host's id; see :class:`~piprint.bc.queue.Queue`."""
        url = self._place.all(PROCESSORS_API.name, filter=equal("hostId", self._host))
        found = await read_all(self._http, url, asked="read the processors", headers=READ_ONLY)
        return {text(row, "instanceId") for row in found if (seen_at := moment(row, "lastSeen")) and seen_at > since}

    async def _beat(self) -> dict[str, Any]:
        """Write this processor's row, which Business Central stamps; return it."""
        told = {"version": __version__, "stateMessage": self._message}
        if self._processor:
            with suppress(BcMissing):  # an administrator tidied up
                return await self._write_processor(told)
        row = await self._find_processor()
        if row is None:
            row = await self._add_processor({"hostId": self._host, "instanceId": self._instance, **told})
            self._know_processor(row)
            return row
        self._know_processor(row)
        return await self._write_processor(told)

    def _know_processor(self, row: Mapping[str, Any]) -> None:
        self._processor = text(row, "id")
        self._beats = number(row, "beat")

    async def _find_processor(self) -> dict[str, Any] | None:
        mine = both(equal("hostId", self._host), equal("instanceId", self._instance))
        url = self._place.all(PROCESSORS_API.name, filter=mine, top=1)
        found = rows(await self._http.json("GET", url, asked="read the heartbeat", headers=READ_WRITE))
        return found[0] if found else None

    async def _add_processor(self, body: Mapping[str, object]) -> dict[str, Any]:
        url = self._place.all(PROCESSORS_API.name)
        try:
            return await self._http.json("POST", url, asked="tell that this processor lives", body=body)
        except BcDuplicate:
            found = await self._find_processor()  # an earlier try whose answer got lost
            if found is None:
                raise
            return found

    async def _write_processor(self, told: Mapping[str, object]) -> dict[str, Any]:
        """Write our row with the next number in it: if nothing in it changed, Business Central might not write the time.

        The number goes on before the call, so that it is a new one also after a call whose answer got lost.
        """
        self._beats = self._beats % _LAST_BEAT + 1
        return await self._http.json(
            "PATCH",
            self._place.one(PROCESSORS_API.name, self._processor),
            asked="tell that this processor lives",
            body={**told, "beat": self._beats},
            headers={"If-Match": "*"},  # nobody else writes it, and its tag changes with every job of this host
        )


def _job(row: Mapping[str, Any]) -> JobRow:
    try:
        state = read_state(text(row, "status"))
    except ValueError as error:
        raise BcRefused(f"{error}.") from None
    token = text(row, "claimedBy")
    return JobRow(
        row_no=number(row, "rowNo"),
        printer_id=text(row, "printerId"),
        state=state,
        payload=text(row, "payload"),
        message=text(row, "message"),
        id=text(row, "id"),
        claim=Claim.read(text(row, "hostId"), token) if state is JobState.PRINTING else None,
        attempts=number(row, "attempts"),
        lease_until=moment(row, "leaseUntil"),
        submitted=truth(row, "submitted"),
        size=number(row, "documentSize") if row.get("documentSize") is not None else None,
        created=moment(row, "createdDateTime"),
        host=text(row, "hostId"),
    )


def _refused(error: BcError, guard: Guard) -> bool:
    """Tell whether an action was refused by this guard."""
    return isinstance(error, BcRefused) and error.code == GUARD_ERROR and guard.label in str(error)
