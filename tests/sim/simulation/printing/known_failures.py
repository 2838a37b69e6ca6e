"""What is known to fail while documents are printed, by sentence: each with the world that shows it. When one stops failing its test turns
red: take it out, and put the world into once_failed.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulation.printing.world import Setting

__all__ = ["KNOWN", "Known", "known"]


@dataclass(frozen=True, slots=True)
class Known:
    """One known failure.

    Args:
        name: of the sentence, and of the part it fails in.
        why: what is wrong.
        setting: a world that shows it.
        kinds: where one of these happened the failure is no news.
    """

    name: str
    why: str
    setting: Setting
    kinds: frozenset[str]


KNOWN: tuple[Known, ...] = ()


def known(happened: set[str], name: str) -> bool:
    """Tell whether a failure in a world with these kinds of faults is known."""
    return any(one.name == name and one.kinds & happened for one in KNOWN)
