"""The gateway as an attacker meets it: a page on loopback with a meter that is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from nes2mqtt.outputs.web.app import build_app
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.outputs.web.output import WebOutput
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, TableGroup


def make_web(*, info: MeterInfo | None = None, state_dir: Path | None = None, **settings: Any) -> WebOutput:
    """Return a web output whose hub knows one meter."""
    hub = Hub(dict.fromkeys(TableGroup, timedelta(seconds=10)))
    gateway = GatewayInfo("nes2mqtt", "0.1.0", ZoneInfo("Europe/Copenhagen"), datetime.now(UTC))
    config = WebConfig.model_validate({"listen": "127.0.0.1:0", **settings})
    web = WebOutput(config, gateway, hub, None, state_dir=state_dir)
    hub.add(web)
    hub.publish(MeterStatus(info or MeterInfo("house", "87654321"), MeterState.ONLINE, datetime.now(UTC)))
    return web


@pytest.fixture(name="page")
def page_fixture() -> Callable[..., httpx.AsyncClient]:
    """Make a client that talks to a page without a network."""

    def page(**settings: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(build_app(make_web(**settings)), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8099")

    return page


@pytest.fixture(name="served_page")
def served_page_fixture() -> Callable[..., AbstractAsyncContextManager[WebOutput]]:
    """Serve a page on a loopback port for the length of a block."""

    @asynccontextmanager
    async def served(**settings: Any) -> AsyncIterator[WebOutput]:
        web = make_web(**settings)
        task = asyncio.create_task(web.run())
        try:
            async with asyncio.timeout(60):
                await web.listening.wait()
            yield web
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return served
