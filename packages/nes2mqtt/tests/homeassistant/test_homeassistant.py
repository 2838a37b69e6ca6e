"""Home Assistant's own code takes our discovery, shows the values and has nothing to complain about.

One Home Assistant serves all tests, in the order they stand in: the last one reads its log.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from mbus_house import gas, heat, water

from nes2mqtt.alerts.config import AlertsConfig
from nes2mqtt.alerts.keeper import AlertKeeper
from nes2mqtt.bills.running_costs import RunningCosts
from nes2mqtt.costs.contract import Contract, Line
from nes2mqtt.costs.metered import Counted
from nes2mqtt.costs.price_text import ShareOfSpot
from nes2mqtt.history.tables.filled import FilledGap
from nes2mqtt.outputs.homeassistant.config import HomeAssistantConfig
from nes2mqtt.outputs.homeassistant.repair import Repair
from nes2mqtt.outputs.mqtt.client.connection import Limits
from nes2mqtt.outputs.mqtt.client.wire_client import WireClient
from nes2mqtt.outputs.mqtt.feeds import Sources
from nes2mqtt.outputs.mqtt.homeassistant_names import CLASSES
from nes2mqtt.outputs.mqtt.numbered_outbox import RememberedPosition
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.prices.spot_price import SpotPrice
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.devices import devices_of
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.happened import Found, HappenedKind, RememberedEvents, happened_of
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import DevicesRead, EntriesRead, MeterState, Sample, TableGroup
from osgp.mbus.telegram import Status
from osgp.sources import SOURCES, Direction, Kind
from osgp.tables.calendar.schedule import Switch
from osgp.tables.calendar.tariffs import Drive, Tariffs
from osgp.tables.logs.events import Event
from osgp.tables.mbus.devices import MbusDevice, with_reads
from osgp.tables.mbus.reading import decode_read
from osgp.tables.quality.report import Events, PhaseQuality, SupplyQuality
from osgp.tables.status.state import Contactor
from osgp.tables.status.state import MeterState as Reported

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("homeassistant"),
    pytest.mark.timeout(900),  # the first run may have to install Home Assistant
]

EXPIRY = timedelta(seconds=6)
LOCAL = ZoneInfo("Europe/Copenhagen")

SPOT = Line("Spot", ShareOfSpot(Decimal(1)))
CONTRACTS = (
    Contract("Bought", "house", date(2026, 11, 1), (SPOT,), "DKK", spot_area="DK1", vat=Decimal("0.25")),
    Contract(
        "Sold", "house", date(2026, 11, 1), (SPOT,), "DKK", direction=Direction.EXPORT, spot_area="DK1", vat=Decimal(0)
    ),
)


class Bills:
    """History, prices and clock of the costs: 1 kWh is bought in each quarter hour, 0.1 kWh is sold."""

    known = True

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 30, 22, 40, tzinfo=UTC)
        self.price = Decimal("0.80")
        self.priced = True

    def now(self) -> datetime:
        return self.at

    async def ask(self, meter: str, question: Callable[[Any, Any], Any]) -> Any:
        return question(self.energy, self.prices)

    def energy(self, meter: str, key: str, spans: list[tuple[datetime, datetime]]) -> list[Counted]:
        wh = {"active_energy_import": 1000, "active_energy_export": 100}[key]
        return [
            Counted(begin, wh * (min(end, self.at) - begin) // (end - begin), begin, min(end, self.at))
            if begin < self.at
            else Counted(begin, None, None)
            for begin, end in spans
        ]

    def prices(self, area: str, currency: str, begin: datetime, end: datetime) -> list[SpotPrice]:
        count = (end - begin) // timedelta(minutes=15) if self.priced else 0
        return [SpotPrice(begin + timedelta(minutes=15 * number), 15, self.price, "DKK") for number in range(count)]


class Journal:
    """What a history remembers: numbered register samples, and where each segment's registers began."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.queue: list[tuple[int, Any]] = []
        self.last = 0

    def add(self, sample: Any) -> None:
        self.last += 1
        self.queue.append((self.last, sample))
        self.changed.set()

    def pending(self, limit: int) -> list[tuple[int, Any]]:
        return self.queue[:limit]

    def acknowledge(self, seq: int) -> None:
        self.queue = [item for item in self.queue if item[0] > seq]

    def waiting(self) -> int:
        return len(self.queue)


