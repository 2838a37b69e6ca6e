"""Gas, water and heat meters on MQTT: documents, announcements, and devices that are gone."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from mbus_house import gas, heat, water

from nes2mqtt.outputs.mqtt.client.connection import Limits
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.devices.messages import DeviceMessages
from nes2mqtt.outputs.mqtt.devices.names import device_title, value_class
from nes2mqtt.outputs.mqtt.discovery import Discovery
from nes2mqtt.readings.devices import DeviceKind, DeviceValue, devices_of
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.reading import DevicesRead, MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from osgp.mbus.telegram import Status
from osgp.sources import SOURCES
from osgp.tables.mbus.devices import MbusDevice, with_reads
from osgp.tables.mbus.reading import decode_read

HOUSE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
GATEWAY = GatewayInfo("home", "1.0", HOUSE, NOW, "")
LIMITS = Limits()


def behind(*devices):
    """Return devices as the poller hands them on."""
    found = []
    for index, one in enumerate(devices):
        known = MbusDevice(index, one.handle, one.up, 40, 9, 9, frozenset(), Status(0), None, None)
        found.append(with_reads(known, [decode_read(one.read)]))
    return devices_of(found)


def read(*devices, meter="house"):
    return DevicesRead(meter, behind(*devices), NOW, 1.0)


def documents(messages):
    return {message.topic: json.loads(message.payload) for message in messages if message.payload[:1] == "{"}


@pytest.fixture
def messages():
    def announce(object_id, document):
        return Message(f"announce/{object_id}", json.dumps(document), qos=1, retain=True)

    return DeviceMessages(MqttConfig(host="-"), "nes2mqtt_home", announce, HOUSE)


class TestDevices:
    def test_who_they_are(self):
        found = behind(gas(), water(), heat())
        assert [(one.id, one.kind, one.counter, one.place) for one in found] == [
            ("osg_10000004", DeviceKind.GAS, "volume", 1),
            ("osg_20000005", DeviceKind.WATER, "volume", 2),
            ("osg_30000006", DeviceKind.HEAT, "energy", 3),
        ]
        assert [device_title(one) for one in found] == [
            "Gas meter 10000004",
            "Water meter 20000005",
            "Heat meter 30000006",
        ]

    def test_one_that_was_never_read_is_nobody(self):
        assert devices_of([MbusDevice(0, 1, True, 0, 0, 0, frozenset(), Status(0), None, None)]) == ()

    def test_two_parts_with_one_serial_number(self):
        first, second = behind(heat(), replace(heat(), kind=0x0A))
        assert (first.id, second.id) == ("osg_30000006", "osg_30000006_0a")

    def test_numbers_are_exact_and_dates_are_text(self):
        (device,) = behind(heat())
        values = {key: one.value for key, one in device.values.items()}
        assert values["volume"] == 703.4
        assert values["energy"] == 2850
        assert values["date_target"] == "2007-12-31"
        assert device.values["date_target"].is_date

    @pytest.mark.parametrize(("info", "trouble"), [(0x20, ("security_failed",)), (0, ())])
    def test_why_values_are_missing(self, info, trouble):
        (device,) = behind(gas(info=info))
        assert device.trouble == trouble
        assert bool(device.values) == (not trouble)


class TestState:
    def test_a_water_meter(self, messages):
        messages.learn(read(water()))
        documents_of = documents(messages.everything({"house"}))
        assert documents_of["nes2mqtt/devices/osg_20000005/state"] == {
            "meter": "house",
            "place": 1,
            "kind": "water",
            "type": "water",
            "manufacturer": "OSG",
            "serial": "20000005",
            "version": 1,
            "read": "2026-11-29T08:00:00+01:00",
            "reachable": True,
            "battery_low": True,
            "permanent_error": False,
            "temporary_error": False,
            "alarm": False,
            "trouble": [],
            "counter": "volume",
            "values": {"volume": 28.504, "error_flags": 0},
            "units": {"volume": "m³"},
        }

    def test_a_time_that_cannot_be_is_left_out(self, messages):
        """The meter's local time is not that of the gateway's zone, or its clock is wrong: then nobody knows when it was."""
        ahead = datetime.fromisoformat("2026-11-29 10:11")  # 11 minutes after the meter told of it, in Copenhagen
        messages.learn(read(water(time=ahead)))
        assert "read" not in documents(messages.everything({"house"}))["nes2mqtt/devices/osg_20000005/state"]
        messages.learn(read(water(time=ahead.replace(minute=9))))
        assert "read" in documents(messages.everything({"house"}))["nes2mqtt/devices/osg_20000005/state"]

    def test_what_is_not_known_is_not_there(self, messages):
        messages.learn(read(water(time=None, info=0x20)))
        document = documents(messages.everything({"house"}))["nes2mqtt/devices/osg_20000005/state"]
        assert "read" not in document
        assert "counter" not in document
        assert document["values"] == {}

    def test_all_of_it_is_kept_by_the_broker(self, messages):
        messages.learn(read(gas()))
        sent = list(messages.everything({"house"}))
        assert [(one.topic, one.retain, one.qos) for one in sent] == [
            ("announce/nes2mqtt_home-mbus-osg_10000004", True, 1),
            ("nes2mqtt/devices/osg_10000004/status", True, 1),
            ("nes2mqtt/devices/osg_10000004/state", True, 1),
        ]
        assert sent[1].payload == "online"

    def test_behind_a_meter_that_is_not_announced_nothing_is_told(self, messages):
        """Home Assistant has to know the meter that a device comes by way of."""
        messages.learn(read(gas()))
        assert list(messages.everything(set())) == []


class TestGone:
    def test_a_device_that_is_exchanged_goes_offline(self, messages):
        messages.learn(read(gas(), water()))
        messages.learn(read(gas(), replace(water(), serial="20000099")))
        sent = {one.topic: one.payload for one in messages.everything({"house"})}
        assert sent["nes2mqtt/devices/osg_20000005/status"] == "offline"
        assert sent["nes2mqtt/devices/osg_20000099/status"] == "online"
        assert "nes2mqtt/devices/osg_20000005/state" not in sent
        messages.learn(read(gas(), water()))
        sent = {one.topic: one.payload for one in messages.everything({"house"})}
        assert sent["nes2mqtt/devices/osg_20000005/status"] == "online"

    def test_a_device_that_moves_to_another_meter_stays_itself(self, messages):
        messages.learn(read(gas()))
        messages.learn(read(gas(), meter="barn"))
        messages.learn(read())
        sent = {one.topic: one.payload for one in messages.everything({"house", "barn"})}
        assert sent["nes2mqtt/devices/osg_10000004/status"] == "online"

    def test_what_was_published_before_this_program_started_is_gone_until_it_is_listed(self):
        noted = ["nes2mqtt/devices/osg_20000005/status", "nes2mqtt/devices/osg_20000005/state", "nes2mqtt/status"]
        discovery = Discovery(MqttConfig(host="-"), GATEWAY, expire_after=lambda _: 30, noted=noted)
        sent = {one.topic: one.payload for one in discovery.everything(0.0, LIMITS)}
        assert sent["nes2mqtt/devices/osg_20000005/status"] == "offline"
        assert discovery.learn(read(water()), 0.0)
        sent = {one.topic: one.payload for one in discovery.everything(0.0, LIMITS)}
        assert "nes2mqtt/devices/osg_20000005/status" not in sent


class TestAnnouncement:
    def announced(self, messages, *devices):
        messages.learn(read(*devices))
        found = documents(messages.everything({"house"}))
        return {topic: one for topic, one in found.items() if topic.startswith("announce/")}

    def test_a_device_of_its_own_by_way_of_its_meter(self, messages):
        (one,) = self.announced(messages, gas()).values()
        assert one["dev"] == {
            "ids": ["nes2mqtt_home-mbus-osg_10000004"],
            "name": "Gas meter 10000004",
            "mf": "OSG",
            "mdl": "gas",
            "sn": "10000004",
            "hw": "1",
            "via_device": "nes2mqtt_home_house",
        }
        assert [each["topic"] for each in one["availability"]] == [
            "nes2mqtt/status",
            "nes2mqtt/devices/osg_10000004/status",
        ]

    @pytest.mark.parametrize(
        ("device", "key", "classes"),
        [
            (gas(), "volume", ("gas", "total_increasing", "m³")),
            (water(), "volume", ("water", "total_increasing", "m³")),
            (heat(), "energy", ("energy", "total_increasing", "kWh")),
            (heat(), "volume", ("volume", "total_increasing", "m³")),
            (heat(), "power", ("power", "measurement", "W")),
            (heat(), "flow_temperature", ("temperature", "measurement", "°C")),
        ],
    )
    def test_classes_of_main_values(self, messages, device, key, classes):
        (one,) = self.announced(messages, device).values()
        component = one["cmps"][f"value_{key}"]
        found = tuple(component[name] for name in ("device_class", "state_class", "unit_of_measurement"))
        assert found == classes
        assert "enabled_by_default" not in component
        assert "entity_category" not in component

    def test_kept_values_are_no_totals_and_off(self, messages):
        (one,) = self.announced(messages, heat()).values()
        kept = one["cmps"]["value_energy_target"]
        assert "state_class" not in kept
        assert kept["enabled_by_default"] is False
        assert one["cmps"]["value_date_target"]["device_class"] == "date"

    def test_battery_alarm_and_errors(self, messages):
        (one,) = self.announced(messages, water()).values()
        found = {key: each.get("device_class") for key, each in one["cmps"].items() if each["p"] == "binary_sensor"}
        assert found == {
            "battery_low": "battery",
            "alarm": "problem",
            "permanent_error": "problem",
            "temporary_error": "problem",
            "reachable": "connectivity",
        }
        assert one["cmps"]["read"]["device_class"] == "timestamp"

    def test_a_value_that_is_missing_once_keeps_its_entity(self, messages):
        self.announced(messages, gas())
        (one,) = self.announced(messages, gas(info=0x20)).values()
        assert "value_volume" in one["cmps"]

    def test_no_id_is_taken_twice(self, messages):
        found = self.announced(messages, gas(), water(), heat())
        ids = [each["unique_id"] for one in found.values() for each in one["cmps"].values()]
        names = [each["default_entity_id"] for one in found.values() for each in one["cmps"].values()]
        assert len(ids) == len(set(ids))
        assert len(names) == len(set(names))

    def test_they_come_behind_their_meter(self):
        discovery = Discovery(MqttConfig(host="-"), GATEWAY, expire_after=lambda _: 30, patience=0.0)
        discovery.learn(read(gas()), 0.0)
        assert list(discovery.news(0.0, LIMITS)) == []
        info = MeterInfo("house", serial="12")
        discovery.learn(MeterStatus(info, MeterState.ONLINE, NOW), 0.0)
        discovery.learn(Sample("house", TableGroup.REGISTERS, NOW, {SOURCES["active_energy_import"]: 1}), 0.0)
        topics = [one.topic for one in discovery.news(1.0, LIMITS)]
        assert topics == [
            "homeassistant/device/nes2mqtt_home_house/config",
            "homeassistant/device/nes2mqtt_home-mbus-osg_10000004/config",
            "nes2mqtt/devices/osg_10000004/status",
            "nes2mqtt/devices/osg_10000004/state",
        ]


@pytest.mark.parametrize(
    ("kind", "quantity", "unit", "found"),
    [
        ("gas", "volume", "gal", (None, "total_increasing")),
        ("heat", "temperature_difference", "K", (None, "measurement")),
        ("other", "energy", "Wh", (None, None)),
        ("water", "volume_flow", "m³/h", ("volume_flow_rate", "measurement")),
        ("other", "credit", "", (None, None)),
    ],
)
def test_classes(kind, quantity, unit, found):
    one = DeviceValue(1, unit, quantity, main=True)
    assert value_class(DeviceKind(kind), quantity, one) == found


@pytest.mark.parametrize("key", ["volume_target", "volume_storage_2", "max_volume", "min_volume"])
def test_what_may_fall_is_no_total(key):
    assert value_class(DeviceKind.GAS, key, DeviceValue(1, "m³", "volume", main=False)).state_class is None
