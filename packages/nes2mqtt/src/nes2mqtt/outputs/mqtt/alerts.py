"""What needs attention, as brokers and Home Assistant get it: a document of states, messages of what is told, and entities.

This module does not know when an alert is raised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nes2mqtt.alerts.kinds import MOMENTS, UNITS, Kind
from nes2mqtt.alerts.telling import Telling, What
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.dialects import homeassistant as topics
from nes2mqtt.outputs.mqtt.dialects.rows import compact

if TYPE_CHECKING:
    from nes2mqtt.alerts.book import Alert
    from nes2mqtt.alerts.keeper import AlertKeeper

__all__ = ["ALERT_KEYS", "alert_entities", "gone_entities", "states", "told"]

_NAMES: Mapping[Kind, str] = {
    Kind.METER_SILENT: "No values",
    Kind.KEY_REFUSED: "Key refused",
    Kind.PHASE_LOAD: "Near the fuse",
    Kind.VOLTAGE_HIGH: "Voltage too high",
    Kind.VOLTAGE_LOW: "Voltage too low",
    Kind.UNBALANCE: "Unlike phases",
    Kind.EXPORT: "Giving to the grid",
    Kind.NO_EXPORT: "Nothing given to the grid",
    Kind.BASE_LOAD: "Much power at night",
    Kind.CLOCK_DRIFT: "Meter clock wrong",
}
_NO_PROBLEM = frozenset({Kind.EXPORT})
_TOLD = "alert_told"

ALERT_KEYS = (*(f"alert_{kind.value}" for kind in _NAMES), _TOLD)
"""Entities of alerts."""


def states(keeper: AlertKeeper, meter: str) -> Mapping[str, Any]:
    """Return the states of a meter's alerts by kind. A kind of which nothing is known now has no state.

    What is raised stays so while its value is absent or old, and is marked as stale.
    """
    by_kind: dict[Kind, list[Alert]] = {}
    for alert in keeper.book.of(meter):
        by_kind.setdefault(alert.rule.kind, []).append(alert)
    found = {kind.value: _state(keeper, alerts) for kind, alerts in by_kind.items()}
    return {"raised": [kind for kind, one in found.items() if one.get("state") == "on"], **found}


def _state(keeper: AlertKeeper, alerts: Sequence[Alert]) -> dict[str, Any]:
    raised = [alert for alert in alerts if alert.raised]
    if not raised:
        return {} if all(alert.unknown for alert in alerts) else {"state": "off"}
    first = raised[0]
    said = keeper.words.said(first.telling_of(What.RAISED))
    phases = [alert.rule.phase for alert in raised if alert.rule.phase]
    since = min((alert.since for alert in raised if alert.since is not None), default=None)
    unit = UNITS.get(first.rule.kind)
    known = {
        "state": "on",
        "phases": phases or None,
        "since": None if since is None else since.isoformat(timespec="seconds"),
        "limit": first.rule.limit if unit else None,
        "unit": unit,
        "stale": True if all(alert.unknown for alert in raised) else None,
        "title": said.title,
        "text": said.text,
    }
    return {key: value for key, value in known.items() if value is not None}


def told(config: MqttConfig, keeper: AlertKeeper, one: Telling) -> Message:
    """Return the message of something that people are told. It is not retained, because it is told once."""
    said = keeper.words.said(one)
    document = {"event_type": one.what.value, "title": said.title, "text": said.text, **one.document()}
    return Message(f"{topics.meter_base(config, one.meter)}/{topics.ALERT}", compact(document), qos=1)


def alert_entities(base: str, gateway: str, kinds: Sequence[Kind]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an entity for each kind, and one for what is told.

    Args:
        base: what the meter's topics start with.
        gateway: the topic that says whether this program is there.
        kinds: that are watched; none, no entity.
    """
    topic = f"{base}/{topics.ALERTS}"
    availability = {"availability": [{"topic": gateway}], "qos": 1}
    for kind in kinds:
        if kind in MOMENTS:
            continue
        part = f"value_json.get('{kind.value}', {{}})"
        entity = {
            "p": "binary_sensor",
            "name": _NAMES[kind],
            "state_topic": topic,
            "payload_on": "on",
            "payload_off": "off",
            # None, of a kind without a state, is shown as unknown.
            "value_template": f"{{{{ {part}.get('state') }}}}",
            "json_attributes_topic": topic,
            "json_attributes_template": f"{{{{ {part} | tojson }}}}",
            **availability,
        }
        yield f"alert_{kind.value}", entity if kind in _NO_PROBLEM else entity | {"device_class": "problem"}
    if kinds:
        yield (
            _TOLD,
            {
                "p": "event",
                "name": "Alert",
                "state_topic": f"{base}/{topics.ALERT}",
                "event_types": [what.value for what in What if what is not What.TEST],
                **availability,
            },
        )


def gone_entities(kinds: Sequence[Kind]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what removes the entities of kinds that are not watched any more.

    Home Assistant keeps what is merely left out of an announcement; a component with nothing but its platform it removes
    (``components/mqtt/discovery.py``).
    """
    for kind in _NAMES:
        if kind not in kinds:
            yield f"alert_{kind.value}", {"p": "binary_sensor"}
    if not kinds:
        yield _TOLD, {"p": "event"}
