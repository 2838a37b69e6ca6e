"""Patterns of the configuration: ``*`` stands for any text, ``?`` for any character, and nothing else is special."""

from __future__ import annotations

import functools
import re

__all__ = ["matches"]


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*+|\?)", pattern)
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(part[:1], re.escape(part)) for part in parts if part), re.IGNORECASE | re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text fits the pattern; the case of letters does not count, as in CUPS queue names."""
    return _compiled(pattern).fullmatch(text) is not None