class Meter:
    """The Danish meter, read again and again."""

    def __init__(self, hub: Hub, rig: Any, journal: Journal) -> None:
        self._hub = hub
        self._journal = journal
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
        sample = self._rig.sample(TableGroup.REGISTERS, self.registers, **self.more)
        self._hub.publish(sample)
        self._journal.add(sample)
        self._hub.publish(self._rig.sample(TableGroup.PRESENT, self.present))

    def exchange(self, registers: dict[str, int]) -> None:
        """Put another meter in its place: the guard's next segment, which counts from what it shows first."""
        self.registers = registers
        base = {SOURCES[key]: value for key, value in registers.items()}
        self.more = {"segment": 2, "segment_start": datetime.now(UTC), "base": base}

    def say(self, state: MeterState) -> None:
        self.reading = state is MeterState.ONLINE
        message = "" if self.reading else "The meter does not answer."
        self._hub.publish(self._rig.status(state, message=message))


class Gateway:
    """The output on the broker Home Assistant listens to; it can be stopped and started again."""

    def __init__(self, mosquitto: Any) -> None:
        import mqtt_rig  # noqa: PLC0415 - loaded by conftest

        self.rig = mqtt_rig
        self.mosquitto = mosquitto
        self.journal = Journal()
        self.hub = Hub({TableGroup.PRESENT: EXPIRY, TableGroup.REGISTERS: timedelta(seconds=30)}, mqtt_rig.CLOCK)
        self.meter = Meter(self.hub, mqtt_rig, self.journal)
        self.log = RememberedEvents({"house": {46: "cover opened"}})
        section = AlertsConfig.model_validate({"phase_load": {}, "export": {}, "base_load": {"watts": 300}})
        self.alerts: AlertKeeper | None = AlertKeeper(section, {"house": 25.0}, self.hub, self.log, LOCAL, None)
        self.bills = Bills()
        self.costs = RunningCosts(self.bills, CONTRACTS, LOCAL, self.bills)
        self.folder: Path | None = None
        self._running: contextlib.AsyncExitStack | None = None

    async def start(self, **settings: Any) -> None:
        info = GatewayInfo("home", "0.1.0", ZoneInfo("Europe/Copenhagen"), datetime.now(UTC), "http://192.168.1.5:8099")
        options = {"homeassistant": {"every": 1, "suggested_area": "Cellar"}, "diagnostics_every": 1}
        config = self.rig.config(self.mosquitto, **(options | settings))
        names = {"house": {46: "cover opened"}}
        feeds = Sources(self.log, lambda _: RememberedPosition(), names=names, alerts=self.alerts)
        output = MqttOutput(
            config,
            info,
            self.journal,
            self.hub,
            feeds=feeds,
            costs=self.costs,
            timing=self.rig.QUICK,
            meters=("house",) if self.folder is not None else (),
            folder=self.folder,
        )
        self.hub._outputs.clear()
        self.hub._latest.clear()
        self.hub.add(output)
        self._running = contextlib.AsyncExitStack()
        await self._running.enter_async_context(self.rig.running(output))
        reading = asyncio.create_task(self.meter.run())

        async def end() -> None:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

        self._running.push_async_callback(end)

    async def stop(self) -> None:
        if self._running is not None:
            await self._running.aclose()
            self._running = None


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway(mosquitto, home) -> AsyncIterator[Gateway]:
    gateway = Gateway(mosquitto)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
def meter(gateway) -> Meter:
    return gateway.meter


async def states_when(home, fulfilled: Callable[[dict[str, Any]], object], seconds: float = 60) -> dict[str, Any]:
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
        "problem": "off",
    }
    assert {key: shown.get(key) for key in expected} == expected


