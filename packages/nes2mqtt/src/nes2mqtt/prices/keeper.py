"""The task that keeps the prices of some areas up to date, for as long as the gateway runs.

It asks by :mod:`~nes2mqtt.prices.schedule`, keeps what came in the store and tells when something is wrong or right again,
once. Areas take turns, and one whose prices do not come keeps none of the others waiting. Nothing else of the gateway waits for it: without prices costs are pending, and everything else goes on.

This module does not know what prices are used for.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from nes2mqtt.prices.fetch import Answer, NoAnswer, fetch
from nes2mqtt.prices.schedule import (
    LEAST_WAIT,
    MARKET,
    Question,
    complete_days,
    days_of,
    failure_wait,
    last_week,
    next_question,
    quiet_wait,
)
from nes2mqtt.prices.sources.price_file import read_price_file
from nes2mqtt.prices.sources.source import PriceSource, Request
from nes2mqtt.prices.spot_price import PriceError, SpotPrice
from nes2mqtt.prices.store import PriceStore
from nes2mqtt.timing.clock import Clock

__all__ = ["PriceKeeper", "Wanted", "wanted_by"]

_log = logging.getLogger(__name__)

_FILE_EVERY = 60.0
_LONG = 6 * 3600.0
"""Seconds without whole prices of today until it is told."""
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading an answer may raise that nobody thought of."""
_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_UNKNOWN_TIME = 60.0
"""Seconds until the clock is asked again whether it knows the day."""

_ANOTHER_FIRST = 1.5
"""How much longer a question rests than its area after a failure."""

