"""Home Assistant's device-based discovery: one retained message per meter, one for the gateway.

For a broker that takes only small messages a meter's is cut into parts, which are several messages with the same
device: a component always goes into the same part, whatever else the meter has.

What Home Assistant demands, and where it says so (files of the package ``homeassistant``):

- The message on ``<prefix>/device/<object_id>/config`` holds ``dev``, ``o`` and ``cmps``. Its root, ``dev`` and ``o``
  are closed: one unknown key there and the whole device is dropped (``components/mqtt/schemas.py``,
  DEVICE_DISCOVERY_SCHEMA). Ids are ``[a-zA-Z0-9_-]``.
- Keys may be abbreviated (``components/mqtt/abbreviations.py``), which makes a message a fifth smaller.
- Several messages may describe one device; entities are known by their ``unique_id``.
- Every component has a platform and a ``unique_id``; a component may override the availability it
  inherits from the root (SHARED_OPTIONS). Diagnostics do: they matter most when the meter is silent.
- ``last_reset_value_template`` goes with ``state_class: total`` only (``components/mqtt/sensor.py``). It renders to
  nothing while there is no last reset, which Home Assistant ignores; so a swapped meter's first
  register arrives together with the time it started from.
- With a new ``last_reset`` statistics add the whole new state (``components/sensor/recorder.py``). So after a swap the
  state is what was counted since the swap, not what the meter shows: a used meter would add its whole life. What it
  shows is an entity of its own then, without a state class: it has no statistics.
- Live values expire; registers do not (a retained value with ``expire_after`` would look fresh again after each
  restart of Home Assistant).
- ``object_id`` is gone in 2026.4; ``default_entity_id`` takes its place and older versions ignore it.

This module does not know connections; it builds messages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from nes2mqtt.alerts.kinds import Kind
from nes2mqtt.outputs.mqtt.alerts import ALERT_KEYS, alert_entities, gone_entities
from nes2mqtt.outputs.mqtt.client.connection import Limits
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.devices.messages import DeviceMessages
from nes2mqtt.outputs.mqtt.dialects import homeassistant as topics
from nes2mqtt.outputs.mqtt.dialects.rows import compact
from nes2mqtt.outputs.mqtt.homeassistant_names import ABBREVIATIONS, CLASSES, DISPLAY, ENABLED, MAINTENANCE
from nes2mqtt.outputs.mqtt.meter_entities import (
    CONDITION_KEYS,
    COST_KEYS,
    MODULE_KEYS,
    Component,
    condition_entities,
    condition_keys,
    cost_entities,
    link_entities,
    log_entity,
    module_entities,
    module_keys,
    template,
)
from nes2mqtt.outputs.unique_ids import gateway_id, value_id
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.reading import (
    ConditionRead,
    DevicesRead,
    EntriesRead,
    Event,
    LinkQuality,
    MeterInfo,
    MeterStatus,
    TableGroup,
)
from osgp.sources import SOURCES, Direction, Source
from osgp.sources import Kind as SourceKind

__all__ = ["PARTS", "Discovery"]


PARTS = (0, 24, 8, 2)
"""Components in a part: 0 is all in one message; the next is tried when a message is too large for the broker."""

_GROUPS = {TableGroup.PRESENT: topics.PRESENT, TableGroup.REGISTERS: topics.REGISTERS}

_PLACES: Mapping[str, int] = MappingProxyType(
    {
        key: place
        for place, key in enumerate(
            (
                *SOURCES,
                "net_power",
                "meter_state",
                "problem",
                "event",
                "last_reply",
                "link_quality",
                "clock_ahead",
                f"{DISPLAY}_active_energy_import",
                f"{DISPLAY}_active_energy_export",
                *(f"link_{count.name}" for count in fields(LinkQuality)),
                *CONDITION_KEYS,
                "logged",
                *COST_KEYS,
                *ALERT_KEYS,
                *MODULE_KEYS,
            )
        )
    }
)
"""Decides which part a component goes into; new ones stand at the end."""


def _register_template(key: str) -> str:
    # What was counted since the meter was exchanged, and before that what it shows.
    return f"{{{{ value_json.get('{topics.SINCE_SWAP}', value_json).get('{key}') }}}}"


def _last_reset_template(key: str) -> str:
    return f"{{{{ value_json.get('last_reset', {{}}).get('{key}', '') }}}}"


def _abbreviated(document: Any) -> Any:
    if isinstance(document, list):
        return [_abbreviated(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {ABBREVIATIONS.get(key, key): _abbreviated(value) for key, value in document.items()}


def _reachable(url: str) -> str | None:
    """Return an address that somebody on another computer can open, None if it is none."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.hostname == "localhost":
        return None
    try:
        address = ip_address(parts.hostname)
    except ValueError:
        return url
    return None if address.is_loopback or address.is_unspecified else url


