"""The one list of what a meter measures: source id -> quantity, unit, phase, direction, tier.

Nothing else in the repository spells out a unit or a register name. MQTT topics,
Home Assistant classes, history columns, the page and the reference docs derive from
:data:`SOURCES`. A ``key`` is a published name: once released it never changes.

Raw values are the meter's own integers (Wh, W, mV, mA, mHz, 1/1000). ``raw / 10**decimals``
is the value in ``unit``, the unit people read.

The lists below are data: one row per source, or per family of sources that differ in
phase or quadrant only. Pages are those of the MEP guide v1.1 (078-0372-01).

This module does not know where in a table a source stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["SOURCES", "TIERS", "Direction", "Kind", "Quantity", "Source", "by_id", "in_tier"]

TIERS = 8
"""Tariff tiers of the largest meters (MEP guide v1.1 p. 202, BT21.7)."""


class Quantity(StrEnum):
    """What is measured."""

    ACTIVE_ENERGY = "active_energy"
    REACTIVE_ENERGY = "reactive_energy"
    APPARENT_ENERGY = "apparent_energy"
    ACTIVE_POWER = "active_power"
    REACTIVE_POWER = "reactive_power"
    APPARENT_POWER = "apparent_power"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    POWER_FACTOR = "power_factor"
    PHASE_ANGLE_SINE = "phase_angle_sine"
    """Sine of the angle between voltage and current of one phase."""
    VOLTAGE_ANGLE = "voltage_angle"
    """Angle between the voltages of two neighbouring phases."""
    DURATION = "duration"
    COUNT = "count"
    DEMAND = "demand"
    """Demand of the source that BT22 or BT27 selects; the unit is that source's."""


class Kind(StrEnum):
    """How a value behaves in time, which decides what the guard may believe of it."""

    REGISTER = "register"
    """Counts up only, until it rolls over (energies, outage seconds, counts)."""
    NET_REGISTER = "net_register"
    """A total that may fall (forward minus reverse)."""
    PRESENT = "present"
    """A present value: may be anything the next second."""


class Direction(StrEnum):
    """Seen from the house: import is drawn from the grid (the guide's forward)."""

    IMPORT = "import"
    EXPORT = "export"


# eq=False: there is one object per source, so identity is equality, and hashing costs nothing in the decoders.
@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One measured quantity."""

    id: int | None
    """C12.19 source id; None where the guide prints none (table position only)."""
    key: str
    """Published name, stable for ever: ``active_power_import_l1``."""
    label: str
    """English name for people: ``Import power L1``."""
    quantity: Quantity
    kind: Kind
    raw_unit: str
    """Unit of the meter's integer: ``mV``."""
    unit: str
    """Unit people read: ``V``; empty for none."""
    decimals: int
    """Value in ``unit`` = raw / 10**decimals; also the digits worth showing at most."""
    citation: str
    """Document, version and page that say so."""
    phase: int | None = None
    """1, 2, 3 or None for all phases together."""
    direction: Direction | None = None
    tier: int | None = None
    """Tariff tier, 0-based as in the tables; None for the total."""

    def scaled(self, raw: int) -> float:
        """Return ``raw`` in :attr:`unit`."""
        return raw / 10**self.decimals if self.decimals else raw

    def text(self, raw: int) -> str:
        """Return ``raw`` in :attr:`unit` as decimal digits, exactly: ``65845.342``, ``2``."""
        whole, part = divmod(abs(raw), 10**self.decimals)
        digits = f"{whole}.{part:0{self.decimals}d}".rstrip("0").rstrip(".") if part else str(whole)
        return "-" + digits if raw < 0 else digits

    def __reduce__(self) -> str | tuple[object, ...]:
        """Keep copies and pickles the one object they came from."""
        return (_published, (self.key,))


def _published(key: str) -> Source:
    return SOURCES[key]


class _Measure(NamedTuple):
    """What a meter's integer stands for and how people read it."""

    quantity: Quantity
    raw_unit: str
    unit: str
    decimals: int


