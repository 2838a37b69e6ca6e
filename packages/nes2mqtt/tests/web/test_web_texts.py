"""The words of the page: every one in every language, none in two, none left over."""

import ast
import json
import re
from pathlib import Path

from nes2mqtt.outputs.web import output

STATIC = Path(output.__file__).parent / "static"
LANGUAGES = ("en", "da", "de")
PARTS = ("texts", "history", "meter", "settings")
"""Files of a language: the first comes with the page, the others each with the view of that name."""
FILES = {
    (part, language): json.loads((STATIC / f"texts/{part}.{language}.json").read_text("utf-8"))
    for part in PARTS
    for language in LANGUAGES
}
CATALOGUES = {
    language: {key: words for part in PARTS for key, words in FILES[part, language].items()} for language in LANGUAGES
}


def placeholders(words):
    return sorted(re.findall(r"\{(\w+)\}", words))


def forms(words):
    """Return the forms of a text: of most there is one, of those with {count} one for each kind of number."""
    return list(words.values()) if isinstance(words, dict) else [words]


def test_every_language_has_every_text_with_the_same_blanks():
    english = CATALOGUES["en"]
    for language, catalogue in CATALOGUES.items():
        assert list(catalogue) == list(english), language
        for key, words in catalogue.items():
            assert isinstance(words, dict) == isinstance(english[key], dict), (language, key)
            assert placeholders(forms(words)[-1]) == placeholders(forms(english[key])[-1]), (language, key)
            for form in forms(words):
                assert bool(form) == bool(forms(english[key])[0]), (language, key)
                assert not re.search(r"[<>]", form), (language, key)


def test_every_text_stands_in_one_file_the_same_in_every_language():
    for language in LANGUAGES:
        assert sum(len(FILES[part, language]) for part in PARTS) == len(CATALOGUES[language])
        for part in PARTS:
            assert list(FILES[part, language]) == list(FILES[part, "en"])


def test_what_comes_with_a_view_is_asked_for_by_that_view_alone():
    """Another view would show nothing in its place."""
    for part in PARTS[1:]:
        own = {STATIC / f"views/{part}.js", *(STATIC / f"views/{part}").glob("*.js"), STATIC / "texts/labels.js"}
        others = [*set(STATIC.rglob("*.js")) - own, *STATIC.glob("*.html")]
        elsewhere = "\n".join(path.read_text("utf-8") for path in others if path.parent.name != "vendor")
        named = set(re.findall(r"""["'](\w+)["']""", elsewhere))
        assert not named & FILES[part, "en"].keys(), part
        assert f'await bring("{part}");' in (STATIC / f"views/{part}.js").read_text("utf-8")


def test_a_text_with_a_number_has_the_forms_its_language_needs():
    """English, Danish and German know one and many (CLDR 45, plural rules)."""
    for language, catalogue in CATALOGUES.items():
        for key, words in catalogue.items():
            if isinstance(words, dict):
                assert list(words) == ["one", "other"], (language, key)
                assert "{count}" in words["other"], (language, key)


SAME = {
    "now_solar",
    "parquet",
    "weekend",
    "compare_plain",
    "live",
    "clock_off",
    "firmware",
    "mqtt",
    "homeassistant",
    "hour_bar",
    "minutes_ago",
    "model",
    "settings_kind_Config",
    "settings_kind_MqttConfig",
    "state_online",
}


def test_no_text_was_left_in_english():
    for language in ("da", "de"):
        same = {key for key, words in CATALOGUES[language].items() if words == CATALOGUES["en"][key]}
        assert same <= SAME, language


def test_every_text_that_is_asked_for_is_in_the_catalogues_and_every_one_there_is_asked_for():
    paths = [path for path in STATIC.rglob("*.js") if path.parent.name != "vendor"]
    scripts = "\n".join(path.read_text("utf-8") for path in paths)
    pages = "\n".join(path.read_text("utf-8") for path in STATIC.glob("*.html"))
    asked = set(re.findall(r'data-(?:text|label)="(\w+)"', pages))
    asked |= set(re.findall(r"""\btext\(\s*"(\w+)\"""", scripts))
    asked |= set(re.findall(r"""\btext\([^()"]* \? "(\w+)" :""", scripts))
    asked |= set(re.findall(r"""\btext\([^()]* : "(\w+)"[,)]""", scripts))
    asked |= set(re.findall(r"""(?:link|arrow|card)\(\s*"[\w-]+",\s*"(\w+)\"""", scripts))
    asked |= set(re.findall(r"""["']?data-(?:text|label)["']?: "(\w+)\"""", scripts))
    known = set(CATALOGUES["en"])
    assert asked <= known
    # A text may be asked for by a value; then its key stands in the scripts, whole or put together.
    named = set(re.findall(r"""["'](\w+)["']""", scripts)) | asked
    patterns = [re.sub(r"\$\{[^}]*\}", r"\\w+", found) for found in re.findall(r"`([a-z]\w*_\$\{[^`]*\}\w*)`", scripts)]
    patterns += CALLED_BY_VALUE
    left = {key for key in known - named if not any(re.fullmatch(pattern, key) for pattern in patterns)}
    assert not left


CALLED_BY_VALUE = (
    r"reading_\w+",
    r"clock_(?:behind|ahead)",
    r"web|history|mqtt|backfill|homeassistant|alerts",  # kinds of outputs
    r"output_\w+",
)


def _troubles():
    """Return the codes of the troubles that outputs tell of, as they stand in the source, and where one has none."""
    codes, without = set(), []
    for path in sorted((STATIC.parents[2]).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "OutputStatus"):
                continue
            given = {each.arg: each.value for each in call.keywords}
            ok = given.get("ok")
            well = isinstance(ok, ast.Constant) and ok.value is True
            if "code" not in given and not well:
                without.append(path.name)
            codes |= {
                each.value
                for each in ast.walk(given.get("code", call.func))
                if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
            }
    return codes, without


def test_each_trouble_of_an_output_has_a_code_and_words_in_every_language():
    codes, without = _troubles()
    # That the page cannot be served is never read on the page.
    assert without == ["output.py"]
    assert "backfill_mistake" in codes
    # Those that are chosen by a name.
    named = {
        "stopped",
        "alerts_undelivered",
        "alerts_unkept",
        "homeassistant_token",
        "homeassistant_unreachable",
        "homeassistant_refused",
    }
    for texts in CATALOGUES.values():
        assert {f"output_{code}" for code in (codes | named) - {"web_pages"}} <= texts.keys()


def test_no_page_has_words_of_its_own():
    """What stands in the HTML is English for who has no scripts, a name, or filled in from the catalogue."""
    html = (STATIC / "index.html").read_text("utf-8")
    html = re.sub(r"<noscript>.*?</noscript>|<title>.*?</title>|<svg.*?</svg>", "", html, flags=re.DOTALL)
    words = {word.strip() for word in re.findall(r">([^<]+)<", html)} - {"", "&nbsp;"}
    assert words <= {"W", "API", "Prometheus"}
    login = (STATIC / "login.html").read_text("utf-8")
    for element in re.findall(r"<(?:h1|label|button)\b[^>]*>", login):
        assert "data-text=" in element
