"""The settings as they are shown: every section and setting, what it is set to, its default, what it means.

Of a secret only whether it is set, and in what way, is shown: not even the name of its place, because some write the secret there.

This module does not know who looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path as File
from typing import Any

from pydantic import BaseModel

from nes2mqtt.config.described import Kind, Part, Places, Setting, documentation, parts_of, settings_of
from nes2mqtt.config.settings import Config
from nes2mqtt.setup.changes.places import here_only, is_secret, models_after
from servicekit.toml_lines import Path

__all__ = ["LANGUAGES", "sections", "translations"]

LANGUAGES = ("en", "da", "de")
_FIRST: Mapping[Places, Path] = {Places.ONE: (), Places.MANY: (0,), Places.BY_ID: ("",)}
_NAMES = {"env": "environment", "file": "file", "credential": "credential"}


@cache
def translations(language: str) -> Mapping[str, str]:
    """Return the explanations in a language, by the key of the setting or section; of English there are none."""
    if language == "en":
        return {}
    texts = json.loads((File(__file__).parents[1] / "static" / "settings.json").read_text("utf-8"))
    return {key: words[language] for key, words in texts.items()}


def sections(data: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """Return all sections that there are and could be, in the order of the models.

    Args:
        data: the file, as tomllib read it.
        language: of the explanations.
    """
    texts = translations(language)
    return [_section((), (Config,), data, texts, there=True), *_within((), (Config,), data, texts)]


def _within(
    path: Path, models: tuple[type[BaseModel], ...], data: Mapping[str, Any], texts: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for part in (one for model in models for one in parts_of(model)):
        here = data.get(part.name)
        inside = (*path, part.name)
        for member, found in _members(part, here):
            at = inside if member is None else (*inside, member)
            models_here = models_after(part, found.get("kind"))
            section = _section(at, models_here, found, texts, there=member is not None or here is not None)
            if member is None and here is None and part.optional:
                section["absent"] = True
            section["removable"] = part.optional and not section["absent"] and at != ("web",)
            yield section
            if section["absent"]:
                yield from _absent_within(at, models_here, texts)
            else:
                yield from _within(at, models_here, found, texts)
        if part.places is not Places.ONE:
            number = len(here) if isinstance(here, list) else 0
            yield from _absent((*inside, number if part.places is Places.MANY else ""), part, texts)


def _absent(path: Path, part: Part, texts: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield a section that could be, and those that could be in it."""
    yield _section(path, part.models, {}, texts, there=False) | {"absent": True}
    yield from _absent_within(path, part.models, texts)


def _absent_within(
    path: Path, models: tuple[type[BaseModel], ...], texts: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for part in (one for model in models for one in parts_of(model)):
        yield from _absent((*path, part.name, *_FIRST[part.places]), part, texts)


def _members(part: Part, here: Any) -> Iterator[tuple[str | int | None, Mapping[str, Any]]]:
    if part.places is Places.ONE:
        yield None, here if isinstance(here, dict) else {}
    elif part.places is Places.BY_ID and isinstance(here, dict):
        yield from ((name, one if isinstance(one, dict) else {}) for name, one in here.items())
    elif part.places is Places.MANY and isinstance(here, list):
        yield from ((number, one if isinstance(one, dict) else {}) for number, one in enumerate(here))


def _section(
    path: Path, models: tuple[type[BaseModel], ...], data: Mapping[str, Any], texts: Mapping[str, str], *, there: bool
) -> dict[str, Any]:
    fields: dict[str, dict[str, Any]] = {}
    for setting in (one for model in models for one in settings_of(model)):
        shown = _field(setting, data, texts)
        if setting.name in fields and setting.choices:
            fields[setting.name]["choices"] += shown["choices"]
        else:
            fields.setdefault(setting.name, shown)
    if len(models) > 1:  # which of them it becomes is not chosen yet: a program cannot be
        _without_programs(fields)
    model = models[0]
    return {
        "path": list(path),
        "about": texts.get(model.__name__, documentation(model)) if len(models) == 1 and path else "",
        "kind": model.__name__,
        "there": there,
        "absent": False,
        "removable": False,
        "fields": list(fields.values()),
    }


def _without_programs(fields: dict[str, dict[str, Any]]) -> None:
    for name in ("command", "timeout"):
        fields.pop(name, None)
    kind = fields["kind"]
    kind["choices"] = [choice for choice in kind["choices"] if choice != "command"]
    for name, field in fields.items():
        field["required"] = name == "kind"


def _field(setting: Setting, data: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    written = data.get(setting.name)
    secret = is_secret(setting)
    return {
        "name": setting.name,
        "kind": setting.kind.value,
        "row": setting.row,
        "choices": list(setting.choices),
        "bounds": dict(setting.bounds),
        "required": setting.required,
        "optional": setting.optional,
        "default": setting.default,
        "set": written is not None,
        "value": None if secret or setting.name == "command" else _shown(setting, written),
        "where": _where(written) if secret and written is not None else "",
        "here_only": here_only(setting),
        "meaning": texts.get(setting.key, setting.meaning),
    }


def _where(written: Any) -> str:
    """Tell where a secret is."""
    if isinstance(written, dict) and len(written) == 1:
        return _NAMES.get(next(iter(written)), "configuration")
    return "configuration"


_TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.NUMBER: (int, float),
    Kind.WHOLE: (int, float),
    Kind.SWITCH: (bool,),
    Kind.DAY: (date, str),
}


def _shown(setting: Setting, written: Any) -> Any:
    """Return a value as JSON; nothing of one that is of another kind than it should be, as it may be anything."""
    if isinstance(written, list) and setting.row:
        return [_shown(setting, one) for one in written]
    if isinstance(written, bool) != (setting.kind is Kind.SWITCH):
        return None
    if not isinstance(written, _TYPES.get(setting.kind, (str,))):
        return None
    return written.isoformat() if isinstance(written, date) else written
