"""Repaint a terminal without flicker; make sparklines, and cut lines to the terminal's width.

Each picture is written in one go, over the previous picture, from the top left corner. Only the rest of each line and
the lines below the picture are cleared. The pictures are shown on the terminal's alternate screen, so the text that was
in the terminal before is shown again at the end.

This module does not know what the pictures show.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Self

__all__ = ["BLOCKS", "Screen", "cut", "sparkline"]

_ESCAPE = re.compile(r"(\x1b\[[0-9;]*m)")
BLOCKS = "▁▂▃▄▅▆▇█"
"""From the lowest to the highest."""


def cut(line: str, room: int) -> str:
    """Return a line cut to ``room`` characters; colour codes are kept and not counted."""
    shown, left = [], room
    for piece in _ESCAPE.split(line):
        if _ESCAPE.fullmatch(piece):
            shown.append(piece)
            continue
        shown.append(piece[:left])
        left -= len(piece[:left])
    return "".join(shown)


def sparkline(values: Iterable[float], room: int) -> str:
    """Return the last ``room`` values as a line of blocks, scaled from zero to the highest of these values."""
    heights = [abs(value) for value in values][-room:] if room > 0 else []
    top = max(heights, default=0)
    if not top:
        return BLOCKS[0] * len(heights)
    return "".join(BLOCKS[min(int(height / top * len(BLOCKS)), len(BLOCKS) - 1)] for height in heights)


class Screen:
    """The terminal. Inside the ``with`` block it belongs to this program's pictures."""

    def __enter__(self) -> Self:
        """Change to the alternate screen and hide the cursor."""
        self._write("\x1b[?1049h\x1b[?25l")
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        self._write("\x1b[?25h\x1b[?1049l")

    def paint(self, lines: Sequence[str]) -> None:
        """Show these lines, cut to the terminal's size."""
        size = shutil.get_terminal_size((80, 24))
        body = "\x1b[K\r\n".join(cut(line, size.columns) for line in lines[: size.lines])
        # The first and last mark tell terminals that know them to show all at once.
        self._write(f"\x1b[?2026h\x1b[H{body}\x1b[K\x1b[J\x1b[?2026l")

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
