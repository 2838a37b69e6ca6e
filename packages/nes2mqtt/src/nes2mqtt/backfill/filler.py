"""Fills gaps: finds them in the history, asks the meter, and keeps what may be believed.

A meter is looked at when it is read again after a while: at the start of this program, and after each silence. The load
profile is read beside the schedule, within the same read budget, so live values go on. A profile that cannot be read now
is asked for again later; a gap that was looked into is never looked into again.

This module does not know how a meter is read, nor what may be believed (:mod:`nes2mqtt.backfill.decision`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from nes2mqtt.backfill.decision import Decision, Outcome, decide
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.store import Store
from nes2mqtt.history.tables.filled import Gap, Looked
from nes2mqtt.meters.register import Limits
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.timing.backoff import Backoff
from osgp.errors import MeterRefused, MisuseError, OsgpError, TableError
from osgp.tables.load_profile.profile import LoadProfile, ProfileMark

__all__ = ["Filler", "Profiled"]

_log = logging.getLogger(__name__)

_LOOK_EVERY = 30.0
"""Seconds between two looks at when meters were read."""
_SILENT = 90.0
"""Seconds without a reading of registers that may have left a gap."""
_SETTLE = 120.0
"""Seconds between a meter's first reading and the question for its profile: the meter notes an interval when it is over, not
at once, and a start is busy enough."""
_AGAIN = (60.0, 3600.0)
"""Seconds until a profile that could not be read is asked for again: at first, and at most."""
_REFUSED_AGAIN = 86_400.0
_KEPT = timedelta(days=400)
"""No meter keeps a load profile of quarter hours longer."""
_MARGIN = timedelta(hours=1)
"""So much more is asked for than the gap: the meter's clock may be off."""
_AT_ONCE = 4
"""Meters whose profiles are read at the same time."""


class Profiled(Protocol):
    """What is asked of a meter's poller."""

    @property
    def name(self) -> str:
        """The meter's id."""

    @property
    def limits(self) -> Limits:
        """How fast its registers can count."""

    async def profile(self, since: datetime) -> LoadProfile | None:
        """Read the intervals that ended then or later; None while the meter is not read."""


@dataclass(slots=True)
class _Watch:
    """When a meter was read, and when it is to be looked at."""

    heard: float | None = None
    due: float | None = None
    since: datetime | None = None
    """When the earliest gap that nobody looked into may have ended."""
    again: Backoff = field(default_factory=lambda: Backoff(*_AGAIN))
    refused: bool = False
    """That its profile cannot be read was said."""


