"""A change of a TOML text: it means what it should, and no other line differs."""

import tomllib
from datetime import date
from difflib import ndiff

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.setup.changes.toml_edit import GONE, EditError, Step, applied, edited, literal

FILE = """\
# The gateway of the house.
name = "house"   # in topics

[meters.house]
# The adapter in the cellar.
port = "serial:///dev/ttyUSB0"
key = { file = "/etc/house.key" }   # from the letter

  [meters.house.power_cycle]
  kind = "gpio"
  line = 17

# The broker.
[[mqtt]]
host = "10.0.0.1"
tls = { enabled = true }  # our own
dialects = [
    "homeassistant",  # for the panel
    "nmr-raw",
]

[[mqtt]]
host = "10.0.0.2"
nmr-raw.every = 10

[mqtt.homeassistant]
every = 5

# Last.
[web]
listen = "127.0.0.1:8099"
"""


@pytest.mark.parametrize(
    ("path", "value", "gone", "new"),
    [
        (("name",), "barn", ['name = "house"   # in topics'], ['name = "barn"   # in topics']),
        (("log_level",), "debug", [], ['log_level = "debug"']),
        (("name",), GONE, ['name = "house"   # in topics'], []),
        (("meters", "house", "present_every"), 5, [], ["present_every = 5"]),
        (("meters", "house", "power_cycle", "chip"), "/dev/gpiochip1", [], ['  chip = "/dev/gpiochip1"']),
        (("meters", "barn", "port"), "tcp://a:1", [], ["", "[meters.barn]", 'port = "tcp://a:1"']),
        (("mqtt", 0, "tls", "insecure"), True, ["tls = { enabled = true }  # our own"], ["tls = { enabled = true, insecure = true }  # our own"]),
        (("mqtt", 0, "homeassistant", "every"), 2.5, [], ["", "[mqtt.homeassistant]", "every = 2.5"]),
        (("mqtt", 1, "nmr-raw", "aliases"), False, [], ["nmr-raw.aliases = false"]),
        (("mqtt", 2, "host"), "10.0.0.3", [], ["", "[[mqtt]]", 'host = "10.0.0.3"']),
        (("mqtt", 1), GONE, ["", "[[mqtt]]", 'host = "10.0.0.2"', "nmr-raw.every = 10", "", "[mqtt.homeassistant]", "every = 5"], []),
        (("history", "keep_raw_days"), 9, [], ["", "[history]", "keep_raw_days = 9"]),
        (("web",), GONE, ["[web]", 'listen = "127.0.0.1:8099"'], []),
        (("web", "nothing"), GONE, [], []),
    ],
)  # fmt: skip
def test_a_change_is_made_at_its_place_and_nowhere_else(path, value, gone, new):
    steps = [Step(path, value)]
    after = edited(FILE, steps)
    assert tomllib.loads(after) == applied(tomllib.loads(FILE), steps)
    found = [line for line in ndiff(FILE.splitlines(), after.splitlines()) if line[0] in "-+"]
    assert sorted(line[2:] for line in found if line[0] == "-") == sorted(gone)
    assert sorted(line[2:] for line in found if line[0] == "+") == sorted(new)


def test_a_list_keeps_its_neighbours_and_windows_keeps_its_line_ends():
    text = FILE.replace("\n", "\r\n")
    after = edited(text, [Step(("mqtt", 0, "keepalive"), 20), Step(("prices", "source"), "awattar")])
    assert after.count("\n") == after.count("\r\n")
    assert 'dialects = [\r\n    "homeassistant",  # for the panel\r\n    "nmr-raw",\r\n]\r\nkeepalive = 20\r\n' in after
    assert after.endswith('\r\n[prices]\r\nsource = "awattar"\r\n')


def test_a_setting_at_the_top_comes_before_the_first_section_and_its_comment():
    assert (
        edited("# About.\n\n# The page.\n[web]\n", [Step(("name",), "x")])
        == '# About.\n\nname = "x"\n\n# The page.\n[web]\n'
    )
    assert edited("# About.\n", [Step(("name",), "x")]) == '# About.\nname = "x"\n'
    assert edited("", [Step(("a", 0, "b"), 1)]) == "[[a]]\nb = 1\n"


def test_what_is_written_within_brackets_is_changed_there_or_refused():
    text = "lines = [ { a = 1 }, { a = 2, b.c = 3 } ]\nnone = []\n"
    assert edited(text, [Step(("lines", 1, "b", "d"), 4)]).startswith(
        "lines = [ { a = 1 }, { a = 2, b.c = 3, b.d = 4 } ]\n"
    )
    assert edited(text, [Step(("lines", 2, "a"), 3)]).startswith(
        "lines = [ { a = 1 }, { a = 2, b.c = 3 }, { a = 3 } ]\n"
    )
    assert edited(text, [Step(("lines", 0), GONE)]).startswith("lines = [ { a = 2, b.c = 3 } ]\n")
    assert edited(text, [Step(("lines", 1), GONE)]).startswith("lines = [ { a = 1 } ]\n")
    assert edited(text, [Step(("none", 0, "a"), 3)]).endswith("none = [{ a = 3 }]\n")
    with pytest.raises(EditError):
        edited(text, [Step(("lines", 0, "b", "c"), 4)])
    with pytest.raises(EditError):
        edited(text, [Step(("lines", "b"), 4)])


