"""A proposal: changes of some settings, what they make of the file, what is wrong with that, what differs.

A secret that is to be set goes into a file of its own; the configuration names that file. To check it, it stands in the
text instead, which nobody sees.

A secret that stays goes only where it went: who changes its receiver has to know it.

This module does not know who proposes, and writes nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from nes2mqtt.config.described import Kind, Setting
from nes2mqtt.config.problems import Found, found_in
from nes2mqtt.config.settings import Config
from nes2mqtt.setup.changes.places import Place, UnknownError, here_only, is_secret, place_of, sends_to
from nes2mqtt.setup.changes.toml_edit import GONE, EditError, Step, applied, edited, literal
from servicekit.toml_lines import Path, key_lines, line_of

__all__ = ["Asked", "Line", "MalformedError", "Proposal", "propose", "read_changes"]

_MOST_CHANGES = 200
_MOST_TEXT = 2000
_MOST_MEMBERS = 400
_LOCAL = ("serial:", "optical:/", "/")
"""How addresses begin that lead to no other computer."""
_PASSWORD: Path = ("web", "password")


class _Typed(str):
    """A secret that was typed just now. Known by what it is, not by what it says: else whoever guesses could see here that he is right."""

    __slots__ = ()


class MalformedError(ValueError):
    """What was sent is no list of changes. The text repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One change that somebody asks for."""

    place: Place
    value: object = field(repr=False)
    """As JSON has it; None: it goes away."""


@dataclass(frozen=True, slots=True)
class Line:
    """What differs, as the file has it. No secret is in it."""

    path: Path
    line: int | None
    """Where it stands now."""
    before: str
    """Empty where it was not there."""
    after: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would become of the file."""

    problems: tuple[Found, ...]
    """Why it cannot be taken; empty when it can."""
    text: str = field(default="", repr=False)
    """The new file."""
    files: Mapping[File, str] = field(default_factory=dict, repr=False)
    """The new secrets."""
    lines: tuple[Line, ...] = ()
    config: Config | None = field(default=None, repr=False)


def read_changes(sent: object) -> list[Asked]:
    """Read what somebody sent: ``[{"path": ["web", "listen"], "value": "0.0.0.0:8099"}]``.

    Raises:
        MalformedError: it is something else.
    """
    if not isinstance(sent, list) or len(sent) > _MOST_CHANGES:
        raise MalformedError("send a list of changes")
    asked = []
    for one in sent:
        path = one.get("path") if isinstance(one, dict) else None
        if not isinstance(path, list) or set(one) != {"path", "value"} or not 0 < len(path) <= 8:  # noqa: PLR2004
            raise MalformedError("each change has a path and a value")
        try:
            asked.append(Asked(place_of(tuple(path)), one["value"]))
        except (UnknownError, TypeError):
            raise MalformedError("there is no such setting") from None
    return asked


def propose(
    text: str,
    asked: Sequence[Asked],
    new_secret: Callable[[str], File],
    hashed: Callable[[str], str] = lambda text: text,
) -> Proposal:
    """Work out what changes make of a text.

    Args:
        text: the file as it is, TOML.
        asked: the changes.
        new_secret: gives a place for a secret, by the name that its file should have; never where something is.
        hashed: makes the hash that is kept of the page's password.
    """
    data = tomllib.loads(text)
    problems = [*_not_allowed(asked), *_malformed(asked)]
    if problems:
        return Proposal(tuple(problems))
    asked = [one for one in asked if one.value is not None or _at(data, one.place.path) is not None]
    files: dict[File, str] = {}
    steps, checked = [], []
    for one in asked:
        value = GONE if one.value is None else _value(one)
        is_typed = value is not GONE and one.place.setting is not None and is_secret(one.place.setting)
        checked.append(Step(one.place.path, _Typed(value) if is_typed else value))
        if is_typed:
            secret = hashed(str(value)) if one.place.path == _PASSWORD else str(value)
            file = new_secret(_file_name(one.place.path))
            while file in files:
                file = file.with_name(f"{file.stem}-next{file.suffix}")
            files[file] = f"{secret}\n"
            value = {"file": str(file)}
        steps.append(Step(one.place.path, value))
    try:
        new = edited(text, steps)
        meant = applied(data, checked)
    except EditError:
        return Proposal((_found((), "written_otherwise"),))
    try:
        config = Config.model_validate(meant)
    except ValidationError as error:
        return Proposal(tuple(found_in(error, Config, meant)))
    kept = tuple(_kept_secrets(data, meant, asked))
    return Proposal(kept, new, files, tuple(_lines(text, data, steps)), config)


_WORDS = {
    "written_otherwise": "the file is written in a way that cannot be changed here; change it with an editor",
    "here_only": "this names a file or a program of the computer; change it there, in the file",
    "page_needs_password": "the page's settings are changed with its password; take it away in the file only",
    "not_text": "must be one line of ordinary text",
    "not_a_value": "must be text, a number, true or false, or a list of them",
    "type_again": "type it again: what it is sent to changes, and a secret goes only where it went before",
}


