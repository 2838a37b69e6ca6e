"""The definition an owner pastes into FHEM to read the ``nmr-raw`` topics.

FHEM's MQTT2_DEVICE names a reading after the last part of a topic, so import and export, or the three phases,
would overwrite each other. The ``readingList`` printed here maps each topic to a reading of its own. It is
made from the dialect's own rows, so a topic cannot be forgotten.

A line of a readingList is a regular expression, matched against ``topic:payload`` as a whole (and against
``clientid:topic:payload``), a blank, and the reading's name.

When FHEM is the broker, a topic that fits no line of any device is added to **every** device of that client
(autocreate): with two meters each would show the other's values. So every topic we publish has a line, the older
names too, which go to the reading of the topic that says the same; and the devices are told not to grow.

This module does not know FHEM's commands beyond what it prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nes2mqtt.outputs.mqtt.claims.instances import CLAIM
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.dialects import nmr_raw
from nes2mqtt.outputs.mqtt.dialects.dialect import gateway_topic

__all__ = ["client_name", "definition", "reading_list", "reading_name", "template"]

_NAMES = (
    (r"meter/(import|export)/(active|reactive)/accumulated", r"\1_\2_energy"),
    (r"meter/(import|export)/(active|reactive)", r"\1_\2_power"),
    (r"meter/(import|export)/(l[123])", r"\1_\2_power"),
    (r"meter/(l[123])/(\w+)", r"\1_\2"),
    (r"meter/power/(\w+)", r"\1"),
    (r"meter/dlms/timestamp", "timestamp"),
    (r"meter/status", "meter_status"),
    (r"meter/(\w+)", r"\1"),
    (r"realtime/(import|export)/(\w+)", r"rt_\1_\2"),
    (r"(\w+)", r"\1"),
)
"""Topic below the base -> reading; the first that fits as a whole is taken."""


def reading_name(topic: str) -> str:
    """Return the reading of a topic below the base: ``meter/l1/voltage`` -> ``l1_voltage``."""
    for pattern, name in _NAMES:
        match = re.fullmatch(pattern, topic)
        if match is not None:
            return match.expand(name)
    raise ValueError(f"topic {topic} has no reading")


def _rows(*, aliases: bool) -> Iterator[tuple[str, str]]:
    """Yield every topic below the base and its reading; what says the same goes to the same."""
    readings = {row.body: reading_name(row.topic) for row in reversed(nmr_raw.ROWS)}
    for row in nmr_raw.ROWS + nmr_raw.ALIASES if aliases else nmr_raw.ROWS:
        yield row.topic, readings.get(row.body) or reading_name(row.topic)


def reading_list(config: MqttConfig, meter: str) -> list[str]:
    """Return the lines of the readingList for a meter's ``nmr-raw`` topics."""
    base = config.dialect_base(DialectName.NMR_RAW)
    prefix = re.escape(base.replace("{meter}", meter))
    gateway = re.escape(gateway_topic(base))
    return [
        f"{gateway}/status:.* LWT",
        f"{gateway}/{CLAIM}:.* {CLAIM}",
        *(f"{prefix}/{re.escape(topic)}:.* {reading}" for topic, reading in _rows(aliases=config.nmr_raw.aliases)),
    ]


def client_name(client_id: str) -> str:
    """Return what FHEM as the broker makes of a client id: it takes letters, digits, ``.`` and ``_``."""
    return re.sub(r"[^A-Za-z0-9._]", "_", client_id)


def definition(config: MqttConfig, meter: str, *, device: str = "", iodev: str = "") -> str:
    """Return the definition to paste into FHEM's "Raw definition" or its telnet port.

    Args:
        config: the broker's section.
        meter: id of the meter.
        device: name of the FHEM device; default ``NES_<meter>``.
        iodev: FHEM's own MQTT2_CLIENT or MQTT2_SERVER, if it has more than one.

    Raises:
        ValueError: the section does not speak ``nmr-raw``.
    """
    if DialectName.NMR_RAW not in config.dialects:
        raise ValueError('FHEM reads the dialect "nmr-raw"; add it to dialects in this [[mqtt]] section')
    device = device or f"NES_{meter}"
    # With a client id FHEM recognises who sent a message when it is the broker itself.
    lines = [f"defmod {device} MQTT2_DEVICE{f' {client_name(config.client_id)}' if config.client_id else ''}"]
    if iodev:
        lines.append(f"attr {device} IODev {iodev}")
    lines += _attributes(device, reading_list(config, meter))
    return "\n".join(lines) + "\n"


_NOISE = ("uptime", "timestamp", "clock", "mep_alivecounter", CLAIM)
"""Readings that change with every message and are nobody's news."""

_WORTH_AN_EVENT = f"(?!{'|'.join(f'{name}$' for name in _NOISE)}).+"
"""All others. FHEM cuts such an attribute at commas and colons, so there is none in it."""

_STATE = (
    '{ReadingsVal($name,"LWT","online") ne "online" ? "gateway offline" : '
    'ReadingsVal($name,"meter_status","online") ne "online" ? "meter silent" : '
    'ReadingsVal($name,"import_active_power","?")." W"}'
)
"""Power as long as it is fresh: while the meter is silent no value comes, and the last one would stay."""


def _attributes(device: str, readings: list[str]) -> list[str]:
    return [
        f"attr {device} autocreate 0",
        f"attr {device} readingList " + "\\\n".join(readings),
        f"attr {device} stateFormat {_STATE}",
        # An event when a value changes, and every five minutes if it does not.
        f"attr {device} event-on-change-reading {_WORTH_AN_EVENT}",
        f"attr {device} event-min-interval {_WORTH_AN_EVENT}:300",
    ]


_TEMPLATE_TOPIC = "BASETOPIC"


def template() -> str:
    """Return the attrTemplate file for FHEM's ``FHEM/lib/AttrTemplate``, which asks for the base topic."""
    config = MqttConfig(host="-", base_topic=_TEMPLATE_TOPIC, dialects=(DialectName.NMR_RAW,))
    head = [
        "# For FHEM/lib/AttrTemplate: set <device> attrTemplate nes2mqtt_raw",
        "# Written by nes2mqtt.outputs.mqtt.fhem.template; do not edit.",
        "",
        "name:nes2mqtt_raw",
        "filter:TYPE=MQTT2_DEVICE",
        "desc:Echelon/NES smart meter read by nes2mqtt, dialect nmr-raw, or by NES-MEP-Reader, payload raw",
        "order:A_90_nes2mqtt",
        f'pardefault:{_TEMPLATE_TOPIC};base topic as set in the gateway;{{"nes2mqtt"}}',
    ]
    return "\n".join([*head, *_attributes("DEVICE", reading_list(config, "")), "", ""])
