"""The dialect of the Dabbler ESP32 firmware: six topics, five of them JSON, every ten seconds.

Names, order, units, QoS and retain flag are the firmware's; what differs on purpose is told in
:mod:`nes2mqtt.outputs.dabbler`. The firmware lost ``sensors`` when its prefix was long or a power factor
negative (its library's buffer held 256 bytes); nothing here has such a limit.

This module does not know when the rows are published.
"""

from __future__ import annotations

from nes2mqtt.outputs.dabbler import FIELDS
from nes2mqtt.outputs.mqtt.client.message import Will
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.dialects.dialect import Dialect, gateway_topic
from nes2mqtt.outputs.mqtt.dialects.rows import INTEGER, Cell, Row, When

__all__ = ["ROWS", "dialect"]


def _row(topic: str, *fields: str) -> Row:
    cells = tuple(Cell(FIELDS[name], INTEGER, key=name) for name in fields)
    return Row(f"{topic}/mydatajson", cells, When.LIVE)


def _phases(name: str) -> tuple[str, ...]:
    return tuple(f"L{phase}_{name}" for phase in (1, 2, 3))


ROWS: tuple[Row, ...] = (
    _row(
        "sensors",
        *_phases("RMS_A"),
        *_phases("RMS_V"),
        *_phases("PF_Fac"),
        "ExportReactive_VAr",
        "ImportReactive_VAr",
    ),
    _row("meterConsumptionTotal", "Fwd_Act_Wh", "Rev_Act_Wh"),
    _row("meterConsumptionFwd", "Fwd_W", "Fwd_Avg_W", *_phases("Fwd_W"), *_phases("Fwd_Avg_W")),
    _row("meterConsumptionRev", "Rev_W", "Rev_Avg_W", *_phases("Rev_W"), *_phases("Rev_Avg_W")),
    _row("frequency", "Freq_mHz"),
)


def dialect(config: MqttConfig) -> Dialect:
    """Return the dialect as configured."""
    base = config.dialect_base(DialectName.DABBLER)
    will = Will(f"{gateway_topic(base)}/lwt", online="Online", offline="Offline", qos=0)
    return Dialect(DialectName.DABBLER, base, ROWS, will, config.dabbler.every)
