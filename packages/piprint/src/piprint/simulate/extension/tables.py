"""The tables behind the pages: printers, print jobs, processors. Rows never change; a write puts a new one in its place.

So a copy of the tables is a copy of three dictionaries, and an answer that is still being sent keeps what it began with.
The numbers of jobs by state are kept with every write: BC's counters are calculated at each read, and a list of
printers must not count all jobs for each of them.

This module does not know fields' names on the wire (see :mod:`piprint.simulate.odata.pages`) nor who may change what
(see :mod:`piprint.simulate.extension.database`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from piprint.contract import JobState

__all__ = ["Document", "PrintJob", "Printer", "Processor", "Row", "Tables"]


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Document:
    """What a user printed; in memory or, when large, in a file.

    Attributes:
        size: bytes.
        sha256: hexadecimal.
        content: the bytes, or where they are.
    """

    size: int
    sha256: str
    content: bytes | Path = field(repr=False)

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes, ``size`` at a time; only the last part may be shorter."""
        if isinstance(self.content, bytes):
            for start in range(0, len(self.content), size):
                yield self.content[start : start + size]
            return
        with self.content.open("rb") as file:
            while part := file.read(size):
                yield part


@dataclass(frozen=True, slots=True)
class Printer:
    """A row of the printer table; the ``delete_...`` are date formulas, by state, "" keeps for ever."""

    row_no: int
    host_id: str = ""
    printer_id: str = ""
    printer_name: str = ""
    payload: str = ""
    enabled: bool = True
    new_jobs_on_hold: bool = False
    delete_on_hold: str = "-1W"
    delete_queued: str = "-1M"
    delete_in_error: str = "-1W"
    delete_cancelled: str = "-1D"
    delete_printing: str = "-1D"
    delete_printed: str = "-1D"
    state: str = ""
    state_message: str = ""
    latest_update: datetime | None = None
    id: str = field(default_factory=_new_id)
    version: int = 0


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A row of the queue table."""

    row_no: int
    printer_row_no: int
    payload: str
    document: Document
    document_name: str
    status: JobState
    created: datetime
    report_run_id: str
    modified: datetime | None = None
    printed: datetime | None = None
    message: str = ""
    claimed_by: str = ""
    lease_until: datetime | None = None
    submitted: bool = False
    attempts: int = 0
    id: str = field(default_factory=_new_id)
    version: int = 0


@dataclass(frozen=True, slots=True)
class Processor:
    """A row of the processor table."""

    host_id: str = ""
    instance_id: str = ""
    processor_version: str = ""
    last_seen: datetime | None = None
    state_message: str = ""
    beat: int = 0
    id: str = field(default_factory=_new_id)
    version: int = 0


Row = Printer | PrintJob | Processor

_NONE = dict.fromkeys(JobState, 0)


@dataclass(slots=True)
class Tables:
    """All rows at one moment.

    Attributes:
        printers: by row number.
        jobs: by row number.
        processors: by id.
        version: counts the writes; each row notes the one that made it.
    """

    printers: dict[int, Printer] = field(default_factory=dict)
    jobs: dict[int, PrintJob] = field(default_factory=dict)
    processors: dict[str, Processor] = field(default_factory=dict)
    version: int = 0
    _counts: dict[int, dict[JobState, int]] = field(default_factory=dict)

    def copy(self) -> Tables:
        """Return the tables as they are now; later writes do not show in it."""
        return Tables(dict(self.printers), dict(self.jobs), dict(self.processors), self.version, dict(self._counts))

    def count(self, printer_row_no: int, state: JobState) -> int:
        """Return how many jobs of a printer are in a state."""
        return self._counts.get(printer_row_no, _NONE)[state]

    def put_job(self, job: PrintJob) -> None:
        """Add a job, or put a newer row in its place."""
        before = self.jobs.get(job.row_no)
        if before is not None:
            self._add(before, -1)
        self.jobs[job.row_no] = job
        self._add(job, 1)

    def take_job(self, row_no: int) -> None:
        """Delete a job if it is there."""
        job = self.jobs.get(row_no)
        if job is not None:
            del self.jobs[row_no]
            self._add(job, -1)

    def _add(self, job: PrintJob, count: int) -> None:
        counts = dict(self._counts.get(job.printer_row_no, _NONE))
        counts[job.status] += count
        self._counts[job.printer_row_no] = counts