def _known(component: Component) -> Component:
    return {key: value for key, value in component.items() if value is not None}


@dataclass(slots=True)
class _Meter:
    """What is known of a meter so far."""

    info: MeterInfo
    first_heard: float
    groups: set[TableGroup] = field(default_factory=set)
    sources: set[Source] = field(default_factory=set)
    """The values it has, and below their keys."""
    keys: set[str] = field(default_factory=set)
    condition: set[str] = field(default_factory=set)
    """The entities of what it says of itself."""
    module: set[str] = field(default_factory=set)
    """The entities of what the module in it says."""
    exchanged: bool = False
    """What its registers count and what its display shows differ since it was exchanged."""


class Discovery:
    """Learns from events what each meter has, and announces it.

    A meter is announced once both of its tables have been read, so that the first message is already
    whole; one that keeps one of them to itself is announced after ``patience``.

    Args:
        config: topics and prefix.
        gateway: this program.
        expire_after: gives, for a meter, the seconds after which Home Assistant forgets a live value.
        patience: seconds to wait for the second table.
        noted: topics in which something of ours may be retained.
        event_names: what events of the meters' own logs are called, by meter and number; None: they are not delivered.
        alert_kinds: gives the kinds of alerts that a meter may have.
        remembers: a history remembers where a meter's registers stood when it was exchanged.
    """

    def __init__(
        self,
        config: MqttConfig,
        gateway: GatewayInfo,
        *,
        expire_after: Callable[[str], int],
        patience: float = 60.0,
        remembers: bool = True,
        noted: Iterable[str] = (),
        event_names: Mapping[str, Mapping[int, str]] | None = None,
        alert_kinds: Callable[[str], Sequence[Kind]] | None = None,
    ) -> None:
        self._config = config
        self._event_names = event_names
        self._alert_kinds = alert_kinds
        self._gateway = gateway
        self._expire_after = expire_after
        self._patience = patience
        self._remembers = remembers
        self.step = 0
        """Which of :data:`PARTS` is in use."""
        self._meters: dict[str, _Meter] = {}
        self._costs: dict[str, tuple[Collection[Direction], str]] = {}
        """For which directions a meter has contracts, and their currency."""
        self._news: dict[str, None] = {}
        """Meters of which there is something to announce, in the order it was learned."""
        self._announced: set[str] = set()
        self.gateway_id = gateway_id(gateway.name)
        self._noted = frozenset(noted)
        self._behind_meters = DeviceMessages(config, self.gateway_id, self._behind, gateway.timezone, self._noted)

    def learn(self, event: Event, now: float) -> bool:
        """Take note of an event; return whether there is something to announce.

        Args:
            event: whatever the hub offers.
            now: seconds of any clock that does not jump.
        """
        if isinstance(event, DevicesRead):
            self._behind_meters.learn(event)
            return True
        if isinstance(event, EntriesRead):
            return False
        meter = self._meters.get(event.meter)
        if meter is None:
            meter = self._meters[event.meter] = _Meter(MeterInfo(event.meter), now)
        if isinstance(event, ConditionRead):
            keys = condition_keys(event)
            changed = not keys <= meter.condition and bool(meter.keys)
            meter.condition |= keys
        elif isinstance(event, MeterStatus):
            told = module_keys(event)
            changed = (event.info != meter.info or not told <= meter.module) and bool(meter.keys)
            meter.info = event.info
            meter.module |= told
        else:
            exchanged = bool(event.base) and self._remembers
            new = event.values.keys() - meter.sources if not event.values.keys() <= meter.sources else ()
            changed = bool(new) or event.group not in meter.groups or exchanged > meter.exchanged
            if changed:
                meter.exchanged = meter.exchanged or exchanged
                if not meter.keys:
                    meter.first_heard = now
                meter.sources.update(new)
                meter.keys.update(source.key for source in new)
                meter.groups.add(event.group)
        if changed:
            self._news[event.meter] = None
        return changed

    def learn_costs(self, meter: str, directions: Collection[Direction], currency: str) -> bool:
        """Take note of what a meter's contracts are for; return whether there is something to announce."""
        known = self._costs.get(meter)
        self._costs[meter] = (directions, currency)
        changed = known != self._costs[meter] and meter in self._meters
        if changed:
            self._news[meter] = None
        return changed

    def waiting(self) -> bool:
        """Tell whether there is something still to announce."""
        return bool(self._news)

    def news(self, now: float, limits: Limits) -> Iterator[Message]:
        """Yield the announcements of meters of which something was learned; each once. Behind them all about devices."""
        for name in tuple(self._news):
            if self._ready(self._meters[name], now):
                self._news.pop(name, None)
                yield from self._announcement(name, limits)
        yield from self._behind_meters.everything(self._announced)

    def everything(self, now: float, limits: Limits) -> Iterator[Message]:
        """Yield all announcements: the gateway first, for the meters point to it.

        Args:
            now: seconds of any clock that does not jump.
            limits: the broker's.
        """
        yield self._message(self.gateway_id, self._gateway_device())
        for name, meter in tuple(self._meters.items()):
            if self._ready(meter, now):
                self._news.pop(name, None)
                yield from self._announcement(name, limits)
        yield from self._behind_meters.everything(self._announced)

    @property
    def size(self) -> int:
        """Return how many components a message holds; 0: all."""
        return PARTS[self.step]

    def _announcement(self, name: str, limits: Limits) -> list[Message]:
        """Return a meter's announcement in as few messages as the broker takes.

        Once it had to be cut, all meters' are, for as long as this program runs: a component that moved from one
        message to another would be there twice for a Home Assistant that knows both.
        """
        self._announced.add(name)
        while True:
            messages = self._parts(name, self._meters[name])
            fits = limits.packet is None or max(message.size(limits.version) for message in messages) <= limits.packet
            if fits or self.step == len(PARTS) - 1:
                return messages
            self.step += 1

    def _parts(self, name: str, meter: _Meter) -> list[Message]:
        document = self._meter_device(name, meter)
        object_id = f"{self.gateway_id}_{name}"
        if not self.size:
            return [self._message(object_id, document)]
        parts: dict[int, dict[str, Component]] = {}
        for key, component in document["cmps"].items():
            parts.setdefault(_PLACES[key] // self.size, {})[key] = component
        # A meter's id holds no "-", so no other meter has these topics.
        return [
            self._message(f"{object_id}-{part + 1}" if part else object_id, document | {"cmps": components})
            for part, components in parts.items()
        ]

    def _ready(self, meter: _Meter, now: float) -> bool:
        return bool(meter.keys) and (meter.groups >= _GROUPS.keys() or now - meter.first_heard >= self._patience)

    def _message(self, object_id: str, document: Mapping[str, Any]) -> Message:
        return Message(self.topic(object_id), compact(_abbreviated(document)), qos=1, retain=True)

    def _behind(self, object_id: str, document: Mapping[str, Any]) -> Message:
        return self._message(object_id, {**document, "o": self._origin})

    def topic(self, object_id: str) -> str:
        """Return the topic of an announcement."""
        return f"{self._config.homeassistant.discovery_prefix}/device/{object_id}/config"

    @property
    def _origin(self) -> dict[str, str]:
        return {"name": "nes2mqtt", "sw": self._gateway.version}

    @property
    def _gateway_status(self) -> str:
        return f"{self._config.base_topic}/{topics.STATUS}"

    @property
    def _url(self) -> str | None:
        return _reachable(self._gateway.url)

    def _gateway_device(self) -> dict[str, Any]:
        return {
            "dev": _known(
                {
                    "ids": [self.gateway_id],
                    "name": self._gateway.name,
                    "mf": "nes2mqtt",
                    "mdl": "Gateway",
                    "sw": self._gateway.version,
                    "cu": self._url,
                }
            ),
            "o": self._origin,
            "cmps": {
                "connection": {
                    "p": "binary_sensor",
                    "unique_id": f"{self.gateway_id}_connection",
                    "default_entity_id": f"binary_sensor.{self._gateway.name}_connection",
                    "name": "Connection",
                    "device_class": "connectivity",
                    "entity_category": "diagnostic",
                    "state_topic": self._gateway_status,
                    "payload_on": "online",
                    "payload_off": "offline",
                }
            },
        }

    def _meter_device(self, name: str, meter: _Meter) -> dict[str, Any]:
        info = meter.info
        base = topics.meter_base(self._config, name)
        return {
            "dev": _known(
                {
                    # The id first: it stays when the meter behind it is exchanged.
                    "ids": [f"{self.gateway_id}_{name}", *([info.serial] if info.serial else [])],
                    "name": info.name or name,
                    "mf": info.manufacturer or None,
                    "mdl": info.model or None,
                    "sn": info.serial or None,
                    "sw": info.firmware or None,
                    "cu": self._url,
                    "via_device": self.gateway_id,
                    "sa": self._config.homeassistant.suggested_area,
                }
            ),
            "o": self._origin,
            "availability": [
                {"topic": self._gateway_status},
                {"topic": f"{base}/{topics.STATUS}"},
            ],
            "availability_mode": "all",
            "cmps": {
                key: component  # removes the entity
                if component.keys() == {"p"}
                else {
                    "unique_id": value_id(self._gateway.name, name, key),
                    "default_entity_id": f"{component['p']}.{name}_{key}",
                    **component,
                }
                for key, component in self._components(name, meter, self._expire_after(name))
            },
        }

    def _components(self, name: str, meter: _Meter, expire_after: int) -> Iterator[tuple[str, Component]]:
        base = topics.meter_base(self._config, name)
        # In the order of the one list of sources, so that the same meter always gives the same message.
        for key, source in SOURCES.items():
            if key in meter.keys:
                yield key, self._measured(base, source, expire_after)
        if {"active_power_import", "active_power_export"} <= meter.keys:
            net = self._measured(base, SOURCES["active_power_import"], expire_after)
            yield "net_power", net | {"name": "Net power", "value_template": template("net_power")}
        yield from link_entities(base, self._gateway_status)
        yield from module_entities(base, self._gateway_status, meter.module)
        yield from condition_entities(base, meter.condition)
        if name in self._costs:
            yield from cost_entities(base, self._gateway_status, *self._costs[name])
        if self._event_names is not None:
            key, entity = log_entity(base, self._event_names.get(name, {}).values())
            yield key, entity | {"availability": [{"topic": self._gateway_status}]}
        if self._alert_kinds is not None:
            kinds = self._alert_kinds(name)
            yield from alert_entities(base, self._gateway_status, kinds)
            if f"{base}/{topics.ALERTS}" in self._noted:
                yield from gone_entities(kinds)
        if meter.exchanged:
            yield from self._displayed(base, meter)

    def _measured(self, base: str, source: Source, expire_after: int) -> Component:
        """Return the entity of a source."""
        ha = CLASSES[source.quantity]
        lasting = source.kind is not SourceKind.PRESENT
        component = {
            "p": "sensor",
            "name": source.label,
            "state_topic": f"{base}/{topics.REGISTERS if lasting else topics.PRESENT}",
            "value_template": _register_template(source.key) if lasting else template(source.key),
            "device_class": ha.device_class,
            "unit_of_measurement": source.unit or None,
            "suggested_display_precision": ha.precision,
            "state_class": "total" if lasting else "measurement",
            "entity_category": "diagnostic" if source.quantity in MAINTENANCE else None,
            "enabled_by_default": None if source.key in ENABLED else False,
        }
        if lasting:
            component |= {"last_reset_value_template": _last_reset_template(source.key), "qos": 1}
        else:
            component |= {"expire_after": expire_after}
        return _known(component)

    @staticmethod
    def _displayed(base: str, meter: _Meter) -> Iterator[tuple[str, Component]]:
        """Yield what the meter's display shows, where that is not what Home Assistant counts."""
        for key in ("active_energy_import", "active_energy_export"):
            if key in meter.keys:
                source = SOURCES[key]
                yield (
                    f"{DISPLAY}_{key}",
                    {
                        "p": "sensor",
                        "name": f"{source.label} on the meter's display",
                        "state_topic": f"{base}/{topics.REGISTERS}",
                        "value_template": template(key),
                        "device_class": CLASSES[source.quantity].device_class,
                        "unit_of_measurement": source.unit,
                        "suggested_display_precision": 0,
                        "entity_category": "diagnostic",
                        "qos": 1,
                    },
                )
