"""What is wrong with a configuration, as lines that a person can act on: the line, the setting, what to write instead.

The kinds of mistakes are those of pydantic, by their names. A value of the file is never repeated: any of them may be a secret in the wrong place.

This module does not know which settings there are, and needs nothing to read them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from servicekit.toml_lines import Path as SettingPath
from servicekit.toml_lines import key_lines, line_of

__all__ = ["Problem", "classes_in", "closest", "dotted", "not_toml", "problems_at", "unknown_setting", "words_for"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    file: Path
    line: int | None
    """In the file, from 1; None for the file as a whole."""
    setting: str
    """As the file writes it, such as ``meters.house.port``; empty for the file as a whole."""
    message: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        return f"{place}: {self.setting}: {self.message}" if self.setting else f"{place}: {self.message}"


def dotted(path: SettingPath) -> str:
    """Return a setting's name as people say it: ``business_central.login.tenant``."""
    return ".".join(step for step in path if isinstance(step, str))


def problems_at(found: Iterable[tuple[SettingPath, str]], text: str, file: Path) -> list[Problem]:
    """Turn settings and what is wrong with each into problems, in the order of the file and each said once.

    Args:
        found: where each setting stands, or should, and what is wrong with it.
        text: the file as it is written.
        file: its name, for the messages.
    """
    lines = key_lines(text)
    problems = {Problem(file, line_of(lines, path), dotted(path), message): None for path, message in found}
    return sorted(problems, key=lambda problem: problem.line or 0)


_TYPES = {
    "string_type": 'must be text in quotes, such as "text"',
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "int_parsing": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "float_parsing": "must be a number, without quotes",
    "finite_number": "must be an ordinary number",
    "path_type": 'must be a path in quotes, such as "/etc/service/file"',
    "list_type": 'must be a list, such as ["one", "two"]',
    "tuple_type": 'must be a list, such as ["one", "two"]',
    "dict_type": "must be a section of its own: [name]",
    "model_type": "must be a section of its own: [name]",
    "model_attributes_type": "must be a section of its own: [name]",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_CHOICES = {"literal_error", "enum", "union_tag_invalid"}


def words_for(kind: str, context: Mapping[str, Any], otherwise: str) -> str:
    """Say what is wrong with a value.

    Args:
        kind: pydantic's name of the error.
        context: what pydantic tells besides, such as a bound.
        otherwise: pydantic's own words, for kinds that are not known here.
    """
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"must be {words} {context[bound]}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _CHOICES:
        choices = str(context.get("expected") or context.get("expected_tags")).replace("'", '"')
        return f"must be one of {choices.replace(' or ', ', ')}"
    return otherwise[:1].lower() + otherwise[1:]


def closest(name: str, known: Iterable[str]) -> str:
    """Return the setting that a wrong name looks like; empty if there is none."""
    import difflib  # noqa: PLC0415 - only where something is wrong

    return next(iter(difflib.get_close_matches(name.replace("-", "_").lower(), sorted(known), 1)), "")


def unknown_setting(name: str, known: Iterable[str], models: Iterable[object]) -> str:
    """Say that there is no setting of this name, and what to write instead.

    Args:
        name: as the file has it.
        known: the settings that there are at this place.
        models: of that place. Their ``former_settings`` names settings that there were, each with what to write now.
    """
    known = sorted(known)
    former = {was: now for model in models for was, now in getattr(model, "former_settings", {}).items()}
    if name in former:
        return f"there is no such setting any more; {former[name]}"
    if close := closest(name, known):
        return f"there is no such setting; did you mean '{close}'?"
    return f"there is no such setting here; there are: {', '.join(known)}"


_SYNTAX = (
    (
        "Invalid value",
        'the value is not understood; text stands in quotes: name = "text", yes and no are written true and false',
    ),
    ("Unterminated string", "a text lacks its closing quote"),
    ("Illegal character", "a text lacks its closing quote, or holds a control character"),
    ("Unescaped", r"a backslash in a text is written twice (\\), or the text stands in 'single quotes'"),
    ("Cannot overwrite", "a setting or section is written twice; keep one"),
    ("Cannot declare", "a section is written twice; keep one"),
    ("Duplicate inline table key", "a setting is written twice; keep one"),
    ("Expected '='", "a setting is written: name = value"),
    ("Expected ']'", "a section is written: [name]"),
    ("Unclosed", "a bracket is not closed"),
)
"""How :mod:`tomllib` begins its message, and what it means."""

_PASTED = (
    ("\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019", "the quotation marks are typographic ones; type straight ones"),
    ("\u00a0\u2007\u202f\u200b\ufeff", "there is a blank that is none, as web pages hold them; type it anew"),
)
"""Characters that come with text pasted from a web page or a word processor."""


def not_toml(error: tomllib.TOMLDecodeError, text: str, file: Path) -> Problem:
    """Explain a text that is no TOML; tomllib tells the place only within its message."""
    said = str(error)
    found = re.search(r"at line (\d+)", said)
    line = int(found[1]) if found else text.rstrip().count("\n") + 1
    written = (text.splitlines() or [""])[min(line, text.count("\n") + 1) - 1]
    for characters, meaning in _PASTED:
        if set(characters) & set(written):
            return Problem(file, line, "", f"this is not TOML: {meaning}")
    for start, meaning in _SYNTAX:
        if said.startswith(start):
            return Problem(file, line, "", f"this is not TOML: {meaning}")
    return Problem(file, line, "", "this is not TOML; see https://toml.io for how it is written")


def classes_in(annotation: Any, kind: type[_T]) -> Iterator[type[_T]]:
    """Yield the subclasses of ``kind`` that an annotation mentions: in a union, a list, a mapping or ``Annotated``."""
    if isinstance(annotation, type) and issubclass(annotation, kind):
        yield annotation
    for argument in get_args(annotation):
        yield from classes_in(argument, kind)
