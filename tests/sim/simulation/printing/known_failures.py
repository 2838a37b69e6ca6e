"""What is known to fail while documents are printed, by sentence: each with the world that shows it. When one stops failing its test turns
red: take it out, and put the world into once_failed.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulation.plan import Fault
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


_LONG: dict[str, Any] = {"minutes": 1.0, "jobs": 0, "save_after": 0.0, "give_up": 100.0}
_CUTS = frozenset({"cut", "cut_printing", "cut_step", "cut_in_write"})

KNOWN: tuple[Known, ...] = (
    Known(
        "told the page",
        "P4: of a printer that says that it prints and does nothing nobody is told",
        Setting(1, (Fault(1.0, "stuck", 300, "office"), Fault(20.0, "burst", 0, 3)), **_LONG),
        frozenset({"stuck"}),
    ),
    Known(
        "ends at office",
        "P4: its jobs never end",
        Setting(1, (Fault(1.0, "stuck", 300, "office"), Fault(20.0, "burst", 0, 3)), **_LONG),
        frozenset({"stuck"}),
    ),
    Known(
        "told Business Central",
        "P5: what a job waits for is not told in Business Central",
        Setting(1, (Fault(20.0, "poison", 0, "office"),), **_LONG),
        frozenset(
            {"stuck", "poison", "jam", "printer_off", "line_silent", "disable", "cups_kill", "line", "line_before"}
        )
        | _CUTS,
    ),
    Known(
        "blocks",
        "P1: a document that a filter refuses stops the queue until it is given up",
        Setting(1, (Fault(20.0, "poison", 0, "office"),), 5.0, 5, save_after=0.0),
        frozenset({"poison"}),
    ),
    Known(
        "once",
        "each failure of a line that flaps is a warning",
        Setting(202, (Fault(20.0, "bc_before", 200, 0.5),), 4.0, 12),
        frozenset({"bc_after", "bc_before", "bc_torn", "bc_mute"}),
    ),
)


def known(happened: set[str], name: str) -> bool:
    """Tell whether a failure in a world with these kinds of faults is known."""
    return any(one.name == name and one.kinds & happened for one in KNOWN)
