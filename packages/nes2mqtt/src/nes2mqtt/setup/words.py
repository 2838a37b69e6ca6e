"""The words of the first run, in three languages, from the catalogues that the page reads too.

A text is a string with ``{names}``, or an object of plural forms (CLDR: ``one``, ``other``) that ``count`` chooses from.

This module does not know what is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from nes2mqtt.setup.said import Said

__all__ = ["LANGUAGES", "Words", "language_of"]

LANGUAGES = ("en", "da", "de")
_FOLDER = Path(__file__).parent / "static"


@cache
def _catalogue(language: str) -> Mapping[str, str | Mapping[str, str]]:
    catalogue: Mapping[str, str | Mapping[str, str]] = json.loads(
        (_FOLDER / f"setup.{language}.json").read_text("utf-8")
    )
    return catalogue


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language of a terminal, as the first of the usual variables tells it; English when it is none of ours."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for tag in environment.get(name, "").split(":"):
            language = re.split(r"[_.@-]", tag)[0].lower()
            if language in LANGUAGES:
                return language
            if language:
                return "en"
    return "en"


class Words:
    """One language.

    Args:
        language: one of :data:`LANGUAGES`.
    """

    def __init__(self, language: str) -> None:
        self._texts = _catalogue(language)

    def __contains__(self, key: str) -> bool:
        return bool(self._texts.get(key))

    def text(self, key: str, values: Mapping[str, object] | None = None) -> str:
        """Return a text with its names filled in; empty for a key there is not."""
        values = values or {}
        form = self._texts.get(key, "")
        if not isinstance(form, str):
            # English, Danish and German alike: one thing, or several.
            form = form["one" if values.get("count") == 1 else "other"]
        return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], "")), form)

    def said(self, said: Said) -> str:
        """Return the sentence of what is told."""
        return self.text(f"said_{said.code}", said.values)
