"""What the page shows, as one JSON value: printers, queue, requests, what goes wrong.

This module does not know HTTP.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from piprint.contract import JobState
from piprint.documents.paper import CUSTOM, PAPER_KINDS, PAPER_SOURCES, kind_by_name, source_by_name
from piprint.documents.payloads import UNITS
from piprint.simulate.environment import Environment
from piprint.simulate.extension.tables import Printer, PrintJob, Tables

__all__ = ["PAPERS", "TROUBLES", "view"]

_MOST_JOBS = 200
_MOST_REQUESTS = 60

PAPERS = tuple({"number": number, "name": PAPER_KINDS[number].name} for number in (9, 11, 8, 70, 1, 5))
"""The papers the page offers besides a printer's own."""

TROUBLES: Mapping[str, tuple[str, tuple[Mapping[str, Any], ...]]] = {
    "busy": (
        "Too many requests: the next 5 are told to wait 3 s",
        ({"kind": "status", "status": 429, "retry_after": 3, "times": 5},),
    ),
    "unavailable": ("Not available (503), the next 5 requests", ({"kind": "status", "status": 503, "times": 5},)),
    "html": ("A gateway's error page (502), the next 3 requests", ({"kind": "html", "status": 502, "times": 3},)),
    "lost answer": (
        "The next change is made, but its answer is lost",
        (
            {"kind": "reset after", "method": "PATCH"},
            {"kind": "reset after", "method": "POST", "path": "Microsoft.NAV"},
        ),
    ),
    "lost request": (
        "The next change is lost on its way",
        (
            {"kind": "reset before", "method": "PATCH"},
            {"kind": "reset before", "method": "POST", "path": "Microsoft.NAV"},
        ),
    ),
    "cut": (
        "The next document breaks off in the middle",
        (
            {"kind": "cut body", "path": "/document", "size": 1000},
            {"kind": "cut body", "method": "PATCH", "size": 3000},
        ),
    ),
    "slow": ("Every answer takes 3 s, until all is well again", ({"kind": "delay", "seconds": 3, "times": 0},)),
}
"""What the page can let go wrong: a name, words for people, rules of :class:`piprint.simulate.faults.FaultRule`."""


def view(bc: Environment) -> dict[str, Any]:
    """Return everything the page shows.

    Args:
        bc: a :class:`piprint.simulate.environment.Environment`.
    """
    tables = bc.database.tables
    jobs = sorted(tables.jobs.values(), key=lambda job: -job.row_no)[:_MOST_JOBS]
    log = bc.log
    return {
        "company": bc.settings.companies[0].name,
        "extension": bc.settings.extension,
        "url": bc.url,
        "token_url": bc.token_url,
        "ca_file": str(bc.ca_file or ""),
        "client_id": bc.login.accounts.client_id,
        "tenant": bc.login.accounts.tenant,
        "away": bc.away,
        "printers": [_printer(tables, row) for row in tables.printers.values()],
        "processors": [
            {"host": row.host_id, "version": row.processor_version, "last_seen": _time(row.last_seen)}
            for row in tables.processors.values()
        ],
        "jobs": [_job(tables, job) for job in jobs],
        "all_jobs": len(tables.jobs),
        "papers": PAPERS,
        "troubles": [{"name": name, "title": title} for name, (title, _) in TROUBLES.items()],
        "faults": [
            {"kind": rule.kind, "path": rule.path, "method": rule.method, "hit": rule.hit, "times": rule.times}
            for rule in bc.faults.rules
        ],
        "habits": {**dataclasses.asdict(bc.habits), "lag": bc.database.lag.seconds, "access": bc.login.access},
        "log": {
            "calls": log.calls,
            "tokens": log.tokens,
            "sent": log.sent,
            "most_running": log.most_running,
            "entries": [
                {
                    "at": _time(entry.at),
                    "method": entry.method,
                    "path": entry.path,
                    "status": entry.status,
                    "sent": entry.sent,
                    "ms": round(entry.seconds * 1000),
                    "fault": entry.fault,
                }
                for entry in reversed(list(log.entries)[-_MOST_REQUESTS:])
            ],
        },
    }


def _job(tables: Tables, job: PrintJob) -> dict[str, Any]:
    printer = tables.printers.get(job.printer_row_no)
    return {
        "row_no": job.row_no,
        "name": job.document_name,
        "printer": printer.printer_name if printer else "",
        "status": job.status.enum_name,
        "message": job.message,
        "created": _time(job.created),
        "printed": _time(job.printed),
        "size": job.document.size,
        "attempts": job.attempts,
        "claimed_by": job.claimed_by,
        "choice": _choice(job.payload),
    }


def _choice(payload: str) -> dict[str, Any]:
    """Return what is worth reading of a job's payload; {} when it is no JSON."""
    try:
        told = json.loads(payload)
        tray = told.get("papertray", {})
        return {
            "source": _source(tray) if "papersourcekind" in tray else "",
            "paper": _paper(tray),
            "landscape": tray.get("landscape"),
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _printer(tables: Tables, row: Printer) -> dict[str, Any]:
    try:
        told = json.loads(row.payload)
        trays = [
            {"source": _number(tray["papersourcekind"]), "name": _source(tray), "paper": _paper(tray)}
            for tray in told["papertrays"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        told, trays = {}, []
    return {
        "row_no": row.row_no,
        "name": row.printer_name,
        "host": row.host_id,
        "printer_id": row.printer_id,
        "enabled": row.enabled,
        "new_jobs_on_hold": row.new_jobs_on_hold,
        "description": told.get("description", ""),
        "duplex": told.get("duplex", False),
        "color": told.get("color", False),
        "copies": told.get("defaultcopies", 1),
        "trays": trays,
        "state": row.state,
        "state_message": row.state_message,
        "latest_update": _time(row.latest_update),
        "counts": {state.enum_name: tables.count(row.row_no, state) for state in JobState},
    }


def _number(told: object) -> int | None:
    return told if isinstance(told, int) else source_by_name(str(told))


def _source(tray: Mapping[str, Any]) -> str:
    number = _number(tray["papersourcekind"])
    return _words(PAPER_SOURCES.get(number or 0, f"Source {tray['papersourcekind']}"))


def _paper(tray: Mapping[str, Any]) -> str:
    told = tray.get("paperkind", CUSTOM)
    kind = PAPER_KINDS.get(told) if isinstance(told, int) else kind_by_name(str(told))
    if kind is not None and kind.number != CUSTOM:
        return kind.name
    hundredths = UNITS.get(str(tray.get("units", "HI")).upper(), UNITS["HI"])  # a job's unit 0 is HI, too
    return f"{tray['width'] * hundredths / 100:.0f} x {tray['height'] * hundredths / 100:.0f} mm"


def _words(name: str) -> str:
    """Part a name where its capitals stand: AutomaticFeed -> Automatic feed."""
    return "".join(_lowered(name))


def _lowered(name: str) -> Iterable[str]:
    for place, character in enumerate(name):
        yield f" {character.lower()}" if place and character.isupper() else character


def _time(moment: Any) -> str:
    return moment.isoformat() if moment else ""
