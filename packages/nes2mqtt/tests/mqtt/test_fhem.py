"""What FHEM would make of our topics with the definition we print.

FHEM itself is not run here: a subscriber applies the readingList as FHEM's MQTT2_DEVICE does, each line's
regular expression against the whole of ``topic:payload``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nes2mqtt.mqtt import MqttConfig, MqttOutput
from nes2mqtt.mqtt.dialects import nmr_raw
from nes2mqtt.mqtt.fhem import definition, reading_name, template

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


def test_the_template_reads_the_same_as_the_definition():
    config = MqttConfig.model_validate({"host": "h", "dialects": ["nmr-raw"]})
    filled = template().replace("BASETOPIC", "nes2mqtt").replace("DEVICE", "NES_house")
    ours = [line for line in lines_of(definition(config, "house")) if line.startswith("attr")]
    assert [line for line in lines_of(filled) if line.startswith("attr")] == ours
