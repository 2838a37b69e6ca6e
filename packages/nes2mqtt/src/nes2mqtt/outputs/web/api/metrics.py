"""``/metrics`` for Prometheus: text format 0.0.4, written here because it is thirty lines.

Names are ``nes_<what>_<unit>`` in base units (W, V, A, Hz, s; energies stay in Wh, as meters count them); registers are
counters and end in ``_total``. Adding up or averaging a metric over its labels means something: what would be counted
twice has a metric of its own (``_phase_`` beside the total, ``_tariff_``, ``_quadrant_``), and so has each thing that is
counted (outages, pulses, errors). The label ``name`` is the quantity's published key and makes each series unique. Stale
values are absent, so an alert on ``absent()`` works and no graph goes on with an old value.

This module does not know HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache

from nes2mqtt.outputs.web.api.process import process_values
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import MeterState, MeterStatus, Quality, Sample
from nes2mqtt.timing.clock import Clock, Trust
from osgp.sources import SOURCES, Kind, Quantity, Source

__all__ = ["CONTENT_TYPE", "render"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_UNITS: Mapping[str, tuple[str, float]] = {
    "Wh": ("watthours", 1),
    "varh": ("varhours", 1),
    "VAh": ("voltamperehours", 1),
    "W": ("watts", 1),
    "var": ("vars", 1),
    "VA": ("voltamperes", 1),
    "mV": ("volts", 1000),
    "mA": ("amperes", 1000),
    "mHz": ("hertz", 1000),
    "1/1000": ("ratio", 1000),
    "1/100 deg": ("degrees", 100),
    "s": ("seconds", 1),
    "min": ("seconds", 1 / 60),
}
"""Raw unit -> name of the base unit and what one of it is in raw units."""

_TOKENS = re.compile(
    r"_(?:(?P<direction>import|export)|q(?P<quadrant>[1-4])|l(?P<phase>[123])|t(?P<tier>[1-8])|(?P<number>\d))(?=_|$)"
)
"""What of a source's key is a label rather than a part of the metric's name."""

_COUNTS = {
    "outage_count": "outages",
    "pulse_count": "pulses",
    "error_count": "meter_errors",
    "demand_reset_count": "demand_resets",
}
"""Key without labels -> what is counted."""

_LINK_HELP = {
    "requests": "Requests sent to the meter",
    "replies": "Verified replies",
    "retries": "Requests sent again",
    "timeouts": "Requests the meter did not answer",
    "corrupt": "Replies dropped because they were damaged or not signed with the key",
    "resyncs": "Sequence numbers adopted from the meter",
    "alerts": "Alerts sent by the meter",
    "power_cycles": "Times the level shifter was switched off and on",
    "rejected": "Register values that could not be believed",
}


@dataclass(slots=True)
class _Family:
    name: str
    type: str
    help: str
    lines: list[str] = field(default_factory=list)

    def add(self, value: float, labels: Mapping[str, str]) -> None:
        text = ",".join(f'{name}="{_escape(label)}"' for name, label in labels.items())
        self.lines.append(f"{self.name}{{{text}}} {value:.15g}" if text else f"{self.name} {value:.15g}")

    def __str__(self) -> str:
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.type}\n" + "\n".join(self.lines) + "\n"


class _Families:
    """All metrics, in the order in which they were first met."""

    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}

    def of(self, name: str, type_: str, help_: str) -> _Family:
        """Return a metric, made at the first call."""
        found = self._families.get(name)
        if found is None:
            found = self._families[name] = _Family(name, type_, help_)
        return found

    def __str__(self) -> str:
        return "".join(str(family) for family in self._families.values())


def render(
    version: str,
    meters: Iterable[tuple[str, MeterStatus | None, Sequence[Sample]]],
    outputs: Iterable[OutputStatus],
    hub: Hub,
    started: float,
) -> str:
    """Write all metrics; call it in a thread when there are many meters.

    Args:
        version: of this program.
        meters: id, status and latest samples of each.
        outputs: how they are.
        hub: says what is fresh; its clock says which clock is believed.
        started: when this program started, by the monotonic clock.
    """
    families = _Families()
    families.of("nes_gateway_info", "gauge", "This gateway").add(1, {"version": version})
    for meter, status, samples in meters:
        _add_values(families, meter, samples, hub)
        if status is not None:
            _add_status(families, meter, status)
        condition = hub.latest[meter].condition if meter in hub.latest else None
        if condition is not None and status is not None and status.state is MeterState.ONLINE:
            _add_condition(families, meter, condition)
    for output in outputs:
        labels = {"output": output.name}
        families.of("nes_output_up", "gauge", "1 while the output works").add(output.ok, labels)
        families.of("nes_output_waiting", "gauge", "Events not delivered yet").add(output.waiting, labels)
        families.of("nes_output_dropped_total", "counter", "Live events given up").add(output.dropped, labels)
    _add_clock(families, hub.clock, started)
    for name, type_, help_, value in process_values():
        families.of(name, type_, help_).add(value, {})
    return str(families)


def _add_values(families: _Families, meter: str, samples: Sequence[Sample], hub: Hub) -> None:
    for sample in samples:
        if hub.quality(sample) is Quality.GOOD:
            for source, value in sample.values.items():
                name, divisor, help_ = _metric(source)
                type_ = "counter" if source.kind is Kind.REGISTER else "gauge"
                families.of(name, type_, help_).add(value / divisor, {"meter": meter, **_labels(source)})
        age = hub.clock.monotonic() - sample.instant
        families.of("nes_reading_age_seconds", "gauge", "Time since the last verified reply").add(
            age, {"meter": meter, "group": sample.group}
        )
    if samples:
        families.of("nes_meter_segment", "gauge", "Counts the meters there have been at this place, from 1").add(
            max(sample.segment for sample in samples), {"meter": meter}
        )


def _add_status(families: _Families, meter: str, status: MeterStatus) -> None:
    who = status.info
    families.of("nes_meter_info", "gauge", "Who the meter is").add(
        1,
        {
            "meter": who.id,
            "serial": who.serial,
            "manufacturer": who.manufacturer,
            "model": who.model,
            "firmware": who.firmware,
        },
    )
    up = families.of("nes_meter_up", "gauge", "1 while the meter answers")
    up.add(status.state is MeterState.ONLINE, {"meter": meter})
    for name, count in asdict(status.link).items():
        families.of(f"nes_link_{name}_total", "counter", _LINK_HELP[name]).add(count, {"meter": meter})
    if status.clock_ahead is not None:
        families.of(
            "nes_meter_clock_offset_seconds", "gauge", "The meter's clock minus the gateway's, when it was last read"
        ).add(status.clock_ahead, {"meter": meter})


def _add_condition(families: _Families, meter: str, read: ConditionRead) -> None:
    """Write what the meter says of itself; while it is silent nobody knows."""
    labels = {"meter": meter}
    if read.problem is not None:
        families.of(
            "nes_meter_problem", "gauge", "1 while an alarm is on, the wiring is wrong or a phase is missing"
        ).add(read.problem, labels)
    for alarm in (read.state.alarms if read.state is not None else None) or ():
        families.of("nes_meter_alarm", "gauge", "1 for each alarm that is on").add(1, labels | {"alarm": alarm})
    if read.tariffs is not None:
        families.of("nes_tariff", "gauge", "The tariff in force, from 1").add(read.tariffs.tier + 1, labels)
    for phase in read.quality.phases if read.quality is not None else ():
        of_phase = labels | {"phase": phase.name.removeprefix("l")}
        families.of("nes_phase_lost", "gauge", "1 while the phase is missing").add(phase.lost, of_phase)
        for name, counted in (("losses", phase.losses), ("sags", phase.sags), ("swells", phase.swells)):
            families.of(f"nes_phase_{name}_total", "counter", f"{name.capitalize()} that the meter counted").add(
                counted.count, of_phase
            )


def _add_clock(families: _Families, clock: Clock, started: float) -> None:
    trust, trouble = clock.trust, clock.trouble
    for one in Trust:
        families.of("nes_clock_source", "gauge", "1 for what gives the time of day: host, meter or none").add(
            one is trust, {"source": one.value}
        )
    if trouble is not None and trouble.off is not None:
        families.of(
            "nes_host_clock_offset_seconds",
            "gauge",
            "This computer's clock minus the meter's, while it is not believed",
        ).add(trouble.off, {"meter": trouble.meter})
    if clock.known:
        families.of("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds").add(
            clock.label(started).timestamp(), {}
        )


@cache
def _parts(key: str) -> tuple[str, Mapping[str, str]]:
    """Return a source's key without what is a label, and the labels."""
    if key.startswith("voltage_angle"):  # between two phases
        return "voltage_angle", {}
    labels: dict[str, str] = {}
    for found in _TOKENS.finditer(key):
        for label, value in found.groupdict().items():
            if value is not None:
                labels["counter" if label in labels else label] = value
    return _TOKENS.sub("", key), labels


