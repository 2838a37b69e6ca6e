"""A MEP port as its client finds it: which of the two it is, how the meter treats who is there, and what the other one holds.

Meters from firmware 4.0 on have two MEP ports (MEP guide v1.1 p. 21-25). Which one is ours, ET70.142 says; each port has its element
of ET50 and ET51, at the port's number less one, and of ET13 and ET14, behind those of the four M-Bus devices. If ET54.0.8 is off,
the meter behaves as an older one with one port (p. 22). The timers of the optical port are in ET55 where both ports are in
use, else in ET51.

ET15 holds the requests to both clients. Only the oldest can be answered, so one client may have to wait for the other (p. 25).

This module does not know how the tables are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from osgp.tables.schema.dimensions import MBUS_DEVICES

__all__ = ["ALERTS", "MepPort", "OpticalTimers", "PortClient", "mep_port"]

ALERTS = ("scheduled_read", "on_demand_request", "mbus_change", "delta_data")
"""What the meter may want of a client: the flags of ET13.8 (p. 82-83)."""
_UP, _DOWN = 3, 4
_PENDING, _NO_ENTRY = 0, 0
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class PortClient:
    """What the meter keeps of the client of one MEP port. None is what it does not tell."""

    port: int
    """1 or 2."""
    registered: bool | None
    """A client set this bit in ET50. Who only reads does not (p. 22)."""
    handle: int | None
    """The meter's name for it (ET14); None where none is registered."""
    up: bool | None
    """Whether the meter hears of it, if it watches (ET51.0.1)."""
    alerts: frozenset[str] | None
    """What the meter wants of it: of :data:`ALERTS`."""
    requests: int | None
    """How many requests of the grid company wait for it (ET15)."""
    results_in: str
    """The table with the results of its procedures (p. 24)."""
    watched_seconds: int | None
    """After so long without a valid request it counts as down (ET51.1); None where it is not watched."""
    disabled: bool | None
    """The meter ignores this port (ET51.0.7)."""


@dataclass(frozen=True, slots=True)
class OpticalTimers:
    """How long a session at the optical port may last (p. 22, 128-129, 160)."""

    enforced: bool
    session_seconds: int
    hold_off_seconds: int
    """So long no other one may begin after one that was cut off."""
    told_by: str
    """``ET51`` or ``ET55``."""


@dataclass(frozen=True, slots=True)
class MepPort:
    """Our MEP port, and the other one."""

    own: PortClient
    other: PortClient | None
    """None where the meter has one port, or behaves so."""
    locked_by: int | None
    """The port whose client has locked the transactions (ET52, ET53); 0: nobody; None: the meter has no lock, or does not say."""
    waits_for_other: bool
    """A request to the other client is older than those to ours, which cannot be answered before (p. 25)."""
    optical: OpticalTimers | None

    @property
    def number(self) -> int:
        """Return which port is ours: 1 or 2."""
        return self.own.port


def mep_port(
    channel: int,
    et50: Mapping[str, Any] | None = None,
    et51: Mapping[str, Any] | None = None,
    et13: Mapping[str, Any] | None = None,
    et14: Mapping[str, Any] | None = None,
    et15: Mapping[str, Any] | None = None,
    et54: Mapping[str, Any] | None = None,
    et55: Mapping[str, Any] | None = None,
) -> MepPort:
    """Return what these tables say of our port; None for a table that was not read.

    Args:
        channel: ET70.142, 1 or 2; 1 for meters that have no such field.
        et50: what clients left with the meter. As are the others, the fields of the table it is named after.
        et51: how the meter treats them.
        et13: what it wants of them.
        et14: how they are.
        et15: what they were asked.
        et54: the meter's state.
        et55: its settings.
    """
    et54 = et54 or _NOTHING
    tables = (et50 or _NOTHING, et51 or _NOTHING, et13 or _NOTHING, et14 or _NOTHING)
    waiting = None if et15 is None else _waiting(et15)
    two = channel > 1 or bool(et54.get("multiple_mep_clients"))
    own = _client(channel, *tables, waiting)
    other = _client(3 - channel, *tables, waiting) if two else None
    locked = et54.get("transaction_lock_holder") if et54.get("transactions_locked") else et54.get("transactions_locked")
    return MepPort(
        own=own,
        other=other,
        locked_by=locked if two else None,
        waits_for_other=bool(waiting and other and own.requests and waiting[0] == other.handle),
        optical=_optical(et51 or _NOTHING, et55 or _NOTHING, two=two),
    )


def _client(
    port: int,
    et50: Mapping[str, Any],
    et51: Mapping[str, Any],
    et13: Mapping[str, Any],
    et14: Mapping[str, Any],
    waiting: Sequence[int] | None,
) -> PortClient:
    inbound, settings = _element(et50, "clients", port), _element(et51, "clients", port)
    wanted, state = _element(et13, "mep", port), _element(et14, "devices", MBUS_DEVICES + port)
    occupied = MBUS_DEVICES + port - 1 in et14.get("occupied", ())
    handle = state.get("handle") or None if occupied else None
    known = all(name in wanted for name in ALERTS)
    return PortClient(
        port=port,
        registered=inbound.get("registered"),
        handle=handle,
        up={_UP: True, _DOWN: False}.get(state.get("status", 0)) if occupied else None,
        alerts=frozenset(name for name in ALERTS if wanted[name]) if known else None,
        requests=None if waiting is None else sum(one == handle for one in waiting),
        results_in="ET85" if port > 1 else "ET59" if inbound.get("replies_in_et59") else "BT08",
        watched_seconds=settings.get("health_timeout") if settings.get("monitor_health") else None,
        disabled=settings.get("disabled"),
    )


def _element(table: Mapping[str, Any], name: str, number: int) -> Mapping[str, Any]:
    """Return an element of a table, counted from 1; an empty one where there is none."""
    elements: Sequence[Mapping[str, Any]] = table.get(name, ())
    return elements[number - 1] if number <= len(elements) else _NOTHING


def _waiting(et15: Mapping[str, Any]) -> list[int]:
    """Return the handles that requests wait for, the oldest request first."""
    requests: Sequence[Mapping[str, Any]] = et15.get("requests", ())
    first = et15.get("next_processed", 0)
    turned = [requests[(first + place) % len(requests)] for place in range(len(requests))]
    return [one["handle"] for one in turned if one["type"] != _NO_ENTRY and one["result"] == _PENDING]


def _optical(et51: Mapping[str, Any], et55: Mapping[str, Any], *, two: bool) -> OpticalTimers | None:
    told, name = (et55, "ET55") if two else (_element(et51, "clients", 1), "ET51")
    fields = [told.get(field) for field in ("optical_timers", "optical_session_timeout", "optical_session_hold_off")]
    enforced, session, hold_off = fields
    if enforced is None or session is None or hold_off is None:
        return None
    return OpticalTimers(enforced, session, hold_off, name)
