"""Every setting is explained in every language, and no explanation is of a setting as it was."""

import json
from pathlib import Path

import pytest

from nes2mqtt.config.described import documentation, parts_of, settings_of
from nes2mqtt.config.settings import Config
from nes2mqtt.setup import changes
from nes2mqtt.setup.changes.picture import LANGUAGES, sections
from nes2mqtt.setup.changes.places import is_secret, place_of

CATALOGUE = json.loads((Path(changes.__file__).parents[1] / "static" / "settings.json").read_text("utf-8"))
PAGE = Path(changes.__file__).parents[2] / "outputs" / "web" / "static" / "texts" / "settings.en.json"


def explained(model=Config, path=()):
    """Yield key, English words and place of every section and setting."""
    if path:
        yield model.__name__, documentation(model), path
    for setting in settings_of(model):
        yield setting.key, setting.meaning, (*path, setting.name)
    for part in parts_of(model):
        step = {"one": (), "many": (0,), "by_id": ("house",)}[part.places]
        for each in part.models:
            yield from explained(each, (*path, part.name, *step))


def test_every_explanation_is_there_in_every_language_and_of_the_english_one_as_it_is_now():
    """Fails when an English one changed: translate it anew, in settings.json."""
    english = {key: words for key, words, _ in explained()}
    assert {key: words["en"] for key, words in CATALOGUE.items()} == english
    for key, words in CATALOGUE.items():
        assert list(words) == list(LANGUAGES), key
        for language in ("da", "de"):
            assert words[language], key
            assert words[language] != words["en"], (language, key)


def test_a_translation_names_the_same_settings_and_values():
    for key, words in CATALOGUE.items():
        named = [set(words[language].split("`")[1::2]) for language in LANGUAGES]
        for one in named[1:]:
            # What is true in the file is "yes" on the page.
            assert named[0] - {"true", "false"} == one, key


def test_every_section_has_a_name_for_people():
    texts = json.loads(PAGE.read_text("utf-8"))
    names = {key.split(".")[0] for key, _, path in explained() if path and "." not in key}
    assert {name for name in names if f"settings_kind_{name}" not in texts} == set()


def test_every_setting_is_at_its_place_and_in_the_picture():
    for _, _, path in explained():
        assert place_of(path)
    shown = sections({"meters": {"house": {}}, "mqtt": [{}], "contracts": [{"lines": [{}]}]}, "en")
    kinds = {section["kind"] for section in shown}
    assert kinds >= {key for key, _, _ in explained() if "." not in key and not key.endswith("PowerCycle")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_speaks_one_language(language):
    for section in sections({"meters": {"house": {}}}, language):
        for field in section["fields"]:
            assert field["meaning"] in {words[language] for words in CATALOGUE.values()}


SENT = {
    ("meters", "house", "key"): "port",
    ("meters", "house", "token"): "port",
    ("mqtt", 0, "password"): "host, port, tls",
    ("homeassistant", "token"): "url",
    ("alerts", "webhook", "secret"): "url, header",
    ("alerts", "mail", "password"): "host, port",
    ("prices", "token"): "source, address",
    ("web", "password"): "nowhere",
    ("web", "token"): "nowhere",
}
"""Every secret, and what says where it is sent. A new one has to be thought about: places.sends_to names what must not change beneath it."""


def test_of_every_secret_it_is_known_what_says_where_it_goes():
    found = {
        path for _, _, path in explained() if (setting := place_of(path).setting) is not None and is_secret(setting)
    }
    assert found == set(SENT)
