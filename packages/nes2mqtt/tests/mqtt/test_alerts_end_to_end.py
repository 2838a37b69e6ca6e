"""The whole gateway between a simulated meter, a real broker and a real web server: what needs attention is told once."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nes2mqtt.config.settings import parse
from nes2mqtt.runtime.gateway import run
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter

BASE = "nes2mqtt/meters/house"
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
"""
ALERTS = """
[alerts]
language = "de"
[alerts.voltage]                  # the simulated house has 230 V
low = 300
high = 400
raise_after = 10
[alerts.webhook]
url = "http://127.0.0.1:{hook}/"
"""


@contextmanager
def web_server():
    posts = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_address[1], posts
    server.shutdown()
    server.server_close()
    thread.join()


@asynccontextmanager
async def gateway_on(text, folder):
    stop = asyncio.Event()
    gateway = asyncio.create_task(run(parse(text, folder / "nes2mqtt.toml"), stop=stop))
    try:
        yield
    finally:
        stop.set()
        await gateway


def told(listener, topic):
    return [json.loads(text) for text in listener.of(f"{BASE}/{topic}") if text]


def entities(listener):
    found = listener.of("homeassistant/device/nes2mqtt_nes2mqtt_house/config")
    return [json.loads(text)["cmps"] for text in found if text]


async def test_an_alert_reaches_broker_entities_and_webhook_once_also_over_a_restart(tmp_path, rig, broker):
    with web_server() as (hook, posts):
        async with SimulatedMeter() as meter, rig.listening(broker) as listener:
            port = await meter.serve_tcp()
            text = CONFIG.format(folder=tmp_path, port=port, key=DEMO_KEY_TEXT, broker=broker.port)
            watching = text + ALERTS.format(hook=hook)
            async with gateway_on(watching, tmp_path):
                await listener.until(lambda: len(told(listener, "alert")) == 3)
                await listener.until(lambda: told(listener, "alerts")[-1]["raised"])
                await listener.until(lambda: any("alert_voltage_low" in one for one in entities(listener)))
                await rig.until(lambda: len(posts) == 3)
            first = told(listener, "alerts")[0]
            async with gateway_on(watching, tmp_path):
                await listener.until(lambda: "stale" in str(told(listener, "alerts")[-1]["voltage_low"]))
                await listener.until(lambda: "stale" not in str(told(listener, "alerts")[-1]["voltage_low"]))
                await asyncio.sleep(12)  # a hold and more
            async with gateway_on(text, tmp_path):
                await listener.until(lambda: listener.of(f"{BASE}/alerts")[-1] == "")
                # Home Assistant removes what has nothing but its platform; what is merely left out it keeps.
                await listener.until(lambda: entities(listener)[-1].get("alert_told") == {"p": "event"})
    assert [one["phase"] for one in posts] == ["l1", "l2", "l3"]
    assert [one["what"] for one in posts] == ["raised"] * 3
    assert posts[0]["title"] == "Spannung an L1 zu niedrig"
    documents = told(listener, "alert")
    assert [one["number"] for one in documents] == [1, 2, 3]
    assert {one["event_type"] for one in documents} == {"raised"}
    assert first["raised"] == []
    last = [one for one in told(listener, "alerts") if one["raised"]][-1]
    assert last["raised"] == ["voltage_low"]
    assert last["voltage_low"]["state"] == "on"
    assert last["voltage_low"]["phases"] == ["l1", "l2", "l3"]
    assert last["voltage_high"] == {"state": "off"}
    assert last["meter_silent"] == {"state": "off"}
    watched = {
        key
        for one in entities(listener)
        for key, component in one.items()
        if key.startswith("alert_") and component.keys() != {"p"}
    }
    assert watched == {
        "alert_meter_silent",
        "alert_key_refused",
        "alert_voltage_high",
        "alert_voltage_low",
        "alert_told",
    }
