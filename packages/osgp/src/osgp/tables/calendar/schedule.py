"""Which tariff the meter's calendar sets when: BT54 worked out (MEP guide v1.1 p. 225-229).

All of it is local time, as BT55 shows it. What the guide leaves open is decided so: a season lasts until the next date that
begins one; a date that comes once overrides one that recurs; of a day schedule's ten places those count whose times rise, since an
unused place is zeros (how it looks is not printed, but switches are sorted and the first is at midnight, p. 223-224).

This module does not know what time it is, nor whether the meter follows its calendar just now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

__all__ = ["Switch", "TariffCalendar"]

_SWITCHES = 10
"""Places of a day schedule (p. 228)."""
_FIRST_SEASON, _SEASONS, _OLD_SEASONS = 3, 12, 4
_SPECIALS = {19: 0, 20: 1}
_KINDS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_HORIZON = 367
"""Days after which everything in a calendar has come once."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A tariff that begins."""

    at: datetime
    """In the meter's local time, without a zone."""
    tier: int
    """0-based; the display counts from 1."""


class TariffCalendar:
    """One BT54.

    Args:
        bt54: its fields.
    """

    def __init__(self, bt54: Mapping[str, Any]) -> None:
        recurring = bt54["recurring_dates"]
        self._seasons = bt54["seasons"]
        self._switches = bt54["tier_switches"]
        # The first record's bit says by which rules the table is written (p. 228).
        twelve = bool(recurring and recurring[0]["twelve_seasons"])
        once = bt54["nonrecurring_dates"] if twelve else ()
        self._season_count = min(len(self._seasons), _SEASONS if twelve else _OLD_SEASONS)
        self._once = [(one["date"], one["action"]) for one in once if one["date"] is not None]
        self._recurring = [(one["date"], one["action"]) for one in recurring if one["date"] is not None]
        self._seasons_of: dict[int, Sequence[tuple[date, int]]] = {}
        self._years: dict[int, Mapping[date, Sequence[int]]] = {}
        self.is_known = not any(
            one["date"] is not None and not one["date"].is_known and one["action"] for one in recurring
        )
        """Whether it can be worked out: nothing but self reads and demand resets is scheduled by a period without beginning."""
        self._days: dict[date, Sequence[tuple[time, int]]] = {}

    def season(self, day: date) -> int | None:
        """Return the season of a day, from 0; None where the calendar begins none."""
        for year in (day.year, day.year - 1):
            begins = self._begins(year)
            place = bisect_right(begins, (day, _SEASONS))
            if place:
                return begins[place - 1][1]
        return None

    def special_schedule(self, day: date) -> int | None:
        """Return which of the special schedules, 0 or 1, is for a day; None on all others."""
        return next((_SPECIALS[action] for action in self._actions(day) if action in _SPECIALS), None)

    def switches(self, day: date) -> Sequence[tuple[time, int]]:
        """Return when which tier begins on a day; none where the calendar does not say."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = tuple(self._switches_of(day))
        return found

    def tier(self, at: datetime) -> int | None:
        """Return the tier that the calendar sets for a local time; None where it sets none."""
        begun = [tier for start, tier in self.switches(at.date()) if start <= at.time()]
        return begun[-1] if begun else None

    def next_switch(self, after: datetime) -> Switch | None:
        """Return the next time at which another tier begins; None where none does within a year."""
        return next((one for one in self.all_switches(after) if one.tier != self.tier(after)), None)

    def all_switches(self, after: datetime) -> Iterator[Switch]:
        """Yield what begins after a local time, within a year, also where it is the tier of before."""
        for ahead in range(_HORIZON):
            day = after.date() + timedelta(days=ahead)
            for start, tier in self.switches(day):
                at = datetime.combine(day, start)
                if at > after:
                    yield Switch(at, tier)

    def _switches_of(self, day: date) -> Iterator[tuple[time, int]]:
        season = self.season(day)
        if season is None:
            return
        record, special = self._seasons[season], self.special_schedule(day)
        kind = _KINDS[day.isoweekday() % 7]
        name = f"special_{special}" if special is not None else kind if kind in record else "weekday"
        first = record[name] * _SWITCHES
        before: time | None = None
        for one in self._switches[first : first + _SWITCHES]:
            if one["hour"] >= 24 or one["minute"] >= 60:  # noqa: PLR2004 - of any clock
                return
            start = time(one["hour"], one["minute"])
            if (before is None and start != time()) or (before is not None and start <= before):
                return
            before = start
            yield start, one["tier"]

    def _begins(self, year: int) -> Sequence[tuple[date, int]]:
        """Return which seasons begin in a year, in order; of several on one day the first that is entered counts."""
        found = self._seasons_of.get(year)
        if found is None:
            begun = {
                day: next(
                    (season for action in actions if 0 <= (season := action - _FIRST_SEASON) < self._season_count), None
                )
                for day, actions in self._year(year).items()
            }
            found = self._seasons_of[year] = [(day, season) for day, season in begun.items() if season is not None]
        return found

    def _actions(self, day: date) -> Sequence[int]:
        return self._year(day.year).get(day, ())

    def _year(self, year: int) -> Mapping[date, Sequence[int]]:
        """Return what is done on which days of a year, in order; what is entered for one date comes before what recurs."""
        found = self._years.get(year)
        if found is None:
            dated: dict[date, list[int]] = {}
            for day, action in self._once:
                if day.year == year:
                    dated.setdefault(day, []).append(action)
            for rule, action in self._recurring:
                for day in rule.dates_in(year):
                    dated.setdefault(day, []).append(action)
            found = self._years[year] = dict(sorted(dated.items()))
        return found
