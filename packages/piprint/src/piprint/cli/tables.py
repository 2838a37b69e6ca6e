"""Tables for a terminal: aligned, and safe against control characters in names.

This module does not know what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["printable", "table"]

_MOST = 60


def printable(text: str) -> str:
    """Return a text without characters that move the cursor or hide others."""
    return "".join(character if character.isprintable() else " " for character in text)


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield the lines; every column but the last is as wide as its widest cell, within reason."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [min(_MOST, max(len(line[column]) for line in [titles, *cells])) for column in range(len(titles))]
    for line in [list(titles), *cells]:
        shown = [
            cell if column == len(widths) - 1 else f"{_cut(cell, widths[column]):{widths[column]}}"
            for column, cell in enumerate(line)
        ]
        yield "  ".join(shown).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
