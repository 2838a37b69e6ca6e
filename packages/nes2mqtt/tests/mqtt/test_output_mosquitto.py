"""The output against a real mosquitto: dialects, availability, memory, births, outages."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import textwrap

import aiomqtt
import pytest

from nes2mqtt.outputs.mqtt.client.connection import Received
from nes2mqtt.outputs.mqtt.client.message import Will
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.outputs.mqtt.presence import contradict
from nes2mqtt.readings.reading import LinkQuality, MeterState, TableGroup

ALL = {"dialects": ["homeassistant", "nmr-raw", "dabbler"], "dabbler": {"every": 1}, "homeassistant": {"every": 1}}


@pytest.fixture
def make(rig, gateway, hub):
    """Build an output on a broker and put it behind the hub."""

    def build(broker, outbox=None, hub=hub, **settings):
        timing = settings.pop("timing", rig.QUICK)
        output = MqttOutput(rig.config(broker, **settings), gateway, outbox, hub, timing=timing)
        hub.add(output)
        return output

    return build


def feed(hub, events):
    for event in events:
        hub.publish(event)


async def test_three_dialects_at_once_carry_the_real_meters_values(rig, broker, make, hub):
    output = make(broker, **ALL)
    async with rig.listening(broker) as listener, rig.running(output):
        await listener.topic("nes2mqtt/status", "online")
        await listener.topic("dabbler/lwt", "Online")
        feed(hub, rig.danish())
        await listener.topic("dabbler/frequency/mydatajson")
        await listener.topic("homeassistant/device/nes2mqtt_home_house/config")
        wanted = {f"nes2mqtt/meters/house/{each}" for each in ("present", "registers", "status")}
        wanted |= {f"nes2mqtt/meter/{key}" for key in NMR_EXPECTED}
        wanted |= {f"dabbler/{each}/mydatajson" for each in ("meterConsumptionTotal", "sensors", "meterConsumptionFwd")}
        await listener.until(lambda: listener.last.keys() >= wanted)  # those of live values wait for none of the others
        heard = listener.last

    present = json.loads(heard["nes2mqtt/meters/house/present"])
    assert present["active_power_import"] == 432
    assert present["net_power"] == 432
    assert present["voltage_l1"] == 228.693
    assert present["current_l1"] == 1.978
    assert present["frequency"] == 50.0
    assert present["power_factor_l1"] == 0.711
    registers = json.loads(heard["nes2mqtt/meters/house/registers"])
    assert registers["active_energy_import"] == 65845.342
    assert registers["active_energy_export"] == 0.179
    assert registers["active_energy_net"] == 65842.808
    assert registers["outage_duration"] == 23315499
    assert heard["nes2mqtt/meters/house/status"] == "online"

    raw = {topic.removeprefix("nes2mqtt/meter/"): text for topic, text in heard.items() if "/meter/" in topic}
    assert {key: raw[key] for key in NMR_EXPECTED} == NMR_EXPECTED

    assert heard["dabbler/meterConsumptionTotal/mydatajson"] == '{"Fwd_Act_Wh":65845342,"Rev_Act_Wh":179}'
    assert heard["dabbler/sensors/mydatajson"] == (
        '{"L1_RMS_A":1978,"L2_RMS_A":782,"L3_RMS_A":854,"L1_RMS_V":228693,"L2_RMS_V":226079,"L3_RMS_V":226973,'
        '"L1_PF_Fac":711,"L2_PF_Fac":335,"L3_PF_Fac":274,"ExportReactive_VAr":545,"ImportReactive_VAr":0}'
    )
    # The image has no averages: their keys are absent, not 0.
    assert heard["dabbler/meterConsumptionFwd/mydatajson"] == (
        '{"Fwd_W":432,"L1_Fwd_W":320,"L2_Fwd_W":59,"L3_Fwd_W":53}'
    )
    assert heard["dabbler/frequency/mydatajson"] == '{"Freq_mHz":50000}'

    assert not [topic for topic in heard if "+" in topic or "#" in topic]
    assert not [text for text in heard.values() if re.search(r"\bnan\b|Infinity", text, re.IGNORECASE)]
    retained = {str(message.topic) for message in listener.heard if message.retain}
    assert not retained, "nothing was retained before we came"


NMR_EXPECTED = {
    "id": "NES",
    "type": "83332-3I",
    "status": "online",
    "import/active": "432",
    "export/active": "0",
    "import/reactive": "0",
    "export/reactive": "545",
    "import/active/accumulated": "65845.342",
    "export/active/accumulated": "0.179",
    "import/reactive/accumulated": "4056.958",
    "export/reactive/accumulated": "20491.954",
    "l1/voltage": "228.69",
    "l2/voltage": "226.08",
    "l3/voltage": "226.97",
    "l1/current": "1.98",
    "l2/current": "0.78",
    "l3/current": "0.85",
    "l1/powerfactor": "0.71",
    "import/l1": "320.00",
    "import/l2": "59.00",
    "export/l3": "0.00",
    "power/frequency": "50.00",
    "power/aparentpower": "818",
    # The older names.
    "serialnumber": "87654321",
    "firmwareversion": "3.10.21",
    "mep_data_ready": "1",
    "mep_alivecounter": "99",
    "frequency": "50.00",
    "appowerVA": "818",
}


async def test_what_is_retained_and_what_is_not(rig, broker, make, hub):
    output = make(broker, **ALL)
    async with rig.listening(broker) as listener, rig.running(output):
        feed(hub, rig.danish())
        await listener.topic("dabbler/frequency/mydatajson")
        await listener.topic("homeassistant/device/nes2mqtt_home_house/config")
        for way in ("import", "export"):
            await listener.topic(f"nes2mqtt/meter/{way}/reactive/accumulated")
        await rig.until(lambda: not output.status().waiting)
        async with rig.listening(broker) as late:
            async with aiomqtt.Client("127.0.0.1", broker.port) as other:
                await other.publish("marker", "what the broker kept comes before")
            await late.topic("marker")
            retained = {str(message.topic) for message in late.heard if message.retain}
    accumulated = {
        f"nes2mqtt/meter/{way}/{kind}/accumulated" for way in ("import", "export") for kind in ("active", "reactive")
    }
    assert retained == accumulated | {
        "homeassistant/device/nes2mqtt_home/config",
        "homeassistant/device/nes2mqtt_home_house/config",
        "nes2mqtt/status",
        "nes2mqtt/meters/house/status",
        "nes2mqtt/meters/house/link",
        "nes2mqtt/meters/house/registers",
        "nes2mqtt/meter/status",
        "nes2mqtt/meter/mep_data_ready",
        "dabbler/lwt",
    }


async def test_a_broker_that_lost_its_memory_is_whole_again(rig, broker, make, hub):
    output = make(broker, **ALL)
    async with rig.running(output):
        feed(hub, rig.danish())
        async with rig.listening(broker) as before:
            await before.topic("homeassistant/device/nes2mqtt_home_house/config")
            await before.topic("nes2mqtt/meter/export/reactive/accumulated")
        broker.kill()
        await rig.until(lambda: not output.status().ok)
        assert "nothing listens there" in output.status().message or "closed" in output.status().message
        broker.start()
        async with rig.listening(broker) as after:
            kept = {m.topic.value for m in before.heard if m.topic.value.split("/")[-1] in RETAINED_ENDS}
            await after.until(lambda: kept <= after.last.keys())
            await after.topic("nes2mqtt/status", "online")
            await after.topic("dabbler/lwt", "Online")
    assert len(kept) >= 9


RETAINED_ENDS = {"config", "status", "registers", "link", "accumulated", "lwt"}


async def test_leaving_in_good_order_says_offline(rig, broker, make):
    async with rig.listening(broker) as listener:
        async with rig.running(make(broker, **ALL)):
            await listener.topic("nes2mqtt/status", "online")
            await listener.topic("dabbler/lwt", "Online")
        await listener.topic("nes2mqtt/status", "offline")
        await listener.topic("dabbler/lwt", "Offline")


async def test_the_will_speaks_when_the_program_is_killed(rig, broker):
    program = textwrap.dedent(
        f"""
        import asyncio
        from datetime import UTC, datetime
        from zoneinfo import ZoneInfo
        from nes2mqtt.outputs.mqtt.config import MqttConfig
        from nes2mqtt.outputs.mqtt.output import MqttOutput
        from nes2mqtt.readings.gateway_info import GatewayInfo
        from nes2mqtt.readings.hub import Hub
        gateway = GatewayInfo("home", "0", ZoneInfo("UTC"), datetime.now(UTC))
        settings = {{"host": "127.0.0.1", "port": {broker.port}, "dialects": ["nmr-raw", "dabbler"]}}
        asyncio.run(MqttOutput(MqttConfig.model_validate(settings), gateway, None, Hub({{}})).run())
        """
    )
    async with rig.listening(broker) as listener:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        await listener.topic("nes2mqtt/status", "online")
        await listener.topic("dabbler/lwt", "Online")
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        await listener.topic("nes2mqtt/status", "offline")
        await listener.topic("dabbler/lwt", "Offline")


async def test_a_late_will_of_an_earlier_connection_is_contradicted(rig, broker, make):
    """A connection that hung is buried by the broker after the new one has said online."""
    async with rig.listening(broker) as listener, rig.running(make(broker)):
        await listener.topic("nes2mqtt/status", "online")
        async with aiomqtt.Client("127.0.0.1", broker.port) as stranger:
            await stranger.publish("nes2mqtt/status", "offline", qos=1, retain=True)
        await listener.until(lambda: listener.of("nes2mqtt/status")[-2:] == ["offline", "online"])


async def test_b9_contradicting_a_late_will_does_not_wait_for_its_own_echo():
    """The loop that hears calls us: what we ask for back there would never come, and count as refused."""
    will, asked = Will("nes2mqtt/status"), []

    class Session:
        async def publish(self, message, *, unheard=False):
            asked.append((message, unheard))

    await contradict(will)(Session(), Received(will.topic, will.offline, retained=True))
    assert asked == [(will.birth, True)]


async def test_home_assistants_birth_is_answered_with_everything(rig, broker, make, hub):
    topic = "homeassistant/device/nes2mqtt_home_house/config"
    async with rig.listening(broker) as listener, rig.running(make(broker, homeassistant={"every": 600})):
        feed(hub, rig.danish())
        await listener.topic(topic)
        await listener.topic("nes2mqtt/meters/house/registers")
        listener.heard.clear()
        async with aiomqtt.Client("127.0.0.1", broker.port) as home_assistant:
            await home_assistant.publish("homeassistant/status", "online")
        for said in (topic, *(f"nes2mqtt/meters/house/{end}" for end in ("status", "present", "registers", "link"))):
            await listener.topic(said)


async def test_status_follows_the_meter(rig, broker, make, hub):
    async with rig.listening(broker) as listener, rig.running(make(broker, **ALL)):
        feed(hub, rig.danish())
        await listener.topic("nes2mqtt/meters/house/status", "online")
        feed(hub, [rig.status(MeterState.SILENT, message="The meter does not answer.")])
        await listener.topic("nes2mqtt/meters/house/status", "offline")
        await listener.topic("nes2mqtt/meter/mep_data_ready", "0")
        link = json.loads(await listener.topic("nes2mqtt/meters/house/link"))
        feed(hub, [rig.status()])
        await listener.topic("nes2mqtt/meters/house/status", "online")
    assert link["state"] == "silent"
    assert link["message"] == "The meter does not answer."


async def test_long_prefix_and_negative_power_factor_arrive(rig, broker, make, hub):
    """With both the firmware's message outgrew its library's buffer and was lost; and -955 came as 4294966341."""
    prefix = "abcdefghijklmnopqrstuvwx"
    output = make(broker, dialects=["dabbler"], dabbler={"base_topic": prefix})
    async with rig.listening(broker) as listener, rig.running(output):
        feed(hub, [rig.status(), rig.sample(TableGroup.PRESENT, {**rig.DANISH_PRESENT, "power_factor_l3": -955})])
        body = json.loads(await listener.topic(f"{prefix}/sensors/mydatajson"))
    assert body["L3_PF_Fac"] == -955


async def test_several_meters_have_topics_of_their_own(rig, broker, make, hub):
    output = make(
        broker,
        dialects=["homeassistant", "nmr-raw", "dabbler"],
        **{"nmr-raw": {"base_topic": "nmr/{meter}"}, "dabbler": {"base_topic": "dabbler/{meter}"}},
    )
    async with rig.listening(broker) as listener, rig.running(output):
        for meter, watts in (("house", 432), ("barn", 7)):
            feed(hub, [rig.status(meter=meter), rig.sample(TableGroup.PRESENT, {"active_power_import": watts}, meter)])
        await listener.topic("nmr/house/meter/import/active", "432")
        await listener.topic("nmr/barn/meter/import/active", "7")
        await listener.topic("dabbler/barn/meterConsumptionFwd/mydatajson", '{"Fwd_W":7}')
        await listener.topic("nmr/status", "online")
        await listener.topic("dabbler/lwt", "Online")


async def test_what_happens_to_a_meter_is_an_event_once(rig, broker, make, hub):
    topic = "nes2mqtt/meters/house/event"
    output = make(broker)
    async with rig.listening(broker, topic) as listener, rig.running(output):
        await rig.until(lambda: output.status().ok)
        feed(hub, rig.danish())
        registers = {"active_energy_import": 1}
        feed(hub, [rig.sample(TableGroup.REGISTERS, registers, segment=2) for _ in range(3)])
        feed(hub, [rig.status(link=LinkQuality(alerts=1)), rig.status(link=LinkQuality(alerts=1, power_cycles=1))])
        await listener.until(lambda: len(listener.heard) >= 3)
        await asyncio.sleep(0.1)
    happened = [json.loads(text) for text in listener.of(topic)]
    assert happened == [
        {"event_type": "exchanged", "segment": 2, "serial": "87654321"},
        {"event_type": "alert", "count": 1},
        {"event_type": "power_cycle", "count": 1},
    ]
    assert not any(message.retain for message in listener.heard)
