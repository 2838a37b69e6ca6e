"""Watches the meters for what needs attention, keeps what was found on disk, and lets every channel know.

It is an output of the hub: what meters tell wakes it, and every few seconds it looks by itself, because silence tells
nothing. It looks at most once a second.

This module does not know what is wrong with a value, nor who is told how.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from nes2mqtt.alerts.book import Alert, AlertBook
from nes2mqtt.alerts.config import AlertsConfig, MeterEventRule
from nes2mqtt.alerts.kinds import MOMENTS, Kind
from nes2mqtt.alerts.telling import Telling, What
from nes2mqtt.alerts.values import Looked, MostExport, QuietestQuarter, value_of
from nes2mqtt.alerts.words import AlertWords
from nes2mqtt.history.database.durable import write_durably
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.readings.happened import EventLog, Happened, HappenedKind
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import EntriesRead, Event, MeterStatus, Quality, Sample, TableGroup
from osgp.tables.logs.event_names import STANDARD_NAMES

__all__ = ["AlertKeeper", "Channel"]

_log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between two looks at all meters."""
SPACING = 1.0
"""Seconds at least between two looks."""
_EVENTS = "events"
"""The position in the meters' own logs."""
_EVENTS_AT_ONCE = 100

_BYTES_AT_ONCE, _BYTES_A_SECOND = 500_000, 5000
"""What is written to the disk at once, and in the long run: an SD card wears out, and the file is written as a whole."""

DAILY = frozenset({Kind.BASE_LOAD, Kind.NO_EXPORT})
"""Kinds whose value is known once a day; in between nothing is unknown."""


_OF_THE_LINK = frozenset({Kind.METER_SILENT, Kind.KEY_REFUSED, Kind.CLOCK_DRIFT})
"""Kinds that need no measured values."""


class Channel(Protocol):
    """Brings what is told to somebody."""

    name: str

    @property
    def trouble(self) -> str:
        """Why something cannot be brought, for people; empty when nothing is wrong."""

    @property
    def waiting(self) -> int:
        """How much waits to be brought."""

    def look(self) -> None:
        """Take note that there may be something new. Returns at once."""

    async def run(self) -> None:
        """Bring what there is, until cancelled."""


Changed = Callable[[str], None]
"""Is told of each meter whose alerts changed."""


