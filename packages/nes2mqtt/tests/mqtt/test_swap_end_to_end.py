"""From the guard through the history to what Home Assistant gets: a swap to a used meter, and a restart (M4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.store import Store
from nes2mqtt.meters.guard import Guard, Limits
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.runtime.gateway import _remembered
from nes2mqtt.timing.clock import Moment
from osgp.sources import SOURCES

IMPORT = SOURCES["active_energy_import"]


@pytest.fixture
def life(tmp_path, gateway, hub, rig):
    """One life of the program: registers read by the guard, kept by the history, rendered for the broker."""

    async def live(readings, serial, at):
        config = MqttConfig.model_validate({"host": "h"})
        async with Store.open(tmp_path / "history.db", HistoryConfig(), ZoneInfo("UTC"), clock=rig.CLOCK) as store:
            outbox = store.outbox(config.name)
            output = MqttOutput(config, gateway, outbox, hub, timing=rig.QUICK)
            guard = Guard("house", Limits(), await _remembered(store, "house", rig.CLOCK))
            for meter, watt_hours in readings:
                at += timedelta(seconds=10)
                moment = Moment(at, at.timestamp())
                if meter != serial:
                    guard.identify(meter, None, moment)
                    serial = meter
                verdict = guard.registers({IMPORT: watt_hours}, moment, None)
                if verdict.sample is not None:
                    assert await store.append(verdict.sample)
            await rig.until(lambda: outbox.pending(1000) and outbox.waiting() == len(outbox.pending(1000)))
            documents = []
            for seq, sample in outbox.pending(1000):
                (message,) = output._views.registers(seq, sample)
                documents.append(json.loads(message.payload))
                outbox.acknowledge(seq)
            return documents, serial, at

    return live


def counted(documents):
    return [
        (document.get("since_swap", document)["active_energy_import"], document.get("last_reset", {}).get(IMPORT.key))
        for document in documents
    ]


async def test_m4_the_counting_goes_on_where_it_was_after_a_restart(life):
    start = datetime.now(UTC) - timedelta(hours=1)
    old = [("old", 65_845_000 + 10 * step) for step in range(4)]
    used = [("used", 91_157_000 + 10 * step) for step in range(4)]
    before, serial, at = await life([*old, *used], "", start)
    values = counted(before)
    assert [value for value, _ in values][:3] == [65845.01, 65845.02, 65845.03], "the first read is held"
    assert [value for value, _ in values][3:] == [0.0, 0.01, 0.02]
    resets = {reset for _, reset in values[3:]}
    assert len(resets) == 1
    assert None not in resets
    assert [document["active_energy_import"] for document in before][3:] == [91157.01, 91157.02, 91157.03]
    after, _, _ = await life([("used", 91_157_100), ("used", 91_157_200)], serial, at)
    assert counted(after) == [(0.09, next(iter(resets))), (0.19, next(iter(resets)))], "as if nothing had been"
