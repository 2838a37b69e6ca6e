"""Which kill comes when: a plan, drawn from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from powercut import Documents
from relay import Failure

__all__ = ["KINDS", "Kill", "Kind", "draw"]

Kind = Literal["processor", "cupsd", "office network", "printer network", "power"]
KINDS: tuple[Kind, ...] = ("processor", "cupsd", "office network", "printer network", "power")
_WEIGHTS = (3, 3, 1, 1, 2)
BACK_AFTER = (0.0, 0.1, 0.9, 2.0, 20.0)
SAVED_AFTER = (0, 2, 30)
_AGES = (0.0, 0.0, 0.3, 1.0, 5.0)
_FAILURES: tuple[Failure, ...] = ("cut", "requests", "answers", "answers")
_DOCUMENTS: tuple[Documents, ...] = ("whole", "empty", "empty", "half", "zeros")


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill.

    Attributes:
        kind: what is killed. ``power``: processor and CUPS at the same moment, with all they had not synced.
        wait: seconds from the kill before.
        moment: wait, at most some seconds, until a job is at a printer.
        back: seconds until what was killed is started again, or the network is well.
        saved: DirtyCleanInterval of the CUPS that comes back: seconds until it writes its job list.
        failure: what the network does.
        age: seconds; the names on disk are so much older than the power cut.
        documents: what became of CUPS's documents that were not written back.
        processor_first: after a power cut the processor is up before CUPS.
    """

    kind: Kind
    wait: float = 0.0
    moment: bool = False
    back: float = 0.0
    saved: int = 0
    failure: Failure = "cut"
    age: float = 0.0
    documents: Documents = "whole"
    processor_first: bool = False

    def __str__(self) -> str:
        back = f"back after {self.back:g} s"
        if self.kind == "processor":
            return f"processor killed, {back}"
        if self.kind == "cupsd":
            return f"cupsd killed, {back}, job list then saved after {self.saved} s"
        if self.kind == "power":
            first = ", processor first" if self.processor_first else ""
            return f"power cut, names {self.age:g} s old, documents {self.documents}, {back}, job list then saved after {self.saved} s{first}"
        return f"{self.kind}: {self.failure}, {back}"


def draw(dice: random.Random, count: int, *, longest: float = 20.0) -> list[Kill]:
    """Draw a plan.

    Args:
        dice: whose seed decides all of it.
        count: kills.
        longest: seconds; nothing stays away longer.
    """
    return [_draw(dice, longest) for _ in range(count)]


def _draw(dice: random.Random, longest: float) -> Kill:
    kind = dice.choices(KINDS, _WEIGHTS)[0]
    return Kill(
        kind,
        wait=dice.choice((dice.uniform(0.0, 1.0), dice.uniform(0.5, 2.5))),
        moment=dice.random() < 0.6,
        back=_back(dice, kind, longest),
        saved=dice.choice(SAVED_AFTER),
        failure=dice.choice(_FAILURES),
        age=dice.choice([age for age in _AGES if age <= longest]),
        documents=dice.choice(_DOCUMENTS),
        processor_first=dice.random() < 0.5,
    )


def _back(dice: random.Random, kind: Kind, longest: float) -> float:
    if kind == "cupsd":
        return dice.choice(_upto(BACK_AFTER, longest))
    if kind == "processor":
        return dice.choice((0.0, 0.0, 0.0, 1.5))
    if kind == "power":
        return dice.choice((0.0, 1.0))
    return round(dice.uniform(0.1, min(4.0, longest)), 1)


def _upto(values: Sequence[float], longest: float) -> Sequence[float]:
    return [value for value in values if value <= longest]