def _found(path: Path, kind: str) -> Found:
    return Found(path, _WORDS[kind], kind, {})


def _not_allowed(asked: Sequence[Asked]) -> Iterator[Found]:
    for one in asked:
        setting, path = one.place.setting, one.place.path
        if (setting is not None and here_only(setting)) or (path[-1] == "kind" and one.value == "command"):
            yield _found(path, "here_only")
        elif one.value is None and path in {_PASSWORD, ("web",)}:
            yield _found(path, "page_needs_password")


def _malformed(asked: Sequence[Asked]) -> Iterator[Found]:
    for one in asked:
        setting = one.place.setting
        if one.value is None:
            continue
        if setting is None:
            yield _found(one.place.path, "not_a_value")
        elif is_secret(setting) and not (isinstance(one.value, str) and one.value and _is_line(one.value)):
            yield _found(one.place.path, "not_text")
        elif not _is_value(one.value):
            kind = "not_text" if isinstance(one.value, str) else "not_a_value"
            yield _found(one.place.path, kind)


def _is_line(text: str) -> bool:
    return len(text) <= _MOST_TEXT and text.isprintable()


def _is_value(value: object, deep: int = 0) -> bool:
    if isinstance(value, str):
        return _is_line(value)
    if isinstance(value, list):
        return deep < 2 and len(value) <= _MOST_MEMBERS and all(_is_value(one, deep + 1) for one in value)  # noqa: PLR2004
    return isinstance(value, bool | int | float) and abs(value) < 2**53


def _value(one: Asked) -> object:
    """Return a value as TOML has it: a day stands without quotes."""
    setting, value = one.place.setting, one.value
    if setting is not None and setting.kind is Kind.DAY:
        return [_day(each) for each in value] if isinstance(value, list) else _day(value)
    if setting is not None and setting.kind is Kind.WHOLE and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _day(value: object) -> object:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return value  # who checks the file says what is wrong


def _file_name(path: Path) -> str:
    """Return the name of a secret's file. Of what was sent only a meter's id is in it, which is letters, digits and ``_``."""
    if path[0] == "meters":
        return f"{path[1]}.{path[-1]}"
    return "-".join(step for step in path if isinstance(step, str))


def _at(data: Any, path: Path) -> Any:
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _secrets_at(data: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where secrets stand."""
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in members:
        here = (*path, step)
        try:
            place = place_of(here)
        except UnknownError:
            yield from _secrets_at(value, here)
            continue
        if place.setting is None:
            yield from _secrets_at(value, here)
        elif is_secret(place.setting):
            yield here


def _kept_secrets(before: Mapping[str, Any], after: Mapping[str, Any], asked: Sequence[Asked]) -> Iterator[Found]:
    """Yield each secret that would go elsewhere and was not typed."""
    gone = any(one.value is None and isinstance(one.place.path[-1], int) for one in asked)
    had = [_receiver(before, path) for path in _secrets_at(before)]
    for path in _secrets_at(after):
        if isinstance(_at(after, path), _Typed):  # not by where it is: another one may have come to this place
            continue
        where = _receiver(after, path)
        # Where a section went away the ones behind it have other numbers: then it is enough that one went there.
        if where != _receiver(before, path) and not (gone and where in had):
            yield _found(path, "type_again")


def _receiver(data: Mapping[str, Any], path: Path) -> object:
    """Return to whom a secret goes, with the secret's own place; an adapter of this computer is nobody else."""
    values = {one[-1]: _at(data, one) for one in sends_to(path)}
    port = values["port"]
    if path[0] == "meters" and isinstance(port, str) and port.strip().startswith(_LOCAL):
        values["port"] = "here"
    return [values, _at(data, path)]


def _lines(text: str, data: Mapping[str, Any], steps: Sequence[Step]) -> Iterator[Line]:
    numbers = key_lines(text)
    for step in steps:
        place = place_of(step.path)
        before = _at(data, step.path)
        line = line_of({step.path: numbers[step.path]}, step.path) if step.path in numbers else None
        yield Line(
            step.path,
            line,
            _written(place.setting, step.path, before, hide=True),
            _written(place.setting, step.path, step.value, hide=False),
        )


def _written(setting: Setting | None, path: Path, value: object, *, hide: bool) -> str:
    """Write a line of the file; of a secret that was there before not even where it is: some write it there."""
    if value is None or value is GONE:
        return ""
    if setting is None:
        name = ".".join(step for step in path if isinstance(step, str))
        return f"[[{name}]]" if isinstance(path[-1], int) else f"[{name}]"
    if (hide and is_secret(setting)) or here_only(setting):
        return f"{setting.name} = ..."
    try:
        return f"{setting.name} = {literal(value)}"
    except EditError:
        return f"{setting.name} = ..."
