"""The application without a socket: what a test or a simulation of the whole gateway asks in its own process."""

import asyncio
import threading
from datetime import UTC, datetime

import httpx
import pytest

from nes2mqtt.outputs.web.output import WebOutput


@pytest.mark.virtual_clock
async def test_it_can_be_asked_without_a_port_and_without_a_thread(make_web, danish_samples):
    web = make_web()
    asked = asyncio.get_running_loop().create_future()

    async def serve(app, opened):
        opened()
        asked.set_result(app)
        await asyncio.Event().wait()

    inside = WebOutput(web.config, web.gateway, web.hub, None, serve=serve)
    for sample in danish_samples(datetime.now(UTC)):
        inside.offer(sample)
    before = threading.active_count()
    task = asyncio.create_task(inside.run())
    transport = httpx.ASGITransport(await asked)
    assert inside.listening.is_set()
    assert inside.status().ok
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in ("/", "/api/v1/status", "/api/v1/readings", "/metrics", "/getDashDataWS"):
            assert (await client.get(path)).status_code == 200
    assert threading.active_count() == before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not inside.listening.is_set()
