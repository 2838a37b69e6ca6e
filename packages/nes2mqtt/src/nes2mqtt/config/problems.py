"""Turn what is wrong with a configuration into lines that a person can act on.

pydantic tells the place of an error as a path and its kind as a word; this module finds the
line in the file, the field as the file writes it, and says what to write instead. It never
shows a value of the file: any of them may be a secret in the wrong place.

This module does not know which settings there are; it asks the models.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from nes2mqtt.config.later import type_of
from servicekit.problems import Problem, classes_in, problems_at, unknown_setting, words_for
from servicekit.toml_lines import Path as SettingPath

__all__ = ["ConfigError", "Found", "found_in", "problems_of"]


_KEY_ITSELF = "[key]"
"""pydantic's last step when the name of a section is wrong, not what is in it."""


class ConfigError(Exception):
    """The configuration cannot be used; :attr:`problems` says why, all at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


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
            for found in classes_in(type_of(_settings(model)[str(step)]), BaseModel)
        ]
        models = below or models  # a number, the id of a meter or the tag of a union: still the same models
    return models


def _in_file(data: Mapping[str, Any], location: Sequence[str | int]) -> SettingPath:
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


def _message(error: ErrorDetails, path: SettingPath, models: Sequence[type[BaseModel]]) -> str:
    kind = error["type"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_setting(str(path[-1]), {field for model in models for field in _settings(model)}, models)
    if kind == "missing":
        return _missing(str(path[-1]), models)
    if kind == "union_tag_not_found":
        discriminator = str(context["discriminator"]).strip("'")
        return f"says no {discriminator}; add the line: {discriminator} = ..."
    return words_for(kind, context, error["msg"])


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
    return problems_at([(one.path, one.message) for one in found_in(error, root, data)], text, file)


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong, before it is a line for people."""

    path: SettingPath
    """Where it stands, or should."""
    message: str
    kind: str
    """pydantic's name of it."""
    context: Mapping[str, Any]
    """What pydantic tells besides, such as a bound; never what the file says."""


def found_in(error: ValidationError, root: type[BaseModel], data: Mapping[str, Any]) -> list[Found]:
    """Return what is wrong, each said once; the arguments are those of :func:`problems_of`."""
    found: dict[tuple[SettingPath, str], Found] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path = _in_file(data, detail["loc"])
        message = _message(detail, path, _models_at(root, path[:-1]))
        context = {key: value for key, value in detail.get("ctx", {}).items() if key != "error"}
        found.setdefault((path, message), Found(path, message, detail["type"], context))
    return list(found.values())
