"""What is wrong with a configuration, as lines that a person can act on: the line, the setting, what to write instead.

pydantic tells the place of an error as a path and its kind as a word. Here the path becomes a line of the file and the
setting's name as the file writes it, and the kind becomes a sentence. A value of the file is never repeated: any of them
may be a secret in the wrong place.

This module does not know which settings there are; it asks the models of :mod:`piprint.config.settings`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from piprint.config.settings import Config
from piprint.errors import ConfigError

__all__ = ["ConfigProblems", "Problem", "SettingPath", "dotted", "key_lines", "not_toml", "problems_at", "problems_of"]

SettingPath = tuple[str | int, ...]
"""Where a setting stands: names of sections and settings, and numbers within lists."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes:
        line: in the file, from 1; None for the file as a whole.
        setting: as the file writes it, such as ``business_central.login.tenant``; "" for the file as a whole.
        message: what is wrong and what to write instead.
    """

    line: int | None
    setting: str
    message: str


class ConfigProblems(ConfigError):
    """The file cannot be used; :attr:`problems` says why, all at once, in the order of the file."""

    def __init__(self, file: Path, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(self._line(problem) for problem in problems))

    def _line(self, problem: Problem) -> str:
        place = f"{self.file}:{problem.line}" if problem.line is not None else str(self.file)
        return f"{place}: {problem.setting}: {problem.message}" if problem.setting else f"{place}: {problem.message}"


def problems_of(error: ValidationError, text: str) -> list[Problem]:
    """Turn what pydantic found into problems, in the order of the file and each said once."""
    return problems_at(_explain(error.errors(include_url=False, include_input=False)), text)


def problems_at(found: Iterable[tuple[SettingPath, str]], text: str) -> list[Problem]:
    """Turn settings and what is wrong with each into problems, in the order of the file and each said once."""
    lines = key_lines(text)
    problems = {Problem(_line_of(lines, path), dotted(path), message): None for path, message in found}
    return sorted(problems, key=lambda problem: problem.line or 0)


# --- where a setting stands ---------------------------------------------------------------------------------------------


def key_lines(text: str) -> dict[SettingPath, int]:
    """Return the line (from 1) on which each key of a TOML text begins.

    A key begins on the first line that :mod:`tomllib` needs to know of it: the text is read up to each line's end. Where
    that is no TOML yet, inside a value of several lines, the next lines belong to the same beginning.
    """
    lines: dict[SettingPath, int] = {}
    written = text.splitlines(keepends=True)
    begin = 0
    for end, line in enumerate(written, 1):
        if begin == end - 1 and line.lstrip()[:1] in {"", "#"}:
            begin = end
            continue
        try:
            data = tomllib.loads("".join(written[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(data):
            lines.setdefault(path, begin + 1)
        begin = end
    return lines


def _paths(data: Any, base: SettingPath = ()) -> Iterator[SettingPath]:
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(data, dict):
        members = data.items()
    elif isinstance(data, list):
        members = enumerate(data)
    for step, value in members:
        path = (*base, step)
        yield path
        yield from _paths(value, path)


def _line_of(lines: Mapping[SettingPath, int], path: SettingPath) -> int | None:
    """Return the line of a key, or of the nearest section around it that is written."""
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), None)


def dotted(path: SettingPath) -> str:
    """Return a setting's name as people say it: ``business_central.login.tenant``."""
    return ".".join(step for step in path if isinstance(step, str))


# --- what is wrong with it ----------------------------------------------------------------------------------------------

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
    "path_type": 'must be a path in quotes, such as "/etc/piprint/file"',
    "tuple_type": 'must be a list, such as ["A4", "A5"]',
    "dict_type": "must be a section of its own: [name]",
    "model_type": "must be a section of its own: [name]",
    "model_attributes_type": "must be a section of its own: [name]",
    "string_too_short": "must not be empty",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_SECTION_LISTS = {"printers", "rules"}


