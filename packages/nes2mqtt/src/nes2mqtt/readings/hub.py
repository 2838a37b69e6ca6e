"""The hub: every guarded event goes to every output, and no output can hold up another.

An output gets events through :meth:`Output.offer`, which must return at once: it puts
the event in a queue of its own and works it off in :meth:`Output.run`. An output that
raises from ``offer`` is logged once and does not disturb the others.

The hub also remembers the last sample and status of each meter (:class:`Latest`), which is
what the page, the REST API and an output that has just reconnected start from.

This module does not know any output by name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, runtime_checkable

from nes2mqtt.readings.reading import (
    ConditionRead,
    DevicesRead,
    EntriesRead,
    Event,
    MeterStatus,
    Params,
    Quality,
    Reading,
    Sample,
    TableGroup,
)
from nes2mqtt.timing.clock import Clock

__all__ = ["Hub", "Latest", "Output", "OutputStatus"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """How an output is, for the page and ``/api/v1/status``."""

    name: str
    ok: bool
    message: str
    """For people; says what to do when ``ok`` is false. No secrets."""
    waiting: int = 0
    """Events not delivered yet."""
    dropped: int = 0
    """Live events given up because the output was too slow; register readings are never dropped."""
    code: str = ""
    """The kind of :attr:`message`, one of :mod:`nes2mqtt.codes`, for programs and translations; empty when all is well."""
    params: Params = field(default_factory=dict)
    """What differs between two messages of one kind; no secrets."""


@runtime_checkable
class Output(Protocol):
    """What the hub and the app ask of an output.

    One that may stand still for good, such as one with a thread of its own, also has a property ``stands_still``.
    """

    name: str

    def offer(self, event: Event) -> None:
        """Take an event; must not block, raise or wait."""

    async def run(self) -> None:
        """Work until cancelled. Never returns because the other side is down."""

    def status(self) -> OutputStatus:
        """Return whether the output works, what is wrong if not, and how many events wait or were given up."""


@dataclass(slots=True)
class Latest:
    """The last event of each kind for one meter."""

    status: MeterStatus | None = None
    samples: dict[TableGroup, Sample] = field(default_factory=dict)
    devices: DevicesRead | None = None
    condition: ConditionRead | None = None


def _another_meter(before: MeterStatus, after: MeterStatus) -> bool:
    return "" not in {before.info.serial, after.info.serial} and before.info.serial != after.info.serial


class Hub:
    """Fans events out to outputs; remembers the latest of each.

    Args:
        stale_after: age after which a group's values are stale, per group (a few poll periods).
        clock: the clocks of this program; outputs find them here.
    """

    def __init__(self, stale_after: Mapping[TableGroup, timedelta], clock: Clock | None = None) -> None:
        self.clock = clock if clock is not None else Clock()
        self._limits = dict(stale_after)
        self._limits_of: dict[str, Mapping[TableGroup, timedelta]] = {}
        self._outputs: list[Output] = []
        self._failed: set[str] = set()
        self._latest: dict[str, Latest] = {}

    def add(self, output: Output) -> None:
        """Send all further events to ``output`` too."""
        self._outputs.append(output)

    def expect(self, meter: str, stale_after: Mapping[TableGroup, timedelta]) -> None:
        """Set the ages after which the values of one meter, read at its own pace, are stale."""
        self._limits_of[meter] = dict(stale_after)

    def stale_after(self, group: TableGroup, meter: str = "") -> timedelta | None:
        """Return the age after which values are stale: of one meter, or where nothing else is set. None: never."""
        return self._limits_of.get(meter, self._limits).get(group)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Return the outputs in the order they were added."""
        return tuple(self._outputs)

    @property
    def latest(self) -> Mapping[str, Latest]:
        """Return the last events, by meter id."""
        return self._latest

    def publish(self, event: Event) -> None:
        """Remember an event and offer it to every output."""
        latest = self._latest.get(event.meter)
        if latest is None:
            latest = self._latest[event.meter] = Latest()
        if isinstance(event, Sample):
            latest.samples[event.group] = event
        elif isinstance(event, DevicesRead):
            latest.devices = event
        elif isinstance(event, ConditionRead):
            latest.condition = event
        elif not isinstance(event, EntriesRead):
            if latest.status is not None and _another_meter(latest.status, event):
                latest.samples.clear()  # values of the old meter never stand beside the name of the new one
                latest.devices = latest.condition = None
            latest.status = event
        for output in self._outputs:
            try:
                output.offer(event)
            except Exception:  # noqa: BLE001 - whatever an output does wrong, the others must go on
                if output.name not in self._failed:
                    self._failed.add(output.name)
                    _log.exception("output %s failed to take an event; the others go on", output.name)

    def quality(self, sample: Sample) -> Quality:
        """Tell whether a sample is still fresh: by the monotonic clock, whatever happens to the time of day."""
        limit = self.stale_after(sample.group, sample.meter)
        age = self.clock.monotonic() - sample.instant
        return Quality.STALE if limit is not None and age > limit.total_seconds() else Quality.GOOD

    def readings(self, meter: str) -> Iterable[Reading]:
        """Yield the latest readings of a meter, each marked good or stale as of now."""
        latest = self._latest.get(meter)
        if latest is None:
            return
        for sample in latest.samples.values():
            yield from sample.readings(self.quality(sample))