class Filler:
    """Fills the gaps of some meters.

    Args:
        store: the history.
        hub: knows when meters were read.
        meters: what reads them.
    """

    def __init__(self, store: Store, hub: Hub, meters: Sequence[Profiled]) -> None:
        self._store = store
        self._hub = hub
        self._meters = {meter.name: meter for meter in meters}
        self._watches: Mapping[str, _Watch] = {name: _Watch() for name in self._meters}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Fill until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for name, watch in self._watches.items():
                    if self._is_due(name, watch):
                        watch.due = None
                        group.create_task(self._look(self._meters[name], watch))
                await asyncio.sleep(_LOOK_EVERY)

    def _is_due(self, name: str, watch: _Watch) -> bool:
        now = self._hub.clock.monotonic()
        sample = self._newest(name)
        if sample is not None and sample.instant != watch.heard:
            if watch.heard is None or sample.instant - watch.heard > _SILENT + _LOOK_EVERY:
                watch.due = now + _SETTLE
            watch.heard = sample.instant
        return watch.due is not None and now >= watch.due and self._hub.clock.known

    def _newest(self, name: str) -> Sample | None:
        latest = self._hub.latest.get(name)
        return None if latest is None else latest.samples.get(TableGroup.REGISTERS)

    async def _look(self, meter: Profiled, watch: _Watch) -> None:
        """Fill what there is to fill; come back later if it cannot be done now."""
        async with self._places:
            try:
                await self._fill(meter, watch)
            except (MeterRefused, TableError, MisuseError) as error:
                if not watch.refused:
                    watch.refused = True
                    _log.warning(
                        "meter %s: gaps in its history cannot be filled, because its load profile cannot be read: %s. They "
                        "stay as they are; it is tried again once a day",
                        meter.name,
                        error,
                    )
                watch.due = self._hub.clock.monotonic() + _REFUSED_AGAIN
            except (OsgpError, HistoryError) as error:
                _log.debug("meter %s: filling gaps is put off: %s", meter.name, error)
                watch.due = self._hub.clock.monotonic() + watch.again.next()
            except Exception:  # noqa: BLE001 - one meter must not stop the others
                _log.exception("meter %s: a mistake in this program; its gaps are not filled", meter.name)

    async def _fill(self, meter: Profiled, watch: _Watch) -> None:
        now = self._hub.clock.now()
        gaps = await self._store.gaps(meter.name, now - _KEPT if watch.since is None else watch.since)
        newest = self._newest(meter.name)
        if gaps and newest is not None:
            since = min(gap.before.received for gap in gaps)
            profile = await meter.profile(since - _MARGIN - timedelta(seconds=_ahead(gaps)))
            if profile is None:
                watch.due = self._hub.clock.monotonic() + watch.again.next()
                return
            await self._say_reconfigured(meter.name, profile)
            for gap in gaps:
                same = gap.before.segment == newest.segment
                decision = (
                    decide(gap.before, gap.after, profile, meter.limits) if same else Decision((), Outcome.REPLACED)
                )
                mark = profile.mark.to_json()
                if await self._store.fill(Looked(gap, decision.readings, decision.outcome, mark)) is None:
                    watch.due = self._hub.clock.monotonic() + watch.again.next()
                    return
                _say(gap, decision)
        watch.since, watch.refused = now - _MARGIN, False
        watch.again.reset()

    async def _say_reconfigured(self, name: str, profile: LoadProfile) -> None:
        """Tell when the meter's load profile is another one than it was: what it held before is gone."""
        text = await self._store.profile_mark(name)
        try:
            known = ProfileMark.from_json(text) if text else None
        except MisuseError:  # damaged on disk: there is none, and the next one takes its place
            known = None
        if known is not None and not known.of_same(profile.mark):
            _log.warning(
                "meter %s: its load profile was set up anew since it was last read, by the grid company most often; what it "
                "had noted before is gone",
                name,
            )


def _ahead(gaps: Sequence[Gap]) -> float:
    """Return by how many seconds the meter's clock was behind ours at most."""
    samples = [sample for gap in gaps for sample in (gap.before, gap.after) if sample.meter_time is not None]
    return max(
        ((sample.received - (sample.meter_time or sample.received)).total_seconds() for sample in samples), default=0
    )


_WHY = {
    Outcome.NOT_KEPT: "the meter kept nothing of that time",
    Outcome.NO_REGISTER: "its load profile holds no register that is read here",
    Outcome.CLOCK: "the meter's clock was off by another amount after it than before, and the meter does not say when that "
    "came: nobody knows which time its intervals are of",
    Outcome.CONTRADICTS: "what the load profile says does not fit the registers before and after it",
    Outcome.REPLACED: "the meter that knew is not there any more",
}


def _say(gap: Gap, decision: Decision) -> None:
    begin, end = gap.before.received, gap.after.received
    span = f"the gap from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    count = len(decision.readings)
    if decision.outcome is Outcome.FILLED:
        _log.info("meter %s: %s is filled from the meter's load profile (%d intervals)", gap.meter, span, count)
    elif decision.outcome is Outcome.PARTLY:
        refused = f"; {decision.refused} did not fit the registers around it" if decision.refused else ""
        _log.warning(
            "meter %s: %s is filled in part from the meter's load profile: %d of %d intervals, the others the meter did not "
            "note or no longer has%s",
            gap.meter,
            span,
            count,
            decision.expected,
            refused,
        )
    else:
        _log.warning(
            "meter %s: %s cannot be filled: %s. What was used in it stays booked to its end",
            gap.meter,
            span,
            _WHY[decision.outcome],
        )
