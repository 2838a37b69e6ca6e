"""The number in a message of an inverter: the whole message, or a place in its JSON.

This module does not know topics or units.
"""

from __future__ import annotations

import json
import math

__all__ = ["number_in"]

_MOST_CHARACTERS = 65536


def number_in(payload: str, field: str) -> float | None:
    """Return the number of a message; None where it has none at that place, such as ``null`` or ``unavailable``.

    Args:
        payload: the message.
        field: names with dots between, and places in lists; empty: the message is the number.
    """
    if len(payload) > _MOST_CHARACTERS:
        return None
    if not field:
        return _number(payload)
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    for name in field.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and len(name) < 6 and int(name) < len(found):  # noqa: PLR2004
            found = found[int(name)]
        else:
            return None
    return _number(found)


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
