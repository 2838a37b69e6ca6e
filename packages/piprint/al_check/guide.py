"""Checks of the guides against the extension: what they tell people to assign can be assigned, and is called as they read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from al_check.finding import Finding
from al_check.model import App, Object
from al_check.rights import granted
from al_check.rights import included as parts
from al_check.tree import children, string

__all__ = ["CHECKS", "check"]

_NAMED = re.compile(r"`([A-Za-z0-9_]+)`")


def check(app: App, guides: list[Path]) -> Iterator[Finding]:
    """Check what guides say of permission sets.

    A set named in backquotes exists and is assignable; a row of a table that begins with one has its caption in the next
    column; a guide that has such rows has one for each assignable set.
    """
    sets = {each.name: each for each in app.of("permissionset")}
    for path in guides:
        listed: set[str] = set()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield from _line(sets, path, number, line, listed)
        missing = sorted(
            name for name, each in sets.items() if each.yes("Assignable", default=False) and name not in listed
        )
        if listed and missing:
            yield Finding(path.name, 1, "table of permission sets", f"it lacks {', '.join(missing)}", "add a row")


def _line(sets: dict[str, Object], path: Path, number: int, line: str, listed: set[str]) -> Iterator[Finding]:
    cells = [each.strip() for each in line.strip().strip("|").split("|")] if line.lstrip().startswith("|") else []
    for name in _NAMED.findall(line):
        found = sets.get(name)
        if found is not None and not found.yes("Assignable", default=False):
            what = f"permission set {name}"
            yield Finding(
                path.name, number, what, "nobody can be given it: it is not assignable", "set Assignable = true"
            )
    if len(cells) > 1 and (match := _NAMED.fullmatch(cells[0])) and match[1] in sets:
        listed.add(match[1])
        caption = _caption(sets[match[1]])
        if cells[1] != caption:
            what = f"permission set {match[1]}"
            yield Finding(
                path.name,
                number,
                what,
                f"its caption is {caption!r}, the guide says {cells[1]!r}",
                "make both the same",
            )


def included(app: App) -> Iterator[Finding]:
    """Every set gives rights, and can be given to somebody, or is a part of one that can."""
    used = {name.lower() for owner in app.of("permissionset", "permissionsetextension") for name in parts(owner)}
    for each in app.of("permissionset"):
        if not granted(app, each):
            yield each.source.at(each.node, f"permission set {each.name}", "it gives no right", "take it out")
        if not each.yes("Assignable", default=False) and each.name.lower() not in used:
            yield each.source.at(
                each.node,
                f"permission set {each.name}",
                "it cannot be assigned, and no other includes it",
                "do one of both",
            )


def _caption(owner: Object) -> str:
    value = owner.properties.get("caption")
    literals = children(value, "string_literal") or ([value] if value is not None else [])
    return string(literals[0]) if literals else ""


CHECKS = (included,)