async def test_what_needs_attention_is_a_problem_with_its_phase_and_is_told_once(home, gateway, meter):
    keeper = gateway.alerts
    load = next(alert for alert in keeper.book.alerts if alert.rule.key == "house/phase_load/l2")

    def see(value, seconds):
        now = keeper._clock.monotonic()
        for ago in (seconds, 0):
            keeper.book.see(load, value, now - ago)
        keeper.book.settle(keeper._clock.label_if_known, datetime.now(UTC), quiet=False)
        for follower in keeper._followers:
            follower("house")

    states = await states_when(home, shows("active_power_import", "432"))
    assert states["alert_phase_load"]["state"] == "unknown"
    assert states["alert_phase_load"]["attributes"]["device_class"] == "problem"
    assert states["alert_phase_load"]["attributes"]["friendly_name"] == "House Near the fuse"
    assert "device_class" not in states["alert_export"]["attributes"]
    assert states["alert_base_load"]["state"] == "unknown"
    assert states["alert_told"]["state"] == "unknown"
    see(24.1, 70)
    states = await states_when(home, shows("alert_phase_load", "on"))
    attributes = states["alert_phase_load"]["attributes"]
    assert attributes["phases"] == ["l2"]
    assert attributes["title"] == "L2 is near its fuse"
    states = await states_when(home, lambda now: now["alert_told"]["attributes"]["event_type"] == "raised")
    assert states["alert_told"]["attributes"]["value"] == 24.1
    keeper.book.see(load, None, keeper._clock.monotonic())
    for follower in keeper._followers:
        follower("house")
    states = await states_when(home, lambda now: now["alert_phase_load"]["attributes"].get("stale") is True)
    assert states["alert_phase_load"]["state"] == "on"
    see(5.0, 130)
    await states_when(home, shows("alert_phase_load", "off"))
    await states_when(home, lambda now: now["alert_told"]["attributes"]["event_type"] == "cleared")
    keeper.book.see(load, None, keeper._clock.monotonic())
    for follower in keeper._followers:
        follower("house")
    await states_when(home, shows("alert_phase_load", "unknown"))


async def test_alerts_that_left_the_configuration_leave_home_assistant(home, gateway, meter, tmp_path):
    def alerts_of(states):
        return {key for key in states if key.startswith("alert_")}

    def keeper(**section):
        return AlertKeeper(AlertsConfig.model_validate(section), {"house": 25.0}, gateway.hub, gateway.log, LOCAL, None)

    before = gateway.alerts
    await gateway.stop()
    gateway.folder = tmp_path
    try:
        await gateway.start()
        await states_when(home, lambda now: {"alert_phase_load", "alert_export", "alert_told"} <= alerts_of(now))
        await gateway.stop()
        gateway.alerts = keeper(export={})
        await gateway.start()
        left = {"alert_meter_silent", "alert_key_refused", "alert_export", "alert_told"}
        await states_when(home, lambda now: alerts_of(now) == left)
        await gateway.stop()
        gateway.alerts = None
        await gateway.start()
        states = await states_when(home, lambda now: not alerts_of(now))
        assert "active_power_import" in states
    finally:
        await gateway.stop()
        gateway.folder, gateway.alerts = None, before
        await gateway.start()
    await states_when(home, lambda now: {"alert_phase_load", "alert_told"} <= alerts_of(now))


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
    assert ours["nes2mqtt_home_house_last_reply"]["disabled_by"] == "integration"
    assert ours["nes2mqtt_home_house_meter_state"]["entity_category"] == "diagnostic"

    devices = await asyncio.to_thread(home.ask, "config/device_registry/list")
    by_id = {identifier[1]: device for device in devices for identifier in device["identifiers"]}
    house, gateway = by_id["nes2mqtt_home_house"], by_id["nes2mqtt_home"]
    assert by_id["87654321"] is house
    assert house["via_device_id"] == gateway["id"]
    assert (house["name"], house["manufacturer"], house["model"]) == ("House", "NES", "83332-3I")
    assert (house["serial_number"], house["sw_version"]) == ("87654321", "3.10.21")
    assert house["area_id"] == "cellar"
    assert house["configuration_url"] == "http://192.168.1.5:8099"


async def test_a_silent_meter_is_unavailable_but_its_state_is_told(home, meter):
    meter.say(MeterState.SILENT)
    states = await states_when(home, shows("active_energy_import", "unavailable"))
    assert states["active_power_import"]["state"] == "unavailable"
    states = await states_when(home, shows("meter_state", "silent"))
    states = await states_when(home, shows("problem", "on"))
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


