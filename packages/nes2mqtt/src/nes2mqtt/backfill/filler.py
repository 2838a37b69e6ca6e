"""Fills gaps: finds them in the history, asks the meter, and keeps what may be believed.

A meter is looked at when it is read again after a while: at the start of this program, and after each silence. The load
profile is read beside the schedule, within the same read budget, so live values go on. A profile that cannot be read now
is asked for again later; a gap that was looked into is never looked into again. After a mistake of this program in one meter's
gaps the others go on, and that meter's are tried again, later each time.

The first data set is the one a grid company bills by. The others are read only when a register counted that none before them holds.

It stands among the outputs, of which it hears nothing, so that the status tells how it is.

This module does not know how a meter is read, what may be believed (:mod:`nes2mqtt.backfill.decision`), nor how that is told
(:mod:`nes2mqtt.backfill.telling`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from nes2mqtt.backfill.decision import Decision, Outcome, deciding, lacking
from nes2mqtt.backfill.telling import say
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.store import Store
from nes2mqtt.history.tables.filled import NOT_BOOKED, Gap, Looked
from nes2mqtt.meters.register import Limits
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import Event, Sample, TableGroup
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
_DATA_SETS = (2, 3, 4)
"""Those beside the first (MEP guide v1.1 p. 30)."""
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

    async def profile(self, since: datetime, data_set: int = 1) -> LoadProfile | None:
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
    mistake: str = ""
    """The mistake of this program that its gaps met last; empty when it is over."""


class Filler:
    """Fills the gaps of some meters.

    Args:
        store: the history.
        hub: knows when meters were read.
        meters: what reads them.
    """

    name = "backfill"

    def __init__(self, store: Store, hub: Hub, meters: Sequence[Profiled]) -> None:
        self._store = store
        self._hub = hub
        self._meters = {meter.name: meter for meter in meters}
        self._watches: Mapping[str, _Watch] = {name: _Watch() for name in self._meters}
        self._places = asyncio.Semaphore(_AT_ONCE)

    def offer(self, event: Event) -> None:
        """Take nothing: gaps come from the history."""
        del event

    def status(self) -> OutputStatus:
        """Tell of which meters gaps cannot be filled because of a mistake of this program."""
        met = {name: watch.mistake for name, watch in self._watches.items() if watch.mistake}
        if not met:
            return OutputStatus(self.name, ok=True, message="gaps are filled from the meter's load profile")
        which = ", ".join(f"{name} ({mistake})" for name, mistake in met.items())
        return OutputStatus(
            self.name,
            ok=False,
            message=f"gaps in the history of {which} are not filled, because of a mistake of this program. It is tried again within "
            "the hour; please report it with the lines of the log",
            code="backfill_mistake",
            params={"meters": ", ".join(met)},
        )

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
                watch.mistake = ""
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
            except Exception as error:  # noqa: BLE001 - one meter must not stop the others, nor a mistake its later gaps
                mistake = type(error).__name__
                if watch.mistake != mistake:
                    watch.mistake = mistake
                    _log.exception(
                        "meter %s: a mistake in this program; its gaps are not filled, and tried again later",
                        meter.name,
                    )
                watch.due = self._hub.clock.monotonic() + watch.again.next()

    async def _fill(self, meter: Profiled, watch: _Watch) -> None:
        now = self._hub.clock.now()
        gaps = await self._store.gaps(meter.name, now - _KEPT if watch.since is None else watch.since)
        newest = self._newest(meter.name)
        if gaps and newest is not None:
            profiles = await self._profiles(meter, gaps)
            if not profiles:
                watch.due = self._hub.clock.monotonic() + watch.again.next()
                return
            profile, *others = profiles
            await self._say_reconfigured(meter.name, profile)
            for gap in gaps:
                decision = Decision((), Outcome.REPLACED)
                if gap.before.segment == newest.segment:
                    decision = await _in_pieces(deciding(gap.before, gap.after, profile, meter.limits, others))
                looked = Looked(gap, decision.readings, decision.outcome, profile.mark.to_json())
                stored = await self._store.fill(looked)
                if stored is None:
                    watch.due = self._hub.clock.monotonic() + watch.again.next()
                    return
                say(gap, decision, NOT_BOOKED if decision.readings and not stored else decision.outcome)
        watch.since, watch.refused = now - _MARGIN, False
        watch.again.reset()

    async def _profiles(self, meter: Profiled, gaps: Sequence[Gap]) -> list[LoadProfile]:
        """Read the data sets that gaps need, the first one first; none while the meter is not read.

        Raises:
            OsgpError: the first one cannot be read, or the line is bad.
        """
        since = min(gap.before.received for gap in gaps) - _MARGIN - timedelta(seconds=_ahead(gaps))
        first = await meter.profile(since)
        if first is None:
            return []
        profiles = [first]
        for number in _DATA_SETS:
            if not any(lacking(gap.before, gap.after, profiles) for gap in gaps):
                break
            try:
                further = await meter.profile(since, number)
            except (MeterRefused, TableError, MisuseError) as error:  # it has fewer, or keeps this one to itself
                _log.debug("meter %s: load profile %d is not read: %s", meter.name, number, error)
                break
            if further is None:
                return []
            profiles.append(further)
        return profiles

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


async def _in_pieces(work: Generator[None, None, Decision]) -> Decision:
    """Return what a work finds; whoever else has something to do goes on in between."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            decision: Decision = done.value
            return decision
        await asyncio.sleep(0)


def _ahead(gaps: Sequence[Gap]) -> float:
    """Return by how many seconds the meter's clock was behind ours at most."""
    samples = [sample for gap in gaps for sample in (gap.before, gap.after) if sample.meter_time is not None]
    return max(
        ((sample.received - (sample.meter_time or sample.received)).total_seconds() for sample in samples), default=0
    )
