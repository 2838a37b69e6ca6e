"""A print job as the parts of the processor hand it to each other, and the claim that makes it ours.

This module knows neither Business Central's wire (see :mod:`piprint.bc`) nor printers (see :mod:`piprint.printers`).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from piprint.contract import JobState

__all__ = ["Claim", "JobRow", "job_name"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took a job: written into the job in Business Central, where people and other processors read it.

    Attributes:
        host: the configured host id; several processors may share one.
        instance: which processor: a random id kept beside the journal.
        attempt: 1 for a job's first time, one more each time it is taken again.
        nonce: tells this claim from any other, also from our own before a restart.
    """

    host: str
    instance: str
    attempt: int
    nonce: str

    @classmethod
    def new(cls, host: str, instance: str, attempt: int) -> Claim:
        """Make a claim nobody made before."""
        return cls(host, instance, attempt, secrets.token_hex(4))

    @property
    def token(self) -> str:
        """Return the claim as one word: ``instance.attempt.nonce``; the host is known from the row."""
        return f"{self.instance}.{self.attempt}.{self.nonce}"

    @property
    def message(self) -> str:
        """Return what the job's message says while it prints, the claim in brackets at its end."""
        return f"Printing at {self.host} [claim {self.token}]"

    @classmethod
    def read(cls, host: str, text: str) -> Claim | None:
        """Find a claim in a message or take a bare token; None when there is none (or another program's)."""
        match = _CLAIM.search(text) or _TOKEN.fullmatch(text)
        return cls(host, match[1], int(match[2]), match[3]) if match else None


_TOKEN = re.compile(r"([0-9a-z]{1,32})\.(\d{1,9})\.([0-9a-f]{8})")
_CLAIM = re.compile(rf"\[claim {_TOKEN.pattern}\]")


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as Business Central told it last; without the document.

    Attributes:
        row_no: its number in Business Central.
        printer_id: our name of the printer it is for.
        host: the HostID of the processors it is for; "" when not told.
        state: its state when it was read.
        payload: the print settings, JSON as Business Central made it; read by :mod:`piprint.documents.payloads`.
        message: the text people see; holds the claim while printing (PIPrint 1.0).
        tag: the row's tag, sent back verbatim; "" with API pages.
        id: the row's SystemId; "" with PIPrint 1.0.
        claim: who has it, if anybody; None when it is free or another program's.
        attempts: how often it was claimed, as far as Business Central knows.
        lease_until: when the claim runs out, by Business Central's clock; None with PIPrint 1.0.
        submitted: the holder may have handed it to a printer; None when nobody can tell (PIPrint 1.0, unless the holder
            wrote it into the message).
        size: bytes of the document; None when not told.
        created: when the user printed it; None when not told.
    """

    row_no: int
    printer_id: str
    state: JobState
    payload: str = ""
    message: str = ""
    tag: str = ""
    id: str = ""
    claim: Claim | None = None
    attempts: int = 0
    lease_until: datetime | None = None
    submitted: bool | None = None
    size: int | None = None
    created: datetime | None = None
    host: str = ""


def job_name(environment: str, row_no: int, claim: Claim) -> str:
    """Return the name a claimed job has at the printer: ``bc-<environment>-<row>-<attempt>_<nonce>``.

    The nonce makes it a name nobody used before: two tenants may both call their environment Production, and a Business
    Central restored from a backup counts its rows from an old number. Whoever takes the job over knows it from the claim.

    ASCII and at most 64 characters: a longer name made a printer's spool file fail and stopped its queue (CUPS 2.4.2).
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "_", environment)[:30] or "bc"
    return f"bc-{plain}-{row_no}-{claim.attempt}_{claim.nonce}"
