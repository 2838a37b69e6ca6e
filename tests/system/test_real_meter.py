"""A real Danish meter, from its serial line to every output, with the values its owner's reader printed.

The image is ``image:denmark-gen3`` (packages/osgp/src/osgp/data, with provenance), served at 9600 baud over a pty and
read encrypted; broker, database, HTTP and browser are real.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from harness import BIN, broker, gateway, get, listening, meter, running, until
from mqtt_ears import Ears

from free_ports import free_port

# What NES-MEP-Reader printed of the same bytes (public issue thread DabblerDK/MEP-SW-ESP32#2, October 2022), in raw units.
PRINTED = {
    "active_energy_import": 65845342,
    "active_energy_export": 179,
    "reactive_energy_import": 4056958,
    "reactive_energy_export": 20491954,
    "outage_duration": 23315499,
    "outage_count": 10,
    "active_energy_sum": 65845519,
    "active_energy_net": 65842808,
    "pulse_count_1": 0,
    "pulse_count_2": 0,
    "error_count": 0,
    "active_power_import": 432,
    "active_power_export": 0,
    "reactive_power_import": 0,
    "reactive_power_export": 545,
    "current_l1": 1978,
    "current_l2": 782,
    "current_l3": 854,
    "voltage_l1": 228693,
    "voltage_l2": 226079,
    "voltage_l3": 226973,
    "apparent_power": 818,
    "frequency": 50000,
    "power_factor_l1": 711,
}

DECIMALS = dict.fromkeys(("voltage_l1", "voltage_l2", "voltage_l3"), 3)
DECIMALS |= dict.fromkeys(("current_l1", "current_l2", "current_l3"), 3)
DECIMALS |= {"frequency": 3, "power_factor_l1": 3}
DECIMALS |= {key: 3 for key in PRINTED if "energy" in key}

# One value per topic as NES-MEP-Reader sends it: its names, its decimals.
RAW_TOPICS = {
    "meter/import/active": "432",
    "meter/export/active": "0",
    "meter/import/reactive": "0",
    "meter/export/reactive": "545",
    "meter/import/active/accumulated": "65845.342",
    "meter/export/active/accumulated": "0.179",
    "meter/import/reactive/accumulated": "4056.958",
    "meter/export/reactive/accumulated": "20491.954",
    "meter/l1/voltage": "228.69",
    "meter/l2/voltage": "226.08",
    "meter/l3/voltage": "226.97",
    "meter/l1/current": "1.98",
    "meter/l2/current": "0.78",
    "meter/l3/current": "0.85",
    "meter/l1/powerfactor": "0.71",
    "meter/power/frequency": "50.00",
    "meter/power/aparentpower": "818",
    "status": "online",
}

DABBLER = {
    "meterConsumptionTotal/mydatajson": {"Fwd_Act_Wh": 65845342, "Rev_Act_Wh": 179},
    "frequency/mydatajson": {"Freq_mHz": 50000},
}


UNITS = ("s", "kWh", "kvarh", "W", "var", "VA", "A", "V", "Hz")


def value(key: str) -> float:
    return PRINTED[key] / 10 ** DECIMALS.get(key, 0)


pytestmark = pytest.mark.xdist_group("real meter")  # one house for all


class House:
    """The running house, and what was heard of it."""

    def __init__(self, ears: Ears, url: str, folder: Path) -> None:
        self.ears, self.url, self.folder = ears, url, folder


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("real-meter")
    port, web = free_port(), free_port()
    line = meter(folder, f"pty:{folder}/line", "denmark-gen3", "--baud", "9600", "--encrypt-only")
    mosquitto = broker(folder, port)
    config = f"""