async def test_prices_and_costs_are_shown_and_added_up_over_midnight(home, gateway):
    """The next test looks at the sums. The truth: Home Assistant first hears of 94.666 kWh of a day; its last 1.334 kWh and 0.333 kWh of the next follow."""
    await gateway.costs.look()
    states = await states_when(home, shows("import_price", "1.0"))
    expected = {
        "export_price": "0.8",
        "cost_today": "94.666",  # 94 quarter hours of 1 kWh and 666 Wh, at 0.80 and VAT
        "cost_month": "2878.666",
        "income_today": "7.5728",
        "income_month": "230.2928",
    }
    assert {key: states[key]["state"] for key in expected} == expected
    for key in expected:
        said = states[key]["attributes"]
        money = "price" not in key
        assert said["state_class"] == ("total" if money else "measurement")
        assert said["unit_of_measurement"] == ("DKK" if money else "DKK/kWh")
        assert said.get("device_class") == ("monetary" if money else None)
    assert states["cost_today"]["attributes"]["last_reset"] == "2026-11-29T23:00:00+00:00"
    assert states["cost_month"]["attributes"]["last_reset"] == "2026-10-31T23:00:00+00:00"

    gateway.bills.at = datetime(2026, 11, 30, 23, 5, tzinfo=UTC)
    await gateway.costs.look()
    states = await states_when(home, shows("cost_today", "0.333"))
    assert states["cost_month"]["state"] == "0.333"
    assert states["cost_today"]["attributes"]["last_reset"] == "2026-11-30T23:00:00+00:00"

    # A price below zero; then one that is missing.
    gateway.bills.price = Decimal("-0.10")
    await gateway.costs.look()
    states = await states_when(home, shows("import_price", "-0.125"))
    assert float(states["cost_today"]["state"]) < 0
    gateway.bills.priced = False
    await gateway.costs.look()
    states = await states_when(home, shows("import_price", "unknown"))
    assert {states[key]["state"] for key in expected} == {"unknown"}
    gateway.bills.priced, gateway.bills.price = True, Decimal("0.80")
    await gateway.costs.look()
    await states_when(home, shows("cost_today", "0.333"))


async def counted(home, entity: str) -> list[float]:
    """Return the sums of Home Assistant's own statistics, compiled now; once: it compiles a period only once."""
    await asyncio.to_thread(home.call, "compile_statistics", "now")
    return await sums_of(home, entity)


async def sums_of(home, entity: str) -> list[float]:
    """Return the sums of what was compiled."""
    rows = await asyncio.to_thread(
        home.ask,
        "recorder/statistics_during_period",
        start_time=(datetime.now(UTC) - timedelta(minutes=30)).isoformat(),
        statistic_ids=[entity],
        period="5minute",
        types=["sum"],
    )
    return [row["sum"] for row in rows[entity]]


async def test_m4_statistics_are_true_through_a_gap_a_swap_to_a_used_meter_and_restarts(home, gateway, meter):
    """Done when 3. The truth: what flowed through the old meter, and what the new one counted since it is here."""
    key = "active_energy_import"
    truth = 0.0
    states = await states_when(home, shows(key, "65845.342"))
    entity = states[key]["entity_id"]

    # A kWh, then a gap: the gateway is stopped while another kWh is used.
    meter.registers[key] += 1000
    await states_when(home, shows(key, "65846.342"))
    await gateway.stop()
    await states_when(home, shows(key, "unavailable"))
    meter.registers[key] += 1000
    truth += 2
    await gateway.start()
    await states_when(home, shows(key, "65847.342"))

    # A used meter, whose register is higher; it counts 0.5 kWh.
    meter.exchange(dict.fromkeys(meter.registers, 0) | {key: 91_157_000, "active_energy_export": 4711})
    states = await states_when(home, shows(key, "0.0"))
    assert states[key]["attributes"]["last_reset"]
    states = await states_when(home, shows(f"display_{key}", "91157.0"))
    assert "state_class" not in states[f"display_{key}"]["attributes"]
    assert states["event"]["attributes"]["event_type"] == "exchanged"
    assert states["event"]["attributes"]["segment"] == 2
    meter.registers[key] += 500
    truth += 0.5
    await states_when(home, shows(key, "0.5"))

    # The gateway starts again, another 0.25 kWh; then Home Assistant does, another 0.25.
    await gateway.stop()
    meter.registers[key] += 250
    await gateway.start()
    await states_when(home, shows(key, "0.75"))
    await asyncio.to_thread(home.stop)
    meter.registers[key] += 250
    truth += 0.5
    await asyncio.to_thread(home.start)
    await states_when(home, shows(key, "1.0"))

    # The new meter's register rolls over: it counts from 0 again, and the base means nothing any more.
    meter.registers[key] = 125
    meter.more = meter.more | {"restarted": {SOURCES[key]: datetime.now(UTC)}}
    truth += 0.125
    await states_when(home, shows(key, "0.125"))
    sums = await counted(home, entity)
    assert sums[-1] == pytest.approx(truth)
    assert sums == sorted(sums), "nothing negative, at no time"