def not_toml(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    """Explain a text that is no TOML; tomllib tells the place only within its message."""
    reason, _, place = str(error).partition(" (at ")
    words = place.replace(",", "").replace(")", "").split()
    line = int(words[1]) if words[:1] == ["line"] else max(1, len(text.rstrip("\n").splitlines()))
    hint = ""
    if reason == "Invalid value":
        hint = "; text belongs in quotes, yes and no are written true and false"
    elif reason.startswith("Unescaped"):
        hint = r"; write a backslash as \\, or use 'single quotes'"
    elif reason.startswith("Cannot"):
        hint = "; the same section or setting stands here a second time"
    return Problem(line, "", f"this is not TOML ({reason[:1].lower() + reason[1:]}){hint}")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _follow(location: Sequence[str | int]) -> tuple[SettingPath, type[BaseModel] | None]:
    """Turn pydantic's place of an error into the file's.

    Returns:
        the path as the file has it, and the model its last name is (or should be) a field of. Of a section that has
        several kinds, pydantic names the kind as a step of its own, which the file does not have.
    """
    path: list[str | int] = []
    model: type[BaseModel] | None = Config
    owner = model
    kinds: dict[str, type[BaseModel]] = {}
    for step in location:
        if kinds and step in kinds:
            model, kinds = kinds[str(step)], {}
            continue
        path.append(step)
        if isinstance(step, int):
            continue
        owner, field = model, model.model_fields.get(step) if model else None
        models = list(_models_in(field.annotation)) if field else []
        if field is not None and field.discriminator:
            kinds = {each.model_fields[str(field.discriminator)].default: each for each in models}
        model = models[0] if models else None
    return tuple(path), owner


def _explain(errors: Sequence[ErrorDetails]) -> list[tuple[SettingPath, str]]:
    """Say what is wrong where; a setting is not called missing when it stands there with a slip of the pen."""
    followed = [(error, *_follow(error["loc"])) for error in errors]
    meant = {
        (*path[:-1], _close(str(path[-1]), owner))
        for error, path, owner in followed
        if error["type"] == "extra_forbidden"
    }
    return [
        (path, _message(error, path, owner))
        for error, path, owner in followed
        if error["type"] != "missing" or path not in meant
    ]


def _message(error: ErrorDetails, path: SettingPath, owner: type[BaseModel] | None) -> str:
    kind, context = error["type"], error.get("ctx", {})
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return _unknown(name, owner)
    if kind == "missing":
        return _missing(name, owner)
    if kind == "tuple_type" and name in _SECTION_LISTS:
        return f"must be written with two brackets: [[{name}]]"
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"must be {words} {context[bound]}"
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "union_tag_invalid"}:
        choices = str(context.get("expected") or context.get("expected_tags")).replace("'", '"')
        return f"must be one of {choices.replace(' or ', ', ')}"
    if kind == "union_tag_not_found":
        return 'says no kind; add the line kind = "secret" (or "certificate", or "basic")'
    return error["msg"][:1].lower() + error["msg"][1:]


def _close(name: str, owner: type[BaseModel] | None) -> str:
    """Return the setting that a wrong name looks like; "" when there is none."""
    return next(
        iter(difflib.get_close_matches(name.replace("-", "_").lower(), list(owner.model_fields) if owner else [], 1)),
        "",
    )


def _unknown(name: str, owner: type[BaseModel] | None) -> str:
    close = _close(name, owner)
    if close:
        return f"there is no such setting; did you mean {close}?"
    return f"there is no such setting here; there are: {', '.join(owner.model_fields if owner else ())}"


_EXAMPLES = {
    "tenant": '"contoso.onmicrosoft.com"',
    "client_id": '"the application (client) id"',
    "secret": '{ file = "/etc/piprint/client-secret" }',
    "password": '{ file = "/etc/piprint/password" }',
    "username": '"PRINT"',
    "certificate": '"/etc/piprint/certificate.pem"',
    "key": '"/etc/piprint/key.pem"',
    "id": '"the queue\'s name"',
}


def _missing(name: str, owner: type[BaseModel] | None) -> str:
    field = owner.model_fields.get(name) if owner else None
    if field is not None and any(_models_in(field.annotation)):
        section = "business_central.login" if name == "login" else name
        return f"is missing; add a section [{section}], or begin anew with: piprint init"
    return f"is missing; add a line: {name} = {_EXAMPLES.get(name, '...')}"
