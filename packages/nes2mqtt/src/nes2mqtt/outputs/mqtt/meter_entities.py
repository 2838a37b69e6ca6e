"""The entities of a meter that show no measured value: how the link to it is.

This module does not know messages of discovery, nor what a meter has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from nes2mqtt.outputs.mqtt.dialects import homeassistant as topics
from nes2mqtt.readings.reading import LinkQuality, MeterState

__all__ = ["Component", "link_entities", "template"]

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
