"""The guarded actions of the print jobs' API page: claim, renew, submitting, tell, release, finish, amend, restart.

Each guard looks at the row as it is now and by the server's clock, so that of two processors one is refused; the reason is
a word in brackets in the message (:class:`piprint.contract.Guard`). This module does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from piprint.contract import GUARD_ERROR, Action, Guard, JobState, units
from piprint.simulate.extension.database import UNCLAIMED, Database
from piprint.simulate.extension.tables import PrintJob
from piprint.simulate.refusal import Refusal

__all__ = ["act"]

_LONGEST_LEASE = 86400
"""Seconds."""

_TYPES: Mapping[str, type] = {"text": str, "integer": int, "boolean": bool}


def act(database: Database, job: PrintJob, action: Action, body: Mapping[str, object]) -> PrintJob:
    """Do an action to a job.

    Args:
        database: the job is in.
        job: as it is now.
        action: of the contract.
        body: the request's parameters.

    Raises:
        Refusal: by the guard, or a parameter is missing, unknown, of another type or too long.
    """
    return _ACTIONS[action.name](_Asked(database, job, _parameters(action, body)))


@dataclass(frozen=True, slots=True)
class _Asked:
    database: Database
    job: PrintJob
    given: Mapping[str, Any]

    def write(self, **values: object) -> PrintJob:
        return self.database.change_job(self.job, values)

    def lease(self) -> datetime:
        seconds = self.given["leaseSeconds"]
        if not 0 < seconds <= _LONGEST_LEASE:
            raise Refusal(GUARD_ERROR, f"A claim lasts 1 to {_LONGEST_LEASE} seconds, not {seconds}.")
        return self.database.now() + timedelta(seconds=seconds)

    def expect_ours(self) -> None:
        token = self.given["claimToken"]
        if self.job.status is not JobState.PRINTING or not token or self.job.claimed_by != token:
            raise _refused(Guard.NOT_YOURS, f"Print job {self.job.row_no} is not printing under this claim.")


def _claim(asked: _Asked) -> PrintJob:
    """Take a waiting job, or one whose lease ran out; asked again with the same token, renew only."""
    job, token = asked.job, asked.given["claimToken"]
    if not token:
        raise Refusal(GUARD_ERROR, "A claim needs a token.")
    if job.status is JobState.PRINTING and job.claimed_by == token:
        return asked.write(lease_until=asked.lease())
    # A job that PIPrint 1.0's web service set to Printing has no lease; nobody can tell whether it still prints.
    abandoned = (
        job.status is JobState.PRINTING and job.lease_until is not None and job.lease_until < asked.database.now()
    )
    if job.status is not JobState.QUEUED and not abandoned:
        raise _refused(Guard.NOT_CLAIMABLE, f"Print job {job.row_no} is not waiting, and nobody's claim has run out.")
    return asked.write(
        status=JobState.PRINTING,
        claimed_by=token,
        lease_until=asked.lease(),
        submitted=job.submitted and abandoned,  # the new holder must know that the last one may have printed
        attempts=job.attempts + 1,
        message="",
    )


def _renew(asked: _Asked) -> PrintJob:
    asked.expect_ours()
    return asked.write(lease_until=asked.lease())


def _submitting(asked: _Asked) -> PrintJob:
    asked.expect_ours()
    return asked.write(submitted=True)


def _tell(asked: _Asked) -> PrintJob:
    asked.expect_ours()
    return asked.write(message=asked.given["message"])


def _release(asked: _Asked) -> PrintJob:
    asked.expect_ours()
    return asked.write(status=JobState.QUEUED, message=asked.given["message"], **UNCLAIMED)


def _finish(asked: _Asked) -> PrintJob:
    """End a job; the token stays with it, so that its holder can see that the report arrived."""
    asked.expect_ours()
    status = JobState.PRINTED if asked.given["printed"] else JobState.ERROR
    return asked.write(status=status, message=asked.given["message"], lease_until=None)


def _amend(asked: _Asked) -> PrintJob:
    """Change the message of a job that has ended; the state stays."""
    token, job = asked.given["claimToken"], asked.job
    if job.status not in {JobState.PRINTED, JobState.ERROR} or not token or job.claimed_by != token:
        raise _refused(Guard.NOT_YOURS, f"Print job {job.row_no} has not ended under this claim.")
    return asked.write(message=asked.given["message"])


def _restart(asked: _Asked) -> PrintJob:
    if asked.job.status is JobState.PRINTING:
        raise _refused(Guard.NOT_RESTARTABLE, f"Print job {asked.job.row_no} is being printed.")
    return asked.write(status=JobState.QUEUED, message="", **UNCLAIMED)


_ACTIONS: Mapping[str, Callable[[_Asked], PrintJob]] = {
    "claim": _claim,
    "renew": _renew,
    "submitting": _submitting,
    "tell": _tell,
    "release": _release,
    "finish": _finish,
    "amend": _amend,
    "restart": _restart,
}


def _refused(guard: Guard, message: str) -> Refusal:
    return Refusal(GUARD_ERROR, f"{message} {guard.label}")


def _parameters(action: Action, body: Mapping[str, object]) -> dict[str, Any]:
    fields = {field.name: field for field in action.parameters}
    for name in (*fields, *body):
        if name not in fields:
            raise Refusal("BadRequest", f"The parameter '{name}' is not a parameter of '{action.name}'.")
        if name not in body:
            raise Refusal("BadRequest", f"The parameter '{name}' of '{action.name}' is missing.")
        value, field = body[name], fields[name]
        if type(value) is not _TYPES[field.kind]:
            raise Refusal("BadRequest", f"Cannot convert the value of '{name}' to {field.kind}.")
        if isinstance(value, str) and field.length is not None and units(value) > field.length:
            raise Refusal(
                "Application_StringExceededLength",
                f"The length of the string is {units(value)}, but it must be less than or equal to {field.length} "
                f"characters. Value: {value[:60]}",
            )
    return dict(body)
