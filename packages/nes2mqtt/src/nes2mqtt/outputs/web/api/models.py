"""The documents of the REST API, typed; OpenAPI is made from these.

Once released, a name in here never changes. This module does not know how they are filled.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.readings.reading import MeterState, Quality, TableGroup
from osgp.sources import Direction, Kind, Quantity

__all__ = [
    "BillDay",
    "BillLine",
    "BillPeak",
    "BillReport",
    "ClockReport",
    "CostReport",
    "EnergyBucket",
    "EnergyReport",
    "GatewayReport",
    "LineReport",
    "LinkReport",
    "MeterReport",
    "OutputReport",
    "QuantityReport",
    "ReadingReport",
    "ReadingsReport",
    "SeriesReport",
    "StatusReport",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)  # built when first asked for: most never are


class QuantityReport(_Model):
    """A quantity a meter may measure."""

    name: str = Field(description="Stable for ever", examples=["active_power_import"])
    label: str = Field(description="For people, in English")
    quantity: Quantity
    kind: Kind
    unit: str = Field(description="Empty for counts", examples=["W"])
    decimals: int = Field(description="Digits after the point worth showing at most")
    phase: int | None = Field(description="1, 2, 3; null for all phases together")
    direction: Direction | None = Field(description="Seen from the house: import is drawn from the grid")
    tier: int | None = Field(description="Tariff tier from 0; null for the total")


class ReadingReport(_Model):
    """One value with all that is needed to trust it."""

    meter: str
    name: str = Field(examples=["active_energy_import"])
    label: str
    value: float = Field(description="In `unit`", examples=[65845.342])
    unit: str = Field(examples=["kWh"])
    group: TableGroup = Field(description="Values of one group were read together")
    meter_time: datetime | None = Field(description="The meter's own clock; null when it was not read")
    received: datetime | None = Field(
        description="When the reply arrived; null while the time of day is not known, see `clock` of `/status`"
    )
    quality: Quality = Field(description="good: verified and fresh; stale: was good, but not confirmed for too long")


class ReadingsReport(_Model):
    """The latest readings. What a meter has not sent is not in the list."""

    now: datetime | None = Field(description="Null while the time of day is not known")
    readings: list[ReadingReport]


class LinkReport(_Model):
    """Counts since the gateway started."""

    requests: int
    replies: int
    retries: int
    timeouts: int
    corrupt: int
    resyncs: int
    alerts: int
    power_cycles: int
    rejected: int


class ModuleReport(_Model):
    """What a module in the meter tells of itself; null where it does not."""

    uptime: int | None = Field(description="Seconds since it started")
    firmware: str | None = Field(description="Version of its program")
    wifi_strength: int | None = Field(description="dBm", examples=[-61])
    free_memory: int | None = Field(description="Bytes")
    restart_reason: str | None = Field(
        description="Why it started, as the chip says; to an ESP32 a brown-out is a power-up",
        examples=["power_on", "watchdog"],
    )


class FuseReport(_Model):
    """The main fuse of each phase, as it is configured."""

    current: float = Field(description="What it is for, in A", examples=[25])
    near: float = Field(
        description="The current in A from which a phase is near it: what `[alerts.phase_load]` says, or nine tenths",
        examples=[22.5],
    )


class MeterReport(_Model):
    """Who and how a meter is."""

    id: str = Field(description="Its name in the configuration")
    name: str = Field(description="What people call it")
    serial: str
    manufacturer: str
    model: str
    firmware: str
    state: MeterState
    since: datetime | None = Field(description="When the state began; null before the first news of the meter")
    message: str = Field(description="What happened and what to do next, in English; empty when all is well")
    code: str = Field(description="The kind of `message`, for programs; empty when all is well", examples=["timeout"])
    params: dict[str, str | int | float] = Field(description="What differs between two messages of one kind")
    security: str = Field(
        description="How the meter is talked to at its MEP port: `tls`, `rc4` or `rc4-plain`; empty before that is known, and at "
        "an optical port",
        examples=["tls"],
    )
    link: LinkReport
    fuse: FuseReport | None = Field(description="Null where none is configured")
    module: ModuleReport | None = Field(
        description="How the module in the meter is; null where the meter is reached without one, and while the module is not reached"
    )


class GatewayReport(_Model):
    """This program."""

    name: str
    version: str
    timezone: str = Field(description="Days and months begin by this zone", examples=["Europe/Copenhagen"])
    started: datetime | None = Field(description="Null while the time of day is not known")
    login: bool = Field(description="A password is set")
    history: bool = Field(description="Series, energy and export are available")
    costs: bool = Field(description="Bills are available: there are contracts and a history")
    alerts: bool = Field(description="Alerts are watched for: there is a section `[alerts]`")
    production: str | None = Field(
        description="The meter of the house whose inverter is heard: there is a section `[production]`"
    )


class OutputReport(_Model):
    """How an output is."""

    name: str
    ok: bool
    message: str = Field(description="For people, in English")
    code: str = Field(description="The kind of `message`, for programs; empty where there is none")
    params: dict[str, str | int | float] = Field(description="What differs between two messages of one kind")
    waiting: int = Field(description="Events not delivered yet")
    dropped: int = Field(description="Live events given up; register readings never are")


class ClockReport(_Model):
    """Which clock gives the time of day, and what is wrong with this computer's."""

    source: Literal["host", "meter", "none"] = Field(
        description="host: this computer's; meter: a meter's, because this computer's is wrong; none: nobody knows the time"
    )
    off: int | None = Field(
        description="Seconds this computer's clock is ahead of the meter's (negative: behind); null while it is believed, "
        "and when no meter tells the time"
    )
    meter: str = Field(description="The id of the meter whose clock says so; empty when there is none")
    code: str = Field(description="clock_ahead, clock_behind, clock_unknown; empty when all is well")
    message: str = Field(description="What is wrong and what to do, in English; empty when all is well")


