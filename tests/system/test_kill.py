"""Gateway, broker and meter are killed in turn, under load, fifty times (``make soak``: five hundred times).

A kill is SIGKILL: no handler runs, nothing is flushed. Afterwards:

* history: every register reading once, in order, none falling, none zero;
* queue: every reading in the history was confirmed by the broker, first deliveries in order, and what was sent twice
  because a kill hid the confirmation is the same message with the same number;
* whatever anybody was shown (REST) is in the history;
* availability: said right within three poll periods of every kill and every return.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from harness import Part, Tap, broker, gateway, get, listening, meter

from free_ports import free_port

KILLS = int(os.environ.get("NES2MQTT_KILLS", "50"))
PERIOD = 1.0
"""Seconds between polls: twice the reads of a normal day, on top of what a restart reads."""
WITHIN = 3 * PERIOD
START = 10.0
"""Seconds a process may take until it is up at all; on top of the poll periods."""

REGISTERS = "nes2mqtt/meters/house/registers"
METER_STATUS = "nes2mqtt/meters/house/status"
STATUS = "nes2mqtt/status"


async def becomes(condition: Any, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if condition():
                return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{what} took longer than {seconds} s")


class Town:
    """The three parts, the tap between two of them, and what was seen."""

    def __init__(self, folder: Path, tap: Tap, broker_port: int) -> None:
        self.web, meter_port = free_port(), free_port()
        self.tap = tap
        self.folder = folder
        self.meter = meter(folder, f"tcp:127.0.0.1:{meter_port}", "--baud", "0", "--seed", "7")
        self.broker = broker(folder, broker_port)
        self.broker_port, self.meter_port = broker_port, meter_port
        self.gateway = gateway(
            folder,
            f"""
