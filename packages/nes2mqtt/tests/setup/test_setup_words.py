"""The words of the first run: every one in every language, none left over, and every sentence that can be said has words."""

import ast
import json
import re
from pathlib import Path

import pytest

from nes2mqtt import setup
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import STEPS
from nes2mqtt.setup.words import LANGUAGES, Words, language_of

ROOM = Path(setup.__file__).parent
CATALOGUES = {
    language: json.loads((ROOM / "static" / f"setup.{language}.json").read_text("utf-8")) for language in LANGUAGES
}
CLDR = ("one", "other")
"""The plural forms of English, Danish and German (CLDR, cardinal)."""


def forms(text):
    return [text] if isinstance(text, str) else list(text.values())


def placeholders(words):
    return set(re.findall(r"\{(\w+)\}", words))


def test_every_language_has_every_text_with_the_same_blanks():
    english = CATALOGUES["en"]
    for language, catalogue in CATALOGUES.items():
        assert list(catalogue) == list(english), language
        for key, text in catalogue.items():
            assert isinstance(text, str) == isinstance(english[key], str), (language, key)
            assert isinstance(text, str) or tuple(text) == CLDR, (language, key)
            for form in forms(text):
                assert placeholders(form) <= placeholders(forms(english[key])[-1]), (language, key)
                assert bool(form) == bool(forms(english[key])[0]), (language, key)
                assert not re.search(r"[<>]", form.replace("<,", "").replace("Type < ", "").replace("Indtast < ", ""))
            assert placeholders(forms(text)[-1]) == placeholders(forms(english[key])[-1]), (language, key)


SAME = {
    "field_port",
    "field_broker_port",
    "field_host",
    "choice_use_homeassistant",
    "field_name",
    "field_code",
    "tell_others",
}


def test_no_text_was_left_in_english():
    for language in ("da", "de"):
        same = {key for key, text in CATALOGUES[language].items() if text == CATALOGUES["en"][key] and text}
        assert same <= SAME, language


def said_codes(folder):
    """Return the codes of all that may be said, as they stand in the sources of a folder and those below it."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Said" and node.args:
                told = node.args[0]
                found |= {each.value for each in ast.walk(told) if isinstance(each, ast.Constant)} - {""}
        found |= set(re.findall(r'"((?:port|key_form|broker|clock)_\w+)"', path.read_text()))
    return found - {"port_", "broker_port", "clock_off", "broker_password"} | {"broker_password"}


CHANGES = {code for code in said_codes(ROOM / "changes") if code.startswith("settings_")}
"""Said on the gateway's page, not by the set-up."""
NO_SENTENCE = {"port_typed", "key_right_", "key_form", "_", "MEP"}


def test_every_sentence_that_can_be_said_has_words_and_every_one_there_is_can_be_said():
    sentences = {key.removeprefix("said_") for key in CATALOGUES["en"] if key.startswith("said_")}
    built = {
        *(f"{field}_{verdict}" for field in ("code", "password") for verdict in ("wrong", "wait", "ended")),
        *(f"key_right_{kind}" for kind in ("characters", "hex", "numbers")),
        "key_form",
        "disk_full",
        "no_rights",
    }
    said = {code for code in said_codes(ROOM) - CHANGES if code in sentences or code not in NO_SENTENCE} | built
    assert sentences - said == set()
    assert {code for code in said - sentences if "_" in code} - {"key_right_", "socket_code"} == set()


def test_what_a_change_of_the_settings_says_has_words_on_the_gateways_page():
    texts = json.loads((ROOM.parent / "outputs/web/static/texts/settings.en.json").read_text("utf-8"))
    assert {f"said_{code}" for code in CHANGES} <= texts.keys()
    assert "settings_unreadable" in CHANGES


def test_every_field_choice_and_step_has_words():
    for step in STEPS:
        assert CATALOGUES["en"][f"step_{step.name}"]
        for field in step.fields:
            assert CATALOGUES["en"][f"field_{field.name}"]
            assert f"help_{field.name}" in CATALOGUES["en"]
            assert all(CATALOGUES["en"][f"choice_{field.name}_{choice}"] for choice in field.choices)


def test_every_text_is_asked_for_by_the_page_or_the_terminal():
    scripts = "\n".join(path.read_text("utf-8") for path in (*ROOM.rglob("*.py"), *ROOM.glob("static/*.js")))
    scripts += (ROOM.parent / "runtime" / "first_run.py").read_text("utf-8") + (ROOM.parent / "cli.py").read_text(
        "utf-8"
    )
    built = r"said_\w+|(?:step|intro|field|help|choice|trying|key_understood)_\w+|(?:code|login)_(?:title|intro)"
    left = {
        key for key in CATALOGUES["en"] if not re.fullmatch(built, key) and not re.search(rf'["\']{key}["\']', scripts)
    }
    assert left == set()


def test_one_is_one_and_all_else_is_several():
    words = Words("en")
    assert words.text("port_count", {"count": 1}) == "One adapter was found."
    assert words.text("port_count", {"count": 0}) == "0 adapters were found."
    assert words.said(Said("name_long", "name", {"most": 60})) == "Use at most 60 characters."
    assert words.text("there is none") == ""


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "da_DK.UTF-8"}, "da"),
        ({"LANG": "de_AT.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANGUAGE": "de:en", "LANG": "en_US"}, "de"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "pl_PL"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_of_a_terminal(environment, language):
    assert language_of(environment) == language


def test_the_page_has_no_words_of_its_own():
    html = (ROOM / "static" / "setup.html").read_text("utf-8")
    html = re.sub(r"<noscript>.*?</noscript>|<title>.*?</title>|<option.*?</option>", "", html, flags=re.DOTALL)
    assert {word.strip() for word in re.findall(r">([^<]+)<", html)} - {""} <= {"nes2mqtt", "Language"}
