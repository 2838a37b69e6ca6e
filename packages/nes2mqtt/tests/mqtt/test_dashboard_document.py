"""The document of the Dabbler firmware's web page."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.dabbler import dash_body, dash_data
from nes2mqtt.hub import Hub
from nes2mqtt.reading import MeterInfo, TableGroup

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
def feed(rig, hub):
    def publish(*, age=0.0, **present):
        received = NOW - timedelta(seconds=age)
        hub.publish(rig.status())
        hub.publish(rig.sample(TableGroup.REGISTERS, rig.DANISH_REGISTERS, received=received))
        values = rig.DANISH_PRESENT | AVERAGES | present
        hub.publish(rig.sample(TableGroup.PRESENT, values, received=received))

    return publish


def test_keys_order_and_values(hub, feed):
    feed()
    document = dash_data(hub, "house", "0.1.0", NOW)
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


def test_power_is_the_sum_of_its_phases_within_3_w(hub, feed):
    feed()
    document = dash_data(hub, "house", "0.1.0", NOW)
    phases = sum(document[f"L{n}_Fwd_W"] - document[f"L{n}_Rev_W"] for n in (1, 2, 3))
    assert abs(document["Fwd_W"] - document["Rev_W"] - phases) <= 3


def test_negative_stays_negative(hub, feed):
    feed(active_power_average_import=-7)
    assert dash_data(hub, "house", "0.1.0", NOW)["Fwd_Avg_W"] == -7


def test_no_document_before_everything_is_known(rig, hub):
    assert dash_data(hub, "house", "0.1.0", NOW) is None
    hub.publish(rig.status())
    assert dash_data(hub, "house", "0.1.0", NOW) is None
    hub.publish(rig.sample(TableGroup.PRESENT, rig.DANISH_PRESENT, received=NOW))
    assert dash_data(hub, "house", "0.1.0", NOW) is None


def test_a_meter_without_a_serial_number_goes_by_its_id(rig, hub, feed):
    """The Home Assistant integration takes an empty serial number for a meter and makes entities for it."""
    feed()
    hub.publish(replace(rig.status(), info=MeterInfo("house")))
    assert dash_data(hub, "house", "0.1.0", NOW)["Utility_SN"] == "house"


def test_no_document_when_values_are_stale(hub, feed):
    feed(age=3600)
    assert dash_data(hub, "house", "0.1.0", NOW) is None


def test_firmware_that_is_not_three_numbers_is_left_empty(rig, hub, feed):
    feed()
    hub.publish(replace(rig.status(), info=replace(rig.status().info, firmware="")))
    assert dash_data(hub, "house", "0.1.0", NOW)["Meter_SW_Version"] == ""
