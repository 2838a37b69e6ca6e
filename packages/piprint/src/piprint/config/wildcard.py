"""Names with wildcards, as the configuration has them: ``*`` is any text, ``?`` any character, all else itself.

Not :mod:`fnmatch`, in which ``[`` has a meaning: announced printers are called ``HP LaserJet [A1B2C3]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["matches", "offered"]

_MEANINGS = {"*": ".*", "?": "."}


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name fits a pattern; capital or small letters make no difference."""
    expression = "".join(_MEANINGS.get(character) or re.escape(character) for character in pattern)
    return re.fullmatch(expression, name, re.IGNORECASE | re.DOTALL) is not None


def offered(name: str, offer: Iterable[str], hide: Iterable[str]) -> bool:
    """Tell whether a name fits one of ``offer`` and none of ``hide``."""
    return any(matches(each, name) for each in offer) and not any(matches(each, name) for each in hide)