_WH = _Measure(Quantity.ACTIVE_ENERGY, "Wh", "kWh", 3)
_VARH = _Measure(Quantity.REACTIVE_ENERGY, "varh", "kvarh", 3)
_VAH = _Measure(Quantity.APPARENT_ENERGY, "VAh", "kVAh", 3)
_W = _Measure(Quantity.ACTIVE_POWER, "W", "W", 0)
_VAR = _Measure(Quantity.REACTIVE_POWER, "var", "var", 0)
_VA = _Measure(Quantity.APPARENT_POWER, "VA", "VA", 0)
_MV = _Measure(Quantity.VOLTAGE, "mV", "V", 3)
_MA = _Measure(Quantity.CURRENT, "mA", "A", 3)
_MHZ = _Measure(Quantity.FREQUENCY, "mHz", "Hz", 3)
_FACTOR = _Measure(Quantity.POWER_FACTOR, "1/1000", "", 3)
_SINE = _Measure(Quantity.PHASE_ANGLE_SINE, "1/1000", "", 3)
_ANGLE = _Measure(Quantity.VOLTAGE_ANGLE, "1/100 deg", "\u00b0", 2)
_SECONDS = _Measure(Quantity.DURATION, "s", "s", 0)
_MINUTES = _Measure(Quantity.DURATION, "min", "min", 0)
_COUNT = _Measure(Quantity.COUNT, "", "", 0)
_DEMAND = _Measure(Quantity.DEMAND, "", "", 0)

_IMPORT = Direction.IMPORT
_EXPORT = Direction.EXPORT


class _Row(NamedTuple):
    """A source, or a family: ``{phase}``, ``{quadrant}`` ... in ``key`` and ``label`` count up, and the id with them."""

    id: int | None
    key: str
    label: str
    measure: _Measure
    pages: str
    direction: Direction | None = None
    kind: Kind = Kind.PRESENT


_REGISTER = Kind.REGISTER
_NET = Kind.NET_REGISTER

# Energies and counters. Ids: p. 204-205; meaning: BT23, p. 208-210.
_REGISTERS = (
    _Row(0, "active_energy_import", "Import energy", _WH, "204, 208", _IMPORT, _REGISTER),
    _Row(1, "active_energy_export", "Export energy", _WH, "204, 208", _EXPORT, _REGISTER),
    _Row(2, "reactive_energy_import", "Import reactive energy", _VARH, "204, 208", _IMPORT, _REGISTER),
    _Row(3, "reactive_energy_export", "Export reactive energy", _VARH, "204, 208", _EXPORT, _REGISTER),
    _Row(4, "outage_duration", "Power outage duration", _SECONDS, "204, 208", None, _REGISTER),
    _Row(5, "outage_count", "Power outages", _COUNT, "204, 209", None, _REGISTER),
    _Row(6, "active_energy_sum", "Import plus export energy", _WH, "204, 209", None, _REGISTER),
    _Row(7, "active_energy_net", "Import minus export energy", _WH, "204, 209", None, _NET),
    _Row(26, "pulse_count_1", "Pulse input 1", _COUNT, "204, 209", None, _REGISTER),
    _Row(27, "pulse_count_2", "Pulse input 2", _COUNT, "204, 209", None, _REGISTER),
    _Row(28, "error_count", "Error counter", _COUNT, "204, 209", None, _REGISTER),
    _Row(108, "reactive_energy_q{quadrant}", "Reactive energy Q{quadrant}", _VARH, "205, 209", None, _REGISTER),
    # The list of ids has none for apparent energy (p. 204-206): BT23 numbers 15-18, by position only.
    _Row(None, "apparent_energy_q{quadrant}", "Apparent energy Q{quadrant}", _VAH, "210", None, _REGISTER),
    _Row(None, "demand_reset_count", "Demand resets", _COUNT, "208", None, _REGISTER),
    # Counters of M-Bus and MEP devices may start anew when the device is exchanged: nothing says they only grow.
    _Row(73, "device_{device}_counter_{counter}", "Device {device} counter {counter}", _COUNT, "205", None, _NET),
)

# Of each tier group the ids run in this order (p. 204-205); the outage duration is in minutes here.
_TIER_GROUP = (
    "active_energy_import",
    "active_energy_export",
    "reactive_energy_import",
    "reactive_energy_export",
    "outage_duration",
    "outage_count",
    "active_energy_sum",
    "active_energy_net",
    "pulse_count_1",
    "pulse_count_2",
    "error_count",
)
_TIER_IDS = (29, 40, 51, 62)
# BT23 leaves these out of the tier blocks (p. 208-209), so tiers without an id have none of them.
_NOT_BY_TIER = frozenset({"outage_duration", "outage_count", "pulse_count_1", "pulse_count_2", "error_count"})

