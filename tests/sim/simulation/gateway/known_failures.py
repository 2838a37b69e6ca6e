"""What is known to fail, by sentence: each with the world that shows it. When one stops failing its test turns red: take it out."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.gateway.world import Setting

__all__ = ["KNOWN", "KNOWN_CUTS", "Known"]


@dataclass(frozen=True, slots=True)
class Known:
    """One known failure."""

    sentence: str
    why: str
    setting: Setting


KNOWN: tuple[Known, ...] = ()

KNOWN_CUTS: dict[tuple[str, str], str] = {}
"""Which database, cut how, does not hold what."""


def known(setting_kinds: set[str], sentence: str) -> bool:
    """Tell whether a failure of a sentence in a world with these kinds of faults is known."""
    return any(
        one.sentence == sentence and {fault.kind for fault in one.setting.faults} <= setting_kinds for one in KNOWN
    )
