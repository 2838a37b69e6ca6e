"""The kinds of alerts.

This module does not know when one is raised.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MOMENTS", "UNITS", "Kind"]


class Kind(StrEnum):
    """What an alert is about. The words are stable for ever: they stand in topics and unique ids."""

    METER_SILENT = "meter_silent"
    KEY_REFUSED = "key_refused"
    PHASE_LOAD = "phase_load"
    """A phase carries nearly what its fuse allows."""
    VOLTAGE_HIGH = "voltage_high"
    VOLTAGE_LOW = "voltage_low"
    UNBALANCE = "unbalance"
    EXPORT = "export"
    """The house gives power to the grid."""
    NO_EXPORT = "no_export"
    """It gave none on a whole day."""
    BASE_LOAD = "base_load"
    """It draws much in the quietest quarter hour of a night."""
    CLOCK_DRIFT = "clock_drift"
    METER_EVENT = "meter_event"
    """The meter's own log has something new: it happens, and is neither raised nor cleared."""


MOMENTS = frozenset({Kind.METER_EVENT})
"""Kinds that happen and are over at once."""

UNITS = {
    Kind.PHASE_LOAD: "A",
    Kind.UNBALANCE: "A",
    Kind.VOLTAGE_HIGH: "V",
    Kind.VOLTAGE_LOW: "V",
    Kind.EXPORT: "W",
    Kind.NO_EXPORT: "W",
    Kind.BASE_LOAD: "W",
    Kind.CLOCK_DRIFT: "s",
}
"""The unit of the value of those that have one."""
