"""The dialect Home Assistant reads: three JSON topics and an availability topic per meter.

::

    <base>/status                    online / offline: this program (the last will)
    <base>/meters/<meter>/status     online / offline: the meter answers
    <base>/meters/<meter>/present    power, voltage, current ... now; not retained, expires in Home Assistant
    <base>/meters/<meter>/registers  energies; retained, every sample, in order
    <base>/meters/<meter>/link       state, identity and link counts, for diagnostics
    <base>/meters/<meter>/condition  alarms, contactor, tariff, phases, as the meter tells them; retained
    <base>/meters/<meter>/alerts     what needs attention, by kind, where there are alerts; retained
    <base>/meters/<meter>/alert      what people are told of it, once each
    <base>/meters/<meter>/costs      prices of now, costs of today and this month, where there is a contract; retained
    <base>/meters/<meter>/logged     what the meter's own logs told that is new, once each
    <base>/meters/<meter>/filled     intervals of its load profile that filled a gap, once each
    <base>/meters/<meter>/event      what happened to the meter, once: exchanged, alert, power cycle

Keys are the published keys of :data:`osgp.sources.SOURCES`, numbers are in the unit people read. The
entities that show them are announced by :mod:`nes2mqtt.outputs.mqtt.discovery`.

This module does not know Home Assistant's discovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import Any

from nes2mqtt.outputs.mqtt.client.message import Message, Will
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.dialects.dialect import Dialect
from nes2mqtt.outputs.mqtt.dialects.rows import Cell, Row, When, compact
from nes2mqtt.outputs.mqtt.dialects.view import Fixed, View
from nes2mqtt.readings.filled import FilledInterval
from nes2mqtt.readings.happened import Happened, HappenedKind
from nes2mqtt.readings.reading import LinkQuality, Sample, TableGroup
from osgp.ports.tap.health import told_of
from osgp.sources import SOURCES, Direction, Source

__all__ = [
    "ALARMS",
    "ALERT",
    "ALERTS",
    "CONDITION",
    "COSTS",
    "EVENT",
    "EVENTS",
    "FILLED",
    "LINK",
    "LOGGED",
    "OTHER",
    "OUTAGE",
    "PRESENT",
    "REGISTERS",
    "ROWS",
    "SINCE_SWAP",
    "STATUS",
    "dialect",
    "event",
    "filled",
    "logged",
    "meter_base",
]

STATUS = "status"
PRESENT = "present"
REGISTERS = "registers"
LINK = "link"
EVENT = "event"
CONDITION = "condition"
COSTS = "costs"
ALERT = "alert"
ALERTS = "alerts"
LOGGED = "logged"
FILLED = "filled"

OUTAGE = "outage"
OTHER = "other"
"""Types of what the meter's logs told: a power outage; an event without a name. Others are the names of events."""

SINCE_SWAP = "since_swap"
"""Key, in the document of registers, of what each register has counted since the meter was exchanged."""

ALARMS = ("cover_removed", "low_battery")
"""Alarms with a key of their own: each meter has them (Optical guide v1.1 p. 45-46)."""

EVENTS = ("exchanged", "alert", "power_cycle")
"""Events of a meter: it was replaced by another meter; it raised an alert; its MEP port was switched off and on."""


_SCALES: Mapping[Source, int] = MappingProxyType({source: 10**source.decimals for source in SOURCES.values()})
"""The divisor of each raw number."""