async def test_energy_dashboard_has_no_complaint(home, meter, gateway):
    await gateway.costs.look()
    states = await states_when(
        home,
        lambda now: now["active_energy_import"]["state"] != "unavailable" and now["import_price"]["state"] == "1.0",
    )
    entity = {key: state["entity_id"] for key, state in states.items()}
    flows = {
        "flow_from": [
            {
                "stat_energy_from": entity["active_energy_import"],
                "stat_cost": entity["cost_month"],
                "entity_energy_price": None,
                "number_energy_price": None,
            }
        ],
        "flow_to": [
            {
                "stat_energy_to": entity["active_energy_export"],
                "stat_compensation": None,
                "entity_energy_price": entity["export_price"],
                "number_energy_price": None,
            }
        ],
    }
    grid = {"type": "grid", **flows, "cost_adjustment_day": 0.0}
    await asyncio.to_thread(home.ask, "energy/save_prefs", energy_sources=[grid])
    # It complains of a sensor it has no statistics of, so it makes them first, also when this test runs alone.
    content = {"energy_sources": [[]], "device_consumption": []}
    until = time.monotonic() + 90
    while True:
        # Again: another test may have compiled these minutes before the costs had a value.
        await asyncio.to_thread(home.call, "compile_statistics", "again")
        verdict = await asyncio.to_thread(home.ask, "energy/validate")
        if verdict == content or time.monotonic() > until:
            break
        await asyncio.sleep(0.5)
    assert verdict == content
    assert await asyncio.to_thread(home.ask, "recorder/validate_statistics") == {}


class FilledHistory:
    """A history in which one gap was filled."""

    def __init__(self, gap: FilledGap) -> None:
        self.gap = gap
        self.done = 0

    async def filled_gaps(self, after: int, limit: int) -> list[FilledGap]:
        return [self.gap][:limit] if self.gap.number > after else []

    async def filled_count(self, after: int) -> int:
        return int(self.gap.number > after)

    async def noted(self, _: str) -> int:
        return self.done

    async def note(self, _: str, value: int) -> None:
        self.done = value


async def minutes_before_the_hour_ends(minutes: int) -> datetime:
    """Return the time now, when the hour has so many minutes left, or wait for the next one: Home Assistant has no other clock."""
    now = datetime.now(UTC)
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if end - now < timedelta(minutes=minutes):
        await asyncio.sleep((end - now).total_seconds() + 15)  # 10 s after the hour it compiles its own statistics
    return datetime.now(UTC)


