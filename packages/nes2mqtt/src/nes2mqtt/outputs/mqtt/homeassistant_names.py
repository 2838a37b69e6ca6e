"""What Home Assistant calls our quantities, which entities are on from the start, and how its keys are abbreviated.

Units come from :data:`osgp.sources.SOURCES`; :data:`CLASSES` adds what only Home Assistant calls its own.

This module does not know messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from osgp.sources import Quantity

__all__ = ["ABBREVIATIONS", "CLASSES", "DISPLAY", "ENABLED", "MAINTENANCE", "HaClass"]

DISPLAY = "display"
"""Begins the names of entities that show what the display shows. Only these names end as others do: no meter's id may be
another's with this behind it."""


@dataclass(frozen=True, slots=True)
class HaClass:
    """What Home Assistant calls a quantity."""

    device_class: str | None = None
    """None where it has no word, or has one only in versions newer than those we serve."""
    precision: int | None = None
    """Decimals worth showing; None leaves it to Home Assistant."""


CLASSES: Mapping[Quantity, HaClass] = MappingProxyType(
    {
        Quantity.ACTIVE_ENERGY: HaClass("energy", 2),
        # device_class reactive_energy exists since 2025.6; an older Home Assistant drops an entity that has it.
        Quantity.REACTIVE_ENERGY: HaClass(None, 2),
        Quantity.APPARENT_ENERGY: HaClass(None, 2),
        Quantity.ACTIVE_POWER: HaClass("power", 0),
        Quantity.REACTIVE_POWER: HaClass("reactive_power", 0),
        Quantity.APPARENT_POWER: HaClass("apparent_power", 0),
        Quantity.VOLTAGE: HaClass("voltage", 1),
        Quantity.CURRENT: HaClass("current", 2),
        Quantity.FREQUENCY: HaClass("frequency", 2),
        Quantity.POWER_FACTOR: HaClass("power_factor", 2),
        Quantity.PHASE_ANGLE_SINE: HaClass(None, 2),
        Quantity.VOLTAGE_ANGLE: HaClass(None, 1),
        Quantity.DURATION: HaClass("duration", 0),
        Quantity.COUNT: HaClass(),
        Quantity.DEMAND: HaClass(),
    }
)
"""Home Assistant's device class and sensible precision of every quantity."""

MAINTENANCE = frozenset({Quantity.DURATION, Quantity.COUNT})
"""Quantities that tell of the meter's life rather than of electricity."""

ENABLED = frozenset(
    {"active_energy_import", "active_energy_export", "active_power_import", "active_power_export", "frequency"}
    | {f"{name}_l{phase}" for name in ("voltage", "current", "power_factor") for phase in (1, 2, 3)}
    | {f"active_power_{way}_l{phase}" for way in ("import", "export") for phase in (1, 2, 3)}
)
"""Sources whose entity is switched on when Home Assistant first sees it; the others wait to be."""

ABBREVIATIONS: Mapping[str, str] = MappingProxyType(
    {
        "availability": "avty",
        "availability_mode": "avty_mode",
        "device_class": "dev_cla",
        "enabled_by_default": "en",
        "entity_category": "ent_cat",
        "event_types": "evt_typ",
        "expire_after": "exp_aft",
        "json_attributes_topic": "json_attr_t",
        "last_reset_value_template": "lrst_val_tpl",
        "options": "ops",
        "payload_off": "pl_off",
        "payload_on": "pl_on",
        "state_class": "stat_cla",
        "state_topic": "stat_t",
        "suggested_display_precision": "sug_dsp_prc",
        "topic": "t",
        "unique_id": "uniq_id",
        "unit_of_measurement": "unit_of_meas",
        "value_template": "val_tpl",
    }
)
"""As Home Assistant 2025.4 knows them; what an older version would not know stays long."""