# What is true now. Ids: p. 204-206; units: BT28, p. 216-220.
_PRESENT = (
    _Row(8, "active_power_import", "Import power", _W, "204, 216", _IMPORT),
    _Row(9, "active_power_export", "Export power", _W, "204, 216", _EXPORT),
    _Row(10, "reactive_power_import", "Import reactive power", _VAR, "204, 216", _IMPORT),
    _Row(11, "reactive_power_export", "Export reactive power", _VAR, "204, 216", _EXPORT),
    _Row(12, "current_l{phase}", "Current L{phase}", _MA, "204, 216"),
    _Row(15, "voltage_l{phase}", "Voltage L{phase}", _MV, "204, 216"),
    _Row(18, "power_factor_l1", "Power factor L1", _FACTOR, "204, 216"),
    _Row(19, "frequency", "Frequency", _MHZ, "204, 216"),
    _Row(20, "apparent_power", "Apparent power", _VA, "204, 216"),
    _Row(21, "power_factor_l2", "Power factor L2", _FACTOR, "204, 216"),
    _Row(22, "power_factor_l3", "Power factor L3", _FACTOR, "204, 216"),
    _Row(23, "phase_angle_sine_l{phase}", "Sine of phase angle L{phase}", _SINE, "204, 216"),
    # "primary": multiplied by the CT and VT ratios, so what flows on the primary side of the transformers.
    _Row(81, "active_power_primary_import", "Import power, primary side", _W, "205, 216", _IMPORT),
    _Row(82, "active_power_primary_export", "Export power, primary side", _W, "205, 217", _EXPORT),
    _Row(83, "reactive_power_primary_import", "Import reactive power, primary side", _VAR, "205, 217", _IMPORT),
    _Row(84, "reactive_power_primary_export", "Export reactive power, primary side", _VAR, "205, 217", _EXPORT),
    _Row(88, "present_demand_{demand}", "Present demand {demand}", _DEMAND, "205, 215"),
    _Row(96, "previous_demand_{demand}", "Previous demand {demand}", _DEMAND, "205"),
    _Row(104, "reactive_power_q{quadrant}", "Reactive power Q{quadrant}", _VAR, "205, 217"),
    _Row(164, "voltage_min_l{phase}", "Lowest voltage L{phase}", _MV, "205"),
    _Row(167, "voltage_max_l{phase}", "Highest voltage L{phase}", _MV, "205"),
    _Row(170, "active_power_max_import", "Highest import power", _W, "205", _IMPORT),
    _Row(171, "active_power_max_export", "Highest export power", _W, "205", _EXPORT),
    _Row(172, "reactive_power_max_q{quadrant}", "Highest reactive power Q{quadrant}", _VAR, "205"),
    _Row(177, "active_power_primary_max_import", "Highest import power, primary side", _W, "205", _IMPORT),
    _Row(178, "active_power_primary_max_export", "Highest export power, primary side", _W, "205", _EXPORT),
    _Row(
        179,
        "active_power_primary_max_import_l{phase}",
        "Highest import power L{phase}, primary side",
        _W,
        "205",
        _IMPORT,
    ),
    # The list prints 182 as phase "A"; A, B, C are L1, L2, L3.
    _Row(
        182,
        "active_power_primary_max_export_l{phase}",
        "Highest export power L{phase}, primary side",
        _W,
        "205-206",
        _EXPORT,
    ),
    _Row(185, "active_power_import_l{phase}", "Import power L{phase}", _W, "206, 217", _IMPORT),
    _Row(188, "active_power_export_l{phase}", "Export power L{phase}", _W, "206, 217", _EXPORT),
    _Row(191, "active_power_primary_import_l{phase}", "Import power L{phase}, primary side", _W, "206, 217", _IMPORT),
    _Row(194, "active_power_primary_export_l{phase}", "Export power L{phase}, primary side", _W, "206, 217", _EXPORT),
    _Row(197, "current_primary_l{phase}", "Current L{phase}, primary side", _MA, "206, 218"),
    _Row(201, "interval_clock_adjustment", "Clock adjustment in this load profile interval", _SECONDS, "206"),
    _Row(202, "voltage_continuous_l{phase}", "Continuous voltage L{phase}", _MV, "206, 218"),
    _Row(205, "voltage_average_l{phase}", "Average voltage L{phase}", _MV, "206, 218"),
    _Row(208, "active_power_average_import", "Average import power", _W, "206, 218", _IMPORT),
    _Row(209, "active_power_average_export", "Average export power", _W, "206, 218", _EXPORT),
    _Row(210, "active_power_average_import_l{phase}", "Average import power L{phase}", _W, "206, 218", _IMPORT),
    _Row(213, "active_power_average_export_l{phase}", "Average export power L{phase}", _W, "206, 218", _EXPORT),
    _Row(216, "apparent_power_q{quadrant}", "Apparent power Q{quadrant}", _VA, "206, 218-219"),
    _Row(220, "apparent_power_q{quadrant}_l{phase}", "Apparent power Q{quadrant} L{phase}", _VA, "206, 219"),
    _Row(232, "current_neutral", "Neutral current", _MA, "206, 219"),
    _Row(233, "current_average_l{phase}", "Average current L{phase}", _MA, "206, 219"),
    _Row(236, "voltage_angle_l1_l2", "Voltage angle L1 to L2", _ANGLE, "206, 219"),
    _Row(237, "voltage_angle_l2_l3", "Voltage angle L2 to L3", _ANGLE, "206, 219"),
    _Row(238, "voltage_angle_l3_l1", "Voltage angle L3 to L1", _ANGLE, "206, 220"),
    _Row(239, "reactive_power_import_l{phase}", "Import reactive power L{phase}", _VAR, "206, 220", _IMPORT),
    _Row(242, "reactive_power_export_l{phase}", "Export reactive power L{phase}", _VAR, "206, 220", _EXPORT),
)