def _numbers(values: Mapping[Source, int]) -> dict[str, int | float]:
    """Return numbers in the unit that people read. Written as decimal texts, these numbers are exact."""
    scales = _SCALES
    return {source.key: raw if (scale := scales[source]) == 1 else raw / scale for source, raw in values.items()}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _known(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def _present(view: View) -> Mapping[str, Any] | None:
    sample = view.sample(TableGroup.PRESENT)
    if sample is None:
        return None
    net = view.get("net_power")
    return {
        **_known({"time": _iso(view.received(sample))}),
        **_numbers(sample.values),
        **({"net_power": net.number} if isinstance(net, Fixed) else {}),
    }


def _last_reset(sample: Sample) -> dict[str, str | None]:
    """Return since when each register counts, for registers that restarted while this program watched."""
    starts = {source.key: sample.restarted.get(source, sample.segment_start) for source in sample.values}
    return {key: _iso(start) for key, start in starts.items() if start is not None}


def _exchanged_unremembered(view: View, sample: Sample) -> bool:
    """Tell whether the meter was exchanged and no history remembers the registers' readings at the exchange."""
    return view.seq is None and bool(sample.base or sample.segment_start)


def _since_swap(view: View, sample: Sample) -> dict[str, dict[str, int | float]]:
    """Return what each register has counted since the meter was exchanged. This count starts from 0 at every exchange.

    Before the first exchange nothing is returned. In two cases the key is there, but without any register. The first
    case is that the time of the exchange is not known: without ``last_reset`` Home Assistant would take the new start
    for a negative consumption. The second case is that there is no history: the registers' readings at the exchange
    would be lost at the next start of this program.
    """
    if _exchanged_unremembered(view, sample):
        return {SINCE_SWAP: {}}
    if not sample.base:
        return {}
    if sample.segment_start is None:
        return {SINCE_SWAP: {}}
    counted = {
        source: raw if source in sample.restarted else raw - sample.base[source]
        for source, raw in sample.values.items()
        if source in sample.restarted or source in sample.base
    }
    return {SINCE_SWAP: _numbers(counted)}


def _registers(view: View) -> Mapping[str, Any] | None:
    sample = view.sample(TableGroup.REGISTERS)
    if sample is None:
        return None
    head = {
        "time": _iso(view.received(sample)),
        "meter_time": _iso(sample.meter_time),
        "seq": view.seq,
        "segment": sample.segment,
    }
    # With last_reset Home Assistant would add the whole register of the new meter.
    resets = {} if _exchanged_unremembered(view, sample) else _last_reset(sample)
    return {
        **_known(head),
        **_numbers(sample.values),
        **({"last_reset": resets} if resets else {}),
        **_since_swap(view, sample),
    }


def _answered(link: LinkQuality) -> float | None:
    """Return the share of requests that got a verified reply, in per cent."""
    return round(100 * link.replies / link.requests, 1) if link.requests else None


def _link(view: View) -> Mapping[str, Any] | None:
    status = view.status
    if status is None:
        return None
    return _known(
        {
            "state": status.state.value,
            "since": _iso(view.since),
            "message": status.message,
            "code": status.code or None,
            "clock": view.clock_trouble or None,
            "serial": status.info.serial,
            "manufacturer": status.info.manufacturer,
            "model": status.info.model,
            "firmware": status.info.firmware,
            "last_reply": _iso(view.received(view.newest) if view.newest else None),
            "clock_ahead": status.clock_ahead,
            "answered": _answered(status.link),
            **asdict(status.link),
            **(
                {f"module_{key}": told for key, told in told_of(status.module).items()}
                if status.module is not None
                else {}
            ),
        }
    )


def _condition(view: View) -> Mapping[str, Any] | None:
    read = view.condition
    if read is None:
        return None
    state, tariffs, lost = read.state, read.tariffs, read.lost_phases
    alarms = None if state is None else state.alarms
    following = None if tariffs is None else tariffs.next
    return _known(
        {
            "time": _iso(read.received if view.label is None else view.label(read.instant)),
            "problem": read.problem,
            "alarms": None if alarms is None else list(alarms),
            "troubles": None if read.troubles is None else list(read.troubles),
            **({} if alarms is None else {name: name in alarms for name in ALARMS}),
            "mis_wiring": (state.mis_wiring or None) if state is not None else None,
            "phase_loss": None if lost is None else bool(lost),
            "lost_phases": None if lost is None else list(lost),
            "contactor": state.contactor.value if state is not None and state.contactor is not None else None,
            "tariff": None if tariffs is None else tariffs.tier + 1,
            "set_by": None if tariffs is None or tariffs.drive is None else tariffs.drive.name.lower(),
            "next_tariff_at": _iso(read.next_switch(view.gateway.timezone)),
            "next_tariff": None if following is None else following.tier + 1,
        }
    )


_SUMS = {Direction.IMPORT: "cost", Direction.EXPORT: "income"}
_MONEY_DIGITS = 4
_PRICE_DIGITS = 6


def _costs(view: View) -> Mapping[str, Any] | None:
    """Return prices and sums; also while none is known, so that none of before is shown."""
    costs = view.costs
    if costs is None:
        return None
    from nes2mqtt.costs.calculation import rounded  # noqa: PLC0415 - only with contracts

    document: dict[str, Any] = {"currency": costs.currency}
    for way, price in costs.prices.items():
        document[f"{way}_price"] = float(rounded(price, _PRICE_DIGITS))
    for sums, period, began in ((costs.today, "today", costs.day_began), (costs.month, "month", costs.month_began)):
        for way, one in sums.items():
            if one.amount is not None:
                document[f"{_SUMS[way]}_{period}"] = float(rounded(one.amount, _MONEY_DIGITS))
        document[f"{period}_began"] = _iso(began)
        unmeasured = max((one.unmeasured for one in sums.values()), default=0)
        document[f"{period}_unmeasured"] = unmeasured or None
    return _known(document)


ROWS: tuple[Row, ...] = (
    Row(STATUS, Cell("meter_answers"), When.STATUS, retain=True, qos=1),
    Row(LINK, _link, When.STATUS, retain=True),
    Row(CONDITION, _condition, When.STATUS, retain=True, qos=1),
    Row(ALERTS, lambda view: view.alerts, When.STATUS, retain=True, qos=1),
    Row(COSTS, _costs, When.COSTS, retain=True, qos=1),
    Row(PRESENT, _present, When.LIVE),
    Row(REGISTERS, _registers, When.REGISTERS, retain=True, qos=1),
)


def event(config: MqttConfig, meter: str, kind: str, **more: str | int) -> Message:
    """Return the message that something happened to a meter. It is not retained, because the event happens once."""
    return Message(f"{meter_base(config, meter)}/{EVENT}", compact({"event_type": kind, **more}), qos=1)


def logged(config: MqttConfig, one: Happened) -> Message:
    """Return the message of what a meter's own logs told. It is not retained, because it happened once."""
    document = {
        "event_type": OUTAGE if one.kind is HappenedKind.OUTAGE else one.name or OTHER,
        "seq": one.number,
        "kind": one.kind.value,
        "time": _iso(one.time),
        "number": one.event,
        "name": one.name or None,
        "who": None if one.who is None else one.who.value,
        "user": one.user,
        "argument": one.argument or None,
        "sequence": one.sequence,
        "end": _iso(one.end),
        "seconds": one.seconds,
        "cause": one.cause or None,
    }
    return Message(f"{meter_base(config, one.meter)}/{LOGGED}", compact(_known(document)), qos=1)


def filled(config: MqttConfig, one: FilledInterval) -> Message:
    """Return the message of an interval that filled a gap. It is not retained: it tells of the past."""
    sample = one.sample
    document = {
        "time": _iso(sample.received),
        "since": _iso(one.since),
        "meter": sample.meter,
        "segment": sample.segment,
        "registers": _numbers(sample.values),
    }
    return Message(f"{meter_base(config, sample.meter)}/{FILLED}", compact(document), qos=1)


def meter_base(config: MqttConfig, meter: str) -> str:
    """Return what a meter's topics start with; ``{meter}`` for all of them."""
    return f"{config.base_topic}/meters/{meter}"


def dialect(config: MqttConfig) -> Dialect:
    """Return the dialect as configured."""
    will = Will(f"{config.base_topic}/status")
    base = meter_base(config, "{meter}")
    return Dialect(DialectName.HOMEASSISTANT, base, ROWS, will, config.homeassistant.every)
