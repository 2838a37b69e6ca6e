"""The dialect of NES-MEP-Reader's raw formats: one value per topic, for FHEM and its like.

People match on exact topics and number formats, so a released row never changes. :data:`ROWS`
are the topics of every binary the project shipped (December 2023 to May 2024, "generation C");
:data:`ALIASES` are those its README lists (May 2023, "generation B"), which carry serial
number and firmware that the later ones lost.

Topics whose value this gateway does not have (ESP memory, WiFi, prices, bills, peaks) are not
published. Put right, under the same names: per-phase power was always 0.00; ``meter/clock`` was the
host's clock and is the meter's. Added: ``status`` and ``meter/status``. Registers are sent with
QoS 1 so that an outage loses none.

This module does not know when the rows are published.
"""

from __future__ import annotations

from nes2mqtt.outputs.mqtt.client.message import Will
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.dialects.dialect import Dialect, gateway_topic
from nes2mqtt.outputs.mqtt.dialects.rows import TEXT, Cell, Decimals, Row, When

__all__ = ["ALIASES", "ROWS", "dialect"]

_DIRECTIONS = ("import", "export")
_PHASES = (1, 2, 3)
_QUADRANTS = (1, 2, 3, 4)
_WHOLE = Decimals(0)
_PERIODS = {"hour": Decimals(3), "day": Decimals(2), "month": Decimals(1)}


def _live(topic: str, value: str, form: Decimals, unit: str) -> Row:
    return Row(topic, Cell(value, form, unit=unit), When.LIVE)


def _register(topic: str, value: str, unit: str) -> Row:
    return Row(topic, Cell(value, Decimals(3), unit=unit), When.REGISTERS, retain=True, qos=1)


def _status(topic: str, value: str, *, retain: bool = False) -> Row:
    return Row(topic, Cell(value, TEXT), When.STATUS, retain=retain, qos=int(retain))


ROWS: tuple[Row, ...] = (
    _live("uptime", "uptime", _WHOLE, "s"),
    _live("meter/dlms/timestamp", "received", _WHOLE, "s since 1970"),
    _live("meter/clock", "meter_clock", _WHOLE, "s since 1970"),
    _status("meter/id", "manufacturer"),
    _status("meter/type", "model"),
    _status("meter/status", "meter_answers", retain=True),
    *(_live(f"meter/{way}/active", f"active_power_{way}", _WHOLE, "W") for way in _DIRECTIONS),
    *(_live(f"meter/{way}/reactive", f"reactive_power_{way}", _WHOLE, "var") for way in _DIRECTIONS),
    *(_register(f"meter/{way}/active/accumulated", f"active_energy_{way}", "kWh") for way in _DIRECTIONS),
    *(_register(f"meter/{way}/reactive/accumulated", f"reactive_energy_{way}", "kvarh") for way in _DIRECTIONS),
    *(_live(f"meter/l{phase}/voltage", f"voltage_l{phase}", Decimals(2), "V") for phase in _PHASES),
    *(_live(f"meter/l{phase}/current", f"current_l{phase}", Decimals(2), "A") for phase in _PHASES),
    *(_live(f"meter/l{phase}/powerfactor", f"power_factor_l{phase}", Decimals(2), "") for phase in _PHASES),
    *(
        _live(f"meter/{way}/l{phase}", f"active_power_{way}_l{phase}", Decimals(2), "W")
        for way in _DIRECTIONS
        for phase in _PHASES
    ),
    _live("meter/power/frequency", "frequency", Decimals(2), "Hz"),
    _live("meter/power/aparentpower", "apparent_power", _WHOLE, "VA"),
    *(_live(f"meter/power/reactivepower_Q{q}", f"reactive_power_q{q}", _WHOLE, "var") for q in _QUADRANTS),
    *(
        _live(f"realtime/{way}/{period}", f"energy_{way}_{period}", form, "kWh")
        for way in _DIRECTIONS
        for period, form in _PERIODS.items()
    ),
)

ALIASES: tuple[Row, ...] = (
    _status("meter/mep_data_ready", "data_ready", retain=True),
    _status("meter/mep_alivecounter", "verified_replies"),
    _status("meter/manufacturer", "manufacturer"),
    _status("meter/model", "model"),
    _status("meter/serialnumber", "serial"),
    _status("meter/firmwareversion", "firmware"),
    _live("meter/appowerVA", "apparent_power", _WHOLE, "VA"),
    _live("meter/frequency", "frequency", Decimals(2), "Hz"),
    *(_live(f"meter/reactivepower_Q{q}", f"reactive_power_q{q}", _WHOLE, "var") for q in _QUADRANTS),
)


def dialect(config: MqttConfig) -> Dialect:
    """Return the dialect as configured."""
    options = config.nmr_raw
    base = config.dialect_base(DialectName.NMR_RAW)
    rows = ROWS + ALIASES if options.aliases else ROWS
    return Dialect(DialectName.NMR_RAW, base, rows, Will(f"{gateway_topic(base)}/status"), options.every)
