"""Measured values as lines of text: power now, phases, registers by tariff.

This module does not know meters or terminals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osgp.cli.text.terminal import columns
from osgp.sources import SOURCES, Quantity, Source, in_tier

__all__ = ["energy_lines", "phase_lines", "power_lines", "power_now", "value_text"]

_SHOWN_DECIMALS = {
    Quantity.VOLTAGE: 1,
    Quantity.CURRENT: 2,
    Quantity.FREQUENCY: 2,
    Quantity.POWER_FACTOR: 2,
}
"""What a person wants to see; JSON has all digits."""

_POWERS = (
    "active_power_import",
    "active_power_export",
    "reactive_power_import",
    "reactive_power_export",
    "apparent_power",
    "frequency",
)
_PHASE_ROWS = (
    ("Import power", "active_power_import_l{}"),
    ("Export power", "active_power_export_l{}"),
    ("Voltage", "voltage_l{}"),
    ("Current", "current_l{}"),
    ("Power factor", "power_factor_l{}"),
)
_ENERGIES = (
    "active_energy_import",
    "active_energy_export",
    "reactive_energy_import",
    "reactive_energy_export",
    "outage_duration",
    "outage_count",
)

Values = Mapping[Source, int]


def value_text(source: Source, raw: int) -> str:
    """Return a value with its unit, as people read it."""
    decimals = _SHOWN_DECIMALS.get(source.quantity, source.decimals)
    return f"{source.scaled(raw):,.{decimals}f} {source.unit}".rstrip()


def power_now(values: Values) -> int | None:
    """Return the power through the meter in W, drawn from the grid positive; None if the meter does not tell."""
    drawn, given = (values.get(SOURCES[key]) for key in ("active_power_import", "active_power_export"))
    if drawn is None:
        return None if given is None else -given
    return drawn - (given or 0)


def power_lines(values: Values) -> list[str]:
    """Return power and frequency, one a line."""
    rows = [
        [SOURCES[key].label, value_text(SOURCES[key], values[SOURCES[key]])]
        for key in _POWERS
        if SOURCES[key] in values
    ]
    return columns(rows, right=(1,), indent=2)


def phase_lines(values: Values) -> list[str]:
    """Return a table of the phases; nothing if the meter does not tell them apart."""
    rows = []
    for label, key in _PHASE_ROWS:
        sources = [SOURCES[key.format(phase)] for phase in (1, 2, 3)]
        if any(source in values for source in sources):
            cells = [value_text(source, values[source]) if source in values else "-" for source in sources]
            rows.append([label, *cells])
    return columns([["", "L1", "L2", "L3"], *rows], right=(1, 2, 3), indent=2) if rows else []


def energy_lines(values: Values) -> list[str]:
    """Return the registers: totals, and of each tariff that was ever used."""
    totals = [SOURCES[key] for key in _ENERGIES if SOURCES[key] in values]
    tiers = [tier for tier in range(8) if any(values.get(source) for source in _in_tier(totals, tier))]
    rows = []
    for source in totals:
        cells = [value_text(source, values[source])]
        for tier in tiers:
            twin = in_tier(source, tier)
            cells.append(value_text(twin, values[twin]) if twin is not None and twin in values else "")
        rows.append([source.label, *cells])
    head = ["", "total", *(f"tariff {tier + 1}" for tier in tiers)]
    return columns([head, *rows], right=range(1, 2 + len(tiers)), indent=2) if rows else []


def _in_tier(totals: Sequence[Source], tier: int) -> list[Source]:
    return [twin for source in totals if (twin := in_tier(source, tier)) is not None]
