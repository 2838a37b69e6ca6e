"""The clients of a meter's MEP ports as lines of text, and as a document for scripts.

This module does not know meters or terminals.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from osgp.cli.text.terminal import columns

if TYPE_CHECKING:
    from osgp.tables.clients.mep_port import MepPort, PortClient

__all__ = ["client_document", "client_lines"]

_WANTS = {
    "scheduled_read": "the data of a scheduled read",
    "on_demand_request": "an answer to a request (ET15)",
    "mbus_change": "that it looks at the M-Bus devices",
    "delta_data": "that it looks at the sources it watches (ET71)",
}
_UNKNOWN = "not told"


def client_lines(found: MepPort) -> list[str]:
    """Return our port and, where there is one, the other: a column for each."""
    clients = [found.own] if found.other is None else [found.own, found.other]
    rows = [
        ["", *(f"MEP port {one.port}{' (this one)' if one is found.own else ''}" for one in clients)],
        ["Client", *(_registered(one) for one in clients)],
        ["Watched", *(_watched(one) for one in clients)],
        ["Wanted of it", *(_wanted(one) for one in clients)],
        ["Requests", *(_UNKNOWN if one.requests is None else str(one.requests) for one in clients)],
        ["Results in", *(one.results_in for one in clients)],
    ]
    lines = columns(rows)
    if found.locked_by is not None:
        holder = f"locked by the client of port {found.locked_by}" if found.locked_by else "nobody has locked them"
        lines.append(f"Transactions (ET52): {holder}")
    if found.waits_for_other:
        lines.append("A request to the other client is older than ours: it has to be answered first.")
    if found.optical is not None:
        timers = found.optical
        ends = f"are cut off after {timers.session_seconds} s" if timers.enforced else "may last as long as they like"
        lines.append(f"Sessions at the optical port {ends} ({timers.told_by})")
    return lines


def client_document(found: MepPort) -> dict[str, Any]:
    """Return the same for scripts."""
    return {
        "port": found.number,
        "own": _client(found.own),
        "other": None if found.other is None else _client(found.other),
        "locked_by": found.locked_by,
        "waits_for_other": found.waits_for_other,
        "optical": None if found.optical is None else asdict(found.optical),
    }


def _client(one: PortClient) -> dict[str, Any]:
    return asdict(one) | {"alerts": None if one.alerts is None else sorted(one.alerts)}


def _registered(one: PortClient) -> str:
    if one.registered is None:
        return _UNKNOWN
    if not one.registered:
        return "none registered"
    handle = "" if one.handle is None else f", handle {one.handle}"
    state = "" if one.up is None else ", up" if one.up else ", down"
    return f"registered{handle}{state}"


def _watched(one: PortClient) -> str:
    if one.disabled:
        return "the port is switched off"
    return "no" if one.watched_seconds is None else f"down after {one.watched_seconds} s of silence"


def _wanted(one: PortClient) -> str:
    if one.alerts is None:
        return _UNKNOWN
    return ", ".join(words for name, words in _WANTS.items() if name in one.alerts) or "nothing"
