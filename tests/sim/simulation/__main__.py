# ruff: noqa: T201 - a command talks
"""``python -m simulation``: run worlds for some time, then power cuts of the databases alone; tell what fails."""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter

from simulation.cuts import cut_history, cut_journal
from simulation.disk import available
from simulation.gateway.known_failures import KNOWN_CUTS
from simulation.plan import dump
from simulation.sorts import wanted
from simulation.story import smaller, tell

_SOUND = ("none", "all", "prefix", "torn", "page", "sector")
_AT_ONCE = 100
"""Cuts of one seed."""


def main() -> int:
    """Run; return 1 when a sentence failed that is not known to."""
    asked = _parser().parse_args()
    if not available():
        print("Python's sqlite3 is not linked to libsqlite3.so.0 here: there is no disk to cut")
        return 2
    if asked.seed is not None:
        return _one(asked)
    if asked.worker is None:
        return _all(asked)
    for name in ("nes2mqtt", "piprint"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    found = _worlds(asked)
    _cuts(asked, found)
    print(json.dumps(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description="Run worlds, tell those that fail.")
    parser.add_argument("--seconds", type=float, default=600.0, help="for how long")
    parser.add_argument("--seed", type=int, help="this world only")
    parser.add_argument("--first", type=int, help="the first seed; default: another one each time")
    parser.add_argument("--step", type=int, default=1, help="from one seed to the next")
    parser.add_argument(
        "--kinds", default="", help="gateway or print, classes a to j, kinds of faults; all where left out"
    )
    parser.add_argument("--cuts", type=int, default=2000, help="power cuts of each database afterwards")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--log", type=argparse.FileType("w"), help="where to write all that happens; with --seed")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    return parser


def _one(asked: argparse.Namespace) -> int:
    failed = False
    for sort, kinds in wanted(asked.kinds):
        begun = time.process_time()
        world = sort.run(sort.draw(asked.seed, kinds), log=asked.log)
        print(f"{sort.name}: {dump(world.setting)}")
        print(
            f"{world.loop.now / 3600:.1f} hours in {time.process_time() - begun:.1f} CPU s: {world.what_happened()}, "
            f"{world.lines_noted} events, {world.digest.hexdigest()[:16]}"
        )
        for name in world.failures:
            print(tell(world, name))
        failed = failed or bool(world.failures)
    return failed


def _all(asked: argparse.Namespace) -> int:
    """Run a worker on each core, and add up what they found."""
    wanted(asked.kinds)
    first = int(time.time()) if asked.first is None else asked.first
    begun = time.monotonic()
    workers = []
    for core in range(asked.cores):
        more = [
            "--first",
            str(first + core * asked.step),
            "--step",
            str(asked.step * asked.cores),
            "--kinds",
            asked.kinds,
        ]
        more += ["--seconds", str(asked.seconds), "--cuts", str(-(-asked.cuts // asked.cores)), "--worker", str(core)]
        workers.append(subprocess.Popen([sys.executable, "-m", "simulation", *more], stdout=subprocess.PIPE, text=True))
    days, worlds, cpu, failed, broken = 0.0, Counter[str](), 0.0, Counter[str](), False
    for worker in workers:
        told, _ = worker.communicate()
        stories, _, last = told.rstrip("\n").rpartition("\n")
        print(stories, end="\n" if stories else "", flush=True)
        try:
            found = json.loads(last)
        except ValueError:
            print(last)
            broken = True
            continue
        days, cpu = days + found["days"], cpu + found["cpu"]
        worlds.update(found["worlds"])
        failed.update(found["failed"])
    spent = min(asked.seconds, time.monotonic() - begun)
    print(
        f"{' and '.join(f'{count} {name} worlds' for name, count in worlds.items())}, {days:.0f} simulated days in {spent:.0f} s on {asked.cores} cores "
        f"({days / spent * 3600:.0f} an hour; {days / max(cpu, 1) * 3600:.0f} in an hour of one core's whole time), "
        f"then {asked.cuts} power cuts of each database. "
        + (
            f"Failed: {', '.join(f'{name} ({count})' for name, count in failed.items())}"
            if failed
            else "All sentences held."
        )
    )
    return bool(failed) or broken


def _worlds(asked: argparse.Namespace) -> dict[str, object]:
    sorts, begun, worked = wanted(asked.kinds), time.monotonic(), time.process_time()
    days, worlds, failed = 0.0, Counter[str](), Counter[str]()
    seed = asked.first
    while time.monotonic() - begun < asked.seconds:
        for sort, kinds in sorts:
            setting = sort.draw(seed, kinds)
            world = sort.run(setting)
            days += world.loop.now / 86400
            worlds[sort.name] += 1
            happened = {fault.kind for fault in setting.faults}
            for name, failure in world.failures.items():
                if sort.known(happened, name, failure.rule):
                    continue
                failed[f"{sort.name} {name}"] += 1
                if failed[f"{sort.name} {name}"] == 1:
                    small = smaller(setting, name, sort.run)
                    again = sort.run(small)
                    print(
                        f"\n{sort.name} {name}: {len(small.faults)} of {len(setting.faults)} faults needed (seed {seed})"
                    )
                    print(
                        tell(again, name) if name in again.failures else "NOT REPEATABLE: the simulation leaks",
                        flush=True,
                    )
        seed += asked.step
    return {"days": days, "worlds": worlds, "failed": failed, "cpu": time.process_time() - worked}


def _cuts(asked: argparse.Namespace, found: dict[str, object]) -> None:
    failed = found["failed"]
    assert isinstance(failed, Counter)
    for done in range(0, asked.cuts, _AT_ONCE):
        seed, cuts = asked.first + done, min(_AT_ONCE, asked.cuts - done)
        for name, cut in (("history", cut_history), ("journal", cut_journal)):
            for way in (_SOUND, ("broken",)):
                report = cut(seed, -(-cuts // 2), way)
                kind = "broken" if way == ("broken",) else "sound"
                for wrong, count in report.wrong.items():
                    if KNOWN_CUTS.get((name, kind)) != wrong:
                        failed[f"{name} {kind}: {wrong}"] += count
                        print(
                            f"\npower cuts of the {name}, seed {seed}, {kind} drive: {wrong} ({count} of {report.cuts})",
                            flush=True,
                        )


if __name__ == "__main__":
    sys.exit(main())
