"""Turn what is wrong with a configuration into lines that a person can act on.

pydantic tells the place of an error as a path and its kind as a word; this module finds the
line in the file, the field as the file writes it, and says what to write instead. It never
shows a value of the file: any of them may be a secret in the wrong place.

This module does not know which settings there are; it asks the models.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from nes2mqtt.config import toml_lines

__all__ = ["ConfigError", "Problem", "problems_of"]


_KEY_ITSELF = "[key]"
"""pydantic's last step when the name of a section is wrong, not what is in it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    file: Path
    line: int | None
    field: str
    """As the file writes it: ``meters.house.port``; empty for the file as a whole."""
    message: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; :attr:`problems` says why, all at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def _models_in(annotation: Any) -> Iterable[type[BaseModel]]:
    """Yield the models an annotation mentions: in a union, a list, a mapping or ``Annotated``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _settings(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by the name they have in the file."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _models_at(root: type[BaseModel], path: Sequence[str | int]) -> list[type[BaseModel]]:
    """Return the models that may stand at a path; more than one in a union."""
    models = [root]
    for step in path:
        below = [
            found
            for model in models
            if step in _settings(model)
            for found in _models_in(_settings(model)[str(step)].annotation)
        ]
        models = below or models  # a number, the id of a meter or the tag of a union: still the same models
    return models


def _in_file(data: Mapping[str, Any], location: Sequence[str | int]) -> toml_lines.Path:
    """Return the part of pydantic's path that the file itself has, plus a last key it lacks or has too much."""
    path: list[str | int] = []
    here: Any = data  # of a list pydantic names only members that exist
    for position, step in enumerate(location):
        if step == _KEY_ITSELF and not (isinstance(here, Mapping) and step in here):
            continue
        if isinstance(here, list) or (isinstance(here, Mapping) and step in here):
            here = here[step]  # type: ignore[index] # a number for a list, a name for a table
        elif position < len(location) - 1 or not isinstance(here, Mapping):
            continue  # the tag of a union's branch: no key of the file
        path.append(step)
    return tuple(path)


def _unknown(name: str, models: Iterable[type[BaseModel]]) -> str:
    known = sorted({field for model in models for field in _settings(model)})
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"there is no such setting; did you mean '{close[0]}'?"
    return f"there is no such setting here; there are: {', '.join(known)}"


def _toml(example: str) -> str:
    """Write an example as the file would: in quotes unless it is a value of TOML as it stands."""
    try:
        tomllib.loads(f"x = {example}")
    except tomllib.TOMLDecodeError:
        return f'"{example}"'
    return example


def _missing(name: str, models: Iterable[type[BaseModel]]) -> str:
    for model in models:
        info = _settings(model).get(name)
        if info is not None and info.examples:
            return f"is missing; add a line such as: {name} = {_toml(info.examples[0])}"
    return f"is missing; add a line: {name} = ..."


_TYPES = {
    "string_type": 'must be text in quotes, such as "text"',
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number without quotes",
    "int_parsing": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "float_parsing": "must be a number without quotes",
    "finite_number": "must be an ordinary number",
    "dict_type": "must be a section of its own: [name]",
    "model_type": "must be a section of its own: [name]",
    "model_attributes_type": "must be a section of its own: [name]",
    "list_type": "must be a list: [ ..., ... ]",
    "tuple_type": "must be a list: [ ..., ... ]",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def _message(error: ErrorDetails, path: toml_lines.Path, models: Sequence[type[BaseModel]]) -> str:
    kind = error["type"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(str(path[-1]), models)
    if kind == "missing":
        return _missing(str(path[-1]), models)
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"must be {words} {context[name]}"
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        return f"must be one of {context.get('expected') or context.get('expected_tags')}"
    if kind == "union_tag_not_found":
        discriminator = str(context["discriminator"]).strip("'")
        return f"says no {discriminator}; add the line: {discriminator} = ..."
    return error["msg"][:1].lower() + error["msg"][1:]


def problems_of(
    error: ValidationError, root: type[BaseModel], data: Mapping[str, Any], text: str, file: Path
) -> list[Problem]:
    """Turn a validation error into problems, in the order of the file and each said once.

    Args:
        error: what pydantic found wrong.
        root: the model of the whole file.
        data: the file as tomllib read it.
        text: the file as it is written.
        file: its name, for the messages.
    """
    lines = toml_lines.key_lines(text)
    problems: dict[Problem, None] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path = _in_file(data, detail["loc"])
        field = ".".join(step for step in path if isinstance(step, str))
        message = _message(detail, path, _models_at(root, path[:-1]))
        problems[Problem(file, toml_lines.line_of(lines, path), field, message)] = None
    return sorted(problems, key=lambda problem: problem.line or 0)
