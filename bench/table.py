"""What a bench prints: one row per figure, with its goal beside it.

This module does not know how anything is measured.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row", "print_rows"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``met`` is None where there is no goal to meet."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


def print_rows(rows: list[Row]) -> None:
    """Print rows as a table."""
    marks = {True: "met", False: "NOT MET", None: ""}
    for row in rows:
        print(f"  {row.what:<62} {row.figure:>22}  {row.goal:<16} {marks[row.met]}", flush=True)
