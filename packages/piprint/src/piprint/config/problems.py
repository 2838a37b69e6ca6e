"""What is wrong with a configuration, as lines that a person can act on: the line, the setting, what to write instead.

pydantic tells the place of an error as a path and its kind as a word. Here the path becomes a line of the file and the
setting's name as the file writes it, and the kind becomes a sentence. A value of the file is never repeated: any of them
may be a secret in the wrong place.

This module does not know which settings there are; it asks the models of :mod:`piprint.config.settings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from piprint.config.settings import Config
from piprint.errors import ConfigError
from servicekit.problems import Problem, classes_in, closest, problems_at, unknown_setting, words_for
from servicekit.toml_lines import Path as SettingPath

__all__ = ["ConfigProblems", "problems_of"]


class ConfigProblems(ConfigError):
    """The file cannot be used; :attr:`problems` says why, all at once, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


def problems_of(error: ValidationError, text: str, file: Path) -> list[Problem]:
    """Turn what pydantic found into problems, in the order of the file and each said once."""
    return problems_at(_explain(error.errors(include_url=False, include_input=False)), text, file)


_SECTION_LISTS = {"printers", "rules"}


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
        models = list(classes_in(field.annotation, BaseModel)) if field else []
        if field is not None and field.discriminator:
            kinds = {each.model_fields[str(field.discriminator)].default: each for each in models}
        model = models[0] if models else None
    return tuple(path), owner


def _explain(errors: Sequence[ErrorDetails]) -> list[tuple[SettingPath, str]]:
    """Say what is wrong where; a setting is not called missing when it stands there with a slip of the pen."""
    followed = [(error, *_follow(error["loc"])) for error in errors]
    meant = {
        (*path[:-1], closest(str(path[-1]), owner.model_fields if owner else ()))
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
        return unknown_setting(name, owner.model_fields if owner else (), [owner])
    if kind == "missing":
        return _missing(name, owner)
    if kind == "tuple_type" and name in _SECTION_LISTS:
        return f"must be written with two brackets: [[{name}]]"
    if kind == "union_tag_not_found":
        return 'says no kind; add the line kind = "secret" (or "certificate", or "basic")'
    return words_for(kind, context, error["msg"])


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
    if field is not None and any(classes_in(field.annotation, BaseModel)):
        section = "business_central.login" if name == "login" else name
        return f"is missing; add a section [{section}], or begin anew with: piprint init"
    return f"is missing; add a line: {name} = {_EXAMPLES.get(name, '...')}"
