"""What a real mosquitto does not take: heard, told once, kept, and delivered when it takes it (R1, R2, R3)."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from dataclasses import replace

import aiomqtt
import pytest

from nes2mqtt.outputs.mqtt import delivery as delivery_module
from nes2mqtt.outputs.mqtt import output as output_module
from nes2mqtt.outputs.mqtt.client import echo as echo_module
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.outputs.mqtt.ownership import Ownership
from nes2mqtt.readings.reading import TableGroup
from osgp.sources import SOURCES, Kind

REGISTERS = "nes2mqtt/meters/house/registers"
HOUSE = "homeassistant/device/nes2mqtt_home_house/config"


class Journal:
    """An outbox as the history's, in memory."""

    def __init__(self, changed):
        self.changed = changed
        self.queue = []

    def add(self, seq, sample):
        self.queue.append((seq, sample))
        self.changed.set()

    def pending(self, limit):
        return self.queue[:limit]

    def acknowledge(self, seq):
        self.queue = [item for item in self.queue if item[0] > seq]

    def waiting(self):
        return len(self.queue)


@pytest.fixture
def make(rig, gateway, hub, monkeypatch):

    monkeypatch.setattr(delivery_module, "RETRY", (0.1, 0.2))
    monkeypatch.setattr(output_module, "REFUSED_AGAIN", 0.3)

    def build(broker, **settings):
        outbox = Journal(asyncio.Event())
        output = MqttOutput(rig.config(broker, **settings), gateway, outbox, hub, timing=rig.QUICK)
        hub.add(output)
        return output, outbox

    return build


@pytest.fixture
def whole_meter(rig):
    """A meter that has every value there is."""
    registers = {key: 1 for key, source in SOURCES.items() if source.kind is not Kind.PRESENT}
    present = {key: 1 for key, source in SOURCES.items() if source.kind is Kind.PRESENT}
    return rig.status(), rig.sample(TableGroup.REGISTERS, registers), rig.sample(TableGroup.PRESENT, present)


def warnings(caplog, part):
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and part in record.getMessage()
    ]


def allow(folder, *lines):
    path = folder / "acl"
    path.write_text("\n".join(["topic read #", "topic write marker", *lines]) + "\n")
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
async def test_r1_a_refused_register_is_told_once_and_kept(
    rig, broker_at, make, hub, tmp_path, caplog, protocol, monkeypatch
):
    monkeypatch.setattr(echo_module, "WAIT", 0.3)
    acl = allow(
        tmp_path,
        "topic write nes2mqtt/status",
        "topic write nes2mqtt/meters/house/status",
        "topic write homeassistant/#",
    )
    broker = broker_at(f"allow_anonymous true\nacl_file {acl}\n")
    output, outbox = make(broker, protocol=protocol)
    async with rig.listening(broker, REGISTERS) as listener, rig.running(output):
        for event in rig.danish():
            hub.publish(event)
        for seq in range(1, 6):
            outbox.add(seq, rig.sample(TableGroup.REGISTERS, {"active_energy_import": seq}))
        await rig.until(lambda: REGISTERS in output._main.refusals)
        assert output.status().waiting == 5
        assert not output.status().ok
        assert REGISTERS in output.status().message or "more topic" in output.status().message
        # The owner mends the access list.
        allow(tmp_path, "topic write #")
        broker.process.send_signal(signal.SIGHUP)
        await rig.until(lambda: outbox.waiting() == 0)
        await listener.until(lambda: len(listener.of(REGISTERS)) >= 5)
        await rig.until(lambda: output.status().ok)
    assert list(dict.fromkeys(json.loads(text)["seq"] for text in listener.of(REGISTERS))) == [1, 2, 3, 4, 5]
    said = warnings(caplog, "refuses what we publish on nes2mqtt/")
    assert len(said) == 1
    assert "access list (ACL)" in said[0]
    assert "kept and tried again" in said[0]


