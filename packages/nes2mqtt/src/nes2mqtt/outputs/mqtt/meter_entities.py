"""The entities of a meter that show no measured value: how the link to it is, what it says of itself, what its logs told.

This module does not know messages of discovery, nor what a meter has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from nes2mqtt.outputs.mqtt.dialects import homeassistant as topics
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.reading import LinkQuality, MeterState, MeterStatus
from osgp.ports.tap.health import told_of
from osgp.sources import Direction
from osgp.tables.logs.event_names import STANDARD_NAMES
from osgp.tables.status.state import Contactor

__all__ = [
    "CONDITION_KEYS",
    "COST_KEYS",
    "MODULE_KEYS",
    "Component",
    "condition_entities",
    "condition_keys",
    "cost_entities",
    "link_entities",
    "log_entity",
    "module_entities",
    "module_keys",
    "template",
]

Component = dict[str, Any]


def template(key: str) -> str:
    """Return what takes a key out of a document; a key that is missing is shown as unknown."""
    # .get() gives None, which Home Assistant shows as unknown; an attribute that is missing would be a warning.
    return f"{{{{ value_json.get('{key}') }}}}"


def link_entities(base: str, gateway: str) -> Iterator[tuple[str, Component]]:
    """Yield what helps when the meter is silent: available as long as this program is.

    Args:
        base: what the meter's topics start with.
        gateway: the topic that says whether this program is there.
    """
    common: Component = {
        "p": "sensor",
        "state_topic": f"{base}/{topics.LINK}",
        "entity_category": "diagnostic",
        "availability": [{"topic": gateway}],
    }
    yield (
        "meter_state",
        common
        | {
            "name": "Meter state",
            "device_class": "enum",
            "options": [state.value for state in MeterState],
            "value_template": template("state"),
            "json_attributes_topic": f"{base}/{topics.LINK}",
        },
    )
    yield (
        "last_reply",
        common
        | {
            "name": "Last reply",
            "device_class": "timestamp",
            "value_template": template("last_reply"),
            # It changes with every message, and each change is a line in Home Assistant's logbook.
            "enabled_by_default": False,
        },
    )
    yield (
        "problem",
        common
        | {
            "p": "binary_sensor",
            "name": "Problem",
            # Home Assistant says it in the reader's language; the words of meter_state it cannot translate.
            "device_class": "problem",
            "payload_on": "True",
            "payload_off": "False",
            "value_template": "{{ value_json.get('message', '') != '' }}",
        },
    )
    yield (
        "event",
        {
            "p": "event",
            "name": "Event",
            "state_topic": f"{base}/{topics.EVENT}",
            "event_types": list(topics.EVENTS),
            "availability": common["availability"],
        },
    )
    yield (
        "link_quality",
        common
        | {
            "name": "Requests answered",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 1,
            "value_template": template("answered"),
        },
    )
    yield (
        "clock_ahead",
        common
        | {
            "name": "Meter clock ahead",
            "device_class": "duration",
            "unit_of_measurement": "s",
            "state_class": "measurement",
            "suggested_display_precision": 0,
            # A whole number: rounded by Home Assistant, -0.3 would be shown as -0.
            "value_template": ("{% set s = value_json.get('clock_ahead') %}{{ s|round|int if s is number else None }}"),
        },
    )
    for count in fields(LinkQuality):
        yield (
            f"link_{count.name}",
            common
            | {
                "name": f"Link {count.name.replace('_', ' ')}",
                # They restart at 0 with this program.
                "state_class": "total_increasing",
                "enabled_by_default": False,
                "value_template": template(count.name),
            },
        )


_MODULE: Mapping[str, Component] = {
    "module_uptime": {
        "name": "Module uptime",
        "device_class": "duration",
        "unit_of_measurement": "s",
        # Each change is a line in Home Assistant's logbook.
        "enabled_by_default": False,
    },
    "module_firmware": {"name": "Module firmware"},
    "module_wifi_strength": {
        "name": "Module Wi-Fi strength",
        "device_class": "signal_strength",
        "unit_of_measurement": "dBm",
        "state_class": "measurement",
    },
    "module_free_memory": {
        "name": "Module free memory",
        "device_class": "data_size",
        "unit_of_measurement": "B",
        "state_class": "measurement",
        "enabled_by_default": False,
    },
    "module_restart_reason": {"name": "Module restarted by"},
}

MODULE_KEYS = tuple(_MODULE)
"""Entities of what a module in the meter may say of itself."""


def module_keys(status: MeterStatus) -> set[str]:
    """Return the entities for what a module tells."""
    return set() if status.module is None else {f"module_{key}" for key in told_of(status.module)}


def module_entities(base: str, gateway: str, keys: Collection[str]) -> Iterator[tuple[str, Component]]:
    """Yield what a module in the meter says of itself.

    Args:
        base: what the meter's topics start with.
        gateway: the topic that says whether this program is there.
        keys: those that it told.
    """
    for key, entity in _MODULE.items():
        if key in keys:
            yield (
                key,
                {
                    "p": "sensor",
                    "state_topic": f"{base}/{topics.LINK}",
                    "entity_category": "diagnostic",
                    "availability": [{"topic": gateway}],
                    "value_template": template(key),
                    **entity,
                },
            )


_CONDITIONS: Mapping[str, Component] = {
    "alarm": {
        "p": "binary_sensor",
        "name": "Alarm",
        "device_class": "problem",
        "value_template": template("problem"),
    },
    "phase_loss": {"p": "binary_sensor", "name": "Phase loss", "device_class": "problem"},
    "cover_removed": {"p": "binary_sensor", "name": "Cover removed", "device_class": "tamper"},
    "low_battery": {
        "p": "binary_sensor",
        "name": "Battery",
        "device_class": "battery",
        "entity_category": "diagnostic",
    },
    "contactor": {
        "p": "sensor",
        "name": "Contactor",
        "device_class": "enum",
        "options": [state.value for state in Contactor],
    },
    "tariff": {"p": "sensor", "name": "Tariff"},
    "tariff_next": {
        "p": "sensor",
        "name": "Next tariff",
        "device_class": "timestamp",
        "value_template": template("next_tariff_at"),
    },
}

CONDITION_KEYS = tuple(_CONDITIONS)
"""Entities of what a meter may say of itself."""

_WITH_ALL = frozenset({"alarm", "tariff_next"})
"""Entities that have the whole document as attributes: which alarms, which tariff is next."""


def condition_keys(read: ConditionRead) -> set[str]:
    """Return the entities for what a meter tells."""
    state, tariffs = read.state, read.tariffs
    alarms = state is not None and state.alarms is not None
    told = {
        "alarm": read.problem is not None,
        "phase_loss": read.quality is not None,
        **dict.fromkeys(topics.ALARMS, alarms),
        "contactor": state is not None and state.contactor is not None,
        "tariff": tariffs is not None,
        "tariff_next": tariffs is not None and tariffs.next is not None,
    }
    return {key for key, so in told.items() if so}


def condition_entities(base: str, keys: Collection[str]) -> Iterator[tuple[str, Component]]:
    """Yield the entities of what a meter says of itself.

    Args:
        base: what the meter's topics start with.
        keys: those that it has.
    """
    topic = f"{base}/{topics.CONDITION}"
    for key, entity in _CONDITIONS.items():
        if key in keys:
            payloads = {"payload_on": "True", "payload_off": "False"} if entity["p"] == "binary_sensor" else {}
            attributes = {"json_attributes_topic": topic} if key in _WITH_ALL else {}
            common = {"state_topic": topic, "qos": 1, "value_template": template(key)}
            yield key, {**common, **payloads, **attributes, **entity}


def log_entity(base: str, names: Iterable[str]) -> tuple[str, Component]:
    """Return the entity of what a meter's own logs tell.

    Args:
        base: what the meter's topics start with.
        names: what the owner calls events.
    """
    types = dict.fromkeys((*STANDARD_NAMES.values(), *names, topics.OUTAGE, topics.OTHER))
    return (
        "logged",
        {
            "p": "event",
            "name": "Logged by the meter",
            "state_topic": f"{base}/{topics.LOGGED}",
            "event_types": list(types),
            "qos": 1,
        },
    )


_COSTS: Mapping[Direction, Mapping[str, str]] = {
    Direction.IMPORT: {
        "import_price": "Electricity price",
        "cost_today": "Cost today",
        "cost_month": "Cost this month",
    },
    Direction.EXPORT: {
        "export_price": "Export price",
        "income_today": "Income today",
        "income_month": "Income this month",
    },
}

COST_KEYS = tuple(key for keys in _COSTS.values() for key in keys)
"""Entities of prices and costs."""


def cost_entities(
    base: str, gateway: str, directions: Collection[Direction], currency: str
) -> Iterator[tuple[str, Component]]:
    """Yield prices and costs, as the Energy dashboard takes them.

    What Home Assistant 2025.4 demands (files of the package ``homeassistant``): money has ``state_class: total`` and no other
    (DEVICE_CLASS_STATE_CLASSES in ``components/sensor/const.py``); ``total_increasing`` would take a price below zero for a
    new start. A price is recognised by its unit, which ends in ``/kWh`` (``components/energy/validate.py``); it has no
    device class, because money has a currency for its unit.

    Args:
        base: what the meter's topics start with.
        gateway: the topic that says whether this program is there.
        directions: for which there is a contract.
        currency: of the amounts.
    """
    topic = f"{base}/{topics.COSTS}"
    for direction in (Direction.IMPORT, Direction.EXPORT):
        for key, name in _COSTS[direction].items() if direction in directions else ():
            common = {"p": "sensor", "name": name, "state_topic": topic, "qos": 1, "value_template": template(key)}
            if key.endswith("_price"):
                more: Component = {
                    "unit_of_measurement": f"{currency}/kWh",
                    "state_class": "measurement",
                    "suggested_display_precision": 4,
                }
            else:
                began = f"{key.rpartition('_')[2]}_began"
                more = {
                    "device_class": "monetary",
                    "unit_of_measurement": currency,
                    "state_class": "total",
                    "suggested_display_precision": 2,
                    "last_reset_value_template": f"{{{{ value_json.get('{began}', '') }}}}",
                }
            # Prices and sums stay true while the meter is silent.
            yield key, {**common, **more, "availability": [{"topic": gateway}]}
