"""What FHEM would make of our topics with the definition we print.

FHEM itself is not run here: :class:`Fhem` does with messages what FHEM's reference says of MQTT2_SERVER, MQTT2_DEVICE and
autocreate (featurelevel 6): each line of a readingList is a regular expression for the whole of ``topic:payload`` or
``clientid:topic:payload``; a message that fits no line of any device is added, under the last part of its topic, to
the readingList of every device that has the sender's client id and may grow (attribute autocreate), and makes such
a device if there is none.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.dialects import nmr_raw
from nes2mqtt.outputs.mqtt.fhem import definition, reading_name, template
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.readings.reading import TableGroup

TEMPLATE = Path(__file__).parents[4] / "deploy" / "fhem" / "nes2mqtt.template"


def lines_of(text):
    """Return FHEM's commands: a backslash at the end of a line continues it."""
    return text.replace("\\\n", "\x00").splitlines()


def readings(text, messages):
    """Apply a definition's readingList to messages."""
    (attribute,) = [line for line in lines_of(text) if " readingList " in line]
    rules = [rule.split(" ", 1) for rule in attribute.split(" readingList ")[1].split("\x00")]
    found: dict[str, str] = {}
    for message in messages:
        subject = f"{message.topic}:{message.payload.decode()}"
        for pattern, name in rules:
            if re.fullmatch(pattern, subject, re.DOTALL):
                found[name] = message.payload.decode()
    return found


def found_nowhere(text, messages):
    """Return the topics that no line of a definition takes."""
    fhem = Fhem()
    fhem.paste(text)
    return [topic for message in messages if (topic := str(message.topic)) and not fhem.matches(topic, "")]


class Fhem:
    """A FHEM that is the broker, as far as its reference describes it."""

    def __init__(self):
        self.devices = {}

    def paste(self, text):
        """Execute a raw definition."""
        for line in lines_of(text):
            command, device, rest = line.split(" ", 2)
            if command == "defmod":
                client = [*rest.split(" "), ""][1]
                self.devices[device] = {"client": client, "attributes": {}, "readings": {}}
            else:
                name, value = rest.split(" ", 1)
                self.devices[device]["attributes"][name] = value.replace("\x00", "\n")

    def rules(self, device):
        lines = self.devices[device]["attributes"].get("readingList", "").splitlines()
        return [line.split(" ", 1) for line in lines if line]

    def matches(self, topic, payload, client=""):
        subjects = (f"{topic}:{payload}", f"{client}:{topic}:{payload}")
        return [
            (device, reading)
            for device in self.devices
            for pattern, reading in self.rules(device)
            if any(re.fullmatch(pattern, subject, re.DOTALL) for subject in subjects)
        ]

    def publish(self, client, topic, payload):
        """Take a message of an MQTT client."""
        client = re.sub(r"[^a-zA-Z0-9._]", "_", client)
        found = self.matches(topic, payload, client)
        if not found:
            growing = [device for device, state in self.devices.items() if state["client"] == client]
            if not growing:
                growing = [f"MQTT2_{client}"]
                self.devices[growing[0]] = {"client": client, "attributes": {}, "readings": {}}
            for device in growing:
                attributes = self.devices[device]["attributes"]
                if attributes.get("autocreate", "1") != "0":
                    line = f"{client}:{re.escape(topic)}:.* {topic.rsplit('/', 1)[-1]}"
                    attributes["readingList"] = f"{attributes.get('readingList', '')}\n{line}".strip()
            found = self.matches(topic, payload, client)
        for device, reading in found:
            self.devices[device]["readings"][reading] = payload

    def events(self, device, reading):
        """Tell whether a changed value of a reading is an event."""
        return bool(re.fullmatch(self.devices[device]["attributes"]["event-on-change-reading"], reading))


TWO = {"dialects": ["nmr-raw"], "nmr-raw": {"base_topic": "energy/{meter}"}}


