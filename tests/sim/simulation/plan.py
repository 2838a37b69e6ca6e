"""What goes wrong in a world, as a list that can be written down, made smaller and run again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from typing import Any

__all__ = [
    "DAY",
    "FOR_EVER",
    "HOUR",
    "Failure",
    "Fault",
    "Kind",
    "Much",
    "dump",
    "duration",
    "one_of",
    "step",
]

HOUR, DAY = 3600.0, 86400.0
FOR_EVER = 1e9

Much = float | int | str


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Args:
        at: seconds after the world's begin.
        kind: a key of the world's table of kinds.
        span: seconds it lasts, where it lasts.
        much: how much, by kind; as text where it is a name.
    """

    at: float
    kind: str
    span: float = 0.0
    much: Much = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    group: str
    words: str
    """With ``{much}``, ``{span}`` filled in."""
    much: Callable[[random.Random], Much] = lambda rng: 0
    spans: tuple[float, ...] = (5, 40, 200, 900)
    common: float = 1.0
    """How often it is drawn, next to the others."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A sentence that did not hold."""

    at: float
    rule: str
    text: str


def one_of(*choices: Much) -> Callable[[random.Random], Much]:
    """Return what draws one of these."""
    return lambda rng: rng.choice(choices)


def duration(seconds: float) -> str:
    """Say how long something lasts."""
    return f"{seconds:g} s" if seconds < 600 else str(timedelta(seconds=round(seconds)))


def step(seconds: Much) -> str:
    """Say where a clock goes."""
    assert not isinstance(seconds, str)
    return f"{duration(abs(seconds))} {'ahead' if seconds > 0 else 'back'}"


def dump(setting: Any) -> str:
    """Return a setting as a line of Python, to be kept as a test. Its first two fields are the seed and the faults."""
    parts = [
        repr(setting.seed),
        f"({', '.join(_dump_fault(fault) for fault in setting.faults)}{',' if setting.faults else ''})",
    ]
    for one in fields(setting)[2:]:
        value = getattr(setting, one.name)
        if one.default is MISSING or value != one.default:
            parts.append(f"{one.name}={value!r}")
    return f"{type(setting).__name__}({', '.join(parts)})"


def _dump_fault(fault: Fault) -> str:
    return f"Fault({fault.at!r}, {fault.kind!r}, {fault.span!r}, {fault.much!r})"
