"""Gas, water and heat meters behind a meter, for Home Assistant: each a device of its own, by way of its meter.

::

    <base>/devices/<device>/status  online / offline: the meter lists the device; retained
    <base>/devices/<device>/state   who it is, how it is, what it measured and when; retained

and one message of discovery for each, as for meters (:mod:`nes2mqtt.outputs.mqtt.discovery`). What a device counts is
``total_increasing``: an exchanged device is another one with its own id, so no counter begins anew under an old name. A
value that is absent is left out of the document, which Home Assistant shows as unknown, never as 0.

Kept values, highest values and the like are announced, but switched off. A device that the meter does not list any more is
told offline; its announcement stays, so that its statistics do.

This module does not know connections; it builds messages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from nes2mqtt.outputs.mqtt.client.message import Message, Will
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.devices.names import MAINTENANCE, device_title, value_class, value_title
from nes2mqtt.outputs.mqtt.dialects import homeassistant as topics
from nes2mqtt.outputs.mqtt.dialects.rows import compact
from nes2mqtt.readings.devices import Device, DeviceValue
from nes2mqtt.readings.reading import DevicesRead

__all__ = ["DeviceMessages"]

Component = dict[str, Any]

_STATE = "state"
_REPORTS = ("reachable", "battery_low", "permanent_error", "temporary_error", "alarm")


class DeviceMessages:
    """Knows the devices behind all meters, and what to publish of them.

    Args:
        config: topics and prefix.
        gateway_id: this program's, to Home Assistant.
        announce: makes a message of discovery: of an id and a document.
        zone: of the house, which is the meter's local time.
        noted: topics in which something of ours may be retained: what was published before this program started is taken for
            gone until a meter lists it.
    """

    def __init__(
        self,
        config: MqttConfig,
        gateway_id: str,
        announce: Callable[[str, Mapping[str, Any]], Message],
        zone: ZoneInfo,
        noted: Iterable[str] = (),
    ) -> None:
        self._config = config
        self._gateway_id = gateway_id
        self._announce = announce
        self._zone = zone
        self._devices: dict[str, tuple[DevicesRead, Device]] = {}
        """By id: what their meter told last."""
        before, after = self._will("\0").topic.split("\0")
        self._gone = {
            topic.removeprefix(before).removesuffix(after)
            for topic in noted
            if topic.startswith(before) and topic.endswith(after)
        }
        """Devices that no meter lists any more."""
        self._keys: dict[str, dict[str, DeviceValue]] = {}
        """What each device ever told since this program started: a value missing once keeps its entity."""

    def learn(self, read: DevicesRead) -> None:
        """Take note of the devices behind a meter."""
        listed = {device.id for device in read.devices}
        for name, (before, _) in list(self._devices.items()):
            if before.meter == read.meter and name not in listed:
                del self._devices[name]
                self._gone.add(name)
        for device in read.devices:
            self._devices[device.id] = read, device
            self._gone.discard(device.id)
            self._keys.setdefault(device.id, {}).update(device.values)

    def everything(self, announced: Collection[str]) -> Iterator[Message]:
        """Yield all that the broker should hold of devices behind these meters: Home Assistant has to know a meter first."""
        for name, (read, device) in tuple(self._devices.items()):
            if read.meter not in announced:
                continue
            yield self._announcement(read.meter, device)
            yield self._will(name).birth
            yield self._state(read, device)
        yield from (self._will(name).death for name in sorted(self._gone))

    def _will(self, name: str) -> Will:
        return Will(f"{self._base(name)}/{topics.STATUS}")

    def _base(self, name: str) -> str:
        return f"{self._config.base_topic}/devices/{name}"

    def _state(self, told: DevicesRead, device: Device) -> Message:
        read = device.read_at(self._zone, told.received)
        document = {
            "meter": told.meter,
            "place": device.place,
            "kind": device.kind.value,
            "type": device.type,
            "manufacturer": device.manufacturer or None,
            "serial": device.serial,
            "version": device.version,
            "read": None if read is None else read.isoformat(timespec="seconds"),
            **{name: getattr(device, name) for name in _REPORTS},
            "trouble": list(device.trouble),
            "counter": device.counter or None,
            "values": {key: one.value for key, one in device.values.items()},
            "units": {key: one.unit for key, one in device.values.items() if one.unit},
        }
        known = {key: value for key, value in document.items() if value is not None}
        return Message(f"{self._base(device.id)}/{_STATE}", compact(known), qos=1, retain=True)

    def _announcement(self, meter: str, device: Device) -> Message:
        # A meter's id holds no "-", so no meter has this id.
        object_id = f"{self._gateway_id}-mbus-{device.id}"
        base = self._base(device.id)
        title = device_title(device)
        document = {
            "dev": _known(
                {
                    "ids": [object_id],
                    "name": title,
                    "mf": device.manufacturer or None,
                    "mdl": device.type,
                    "sn": device.serial,
                    "hw": None if device.version is None else str(device.version),
                    "via_device": f"{self._gateway_id}_{meter}",
                    "sa": self._config.homeassistant.suggested_area,
                }
            ),
            "availability": [
                {"topic": f"{self._config.base_topic}/{topics.STATUS}"},
                {"topic": f"{base}/{topics.STATUS}"},
            ],
            "availability_mode": "all",
            "cmps": {
                key: {
                    "unique_id": f"{object_id}_{key}",
                    "default_entity_id": f"{component['p']}.{device.kind}_{device.serial.lower()}_{key}",
                    "state_topic": f"{base}/{_STATE}",
                    "qos": 1,
                    **component,
                }
                for key, component in self._components(base, device)
            },
        }
        return self._announce(object_id, document)

    def _components(self, base: str, device: Device) -> Iterator[tuple[str, Component]]:
        for key, one in self._keys[device.id].items():
            yield f"value_{key}", self._measured(device, key, one)
        for name, title, word in (
            ("battery_low", "Battery", "battery"),
            ("alarm", "Alarm", "problem"),
            ("permanent_error", "Permanent error", "problem"),
            ("temporary_error", "Temporary error", "problem"),
            ("reachable", "Reachable", "connectivity"),
        ):
            yield (
                name,
                {
                    "p": "binary_sensor",
                    "name": title,
                    "device_class": word,
                    "entity_category": "diagnostic",
                    "payload_on": "True",
                    "payload_off": "False",
                    "value_template": f"{{{{ value_json.get('{name}') }}}}",
                },
            )
        yield (
            "read",
            {
                "p": "sensor",
                "name": "Last read",
                "device_class": "timestamp",
                "entity_category": "diagnostic",
                "value_template": "{{ value_json.get('read') }}",
                "json_attributes_topic": f"{base}/{_STATE}",
            },
        )

    @staticmethod
    def _measured(device: Device, key: str, one: DeviceValue) -> Component:
        ha = value_class(device.kind, key, one)
        shown = one.main and ha.device_class is not None
        return _known(
            {
                "p": "sensor",
                "name": value_title(key),
                "value_template": f"{{{{ value_json['values'].get('{key}') }}}}",
                "device_class": "date" if one.is_date else ha.device_class,
                "unit_of_measurement": one.unit or None,
                "state_class": None if isinstance(one.value, str) else ha.state_class,
                "entity_category": None if shown and one.quantity not in MAINTENANCE else "diagnostic",
                "enabled_by_default": None if shown else False,
            }
        )


def _known(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}
