"""Settings are changed on the page while the gateway reads: the same process begins anew, and no reading is lost or kept twice.

Gateway, meter and broker are processes; the meter is at a pseudo-terminal, which only one program can have.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path

import httpx
import pytest
from harness import Tap, broker, gateway, listening, meter
from test_kill import METER_STATUS, REGISTERS, STATUS, becomes, register_rows

from free_ports import free_port

PASSWORD = "correct horse battery"
PERIOD = 5.0
"""Seconds between two reads of the registers."""
START = 60.0
CHANGES = 3
MILLISECONDS = 1e3


async def change(client: httpx.AsyncClient, path: list[str | int], value: object) -> None:
    settings = (await client.get("/api/v1/settings")).json()
    asked = {"revision": settings["revision"], "changes": [{"path": path, "value": value}], "password": PASSWORD}
    told = (
        await client.post("/api/v1/settings", json=asked, headers={"origin": str(client.base_url).rstrip("/")})
    ).json()
    assert told["taken"], told


@pytest.mark.takes_long
async def test_settings_change_without_a_reading_lost_or_kept_twice(tmp_path: Path) -> None:
    broker_port, page, adapter = free_port(), free_port(), tmp_path / "ttyMETER"
    async with Tap(broker_port).listening() as tap:
        parts = [
            meter(tmp_path, f"pty:{adapter}", "--seed", "7"),
            broker(tmp_path, broker_port),
            gateway(
                tmp_path,
                f"""\
# The gateway of the cellar.
data_dir = "{tmp_path}/data"
timezone = "Europe/Vienna"   # where we are

[meters.house]
port = "serial://{adapter}"
key = {{ file = "{tmp_path}/meter.key" }}
registers_every = {PERIOD:g}

[[mqtt]]
host = "127.0.0.1"
port = {tap.port}

[web]
listen = "127.0.0.1:{page}"
password = "{PASSWORD}"
""",
            ),
        ]
        file = tmp_path / "nes2mqtt.toml"
        written = file.read_text()
        ours = parts[2]

        def said(topic: str) -> str:
            """Return the newest payload of a topic over the present connection to the broker."""
            sent = [one for one in tap.sent if one.topic == topic and one.connection == tap.connections]
            return sent[-1].payload.decode() if sent else ""

        try:
            parts[0].start()
            parts[1].start()
            await becomes(lambda: listening(broker_port) and adapter.exists(), START, "the start")
            ours.start()
            assert ours.process is not None
            await becomes(lambda: said(METER_STATUS) == "online", START, f"the first reading {ours.log}")
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{page}", timeout=60) as client:
                login = {"origin": str(client.base_url).rstrip("/")}
                await becomes(lambda: listening(page), START, "the page")
                assert (await client.post("/login", data={"password": PASSWORD}, headers=login)).status_code == 303
                for number in range(CHANGES):
                    connections = tap.connections
                    await becomes(lambda: said(REGISTERS) != "", START, "registers")
                    await asyncio.sleep(0.37 * PERIOD * number)
                    await change(client, ["meters", "house", "present_every"], 2 + number / 10)
                    await becomes(lambda seen=connections: tap.connections > seen, START, "beginning anew")
                    await becomes(lambda: said(METER_STATUS) == "online", START, "the meter's return")
                    await becomes(lambda: said(REGISTERS) != "", START, "registers after it")
                    assert said(STATUS) == "online"
                    await becomes(lambda: listening(page), START, "the page again")
                    assert (await client.get("/api/v1/settings")).status_code == 200, "the login lasts"
            await asyncio.sleep(PERIOD)
            assert ours.process.poll() is None
            assert ours.log.count("started: 1 meter") == CHANGES + 1
            parts[0].kill()
            await asyncio.sleep(1)
            assert ours.stop() == 0
        finally:
            for part in parts:
                with contextlib.suppress(Exception):
                    part.stop()
    assert "Traceback" not in ours.log, ours.log
    for trouble in ("BUSY", "Another program", "refuses", "corrupt", "power cut", "not stopped"):
        assert trouble not in ours.log, ours.log
    assert [line for line in file.read_text().splitlines() if line not in written.splitlines()] == [
        "present_every = 2.2"
    ]
    rows = register_rows(tmp_path)
    times = [row["received"] / MILLISECONDS for row in rows]
    assert max(Counter(times).values()) == 1
    assert times == sorted(times)
    assert [row["seq"] for row in rows] == list(range(rows[0]["seq"], rows[0]["seq"] + len(rows)))
    energy = [row["active_energy_import"] for row in rows]
    assert energy == sorted(energy)
    assert len({row["segment"] for row in rows}) == 1, "a change of settings is no new meter"
    sent = [json.loads(one.payload) for one in tap.sent if one.topic == REGISTERS]
    numbers = [document["seq"] for document in sent]
    assert numbers == sorted(set(numbers)), "to the broker each once, in order"
    assert set(numbers) == {row["seq"] for row in rows}