@pytest.fixture
def two_meters(rig, broker, gateway, hub):
    """Return everything a gateway with two meters publishes; each value of the barn is another than the house's."""

    async def publish(**settings):
        config = rig.config(broker, **TWO, **settings)
        output = MqttOutput(
            config, gateway, None, hub, timing=rig.QUICK, energy=lambda meter: {"import_hour": len(meter)}
        )
        hub.add(output)
        async with rig.listening(broker) as listener, rig.running(output):
            for meter, factor in (("house", 1), ("barn", 3)):
                more = {key: factor * (value + 7) for key, value in rig.DANISH_PRESENT.items()}
                registers = {key: factor * (value + 7) for key, value in rig.DANISH_REGISTERS.items()}
                hub.publish(replace(rig.status(meter=meter), info=replace(rig.status(meter=meter).info, serial=meter)))
                hub.publish(rig.sample(TableGroup.REGISTERS, registers, meter))
                hub.publish(rig.sample(TableGroup.PRESENT, more, meter))
            for meter in ("house", "barn"):
                await listener.topic(f"energy/{meter}/meter/frequency")
                await listener.topic(f"energy/{meter}/meter/export/reactive/accumulated")
            return config, [(str(message.topic), message.payload.decode()) for message in listener.heard]

    return publish


@pytest.mark.parametrize("client_id", [None, "SM1", "gate-way"])
async def test_two_meters_on_fhem_no_value_in_the_wrong_device(two_meters, client_id):
    """Done when 4."""
    config, messages = await two_meters(**({"client_id": client_id} if client_id else {}))
    fhem = Fhem()
    for meter in ("house", "barn"):
        fhem.paste(definition(config, meter))
    before = {device: fhem.rules(device) for device in fhem.devices}
    for topic, payload in [*messages, ("energy/house/new/topic", "1"), ("energy/barn/new/topic", "2")]:
        fhem.publish(client_id or "home-1234", topic, payload)
    assert {device: fhem.rules(device) for device in before} == before, "nothing was added to ours"
    for meter in ("house", "barn"):
        shown = fhem.devices[f"NES_{meter}"]["readings"]
        theirs = {
            payload
            for topic, payload in messages
            if topic.startswith((f"energy/{meter}/", "energy/status", "energy/g"))
        }
        assert len(shown) > 30
        assert set(shown.values()) <= theirs
        assert shown["serialnumber"] == meter
    assert fhem.devices["NES_barn"]["readings"]["import_active_power"] == "1317"
    assert fhem.devices["NES_house"]["readings"]["LWT"] == "online"
    if client_id:
        assert fhem.devices.keys() == {"NES_house", "NES_barn"}, "and no device was made"


async def test_without_the_lines_for_older_names_fhem_would_mix_two_meters(two_meters):
    """The fault this guards against: it shows that the FHEM above is one."""
    config, messages = await two_meters(client_id="SM1")
    fhem = Fhem()
    for meter in ("house", "barn"):
        fhem.paste(definition(config, meter))
        attributes = fhem.devices[f"NES_{meter}"]["attributes"]
        del attributes["autocreate"]
        lines = attributes["readingList"].splitlines()
        attributes["readingList"] = "\n".join(line for line in lines if "/meter/appowerVA" not in line)
    for topic, payload in messages:
        fhem.publish("SM1", topic, payload)
    wrong = {device: state["readings"]["appowerVA"] for device, state in fhem.devices.items()}
    assert len(set(wrong.values())) == 1, "both show the value of one of them"


async def test_clocks_and_counters_are_no_events(two_meters):
    config, messages = await two_meters()
    fhem = Fhem()
    fhem.paste(definition(config, "house"))
    for topic, payload in messages:
        fhem.publish("x", topic, payload)
    silent = {reading for reading in fhem.devices["NES_house"]["readings"] if not fhem.events("NES_house", reading)}
    assert silent | {"gateway"} == {"uptime", "timestamp", "mep_alivecounter", "gateway"}
    assert not fhem.events("NES_house", "gateway"), "heard or not yet"
    assert not fhem.events("NES_house", "clock")


