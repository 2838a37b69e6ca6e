"""Changes settings in a TOML text and leaves all other lines as they are: comments, order, blanks, quotes.

A change is made at one place of the text, and what came of it is read again with :mod:`tomllib`: it has to be what was
there before with exactly these changes. What cannot be changed so is refused, never guessed.

This module does not know which settings there are, nor files.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from servicekit.toml_lines import Header, Layout, Pair, Path, layout_of

__all__ = ["GONE", "EditError", "Step", "applied", "edited", "literal"]

GONE = object()
"""In place of a value: the setting, or the section, goes away."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class EditError(Exception):
    """The text is written in a way that this module does not change."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change: a setting gets a value, or what stands at a path goes away."""

    path: Path
    value: object


def literal(value: object) -> str:
    """Write a value as TOML does (TOML 1.0.0); a basic string has JSON's escapes, but JSON leaves DEL as it is.

    Raises:
        EditError: there is no such value.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - exact
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {literal(one)}" for key, one in value.items()) + " }"
    raise EditError("there is no such value in TOML")


def edited(text: str, steps: Sequence[Step]) -> str:
    """Return the text with all changes made.

    Raises:
        EditError: it cannot be changed so; nothing is known to be wrong with the text.
    """
    wanted = applied(tomllib.loads(text), steps)
    for step in steps:
        text = _removed(text, step.path) if step.value is GONE else _set(text, step.path, literal(step.value))
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise EditError("the text would be no TOML any more") from None
    if not _same(found, wanted):
        raise EditError("the text would mean something else")
    return text


def applied(data: Mapping[str, Any], steps: Sequence[Step]) -> dict[str, Any]:
    """Return what a file means after changes, given what it means now.

    Raises:
        EditError: a path leads through something that is no section.
    """
    result: dict[str, Any] = copy.deepcopy(dict(data))
    for step in steps:
        is_section = step.value is GONE and isinstance(_value_at(result, step.path), dict)
        _apply(result, step)
        if is_section and not _value_at(result, step.path[:-1]) and len(step.path) > 1:
            _apply(result, Step(step.path[:-1], GONE))  # the last [[mqtt]] of all: there are no mqtt any more
    return result


def _value_at(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _apply(result: dict[str, Any], step: Step) -> None:
    here: Any = result
    for position, name in enumerate(step.path[:-1]):
        empty: Any = [] if isinstance(step.path[position + 1], int) else {}
        if isinstance(name, str) and isinstance(here, dict):
            if name not in here and step.value is GONE:
                return
            here = here.setdefault(name, empty)
        elif isinstance(name, int) and isinstance(here, list) and name <= len(here):
            if name == len(here):
                if step.value is GONE:
                    return
                here.append(empty)
            here = here[name]
        else:
            raise EditError("there is no such section")
    last: Any = step.path[-1]
    if isinstance(last, str) and isinstance(here, dict):
        if step.value is GONE:
            here.pop(last, None)
        else:
            here[last] = copy.deepcopy(step.value)
    elif isinstance(last, int) and isinstance(here, list) and step.value is GONE:
        del here[last : last + 1]
    else:
        raise EditError("there is no such section")


def _same(one: object, other: object) -> bool:
    """Tell whether two values are the same, true not being 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        # A list without members and none are the same: the last [[section]] goes away, the last one in brackets leaves [].
        keys = {key for key in (*one, *other) if one.get(key, []) != [] or other.get(key, []) != []}
        return all(key in one and key in other and _same(one[key], other[key]) for key in keys)
    if isinstance(one, list) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else literal(name)


def _dotted(path: Path) -> str:
    return ".".join(_key(step) for step in path if isinstance(step, str))


