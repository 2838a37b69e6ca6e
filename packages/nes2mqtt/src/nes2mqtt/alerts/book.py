"""Which alerts are raised, what is told of them and when; all of it can be written down, so that a restart repeats and forgets nothing.

What may not be told now, in quiet hours, is told once when they are over: what is raised then, what ended meanwhile, and what came and
went. Of one alert people are told in turn that it is raised and that it is cleared, never twice the same.

This module does not know clocks, files nor who is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from nes2mqtt.alerts.kinds import UNITS, Kind
from nes2mqtt.alerts.rule import Change, Rule, Watch
from nes2mqtt.alerts.telling import Telling, What, moment_of, number_of

__all__ = ["KEPT", "Alert", "AlertBook"]

KEPT = 200
"""Tellings that are kept; of many meters more, so that all of them can fall silent at once."""
_MOST_KEPT = 5000

Label = Callable[[float], datetime | None]
"""Gives the time of day of a moment of the monotonic clock; None while it is not known."""


@dataclass(slots=True)
class Alert:
    """One rule and how it is.

    Args:
        rule: of it.
        watch: its state.
        told: whether people were told last that it is raised.
        passed: how often it came and went since, without a word.
        since: when it began the last time it was raised (UTC, aware).
        until: when it ended; None while it is raised.
        value: that was seen last; of a raised one also after a restart.
        began: the moment of :attr:`since` by the monotonic clock; None if that was before this program started.
        ended: likewise of :attr:`until`.
    """

    rule: Rule
    watch: Watch = field(default_factory=Watch)
    told: bool = False
    passed: int = 0
    since: datetime | None = None
    until: datetime | None = None
    value: float | None = None
    began: float | None = None
    ended: float | None = None

    @property
    def raised(self) -> bool:
        """Tell whether it is raised."""
        return self.watch.raised

    @property
    def unknown(self) -> bool:
        """Tell whether that is so now cannot be told."""
        return self.watch.unknown

    def take(self, change: Change, instant: float) -> None:
        """Take note of a change."""
        if change.raised:
            self.since, self.until = None, None
            self.began, self.ended = change.since, None
        else:
            self.ended = instant
            self.passed += not self.told

    def date(self, label: Label) -> bool:
        """Give its moments the time of day; return whether none is left without."""
        if self.since is None and self.began is not None:
            self.since = label(self.began)
        if self.until is None and self.ended is not None:
            self.until = label(self.ended)
        return (self.since is not None or self.began is None) and (self.until is not None or self.ended is None)

    @property
    def untold(self) -> bool:
        """Tell whether there is something to tell."""
        return self.raised != self.told or (self.passed > 0 and not self.raised)

    def telling(self) -> Telling | None:
        """Return what people have to be told, and count it as told."""
        passed, self.passed = self.passed, 0
        if self.raised != self.told:
            self.told = self.raised
            return self.telling_of(What.RAISED if self.raised else What.CLEARED)
        if passed and not self.raised:
            return self.telling_of(What.PASSED, passed)
        return None

    def telling_of(self, what: What, times: int = 1) -> Telling:
        """Return what there is to say of it."""
        rule = self.rule
        measured = rule.kind in UNITS
        return Telling(
            what,
            rule.kind,
            rule.meter,
            rule.phase,
            self.value if measured else None,
            rule.limit if measured else None,
            rule.fuse,
            self.since,
            self.until,
            times,
        )

    def document(self) -> dict[str, Any] | None:
        """Return what has to be remembered of it; None if that is nothing."""
        if not (self.raised or self.told or self.passed):
            return None
        return {
            "raised": self.raised,
            "told": self.told,
            "passed": self.passed,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "value": self.value,
        }

    def remember(self, document: Mapping[str, Any]) -> None:
        """Take what was remembered. Whether it is still so is not known.

        Raises:
            ValueError, KeyError, TypeError: it is damaged.
        """
        since, until = (moment_of(document[key]) for key in _TIMES)
        value = number_of(document["value"])
        told, passed = bool(document["told"]), int(document["passed"])
        self.value = value
        self.watch = Watch(raised=bool(document["raised"]))
        self.told, self.passed, self.since, self.until = told, passed, since, until


_TIMES = ("since", "until")


class AlertBook:
    """All alerts.

    Args:
        rules: of the configuration.
        urgent: kinds that are told in quiet hours, too.
    """

    def __init__(self, rules: Iterable[Rule], urgent: Collection[Kind] = ()) -> None:
        self._alerts = {rule.key: Alert(rule) for rule in rules}
        self._by_meter: dict[str, list[Alert]] = {}
        for alert in self._alerts.values():
            self._by_meter.setdefault(alert.rule.meter, []).append(alert)
        self._urgent = frozenset(urgent)
        self._open: dict[str, Alert] = {}
        """Those of which there is something to tell, or to date."""
        self._held: list[Telling] = []
        """What happened and may not be told yet."""
        self._tellings: deque[Telling] = deque(maxlen=min(max(KEPT, len(self._alerts)), _MOST_KEPT))
        self.changes = 0
        """Only grows, whenever something changed that has to be remembered. Values that move are no such thing."""
        self.number = 0
        """Of the last telling."""
        self.positions: dict[str, int] = {}
        """How far each channel has brought what was told, and how far the meters' logs were looked at."""

    def of(self, meter: str) -> Sequence[Alert]:
        """Return the alerts of a meter."""
        return self._by_meter.get(meter, ())

    @property
    def alerts(self) -> Iterator[Alert]:
        """Yield all alerts."""
        yield from self._alerts.values()

    @property
    def tellings(self) -> Sequence[Telling]:
        """Return what was told, the oldest first."""
        return tuple(self._tellings)

    @property
    def held(self) -> int:
        """Return how much waits for the end of the quiet hours."""
        return len(self._held) + sum(1 for one in self._open.values() if one.untold)

    def see(self, alert: Alert, value: float | None, instant: float) -> bool:
        """Take the value that an alert is about; return whether anything changed that others may see."""
        before = alert.unknown
        change = alert.watch.see(alert.rule, value, instant)
        if value is not None:
            alert.value = value
        if change is not None:
            self.changes += 1
            alert.take(change, instant)
            self._open[alert.rule.key] = alert
        return change is not None or before != alert.unknown

    def happened(self, telling: Telling) -> None:
        """Take what happened and is over at once. What waits of the same meter becomes one with it."""
        self.changes += 1
        for index, one in enumerate(self._held):
            if (one.what, one.kind, one.meter) == (telling.what, telling.kind, telling.meter):
                events = tuple(dict.fromkeys((*one.events, *telling.events)))
                since = max((each.since for each in (one, telling) if each.since is not None), default=None)
                self._held[index] = replace(one, events=events, since=since)
                return
        self._held.append(telling)

    def settle(self, label: Label, now: datetime | None, *, quiet: bool, instant: float | None = None) -> list[Telling]:
        """Return what is to be told now, numbered.

        Args:
            label: gives moments the time of day.
            now: None while it is not known.
            quiet: only what is urgent is told.
            instant: now, by the monotonic clock.
        """
        told: list[Telling] = []
        for key, alert in tuple(self._open.items()):
            before = alert.since, alert.until
            dated = alert.date(label)
            self.changes += before != (alert.since, alert.until)
            if quiet and alert.rule.kind not in self._urgent:
                continue
            if (telling := alert.telling()) is not None:
                told.append(telling)
            if dated:
                del self._open[key]
        held, self._held = self._held, []
        for one in held:
            (self._held if quiet and one.kind not in self._urgent else told).append(one)
        return [self._numbered(one, now, instant) for one in told]

    def _numbered(self, telling: Telling, now: datetime | None, instant: float | None) -> Telling:
        self.changes += 1
        self.number += 1
        numbered = replace(telling, number=self.number, time=now, instant=instant)
        self._tellings.append(numbered)
        return numbered

    def after(self, number: int, limit: int) -> list[Telling]:
        """Return tellings with higher numbers, in their order."""
        return [one for one in self._tellings if one.number > number][:limit]

    def document(self) -> dict[str, Any]:
        """Return all that has to be remembered."""
        alerts = {key: one for key, alert in self._alerts.items() if (one := alert.document()) is not None}
        return {
            "number": self.number,
            "alerts": alerts,
            "held": [one.document() for one in self._held],
            "tellings": [one.document() for one in self._tellings],
            "positions": dict(self.positions),
        }

    def remember(self, document: Mapping[str, Any]) -> None:
        """Take what was remembered; alerts that left the configuration are forgotten.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is damaged; part of it may have been taken.
        """
        self.number = int(document["number"])
        self.positions = {str(name): int(number) for name, number in document["positions"].items()}
        self._held = [Telling.of(one) for one in document["held"]]
        self._tellings = deque((Telling.of(one) for one in document["tellings"]), maxlen=self._tellings.maxlen)
        for key, one in document["alerts"].items():
            if key in self._alerts:
                self._alerts[key].remember(one)
                self._open[key] = self._alerts[key]
