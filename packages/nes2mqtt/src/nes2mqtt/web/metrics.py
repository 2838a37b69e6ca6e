"""``/metrics`` for Prometheus: text format 0.0.4, written here because it is thirty lines.

Names are ``nes_<quantity>_<unit>`` in base units (W, V, A, Hz, Wh); registers are counters and end in
``_total``. The label ``name`` is the quantity's published key and makes each series unique. Stale
values are absent, so an alert on ``absent()`` works and no graph goes on with an old value.

This module does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from nes2mqtt.hub import Hub, OutputStatus
from nes2mqtt.reading import MeterState, MeterStatus, Quality, Sample
from osgp.sources import SOURCES, Kind, Source

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
    "min": ("minutes", 1),
}
"""Raw unit -> name of the base unit and what one of it is in raw units."""

_COUNTED = frozenset(source.quantity for source in SOURCES.values() if source.kind is Kind.REGISTER)

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


def render(
    version: str,
    meters: Iterable[tuple[str, MeterStatus | None, Iterable[Sample]]],
    outputs: Iterable[OutputStatus],
    hub: Hub,
) -> str:
    """Write all metrics; call it in a thread when there are many meters."""
    families: dict[str, _Family] = {}

    def family(name: str, type_: str, help_: str) -> _Family:
        return families.setdefault(name, _Family(name, type_, help_))

    family("nes_gateway_info", "gauge", "This gateway").add(1, {"version": version})
    for meter, status, samples in meters:
        for sample in samples:
            if hub.quality(sample) is Quality.GOOD:
                for source, value in sample.values.items():
                    name, divisor = _metric(source)
                    type_ = "counter" if source.kind is Kind.REGISTER else "gauge"
                    help_ = source.quantity.replace("_", " ").capitalize()
                    family(name, type_, help_).add(value / divisor, {"meter": meter, **_labels(source)})
            age = hub.clock.monotonic() - sample.instant
            family("nes_reading_age_seconds", "gauge", "Time since the last verified reply").add(
                age, {"meter": meter, "group": sample.group}
            )
        if status is not None:
            _add_status(family("nes_meter_info", "gauge", "Who the meter is"), status)
            up = family("nes_meter_up", "gauge", "1 while the meter answers")
            up.add(status.state is MeterState.ONLINE, {"meter": meter})
            for name, count in asdict(status.link).items():
                family(f"nes_link_{name}_total", "counter", _LINK_HELP[name]).add(count, {"meter": meter})
    for output in outputs:
        labels = {"output": output.name}
        family("nes_output_up", "gauge", "1 while the output works").add(output.ok, labels)
        family("nes_output_waiting", "gauge", "Events not delivered yet").add(output.waiting, labels)
        family("nes_output_dropped_total", "counter", "Live events given up").add(output.dropped, labels)
    return "".join(str(entry) for entry in families.values())


def _metric(source: Source) -> tuple[str, float]:
    """Return a source's metric name and the divisor from its raw unit."""
    unit, divisor = _UNITS.get(source.raw_unit, ("", 1))
    parts = ["nes", source.quantity.value]
    if unit and source.quantity.value != unit:
        parts.append(unit)
    # A gauge may not have a counter's name without its "_total".
    if source.kind is Kind.NET_REGISTER:
        parts.insert(2, "net")
    elif source.kind is Kind.PRESENT and source.quantity in _COUNTED:
        parts.insert(2, "present")
    if source.kind is Kind.REGISTER:
        parts.append("total")
    return "_".join(parts), divisor


def _labels(source: Source) -> dict[str, str]:
    labels = {"name": source.key}
    if source.phase is not None:
        labels["phase"] = str(source.phase)
    if source.tier is not None:
        labels["tier"] = str(source.tier)
    if source.direction is not None:
        labels["direction"] = source.direction
    return labels


def _add_status(info: _Family, status: MeterStatus) -> None:
    who = status.info
    info.add(
        1,
        {
            "meter": who.id,
            "serial": who.serial,
            "manufacturer": who.manufacturer,
            "model": who.model,
            "firmware": who.firmware,
        },
    )


def _escape(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