async def test_statistics_are_true_hour_by_hour_through_a_gap_of_six_hours(home, mosquitto):
    """Home Assistant heard the register until six hours ago and now; its sum has a past of its own, which stays."""
    import mqtt_rig as rig  # noqa: PLC0415 - loaded by conftest

    key = "active_energy_import"
    now = await minutes_before_the_hour_ends(3)
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    began = this_hour - timedelta(hours=6)
    used = [0.2, 0.5, 0.1, 0.9, 0.0, 0.3]
    """kWh in each hour of the gap."""
    hub = Hub({TableGroup.PRESENT: timedelta(minutes=1), TableGroup.REGISTERS: timedelta(minutes=1)}, rig.CLOCK)
    info = GatewayInfo("hours", "0.1.0", ZoneInfo("Europe/Copenhagen"), now)
    config = rig.config(mosquitto, base_topic="hours", homeassistant={"every": 1}, diagnostics_every=1)
    output = MqttOutput(config, info, None, hub, timing=rig.QUICK)
    hub.add(output)
    async with rig.running(output):
        status = rig.status(meter="cabin")
        hub.publish(replace(status, info=replace(status.info, serial="33334444")))
        hub.publish(rig.sample(TableGroup.REGISTERS, {key: 102_050}, "cabin"))
        hub.publish(rig.sample(TableGroup.PRESENT, rig.DANISH_PRESENT, "cabin"))
        until = asyncio.get_running_loop().time() + 60
        entity, shown = "", ""
        while asyncio.get_running_loop().time() < until and shown != "102.05":
            await asyncio.sleep(0.5)
            entries = await asyncio.to_thread(home.ask, "config/entity_registry/list")
            found = [one["entity_id"] for one in entries if one["unique_id"] == f"nes2mqtt_hours_cabin_{key}"]
            entity = found[0] if found else ""
            shown = (await asyncio.to_thread(home.states)).get(entity, {}).get("state", "")
        assert shown == "102.05"
        past = {"entity": entity, "state": 100.0, "sum": 7.0}
        until_then = {"hour": (began - timedelta(hours=1)).isoformat(), "entities": [past]}
        await asyncio.to_thread(home.call, "compile_statistics", "heard", until_then)

        async def hours() -> dict[datetime, tuple[float, float]]:
            rows = await asyncio.to_thread(
                home.ask,
                "recorder/statistics_during_period",
                start_time=(began - timedelta(hours=2)).isoformat(),
                statistic_ids=[entity],
                period="hour",
                types=["state", "sum"],
            )
            return {
                datetime.fromtimestamp(row["start"] / 1000, UTC): (row["state"], row["sum"]) for row in rows[entity]
            }

        async def hours_there(count: int) -> dict[datetime, tuple[float, float]]:
            while True:
                found = await hours()
                if len(found) >= count or asyncio.get_running_loop().time() > until + 60:
                    return found
                await asyncio.sleep(0.5)

        before = await hours_there(2)
        assert before == {began - timedelta(hours=1): (100.0, 7.0), this_hour: (102.05, pytest.approx(9.05))}
        ends = [began + timedelta(hours=number + 1) for number in range(6)]
        told = [100 + sum(used[: number + 1]) for number in range(6)]
        readings = tuple(
            Sample("cabin", TableGroup.REGISTERS, end, {SOURCES[key]: round(1000 * kwh)})
            for end, kwh in zip(ends, told, strict=True)
        )
        store = FilledHistory(FilledGap(4, "cabin", began, now, readings))
        settings = HomeAssistantConfig.model_validate({"url": f"http://127.0.0.1:{home.port}", "token": home.token})
        repair = Repair(settings, "hours", store)  # type: ignore[arg-type]
        working = asyncio.create_task(repair.run())
        after = await hours_there(8)
        working.cancel()
    assert repair.status().ok
    sums = [after[start][1] for start in sorted(after)]
    assert [round(later - earlier, 6) for earlier, later in pairwise(sums)] == [*used, 0.05]
    assert [after[end - timedelta(hours=1)][0] for end in ends] == pytest.approx(told)
    assert await asyncio.to_thread(home.ask, "recorder/validate_statistics") == {}


class NarrowClient(WireClient):
    """A connection to a broker that takes small packets only."""

    async def connect(self) -> Limits:
        return replace(await super().connect(), packet=9000)


