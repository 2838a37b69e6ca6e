"""What people may set by a form, of the page and of the access point alike: which settings, what is a value of each, what may be shown.

A setting that stands inside of another one has a name with a dot: ``mqtt.host``. What is not listed here is neither taken nor shown, and of a secret only
that there is one: so no secret can come out because somebody forgot to name it.

This module does not know pages, files or sockets.
"""

from __future__ import annotations

from typing import Any

from nesmodule.board.fields import fields

__all__ = ["BOARDS", "FIELDS", "FORGET", "FormRefused", "shown", "taken"]

_NAME, _TEXT, _NUMBER, _YES, _SECRET, _TOKEN, _KEY, _BOARD = range(8)

BOARDS = ("dabblerdk", "dabblerdk-1.03", "horvat-5v", "horvat-rev2", "ustepper")
"""Names of the boards; their pins are where the program is (``boards.json``), which a module without a program has not."""

FIELDS = (
    ("name", _NAME, 1, 32),
    ("meter", _NAME, 1, 32),
    ("key", _KEY, 1, 128),
    ("encrypt", _YES, 0, 1),
    ("max_power", _NUMBER, 1000, 1_000_000),
    ("board", _BOARD, 1, 32),
    ("wifi_name", _TEXT, 1, 32),
    ("wifi_password", _SECRET, 8, 63),
    ("mqtt.host", _TEXT, 1, 64),
    ("mqtt.port", _NUMBER, 1, 65_535),
    ("mqtt.user", _TEXT, 1, 64),
    ("mqtt.password", _SECRET, 1, 64),
    ("mqtt.base_topic", _TEXT, 1, 64),
    ("values_need_login", _YES, 0, 1),
    ("dabbler", _YES, 0, 1),
    ("tap_token", _TOKEN, 16, 64),
    ("tap_port", _NUMBER, 1, 65_535),
)
"""Of each setting its name, its kind, and the bounds: of a number the least and the greatest, of a text the bytes it may have."""
_SECRETS = (_SECRET, _TOKEN, _KEY)
FORGET = "forget"
"""The field that names a secret which is to be forgotten: an empty secret leaves it as it is."""


class FormRefused(Exception):
    """A value cannot be taken; the text is the setting's name, never its value."""


def shown(values: dict[str, Any]) -> dict[str, Any]:
    """Return what may be shown of settings, by name; ``set`` names the secrets that there are."""
    found: dict[str, Any] = {}
    there: list[str] = []
    for name, kind, _, _ in FIELDS:
        value = _found(values, name)
        if value is not None and kind in _SECRETS:
            there.append(name)
        elif value is not None and not isinstance(value, dict):
            found[name] = value
    found["set"] = there
    return found


def taken(body: bytes) -> dict[str, Any]:
    """Return the changes that a form asks for, by name; None: the setting is to be no more.

    What is not in the form stays as it is.

    Raises:
        FormRefused: a value is none of its setting, or there is no such setting.
        ValueError: it is no form.
    """
    changes: dict[str, Any] = {}
    for name, given in fields(body):
        if name == FORGET:
            if _known(given)[1] not in _SECRETS:
                raise FormRefused(given)
            changes[given] = None
            continue
        _, kind, least, most = _known(name)
        text = given if kind == _SECRET else given.strip()
        if text:
            changes[name] = _value(name, kind, text, least, most)
        elif kind not in _SECRETS:
            changes[name] = None
    return changes


def _known(name: str) -> tuple[str, int, int, int]:
    for one in FIELDS:
        if one[0] == name:
            return one
    raise FormRefused(name[:32])


def _value(name: str, kind: int, text: str, least: int, most: int) -> Any:
    """Return what a text means. Raises FormRefused."""
    if kind == _YES:
        return True
    size = len(text.encode())
    right = least <= size <= most
    if kind == _NUMBER:
        right = text.isdigit() and size < 10 and least <= int(text) <= most
    elif kind == _NAME:
        right = right and all(letter in "abcdefghijklmnopqrstuvwxyz0123456789_-." for letter in text)
    elif kind == _BOARD:
        right = text in BOARDS
    elif kind == _TOKEN:
        right = right and all(33 <= ord(letter) < 127 for letter in text)
    elif kind == _KEY:
        right = right and _is_key(text)
    else:
        right = right and all(ord(letter) >= 32 for letter in text)
    if not right:
        raise FormRefused(name)
    return int(text) if kind == _NUMBER else text


def _is_key(text: str) -> bool:
    # Loaded for this alone: whoever has no program yet needs no meter either.
    from osgp.errors import KeyFormatError  # noqa: PLC0415
    from osgp.key import MeterKey  # noqa: PLC0415

    try:
        MeterKey.parse(text)
    except KeyFormatError:
        return False
    return True


def _found(values: dict[str, Any], name: str) -> Any:
    outer, dot, inner = name.partition(".")
    value = values.get(outer)
    if not dot:
        return value
    return value.get(inner) if isinstance(value, dict) else None
