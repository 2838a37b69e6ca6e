"""Where each key of a TOML text stands, so that an error can point there, and a change be made there and nowhere else.

:mod:`tomllib` gives values without places. This walks the same text a second time and notes
the place of every key, as the path tomllib's result has it: ``("mqtt", 0, "host")``.

It expects a text that tomllib has accepted and does not know what the keys mean.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Header", "Layout", "Pair", "Path", "Span", "key_lines", "layout_of", "line_of"]

Path = tuple[str | int, ...]
Span = tuple[int, int]
"""First character, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Header:
    """A line ``[table]`` or ``[[table]]``."""

    path: Path
    """Of the table; of an array of tables with the number of its element."""
    span: Span


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and its value."""

    path: Path
    base: Path
    """Of the table it is written in. With dotted keys the path is more than one step longer."""
    inline: bool
    """That table is written in braces."""
    span: Span
    """From the key to the end of the value."""


@dataclass(slots=True)
class Layout:
    """Where everything of a text stands."""

    headers: list[Header] = field(default_factory=list)
    """In the order of the text."""
    pairs: list[Pair] = field(default_factory=list)
    """In the order in which they end."""
    values: dict[Path, Span] = field(default_factory=dict)
    """Of keys, and of members of arrays in brackets."""


_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


class _Walker:
    """Walks a TOML text once; :attr:`lines` is the result."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._arrays: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}
        self.layout = Layout()

    def walk(self) -> None:
        """Walk the whole text."""
        table: Path = ()
        self._skip(_SPACE)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table, inline=False)
            self._skip(_SPACE)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError("not TOML")
        self._at = match.end()
        return match[0]

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _string(self) -> str:
        for pattern in _STRINGS:
            if pattern.match(self._text, self._at):
                return self._skip(pattern)
        raise ValueError("not TOML")

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_INLINE_SPACE)
            keys.append(self._string()[1:-1] if self._peek() in {'"', "'"} else self._skip(_BARE_KEY))
            self._skip(_INLINE_SPACE)
            if self._peek() != ".":
                return keys
            self._at += 1

    def _inside(self, base: Path, keys: Sequence[str]) -> Path:
        """Append keys to a path; where an array of tables stands, its last element is meant."""
        for key in keys:
            base = (*base, key)
            if base in self._arrays:
                base = (*base, self._arrays[base])
        return base

    def _note(self, base: Path, keys: Sequence[str], line: int) -> Path:
        path = base
        for count in range(1, len(keys) + 1):
            path = self._inside(base, keys[:count])
            self.lines.setdefault(path, line)
        return path

    def _header(self) -> Path:
        line, start = self._line(), self._at
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        keys = self._keys()
        self._at += brackets
        if brackets == 2:  # noqa: PLR2004 - one more member of an array of tables
            array = (*self._inside((), keys[:-1]), keys[-1])
            self._arrays[array] = self._arrays.get(array, -1) + 1
            self.lines.setdefault(array, line)
        path = self._note((), keys, line)
        self.layout.headers.append(Header(path, (start, self._at)))
        return path

    def _pair(self, table: Path, *, inline: bool) -> None:
        line, start = self._line(), self._at
        keys = self._keys()
        self._at += 1  # the equals sign
        self._skip(_INLINE_SPACE)
        path = self._note(table, keys, line)
        self._value(path)
        self.layout.pairs.append(Pair(path, table, inline, (start, self.layout.values[path][1])))

    def _value(self, path: Path) -> None:
        start = self._at
        self._value_itself(path)
        end = start + len(self._text[start : self._at].rstrip())
        self.layout.values[path] = (start, end)

    def _value_itself(self, path: Path) -> None:
        opening = self._peek()
        if opening in {'"', "'"}:
            self._string()
        elif opening == "{":
            self._group("}", lambda _: self._pair(path, inline=True))
        elif opening == "[":
            self._group("]", lambda index: self._element((*path, index)))
        else:
            self._skip(_SCALAR)

    def _element(self, path: Path) -> None:
        self.lines.setdefault(path, self._line())
        self._value(path)

    def _group(self, closing: str, member: Callable[[int], None]) -> None:
        self._at += 1
        index = 0
        self._skip(_SPACE)
        while self._peek() != closing:
            member(index)
            index += 1
            self._skip(_SPACE)
            if self._peek() == ",":
                self._at += 1
                self._skip(_SPACE)
        self._at += 1


def key_lines(text: str) -> Mapping[Path, int]:
    """Return the line (from 1) of every key and table of a valid TOML text.

    A text this walker does not follow to its end gives the lines found until there.
    """
    walker = _Walker(text)
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        walker.walk()
    return walker.lines


def layout_of(text: str) -> Layout:
    """Return where everything of a valid TOML text stands; as far as the walker follows it, as with :func:`key_lines`."""
    walker = _Walker(text)
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        walker.walk()
    return walker.layout


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a path or of the nearest table around it; None if nothing around it is written."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None
