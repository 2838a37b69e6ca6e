"""What is wrong with a configuration becomes lines that a person can act on."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import ClassVar

import pytest

from servicekit.problems import Problem, classes_in, not_toml, problems_at, unknown_setting, words_for

FILE = Path("service.toml")


def test_problems_come_in_the_order_of_the_file_and_each_once():
    text = "a = 1\n[s]\nb = 2\n[[t]]\nc = 3\n"
    found = [(("t", 0, "c"), "is odd"), (("s", "x"), "is missing"), (("a",), "is odd"), (("t", 0, "c"), "is odd")]
    assert [str(problem) for problem in problems_at(found, text, FILE)] == [
        "service.toml:1: a: is odd",
        "service.toml:2: s.x: is missing",
        "service.toml:5: t.c: is odd",
    ]
    assert str(Problem(FILE, None, "", "cannot be read")) == "service.toml: cannot be read"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a = yes", 1, "yes and no are written true and false"),
        ('a = "x', 1, "lacks its closing quote"),
        ('a = "C:\\print"', 1, r"written twice (\\)"),
        ("a = 1\na = 2", 2, "a setting or section is written twice"),
        ("[a]\n[a]\n", 2, "a section is written twice"),
        ("\na 1", 2, "name = value"),
        ("[a\n", 1, "[name]"),
        ("a = \u201cx\u201d", 1, "typographic"),
        ("a\u00a0= 1", 1, "a blank that is none"),
        ("a = [1\n", 1, "this is not TOML"),
    ],
)
def test_a_text_that_is_no_toml_is_explained(text, line, said):
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    problem = not_toml(caught.value, text, FILE)
    assert problem.line == line
    assert said in problem.message


@pytest.mark.parametrize(
    ("kind", "context", "said"),
    [
        ("int_parsing", {}, "must be a whole number, without quotes"),
        ("less_than_equal", {"le": 9}, "must be at most 9"),
        ("value_error", {"error": ValueError("is odd")}, "is odd"),
        ("literal_error", {"expected": "'a', 'b' or 'c'"}, 'must be one of "a", "b", "c"'),
        ("union_tag_invalid", {"expected_tags": "'a', 'b'"}, 'must be one of "a", "b"'),
        ("something_new", {}, "input should be new"),
    ],
)
def test_a_kind_of_mistake_becomes_words(kind, context, said):
    assert words_for(kind, context, "Input should be new") == said


def test_classes_are_found_wherever_an_annotation_mentions_them():
    assert list(classes_in(dict[str, tuple[bool, ...] | list[int]], int)) == [bool, int]
    assert list(classes_in(str, int)) == []


class Section:
    """A section of a configuration, one setting of which has another name now."""

    former_settings: ClassVar = {"speed": "write pace = 3 in place of speed"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("speed", "there is no such setting any more; write pace = 3 in place of speed"),
        ("spead", "there is no such setting; did you mean 'spread'?"),
        ("Base-Topic", "there is no such setting; did you mean 'base_topic'?"),
        ("xyz", "there is no such setting here; there are: base_topic, pace, spread"),
    ],
)
def test_a_setting_that_is_none_tells_which_is_meant(name, said):
    assert unknown_setting(name, ["spread", "pace", "base_topic"], [Section, None]) == said
