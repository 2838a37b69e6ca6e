"""The words of the page: every one in every language, none in two, none left over."""

import json
import re
from pathlib import Path

from nes2mqtt.outputs.web import output

STATIC = Path(output.__file__).parent / "static"
LANGUAGES = ("en", "da", "de")
CATALOGUES = {language: json.loads((STATIC / f"texts.{language}.json").read_text("utf-8")) for language in LANGUAGES}


def placeholders(words):
    return sorted(re.findall(r"\{(\w+)\}", words))


def test_every_language_has_every_text_with_the_same_blanks():
    english = CATALOGUES["en"]
    for language, catalogue in CATALOGUES.items():
        assert list(catalogue) == list(english), language
        for key, words in catalogue.items():
            assert placeholders(words) == placeholders(english[key]), (language, key)
            assert bool(words) == bool(english[key]), (language, key)
            assert not re.search(r"[<>]", words), (language, key)


SAME = {"live", "clock_off", "firmware", "mqtt", "hour_bar", "minutes_ago", "model", "state_online"}


def test_no_text_was_left_in_english():
    for language in ("da", "de"):
        same = {key for key, words in CATALOGUES[language].items() if words == CATALOGUES["en"][key]}
        assert same <= SAME, language


def test_every_text_that_is_asked_for_is_in_the_catalogues_and_every_one_there_is_asked_for():
    sources = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.js")}
    pages = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.html")}
    scripts = "\n".join(sources.values())
    asked = set(re.findall(r'data-text="(\w+)"', "\n".join(pages.values())))
    asked |= set(re.findall(r"""\btext\(\s*["'](\w+)["']""", scripts))
    asked |= set(re.findall(r"""\b(?:chart|energy)\("\w+",(?: \d+,)? "(\w+)"\)""", scripts))
    patterns = [re.sub(r"\$\{[^}]*\}", r"\\w+", found) for found in re.findall(r"\btext\(\s*`([^`]+)`", scripts)]
    patterns += [r"reading_\w+", r"clock_(?:behind|ahead)", *CALLED_BY_VALUE]
    known = set(CATALOGUES["en"])
    assert asked <= known
    left = {key for key in known - asked if not any(re.fullmatch(pattern, key) for pattern in patterns)}
    assert not left


CALLED_BY_VALUE = (
    r"importing|exporting|balanced",  # cards.flowOf
    r"retries|corrupt|resyncs|power_cycles|rejected",  # counts of the link
    r"import|export",
    r"curve_none|curve_gap|energy_unreadable|energy_no_time|table_days|table_hours",
    r"web|history|mqtt",  # kinds of outputs
    r"output_\w+",
)


def test_no_page_has_words_of_its_own():
    """What stands in the HTML is English for who has no scripts, a name, or filled in from the catalogue."""
    html = (STATIC / "index.html").read_text("utf-8")
    html = re.sub(r"<noscript>.*?</noscript>|<title>.*?</title>|<svg.*?</svg>", "", html, flags=re.DOTALL)
    words = {word.strip() for word in re.findall(r">([^<]+)<", html)} - {"", "&nbsp;"}
    assert words <= {"W", "API", "Prometheus"}
    login = (STATIC / "login.html").read_text("utf-8")
    for element in re.findall(r"<(?:h1|label|button)\b[^>]*>", login):
        assert "data-text=" in element