def test_the_state_says_that_gateway_or_meter_are_gone():
    text = definition(MqttConfig.model_validate({"host": "h", "dialects": ["nmr-raw"]}), "house")
    (line,) = [line for line in lines_of(text) if " stateFormat " in line]
    assert 'ReadingsVal($name,"LWT","online") ne "online" ? "gateway offline"' in line
    assert 'ReadingsVal($name,"meter_status","online") ne "online" ? "meter silent"' in line
    assert ";" not in line, "it would end the command"


async def test_a_device_made_after_the_gateway_connected_hears_that_it_is_online(rig, broker, gateway, hub):
    config = rig.config(broker, dialects=["nmr-raw"], diagnostics_every=1)
    async with rig.running(MqttOutput(config, gateway, None, hub, timing=rig.QUICK)) as output:
        await rig.until(lambda: output.status().ok)
        async with rig.listening(broker, "nes2mqtt/status") as listener:
            await listener.until(lambda: [m for m in listener.heard if not m.retain])


@pytest.mark.parametrize("base", ["nes2mqtt", "smart.meter/keller", "nmr/{meter}"])
async def test_pasted_definition_reads_every_value(rig, broker, gateway, hub, base):
    config = rig.config(broker, dialects=["nmr-raw"], **{"nmr-raw": {"base_topic": base}}, client_id="SM1")
    output = MqttOutput(config, gateway, None, hub, timing=rig.QUICK, energy=lambda meter: {"import_hour": 61})
    hub.add(output)
    async with rig.listening(broker) as listener, rig.running(output):
        for event in rig.danish():
            hub.publish(event)
        ends = {"meter/frequency", "export/reactive/accumulated", "import/hour"}
        await listener.until(lambda: all(any(topic.endswith(end) for topic in listener.last) for end in ends))
        heard = list(listener.heard)
    text = definition(config, "house", iodev="m2client")
    read = readings(text, heard)
    expected = {
        "import_active_power": "432",
        "export_active_power": "0",
        "import_active_energy": "65845.342",
        "export_active_energy": "0.179",
        "export_reactive_energy": "20491.954",
        "l1_voltage": "228.69",
        "l3_current": "0.85",
        "import_l2_power": "59.00",
        "frequency": "50.00",
        "aparentpower": "818",
        "rt_import_hour": "0.061",
        "serialnumber": "87654321",
        "meter_status": "online",
        "LWT": "online",
    }
    assert {name: read.get(name) for name in expected} == expected
    assert len(found_nowhere(text, heard)) == 0
    assert lines_of(text)[:2] == ["defmod NES_house MQTT2_DEVICE SM1", "attr NES_house IODev m2client"]


def test_no_two_topics_share_a_reading_unless_they_say_the_same():
    by_name: dict[str, object] = {}
    for row in nmr_raw.ROWS + nmr_raw.ALIASES:
        assert by_name.setdefault(reading_name(row.topic), row.body) == row.body, row.topic


def test_a_section_without_the_dialect_is_refused():
    with pytest.raises(ValueError, match="nmr-raw"):
        definition(MqttConfig.model_validate({"host": "h"}), "house")


def test_the_template_file_is_up_to_date():
    assert TEMPLATE.read_text() == template()


def test_the_template_asks_for_the_base_topic():
    """FHEM takes the value of ``par:`` without a question; only ``pardefault:`` asks."""
    assert 'pardefault:BASETOPIC;base topic as set in the gateway;{"nes2mqtt"}' in template().splitlines()


def test_the_template_reads_the_same_as_the_definition():
    config = MqttConfig.model_validate({"host": "h", "dialects": ["nmr-raw"]})
    filled = template().replace("BASETOPIC", "nes2mqtt").replace("DEVICE", "NES_house")
    ours = [line for line in lines_of(definition(config, "house")) if line.startswith("attr")]
    assert [line for line in lines_of(filled) if line.startswith("attr")] == ours
