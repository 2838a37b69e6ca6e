"""The two sorts of worlds, and which of their faults are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import simulation.gateway.faults
import simulation.gateway.known_failures
import simulation.gateway.world
import simulation.printing.faults
import simulation.printing.known_failures
import simulation.printing.world
from simulation.plan import Kind

__all__ = ["SORTS", "Sort", "wanted"]


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of worlds.

    Attributes:
        name: what it is called on the command line.
        kinds: what can go wrong in it.
        draw: returns the setting of a seed.
        run: lives through a setting.
        known: tells whether a failure is known: by the kinds that happened, its name, its rule.
    """

    name: str
    kinds: Mapping[str, Kind]
    draw: Callable[[int, list[str]], Any]
    run: Callable[..., Any]
    known: Callable[[set[str], str, str], bool]


def _known_in_gateway(happened: set[str], name: str, rule: str) -> bool:
    del name
    return simulation.gateway.known_failures.known(happened, rule)


def _known_in_printing(happened: set[str], name: str, rule: str) -> bool:
    del rule
    return simulation.printing.known_failures.known(happened, name)


SORTS = (
    Sort(
        "gateway",
        simulation.gateway.faults.KINDS,
        simulation.gateway.world.Setting.draw,
        simulation.gateway.world.run,
        _known_in_gateway,
    ),
    Sort(
        "print",
        simulation.printing.faults.KINDS,
        simulation.printing.world.Setting.draw,
        simulation.printing.world.run,
        _known_in_printing,
    ),
)


def wanted(text: str, sorts: Sequence[Sort] = SORTS) -> list[tuple[Sort, list[str]]]:
    """Return sorts of worlds, each with the kinds of faults that shall happen in it.

    Args:
        text: names of sorts, letters of classes, names of kinds, with commas or blanks between; "" is everything.
        sorts: to choose from.

    Raises:
        ValueError: a word is none of these.
    """
    words = text.replace(",", " ").split()
    chosen, used = [], set[str]()
    for sort in sorts:
        groups = {kind.group for kind in sort.kinds.values()}
        used |= {word for word in words if word == sort.name or word in groups or word in sort.kinds}
        kinds = [
            name
            for name, kind in sort.kinds.items()
            if not words or sort.name in words or kind.group in words or name in words
        ]
        if kinds:
            chosen.append((sort, kinds))
    if unknown := [word for word in words if word not in used]:
        known = "; ".join(f"{sort.name}: {', '.join(sort.kinds)}" for sort in sorts)
        raise ValueError(f"nothing is called {', '.join(unknown)}; there are the classes a to j, {known}")
    return chosen