Fetch = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Prices that contracts need.

    Args:
        since: first day.
        currency: of the contracts.
    """

    since: date
    currency: str


def wanted_by(needs: Iterable[tuple[str, date, str]]) -> dict[str, Wanted]:
    """Return what is wanted of each area.

    Args:
        needs: of each contract its area, first day and currency; contracts of one area have one currency. Prices are wanted
            from the first of that month, for the mean of the month, and of the day before, for zones east of the market's.
    """
    found: dict[str, Wanted] = {}
    for area, since, currency in needs:
        first = since.replace(day=1) - timedelta(days=1) if since > _FIRST.date() else _FIRST.date()
        known = found.get(area)
        found[area] = Wanted(first if known is None else min(known.since, first), currency)
    return found


@dataclass(frozen=True, slots=True)
class _Pause:
    """Why and until when a question rests; moments are of the event loop's clock.

    Args:
        until: it can be asked again.
        failures: in a row.
        trouble: what is wrong, for people; empty if the answer was "not yet".
    """

    until: float
    failures: int = 0
    trouble: str = ""


@dataclass(slots=True)
class _Area:
    """How far the prices of an area have come."""

    wanted: Wanted
    complete: set[date] = field(default_factory=set)
    given_up: set[date] = field(default_factory=set)
    """Days gone by of which the source had nothing more."""
    day: date | None = None
    """The market day of the last look."""
    again: Question | None = None
    """Days that are there and are asked for once more."""
    pauses: dict[Question, _Pause] = field(default_factory=dict)
    failures: int = 0
    rests_until: float = 0.0
    lacks_today_since: float | None = None

    def look(self, today: date) -> None:
        """Ask once a day again for days of the last week: corrections and exchange rates come late."""
        if today in self.complete:
            self.lacks_today_since = None
        if today == self.day:
            return
        week = last_week(today, self.wanted.since)
        self.given_up -= set() if week is None else days_of(week)
        # At the start of the gateway everything was read just now or is asked for anyway.
        self.again = None if self.day is None else week
        self.day = today

    def next(self, now: datetime, moment: float) -> Question | None:
        """Return what to ask for."""
        if moment < self.rests_until:
            return None
        resting = {day for question, pause in self.pauses.items() if moment < pause.until for day in days_of(question)}
        question = next_question(now, self.wanted.since, self.complete, self.given_up, resting)
        if question is None and self.again is not None and not days_of(self.again) & resting:
            return self.again
        return question

    def pause(self, question: Question, until: float) -> None:
        """Let a question rest that had no whole answer yet."""
        self.answered(question)
        self.pauses[question] = _Pause(until)

    def failed(self, question: Question, moment: float, wait: float, chance: float, trouble: str) -> None:
        """Let the area rest, and the question for longer, so that another one has its turn."""
        before = [self.pauses.pop(other) for other in list(self.pauses) if days_of(other) & days_of(question)]
        failures = 1 + max((pause.failures for pause in before), default=0)
        rest = _ANOTHER_FIRST * max(wait, failure_wait(failures, None, chance))
        self.rests_until = moment + wait
        self.pauses[question] = _Pause(moment + rest, failures, trouble)

    def answered(self, question: Question) -> None:
        """Forget what was wrong with these days."""
        self.failures = 0
        for other in list(self.pauses):
            if days_of(other) & days_of(question):
                del self.pauses[other]


class PriceKeeper:
    """Keeps prices up to date.

    Args:
        store: where they are kept.
        wanted: by area.
        clock: of the gateway.
        source: the service to ask; None: the file.
        file: of prices, if there is no service.
        chance: gives numbers from 0 to 1.
        get: sends a request; None: over the network.
        offload: runs what blocks, in a thread.
    """

    def __init__(
        self,
        store: PriceStore,
        wanted: Mapping[str, Wanted],
        clock: Clock,
        source: PriceSource | None,
        *,
        chance: Callable[[], float],
        file: Path | None = None,
        get: Fetch | None = None,
        offload: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    ) -> None:
        self._store = store
        self._areas = {area: _Area(needs) for area, needs in wanted.items()}
        self._clock = clock
        self._source = source
        self._file = file
        self._chance = chance
        self._get = get or partial(fetch, monotonic=clock.monotonic)
        self._offload = offload
        self._rests_until = 0.0
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Return what is wrong, in a sentence; empty if nothing is."""
        return self._trouble

    async def run(self) -> None:
        """Keep prices up to date until cancelled."""
        if self._source is None:
            await self._follow_file()
            return
        await self._offload(self._look_back)
        while True:
            wait = await self._one_round(self._source)
            await asyncio.sleep(wait)

    async def _one_round(self, source: PriceSource) -> float:
        """Ask for what is missing most in the area whose turn it is, and return the seconds until the next round."""
        if not self._clock.known:
            return _UNKNOWN_TIME
        now, moment = self._clock.now(), asyncio.get_running_loop().time()
        if moment < self._rests_until:
            return max(LEAST_WAIT, self._rests_until - moment)
        for area, state in self._areas.items():
            state.look(now.astimezone(MARKET).date())
            question = state.next(now, moment)
            if question is not None:
                self._areas[area] = self._areas.pop(area)  # the last of the next round
                await self._ask(source, area, state, question, now)
                self._tell_of_areas(source)
                return LEAST_WAIT
        self._tell_of_areas(source)
        return max(LEAST_WAIT, min(quiet_wait(now, self._chance()), self._next_end(moment) - moment))

    def _next_end(self, moment: float) -> float:
        """Return when the next rest ends."""
        ends = [pause.until for state in self._areas.values() for pause in state.pauses.values()]
        ends += [state.rests_until for state in self._areas.values()]
        return min((end for end in ends if end > moment), default=float("inf"))

    async def _ask(self, source: PriceSource, area: str, state: _Area, question: Question, now: datetime) -> None:
        request = source.request(area, question.first, question.after)
        asked = Question(question.first, request.after)
        moment = asyncio.get_running_loop().time()
        today = now.astimezone(MARKET).date()
        if question.first == today and state.lacks_today_since is None:
            state.lacks_today_since = moment
        try:
            came = complete_days(await self._fetched(source, area, request, now))
        except NoAnswer as error:
            state.failures += 1
            wait = failure_wait(state.failures, error.retry_after, self._chance())
            state.failed(asked, moment, wait, self._chance(), str(error))
            if error.retry_after is not None:
                self._rests_until = moment + wait
            return
        state.answered(asked)
        state.complete |= came
        if question == state.again:
            state.again = None
        elif question.first < today:
            state.given_up |= days_of(asked) - came
        elif not came:
            state.pause(asked, moment + quiet_wait(now, self._chance()))

    async def _fetched(self, source: PriceSource, area: str, request: Request, now: datetime) -> list[SpotPrice]:
        """Return the prices that a service answers, when they are kept.

        Raises:
            NoAnswer: there are none to use.
        """
        answer = await self._offload(self._get, request)
        try:
            prices = source.read(answer.body, area) if answer.body else []
            await self._offload(self._store.keep, area, prices, source.name, now)
        except PriceError as error:
            raise NoAnswer(str(error)) from error
        except sqlite3.Error as error:
            raise NoAnswer(f"prices cannot be kept in {self._store.path}: {error}") from error
        except _UNREADABLE as error:
            raise NoAnswer(
                f"{source.name} answered with something that cannot be read; nothing was taken from it"
            ) from error
        return prices

    def _tell_of_areas(self, source: PriceSource) -> None:
        """Tell what is wrong in all areas now, each thing once."""
        moment = asyncio.get_running_loop().time()
        troubles = []
        for area, state in self._areas.items():
            wrong = [pause.trouble for pause in state.pauses.values() if pause.trouble]
            troubles += wrong
            if not wrong and state.lacks_today_since is not None and moment - state.lacks_today_since >= _LONG:
                troubles.append(
                    f"{source.name} has had no whole prices of today for {area} for hours; check that it has this area"
                )
        self._tell("; ".join(sorted(set(troubles))))

    def _look_back(self) -> None:
        """Find out which days are kept already."""
        for area, state in self._areas.items():
            try:
                kept = self._store.prices(area, state.wanted.currency, _FIRST, _LAST)
            except sqlite3.Error as error:
                self._tell(f"the kept prices in {self._store.path} cannot be read: {error}")
                continue
            state.complete |= complete_days(kept)

    async def _follow_file(self) -> None:
        """Read the file of prices whenever it changed."""
        seen: object = self  # no stamp: a file that is not there is told, too
        while True:
            stamp = await self._offload(self._stamp)
            if stamp != seen and self._clock.known:
                taken = await self._offload(self._read_file)
                seen = stamp if taken else self
            await asyncio.sleep(_FILE_EVERY)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._file.stat() if self._file is not None else None
        except OSError:
            return None
        return None if status is None else (status.st_mtime_ns, status.st_size)

    def _read_file(self) -> bool:
        """Take what is in the file; False if that is to be tried again though the file stays the same."""
        if self._file is None:
            return True
        lacking = []
        try:
            text = self._file.read_text(encoding="utf-8")
            found = read_price_file(text, {area: state.wanted.currency for area, state in self._areas.items()})
            for area, prices in found.items():
                self._store.keep(area, prices, "file", self._clock.now())
            lacking = [area for area, prices in found.items() if not prices]
        except (OSError, UnicodeDecodeError) as error:
            self._tell(f"the file of prices {self._file} cannot be read: {error}")
        except PriceError as error:
            self._tell(f"the file of prices {self._file} was not taken: {error}")
        except sqlite3.Error as error:
            self._tell(f"prices cannot be kept in {self._store.path}: {error}")
            return False
        else:
            self._tell(f"the file of prices {self._file} has none of {', '.join(lacking)}" if lacking else "")
        return True

    def _tell(self, trouble: str) -> None:
        if trouble == self._trouble:
            return
        if trouble:
            _log.warning("spot prices: %s. Costs wait for them; asked again later", trouble)
        elif self._trouble:
            _log.info("spot prices: they come again")
        self._trouble = trouble
