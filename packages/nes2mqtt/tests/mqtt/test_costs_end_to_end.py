"""The whole gateway with its history and a contract, between a simulated meter and a real broker."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest

from nes2mqtt.config.settings import parse
from nes2mqtt.runtime.gateway import run
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter

CONFIG = """
timezone = "UTC"
data_dir = "{folder}"
[meters.house]
port = "{port}"
key = "{key}"
present_every = 1
registers_every = 2
reads_per_second = 10
[[mqtt]]
host = "127.0.0.1"
port = {broker}
[[contracts]]
name = "Fixed"
meter = "house"
from = 2020-01-01
currency = "DKK"
vat = "25 %"
[[contracts.lines]]
name = "Energy"
price = "2 DKK per kWh"
[[contracts.lines]]
name = "Subscription"
price = "4 DKK per day"
"""


def told(listener):
    return [json.loads(text) for text in listener.of("nes2mqtt/meters/house/costs")]


def announced(listener):
    found = listener.of("homeassistant/device/nes2mqtt_nes2mqtt_house/config")
    return [json.loads(text)["cmps"] for text in found if text]


async def test_prices_costs_and_their_entities_reach_the_broker(tmp_path, rig, broker):
    async with SimulatedMeter() as meter, rig.listening(broker) as listener:
        port = await meter.serve_tcp()
        text = CONFIG.format(folder=tmp_path, port=port, key=DEMO_KEY_TEXT, broker=broker.port)
        stop = asyncio.Event()
        gateway = asyncio.create_task(run(parse(text, tmp_path / "nes2mqtt.toml"), stop=stop))
        try:
            await listener.until(lambda: any("import_price" in one for one in told(listener)))
            await listener.until(lambda: any("import_price" in one for one in announced(listener)))
        finally:
            stop.set()
            await gateway
    known = told(listener)[-1]
    assert known["currency"] == "DKK"
    assert known["import_price"] == 2.5
    # A subscription is there as a whole day; the meter has used a few Wh at most since it was first read.
    assert known["cost_today"] == pytest.approx(5, abs=0.1)
    assert known["cost_month"] >= known["cost_today"]
    assert datetime.fromisoformat(known["today_began"]).hour == 0
    entities = announced(listener)[-1]
    assert {"import_price", "cost_today", "cost_month"} <= entities.keys()
    assert not {"export_price", "income_today", "income_month"} & entities.keys()