async def test_r2_an_announcement_in_parts_is_one_device(home, mosquitto, meter):
    import mqtt_rig as rig  # noqa: PLC0415 - loaded by conftest

    hub = Hub({TableGroup.PRESENT: timedelta(minutes=1), TableGroup.REGISTERS: timedelta(minutes=1)}, rig.CLOCK)
    info = GatewayInfo("small", "0.1.0", ZoneInfo("Europe/Copenhagen"), datetime.now(UTC))
    config = rig.config(mosquitto, base_topic="small", homeassistant={"every": 1}, diagnostics_every=1)
    output = MqttOutput(config, info, None, hub, timing=rig.QUICK, client=NarrowClient)
    hub.add(output)
    present = dict.fromkeys((key for key, source in SOURCES.items() if source.kind is Kind.PRESENT), 1000)
    registers = dict.fromkeys((key for key, source in SOURCES.items() if source.kind is not Kind.PRESENT), 5000)
    async with rig.running(output):
        status = rig.status(meter="cabin")
        hub.publish(replace(status, info=replace(status.info, serial="11112222")))
        hub.publish(rig.sample(TableGroup.REGISTERS, registers, "cabin"))
        hub.publish(rig.sample(TableGroup.PRESENT, present, "cabin"))
        loop = asyncio.get_running_loop()
        until = loop.time() + 90
        ours: dict[str, Any] = {}
        while loop.time() < until and not ours.keys() >= SOURCES.keys() | {"meter_state", "net_power"}:
            await asyncio.sleep(0.5)
            entries = await asyncio.to_thread(home.ask, "config/entity_registry/list")
            ours = {
                entry["unique_id"].removeprefix("nes2mqtt_small_cabin_"): entry
                for entry in entries
                if entry["unique_id"].startswith("nes2mqtt_small_cabin_")
            }
        assert ours.keys() >= SOURCES.keys() | {"meter_state", "net_power"}
        assert len({entry["device_id"] for entry in ours.values()}) == 1
        shown = ""
        while loop.time() < until and shown != "5.0":  # the registry knows an entity before its first value came
            await asyncio.sleep(0.5)
            states = await asyncio.to_thread(home.states)
            shown = states.get(ours["active_energy_import"]["entity_id"], {}).get("state", "")
        assert shown == "5.0"


def behind(*devices: Any) -> DevicesRead:
    """Return the devices behind the house's meter as the poller hands them on."""
    found = []
    for index, one in enumerate(devices):
        known = MbusDevice(index, one.handle, one.up, 40, 9, 9, frozenset(), Status(0), None, None)
        found.append(with_reads(known, [decode_read(one.read)]))
    return DevicesRead("house", devices_of(found), datetime.now(UTC), time.monotonic())


async def test_gas_water_and_heat_meters_are_devices_by_way_of_their_meter(home, gateway, meter):
    name = "nes2mqtt_home-mbus-osg_{}_{}".format
    gateway.hub.publish(behind(gas(), water(), heat()))
    states = await states_when(home, shows(name(20000005, "value_volume"), "28.504"))
    shown = {
        name(10000004, "value_volume"): ("12.345", "gas", "total_increasing", "m³"),
        name(20000005, "value_volume"): ("28.504", "water", "total_increasing", "m³"),
        name(30000006, "value_energy"): ("2850", "energy", "total_increasing", "kWh"),
        name(30000006, "value_volume"): ("703.4", "volume", "total_increasing", "m³"),
        name(30000006, "value_power"): ("329.7", "power", "measurement", "W"),
        name(30000006, "value_flow_temperature"): ("44.3", "temperature", "measurement", "°C"),
    }
    classes = ("device_class", "state_class", "unit_of_measurement")
    for key, (value, *classed) in shown.items():
        assert states[key]["state"] == value, key
        assert [states[key]["attributes"].get(each) for each in classes] == classed, key
    flags = {
        each: states[name(20000005, each)]["state"] for each in ("battery_low", "alarm", "permanent_error", "reachable")
    }
    assert flags == {"battery_low": "on", "alarm": "off", "permanent_error": "off", "reachable": "on"}
    assert states[name(10000004, "battery_low")]["state"] == "off"
    assert states[name(10000004, "read")]["state"] == "2026-11-29T07:00:00+00:00"
    assert states[name(10000004, "value_volume")]["attributes"]["friendly_name"] == "Gas meter 10000004 Volume"

    devices = await asyncio.to_thread(home.ask, "config/device_registry/list")
    by_id = {identifier[1]: device for device in devices for identifier in device["identifiers"]}
    ours = by_id["nes2mqtt_home-mbus-osg_10000004"]
    assert ours["via_device_id"] == by_id["nes2mqtt_home_house"]["id"]
    assert (ours["manufacturer"], ours["model"], ours["serial_number"]) == ("OSG", "gas", "10000004")

    # The water meter is exchanged, and the gas meter's next telegram fails the check: absent, never 0.
    gateway.hub.publish(behind(gas(info=0x20), replace(water(), serial="20000099"), heat()))
    states = await states_when(home, shows(name(20000099, "value_volume"), "28.504"))
    assert states[name(20000005, "value_volume")]["state"] == "unavailable"
    states = await states_when(home, shows(name(10000004, "value_volume"), "unknown"))
    assert await asyncio.to_thread(home.ask, "recorder/validate_statistics") == {}


