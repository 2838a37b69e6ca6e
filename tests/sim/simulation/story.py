"""A world that failed: made smaller, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from simulation.sentences import SENTENCES
from simulation.world import Setting, World, dump, run

__all__ = ["smaller", "tell"]

_LINES = 10


def smaller(setting: Setting, name: str, again: Callable[[Setting], World] = run) -> Setting:
    """Leave out faults while the same sentence fails."""
    for place in range(len(setting.faults) - 1, -1, -1):
        fewer = replace(setting, faults=setting.faults[:place] + setting.faults[place + 1 :])
        if name in again(fewer).failures:
            setting = fewer
    return setting


def tell(world: World, name: str) -> str:
    """Return the story of a sentence that failed."""
    failure = world.failures[name]
    out = [
        f"seed {world.setting.seed}: {SENTENCES[failure.rule]}",
        f"  BUT {_at(failure.at)}: {failure.text}",
    ]
    before = [(at, text) for at, text in world.story if at <= failure.at and not text.startswith("WRONG")]
    out += [f"    {_at(at)}  {text[:200]}" for at, text in before[-_LINES:]]
    out.append(f"  {dump(world.setting)}")
    return "\n".join(out)


def _at(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