# Outer counts first: ids 220-231 run through the quadrants of L1, then of L2, then of L3 (p. 206).
_RANGES = {
    "phase": range(1, 4),
    "quadrant": range(1, 5),
    "demand": range(1, 9),
    "device": range(1, 5),
    "counter": range(1, 3),
}


def _expand(row: _Row) -> Iterator[Source]:
    """Yield the sources of one row, counting phases, quadrants and numbers up."""
    counted = [name for name in _RANGES if f"{{{name}}}" in row.key]
    for step, numbers in enumerate(product(*(_RANGES[name] for name in counted))):
        chosen = dict(zip(counted, numbers, strict=True))
        key = row.key.format(**chosen)
        yield Source(
            id=None if row.id is None else row.id + step,
            key=key,
            label=row.label.format(**chosen),
            **row.measure._asdict(),
            kind=row.kind,
            citation=f"MEP guide v1.1 p. {row.pages}",
            # Families count phases; three single rows (power factors) carry the phase in their key.
            phase=chosen.get("phase") or (int(key[-1]) if key.startswith("power_factor_l") else None),
            direction=row.direction,
        )


def _tiered(totals: Mapping[str, Source]) -> Iterator[Source]:
    """Yield the per-tier twins of the energies: with ids for tiers 0-3, without for the rest."""
    for tier in range(TIERS):
        for key, total in totals.items():
            number = _TIER_IDS[tier] + _TIER_GROUP.index(key) if tier < len(_TIER_IDS) and key in _TIER_GROUP else None
            if key == "demand_reset_count" or key.startswith("device_") or (number is None and key in _NOT_BY_TIER):
                continue
            measure = _MINUTES if key == "outage_duration" else total
            yield Source(
                id=number,
                key=f"{key}_t{tier + 1}",
                # As on the meter's display, which counts tariffs from 1 (p. 203).
                label=f"{total.label}, tariff {tier + 1}",
                quantity=total.quantity,
                kind=total.kind,
                raw_unit=measure.raw_unit,
                unit=measure.unit,
                decimals=measure.decimals,
                citation="MEP guide v1.1 p. 204-205, 211" if number is not None else "MEP guide v1.1 p. 202, 210-211",
                direction=total.direction,
                tier=tier,
            )


def _all() -> Mapping[str, Source]:
    registers = {source.key: source for row in _REGISTERS for source in _expand(row)}
    present = {source.key: source for row in _PRESENT for source in _expand(row)}
    tiers = {source.key: source for source in _tiered(registers)}
    return MappingProxyType({**registers, **tiers, **present})


SOURCES: Mapping[str, Source] = _all()
"""Every source by its published key. Ids 85-87, 176 and 200 measure nothing; 112-163 are mapped by ET66 (p. 205-206)."""

_BY_ID: Mapping[int, Source] = {source.id: source for source in SOURCES.values() if source.id is not None}


def by_id(number: int) -> Source | None:
    """Return the source of a C12.19 source id, None for ids that are unused, mapped or unknown."""
    return _BY_ID.get(number)


def in_tier(source: Source, tier: int) -> Source | None:
    """Return the twin of a total in ``tier`` (0-based) as BT23's tier blocks hold it.

    None where the tier blocks have no such value (outages, pulses, errors: MEP guide v1.1 p. 208-209).
    """
    return None if source.key in _NOT_BY_TIER else SOURCES.get(f"{source.key}_t{tier + 1}")
