"""The meter's state put together: alarms, contactor, relays, wiring (BT03, ET23, ET46, ET54).

An alarm of BT03 stays until the grid company takes it away, so it says that something was, not that it is.

This module does not know how the tables are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from osgp.tables.status.alarms import alarm_words

__all__ = ["Contactor", "MeterState", "meter_state"]

_NOTHING: Mapping[str, Any] = {}


class Contactor(StrEnum):
    """What the load contactor was told to be (ET23.94, MEP guide v1.1 p. 99)."""

    CLOSED = "closed"
    CLOSING = "closing"
    OPEN = "open"
    OPENING = "opening"


_CONTACTOR = tuple(Contactor)
_MIS_WIRING = {1: "low voltage on a phase", 2: "high voltage on a phase", 4: "two or more phases are the same"}


@dataclass(frozen=True, slots=True)
class MeterState:
    """What a meter says of itself; None where it does not tell."""

    alarms: tuple[str, ...] | None
    """Fields of BT03 that are on: ``cover_removed``; see :func:`osgp.tables.status.alarms.alarm_words`."""
    contactor: Contactor | None
    """None also where the meter has none."""
    button_locked: bool | None
    """The button that would close the contactor again is locked for some seconds (ET54.71, p. 136)."""
    opened_by_limit: datetime | None
    """When the contactor was last opened for too much power or current (ET46.17, p. 122); whose time is not said."""
    relay_1_pending: int | None
    """Seconds until relay 1 switches (ET54.63, p. 135); None where nothing is pending. Likewise :attr:`relay_2_pending`."""
    relay_2_pending: int | None
    mis_wiring: str
    """What is wrong with the wiring (ET54.68, p. 135); empty where nothing is, or it is not told."""
    load_profile_off: bool | None
    """The load profile was switched off at somebody's wish (ET54.19, p. 134)."""


def meter_state(
    bt03: Mapping[str, Any] | None = None,
    et23: Mapping[str, Any] | None = None,
    et46: Mapping[str, Any] | None = None,
    et54: Mapping[str, Any] | None = None,
    *,
    has_contactor: bool = True,
) -> MeterState:
    """Return what these tables say together; None for a table that was not read.

    Args:
        bt03: alarms, as are the others the fields of the tables they are named after.
        et23: miscellaneous.
        et46: control output.
        et54: status.
        has_contactor: by ET29.0.5; what ET23 says of a contactor that is not there means nothing.
    """
    et23, et46, et54 = et23 or _NOTHING, et46 or _NOTHING, et54 or _NOTHING
    told = et23.get("contactor")
    known = has_contactor and told is not None and told < len(_CONTACTOR)
    return MeterState(
        alarms=None if bt03 is None else tuple(name for name, on in bt03.items() if on and alarm_words(name)),
        contactor=_CONTACTOR[told] if known and told is not None else None,
        button_locked=et54.get("disconnect_button_locked"),
        opened_by_limit=et46.get("limit_opened_at"),
        relay_1_pending=_pending(et54, 1),
        relay_2_pending=_pending(et54, 2),
        mis_wiring=_MIS_WIRING.get(et54.get("mis_wiring", 0), ""),
        load_profile_off=et54.get("load_profile_opted_out"),
    )


def _pending(et54: Mapping[str, Any], relay: int) -> int | None:
    seconds: int | None = et54.get(f"relay_{relay}_random_remaining")
    return seconds if et54.get(f"relay_{relay}_random_pending") else None
