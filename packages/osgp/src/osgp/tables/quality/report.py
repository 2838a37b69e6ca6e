"""ET09 as somebody asks for it: by phase, with what never happened left away.

This module does not know how the table is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from osgp.tables.quality.quality import DISTORTED, PHASES

__all__ = ["Distortion", "Events", "Extreme", "PhaseQuality", "SupplyQuality", "supply_quality"]

_TENTHS = 10
"""Percentages are in steps of 0.1 (p. 74-75)."""


@dataclass(frozen=True, slots=True)
class Events:
    """How often something happened since statistics were reset, and what is known of the last time."""

    count: int
    last: datetime | None = None
    """UTC; None where it never happened, or the meter's clock was not set."""
    voltage: int | None = None
    """In mV: of the last sag the lowest, of the last swell the highest."""


@dataclass(frozen=True, slots=True)
class Distortion:
    """Total harmonic distortion that was above the threshold (p. 74-75)."""

    count: int
    last: datetime | None
    maximum: float | None
    """In percent, of the last event, as is :attr:`average`."""
    average: float | None


@dataclass(frozen=True, slots=True)
class Extreme:
    """The lowest or highest there was, since statistics were reset."""

    value: int
    at: datetime | None
    """UTC."""


@dataclass(frozen=True, slots=True)
class PhaseQuality:
    """One phase."""

    name: str
    """``l1`` to ``l3``."""
    lost: bool
    """Whether it is missing now (p. 72)."""
    losses: Events
    sags: Events
    swells: Events
    over_currents: int
    deep_sags: Events | None
    """By the second set of thresholds, from firmware 4.10 on."""
    distortion: Mapping[str, Distortion]
    """Of ``voltage``, ``current`` and ``apparent power``, as far as the meter has a threshold for it; from firmware 3.10 on."""


@dataclass(frozen=True, slots=True)
class SupplyQuality:
    """What the meter counts of the supply's quality. Counts may fall: they can be reset."""

    phases: tuple[PhaseQuality, ...]
    lowest_frequency: Extreme | None
    """In mHz; None where none was measured yet."""
    highest_frequency: Extreme | None
    short_outages: int
    """Shorter than :attr:`long_outage_seconds`; of the longer ones there are records (``Meter.outages``)."""
    long_outage_seconds: int
    sag_percent: int
    """Below the rated voltage it is a sag."""
    swell_percent: int
    """Above the rated voltage it is a swell."""
    event_seconds: int
    """How long a sag or a swell must last to be counted."""


def supply_quality(et09: Mapping[str, Any], *, single_phase: bool = False) -> SupplyQuality:
    """Return what ET09 says.

    Args:
        et09: its fields.
        single_phase: the meter has but one phase; what ET09 holds of others is nothing.

    Raises:
        KeyError: ET09 ends before the fields that each meter has.
    """
    phases = PHASES[:1] if single_phase else PHASES
    return SupplyQuality(
        phases=tuple(_phase(et09, place, name) for place, name in enumerate(phases)),
        lowest_frequency=_extreme(et09["minimum_frequency"], et09["minimum_frequency_at"]),
        highest_frequency=_extreme(et09["maximum_frequency"], et09["maximum_frequency_at"]),
        short_outages=et09["short_outages"],
        long_outage_seconds=et09["long_outage_threshold"],
        sag_percent=et09["sag_threshold"],
        swell_percent=et09["swell_threshold"],
        event_seconds=et09["sag_swell_minutes"] * 60 + et09.get("sag_swell_seconds", 0),
    )


def _phase(et09: Mapping[str, Any], place: int, name: str) -> PhaseQuality:
    return PhaseQuality(
        name=name,
        lost=et09[f"phase_lost_{name}"],
        losses=_events(et09["phase_losses"][place]),
        sags=_events(et09["sags"][place], et09["sag_voltages"][place]),
        swells=_events(et09["swells"][place], et09["swell_voltages"][place]),
        over_currents=et09["over_current_events"][place],
        deep_sags=_events(et09["sags2"][place], et09["sag2_voltages"][place]) if "sag2_voltages" in et09 else None,
        distortion=_distortions(et09.get("distortion", ()), place),
    )


def _events(record: Mapping[str, Any], voltage: int | None = None) -> Events:
    if not record["events"]:
        return Events(0)
    return Events(record["events"], record["last_at"], voltage)


def _extreme(value: int, at: datetime | None) -> Extreme | None:
    return Extreme(value, at) if value > 0 else None


def _distortions(records: Sequence[Mapping[str, Any]], place: int) -> Mapping[str, Distortion]:
    # A threshold of 0 means that nothing is recorded (p. 74), so no count means nothing.
    return {
        name: _distortion(record["phases"][place])
        for name, record in zip(DISTORTED, records, strict=False)
        if record["threshold"]
    }


def _distortion(record: Mapping[str, Any]) -> Distortion:
    if not record["events"]:
        return Distortion(0, None, None, None)
    return Distortion(record["events"], record["last_at"], record["maximum"] / _TENTHS, record["average"] / _TENTHS)
