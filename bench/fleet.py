"""How many simulated meters one gateway process polls every 10 s over TCP.

A poll is BT23 and BT28 whole, every digest verified, every reading stored in the history and published on MQTT. The
meters are one more process of this program, the broker is mosquitto, all on this machine; so the other processes
take their share of its cores too, and of two cores the meters need most of one. A step counts as held when at three moments,
a period apart, 99.5 % of all tables of all meters had been read within the period and two seconds, no reply was damaged, no live
value was given up meanwhile, and the broker had confirmed all registers but those of the last seconds. Steps go on until one
does not hold. The broker takes 1,000 unconfirmed messages at once: with the 20 that mosquitto takes by default it was what ended first,
with 6,000 meters. What is not in it: a subscriber, TLS, an open page, and the start, which takes minutes of more load.

A reply in one piece is cheaper than one that comes at the pace of a line, so the cost of a poll is also told for lines of 9600 baud.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from table import Row
from town import Town, most_meters

_STEP = 1000
_GOAL = 6000
_PERIOD = 10.0
_SLACK = 2.0
_LOOKS = 3
_TABLES = 2
_REPLIES = 4
"""To a poll: each table, and behind it the byte that confirms how it is laid out (:mod:`osgp.meter.layout`)."""
_ENOUGH = 0.995
_COMPARED = 500
"""Meters at which lines of 9600 baud are compared: the simulator has to pace each of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one number of meters came to."""

    held: bool
    figure: str
    per_poll: float = 0.0
    """CPU microseconds of the gateway."""
    per_start: float = 0.0
    """CPU milliseconds of the gateway until all meters were online, for each of them."""


def _step(meters: int, baud: int = 0) -> Step:
    with Town(meters, present_every=_PERIOD, registers_every=_PERIOD, baud=baud).running() as town:
        end = time.monotonic() + 60 + meters / 20
        while town.metrics().get("nes_meter_up", 0) < meters:
            if time.monotonic() > end:
                return Step(False, f"only {town.metrics().get('nes_meter_up', 0):.0f} of {meters} came online")
            time.sleep(2)
        per_start = town.cpu() / meters * 1e3
        time.sleep(_PERIOD)
        before, cpu, start, on_time = town.metrics(), town.cpu(), time.monotonic(), 1.0
        for _ in range(_LOOKS):
            time.sleep(_PERIOD)
            ages = town.ages()
            on_time = min(on_time, sum(age <= _PERIOD + _SLACK for age in ages) / (meters * _TABLES))
        spent, seconds, after = town.cpu() - cpu, time.monotonic() - start, town.metrics()
        dropped = after["nes_output_dropped_total"] - before["nes_output_dropped_total"]
        polls = (after["nes_link_replies_total"] - before["nes_link_replies_total"]) / _REPLIES
        held = (
            on_time >= _ENOUGH
            and not after["nes_link_corrupt_total"]
            and not dropped
            and after["nes_output_waiting"] < meters
        )
        figure = f"{on_time:.1%} on time, {spent / seconds:.0%} of a core, {town.memory():.0f} MB"
        if dropped:
            figure += f", {dropped:.0f} live values given up"
        return Step(held, figure, spent / polls * 1e6 if polls else 0.0, per_start)


def rows() -> Iterator[Row]:
    """Measure, in steps, until a step does not hold."""
    fast, paced = _step(_COMPARED), _step(_COMPARED, baud=9600)
    yield Row(f"CPU of a poll, {_COMPARED} meters on fast lines", f"{fast.per_poll:,.0f} us")
    yield Row("  on lines of 9600 baud", f"{paced.per_poll:,.0f} us")
    most = 0
    for meters in range(_STEP, most_meters() + 1, _STEP):
        step = _step(meters)
        yield Row(f"{meters} meters, each polled every 10 s: {'held' if step.held else 'not held'}", step.figure)
        if step.per_poll:
            yield Row("  CPU of a poll; of the start of a meter", f"{step.per_poll:,.0f} us; {step.per_start:.0f} ms")
        if not step.held:
            break
        most = meters
    yield Row("meters polled every 10 s by one process", f"{most:,}", f"at least {_GOAL:,}", most >= _GOAL)
