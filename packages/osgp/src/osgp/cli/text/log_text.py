"""The entries of a meter's logs as rows for people, rows for spreadsheets, and documents for scripts.

This module does not know how logs are read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from osgp.cli.text.measured_values import value_text
from osgp.meter.logs import LogRead
from osgp.sources import SOURCES
from osgp.tables.logs.event_names import name_of
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import CAUSES, Outage
from osgp.tables.logs.snapshots import RESET_REASONS, Snapshot

__all__ = [
    "KINDS_OF_COPIES",
    "csv_text",
    "event_document",
    "event_rows",
    "event_words",
    "log_document",
    "missed_words",
    "outage_document",
    "outage_rows",
    "outage_words",
    "snapshot_document",
    "snapshot_rows",
]

_USERS: Mapping[int, str] = {0xFFFF: "", 0xFFFE: "power line", 0xFFFD: "MEP port"}
"""Who was logged in (MEP guide v1.1 p. 243): nobody, the grid company, this port, else somebody at the optical port."""

KINDS_OF_COPIES: Mapping[str, str] = {
    "BT26": "self read",
    "ET31": "one-time read",
    "ET41": "demand reset",
    "BT24": "previous season",
    "BT25": "last demand reset",
}
"""The tables that hold copies of the registers, and what each of them is."""

_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_SHOWN = ("active_energy_import", "active_energy_export")


def log_document(name: str, entries: Iterable[Mapping[str, Any]], read: LogRead[Any]) -> dict[str, Any]:
    """Return what was read of a log for scripts; ``name`` is that of the list."""
    return {
        name: list(entries),
        "tables": list(read.tables),
        "known": read.known,
        "missed": read.missed,
        "restarted": read.restarted,
    }


def missed_words(read: LogRead[Any]) -> str:
    """Return what a person should know of a log beside its entries; "" if nothing."""
    if read.restarted:
        return "the log began anew since it was read last: it was emptied, or it is that of another meter"
    if read.missed:
        return f"{read.missed} entries were overwritten before they were read; read the log more often"
    return ""


def csv_text(documents: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return documents as lines for spreadsheets, under the names of the columns. What is not known is empty."""
    out = io.StringIO()
    table = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows({name: _cell(each.get(name)) for name in columns} for each in documents)
    return out.getvalue().rstrip("\n")


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = "" if value is None else value
    # A spreadsheet would take such a text for a formula.
    return f"'{text}" if isinstance(text, str) and text[:1] in ("=", "+", "-", "@") else text


# -- events -----------------------------------------------------------------------------------------


def event_document(event: Event, names: Mapping[int, str]) -> dict[str, Any]:
    """Return an event for scripts."""
    return {
        "sequence": event.sequence,
        "time": _iso(event.time),
        "event": event.event,
        "name": name_of(event.event, names) or None,
        "user": event.user,
        "argument": event.argument.hex(),
        "logs": list(event.logs),
    }


def event_rows(events: Iterable[Event], names: Mapping[int, str]) -> list[list[str]]:
    """Return events for people, under a line of titles."""
    rows = [["Number", "Time (UTC)", "Event", "Name", "Argument", "By"]]
    return rows + [
        [
            str(event.sequence),
            _time(event.time),
            str(event.event),
            name_of(event.event, names),
            event.argument.hex(" "),
            _USERS.get(event.user, f"optical, user {event.user}"),
        ]
        for event in events
    ]


def event_words(event: Event) -> str:
    """Return an event in a few words: what, when."""
    name = name_of(event.event, {})
    return f"{event.event}{f' ({name})' if name else ''} at {_time(event.time)} UTC"


# -- outages ----------------------------------------------------------------------------------------


def outage_document(outage: Outage) -> dict[str, Any]:
    """Return an outage for scripts."""
    return {
        "begin": _iso(outage.begin),
        "end": _iso(outage.end),
        "seconds": outage.seconds,
        "cause": None if outage.cause is None else CAUSES.get(outage.cause, str(outage.cause)),
        "local_begin": _iso(outage.local_begin),
        "local_end": _iso(outage.local_end),
        "sequence": outage.sequence,
    }


def outage_rows(outages: Iterable[Outage]) -> list[list[str]]:
    """Return outages for people, under a line of titles."""
    rows = [["Begin", "End", "Clock", "Lasted", "Cause"]]
    for outage in outages:
        in_utc = outage.begin is not None or outage.local_begin is None
        begin, end = (outage.begin, outage.end) if in_utc else (outage.local_begin, outage.local_end)
        cause = "" if outage.cause is None else CAUSES.get(outage.cause, f"reset cause {outage.cause}")
        rows.append([_time(begin), _time(end), "UTC" if in_utc else "local", _lasted(outage.seconds), cause])
    return rows


def outage_words(outage: Outage) -> str:
    """Return an outage in a few words: when, how long."""
    (_, (begin, _, clock, lasted, _)) = outage_rows([outage])
    return f"{begin} {clock}{f', {lasted}' if lasted else ''}"


# -- copies of the registers ------------------------------------------------------------------------


def snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    """Return a copy of the registers for scripts."""
    values = snapshot.values
    reason = snapshot.reason
    return {
        "table": snapshot.table,
        "kind": KINDS_OF_COPIES[snapshot.table],
        "sequence": snapshot.sequence,
        "local_time": _iso(snapshot.time),
        "season": snapshot.season,
        "reason": RESET_REASONS[reason] if reason is not None and reason < len(RESET_REASONS) else reason,
        "bidn": snapshot.bidn,
        "values": None if values is None else {source.key: source.scaled(raw) for source, raw in values.items()},
        "hex": snapshot.raw.hex() if values is None else None,
    }


def snapshot_rows(snapshots: Iterable[Snapshot]) -> list[list[str]]:
    """Return copies of the registers for people, under a line of titles: energy drawn and given."""
    rows = [["What", "Local time", "Season", "Import", "Export"]]
    for snapshot in snapshots:
        head = [KINDS_OF_COPIES[snapshot.table], _time(snapshot.time)[:16], str(snapshot.season)]
        if snapshot.values is None:
            rows.append([*head, "laid out in another way than now"])
            continue
        found = [(SOURCES[key], snapshot.values.get(SOURCES[key])) for key in _SHOWN]
        rows.append([*head, *("" if raw is None else value_text(source, raw) for source, raw in found)])
    return rows


def _time(moment: datetime | None) -> str:
    return "not known" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _lasted(seconds: int | None) -> str:
    if seconds is None:
        return ""
    parts = []
    for size, unit in _SPANS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "less than 1 s"
