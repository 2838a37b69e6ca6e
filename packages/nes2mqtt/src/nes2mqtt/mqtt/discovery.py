"""Home Assistant's device-based discovery: one retained message per meter, one for the gateway.

What Home Assistant demands, and where it says so (files of the package ``homeassistant``):

- The message on ``<prefix>/device/<object_id>/config`` holds ``dev``, ``o`` and ``cmps``. Its root, ``dev`` and ``o``
  are closed: one unknown key there and the whole device is dropped (``components/mqtt/schemas.py``,
  DEVICE_DISCOVERY_SCHEMA). Ids are ``[a-zA-Z0-9_-]``.
- Every component has a platform and a ``unique_id``; a component may override the availability it
  inherits from the root (SHARED_OPTIONS). Diagnostics do: they matter most when the meter is silent.
- ``last_reset_value_template`` goes with ``state_class: total`` only (``components/mqtt/sensor.py``). It renders to
  nothing while there is no last reset, which Home Assistant ignores; so a swapped meter's first
  register arrives together with the time it started from.
- Live values expire; registers do not (a retained value with ``expire_after`` would look fresh again after each
  restart of Home Assistant).
- ``object_id`` is gone in 2026.4; ``default_entity_id`` takes its place and older versions ignore it.

Units come from :data:`osgp.sources.SOURCES`; :data:`CLASSES` adds what only Home Assistant calls its own.

This module does not know connections; it builds messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from nes2mqtt.gateway import GatewayInfo
from nes2mqtt.mqtt.config import MqttConfig
from nes2mqtt.mqtt.dialects import homeassistant as topics
from nes2mqtt.mqtt.message import Message
from nes2mqtt.mqtt.rows import compact
from nes2mqtt.reading import Event, LinkQuality, MeterInfo, MeterState, MeterStatus, TableGroup
from osgp.sources import SOURCES, Kind, Quantity, Source

__all__ = ["CLASSES", "ENABLED", "Discovery", "HaClass"]


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

_MAINTENANCE = frozenset({Quantity.DURATION, Quantity.COUNT})
"""Quantities that tell of the meter's life rather than of electricity."""

ENABLED = frozenset(
    {"active_energy_import", "active_energy_export", "active_power_import", "active_power_export", "frequency"}
    | {f"{name}_l{phase}" for name in ("voltage", "current", "power_factor") for phase in (1, 2, 3)}
    | {f"active_power_{way}_l{phase}" for way in ("import", "export") for phase in (1, 2, 3)}
)
"""Sources whose entity is switched on when Home Assistant first sees it; the others wait to be."""

_GROUPS = {TableGroup.PRESENT: topics.PRESENT, TableGroup.REGISTERS: topics.REGISTERS}

Component = dict[str, Any]


def _template(key: str) -> str:
    # .get() gives None, which Home Assistant shows as unknown; an attribute that is missing would be a warning.
    return f"{{{{ value_json.get('{key}') }}}}"


def _last_reset_template(key: str) -> str:
    return f"{{{{ value_json.get('last_reset', {{}}).get('{key}', '') }}}}"


def _known(component: Component) -> Component:
    return {key: value for key, value in component.items() if value is not None}


@dataclass(slots=True)
class _Meter:
    """What is known of a meter so far."""

    info: MeterInfo
    first_heard: float
    groups: set[TableGroup] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