data_dir = "{folder}/data"
timezone = "Europe/Copenhagen"
[meters.house]
port = "serial://{folder}/line"
key = {{ file = "{folder}/meter.key" }}
security = "rc4"
registers_every = 5.0
[[mqtt]]
host = "127.0.0.1"
port = {port}
dialects = ["homeassistant", "nmr-raw", "dabbler"]
[mqtt.nmr-raw]
base_topic = "nes"
[mqtt.homeassistant]
every = 0.0
[history]
commit_every = 2.0
[web]
listen = "127.0.0.1:{web}"
"""
    program = gateway(folder, config)
    with running(line, mosquitto):
        until(lambda: listening(port), what="the broker listening")
        until((folder / "line").exists, what="the meter's port")
        with Ears(port) as ears, running(program):
            until(lambda: listening(web), what="the page listening")
            found = House(ears, f"http://127.0.0.1:{web}", folder)
            until(lambda: ears.json("nes2mqtt/meters/house/registers"), 40, f"a register message; {program.log}")
            until(lambda: ears.last.get("dabbler/meterConsumptionTotal/mydatajson"), 40, "a dabbler message")
            yield found
    assert "Traceback" not in program.log


def test_home_assistant_topics_hold_the_printed_values(house: House) -> None:
    got: dict[str, Any] = {}
    for topic in ("present", "registers"):
        got |= until(lambda topic=topic: house.ears.json(f"nes2mqtt/meters/house/{topic}"), what=topic)  # type: ignore[misc]
    assert {key: got[key] for key in PRINTED} == {key: value(key) for key in PRINTED}


def test_nes_mep_reader_topics_hold_the_printed_values(house: House) -> None:
    until(lambda: RAW_TOPICS.keys() <= {topic.removeprefix("nes/") for topic in house.ears.last}, what="raw topics")
    assert {topic: house.ears.last[f"nes/{topic}"] for topic in RAW_TOPICS} == RAW_TOPICS


def test_dabbler_topics_hold_the_printed_values(house: House) -> None:
    for topic, document in DABBLER.items():
        assert json.loads(house.ears.last[f"dabbler/{topic}"]) == document
    sensors = json.loads(house.ears.last["dabbler/sensors/mydatajson"])
    assert sensors["L1_RMS_V"] == PRINTED["voltage_l1"]
    assert sensors["L3_RMS_A"] == PRINTED["current_l3"]
    assert sensors["L1_PF_Fac"] == PRINTED["power_factor_l1"]
    assert sensors["ExportReactive_VAr"] == PRINTED["reactive_power_export"]
    assert house.ears.last["dabbler/lwt"] == "Online"


def test_the_dabbler_page_document_holds_the_printed_values(house: House) -> None:
    document = until(lambda: get(f"{house.url}/getDashDataWS"), what="the document")
    assert document["Utility_SN"] == "house"  # the image has no ET03
    named = {"Fwd_Act_Wh": "active_energy_import", "Rev_Act_Wh": "active_energy_export", "Freq_mHz": "frequency"}
    named |= {"Fwd_W": "active_power_import", "Rev_W": "active_power_export"}
    named |= {f"L{n}_RMS_A": f"current_l{n}" for n in (1, 2, 3)} | {f"L{n}_RMS_V": f"voltage_l{n}" for n in (1, 2, 3)}
    assert {field: document[field] for field in named} == {field: PRINTED[key] for field, key in named.items()}


def test_rest_readings_hold_the_printed_values(house: House) -> None:
    readings = {each["name"]: each for each in get(f"{house.url}/api/v1/readings")["readings"]}
    assert {key: readings[key]["value"] for key in PRINTED} == {key: value(key) for key in PRINTED}
    assert {each["quality"] for each in readings.values()} == {"good"}


def test_metrics_hold_the_printed_values(house: House) -> None:
    text = get(f"{house.url}/metrics")
    shown = {
        line.partition('name="')[2].partition('"')[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if 'name="' in line
    }
    in_base_units = {
        key: raw / 1000 if key.startswith(("voltage", "current", "freq", "power_f")) else raw
        for key, raw in PRINTED.items()
    }
    assert {key: shown[key] for key in PRINTED} == in_base_units


def test_history_holds_the_printed_values(house: House) -> None:
    def stored() -> dict[str, float] | None:
        found: dict[str, float] = {}
        for what in ("registers", "present"):
            out = house.folder / f"{what}.csv"
            asked = ["export", "--config", str(house.folder / "nes2mqtt.toml"), "--from", "2026-01-01", "--what", what]
            done = subprocess.run([BIN / "nes2mqtt", *asked, "--out", out], check=False, capture_output=True, text=True)
            if done.returncode:
                return None
            rows = list(csv.DictReader(out.read_text().splitlines()))
            if not rows:
                return None
            found |= {key: float(rows[-1][column]) for column in rows[-1] if (key := printed(column))}
        return found

    assert until(stored, 90, "rows of both tables") == {key: value(key) for key in PRINTED}


def printed(column: str) -> str:
    """Return which of the printed values a column of an export holds: its name, and behind it the unit."""
    return next((key for key in PRINTED if column in (key, *(f"{key}_{unit}" for unit in UNITS))), "")


def test_the_page_shows_the_printed_values(house: House) -> None:
    from browser import chromium  # noqa: PLC0415
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - slow to import, used here only

    with sync_playwright() as playwright, closing(chromium(playwright)) as browser:
        page = browser.new_page(locale="en-GB")
        page.goto(house.url)
        # Not wait_for_function: it evaluates a string, which the page's security policy forbids.
        expect(page.locator("body")).to_contain_text("65,845.3", use_inner_text=True, timeout=60_000)
        text = page.inner_text("body")
        for shown in ("432", "228.7", "226.1", "227.0", "1.98", "0.78", "0.85"):
            assert shown in text, f"{shown} is not on the page:\n{text}"
