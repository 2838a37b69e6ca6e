"""The whole gateway with its history, between a simulated meter and a real broker: what happens to the house is told once.

The meter's cover is opened while the gateway runs, while it is off, and while the broker is off.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
import pytest

from nes2mqtt.config.settings import parse
from nes2mqtt.meters import seldom
from nes2mqtt.runtime.gateway import run
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.simulator.history.happenings import CoverOpened
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

LOGGED = "nes2mqtt/meters/house/logged"
CONFIG = """
timezone = "UTC"
data_dir = "{folder}"
[meters.house]
port = "{port}"
key = "{key}"
present_every = 1
registers_every = 2
reads_per_second = 10
events_every = 1
condition_every = 1
event_names = "{folder}/names.toml"
[[mqtt]]
host = "127.0.0.1"
port = {broker}
[web]
listen = "127.0.0.1:{web}"
"""


@pytest.fixture
def quick(monkeypatch):
    """Do not let the reader wait for a start to settle."""
    monkeypatch.setattr(seldom, "_LOOK_EVERY", 0.1)
    monkeypatch.setattr(seldom, "_SETTLE", 0.0)
    monkeypatch.setattr(seldom, "_AGAIN", (0.2, 0.5))


@pytest.fixture
def gateway_on(tmp_path, rig, broker):
    """Run the gateway on a meter for the length of a block."""
    (tmp_path / "names.toml").write_text('[events]\n46 = "cover opened"\n')
    web = rig.free_port()

    @asynccontextmanager
    async def running(port):
        text = CONFIG.format(folder=tmp_path, port=port, key=DEMO_KEY_TEXT, broker=broker.port, web=web)
        stop, started = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(run(parse(text, tmp_path / "nes2mqtt.toml"), stop=stop, started=started.set))
        try:
            await asyncio.wait({task, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web}", trust_env=False, timeout=60) as client:
                yield client
        finally:
            stop.set()
            await task

    return running


def told(listener):
    return [json.loads(text) for text in listener.of(LOGGED)]


async def until(ask, fulfilled):
    """Ask the API until its answer fulfils a condition."""
    async with asyncio.timeout(60):
        while not fulfilled((await ask()).json()):
            pass


async def test_what_happens_to_the_house_is_told_once_whatever_is_off(quick, gateway_on, rig, broker):
    now = time.time()
    house = House(1, ledger=Ledger(Household(1), int(now) - 60 * 86_400))
    truth = []

    def open_the_cover():
        truth.append(int(time.time()))
        house.history.add(CoverOpened(truth[-1]))

    async with SimulatedMeter(house) as meter:
        port = await meter.serve_tcp()
        async with gateway_on(port) as client, rig.listening(broker) as listener:
            await listener.topic("nes2mqtt/meters/house/condition")
            await until(lambda: client.get("/api/v1/events"), lambda found: found["events"])
            open_the_cover()
            await listener.until(lambda: told(listener))
            (first,) = (await client.get("/api/v1/events?limit=1")).json()["events"]
        open_the_cover()
        async with rig.listening(broker) as listener, gateway_on(port) as client:
            await listener.until(lambda: told(listener))
            second = told(listener)
            broker.kill()
            open_the_cover()
            newest = second[-1]["seq"]
            await until(
                lambda: client.get("/api/v1/events?limit=1"), lambda found: found["events"][0]["number"] != newest
            )
            broker.start()
            async with rig.listening(broker) as again:
                # The broker was killed, perhaps before it confirmed: then the entry before comes again, with its number (QoS 1).
                await again.until(lambda: [one for one in told(again) if one["seq"] != newest])
                third = [one for one in told(again) if one["seq"] != newest]
            everything = (await client.get("/api/v1/events?limit=500")).json()["events"]
    heard = [*second, *third]
    covers = [one for one in everything if one["event"] == 46]
    assert [one["news"] for one in covers] == [True] * 3
    assert [datetime.fromisoformat(one["time"]).timestamp() for one in covers[::-1]] == truth
    assert [one["event_type"] for one in heard] == ["cover opened"] * 2
    assert [one["seq"] for one in heard] == [one["number"] for one in covers[1::-1]]
    assert first["name"] == "cover opened"
    assert not any(one["news"] for one in everything if one["event"] != 46)
