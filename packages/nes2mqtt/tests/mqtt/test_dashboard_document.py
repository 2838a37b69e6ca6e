"""The document of the Dabbler firmware's web page."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nes2mqtt.outputs.dabbler import DashDocument, dash_body
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterInfo, TableGroup

NOW = datetime(2026, 11, 22, 5, 45, 52, 700_000, tzinfo=UTC)

AVERAGES = {
    f"active_power_average_{way}{phase}": 1000 + n
    for n, (way, phase) in enumerate((w, p) for w in ("import", "export") for p in ("", "_l1", "_l2", "_l3"))
}

# The firmware's keys in its order.
KEYS = [
    "ESP_SW",
    "ESP_SW_By",
    "ESP_SW_Version",
    "Meter_Manufacturer",
    "Meter_Model",
    "Meter_SW_Version",
    "Utility_SN",
    "CurrentDateTimeString",
    "CurrentDateTime",
    "Fwd_Act_Wh",
    "Rev_Act_Wh",
    "Fwd_W",
    "Rev_W",
    "Freq_mHz",
    "L1_RMS_A",
    "L2_RMS_A",
    "L3_RMS_A",
    "L1_RMS_V",
    "L2_RMS_V",
    "L3_RMS_V",
    "L1_Fwd_W",
    "L2_Fwd_W",
    "L3_Fwd_W",
    "L1_Rev_W",
    "L2_Rev_W",
    "L3_Rev_W",
    "Fwd_Avg_W",
    "Rev_Avg_W",
    "L1_Fwd_Avg_W",
    "L2_Fwd_Avg_W",
    "L3_Fwd_Avg_W",
    "L1_Rev_Avg_W",
    "L2_Rev_Avg_W",
    "L3_Rev_Avg_W",
]


@pytest.fixture
def hub(labelled_clocks):
    stale = {TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(seconds=50)}
    return Hub(stale, labelled_clocks(lambda: NOW))


@pytest.fixture
def dash(hub):
    made = DashDocument(hub)

    class Output:
        name = "web"
        offer = staticmethod(made.offer)

    hub.add(Output())
    return lambda: made.document("house", "0.1.0")


@pytest.fixture
def feed(rig, hub, dash):
    def publish(*, age=0.0, **present):
        received = NOW - timedelta(seconds=age)
        hub.publish(rig.status())
        hub.publish(rig.sample(TableGroup.REGISTERS, rig.DANISH_REGISTERS, received=received))
        values = rig.DANISH_PRESENT | AVERAGES | present
        hub.publish(rig.sample(TableGroup.PRESENT, values, received=received))

    return publish


def test_keys_order_and_values(hub, feed, dash):
    feed()
    document = dash()
    assert list(document) == KEYS
    assert document | {} == document | {
        "Meter_Manufacturer": "NES ",
        "Meter_Model": "83332-3I",
        "Meter_SW_Version": "49.85",  # 3.10.21 is 0x3155
        "Utility_SN": "87654321",
        "CurrentDateTimeString": "2026-11-22 (Sunday) @ 05:45:52",
        "CurrentDateTime": "2026-11-22T05:45:52.000Z",
        "Fwd_Act_Wh": 65845342,
        "Rev_Act_Wh": 179,
        "Fwd_W": 432,
        "L2_RMS_A": 782,
        "L3_RMS_V": 226973,
        "Freq_mHz": 50000,
        "L1_Fwd_Avg_W": 1001,
    }
    body = dash_body(document)
    assert body.startswith("\n{\n")
    assert json.loads(body) == document


def test_power_is_the_sum_of_its_phases_within_3_w(hub, feed, dash):
    feed()
    document = dash()
    phases = sum(document[f"L{n}_Fwd_W"] - document[f"L{n}_Rev_W"] for n in (1, 2, 3))
    assert abs(document["Fwd_W"] - document["Rev_W"] - phases) <= 3


def test_negative_stays_negative(hub, feed, dash):
    feed(active_power_average_import=-7)
    assert dash()["Fwd_Avg_W"] == -7


def test_no_document_before_everything_is_known(rig, hub, dash):
    assert dash() is None
    hub.publish(rig.status())
    assert dash() is None
    hub.publish(rig.sample(TableGroup.PRESENT, rig.DANISH_PRESENT, received=NOW))
    assert dash() is None


def test_a_meter_without_a_serial_number_goes_by_its_id(rig, hub, feed, dash):
    """The Home Assistant integration takes an empty serial number for a meter and makes entities for it."""
    feed()
    hub.publish(replace(rig.status(), info=MeterInfo("house")))
    assert dash()["Utility_SN"] == "house"


def test_no_document_when_values_are_stale(hub, feed, dash):
    feed(age=3600)
    assert dash() is None


def test_firmware_that_is_not_three_numbers_is_left_empty(rig, hub, feed, dash):
    feed()
    hub.publish(replace(rig.status(), info=replace(rig.status().info, firmware="")))
    assert dash()["Meter_SW_Version"] == ""


@pytest.fixture
def machine(rig, labelled_clocks):
    """Return a hub with the document on it, and what a meter says at a moment."""

    class Machine:
        def __init__(self):
            self.now = NOW
            self.hub = Hub(dict.fromkeys(TableGroup, timedelta(seconds=30)), labelled_clocks(lambda: self.now))
            self.document = DashDocument(self.hub)
            self.hub.add(self)

        name = "web"

        def offer(self, event):
            self.document.offer(event)

        def says(self, group, values, **more):
            self.hub.publish(rig.sample(group, values, received=self.now, **more))

        def is_called(self, serial):
            self.hub.publish(replace(rig.status(), info=replace(rig.status().info, serial=serial)))

        def wait(self, seconds):
            self.now += timedelta(seconds=seconds)

        def shown(self):
            found = self.document.document("house", "0.1.0")
            return found and (found["Utility_SN"], found["Fwd_Act_Wh"], found["Fwd_W"])

    return Machine()


def test_m5_the_power_of_a_new_meter_never_stands_beside_the_energy_of_the_old_one(machine):
    machine.is_called("old")
    machine.says(TableGroup.PRESENT, {"active_power_import": 100})
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 5_000_000})
    machine.wait(2)
    machine.says(TableGroup.PRESENT, {"active_power_import": 101})
    seen = [machine.shown()]
    for _ in range(3):  # swapped without a silence: power is read more often than the registers that show it
        machine.wait(2)
        machine.says(TableGroup.PRESENT, {"active_power_import": 7000})
        seen.append(machine.shown())
    assert set(seen) == {("old", 5_000_000, 100)}
    machine.is_called("new")
    assert machine.shown() is None
    machine.says(TableGroup.PRESENT, {"active_power_import": 7001}, segment=2)
    assert machine.shown() is None
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 12}, segment=2)
    assert machine.shown() == ("new", 12, 7001)


def test_m5_samples_of_two_segments_make_no_document(machine):
    machine.is_called("")
    machine.says(TableGroup.PRESENT, {"active_power_import": 100})
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 5_000_000})
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 12}, segment=2)
    assert machine.shown() is None
    machine.says(TableGroup.PRESENT, {"active_power_import": 7000}, segment=2)
    assert machine.shown() == ("house", 12, 7000)


def test_power_follows_when_registers_have_confirmed_the_meter(machine):
    machine.is_called("old")
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 1})
    machine.says(TableGroup.PRESENT, {"active_power_import": 100})
    assert machine.shown() == ("old", 1, 100), "the first one does not wait"
    machine.wait(5)
    machine.says(TableGroup.PRESENT, {"active_power_import": 200})
    assert machine.shown() == ("old", 1, 100)
    machine.wait(5)
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 2})
    assert machine.shown() == ("old", 2, 200)


def test_power_does_not_wait_long_where_registers_are_read_rarely(machine):
    machine.hub.expect(
        "house", {TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(minutes=15)}
    )
    machine.is_called("old")
    machine.says(TableGroup.PRESENT, {"active_power_import": 100})
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 1})
    for watts in range(60):
        machine.wait(2)
        machine.says(TableGroup.PRESENT, {"active_power_import": watts})
    assert machine.shown() == ("old", 1, 59)
    machine.wait(11)
    assert machine.shown() is None, "and an old one is no power"


def test_m10_a_meter_without_power_by_phase_says_no_false_zero_and_the_page_about_it_says_so(machine):
    """The integration refuses to be set up with such a meter; a zero would let it, and then trip its own check for ever:
    power has to be the sum of its phases within 3 W."""
    machine.is_called("old")
    machine.says(TableGroup.PRESENT, {"active_power_import": 1514})
    machine.says(TableGroup.REGISTERS, {"active_energy_import": 1})
    document = machine.document.document("house", "0.1.0")
    assert document["Fwd_W"] == 1514
    assert "L1_Fwd_W" not in document
    page = (Path(__file__).parents[4] / "docs" / "dashboard.md").read_text(encoding="utf-8")
    assert "L1_Fwd_W" in page