@pytest.mark.parametrize(
    ("protocol", "limit"),
    [
        ("auto", "max_packet_size 20000"),
        ("auto", "message_size_limit 10000"),
        ("3.1.1", "max_packet_size 20000"),
        ("3.1.1", "message_size_limit 10000"),
    ],
)
async def test_r2_announcements_fit_a_brokers_limit(
    rig, broker_at, make, hub, whole_meter, caplog, protocol, limit, monkeypatch
):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(echo_module, "WAIT", 0.5)
    broker = broker_at(f"allow_anonymous true\n{limit}\n")
    output, _ = make(broker, protocol=protocol)
    async with rig.listening(broker, "homeassistant/#") as listener, rig.running(output):
        for event in whole_meter:
            hub.publish(event)

        def announced():
            return {
                key
                for topic, text in listener.last.items()
                if topic.startswith("homeassistant/device/nes2mqtt_home_house")
                for key in json.loads(text)["cmps"]
            }

        await listener.until(lambda: announced() >= set(SOURCES))
        await rig.until(lambda: output.status().ok)
    sizes = [len(text) for text in listener.last.values()]
    assert max(sizes) < int(limit.split()[1])
    assert not warnings(caplog, "client id"), "nobody else is blamed"


async def test_r2_with_room_the_announcement_is_one_message(rig, broker, make, hub, whole_meter):
    output, _ = make(broker)
    async with rig.listening(broker, "homeassistant/#") as listener, rig.running(output):
        for event in whole_meter:
            hub.publish(event)
        text = await listener.topic(HOUSE)
    assert json.loads(text)["cmps"].keys() >= SOURCES.keys()


@pytest.mark.parametrize("protocol", ["auto", "5"])
async def test_r3_a_broker_without_retain_and_qos_is_used_as_it_is(rig, broker_at, make, hub, caplog, protocol):
    broker = broker_at("allow_anonymous true\nmax_qos 0\nretain_available false\n")
    output, outbox = make(broker, protocol=protocol)
    async with rig.listening(broker) as listener, rig.running(output):
        await listener.topic("nes2mqtt/status", "online")
        for event in rig.danish():
            hub.publish(event)
        outbox.add(1, rig.sample(TableGroup.REGISTERS, {"active_energy_import": 1}))
        await listener.topic(REGISTERS)
        await listener.topic(HOUSE)
        await rig.until(lambda: outbox.waiting() == 0)
        status = output.status()
        assert status.ok
        assert "it keeps no retained messages" in status.message
        assert "it confirms nothing (QoS 0 only)" in status.message
    assert len(warnings(caplog, "it keeps no retained messages")) == 1
    assert len(warnings(caplog, "QoS 0 only")) == 1


async def test_auto_falls_back_to_3_1_1_with_a_broker_that_knows_no_5(rig, gateway, hub):
    """A broker of 3.1.1 refuses the version (return code 1), or closes the connection without a word."""

    for answer in (b"\x20\x02\x00\x01", b""):
        seen = []

        async def serve(reader, writer, answer=answer, seen=seen):
            packet = await reader.read(1000)
            version = packet[packet.index(b"MQTT") + 4]
            seen.append(version)
            if version == 4:
                writer.write(b"\x20\x02\x00\x00")
                while await reader.read(1000):
                    pass
            else:
                writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        config = type("Broker", (), {"port": server.sockets[0].getsockname()[1]})
        output = MqttOutput(rig.config(config), gateway, None, hub, timing=rig.QUICK)
        async with rig.running(output):
            await rig.until(lambda seen=seen: 4 in seen)
        assert seen[:2] == [5, 4]
        server.close()


async def test_r4_two_gateways_on_one_topic_notice_each_other_and_say_it_once(rig, broker, gateway, hub, caplog):
    first, second = (MqttOutput(rig.config(broker), gateway, None, hub, timing=rig.QUICK) for _ in range(2))
    async with rig.running(first):
        await rig.until(lambda: first.status().ok)
        async with rig.running(second), rig.listening(broker, "nes2mqtt/gateway") as listener:
            for output in (first, second):
                await rig.until(lambda output=output: "another gateway, 'home' on " in output.status().message)
                assert "Give each its own name, and base_topic in [[mqtt]]" in output.status().message
                assert not output.status().ok
            await asyncio.sleep(0.3)
    assert len(listener.heard) <= 4, "no fight"
    assert len(warnings(caplog, "another gateway")) == 2, "each once"


async def test_r4_a_gateway_alone_does_not_see_itself(rig, broker, gateway, hub):
    for _ in range(2):
        output = MqttOutput(rig.config(broker), gateway, None, hub, timing=rig.QUICK)
        async with rig.running(output):
            await rig.until(lambda output=output: output.status().ok)
            await asyncio.sleep(0.2)
            assert output.status().ok


BOTH = {"dialects": ["homeassistant", "nmr-raw"], "nmr-raw": {"base_topic": "energy/{meter}"}}


