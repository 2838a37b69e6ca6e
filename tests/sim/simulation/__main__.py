# ruff: noqa: T201 - a command talks
"""``python -m simulation``: run worlds for some time, tell those that fail."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from simulation.faults import chosen
from simulation.story import smaller, tell
from simulation.world import Setting, run


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="simulate", description="Run worlds, tell those that fail.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--seed", type=int, help="this one only, with all it says")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--last", type=int, default=10**9)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--kinds", default="", help="kinds of faults, and classes a to e; all where left out")
    parser.add_argument("--log", type=argparse.FileType("w"))
    asked = parser.parse_args()
    kinds = chosen(asked.kinds)
    if asked.seed is not None:
        begun = time.process_time()
        world = run(Setting.draw(asked.seed, kinds), log=asked.log)
        print(f"{world.setting.faults}")
        print(
            f"{time.process_time() - begun:.1f} CPU s, {world.loop.rounds} rounds, {world.lines_noted} events, {world.broker.messages} messages, {world.disk.writes} writes, {world.host.life} lives, {world.digest.hexdigest()[:16]}"
        )
        for name in world.failures:
            print(tell(world, name))
        return bool(world.failures)
    begun, days, worlds, failed, first = time.monotonic(), 0.0, 0, Counter(), {}
    seed = asked.first
    while time.monotonic() - begun < asked.seconds and seed <= asked.last:
        setting = Setting.draw(seed, kinds)
        world = run(setting)
        days += world.loop.now / 86400
        worlds += 1
        for name in world.failures:
            failed[name] += 1
            if name not in first:
                first[name] = seed
                small = smaller(setting, name)
                again = run(small)
                print(f"\n{name}: {len(small.faults)} of {len(setting.faults)} faults needed")
                print(
                    tell(again, name) if name in again.failures else "  NOT REPEATABLE: the simulation leaks",
                    flush=True,
                )
        seed += asked.step
    spent = time.monotonic() - begun
    print(
        f"\n{worlds} worlds, {days:.1f} days in {spent:.0f} s ({days / spent * 3600:.0f} days an hour); failed: {dict(failed)}; first: {first}"
    )
    return bool(failed)


sys.exit(main())
