"""Text for terminals, pipes and scripts: columns, colours, progress, JSON.

Colours and repainting are for terminals only; a pipe gets plain lines. Results go to standard output, everything about
how it goes to standard error.

This module does not know meters.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, TextIO

__all__ = ["Progress", "columns", "duration", "is_terminal", "note", "paint", "print_json", "print_lines", "width"]

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def is_terminal(stream: TextIO | None = None) -> bool:
    """Tell whether a person looks at a stream; standard output by default."""
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, *, stream: TextIO | None = None) -> str:
    """Return text in a style where that shows, else as it is. https://no-color.org is obeyed."""
    if not text or os.environ.get("NO_COLOR") or not is_terminal(stream):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def width() -> int:
    """Return the width of the terminal in characters."""
    return shutil.get_terminal_size((100, 24)).columns


def note(text: str) -> None:
    """Say something that is no result."""
    _write(sys.stderr, text)


def print_lines(lines: Sequence[str]) -> None:
    """Print results."""
    _write(sys.stdout, "\n".join(lines))


def print_json(document: Any, *, compact: bool = False) -> None:
    """Print one JSON document; compact on one line, for streams of them."""
    _write(sys.stdout, json.dumps(document, ensure_ascii=False, indent=None if compact else 2))


def _write(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = (), *, indent: int = 0) -> list[str]:
    """Return rows of cells as aligned lines; ``right`` lists the columns that are flush right."""
    sizes = [
        max(len(row[place]) for row in rows if place < len(row)) for place in range(max(map(len, rows), default=0))
    ]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(sizes[place]) if place in right else cell.ljust(sizes[place]) for place, cell in enumerate(row)
        ]
        lines.append(" " * indent + "  ".join(cells).rstrip())
    return lines


_BAR = 28


class Progress:
    """A bar on standard error while something long goes on; nothing where nobody looks.

    Args:
        total: steps there are.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._shown = is_terminal(sys.stderr)

    def show(self, done: int, what: str, left: float | None = None) -> None:
        """Show that ``done`` steps are done, what is done now and the seconds left."""
        if not self._shown:
            return
        filled = _BAR * done // max(self.total, 1)
        bar = paint("━" * filled, "green", stream=sys.stderr) + paint("─" * (_BAR - filled), "dim", stream=sys.stderr)
        time = "" if left is None else f"  {duration(left)} left"
        head = f"{done}/{self.total}"
        room = width() - _BAR - len(head) - len(time) - 6
        self._write(f"\r{bar}  {head}  {what[: max(room, 0)]}{time}\x1b[K")

    def end(self) -> None:
        """Take the bar away."""
        if self._shown:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


_MINUTE = 60


def duration(seconds: float) -> str:
    """Return a time span as people say it: ``1 min 5 s``."""
    whole = round(seconds)
    minutes, seconds_left = divmod(whole, _MINUTE)
    parts = [f"{minutes} min" if minutes else "", f"{seconds_left} s" if seconds_left or not minutes else ""]
    return " ".join(filter(None, parts))
