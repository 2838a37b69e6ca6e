"""What the extension's tables do by themselves: keys, defaults, checks, time stamps, clean-up, and a replica that lags.

Everything that changes a row goes through :class:`Database`. Guards that only API pages have stand in
:mod:`piprint.simulate.extension.actions`, what people do in :mod:`piprint.simulate.extension.people`.

This module does not know HTTP nor fields' names on the wire.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from piprint.contract import JobState, cut, units
from piprint.simulate.extension import dateformula
from piprint.simulate.extension.tables import Printer, PrintJob, Processor, Tables
from piprint.simulate.refusal import Refusal

__all__ = ["RETENTION", "UNCLAIMED", "Database", "Extension", "Lag"]

Extension = Literal["1.0", "2.0"]

_Row = TypeVar("_Row", Printer, PrintJob)

_NAME_LENGTH = 250
_DEFAULT_PAYLOAD = json.dumps(
    {
        "version": 1,
        "description": "",
        "duplex": False,
        "color": True,
        "defaultcopies": 1,
        "papertrays": [{"papersourcekind": 7, "paperkind": 9}],
    }
)
"""One tray fed automatically, A4: what a printer gets that is added without a payload."""

RETENTION: Mapping[JobState, str] = {
    JobState.HOLD: "delete_on_hold",
    JobState.QUEUED: "delete_queued",
    JobState.ERROR: "delete_in_error",
    JobState.CANCELLED: "delete_cancelled",
    JobState.PRINTING: "delete_printing",
    JobState.PRINTED: "delete_printed",
}
"""Which column of the printer says how long its jobs are kept."""


UNCLAIMED: Mapping[str, Any] = {"claimed_by": "", "lease_until": None, "submitted": False}
"""The columns of a job that nobody has."""

_UNPRINTED = frozenset({JobState.HOLD, JobState.QUEUED, JobState.PRINTING})
_CLAIM = re.compile(r"\[claim ([^\]]{1,250})\]")


@dataclass(slots=True)
class Lag:
    """How far the replica is behind the primary; both 0: it is not.

    Attributes:
        seconds: by the server's clock.
        writes: number of writes not yet seen.
    """

    seconds: float = 0
    writes: int = 0


class Database:
    """The tables of one environment.

    Args:
        now: the server's clock.
        extension: whose rules hold: PIPrint 1.0 as published, or ours.
    """

    def __init__(self, *, now: Callable[[], datetime], extension: Extension = "2.0") -> None:
        self.now = now
        self.extension = extension
        self.tables = Tables()
        self.lag = Lag()
        self.listeners: list[Callable[[], None]] = []
        self._history: deque[tuple[datetime, Tables]] = deque()
        self._last_printer = 0
        self._last_job = 0

    # reading

    def replica(self) -> Tables:
        """Return the tables as a read-only replica shows them."""
        if self.lag.writes:
            back = min(self.lag.writes, len(self._history))
            return self._history[-back][1] if back else self.tables
        seen = self.now() - timedelta(seconds=self.lag.seconds)
        return next((tables for replaced, tables in self._history if replaced > seen), self.tables)

    def printer(self, row_no: int) -> Printer:
        """Return a printer's row.

        Raises:
            Refusal: there is none.
        """
        return _found(self.tables.printers.get(row_no), "PIPrintPrinter", row_no)

    def job(self, row_no: int) -> PrintJob:
        """Return a job's row.

        Raises:
            Refusal: there is none.
        """
        return _found(self.tables.jobs.get(row_no), "PIPrintQueue", row_no)

    # writing

    def insert_printer(self, values: Mapping[str, Any]) -> Printer:
        """Add a printer; what ``values`` does not give gets the table's defaults.

        Raises:
            Refusal: host and printer id are taken, or a value is not allowed.
        """
        row = replace(Printer(row_no=self._last_printer + 1), **values)
        self._check_key(row)
        row = replace(
            row, printer_name=row.printer_name or self._new_name(row), payload=row.payload or _DEFAULT_PAYLOAD
        )
        _check_printer(row, values, self.now())
        self._last_printer = row.row_no
        return self._put_printer(row)

    def change_printer(self, row: Printer, values: Mapping[str, Any]) -> Printer:
        """Write some columns of a printer.

        Raises:
            Refusal: host and printer id are taken, or a value is not allowed.
        """
        changed = replace(row, **values)
        self._check_key(changed)
        _check_printer(changed, values, self.now())
        return self._put_printer(changed)

    def delete_printer(self, row: Printer) -> None:
        """Delete a printer, and its jobs with it.

        Raises:
            Refusal: by our extension, while jobs wait or print.
        """
        jobs = [job for job in self.tables.jobs.values() if job.printer_row_no == row.row_no]
        if self.extension == "2.0" and any(job.status in _UNPRINTED for job in jobs):
            raise Refusal(
                "Application_DialogException",
                f"Printer {row.printer_name} still has jobs that are not printed. Cancel or print them first, "
                "or disable the printer instead.",
            )
        tables = self._write()
        tables.printers.pop(row.row_no, None)
        for job in jobs:
            tables.take_job(job.row_no)
        self._written()

    def insert_job(self, row: PrintJob) -> PrintJob:
        """Add a job; it gets the next row number."""
        self._last_job += 1
        return self._put_job(replace(row, row_no=self._last_job))

    def change_job(self, row: PrintJob, values: Mapping[str, Any]) -> PrintJob:
        """Write some columns of a job. Entering Printed stamps the time, leaving it takes the stamp away."""
        changed = replace(row, **values)
        if changed.status is not row.status:
            changed = replace(changed, printed=self.now() if changed.status is JobState.PRINTED else None)
        return self._put_job(changed)

    def patch_job(self, row: PrintJob, values: Mapping[str, Any]) -> PrintJob:
        """Write some columns of a job as PIPrint 1.0's web service does: no guard but the tag.

        Claim and attempts follow the state. Such a claim has no lease, so no action ever takes it over.
        """
        changed = replace(row, **values)
        if changed.status is JobState.PRINTING:
            if row.status is not JobState.PRINTING:  # the web service cannot tell, so the careful answer
                changed = replace(changed, attempts=row.attempts + 1, lease_until=None, submitted=True)
            if changed.lease_until is None:
                claim = _CLAIM.search(changed.message)
                changed = replace(changed, claimed_by=claim[1] if claim else "")
        elif changed.status in {JobState.PRINTED, JobState.ERROR}:
            changed = replace(changed, lease_until=None)
        else:
            changed = replace(changed, **UNCLAIMED)
        names = (*values, *UNCLAIMED, "attempts")
        return self.change_job(row, {name: getattr(changed, name) for name in names})

    def delete_job(self, row: PrintJob) -> None:
        """Delete a job."""
        self._write().take_job(row.row_no)
        self._written()

    def insert_processor(self, values: Mapping[str, Any]) -> Processor:
        """Add a processor.

        Raises:
            Refusal: host and instance are there already.
        """
        return self._put_processor(replace(Processor(), **values))

    def change_processor(self, row: Processor, values: Mapping[str, Any]) -> Processor:
        """Write some columns of a processor: a sign of life if one of them changes.

        Whether Business Central runs the triggers of a write that changes nothing is not documented; here it does not.

        Raises:
            Refusal: another processor has that host and instance.
        """
        changed = replace(row, **values)
        return row if changed == row else self._put_processor(changed)

    def clean_up_in_passing(self) -> None:
        """Clean up when somebody prints, looks up printers or opens the queue: only PIPrint 1.0 does."""
        if self.extension == "1.0":
            self.clean_up()

    def clean_up(self) -> int:
        """Carry out the retention by the printers' date formulas, and return how many jobs it touched.

        PIPrint 1.0 deletes by the time a job was made, whatever its state. Ours, run by a job queue, goes by the last
        change, and cancels what waited too long instead of deleting it. A job that prints changes all the time; one that
        has not for as long as a waiting one may wait goes to Error.
        """
        now = self.now()
        old = [job for job in self.tables.jobs.values() if self._is_old(job, now)]
        for job in old:
            if self.extension == "2.0" and job.status in _UNPRINTED:
                self._end_old(job, now)
            else:
                self.delete_job(job)
        return len(old)

    def _end_old(self, job: PrintJob, now: datetime) -> None:
        status, message = JobState.CANCELLED, f"Cancelled by the clean-up: not printed by {now:%Y-%m-%d %H:%M}."
        if job.status is JobState.PRINTING:
            status = JobState.ERROR
            message = (
                f"The print processor that took the job has not been heard of since {job.modified or job.created:%Y-%m-%d %H:%M}. "
                "It may have been printed: look for the paper before you restart it."
            )
        self.change_job(job, {"status": status, "message": message, **UNCLAIMED})

    def _is_old(self, job: PrintJob, now: datetime) -> bool:
        state = JobState.QUEUED if self.extension == "2.0" and job.status is JobState.PRINTING else job.status
        formula = getattr(self.tables.printers[job.printer_row_no], RETENTION[state])
        since = job.created if self.extension == "1.0" or job.modified is None else job.modified
        return bool(formula) and since < dateformula.apply(formula, now)

    # what all writes share

    def _put_printer(self, row: Printer) -> Printer:
        tables = self._write()
        row = replace(row, latest_update=self.now(), version=tables.version)
        tables.printers[row.row_no] = row
        self._written()
        return row

    def _put_job(self, row: PrintJob) -> PrintJob:
        tables = self._write()
        row = replace(row, version=tables.version, modified=self.now())
        tables.put_job(row)
        self._written()
        return row

    def _put_processor(self, row: Processor) -> Processor:
        key = (row.host_id, row.instance_id)
        if any(
            (each.host_id, each.instance_id) == key and each.id != row.id for each in self.tables.processors.values()
        ):
            raise _duplicate("PIPrintProcessor", f"HostID='{row.host_id}',InstanceID='{row.instance_id}'")
        tables = self._write()
        row = replace(row, last_seen=self.now(), version=tables.version)
        tables.processors[row.id] = row
        self._written()
        return row

    def _write(self) -> Tables:
        """Begin a write: keep the tables for the replica, and count."""
        now = self.now()
        if self.lag.seconds or self.lag.writes:
            self._history.append((now, self.tables.copy()))
        seen = now - timedelta(seconds=self.lag.seconds)
        while self._history and len(self._history) > self.lag.writes and self._history[0][0] <= seen:
            self._history.popleft()
        self.tables.version += 1
        return self.tables

    def _written(self) -> None:
        for listener in self.listeners:
            listener()

    def _check_key(self, row: Printer) -> None:
        key = (row.host_id, row.printer_id)
        others = self.tables.printers.values()
        if any((each.host_id, each.printer_id) == key and each.row_no != row.row_no for each in others):
            raise _duplicate("PIPrintPrinter", f"HostID='{row.host_id}',PrinterID='{row.printer_id}'")

    def _new_name(self, row: Printer) -> str:
        """Make the name people see: ``<printer>@<host>``, numbered when that is taken."""
        plain = f"{row.printer_id}@{row.host_id}"
        taken = {each.printer_name for each in self.tables.printers.values()}
        for number in range(len(taken) + 1):
            ending = f"-{number}" if number else ""
            name = plain + ending if self.extension == "1.0" else cut(plain, _NAME_LENGTH - len(ending)) + ending
            if name not in taken:
                break
        if units(name) > _NAME_LENGTH:  # PIPrint 1.0 does not cut
            raise Refusal(
                "Application_StringExceededLength",
                f"The length of the string is {units(name)}, but it must be less than or equal to "
                f"{_NAME_LENGTH} characters. Value: {name}",
            )
        return name


def _found(row: _Row | None, table: str, row_no: int) -> _Row:
    if row is None:
        raise Refusal(
            "Internal_RecordNotFound",
            f"The {table} does not exist. Identification fields and values: RowNo='{row_no}'",
        )
    return row


def _duplicate(table: str, values: str) -> Refusal:
    return Refusal(
        "Internal_EntityWithSameKeyExists",
        f"The record in table {table} already exists. Identification fields and values: {values}",
    )


def _check_printer(row: Printer, written: Mapping[str, Any], now: datetime) -> None:
    if "payload" in written and row.payload:
        try:
            json.loads(row.payload)
        except (ValueError, RecursionError):
            raise Refusal("Application_DialogException", "The printer's payload is not JSON.") from None
    for column in RETENTION.values():
        if column in written and getattr(row, column):
            _check_formula(getattr(row, column), now)


def _check_formula(formula: str, now: datetime) -> None:
    try:
        past = dateformula.apply(formula, now) < now
    except ValueError as error:
        raise Refusal("Application_DialogException", f"{error}.") from None
    if not past:
        raise Refusal("Application_DialogException", f"The date formula {formula} must lead into the past.")