class Discovery:
    """Learns from events what each meter has, and announces it.

    A meter is announced once both of its tables have been read, so that the first message is already
    whole; one that keeps one of them to itself is announced after ``patience``.

    Args:
        config: topics and prefix.
        gateway: this program.
        expire_after: gives, for a meter, the seconds after which Home Assistant forgets a live value.
        patience: seconds to wait for the second table.
    """

    def __init__(
        self,
        config: MqttConfig,
        gateway: GatewayInfo,
        *,
        expire_after: Callable[[str], int],
        patience: float = 60.0,
    ) -> None:
        self._config = config
        self._gateway = gateway
        self._expire_after = expire_after
        self._patience = patience
        self._meters: dict[str, _Meter] = {}
        self._news: dict[str, None] = {}
        """Meters of which there is something to announce, in the order it was learned."""
        self._gateway_id = f"nes2mqtt_{gateway.name}"

    def learn(self, event: Event, now: float) -> bool:
        """Take note of an event; return whether there is something to announce.

        Args:
            event: a sample or status.
            now: seconds of any clock that does not jump.
        """
        meter = self._meters.get(event.meter)
        if meter is None:
            meter = self._meters[event.meter] = _Meter(MeterInfo(event.meter), now)
        if isinstance(event, MeterStatus):
            changed = event.info != meter.info and bool(meter.keys)
            meter.info = event.info
        else:
            keys = {source.key for source in event.values}
            changed = event.group not in meter.groups or not keys <= meter.keys
            if changed:
                if not meter.keys:
                    meter.first_heard = now
                meter.keys |= keys
                meter.groups.add(event.group)
        if changed:
            self._news[event.meter] = None
        return changed

    def waiting(self) -> bool:
        """Tell whether there is something still to announce."""
        return bool(self._news)

    def news(self, now: float) -> Iterator[Message]:
        """Yield the announcements of meters of which something was learned; each once."""
        for name in tuple(self._news):
            if self._ready(self._meters[name], now):
                self._news.pop(name, None)
                yield self._announcement(name)

    def everything(self, now: float) -> Iterator[Message]:
        """Yield all announcements: the gateway first, for the meters point to it."""
        yield self._message(self._gateway_id, self._gateway_device())
        for name, meter in tuple(self._meters.items()):
            if self._ready(meter, now):
                self._news.pop(name, None)
                yield self._announcement(name)

    def _announcement(self, name: str) -> Message:
        return self._message(f"{self._gateway_id}_{name}", self._meter_device(name, self._meters[name]))

    def _ready(self, meter: _Meter, now: float) -> bool:
        return bool(meter.keys) and (meter.groups >= _GROUPS.keys() or now - meter.first_heard >= self._patience)

    def _message(self, object_id: str, document: Mapping[str, Any]) -> Message:
        prefix = self._config.homeassistant.discovery_prefix
        return Message(f"{prefix}/device/{object_id}/config", compact(document), qos=1, retain=True)

    @property
    def _origin(self) -> dict[str, str]:
        return {"name": "nes2mqtt", "sw": self._gateway.version}

    @property
    def _url(self) -> str | None:
        return self._gateway.url if self._gateway.url.startswith(("http://", "https://")) else None

    def _gateway_device(self) -> dict[str, Any]:
        status = f"{self._config.base_topic}/{topics.STATUS}"
        return {
            "dev": _known(
                {
                    "ids": [self._gateway_id],
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
                    "unique_id": f"{self._gateway_id}_connection",
                    "default_entity_id": f"binary_sensor.{self._gateway.name}_connection",
                    "name": "Connection",
                    "device_class": "connectivity",
                    "entity_category": "diagnostic",
                    "state_topic": status,
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
                    "ids": [f"{self._gateway_id}_{name}", *([info.serial] if info.serial else [])],
                    "name": info.name or name,
                    "mf": info.manufacturer or None,
                    "mdl": info.model or None,
                    "sn": info.serial or None,
                    "sw": info.firmware or None,
                    "cu": self._url,
                    "via_device": self._gateway_id,
                }
            ),
            "o": self._origin,
            "availability": [
                {"topic": f"{self._config.base_topic}/{topics.STATUS}"},
                {"topic": f"{base}/{topics.STATUS}"},
            ],
            "availability_mode": "all",
            "cmps": {
                key: {
                    "unique_id": f"{self._gateway_id}_{name}_{key}",
                    "default_entity_id": f"{component['p']}.{name}_{key}",
                    **component,
                }
                for key, component in self._components(base, meter, self._expire_after(name))
            },
        }

    def _components(self, base: str, meter: _Meter, expire_after: int) -> Iterator[tuple[str, Component]]:
        # In the order of the one list of sources, so that the same meter always gives the same message.
        for key, source in SOURCES.items():
            if key in meter.keys:
                yield key, self._measured(base, source, expire_after)
        if {"active_power_import", "active_power_export"} <= meter.keys:
            net = self._measured(base, SOURCES["active_power_import"], expire_after)
            yield "net_power", net | {"name": "Net power", "value_template": _template("net_power")}
        yield from self._diagnostics(base)

    def _measured(self, base: str, source: Source, expire_after: int) -> Component:
        """Return the entity of a source."""
        ha = CLASSES[source.quantity]
        lasting = source.kind is not Kind.PRESENT
        component = {
            "p": "sensor",
            "name": source.label,
            "state_topic": f"{base}/{topics.REGISTERS if lasting else topics.PRESENT}",
            "value_template": _template(source.key),
            "device_class": ha.device_class,
            "unit_of_measurement": source.unit or None,
            "suggested_display_precision": ha.precision,
            "state_class": "total" if lasting else "measurement",
            "entity_category": "diagnostic" if source.quantity in _MAINTENANCE else None,
            "enabled_by_default": None if source.key in ENABLED else False,
        }
        if lasting:
            component |= {"last_reset_value_template": _last_reset_template(source.key), "qos": 1}
        else:
            component |= {"expire_after": expire_after}
        return _known(component)

    def _diagnostics(self, base: str) -> Iterator[tuple[str, Component]]:
        """Yield what helps when the meter is silent: available as long as this program is."""
        common: Component = {
            "p": "sensor",
            "state_topic": f"{base}/{topics.LINK}",
            "entity_category": "diagnostic",
            "availability": [{"topic": f"{self._config.base_topic}/{topics.STATUS}"}],
        }
        yield (
            "meter_state",
            common
            | {
                "name": "Meter state",
                "device_class": "enum",
                "options": [state.value for state in MeterState],
                "value_template": _template("state"),
                "json_attributes_topic": f"{base}/{topics.LINK}",
            },
        )
        yield (
            "last_reply",
            common | {"name": "Last reply", "device_class": "timestamp", "value_template": _template("last_reply")},
        )
        yield (
            "link_quality",
            common
            | {
                "name": "Requests answered",
                "unit_of_measurement": "%",
                "state_class": "measurement",
                "suggested_display_precision": 1,
                "value_template": _template("answered"),
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
                "value_template": _template("clock_ahead"),
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
                    "value_template": _template(count.name),
                },
            )