def _eol(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Return where the line ends, its line break included."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _starts(path: Path, beginning: Path) -> bool:
    return path[: len(beginning)] == beginning


# Setting


def _set(text: str, path: Path, written: str) -> str:
    layout = layout_of(text)
    if path in layout.values:
        start, end = layout.values[path]
        return text[:start] + written + text[end:]
    parent, name = path[:-1], path[-1]
    if not isinstance(name, str):
        raise EditError("a member of a list has no place of its own")
    pair = f"{_key(name)} = {written}"
    if parent in layout.values:
        return _into_braces(text, layout, parent, pair)
    if isinstance(parent[-1] if parent else "", int) and parent[:-1] in layout.values:
        return _into_brackets(text, layout, parent, pair)
    if any(header.path == parent for header in layout.headers) or not parent:
        return _into_table(text, layout, parent, pair)
    dotted = [one for one in layout.pairs if _starts(one.path, parent) and len(one.base) < len(parent)]
    if dotted:
        return _beside(text, dotted[-1], f"{_dotted(path[len(dotted[-1].base) :])} = {written}")
    if any(path[:length] in layout.values for length in range(1, len(path))):
        raise EditError("the section is written within brackets")
    return _new_table(text, layout, parent, pair)


def _beside(text: str, pair: Pair, written: str) -> str:
    """Put a pair behind another one of the same table."""
    if pair.inline:
        return f"{text[: pair.span[1]]}, {written}{text[pair.span[1] :]}"
    start = _line_start(text, pair.span[0])
    return _line_after(text, pair.span[1], text[start : pair.span[0]] + written)


def _line_after(text: str, at: int, written: str) -> str:
    """Put a line behind the one in which a value ends."""
    end = _line_end(text, at)
    before = text[:end]
    if before and not before.endswith("\n"):
        before += _eol(text)
    return f"{before}{written}{_eol(text)}{text[end:]}"


def _into_braces(text: str, layout: Layout, table: Path, pair: str) -> str:
    start, end = layout.values[table]
    if text[start] != "{":
        raise EditError("there is a value where a section should be")
    members = [one for one in layout.pairs if one.base == table and one.inline]
    if members:
        return _beside(text, members[-1], pair)
    return f"{text[:start]}{{ {pair} }}{text[end:]}"


def _into_brackets(text: str, layout: Layout, member: Path, pair: str) -> str:
    start, end = layout.values[member[:-1]]
    if text[start] != "[":
        raise EditError("there is a value where a list should be")
    number = member[-1]
    assert isinstance(number, int)  # noqa: S101 - who calls has looked
    if not number:
        return f"{text[:start]}[{{ {pair} }}]{text[end:]}"
    if (before := layout.values.get((*member[:-1], number - 1))) is None:
        raise EditError("a member is missing before this one")
    return f"{text[: before[1]]}, {{ {pair} }}{text[before[1] :]}"


def _into_table(text: str, layout: Layout, table: Path, pair: str) -> str:
    own = [one for one in layout.pairs if one.base == table and not one.inline]
    if own:
        return _beside(text, max(own, key=lambda one: one.span), pair)
    header = next((one for one in layout.headers if one.path == table), None)
    if header is not None:
        return _line_after(text, header.span[1], _indent(text, header) + pair)
    if not layout.headers:
        return _line_after(text, len(text), pair)
    at = _with_comments_above(text, layout.headers[0].span[0])
    return f"{text[:at]}{pair}{_eol(text) * 2}{text[at:]}"


def _indent(text: str, header: Header) -> str:
    return text[_line_start(text, header.span[0]) : header.span[0]]


def _with_comments_above(text: str, at: int) -> int:
    """Return where the comment begins that stands right above a line."""
    start = _line_start(text, at)
    while start:
        above = _line_start(text, start - 1)
        if not text[above:start].lstrip().startswith("#"):
            break
        start = above
    return start


def _new_table(text: str, layout: Layout, table: Path, pair: str) -> str:
    array = isinstance(table[-1], int)
    name = _dotted(table)
    header = f"[[{name}]]" if array else f"[{name}]"
    at = len(text.rstrip())
    for length in range(len(table) - 1, 0, -1):
        inside = [one for one in layout.headers if _starts(one.path, table[:length])]
        if inside:
            at = _end_of(text, layout, inside[-1])
            break
    eol = _eol(text)
    before = text[:at]
    if before.strip():
        before = before if before.endswith("\n") else text[: (at := _line_end(text, at))]
        before = before if before.endswith("\n") else before + eol
        before += eol
    return f"{before}{header}{eol}{pair}{eol}{text[at:]}"


def _end_of(text: str, layout: Layout, header: Header) -> int:
    """Return the end of the last line of a table, of those within it not: what comes then is the next one's."""
    following = [one.span[0] for one in layout.headers if one.span[0] > header.span[0]]
    stop = min(following, default=len(text))
    ends = [one.span[1] for one in layout.pairs if header.span[1] <= one.span[0] < stop]
    return _line_end(text, max(ends, default=header.span[1]))


# Removing


def _removed(text: str, path: Path) -> str:
    layout = layout_of(text)
    cuts = [(_cut_of_header(text, layout, header)) for header in layout.headers if _starts(header.path, path)]
    dotted = [one for one in layout.pairs if _starts(one.path, path) and not _starts(one.base, path)]
    cuts += [_cut_of_pair(text, layout, one) for one in dotted]
    if not cuts and path in layout.values:
        cuts = [_cut_of_member(layout, path)]
    for start, end in sorted(_joined(cuts), reverse=True):
        text = text[:start] + text[end:]
    return text


def _joined(cuts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(cuts):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _cut_of_header(text: str, layout: Layout, header: Header) -> tuple[int, int]:
    """Return the lines of a table, with a blank one before it."""
    start = _line_start(text, header.span[0])
    if start and not text[_line_start(text, start - 1) : start].strip():
        start = _line_start(text, start - 1)
    return start, _end_of(text, layout, header)


def _cut_of_pair(text: str, layout: Layout, pair: Pair) -> tuple[int, int]:
    if not pair.inline:
        return _line_start(text, pair.span[0]), _line_end(text, pair.span[1])
    beside = sorted(one.span for one in layout.pairs if one.base == pair.base and one.inline)
    return _among(beside, pair.span)


def _cut_of_member(layout: Layout, path: Path) -> tuple[int, int]:
    beside = sorted(span for found, span in layout.values.items() if found[:-1] == path[:-1])
    return _among(beside, layout.values[path])


def _among(spans: Sequence[tuple[int, int]], span: tuple[int, int]) -> tuple[int, int]:
    """Return what of a list goes with a member: the comma behind it, or before the last."""
    for one, following in pairwise(spans):
        if one == span:
            return span[0], following[0]
        if following == span and following == spans[-1]:
            return one[1], span[1]
    return span
