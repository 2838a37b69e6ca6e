"""Alerts in words: each in every language, none left over, none left in English."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.alerts import words as words_module
from nes2mqtt.alerts.kinds import MOMENTS, UNITS, Kind
from nes2mqtt.alerts.telling import Telling, What
from nes2mqtt.alerts.words import LANGUAGES, AlertWords

FOLDER = Path(words_module.__file__).parent / "texts"
CATALOGUES = {language: json.loads((FOLDER / f"alerts.{language}.json").read_text("utf-8")) for language in LANGUAGES}
ZONE = ZoneInfo("Europe/Copenhagen")
START = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
FORMS = {"moment", "time"}
"""How times are written."""


def telling(what, kind, **more):
    phased = kind in {Kind.PHASE_LOAD, Kind.VOLTAGE_HIGH, Kind.VOLTAGE_LOW}
    measured = {"value": 24.13, "limit": 22.5} if kind in UNITS else {}
    settings = {
        "phase": "l2" if phased else "",
        "fuse": 25.0,
        "since": START,
        "until": None if what is What.RAISED else START + timedelta(hours=2),
        "events": ("event 69", "outage 90", "cover opened") if kind in MOMENTS else (),
    }
    return Telling(what, kind, "house", **settings | measured | more)


def test_every_language_has_every_text_with_the_same_blanks():
    english = CATALOGUES["en"]
    for language, catalogue in CATALOGUES.items():
        assert list(catalogue) == list(english), language
        for key, text in catalogue.items():
            assert text, (language, key)
            blanks = [sorted(re.findall(r"\{(\w+)\}", each)) for each in (text, english[key])]
            assert blanks[0] == blanks[1], (language, key)


def test_no_text_was_left_in_english():
    for language in ("da", "de"):
        same = {key for key, text in CATALOGUES[language].items() if text == CATALOGUES["en"][key]}
        assert same <= FORMS, language


def test_every_text_is_asked_for():
    source = Path(words_module.__file__).read_text("utf-8") + (FOLDER.parent / "channels/mail.py").read_text("utf-8")
    known = {f"{kind.value}_{part}" for kind in Kind for part in ("title", "text")}
    known |= {f"event_{number}" for number in (1, 2)}
    left = {key for key in CATALOGUES["en"] if key not in known and f'"{key}"' not in source}
    assert not left


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("what", [What.RAISED, What.CLEARED, What.PASSED, What.HAPPENED])
def test_everything_that_can_be_told_is_told_whole(language, kind, what):
    if (what is What.HAPPENED) != (kind in MOMENTS):
        return
    said = AlertWords(language, ZONE).said(telling(what, kind, times=3))
    for text in (said.title, said.text):
        assert text
        assert not re.search(r"[{}?]", text)
        assert "  " not in text
    assert said.text.endswith(".")
    assert not said.title.endswith(".")
    if what is What.PASSED:
        assert "3" in said.text
    if what in {What.RAISED, What.CLEARED}:
        assert re.search(r"2[:.]30", said.text), "the local time it began"


def test_what_is_not_known_leaves_no_hole():
    words = AlertWords("en", ZONE)
    assert words.said(telling(What.RAISED, Kind.KEY_REFUSED, since=None)).text.endswith("grid company sent.")
    assert words.said(telling(What.CLEARED, Kind.KEY_REFUSED, since=None)).text == "It ended 2026-10-25 03:30."
    assert words.said(telling(What.CLEARED, Kind.KEY_REFUSED, until=None)).text == ""


def test_a_time_on_the_same_day_is_not_written_twice():
    words = AlertWords("en", ZONE)
    assert words.said(telling(What.CLEARED, Kind.EXPORT)).text == "It lasted from 2026-10-25 02:30 to 03:30."
    later = telling(What.CLEARED, Kind.EXPORT, until=START + timedelta(days=1))
    assert words.said(later).text == "It lasted from 2026-10-25 02:30 to 2026-10-26 01:30."


def test_the_meter_is_named_where_there_are_several():
    one = AlertWords("en", ZONE, {"house": "My house"}).said(telling(What.RAISED, Kind.EXPORT))
    two = AlertWords("en", ZONE, {"house": "My house", "barn": "barn"}).said(telling(What.RAISED, Kind.EXPORT))
    assert two.title == f"My house: {one.title}"


@pytest.mark.parametrize(
    ("value", "written"), [(24.13, "24,1"), (25.0, "25"), (254.6, "255"), (0.04, "0,0"), (-3.25, "-3,2")]
)
def test_numbers_have_the_decimals_that_say_something(value, written):
    assert AlertWords("de", ZONE).number(value) == written


def test_events_have_names_in_each_language():
    said = AlertWords("de", ZONE).said(
        telling(What.HAPPENED, Kind.METER_EVENT, events=("event 1", "event 69", "Deckel"))
    )
    assert said.text == "Sein Protokoll nennt: Strom weg, Ereignis 69, Deckel."
