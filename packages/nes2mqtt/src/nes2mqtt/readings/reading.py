"""What flows from a meter to the outputs.

A :class:`Sample` is one verified reply, guarded: all values of one table at one
moment. A :class:`Reading` is one value of it with all that a person needs to trust
it: unit, the meter's time, our time, quality. :class:`MeterStatus` tells how the
meter itself is, :class:`DevicesRead` which devices are behind it, :class:`ConditionRead` what it says of itself and of the
supply, :class:`EntriesRead` what its logs told that is new. Nothing else crosses the hub.

This module does not know where values come from or where they go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.devices import Device
from nes2mqtt.readings.happened import Happened
from osgp.ports.tap.health import ModuleHealth
from osgp.sources import Source

__all__ = [
    "Beside",
    "ConditionRead",
    "DevicesRead",
    "EntriesRead",
    "Event",
    "LinkQuality",
    "MeterEvent",
    "MeterInfo",
    "MeterState",
    "MeterStatus",
    "Params",
    "Quality",
    "Reading",
    "Sample",
    "TableGroup",
    "guessed_at",
]


Params = Mapping[str, str | int | float]
"""What a message for people is made of besides its code; no secrets."""


class Quality(StrEnum):
    """How far a value can be trusted."""

    GOOD = "good"
    """Digest verified, passed the guard, fresh."""
    STALE = "stale"
    """Was good, but the meter has not confirmed it for too long."""


class TableGroup(StrEnum):
    """Values that were read together and so belong to one moment."""

    REGISTERS = "registers"
    """BT23: energies and counts since the meter was made."""
    PRESENT = "present"
    """BT28: power, voltage, current now."""


class MeterState(StrEnum):
    """How the meter is, as one word."""

    STARTING = "starting"
    """No verified reply yet since this program started."""
    ONLINE = "online"
    SILENT = "silent"
    """The port works, the meter does not answer."""
    KEY_REFUSED = "key_refused"
    """The meter says the key is wrong."""
    PORT_GONE = "port_gone"
    """The serial port or the connection is not there."""
    NO_VALUES = "no_values"
    """The meter answers and says who it is, but gives no value that can be read or believed."""


@dataclass(frozen=True, slots=True)
class MeterInfo:
    """Who the meter is; empty text or None where the meter does not tell."""

    id: str
    """The name of the meter in the configuration: lower case, digits, ``_``. Never changes by itself."""
    serial: str = ""
    """The grid company's serial number (ET03)."""
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    """As printed on the meter's display: ``3.10.21``."""
    name: str = ""
    """What people call it; the id if not configured."""


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """Counts since this program started; they only grow."""

    requests: int = 0
    replies: int = 0
    """Verified replies."""
    retries: int = 0
    timeouts: int = 0
    corrupt: int = 0
    """Replies dropped: impossible length, wrong count, digest wrong."""
    resyncs: int = 0
    """Sequence numbers adopted from the meter."""
    alerts: int = 0
    power_cycles: int = 0
    rejected: int = 0
    """Values the guard refused to believe."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value with all that is needed to trust it."""

    meter: str
    source: Source
    value: int
    """Raw integer as the meter holds it, in ``source.raw_unit``."""
    received: datetime
    """When the reply arrived (UTC, aware)."""
    meter_time: datetime | None
    """The meter's own clock at that moment (UTC, aware), None if it was not read."""
    quality: Quality

    @property
    def scaled(self) -> float:
        """Return the value in ``source.unit``."""
        return self.source.scaled(self.value)


@dataclass(frozen=True, slots=True)
class Sample:
    """One verified table read after the guard. Values that are absent are absent, never 0."""

    meter: str
    group: TableGroup
    received: datetime
    values: Mapping[Source, int]
    meter_time: datetime | None = None
    segment: int = 1
    """Counts physical meters at this place: a meter swap starts the next segment."""
    segment_start: datetime | None = None
    """When this segment began, if this program saw the swap (Home Assistant's last_reset)."""
    restarted: Mapping[Source, datetime] = field(default_factory=dict)
    """Registers that rolled over in this segment, and when: from then on they count from 0 again.

    Home Assistant's last_reset of a register is this time if there is one, else :attr:`segment_start`."""
    instant: float = 0.0
    """When the reply arrived, by :attr:`nes2mqtt.timing.clock.Clock.monotonic`: durations are counted from here, and
    :meth:`~nes2mqtt.timing.clock.Clock.label` gives its time of day as it is known later."""
    base: Mapping[Source, int] = field(default_factory=dict)
    """The first value believed of each register of a segment that began with a swap this program saw: what the meter
    counted before it came here. Empty in the first segment; a register that rolled over since has base 0."""
    segment_instant: float | None = None
    """When this segment began, by the monotonic clock, if that was since this program started: who writes a sample's
    label late labels :attr:`segment_start` from here."""

    def readings(self, quality: Quality = Quality.GOOD) -> Iterator[Reading]:
        """Yield each value as a :class:`Reading`."""
        for source, value in self.values.items():
            yield Reading(self.meter, source, value, self.received, self.meter_time, quality)


@dataclass(frozen=True, slots=True)
class MeterStatus:
    """The meter's state when it changed, or when its identity or link counts did."""

    info: MeterInfo
    state: MeterState
    since: datetime
    message: str = ""
    """For people: what happened, what it means, what to do next. Empty when all is well. English."""
    link: LinkQuality = field(default_factory=LinkQuality)
    clock_ahead: float | None = None
    """Seconds the meter's clock was ahead of ours when it was last read (to about 1 s); None if it never was."""
    code: str = ""
    """The kind of :attr:`message`, one of :mod:`nes2mqtt.codes`, for programs and translations; empty when all is well."""
    params: Params = field(default_factory=dict)
    """What differs between two messages of one kind, such as ``{"port": "/dev/ttyUSB0"}``."""
    instant: float = 0.0
    """The moment of :attr:`since` by :attr:`nes2mqtt.timing.clock.Clock.monotonic`."""
    security: str = ""
    """How the meter is talked to at its MEP port, as in the configuration; empty before that is known, and at an optical port."""
    module: ModuleHealth | None = None
    """How the module in the meter is; None where the meter is reached without one, and while the module is not."""

    @property
    def meter(self) -> str:
        """Return the meter's configured id."""
        return self.info.id


@dataclass(frozen=True, slots=True)
class DevicesRead:
    """The gas, water and heat meters behind a meter, as it read them last; those that are not here any more are gone."""

    meter: str
    devices: tuple[Device, ...]
    received: datetime
    """When the meter told of them (UTC, aware)."""
    instant: float
    """The same moment by :attr:`nes2mqtt.timing.clock.Clock.monotonic`."""


@dataclass(frozen=True, slots=True)
class EntriesRead:
    """What a meter's logs told that was not known before, the oldest first. It is kept already."""

    meter: str
    entries: tuple[Happened, ...]


MeterEvent = Sample | MeterStatus
"""What tells of the meter itself, often."""
Beside = DevicesRead | ConditionRead | EntriesRead
"""What is read seldom."""
Event = MeterEvent | Beside


def guessed_at(label: datetime, received: datetime, instant: float) -> float | None:
    """Return the instant of a label that is as much of a guess as the label of a sample that holds it.

    Both are of one clock in one start of the machine then, so what lies between them was measured.

    Args:
        label: of something that happened before the sample was read.
        received: the sample's own label, a guess.
        instant: when the sample was read, in seconds since the machine started.

    Returns:
        None if the label is of an earlier start of the machine, and so was known to be true when it was given.
    """
    found = instant - (received - label).total_seconds()
    return found if 0.0 <= found <= instant else None