class StatusReport(_Model):
    """The gateway at a glance."""

    now: datetime | None = Field(description="Null while the time of day is not known")
    clock: ClockReport
    gateway: GatewayReport
    outputs: list[OutputReport]
    meters: list[MeterReport]


class LineReport(_Model):
    """One quantity over time, in its unit; null where nothing is known."""

    average: list[float | None] = Field(description="The value, or the average of the bucket")
    lowest: list[float | None]
    highest: list[float | None]


class FilledPowerReport(_Model):
    """A time in which nothing was read, and the average power that the meter's load profile tells of it."""

    start: datetime
    end: datetime
    values: dict[str, float] = Field(description="Average power in it, by name; absent where it is not known")


class SeriesReport(_Model):
    """Values over time, as columns of equal length."""

    meter: str
    step: float | None = Field(description="Seconds of a bucket; null for single readings")
    times: list[datetime] = Field(description="Start of each bucket, or time of each reading")
    lines: dict[str, LineReport] = Field(description="By name")
    filled: list[FilledPowerReport] = Field(
        default=[],
        description="Times in which the meter was not read; none of it is in the lines, which have a hole there",
    )


class FilledPart(_Model):
    """A part of a time, such as one of which only the meter's load profile tells."""

    start: datetime
    end: datetime


class OwnUseReport(_Model):
    """What the house's solar inverter gave, and what became of it. Null is what is not known."""

    produced_kwh: float | None
    self_used_kwh: float | None = Field(
        description="Produced and not exported; null unless inverter and meter are known for the same time"
    )
    consumed_kwh: float | None = Field(
        description="By the house: import and what it used itself; null as `self_used_kwh`"
    )
    until: datetime | None = Field(
        default=None,
        description="All three are up to here, where the inverter fell silent before the meter did, as at night; else null",
    )