class AlertKeeper:
    """All alerts of the gateway.

    Args:
        config: the section ``[alerts]``.
        fuses: of the configured meters, where they are known.
        hub: holds the latest values.
        event_log: of the meters.
        zone: of quiet hours, nights and days.
        folder: where what must not be forgotten is kept; None: nowhere.
        names: what people call the meters.
        offload: does what blocks.
    """

    name = "alerts"

    def __init__(
        self,
        config: AlertsConfig,
        fuses: Mapping[str, float | None],
        hub: Hub,
        event_log: EventLog,
        zone: ZoneInfo,
        folder: Path | None,
        names: Mapping[str, str] | None = None,
        offload: Callable[..., Awaitable[None]] = asyncio.to_thread,
    ) -> None:
        self.config = config
        self.words = AlertWords(config.language, zone, names)
        self.book = AlertBook(config.rules(fuses), config.urgent)
        self._meters = tuple(fuses)
        self._hub = hub
        self._clock = hub.clock
        self._event_log = event_log
        self._zone = zone
        self._path = None if folder is None else folder / "alerts.json"
        self._daily = {alert.rule.key: self._day_long(alert) for alert in self.book.alerts if alert.rule.kind in DAILY}
        self._offload = offload
        self._wake = asyncio.Event()
        self._dirty: set[str] = set()
        self._measures = any(alert.rule.kind not in _OF_THE_LINK for alert in self.book.alerts)
        self._logged = True
        """The meters' own logs may have something new."""
        self._followers: list[Changed] = []
        self._channels: list[Channel] = []
        self._unsure: dict[str, float | None] = {}
        """By how much meters' clocks were said to be off while our own could not be believed against them."""
        self._saved = ""
        self._noted = 0
        """:attr:`AlertBook.changes` that were seen."""
        self._unsaved = False
        """Something has to be written when that is allowed again."""
        self._allowed, self._allowed_at = float(_BYTES_AT_ONCE), self._clock.monotonic()
        self._saving = asyncio.Lock()
        self._trouble = ""
        self._load()

    def _day_long(self, alert: Alert) -> QuietestQuarter | MostExport:
        if alert.rule.kind is Kind.BASE_LOAD and self.config.base_load is not None:
            return QuietestQuarter(self.config.base_load.hours)
        assert self.config.no_export is not None  # noqa: S101 - its rule comes from there
        return MostExport(self.config.no_export.hours, self.config.no_export.watts)

    # What others ask.

    def kinds(self, meter: str) -> list[Kind]:
        """Return the kinds that may be raised for a meter, and those that may happen to it."""
        kinds = list(dict.fromkeys(alert.rule.kind for alert in self.book.of(meter)))
        events = self.config.meter_event
        return kinds + [kind for kind in MOMENTS if events is not None and events.of(meter)]

    def follow(self, changed: Changed) -> None:
        """Tell somebody of each meter whose alerts change."""
        self._followers.append(changed)

    def add(self, channel: Channel) -> None:
        """Let a channel bring what is told."""
        self._channels.append(channel)

    @property
    def quiet(self) -> bool:
        """Tell whether nobody is to be told now. While the time of day is not known there are no quiet hours."""
        hours = self.config.quiet_hours
        return hours is not None and self._clock.known and hours.hold(self._clock.now().astimezone(self._zone))

    async def after(self, number: int, limit: int) -> Sequence[tuple[int, Telling]]:
        """Return tellings with higher numbers: they are a numbered list."""
        return [(one.number, one) for one in self.book.after(number, limit)]

    async def last(self) -> int:
        """Return the number of the last telling."""
        return self.book.number

    def position(self, channel: str) -> int | None:
        """Return how far a channel has brought what was told; None if it never has."""
        return self.book.positions.get(channel)

    async def keep_position(self, channel: str, number: int) -> None:
        """Keep how far a channel has brought what was told."""
        self.book.positions[channel] = number
        await self._save()

    # An output of the hub.

    def offer(self, event: Event) -> None:
        """Take note of an event; never blocks."""
        if isinstance(event, EntriesRead):
            self._logged = True
            self._wake.set()
        elif isinstance(event, MeterStatus) or (
            self._measures and isinstance(event, Sample) and event.group is TableGroup.PRESENT
        ):
            self._dirty.add(event.meter)
            self._wake.set()

    def status(self) -> OutputStatus:
        """Tell whether people can be told."""
        troubles = [f"{channel.name}: {channel.trouble}" for channel in self._channels if channel.trouble]
        waiting = sum(channel.waiting for channel in self._channels)
        if self._trouble or troubles:
            code = "alerts_undelivered" if troubles else "alerts_unkept"
            return OutputStatus(
                self.name,
                ok=False,
                message="; ".join(filter(None, (self._trouble, *troubles))),
                waiting=waiting,
                code=code,
            )
        count = sum(alert.raised for alert in self.book.alerts)
        message = "nothing needs attention" if not count else f"{count} raised now"
        return OutputStatus(
            self.name,
            ok=True,
            message=message,
            waiting=waiting,
            code="alerts_raised" if count else "alerts_none",
            params={"count": count},
        )

    async def run(self) -> None:
        """Look until cancelled."""
        # A channel that comes back to the configuration later is new then.
        for name in self.book.positions.keys() - {_EVENTS, *(channel.name for channel in self._channels)}:
            del self.book.positions[name]
        await self._begin_events()
        try:
            async with asyncio.TaskGroup() as tasks:
                for channel in self._channels:
                    tasks.create_task(channel.run())
                tasks.create_task(self._look_for_ever())
        finally:
            self._allowed = float(_BYTES_AT_ONCE)
            await self._save()

    async def _look_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        all_due = loop.time()
        while True:
            everybody = loop.time() >= all_due
            if everybody:
                all_due = loop.time() + LOOK_EVERY
            dirty, self._dirty = self._dirty, set()
            self._wake.clear()
            await self.look(self._meters if everybody else sorted(dirty))
            await asyncio.sleep(SPACING)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(all_due - loop.time(), 0)):
                    await self._wake.wait()

    async def look(self, meters: Sequence[str]) -> None:
        """Look at some meters, and tell what there is to tell."""
        changed = {meter for meter in meters if self._look_at(meter)}
        await self._take_events()
        label = self._clock.label_if_known
        now = self._clock.now() if self._clock.known else None
        told = self.book.settle(label, now, quiet=self.quiet, instant=self._clock.monotonic())
        if self.book.changes != self._noted:
            self._noted, self._unsaved = self.book.changes, True
        if self._unsaved:
            await self._save()
        for meter in sorted(changed | {one.meter for one in told}):
            for follower in self._followers:
                follower(meter)
        if told:
            for channel in self._channels:
                channel.look()

    def _look_at(self, meter: str) -> bool:
        alerts = self.book.of(meter)
        if not alerts:
            return False
        looked = self._looked(meter)
        changed = False
        for alert in alerts:
            if (daily := self._daily.get(alert.rule.key)) is not None:
                value = daily.see(looked)
                if value is None:
                    continue
            else:
                value = value_of(alert.rule, looked)
            changed |= self.book.see(alert, value, looked.instant)
        return changed

    def _looked(self, meter: str) -> Looked:
        latest = self._hub.latest.get(meter)
        values: dict[str, float] = {}
        sample = latest.samples.get(TableGroup.PRESENT) if latest is not None and self._measures else None
        if sample is not None and self._hub.quality(sample) is Quality.GOOD:
            values = {source.key: source.scaled(value) for source, value in sample.values.items()}
        local = self._clock.now().astimezone(self._zone) if self._clock.known else None
        status = self._with_sure_clock(latest.status) if latest is not None and latest.status is not None else None
        return Looked(status, values, self._clock.monotonic(), local)

    def _with_sure_clock(self, status: MeterStatus) -> MeterStatus:
        """Return a status that says how far the meter's clock is off only if it was read while ours was right.

        A computer without a battery clock starts minutes behind; that is no fault of the meter.
        """
        meter = status.meter
        if not self._clock.sure:
            self._unsure[meter] = status.clock_ahead
        elif meter not in self._unsure or status.clock_ahead != self._unsure[meter]:
            self._unsure.pop(meter, None)
            return status
        return status if status.clock_ahead is None else replace(status, clock_ahead=None)

    # What the meters' own logs tell.

    async def _begin_events(self) -> None:
        """Begin with what comes from now on; numbers begin anew where the log was lost."""
        if self.config.meter_event is None or not self.config.meter_event.enabled:
            # What comes until somebody asks for it is no news then.
            self.book.positions.pop(_EVENTS, None)
            return
        with contextlib.suppress(HistoryError):
            last = await self._event_log.last()
            self.book.positions[_EVENTS] = min(self.book.positions.get(_EVENTS, last), last)

    async def _take_events(self) -> None:
        section = self.config.meter_event
        if section is None or not section.enabled or not self._logged:
            return
        if _EVENTS not in self.book.positions:
            await self._begin_events()
        with contextlib.suppress(HistoryError):  # the status of the history tells why
            news = await self._event_log.news(self.book.positions.get(_EVENTS, 0), _EVENTS_AT_ONCE)
            by_meter: dict[str, list[Happened]] = {}
            for one in news:
                if section.of(one.meter) and _wanted(one, section):
                    by_meter.setdefault(one.meter, []).append(one)
            for meter, entries in by_meter.items():
                times = [one.time for one in entries if one.time is not None]
                names = tuple(dict.fromkeys(_named(one) for one in entries))
                self.book.happened(
                    Telling(What.HAPPENED, Kind.METER_EVENT, meter, since=max(times, default=None), events=names)
                )
            self._logged = len(news) == _EVENTS_AT_ONCE
            if news:
                self.book.positions[_EVENTS] = news[-1].number
                await self._save()

    # What must not be forgotten.

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            self.book.remember(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            _log.error(
                "%s cannot be read (%s): which alerts were told is not known, so those that are raised are told again",
                self._path,
                error,
            )

    async def _save(self) -> None:
        """Write what changed; later, where much was written lately."""
        if self._path is None:
            return
        async with self._saving:
            now = self._clock.monotonic()
            more = _BYTES_A_SECOND * (now - self._allowed_at)
            self._allowed, self._allowed_at = min(self._allowed + more, _BYTES_AT_ONCE), now
            self._unsaved = self._allowed <= 0
            if not self._unsaved:
                await self._write(self._path)

    async def _write(self, path: Path) -> None:
        text = json.dumps(self.book.document(), ensure_ascii=False, indent=0)
        if text == self._saved:
            return
        self._allowed -= len(text)
        try:
            await self._to_the_end(self._offload(write_durably, path, text))
        except OSError as error:
            self._unsaved = True
            if not self._trouble:
                _log.error("cannot write %s (%s): after a restart alerts are told again", path, error.strerror)
            self._trouble = f"cannot write {path}: {error.strerror}; after a restart alerts are told again"
        else:
            self._saved, self._trouble = text, ""

    @staticmethod
    async def _to_the_end(work: Awaitable[None]) -> None:
        """Wait until something is done, also when we are cancelled: two must not write one file."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise


def _wanted(one: Happened, section: MeterEventRule) -> bool:
    if one.kind is HappenedKind.OUTAGE:
        return section.outages
    return not section.events or one.event in section.events


def _named(one: Happened) -> str:
    if one.kind is HappenedKind.OUTAGE:
        return "outage" if one.seconds is None else f"outage {one.seconds}"
    # What only the standard names has a name in each language.
    return one.name if one.name and one.name != STANDARD_NAMES.get(one.event or 0) else f"event {one.event}"
