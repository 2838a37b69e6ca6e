"""Writes the rewritten modules into a folder.

This module does not know what becomes of the folder.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from nesmodule_build.rewrite.checks import check_imports
from nesmodule_build.rewrite.module import rewritten
from nesmodule_build.rewrite.short import Short
from nesmodule_build.shared import Shared

__all__ = ["write_tree"]


def write_tree(
    folder: Path, modules: Iterable[Shared], *, seconds: bool = False, also: Iterable[str] = ()
) -> list[Path]:
    """Write modules as MicroPython takes them; return the files.

    Args:
        folder: where to; what is there is overwritten.
        modules: which; each after those that it needs.
        seconds: leave times in seconds, as the tests of the modules count; not for an ESP32.
        also: names of other modules that may be imported there.

    Raises:
        Refused: one of them cannot be rewritten.
    """
    modules = tuple(modules)
    present = {one.name for one in modules} | set(also)
    files: list[Path] = []
    defined: dict[str, frozenset[str]] = {}
    texts: dict[str, str] = {}
    for one in modules:
        times = one.milliseconds and not seconds
        text = rewritten(
            _source(one.source),
            one.source,
            present,
            milliseconds=times,
            for_tests=seconds,
            without=() if seconds else one.without,
            instead=() if seconds else one.instead,
        )
        defined[one.name] = check_imports(text, one.source, defined)
        texts[one.name] = text
    if not seconds:
        short = Short(texts.values())
        texts = {one.name: short.module(texts[one.name], one.name, one.source) for one in modules}
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