def condition(*alarms: str, lost: bool = False) -> ConditionRead:
    """Return what the house's meter says of itself."""
    none, now = Events(0), datetime.now(UTC)
    phases = tuple(
        PhaseQuality(name, lost and name == "l2", none, none, none, 0, None, {}) for name in ("l1", "l2", "l3")
    )
    local = now.astimezone(LOCAL).replace(tzinfo=None, microsecond=0)
    following = (local + timedelta(days=1)).replace(hour=6, minute=0, second=0)
    return ConditionRead(
        "house",
        now,
        now.timestamp(),
        Reported(alarms, Contactor.CLOSED, None, None, None, None, "", None),
        Tariffs(0, Drive.CALENDAR, local, 0, 0, 1, Switch(following, 1), None),
        SupplyQuality(phases, None, None, 0, 300, 10, 10, 30),
    )


def tells(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda states: bool(states["logged"]["attributes"]["event_type"] == name)


async def test_what_a_meter_says_of_itself_and_what_its_logs_tell(home, gateway, meter):
    gateway.hub.publish(condition("load_profile_1_unread"))
    states = await states_when(home, shows("contactor", "closed"))
    keys = ("alarm", "phase_loss", "cover_removed", "low_battery", "tariff")
    assert {key: states[key]["state"] for key in keys} == dict.fromkeys(keys, "off") | {"tariff": "1"}
    assert states["alarm"]["attributes"]["device_class"] == "problem"
    assert states["cover_removed"]["attributes"]["device_class"] == "tamper"
    following = datetime.fromisoformat(states["tariff_next"]["state"]).astimezone(LOCAL)
    assert (following.hour, following.minute) == (6, 0)
    assert states["tariff_next"]["attributes"]["next_tariff"] == 2
    assert states["logged"]["state"] == "unknown"

    gateway.hub.publish(condition("load_profile_1_unread", "cover_removed", lost=True))
    states = await states_when(home, shows("cover_removed", "on"))
    assert (states["alarm"]["state"], states["phase_loss"]["state"]) == ("on", "on")
    assert states["alarm"]["attributes"]["troubles"] == ["cover_removed"]

    for sequence, event, name in ((1, 46, "cover opened"), (2, 77, "other"), (3, 2, "power up")):
        entry = happened_of("house", "1", [Event(sequence, datetime.now(UTC), 0xFFFF, event, b"")], [])
        kept = await gateway.log.keep(Found("house", "1", entry, {}, tuple(HappenedKind), datetime.now(UTC)))
        gateway.hub.publish(EntriesRead("house", tuple(kept)))
        states = await states_when(home, tells(name))
        assert states["logged"]["attributes"]["number"] == event
        assert states["logged"]["attributes"]["who"] == "nobody"


async def test_home_assistants_log_has_no_warning_about_us(home, meter):
    parts = r"components\.(mqtt|sensor|binary_sensor|recorder|energy)|helpers\.(template|device_registry|entity)"
    lines = home.log().splitlines()
    assert any("compile_statistics" in line for line in lines), "this is the log we think it is"
    complaints = [line for line in lines if re.search(rf" (WARNING|ERROR|CRITICAL) .*({parts}|nes2mqtt)", line)]
    # On a busy computer it waits for its broker, and for itself.
    busy = re.compile(r"No ACK from MQTT server in \d+ seconds|is taking over \d+ seconds")
    assert [line for line in complaints if not busy.search(line)] == []