class EnergyBucket(_Model):
    """A quarter hour, hour, day, week, month or year."""

    start: datetime
    end: datetime
    import_kwh: float | None = Field(description="Null when it is not known")
    export_kwh: float | None
    own_use: OwnUseReport | None = Field(
        default=None, description="Null where no inverter is configured (`[production]`)"
    )
    expected_seconds: int | None = Field(description="How much of it is over; null while the time of day is not known")
    known_seconds: int = Field(description="Of how much of it the energy is known; as exact as the meter is read")
    complete: bool = Field(
        description="Readings reach from its beginning to its end; false for one that is not over or has a gap there"
    )
    first: datetime | None = Field(
        description="Time of the reading from which was counted; before `start` when the energy of a gap is in here"
    )
    last: datetime | None = Field(description="Time of the reading up to which was counted")
    filled: list[FilledPart] = Field(
        default=[], description="Parts of it in which the meter was not read; its own load profile told them later"
    )
    imported: list[FilledPart] = Field(
        default=[],
        description="Parts of it that come from an import (`nes2mqtt import`), such as of before this gateway",
    )


class LookedIntoGap(_Model):
    """A time in which the meter was not read, and what its own load profile told of it."""

    start: datetime = Field(description="The last reading before it")
    end: datetime = Field(description="The first reading after it")
    outcome: str = Field(
        description="`filled`, `partly`, `imported`, or why nothing could be filled in: see docs/history.md"
    )
    readings: int = Field(description="How many readings were filled in")
    unplaced: list[str] = Field(description="Names of registers that counted in it, nobody knows when")


class GapsReport(_Model):
    """The gaps of a meter that were looked into, the newest first."""

    meter: str
    gaps: list[LookedIntoGap]


class EnergyReport(_Model):
    """Energy by period, from differences of the meter's registers."""

    meter: str
    period: Unit
    timezone: str
    total: EnergyBucket = Field(description="The whole range")
    buckets: list[EnergyBucket]


class PeaksReport(_Model):
    """The hours, or quarter hours, in which most was used, and what is used when nobody uses anything."""

    meter: str
    period: Literal["quarter", "hour"]
    highest: list[EnergyBucket] = Field(
        description="The one with most import first; only those that were measured whole and hold no energy of a gap"
    )
    base_watts: float | None = Field(
        description="Import power that is undercut in one of twenty quarter hours between midnight and six; null where fewer than "
        "a hundred of them were measured, and for more than two months"
    )


class BillLine(_Model):
    """One line of a bill."""

    name: str = Field(description="As the contract names it", examples=["Spot"])
    net: float = Field(description="Without VAT")
    vat: float


class BillDay(_Model):
    """What a local day cost, without charges for peaks."""

    day: date
    kwh: float
    gross: float = Field(description="With VAT")
    complete: bool = Field(description="Everything was measured and has its price")


class BillPeak(_Model):
    """The peak of a month, by a line of the contract that charges for it."""

    line: str
    month: date = Field(description="Its first day")
    kw: float | None = Field(description="That is billed; null while there is none")
    at_least: bool = Field(description="Not every period that counts was measured")
    charged: bool = Field(description="It is in the sum: the month is over, and its last day is one of the bill's")


class BillReport(_Model):
    """What one contract comes to."""

    contract: str
    direction: Direction = Field(description="Amounts of `export` are income")
    currency: str = Field(examples=["DKK"])
    first: date
    after: date = Field(description="The day after the last one")
    kwh: float = Field(description="That has a price and is in the sum")
    lines: list[BillLine]
    net: float = Field(description="Without VAT")
    vat: float
    gross: float = Field(description="With VAT")
    pending_quarters: int = Field(description="Quarter hours whose spot price is not known yet; not in the sum")
    pending_kwh: float
    unmeasured_quarters: int = Field(description="Quarter hours without a measurement; not in the sum")
    estimated_quarters: int = Field(
        description="Quarter hours with an even share of what was measured over a longer time, or that were read in part"
    )
    peaks: list[BillPeak]
    days: list[BillDay] = Field(description="Without charges for peaks, which belong to a month")


class CostReport(_Model):
    """What the energy of a meter cost."""

    meter: str
    timezone: str = Field(description="Where days begin")
    bills: list[BillReport] = Field(description="One for each contract that holds on these days")