def test_what_would_mean_something_else_is_refused():
    # Without its only setting the section would be gone, and with it the encryption that its being there asks for.
    with pytest.raises(EditError, match="something else"):
        edited("[[mqtt]]\ntls.enabled = true\n", [Step(("mqtt", 0, "tls", "enabled"), GONE)])


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.dates(date(1, 1, 1)),
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
NAMES = st.sampled_from(["a", "b", "c", "d-1", "e_2", "a b", 'q"'])
BLANKS = st.sampled_from(["", "\n", "# a = 1\n", "   # [x]\n", '\n\n# say """ and {\n'])
TAILS = st.sampled_from(["", " ", "  # so", "# ]"])


@st.composite
def documents(draw):  # noqa: C901 - a text has many forms
    """A text as people write them, with what it means known to tomllib only."""
    out = []

    def pairs(indent, names):
        for name in names:
            key = literal(name) if draw(st.booleans()) or not name.isidentifier() else name
            style = draw(st.integers(0, 5))
            value = literal(draw(VALUES))
            if style == 0:
                value = f"{{ {key} = {value}, z = 1 }}" if draw(st.booleans()) else "{}"
            elif style == 1:
                key = f"{key} . y"
            elif style == 2:
                value = f"[ # (\n  {value}, # ]\n]"
            elif style == 3:
                value = draw(
                    st.sampled_from(
                        ['"""\n[x]\na = 1\n"""', "'''{ # '''", "'a # b'", "1_000", "0xff", "1979-05-27 07:32:00"]
                    )
                )
            out.append(f"{draw(BLANKS)}{indent}{key} = {value}{draw(TAILS)}\n")

    pairs("", draw(st.lists(NAMES, max_size=3, unique=True)))
    tables = draw(st.lists(st.sampled_from(["t", "u", "t.v", "w.x", "w"]), max_size=4, unique=True))
    for name in tables:
        indent = draw(st.sampled_from(["", "  "]))
        out.append(f"{draw(BLANKS)}{indent}[{name}]{draw(TAILS)}\n")
        pairs(indent, draw(st.lists(NAMES, max_size=3, unique=True)))
    for _ in range(draw(st.integers(0, 3))):
        out.append(f"{draw(BLANKS)}[[m]]{draw(TAILS)}\n")
        pairs("", draw(st.lists(NAMES, max_size=2, unique=True)))
        if draw(st.booleans()):
            out.append("[m.s]\n")
            pairs("  ", draw(st.lists(NAMES, max_size=2, unique=True)))
        for _ in range(draw(st.integers(0, 2))):
            out.append(f"{draw(BLANKS)}[[m.n]]\n")
            pairs("", draw(st.lists(NAMES, max_size=2, unique=True)))
    text = "".join(out)
    return text if draw(st.booleans()) else text.rstrip("\n")


PATHS = st.one_of(
    st.tuples(NAMES),
    st.tuples(st.sampled_from(["t", "u", "new"]), NAMES),
    st.tuples(st.just("t"), st.just("v"), NAMES),
    st.tuples(st.just("m"), st.integers(0, 3), NAMES),
    st.tuples(st.just("m"), st.integers(0, 2), st.just("s"), NAMES),
    st.tuples(st.just("m"), st.integers(0, 2), st.just("n"), st.integers(0, 2), NAMES),
)
SECTIONS = st.one_of(st.tuples(st.sampled_from(["t", "u", "w"])), st.tuples(st.just("m"), st.integers(0, 2)))
STEPS = st.one_of(st.builds(Step, PATHS, VALUES), st.builds(Step, PATHS | SECTIONS, st.just(GONE)))


def is_there(data, path):
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


@settings(max_examples=200, deadline=None)
@given(documents(), STEPS)
def test_a_change_means_what_it_should_and_leaves_other_lines(text, step):
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a table twice
    try:
        after = edited(text, [step])
    except EditError:
        return
    assert tomllib.loads(after) == applied(data, [step])
    # By the common beginning and end: what differs is in one piece, and no bigger than what was meant to change.
    if step.value is GONE or is_there(data, step.path):
        return
    before, rest = text, after
    start = next((i for i, (one, other) in enumerate(zip(before, rest, strict=False)) if one != other), len(before))
    tail = len(before) - start
    assert rest.endswith(before[start:]) or rest.rstrip("\n").endswith(before[start:].rstrip("\n")), tail
    assert {line.strip() for line in text.splitlines() if "{" not in line and "[" not in line} <= {
        line.strip() for line in after.splitlines()
    }


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_a_value_is_read_as_it_was_written(value):
    assert tomllib.loads(f"x = {literal(value)}") == {"x": value}


@settings(max_examples=150, deadline=None)
@given(documents(), PATHS, VALUES)
def test_a_change_and_its_opposite_leave_what_was_there(text, path, value):
    try:
        data = tomllib.loads(text)
        after = edited(text, [Step(path, value)])
        if is_there(data, path):
            return
        back = edited(after, [Step(path, GONE)])
    except (tomllib.TOMLDecodeError, EditError):
        return
    lines = [line for line in text.splitlines() if line.strip()]
    assert set(lines) <= {line for line in back.splitlines() if line.strip()}