data_dir = "{folder}/data"
timezone = "Europe/Vienna"
[meters.house]
port = "tcp://127.0.0.1:{meter_port}"
key = {{ file = "{folder}/meter.key" }}
present_every = {PERIOD}
registers_every = {PERIOD}
reads_per_second = 10
[[mqtt]]
host = "127.0.0.1"
port = {tap.port}
[mqtt.homeassistant]
every = 0.0
[web]
listen = "127.0.0.1:{self.web}"
""",
        )
        self.shown: dict[str, float] = {}
        """What REST showed of one register: time received -> value."""

    def status(self) -> Any:
        return get(f"http://127.0.0.1:{self.web}/api/v1/status")

    def state(self) -> str:
        return str(self.status()["meters"][0]["state"])

    def waiting(self) -> int:
        """Return how many register readings the broker has not confirmed."""
        return sum(each["waiting"] for each in self.status()["outputs"] if each["name"].startswith("mqtt"))

    def look(self) -> None:
        """Note what REST shows now."""
        for reading in get(f"http://127.0.0.1:{self.web}/api/v1/readings")["readings"]:
            if reading["name"] == "active_energy_import":
                self.shown[reading["received"]] = reading["value"]

    def last_sent(self, topic: str) -> str:
        """Return the newest payload of a topic that reached the broker over the present connection."""
        for sent in reversed(self.tap.sent):
            if sent.topic == topic and sent.connection == self.tap.connections:
                return sent.payload.decode()
        return ""


async def watch(town: Town) -> None:
    while True:
        with contextlib.suppress(OSError, ValueError, KeyError):
            await asyncio.to_thread(town.look)
        await asyncio.sleep(0.05)


async def subscriber_status(port: int) -> str:
    """Return the gateway's availability as a fresh subscriber gets it: the retained message, or the will."""
    process = await asyncio.create_subprocess_exec(
        *("mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", STATUS, "-C", "1", "-W", "2"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await process.communicate()
    return out.decode().strip()


async def kill_gateway(town: Town) -> None:
    town.gateway.kill()
    end = time.monotonic() + WITHIN
    while await subscriber_status(town.broker_port) != "offline":
        assert time.monotonic() < end, "the broker still calls a dead gateway online"
    connections = town.tap.connections
    await asyncio.to_thread(town.gateway.start)
    await becomes(lambda: town.tap.connections > connections, START, "the gateway's start")
    await becomes(lambda: town.last_sent(STATUS) == "online", WITHIN, "online after the gateway's return")
    await becomes(
        lambda: town.last_sent(METER_STATUS) == "online", START, "the meter online after the gateway's return"
    )


async def kill_broker(town: Town) -> None:
    connections = town.tap.connections
    town.broker.kill()
    await asyncio.sleep(0.3)
    await asyncio.to_thread(town.broker.start)
    await becomes(lambda: listening(town.broker_port), START, "the broker's start")
    await becomes(lambda: town.tap.connections > connections, WITHIN + START, "the gateway's return to the broker")
    await becomes(lambda: town.last_sent(STATUS) == "online", WITHIN, "online after the broker's return")
    await becomes(
        lambda: town.last_sent(METER_STATUS) == "online", WITHIN, "the meter online after the broker's return"
    )
    assert await subscriber_status(town.broker_port) == "online"


async def kill_meter(town: Town) -> None:
    town.meter.kill()
    await becomes(lambda: town.last_sent(METER_STATUS) == "offline", WITHIN, "offline after the meter was gone")
    assert await asyncio.to_thread(town.state) != "online"
    await asyncio.to_thread(town.meter.start)
    await becomes(lambda: listening(town.meter_port), START, "the meter's start")
    await becomes(lambda: town.last_sent(METER_STATUS) == "online", WITHIN, "online after the meter's return")


def register_rows(folder: Path) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{folder}/data/history.db?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return database.execute("SELECT * FROM registers ORDER BY seq").fetchall()


@pytest.mark.takes_long
async def test_nothing_is_lost_doubled_or_zero_when_parts_are_killed(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    broker_port = free_port()
    parts: list[Part] = []
    async with Tap(broker_port).listening() as tap:
        town = Town(tmp_path, tap, broker_port)
        parts = [town.meter, town.broker, town.gateway]
        try:
            town.meter.start()
            town.broker.start()
            await becomes(lambda: listening(broker_port) and listening(town.meter_port), START, "the start")
            town.gateway.start()
            await becomes(lambda: town.last_sent(METER_STATUS) == "online", 2 * START, f"the start {town.gateway.log}")
            watcher = asyncio.create_task(watch(town))
            for number in range(KILLS):
                await asyncio.sleep(chance.uniform(0.1, 1.3))
                victim = (kill_gateway, kill_broker, kill_meter)[number % 3]
                try:
                    await victim(town)
                except AssertionError as error:
                    raise AssertionError(
                        f"kill {number + 1}, {victim.__name__}: {error}\n{town.gateway.log[-3000:]}"
                    ) from None
            await asyncio.sleep(2 * PERIOD)
            watcher.cancel()
            town.meter.kill()
            await becomes(lambda: town.waiting() == 0, 10.0, "the queue running empty")
            assert await asyncio.to_thread(town.gateway.stop) == 0
        finally:
            for part in parts:
                with contextlib.suppress(Exception):
                    part.stop()
    log = town.gateway.log
    assert "Traceback" not in log, log[-4000:]
    check_history(tmp_path, town)
    check_queue(tmp_path, tap)
    check_no_false_zero(tmp_path, tap)


def check_history(folder: Path, town: Town) -> None:
    rows = register_rows(folder)
    assert len(rows) > KILLS, "hardly anything was read"
    assert max(Counter((row["meter"], row["received"]) for row in rows).values()) == 1
    for register in ("active_energy_import", "active_energy_export", "outage_duration"):
        values = [row[register] for row in rows if row[register] is not None]
        assert values == sorted(values), f"{register} fell"
    received = [row["received"] for row in rows]
    assert received == sorted(received)
    kept = {row["active_energy_import"] for row in rows}  # two polls may see one value; nobody saw one that is not here
    lost = {moment for moment, value in town.shown.items() if round(value * 1000) not in kept}
    assert not lost, f"shown by REST, not in the history: {lost}"


def check_queue(folder: Path, tap: Tap) -> None:
    rows = {row["seq"]: row for row in register_rows(folder)}
    messages = [(json.loads(sent.payload), sent) for sent in tap.sent if sent.topic == REGISTERS]
    confirmed = {document["seq"] for document, sent in messages if sent.confirmed}
    assert confirmed == rows.keys(), f"never confirmed: {sorted(rows.keys() - confirmed)}"
    payloads: dict[int, set[bytes]] = {}
    order = []
    for document, sent in messages:
        if document["seq"] not in payloads:
            order.append(document["seq"])
        payloads.setdefault(document["seq"], set()).add(sent.payload)
        assert round(document["active_energy_import"] * 1000) == rows[document["seq"]]["active_energy_import"]
    assert order == sorted(order), "a later reading overtook an earlier one"
    assert max(map(len, payloads.values())) == 1, "one number, two messages"


def check_no_false_zero(folder: Path, tap: Tap) -> None:
    for row in register_rows(folder):
        assert row["active_energy_import"] > 0
    for sent in tap.sent:
        if sent.topic.endswith(("/present", "/registers")):
            document = json.loads(sent.payload)
            for key in ("active_energy_import", "voltage_l1", "voltage_l2", "voltage_l3", "frequency"):
                assert key not in document or document[key] > 0, f"{key} in {sent.topic}"