async def retained(rig, broker):
    """Return what the broker keeps."""
    async with rig.listening(broker) as listener:
        async with aiomqtt.Client("127.0.0.1", broker.port) as other:
            await other.publish("marker", "what the broker kept comes before", qos=1)
        await listener.topic("marker")
        return {topic: text for topic, text in listener.last.items() if topic != "marker"}


@pytest.fixture
def life(rig, broker, gateway, hub, tmp_path, monkeypatch):
    """One life of the program with some meters, until all is told and what is left of earlier ones is decided.

    Answers of another gateway go through a real broker, so they get seconds: a busy machine is no other gateway.
    """
    decided = []
    remove = Ownership.remove_leftovers

    async def remove_and_tell(self, session):
        await remove(self, session)
        decided.append(self)

    monkeypatch.setattr(Ownership, "remove_leftovers", remove_and_tell)

    async def live(meters, name="home", folder=tmp_path, **settings):
        renamed = replace(gateway, name=name)
        output = MqttOutput(
            rig.config(broker, **{**BOTH, **settings}),
            renamed,
            None,
            hub,
            timing=replace(rig.QUICK, alone=2.0),
            meters=meters,
            folder=folder,
        )
        hub._latest.clear()
        hub._outputs.clear()
        hub.add(output)
        async with rig.running(output):
            for meter in meters:
                for event in rig.danish(meter):
                    hub.publish(event)
            await rig.until(lambda: not output.status().waiting and _well_or_shared(output.status()))
            await rig.until(lambda: output._ownership in decided)
            await asyncio.sleep(1.0)

    return live


def _well_or_shared(status):
    """Another gateway below the same topics is told as a trouble for as long as it is there."""
    return status.ok or "another gateway" in status.message


async def test_r5_a_meter_that_left_the_configuration_leaves_the_broker(rig, broker, life):
    await life(["house", "barn"])
    before = await retained(rig, broker)
    assert len([topic for topic in before if "barn" in topic]) == 10
    await life(["house", "stable"])
    after = await retained(rig, broker)
    assert not [topic for topic in after if "barn" in topic]
    for meter in ("house", "stable"):
        assert len([topic for topic in after if meter in topic]) == 10
    assert after["nes2mqtt/status"] == "offline"


async def test_what_is_noted_is_for_us_alone(life, tmp_path):
    await life(["house"])
    (noted,) = tmp_path.glob("mqtt-*.json")
    assert noted.stat().st_mode & 0o777 == 0o600
    assert "nes2mqtt/meters/house/registers" in noted.read_text()


async def test_r5_a_gateway_that_changed_its_names_leaves_nothing_behind(rig, broker, life):
    await life(["house"])
    await life(["house"], name="cellar", base_topic="power")
    after = await retained(rig, broker)
    assert not [topic for topic in after if topic.startswith("nes2mqtt/") or "nes2mqtt_home" in topic]
    assert "homeassistant/device/nes2mqtt_cellar_house/config" in after
    assert "power/meters/house/registers" in after


async def test_r5_what_another_gateway_has_now_is_left_alone(rig, broker, life, gateway, hub, tmp_path):
    """Two gateways shared a name; one was renamed, as we advised."""
    await life(["house"])
    other = MqttOutput(rig.config(broker, **BOTH), gateway, None, hub, timing=rig.QUICK, meters=["house"])
    async with rig.running(other):
        await rig.until(lambda: other.status().ok)
        await life(["house"], name="cellar", base_topic="power")
        kept = await retained(rig, broker)
    assert "homeassistant/device/nes2mqtt_home_house/config" in kept
    assert "nes2mqtt/meters/house/registers" in kept


async def test_r5_a_folder_that_cannot_be_written_stops_nothing(life, rig, broker, tmp_path, caplog):
    await life(["house", "barn"], folder=tmp_path / "missing")
    assert len(warnings(caplog, "cannot note in")) == 1
    await life(["house"], folder=tmp_path / "missing")
    assert [topic for topic in await retained(rig, broker) if "barn" in topic]


async def test_r5_what_is_published_now_is_never_a_leftover(rig, broker, gateway, hub, tmp_path):
    """Whatever the configuration is thought to hold."""
    for folder in (None, tmp_path, tmp_path):
        output = MqttOutput(rig.config(broker), gateway, None, hub, timing=rig.QUICK, meters=[], folder=folder)
        hub._latest.clear()
        hub._outputs.clear()
        hub.add(output)
        async with rig.running(output):
            for event in rig.danish():
                hub.publish(event)
            await rig.until(lambda output=output: output.status().ok)
            await asyncio.sleep(1)
        assert HOUSE in await retained(rig, broker)
