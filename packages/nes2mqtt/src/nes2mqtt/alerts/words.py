"""Alerts in words, in three languages, from catalogues that a translator can work on.

This module does not know who reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path

from nes2mqtt.alerts.telling import Telling, What

__all__ = ["LANGUAGES", "AlertWords", "Said"]

LANGUAGES = ("en", "da", "de")
_FOLDER = Path(__file__).parent / "texts"
_WHOLE = 100.0
"""From here on decimals say nothing."""


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    catalogue: Mapping[str, str] = json.loads((_FOLDER / f"alerts.{language}.json").read_text("utf-8"))
    return catalogue


@dataclass(frozen=True, slots=True)
class Said:
    """An alert in words: what it is, and what it means and what to do."""

    title: str
    text: str


class AlertWords:
    """One language.

    Args:
        language: one of :data:`LANGUAGES`.
        zone: whose local time is told.
        names: what people call the meters; they are named only where there are several.
    """

    def __init__(self, language: str, zone: tzinfo, names: Mapping[str, str] | None = None) -> None:
        self._texts = _catalogue(language)
        self._decimal = "." if language == "en" else ","
        self._zone = zone
        self._names = names or {}

    def text(self, key: str, **values: object) -> str:
        """Return a text of the catalogue with its names filled in."""
        return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], "")), self._texts[key])

    def said(self, telling: Telling) -> Said:
        """Return the words of something that is told."""
        if telling.what is What.TEST:
            return Said(self.text("test_title"), self.text("test_text"))
        title, text = self._kind(telling)
        sentences = []
        if telling.what is What.RAISED:
            sentences = [text, self.text("since", since=self.moment(telling.since)) if telling.since else ""]
        elif telling.what is What.HAPPENED:
            sentences = [text]
        else:
            title = self.text("title_over" if telling.what is What.CLEARED else "title_passed", title=title)
            times = self.text("passed_times", times=telling.times) if telling.times > 1 else ""
            sentences = [times, self._lasted(telling)]
        if len(self._names) > 1:
            title = f"{self._names.get(telling.meter, telling.meter)}: {title}"
        return Said(title, " ".join(filter(None, sentences)))

    def _kind(self, telling: Telling) -> tuple[str, str]:
        values = {
            "phase": telling.phase.upper(),
            "value": self.number(telling.value),
            "limit": self.number(telling.limit),
            "fuse": self.number(telling.fuse),
            "events": ", ".join(self._event(each) for each in telling.events),
        }
        return (
            self.text(f"{telling.kind.value}_title", **values),
            self.text(f"{telling.kind.value}_text", **values),
        )

    def _event(self, event: str) -> str:
        """Return what an event is called: ``outage 90``, ``event 69`` or the name that the owner or the standard gave it."""
        word, _, rest = event.partition(" ")
        if word == "outage" and rest.isdecimal():
            return self.text("event_outage", span=self._span(int(rest)))
        if event == "outage":
            return self.text("event_outage_open")
        if word != "event" or not rest.isdecimal():
            return event
        standard = f"event_{rest}"
        return self.text(standard if standard in self._texts else "event_number", number=rest)

    @staticmethod
    def _span(seconds: int) -> str:
        if seconds < 120:  # noqa: PLR2004 - two minutes
            return f"{seconds} s"
        minutes = round(seconds / 60)
        return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"  # noqa: PLR2004 - two hours

    def _lasted(self, telling: Telling) -> str:
        if telling.until is None:
            return ""
        if telling.since is None:
            return self.text("lasted_until", until=self.moment(telling.until))
        since, until = (one.astimezone(self._zone) for one in (telling.since, telling.until))
        same = since.date() == until.date()
        short = until.strftime(self._texts["time"]) if same else self.moment(until)
        return self.text("lasted", since=self.moment(since), until=short)

    def moment(self, moment: datetime) -> str:
        """Write a moment as the clock on the wall shows it."""
        return moment.astimezone(self._zone).strftime(self._texts["moment"])

    def number(self, value: float | None) -> str:
        """Write a number with the decimals that say something."""
        if value is None:
            return "?"
        digits = 0 if abs(value) >= _WHOLE or value == round(value) else 1
        return f"{value:.{digits}f}".replace(".", self._decimal)
