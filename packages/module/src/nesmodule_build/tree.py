"""Writes the rewritten modules into a folder.

This module does not know what becomes of the folder.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path

from nesmodule_build.rewrite.checks import check, check_imports
from nesmodule_build.rewrite.joined import Joined
from nesmodule_build.rewrite.members import folded
from nesmodule_build.rewrite.messages import Messages
from nesmodule_build.rewrite.module import rewritten
from nesmodule_build.rewrite.shaken import shaken
from nesmodule_build.rewrite.short import Short
from nesmodule_build.shared import LINK, TOLD, Shared

__all__ = ["MESSAGES", "PROGRAM", "STARTER", "write_program", "write_tree"]


MESSAGES = "messages.txt"
"""The long texts of the program, which it reads from flash."""

_LINK, PROGRAM, STARTER = "link", "program", "starter"
"""The modules that all of them become: two, because what a module needs while it is loaded would not fit beside all of it;
and what decides which of two such programs is started."""


def write_tree(folder: Path, modules: Iterable[Shared], *, also: Iterable[str] = ()) -> list[Path]:
    """Write modules one by one, with times in seconds, as their own tests count; not for an ESP32. Return the files.

    Args:
        folder: where to; what is there is overwritten.
        modules: which; each after those that it needs.
        also: names of other modules that may be imported there.

    Raises:
        Refused: one of them cannot be rewritten.
    """
    return _written(folder, _rewritten(tuple(modules), seconds=True, also=also))


def write_program(folder: Path, modules: Iterable[Shared], *, part: str = PROGRAM, aliases: bool = False) -> list[Path]:
    """Write modules as MicroPython takes them, joined to one, and those that are wanted seldom beside it; return the files.

    Args:
        folder: where to; what is there is overwritten.
        modules: which; each after those that it needs.
        part: the module that they become.
        aliases: also write a module for each that was joined, from which tests can import by the names that are written here.

    Raises:
        Refused: one of them cannot be rewritten or joined.
    """
    modules = tuple(modules)
    texts = folded(_rewritten(modules, seconds=False))
    if not aliases:
        texts = shaken(texts, {"main", "run_chip", "begin", TOLD})
    messages = Messages(TOLD, TOLD)
    for one in _behind(TOLD, modules):
        texts[one.name] = messages.taken(texts[one.name])
    short, joined = Short(texts.values()), Joined()
    early = {one.name for one in LINK}
    found: dict[str, str] = {}
    for one in modules:
        text = short.module(texts[one.name], one.name, one.source)
        if one.apart:
            found[one.name] = joined.apart(text, one.name)
        else:
            joined.take(text, one.name, one.part or (_LINK if part == PROGRAM and one.name in early else part))
    found |= joined.parts()
    for name, text in found.items():
        check(ast.parse(text), name, found.keys(), floats=False)
    if aliases:
        for module, names in joined.names.items():
            public = ", ".join(name for name in names if not name.startswith("_"))
            found[module] = joined.apart(f"from {module} import {public}", module) if public else ""
    files = _written(folder, found)
    if messages.text:
        (folder / MESSAGES).write_bytes(messages.text)
    return files


def _behind(name: str, modules: tuple[Shared, ...]) -> tuple[Shared, ...]:
    """Return the modules that stand behind one, without those that stay files of their own; none where that one is not there."""
    names = [one.name for one in modules]
    found = modules[names.index(name) + 1 :] if name in names else ()
    return tuple(one for one in found if not one.apart)


def _rewritten(modules: tuple[Shared, ...], *, seconds: bool, also: Iterable[str] = ()) -> dict[str, str]:
    """Return the text of each module."""
    present = {one.name for one in modules} | set(also)
    defined: dict[str, frozenset[str]] = {}
    texts: dict[str, str] = {}
    for one in modules:
        text = rewritten(
            _source(one.source),
            one.source,
            present,
            milliseconds=one.milliseconds and not seconds,
            for_tests=seconds,
            without=() if seconds else one.without,
            instead=() if seconds else one.instead,
        )
        defined[one.name] = check_imports(text, one.source, defined)
        texts[one.name] = text
    return texts


def _written(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    files: list[Path] = []
    for name, text in texts.items():
        path = folder / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        for parent in path.relative_to(folder).parents[:-1]:
            package = folder / parent / "__init__.py"
            if not package.exists():
                package.write_text("")
                files.append(package)
        path.write_text(text)
        files.append(path)
    return files


def _source(name: str) -> str:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"there is no module {name}")
    return Path(found.origin).read_text()
