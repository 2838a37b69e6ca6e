"""The owner's names for events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import MisuseError
from osgp.tables.logs.event_names import name_of, parse_names


def test_names_by_decimal_and_hexadecimal_numbers():
    names = parse_names('[events]\n69 = "cover opened"\n0x801 = "fault"\n1 = " outage begins "\n')
    assert names == {69: "cover opened", 2049: "fault", 1: "outage begins"}
    assert [name_of(number, names) for number in (69, 1, 2, 3)] == ["cover opened", "outage begins", "power up", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[events", "is no TOML"),
        ("", "has no names"),
        ("events = 3", "has no names"),
        ('[events]\n4096 = "x"', "'4096' is no number of an event"),
        ('[events]\nx = "x"', "'x' is no number"),
        ('[events]\n0x = "x"', "'0x' is no number"),
        ("[events]\n1 = 2", "the name of event 1 is no text"),
        ('[events]\n1 = " "', "the name of event 1 is no text"),
        ('[events]\n1 = "a\\u001b[31m"', "the name of event 1 is no text"),
        ('[events]\n1 = "' + "a" * 101 + '"', "the name of event 1 is no text"),
    ],
)
def test_a_mistake_is_explained(text, said):
    with pytest.raises(MisuseError, match=r"names\.toml") as caught:
        parse_names(text, "names.toml")
    assert said in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_gives_names_or_our_error(text):
    try:
        names = parse_names("[events]\n" + text)
    except MisuseError:
        return
    assert all(0 <= number < 4096 and name.isprintable() for number, name in names.items())
