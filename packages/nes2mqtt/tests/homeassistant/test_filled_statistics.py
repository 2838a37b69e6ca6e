"""Meter, gateway and Home Assistant together: after nine days without the gateway, Home Assistant's statistics are what the house used.

The meter and the gateway live through these days in virtual time (tests/sim): the simulated meter keeps its load profile, the
gateway is stopped, started again and fills its history. What it has written then is opened by the product's own store; its
outputs speak to a real Home Assistant through a real broker. The truth is the house model of the simulated meter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from simulation import disk
from simulation.gateway.downtime import Downtime, live_through
from simulation.gateway.world import INTO_WINTER

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.store import Store
from nes2mqtt.outputs.homeassistant.config import HomeAssistantConfig
from nes2mqtt.outputs.homeassistant.repair import Repair
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import TableGroup

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("homeassistant"),
    pytest.mark.timeout(900),  # the first run may have to install Home Assistant
    pytest.mark.skipif(not disk.available(), reason="Python's sqlite3 is not linked to libsqlite3.so.0 here"),
]

ZONE = ZoneInfo("Europe/Copenhagen")
HOUR = timedelta(hours=1)
KEYS = ("active_energy_import", "active_energy_export")
SUMS = (7.0, 2000.0)
"""What Home Assistant had added up before: that is its own, and stays."""
DAYS = 9
"""From the evening before the night that is one hour longer into the next month."""


@pytest.fixture(scope="module")
def away(environment: Any, tmp_path_factory: pytest.TempPathFactory) -> Downtime:
    """Return the world in which the gateway was stopped; what it wrote is in ``keep``."""
    folder = tmp_path_factory.mktemp("world") / "gateway"
    return live_through(INTO_WINTER, DAYS * 86_400, keep=folder)


async def when(condition: Callable[[], Awaitable[Any]], seconds: float = 90) -> Any:
    """Return what a condition is, as soon as it is anything."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        found = await condition()
        if found or asyncio.get_running_loop().time() > until:
            return found
        await asyncio.sleep(0.2)


async def test_after_nine_days_statistics_are_what_the_house_used(away: Downtime, home: Any, mosquitto: Any) -> None:
    import mqtt_rig as rig  # noqa: PLC0415 - loaded by conftest

    assert away.check() == []
    assert away.keep is not None
    async with Store.open(away.keep / "history.db", HistoryConfig(), ZONE) as store:
        (gap,) = await store.filled_gaps(0)
        last = await store.last_registers("house")
        assert last is not None
        hub = Hub({group: timedelta(days=9999) for group in TableGroup}, rig.CLOCK)
        info = GatewayInfo("together", "0.1.0", ZONE, datetime.now(UTC))
        config = rig.config(mosquitto, base_topic="together", homeassistant={"every": 1}, diagnostics_every=1)
        output = MqttOutput(config, info, None, hub, timing=rig.QUICK)
        hub.add(output)
        async with rig.running(output):
            hub.publish(replace(rig.status(), info=replace(rig.status().info, serial="55556666")))
            hub.publish(replace(last, received=datetime.now(UTC), instant=rig.CLOCK.monotonic()))

            async def shown() -> list[str] | None:
                entries = await asyncio.to_thread(home.ask, "config/entity_registry/list")
                ids = {one["unique_id"]: one["entity_id"] for one in entries}
                ours = [ids.get(f"nes2mqtt_together_house_{key}", "") for key in KEYS]
                states = await asyncio.to_thread(home.states)
                values = [states.get(each, {}).get("state", "") for each in ours]
                return ours if values and all(each.replace(".", "").isdigit() for each in values) else None

            entities = await when(shown)
            assert entities, "Home Assistant never showed the registers"
            heard = gap.began.replace(minute=0, second=0, microsecond=0)
            at_began = [known / 1000 for known in away.truth(gap.began.timestamp())]
            past = [
                {"entity": entity, "state": state, "sum": total}
                for entity, state, total in zip(entities, at_began, SUMS, strict=True)
            ]
            until_then = {"hour": heard.isoformat(), "entities": past}
            await asyncio.to_thread(home.call, "compile_statistics", "heard", until_then)

            async def statistics(period: str) -> dict[str, dict[datetime, Any]]:
                rows = await asyncio.to_thread(
                    home.ask,
                    "recorder/statistics_during_period",
                    start_time=(heard - HOUR).isoformat(),
                    statistic_ids=entities,
                    period=period,
                    types=["state", "sum", "change"],
                )
                return {
                    key: {datetime.fromtimestamp(row["start"] / 1000, UTC): row for row in rows.get(entity, ())}
                    for key, entity in zip(KEYS, entities, strict=True)
                }

            async def compiled() -> bool:
                return all(len(rows) >= 2 for rows in (await statistics("hour")).values())

            assert await when(compiled)
            settings = HomeAssistantConfig.model_validate({"url": f"http://127.0.0.1:{home.port}", "token": home.token})
            repair = Repair(settings, "together", store)
            working = asyncio.create_task(repair.run())

            async def repaired() -> bool:
                told = await statistics("hour")
                return all(len(rows) >= DAYS * 24 + 1 for rows in told.values())

            done = await when(repaired)
            working.cancel()
            assert done, repair.status().message
            assert repair.status().ok
            hours, days, months = [await statistics(period) for period in ("hour", "day", "month")]

    def truth(moment: datetime, place: int) -> float:
        return away.truth(moment.timestamp())[place] / 1000

    for place, key in enumerate(KEYS):
        now = last.values[next(source for source in last.values if source.key == key)] / 1000
        inside = [heard + HOUR * number for number in range(DAYS * 24)]
        for start in inside:
            row = hours[key][start]
            end = truth(start + HOUR, place)
            assert row["state"] == pytest.approx(end, abs=1e-6), start
            assert row["sum"] == pytest.approx(SUMS[place] + end - at_began[place], abs=1e-6), start
            if start > heard:
                assert row["change"] == pytest.approx(end - truth(start, place), abs=1e-6), start
        assert len({hours[key][start]["change"] for start in inside}) > DAYS * (12 if place == 0 else 1)  # it changes
        assert max(hours[key].items())[1]["sum"] == pytest.approx(SUMS[place] + now - at_began[place], abs=1e-6)
        first = datetime(2026, 10, 25, tzinfo=ZONE)
        midnights = [(first + timedelta(days=number)).astimezone(UTC) for number in range(DAYS)]
        assert midnights[1] - midnights[0] == 25 * HOUR
        for begin, after in pairwise(midnights):
            assert days[key][begin]["change"] == pytest.approx(truth(after, place) - truth(begin, place), abs=1e-6), (
                begin
            )
        november = datetime(2026, 11, 1, tzinfo=ZONE).astimezone(UTC)
        october = datetime(2026, 10, 1, tzinfo=ZONE).astimezone(UTC)
        assert months[key][october]["sum"] == pytest.approx(
            SUMS[place] + truth(november, place) - at_began[place], abs=1e-6
        )
        later = sum(row["change"] for start, row in months[key].items() if start >= november)
        assert later == pytest.approx(now - truth(november, place), abs=1e-6)
    assert await asyncio.to_thread(home.ask, "recorder/validate_statistics") == {}
