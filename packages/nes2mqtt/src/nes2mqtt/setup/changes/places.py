"""Which setting a path of the file is, and whether it may be changed from afar.

Who has the page's password is not thereby who has the computer: what names a file or a program of it is changed there.

This module does not know what any setting is set to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from nes2mqtt.config.described import Kind, Part, Places, Setting, parts_of, settings_of
from nes2mqtt.config.settings import Config
from servicekit.toml_lines import Path

__all__ = ["Place", "UnknownError", "here_only", "is_secret", "models_after", "place_of", "sends_to"]

_ID = re.compile(r"[a-z0-9_]{1,40}")
_MOST_MEMBERS = 10_000

_SENDS_TO = ("host", "port", "url", "address", "source", "tls", "encryption", "header")
"""What says, in a section with a secret, where that is sent, and how."""


class UnknownError(ValueError):
    """There is no setting and no section at a path."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path leads to."""

    path: Path
    setting: Setting | None
    part: Part | None
    """Of a section as a whole."""


def place_of(path: Path) -> Place:
    """Return what a path leads to.

    Raises:
        UnknownError: nothing of ours.
    """
    models: Sequence[type[BaseModel]] = [Config]
    position = 0
    while position < len(path):
        name = path[position]
        rest = len(path) - position - 1
        for setting in (one for model in models for one in settings_of(model)):
            if setting.name == name and not rest:
                return Place(path, setting, None)
        part = next((one for model in models for one in parts_of(model) if one.name == name), None)
        if part is None:
            raise UnknownError("there is no such setting")
        position += 1
        if part.places is not Places.ONE:
            if position == len(path) or not _is_member(part, path[position]):
                raise UnknownError("there is no such section")
            position += 1
        if position == len(path):
            return Place(path, None, part)
        models = part.models
    raise UnknownError("there is no such setting")


def _is_member(part: Part, step: str | int) -> bool:
    if part.places is Places.BY_ID:
        return isinstance(step, str) and _ID.fullmatch(step) is not None
    return isinstance(step, int) and not isinstance(step, bool) and 0 <= step < _MOST_MEMBERS


def models_after(part: Part, kind: object) -> tuple[type[BaseModel], ...]:
    """Return the models of a section whose setting ``kind`` says which it is; all of them when it does not say."""
    said = [
        model
        for model in part.models
        for setting in settings_of(model)
        if setting.name == "kind" and kind in setting.choices
    ]
    return tuple(said) or part.models


def is_secret(setting: Setting) -> bool:
    """Tell whether a setting never comes back out."""
    return setting.kind is Kind.SECRET


def here_only(setting: Setting) -> bool:
    """Tell whether a setting is changed on the computer itself: it names a file or a program of it."""
    return setting.kind is Kind.PATH or setting.name == "command"


def sends_to(path: Path) -> tuple[Path, ...]:
    """Return what decides to whom a secret goes, given where the secret stands: paths of settings, or of sections."""
    return tuple((*path[:-1], name) for name in _SENDS_TO)
