"""How many simulated meters one gateway process polls every 10 s over TCP.

A poll is BT23 and BT28 whole, every digest verified, every reading stored in the history and published on MQTT. The
meters are one more process of this program, the broker is mosquitto, all on this machine; so the other processes
take their share of its cores too, and of two cores the meters need most of one. A step counts as held when at three moments,
a period apart, 99.5 % of all tables of all meters had been read within the period and two seconds, no reply was damaged,
and the broker had confirmed all registers but those of the last seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from table import Row
from town import Town

_STEPS = (1000, 2000, 3000, 4000)
_GOAL = 2000
_PERIOD = 10.0
_SLACK = 2.0
_LOOKS = 3
_TABLES = 2
_ENOUGH = 0.995


def _step(meters: int) -> tuple[bool, str]:
    with Town(meters, present_every=_PERIOD, registers_every=_PERIOD).running() as town:
        end = time.monotonic() + 60 + meters / 20
        while town.metrics().get("nes_meter_up", 0) < meters:
            if time.monotonic() > end:
                return False, f"only {town.metrics().get('nes_meter_up', 0):.0f} of {meters} came online"
            time.sleep(2)
        time.sleep(_PERIOD)
        cpu, start, on_time = town.cpu(), time.monotonic(), 1.0
        for _ in range(_LOOKS):
            time.sleep(_PERIOD)
            ages = town.ages()
            on_time = min(on_time, sum(age <= _PERIOD + _SLACK for age in ages) / (meters * _TABLES))
        used, after = (town.cpu() - cpu) / (time.monotonic() - start), town.metrics()
        held = on_time >= _ENOUGH and not after["nes_link_corrupt_total"] and after["nes_output_waiting"] < meters
        return held, f"{on_time:.1%} on time, {used:.0%} of a core, {town.memory():.0f} MB"


def rows() -> Iterator[Row]:
    """Measure, in steps, until a step does not hold."""
    most = 0
    for meters in _STEPS:
        held, figure = _step(meters)
        yield Row(f"{meters} meters, each polled every 10 s: {'held' if held else 'not held'}", figure)
        if not held:
            break
        most = meters
    yield Row("meters polled every 10 s by one process", f"{most:,}", f"at least {_GOAL:,}", most >= _GOAL)
