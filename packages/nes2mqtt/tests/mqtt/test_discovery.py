"""What is announced to Home Assistant. That it accepts it is checked with its own code in tests/homeassistant."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace

import pytest

from nes2mqtt.outputs.mqtt.client.connection import Limits
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.discovery import _PLACES, Discovery
from nes2mqtt.outputs.mqtt.homeassistant_names import ABBREVIATIONS, CLASSES, DISPLAY, ENABLED
from nes2mqtt.readings.reading import LinkQuality, TableGroup
from osgp.ports.tap.health import ModuleHealth
from osgp.sources import SOURCES, Kind, Quantity


@pytest.fixture
def discovery(gateway):
    config = MqttConfig.model_validate({"host": "h"})
    return Discovery(config, gateway, expire_after=lambda meter: 50, patience=60)


LIMITS = Limits()
LONG = {short: long for long, short in ABBREVIATIONS.items()}


def expanded(document):
    """Write abbreviated keys in full, as Home Assistant does."""
    if isinstance(document, list):
        return [expanded(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {LONG.get(key, key): expanded(value) for key, value in document.items()}


def documents(discovery, now=0.0, limits=LIMITS):
    return {message.topic: expanded(json.loads(message.payload)) for message in discovery.everything(now, limits)}


HOUSE = "homeassistant/device/nes2mqtt_home_house/config"


def test_a_meter_is_announced_once_both_tables_are_known(rig, discovery):
    status, registers, present = rig.danish()
    assert not discovery.learn(status, 0)
    assert discovery.learn(registers, 0)
    assert HOUSE not in documents(discovery)
    assert list(discovery.news(0, LIMITS)) == []
    assert discovery.waiting()
    assert discovery.learn(present, 1)
    assert [message.topic for message in discovery.news(1, LIMITS)] == [HOUSE]
    assert not discovery.waiting()
    assert list(discovery.news(1, LIMITS)) == []
    assert HOUSE in documents(discovery, 1)
    for event in rig.danish():
        assert not discovery.learn(event, 2), "nothing new"


def test_a_meter_that_keeps_a_table_to_itself_is_announced_after_a_while(rig, discovery):
    _, registers, _ = rig.danish()
    discovery.learn(registers, 100)
    assert HOUSE not in documents(discovery, 159)
    assert HOUSE in documents(discovery, 160)


def test_only_what_the_meter_has_is_announced(rig, discovery):
    values = {"active_power_import": 1, "voltage_l1": 230000}
    discovery.learn(rig.sample(TableGroup.PRESENT, values), 0)
    discovery.learn(rig.sample(TableGroup.REGISTERS, {"active_energy_import": 1}), 0)
    measured = documents(discovery)[HOUSE]["cmps"].keys() & (SOURCES.keys() | {"net_power"})
    assert measured == {"active_power_import", "voltage_l1", "active_energy_import"}


def test_the_message_keeps_home_assistants_rules(rig, discovery):
    for event in rig.danish():
        discovery.learn(event, 0)
    announced = documents(discovery)
    assert next(iter(announced)) == "homeassistant/device/nes2mqtt_home/config", (
        "the device others point to comes first"
    )
    unique_ids = []
    for topic, document in announced.items():
        assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
        assert document.keys() <= {"dev", "o", "cmps", "availability", "availability_mode"}
        assert document["dev"].keys() <= {"ids", "name", "mf", "mdl", "sn", "sw", "cu", "via_device"}
        assert document["o"].keys() == {"name", "sw"}
        for key, component in document["cmps"].items():
            unique_ids.append(component["unique_id"])
            assert "object_id" not in component
            assert component["default_entity_id"].startswith(f"{component['p']}.")
            if "last_reset_value_template" in component:
                assert component["state_class"] == "total"
            if component["p"] == "event":
                continue
            if "expire_after" in component:
                assert component["state_topic"].endswith("/present"), "nothing retained expires"
            assert len(key) + len(topic) < 200
    assert len(unique_ids) == len(set(unique_ids))
    house = announced[HOUSE]
    assert house["availability_mode"] == "all"
    assert [entry["topic"] for entry in house["availability"]] == [
        "nes2mqtt/status",
        "nes2mqtt/meters/house/status",
    ]
    assert "enabled_by_default" not in house["cmps"]["active_energy_import"]
    assert house["cmps"]["reactive_energy_import"]["enabled_by_default"] is False


def test_every_quantity_has_a_class_and_every_enabled_key_a_source():
    assert CLASSES.keys() == set(Quantity)
    assert SOURCES.keys() >= ENABLED


def test_a_new_identity_is_announced_again_under_the_same_id(rig, discovery):
    for event in rig.danish():
        discovery.learn(event, 0)
    status = rig.status()
    swapped = type(status)(
        info=type(status.info)("house", serial="11111111"), state=status.state, since=status.since, link=status.link
    )
    assert discovery.learn(swapped, 1)
    assert documents(discovery)[HOUSE]["dev"]["ids"] == ["nes2mqtt_home_house", "11111111"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://192.168.1.5:8099", True),
        ("https://energy.example.org/meter", True),
        ("http://raspberrypi:8099", True),
        ("http://127.0.0.1:8099", False),
        ("http://[::1]:8099", False),
        ("http://localhost:8099", False),
        ("http://0.0.0.0:8099", False),
        ("", False),
    ],
)
def test_visit_opens_only_what_a_reader_can_open(rig, gateway, url, shown):
    discovery = Discovery(
        MqttConfig.model_validate({"host": "h"}), replace(gateway, url=url), expire_after=lambda meter: 50
    )
    for event in rig.danish():
        discovery.learn(event, 0)
    for document in documents(discovery).values():
        assert document["dev"].get("cu") == (url if shown else None)


def test_last_reply_fills_no_logbook_unless_asked_for(rig, discovery):
    for event in rig.danish():
        discovery.learn(event, 0)
    components = documents(discovery)[HOUSE]["cmps"]
    assert components["last_reply"]["enabled_by_default"] is False
    assert components["problem"]["device_class"] == "problem"
    assert components["event"]["event_types"] == ["exchanged", "alert", "power_cycle"]
    assert "|int" in components["clock_ahead"]["value_template"], "no -0 s"


def test_an_area_is_suggested_where_one_is_configured(rig, gateway):
    config = MqttConfig.model_validate({"host": "h", "homeassistant": {"suggested_area": "Cellar"}})
    discovery = Discovery(config, gateway, expire_after=lambda meter: 50)
    for event in rig.danish():
        discovery.learn(event, 0)
    assert documents(discovery)[HOUSE]["dev"]["sa"] == "Cellar"


def test_m4_what_the_display_shows_is_announced_once_the_meter_was_exchanged(rig, discovery):
    for event in rig.danish():
        discovery.learn(event, 0)
    assert "display_active_energy_import" not in documents(discovery)[HOUSE]["cmps"]
    after = rig.sample(TableGroup.REGISTERS, rig.DANISH_REGISTERS, base={SOURCES["active_energy_import"]: 1}, segment=2)
    assert discovery.learn(after, 1)
    shown = documents(discovery)[HOUSE]["cmps"]["display_active_energy_import"]
    assert "state_class" not in shown, "or Home Assistant would count it"
    assert "since_swap" not in shown["value_template"]
    counted = documents(discovery)[HOUSE]["cmps"]["active_energy_import"]
    assert counted["value_template"] == "{{ value_json.get('since_swap', value_json).get('active_energy_import') }}"
    assert counted["unique_id"] == "nes2mqtt_home_house_active_energy_import", "the same as before"


def whole(rig, meter="house", leave_out=()):
    keys = [key for key in SOURCES if key not in leave_out]
    for group, kinds in ((TableGroup.PRESENT, True), (TableGroup.REGISTERS, False)):
        values = {key: 1 for key in keys if (SOURCES[key].kind is Kind.PRESENT) is kinds}
        yield rig.sample(group, values, meter)


def places(discovery, limits):
    """Return the topic each component stands under."""
    return {
        key: topic
        for topic, document in documents(discovery, limits=limits).items()
        for key in document["cmps"]
        if "house" in topic
    }


@pytest.mark.parametrize("packet", [20_000, 10_000, 5_000, 3_000])
def test_r2_an_announcement_is_cut_until_it_fits_and_always_in_the_same_places(rig, gateway, packet):
    limits = Limits(packet=packet)
    config = MqttConfig.model_validate({"host": "h"})

    def announced(events):
        discovery = Discovery(config, gateway, expire_after=lambda meter: 50)
        for event in events:
            discovery.learn(event, 0)
        for message in discovery.everything(0, limits):
            assert message.size(5) <= packet
        return discovery, places(discovery, limits)

    discovery, everywhere = announced(whole(rig))
    assert everywhere.keys() >= SOURCES.keys() | {"net_power", "meter_state"}
    fewer = Discovery(config, gateway, expire_after=lambda meter: 50)
    fewer.step = discovery.step
    for event in whole(rig, leave_out=list(SOURCES)[3:40]):
        fewer.learn(event, 0)
    for key, topic in places(fewer, limits).items():
        assert everywhere[key] == topic, "whatever else the meter has"


def test_a_module_in_the_meter_has_diagnostics_for_what_it_tells_and_none_for_the_rest(rig, discovery):
    for event in rig.danish():
        discovery.learn(event, 0)
    assert not [key for key in documents(discovery)[HOUSE]["cmps"] if key.startswith("module_")]
    health = ModuleHealth(uptime=60, firmware="1.0", wifi_strength=-61)
    assert discovery.learn(rig.status(module=health), 1)
    assert not discovery.learn(rig.status(module=None), 2), "a module that is away now is announced still"
    found = documents(discovery, 2)[HOUSE]["cmps"]
    assert {key for key in found if key.startswith("module_")} == {
        "module_uptime", "module_firmware", "module_wifi_strength",
    }  # fmt: skip
    wifi = found["module_wifi_strength"]
    assert (wifi["device_class"], wifi["unit_of_measurement"], wifi["entity_category"]) == (
        "signal_strength",
        "dBm",
        "diagnostic",
    )
    assert "module_wifi_strength" in wifi["value_template"]


def test_r2_every_component_has_a_place(rig, discovery):
    discovery.step = 1
    for event in whole(rig):
        discovery.learn(event, 0)
    after = rig.sample(TableGroup.REGISTERS, rig.DANISH_REGISTERS, base={SOURCES["active_energy_import"]: 1})
    discovery.learn(after, 0)
    assert len(places(discovery, LIMITS)) == len(SOURCES) + 9 + len(fields(LinkQuality))


def test_l8_no_two_meters_of_one_gateway_make_one_id_but_those_that_are_refused():
    between = {one.removesuffix(f"_{other}") for one in _PLACES for other in _PLACES if one.endswith(f"_{other}")}
    assert between == {DISPLAY}
