"""Makes the texts by which the module announces itself to Home Assistant: of the gateway's own announcement.

The gateway's :class:`~nes2mqtt.outputs.mqtt.discovery.Discovery` is told of a meter that has every value the module can read. What it
would publish is cut into one text for each kind of entity, with marks where names stand. So ids, topics, classes and templates are
the gateway's, and stay so: a test compares.

This module does not know how the texts are put together; :mod:`nesmodule.outputs.homeassistant` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nes2mqtt.outputs.mqtt.client.connection import Limits
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.discovery import Discovery
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from nesmodule.meter import plan
from osgp.sources import SOURCES, Kind

__all__ = ["ENTITIES", "announced", "entities_text"]

ENTITIES = Path(__file__).resolve().parent.parent / "nesmodule" / "outputs" / "entities.txt"
"""The file that is written; it is kept in the repository, and a test compares."""

_GATEWAY, _METER, _BASE, _EXPIRE = "GATEWAYNAME", "METERNAME", "BASETOPIC", 987654
_MARKS = ((_GATEWAY, "\1"), (_METER, "\2"), (_BASE, "\3"), (str(_EXPIRE), "\4"))
_KEY, _LABEL = "\5", "\6"
_OTHERS = ("net_power", "meter_state", "problem", "link_quality")
"""Entities that are no value of the meter; of the gateway's, those that the module has something to tell of."""


def announced(
    gateway: str, meter: str, base: str, keys: Iterator[str] | None = None, *, expire_after: int = 30
) -> list[Any]:
    """Return what the gateway would publish of itself and of a meter: topic and document of each.

    Args:
        gateway: its name.
        meter: the meter's id.
        base: the base topic.
        keys: of the values the meter has; None: all that the module can read.
        expire_after: seconds after which a live value is forgotten.
    """
    config = MqttConfig(host="broker").model_copy(update={"base_topic": base})
    info = GatewayInfo(gateway, "0", ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC))
    discovery = Discovery(config, info, expire_after=lambda _: expire_after)
    chosen = [SOURCES[key] for key in (_keys() if keys is None else keys)]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    discovery.learn(MeterStatus(MeterInfo(meter), MeterState.ONLINE, now), 0.0)
    lasting = {source: 0 for source in chosen if source.kind is not Kind.PRESENT}
    present = {source: 0 for source in chosen if source.kind is Kind.PRESENT}
    discovery.learn(Sample(meter, TableGroup.REGISTERS, now, lasting), 0.0)
    discovery.learn(Sample(meter, TableGroup.PRESENT, now, present), 0.0)
    return [(message.topic, json.loads(message.payload)) for message in discovery.everything(0.0, Limits())]


def _keys() -> list[str]:
    return [line.split(":")[1] for line in plan.SOURCES.decode().split()]


def entities_text() -> str:
    """Return the texts as :mod:`nesmodule.outputs.homeassistant` reads them, a little at a time.

    First come lines of key, name and place: the byte at which the entity's text begins. The first two are no entities: they are the
    announcement of the module, and what stands between the device and the entities of a meter. Behind an empty line come the texts.
    """
    (_, gateway), (_, meter) = announced(_GATEWAY, _METER, _BASE, expire_after=_EXPIRE)
    gateway["o"] = meter["o"] = {"name": "nesmodule"}
    gateway["dev"] = {**gateway["dev"], "mdl": "Module"}
    gateway["dev"].pop("sw", None)
    components = meter.pop("cmps")
    meter.pop("dev")
    head = "," + _marked(meter)[1:-1] + "," + json.dumps("cmps") + ":{"
    entities = [("module", "", _marked(gateway)), ("meter", "", head)]
    for key in (*_keys(), *_OTHERS):
        label = SOURCES[key].label if key in SOURCES else ""
        text = _marked(components[key]).replace(key, _KEY)
        if label:
            text = text.replace(f'"name":"{label}"', f'"name":"{_LABEL}"')
        entities.append((key, label, text))
    lines = dict.fromkeys(f"{text}\n" for _, _, text in entities)
    index = "".join(f"{key}:{label}:{_PLACE}\n" for key, label, _ in entities) + "\n"
    places, place = {}, len(index.encode())
    for line in lines:
        places[line] = place
        place += len(line.encode())
    for _, _, text in entities:
        index = index.replace(_PLACE, str(places[text + "\n"]).zfill(len(_PLACE)), 1)
    return index + "".join(lines)


_PLACE = "@@@@@"


def _marked(document: Any) -> str:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    for name, mark in _MARKS:
        text = text.replace(name, mark)
    return text
