"""Home Assistant's own code takes our discovery, shows the values and has nothing to complain about.

One Home Assistant serves all tests, in the order they stand in: the last one reads its log.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from nes2mqtt.gateway import GatewayInfo
from nes2mqtt.hub import Hub
from nes2mqtt.mqtt import MqttOutput
from nes2mqtt.mqtt.discovery import CLASSES
from nes2mqtt.reading import MeterState, TableGroup
from osgp.sources import SOURCES, Kind

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("homeassistant"),
    pytest.mark.timeout(900),  # the first run may have to install Home Assistant
]

EXPIRY = timedelta(seconds=6)


class Meter:
    """The Danish meter, read again and again."""

    def __init__(self, hub: Hub, rig: Any) -> None:
        self._hub = hub
        self._rig = rig
        self.registers = dict(rig.DANISH_REGISTERS)
        self.present = dict(rig.DANISH_PRESENT)
        self.reading = True
        self.more: dict[str, object] = {}

    async def run(self) -> None:
        self._hub.publish(self._rig.status())
        while True:
            if self.reading:
                self.read()
            await asyncio.sleep(0.5)

    def read(self) -> None:
        self._hub.publish(self._rig.sample(TableGroup.REGISTERS, self.registers, **self.more))
        self._hub.publish(self._rig.sample(TableGroup.PRESENT, self.present))

    def say(self, state: MeterState) -> None:
        self.reading = state is MeterState.ONLINE
        self._hub.publish(self._rig.status(state))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def meter(mosquitto, home) -> AsyncIterator[Meter]:
    """Run the output on the broker Home Assistant listens to."""
    import mqtt_rig  # noqa: PLC0415 - loaded by conftest
    from mqtt_rig import QUICK, config, running  # noqa: PLC0415

    hub = Hub({TableGroup.PRESENT: EXPIRY, TableGroup.REGISTERS: timedelta(seconds=30)}, mqtt_rig.CLOCK)
    gateway = GatewayInfo("home", "0.1.0", ZoneInfo("Europe/Copenhagen"), datetime.now(UTC), "http://127.0.0.1:8099")
    output = MqttOutput(
        config(mosquitto, homeassistant={"every": 1}, diagnostics_every=1), gateway, None, hub, timing=QUICK
    )
    hub.add(output)
    meter = Meter(hub, mqtt_rig)
    async with running(output):
        reading = asyncio.create_task(meter.run())
        yield meter
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


async def states_when(home, fulfilled: Callable[[dict[str, Any]], object], seconds: float = 20) -> dict[str, Any]:
    """Return the states of our entities by their key, as soon as they fulfil a condition."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        entities = await asyncio.to_thread(home.ask, "config/entity_registry/list")
        ours = {
            entry["unique_id"].removeprefix("nes2mqtt_home_house_"): entry["entity_id"]
            for entry in entities
            if entry["platform"] == "mqtt"
        }
        states = await asyncio.to_thread(home.states)
        known = {key: states[entity] for key, entity in ours.items() if entity in states}
        with contextlib.suppress(KeyError):
            if fulfilled(known):
                return known
        if loop.time() > until:
            pytest.fail(f"not so: { {key: state['state'] for key, state in known.items()} }\n{home.log()}")
        await asyncio.sleep(0.2)