@cache
def _has_total(base: str, direction: str | None, quadrant: str | None) -> bool:
    """Tell whether meters have a value for all phases together beside the phases'."""
    return any(
        _parts(source.key)[0] == base
        and source.phase is None
        and (_parts(source.key)[1].get("direction"), _parts(source.key)[1].get("quadrant")) == (direction, quadrant)
        for source in SOURCES.values()
    )


@cache
def _metric(source: Source) -> tuple[str, float, str]:
    """Return a source's metric name, the divisor from its raw unit, and what it is."""
    unit, divisor = _UNITS.get(source.raw_unit, ("", 1))
    base, labels = _parts(source.key)
    parts = ["nes", _COUNTS.get(base, base)]
    if "quadrant" in labels:
        parts.append("quadrant")
    if "phase" in labels and _has_total(base, labels.get("direction"), labels.get("quadrant")):
        parts.append("phase")
    if "tier" in labels:
        parts.append("tariff")
    help_ = " ".join(parts[1:]).replace("_", " ").capitalize()
    if unit and source.quantity.value != unit:
        parts.append(unit)
    if source.kind is Kind.REGISTER:
        parts.append("total")
    return "_".join(parts), divisor, help_


@cache
def _labels(source: Source) -> Mapping[str, str]:
    labels = {"name": source.key, **_parts(source.key)[1]}
    if source.tier is not None:
        labels["tier"] = str(source.tier)
    if "number" in labels:
        number = labels.pop("number")
        labels[_NUMBERED.get(source.quantity, "number") if "counter" not in labels else "device"] = number
    return labels


_NUMBERED = {Quantity.COUNT: "input"}


def _escape(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
