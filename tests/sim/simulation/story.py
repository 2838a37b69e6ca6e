"""A world that failed: made smaller, and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from simulation.plan import Failure, dump

__all__ = ["smaller", "tell"]


class World(Protocol):
    """What a world tells of itself."""

    setting: Any
    failures: dict[str, Failure]
    story: list[tuple[float, str]]

    @property
    def sentences(self) -> Mapping[str, str]:
        """What has to hold, by the name of the rule."""


_Setting = TypeVar("_Setting")

_LINES = 10


def smaller(setting: _Setting, name: str, again: Callable[[_Setting], World]) -> _Setting:
    """Leave out faults while the same sentence fails."""
    faults = list(setting.faults)  # type: ignore[attr-defined]
    for place in range(len(faults) - 1, -1, -1):
        fewer = replace(setting, faults=tuple(faults[:place] + faults[place + 1 :]))  # type: ignore[type-var]
        if name in again(fewer).failures:
            setting = fewer
            del faults[place]
    return setting


def tell(world: World, name: str) -> str:
    """Return the story of a sentence that failed."""
    failure = world.failures[name]
    out = [
        f"seed {world.setting.seed}: {world.sentences[failure.rule]}",
        f"  BUT {_at(failure.at)}: {failure.text}",
    ]
    before = [(at, text) for at, text in world.story if at <= failure.at and not text.startswith("WRONG")]
    out += [f"    {_at(at)}  {text[:200]}" for at, text in before[-_LINES:]]
    out.append(f"  {dump(world.setting)}")
    return "\n".join(out)


def _at(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
