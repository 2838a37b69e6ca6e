"""The accounts in the end: what the history and the broker hold, next to what the meters counted and the gateway gave out.

A world ends with kill -9; then the history is opened anew by the product's own code, on a computer whose clock is right.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.history.store import Store
from osgp.sources import SOURCES
from simulation.gateway.meters import WATTS, Meter
from simulation.gateway.watch import Given

if TYPE_CHECKING:
    from simulation.gateway.world import World

__all__ = ["check_accounts", "check_integrity"]

_IMPORT = "active_energy_import"
_LABELS_OFF = 330.0
"""Seconds by which labels may be off where a clock was wrong: five minutes are believed."""
Readings = tuple[list[Given], list[Given]]
"""All that were given out, and those of them that must be in the history."""
_CURVE = 600
DAY = 86400.0


def check_integrity(world: World, when: str) -> None:
    """Check a history that nobody has open."""
    path = world.database
    if world.damaged or not path.exists():
        return
    aside = sorted(file.name for file in world.folder.rglob("*damaged*"))
    if aside:
        world.fail("sound", f"{when}: the history was moved aside as {aside[0]}")
    try:
        base = sqlite3.dbapi2.Connection(str(path))
        try:
            (found,) = base.execute("PRAGMA integrity_check").fetchone()
        finally:
            base.close()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        world.fail("sound", f"{when}: {found[:100]}")


async def check_accounts(world: World, store: Store) -> None:
    """Check the history against the truth, and the broker against both."""
    for name, meter in world.meters.items():
        given = [one for one in world.watch.registers[name] if one.wh is not None]
        sure = [one for one in given if not _within(world.losses, one.at)]
        if not world.damaged:
            if not world.labels_wrong:
                await _hours(world, store, name, meter, (given, sure))
                await _curve(world, store, name)
            await _total(world, store, name, meter, (given, sure))
        _delivered(world, name, sure)


def _within(stretches: list[tuple[float, float]], at: float) -> bool:
    return any(since <= at <= until for since, until in stretches)


async def _hours(world: World, store: Store, name: str, meter: Meter, readings: Readings) -> None:
    start = datetime.fromtimestamp(world.setting.start, UTC)
    end = datetime.fromtimestamp(world.host.true(), UTC)
    off = _LABELS_OFF if world.bad.ever("clock") else 2.0
    for hour in await store.energy(name, Unit.HOUR, start, end):
        booked = hour.values.get(_IMPORT, 0)
        low, high = _bounds(world, meter, readings, hour.start.timestamp(), hour.end.timestamp(), off)
        if not low <= booked <= high:
            world.fail(
                "energy",
                f"{name}: {booked} Wh are booked to the hour from {hour.start:%d %b %H:%M}, {low} to {high} were used in it",
            )


async def _total(world: World, store: Store, name: str, meter: Meter, readings: Readings) -> None:
    """Check the sum of all that is booked anywhere: nothing is lost, nothing counts twice, whatever the clocks said."""
    days: dict[datetime, int] = {}
    for off in world.host.offsets:
        begin = max(world.setting.start + off - DAY, 0.0)
        until = world.host.true() + off + DAY
        for day in await store.energy(
            name, Unit.DAY, datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(until, UTC)
        ):
            days[day.start] = day.values.get(_IMPORT, 0)
    booked = sum(days.values())
    low, high = _bounds(world, meter, readings, float("-inf"), float("inf"), 0.0)
    if not low <= booked <= high:
        world.fail("energy", f"{name}: {booked} Wh are booked in all, {low} to {high} were used", "total")


def _bounds(world: World, meter: Meter, readings: Readings, begin: float, end: float, off: float) -> tuple[int, int]:
    """Return the least and the most Wh that belong to a true hour, by the readings within it and around it."""
    given, sure = readings
    zero = world.setting.start
    inside = [one for one in sure if begin + off <= zero + one.at < end - off]
    since = max((one.at for one in sure if zero + one.at < begin - off), default=float("-inf"))
    until = min((one.at for one in sure if zero + one.at >= end + off), default=float("inf"))
    around = [one for one in given if since <= one.at <= until]
    low = sum(_steps(meter, inside, zero, least=True))
    high = sum(_steps(meter, around, zero, least=False))
    return low - 1, high + 2


def _steps(meter: Meter, readings: list[Given], zero: float, *, least: bool) -> Iterator[int]:
    """Yield what was used between each two readings; across a swap nothing of it is known, so nothing to all."""
    for one, two in pairwise(readings):
        used = int((two.at - one.at) * WATTS / 3600)
        swapped = any(one.at < when - zero <= two.at for when in meter.swaps)
        if swapped:
            yield 0 if least else used + 1
        elif one.wh is not None and two.wh is not None and one.segment == two.segment:
            yield two.wh - one.wh
        else:
            yield 0 if least else used + 1


async def _curve(world: World, store: Store, name: str) -> None:
    start = world.setting.start
    a, b = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(world.host.true(), UTC)
    series = await store.series(
        name, ["active_power_import"], a - timedelta(minutes=10), b + timedelta(minutes=10), 100_000
    )
    step = series.step.total_seconds() if series.step is not None else 0.0
    line = series.lines["active_power_import"]
    points = {
        int((time.timestamp() - start + shift) // _CURVE)
        for time, value in zip(series.times, line.average, strict=True)
        if value is not None
        for shift in (0, step)
    }
    slack = 1 if world.bad.ever("clock") else 0
    counted: dict[int, int] = {}
    for at in world.watch.presents[name]:
        if not _within(world.present_losses, at):
            counted[int(at // _CURVE)] = counted.get(int(at // _CURVE), 0) + 1
    for ten, count in sorted(counted.items()):
        if count >= 3 and not any(ten + near in points for near in range(-slack, slack + 1)):
            world.fail(
                "kept",
                f"{name}: {count} present values of {timedelta(seconds=ten * _CURVE)} to {timedelta(seconds=(ten + 1) * _CURVE)} left no trace in the history",
            )
            return


def _delivered(world: World, name: str, sure: list[Given]) -> None:
    """Check that the broker has had every reading: each by its value, as labels may be told better later."""
    if world.outbox_gone:
        return
    unit = SOURCES[_IMPORT]
    had: dict[float, int] = {}
    for meter, _, value in world.watch.by_seq.values():
        if meter == name and value is not None:
            had[value] = had.get(value, 0) + 1
    missing = [one for one in sure if one.wh is not None and unit.scaled(one.wh) not in had]
    if missing:
        world.fail(
            "lost",
            f"{name}: {len(missing)} readings never came to the broker, first that of {timedelta(seconds=round(missing[0].at))}",
        )