def shows(key: str, state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda states: states[key]["state"] == state


async def test_the_real_meters_values_are_shown(home, meter):
    states = await states_when(
        home,
        lambda now: now["active_energy_import"]["state"] == "65845.342" and now["voltage_l3"]["state"] == "226.973",
    )
    shown = {key: state["state"] for key, state in states.items()}
    expected = {
        "active_energy_import": "65845.342",
        "active_energy_export": "0.179",
        "active_power_import": "432",
        "active_power_export": "0",
        "net_power": "432",
        "voltage_l1": "228.693",
        "voltage_l2": "226.079",
        "current_l1": "1.978",
        "current_l2": "0.782",
        "current_l3": "0.854",
        "power_factor_l1": "0.711",
        "frequency": "50.0",
        "active_power_import_l1": "320",
        "active_power_export_l3": "0",
        "meter_state": "online",
        "link_quality": "99.0",
        "nes2mqtt_home_connection": "on",
    }
    assert {key: shown.get(key) for key in expected} == expected


async def test_units_and_classes_are_those_of_the_sources(home, meter):
    states = await states_when(home, shows("active_power_import", "432"))
    for key, state in states.items():
        source = SOURCES.get(key)
        if source is None:
            continue
        said = state["attributes"]
        assert said.get("unit_of_measurement", "") == source.unit, key
        assert said.get("device_class") == CLASSES[source.quantity].device_class, key
        assert said["state_class"] == ("measurement" if source.kind is Kind.PRESENT else "total"), key
        assert said["friendly_name"] == f"House {source.label}"


async def test_entities_and_devices_are_registered_as_meant(home, meter):
    await states_when(home, shows("active_power_import", "432"))
    entries = await asyncio.to_thread(home.ask, "config/entity_registry/list")
    ours = {entry["unique_id"]: entry for entry in entries if entry["platform"] == "mqtt"}
    # Every value the meter has became an entity; most wait to be switched on.
    for key in meter.registers | meter.present:
        assert f"nes2mqtt_home_house_{key}" in ours
    assert ours["nes2mqtt_home_house_reactive_energy_import"]["disabled_by"] == "integration"
    assert ours["nes2mqtt_home_house_active_energy_import"]["disabled_by"] is None
    assert ours["nes2mqtt_home_house_meter_state"]["entity_category"] == "diagnostic"

    devices = await asyncio.to_thread(home.ask, "config/device_registry/list")
    by_id = {identifier[1]: device for device in devices for identifier in device["identifiers"]}
    house, gateway = by_id["nes2mqtt_home_house"], by_id["nes2mqtt_home"]
    assert by_id["87654321"] is house
    assert house["via_device_id"] == gateway["id"]
    assert (house["name"], house["manufacturer"], house["model"]) == ("House", "NES", "83332-3I")
    assert (house["serial_number"], house["sw_version"]) == ("87654321", "3.10.21")
    assert house["configuration_url"] == "http://127.0.0.1:8099"


async def test_a_silent_meter_is_unavailable_but_its_state_is_told(home, meter):
    meter.say(MeterState.SILENT)
    states = await states_when(home, shows("active_energy_import", "unavailable"))
    assert states["active_power_import"]["state"] == "unavailable"
    states = await states_when(home, shows("meter_state", "silent"))
    assert states["nes2mqtt_home_connection"]["state"] == "on"
    meter.say(MeterState.ONLINE)
    await states_when(home, shows("active_energy_import", "65845.342"))
    await states_when(home, shows("active_power_import", "432"))


async def test_live_values_expire_and_registers_stay(home, meter):
    meter.reading = False
    states = await states_when(home, shows("active_power_import", "unavailable"), 3 * EXPIRY.total_seconds())
    assert states["active_energy_import"]["state"] == "65845.342"
    meter.reading = True
    await states_when(home, shows("active_power_import", "432"))


async def test_home_assistant_knows_all_again_after_its_restart(home, meter):
    """Live values are not retained: they come because its birth message is answered, registers in any case."""
    await asyncio.to_thread(home.stop)
    await asyncio.to_thread(home.start)
    await states_when(home, shows("active_energy_import", "65845.342"))
    await states_when(home, shows("active_power_import", "432"))


async def test_energy_dashboard_and_statistics_have_no_complaint_even_after_a_swap(home, meter):
    await states_when(home, shows("active_energy_import", "65845.342"))
    meter.registers["active_energy_import"] += 1000
    await states_when(home, shows("active_energy_import", "65846.342"))
    # Another meter in its place: lower registers, and a start to count from.
    meter.registers = dict.fromkeys(meter.registers, 0) | {"active_energy_import": 250}
    meter.more = {"segment": 2, "segment_start": datetime.now(UTC)}
    states = await states_when(home, shows("active_energy_import", "0.25"))
    assert states["active_energy_import"]["attributes"]["last_reset"]
    meter.registers["active_energy_import"] = 750
    states = await states_when(home, shows("active_energy_import", "0.75"))
    entity = {key: state["entity_id"] for key, state in states.items()}

    await asyncio.to_thread(home.call, "compile_statistics", "now")
    rows = await asyncio.to_thread(
        home.ask,
        "recorder/statistics_during_period",
        start_time=(datetime.now(UTC) - timedelta(minutes=15)).isoformat(),
        statistic_ids=[entity["active_energy_import"]],
        period="5minute",
        types=["sum"],
    )
    # 1 kWh on the old meter, 0.25 and 0.5 on the new one; nothing negative.
    assert rows[entity["active_energy_import"]][-1]["sum"] == pytest.approx(1.75)
    assert min(row["sum"] for row in rows[entity["active_energy_import"]]) >= 0

    flows = {
        "flow_from": [
            {
                "stat_energy_from": entity["active_energy_import"],
                "stat_cost": None,
                "entity_energy_price": None,
                "number_energy_price": None,
            }
        ],
        "flow_to": [
            {
                "stat_energy_to": entity["active_energy_export"],
                "stat_compensation": None,
                "entity_energy_price": None,
                "number_energy_price": None,
            }
        ],
    }
    grid = {"type": "grid", **flows, "cost_adjustment_day": 0.0}
    await asyncio.to_thread(home.ask, "energy/save_prefs", energy_sources=[grid])
    verdict = await asyncio.to_thread(home.ask, "energy/validate")
    assert verdict == {"energy_sources": [[]], "device_consumption": []}
    assert await asyncio.to_thread(home.ask, "recorder/validate_statistics") == {}


async def test_home_assistants_log_has_no_warning_about_us(home, meter):
    parts = r"components\.(mqtt|sensor|binary_sensor|recorder|energy)|helpers\.(template|device_registry|entity)"
    lines = home.log().splitlines()
    assert any("compile_statistics" in line for line in lines), "this is the log we think it is"
    complaints = [line for line in lines if re.search(rf" (WARNING|ERROR|CRITICAL) .*({parts}|nes2mqtt)", line)]
    assert complaints == []
