"""Every setting, told by its model: its name in the file, what it takes, its default, what it means.

``docs/reference/settings.md`` and the settings of the page are made of this. What a setting means stands once, below its
field in the model.

This module does not know what any setting is set to.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from nes2mqtt.config.later import type_of
from nes2mqtt.host.secret import Secret

__all__ = ["Kind", "Part", "Places", "Setting", "descriptions", "documentation", "parts_of", "settings_of"]


class Kind(StrEnum):
    """What a setting takes."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    SWITCH = "switch"
    CHOICE = "choice"
    DAY = "day"
    SHARE = "share"
    ZONE = "zone"
    PATH = "path"
    SECRET = "secret"  # noqa: S105 - a word


class Places(StrEnum):
    """How often a section may stand in its place."""

    ONE = "one"
    MANY = "many"
    """As ``[[name]]``."""
    BY_ID = "by_id"
    """As ``[name.ID]``."""


_KINDS: Mapping[object, Kind] = {
    str: Kind.TEXT,
    float: Kind.NUMBER,
    int: Kind.WHOLE,
    bool: Kind.SWITCH,
    Path: Kind.PATH,
    Secret: Kind.SECRET,
    date: Kind.DAY,
    Decimal: Kind.SHARE,
    ZoneInfo: Kind.ZONE,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    """As the file has it."""
    field: str
    """As the model has it."""
    model: type[BaseModel]
    info: FieldInfo
    kind: Kind
    """What it takes; of a list, each member."""
    row: int
    """0: one value; 1: a list of them; more: a list of rows of so many."""
    choices: tuple[str, ...]
    bounds: tuple[tuple[str, float], ...]
    """Such as ``("ge", 1)``."""
    optional: bool
    """It may be left out although it has no default."""

    @property
    def required(self) -> bool:
        """Tell whether it must be given."""
        return self.info.is_required()

    @property
    def default(self) -> Any:
        """Return its default as the file would have it; None where it has none, or none that is always the same."""
        found = self.info.default
        if found is PydanticUndefined or found is None:
            return None
        if isinstance(found, Decimal):
            return f"{found * 100:f} %"
        if isinstance(found, tuple):
            return [each if isinstance(each, int) else str(each) for each in found]
        return found if isinstance(found, bool | int | float) else str(found)

    @property
    def key(self) -> str:
        """Return where its explanation stands in the catalogue of translations: ``MeterConfig.port``."""
        return next(
            f"{one.__name__}.{self.field}" for one in self.model.__mro__ if self.field in inspect.get_annotations(one)
        )

    @property
    def meaning(self) -> str:
        """Return what it means, with names of settings between backquotes."""
        return descriptions(self.model)[self.field]


@dataclass(frozen=True, slots=True)
class Part:
    """A section within another one, or within the file."""

    name: str
    """As the file has it."""
    models: tuple[type[BaseModel], ...]
    """More than one where a setting of it says which it is."""
    places: Places
    optional: bool
    """Without it something is off."""
    info: FieldInfo


def documentation(model: type[BaseModel]) -> str:
    """Return what a section is, in one line."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").replace("``", "`").split())


@cache
def descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the docstring below each field of a model, those it inherits first."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _own_descriptions(one)
    return found


def _own_descriptions(model: type[BaseModel]) -> dict[str, str]:
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - it is the source of a class
    found = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            text = inspect.cleandoc(str(following.value.value))
            found[statement.target.id] = " ".join(text.replace("``", "`").split())
    return found


def settings_of(model: type[BaseModel]) -> Iterator[Setting]:
    """Yield every setting of a section that is not a section of its own."""
    for field, info in model.model_fields.items():
        if not _models(type_of(info)):
            kind, row, choices = _kind(type_of(info))
            optional = type(None) in get_args(type_of(info))
            yield Setting(info.alias or field, field, model, info, kind, row, choices, tuple(_bounds(info)), optional)


def parts_of(model: type[BaseModel]) -> Iterator[Part]:
    """Yield every section within a section."""
    for field, info in model.model_fields.items():
        models = _models(type_of(info))
        if models:
            origins = {get_origin(each) for each in _within(type_of(info))}
            places = Places.BY_ID if dict in origins else Places.MANY if tuple in origins else Places.ONE
            optional = info.default is None or places is not Places.ONE
            yield Part(info.alias or field, models, places, optional, info)


def _within(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _within(part)


def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    return tuple(part for part in _within(annotation) if isinstance(part, type) and issubclass(part, BaseModel))


def _kind(annotation: Any) -> tuple[Kind, int, tuple[str, ...]]:
    """Return what may be written: the kind, whether it is a list of that, the choices there are."""
    origin = get_origin(annotation)
    arguments: Sequence[Any] = [part for part in get_args(annotation) if part not in (type(None), Ellipsis)]
    if annotation in _KINDS:
        return _KINDS[annotation], 0, ()
    if origin is Literal:
        return Kind.CHOICE, 0, tuple(map(str, arguments))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Kind.CHOICE, 0, tuple(map(str, annotation))
    if origin in (Union, types.UnionType):
        return _kind(arguments[0])
    if origin in (tuple, list):
        kind, row, choices = _kind(arguments[0])
        several = len(arguments)
        return kind, max(1, row, several), choices
    # Annotated[...]; what is none of these is read from text, such as "22:00-07:00".
    return _kind(arguments[0]) if arguments else (Kind.TEXT, 0, ())


def _bounds(info: FieldInfo) -> Iterator[tuple[str, float]]:
    for limit in info.metadata:
        match limit:
            case annotated_types.Ge(ge=bound):
                yield "ge", float(bound)  # type: ignore[arg-type] # a number, as the setting is one
            case annotated_types.Gt(gt=bound):
                yield "gt", float(bound)  # type: ignore[arg-type]
            case annotated_types.Le(le=bound):
                yield "le", float(bound)  # type: ignore[arg-type]
            case _:
                pass
