"""Where keys stand in a TOML text."""

import string
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.toml_lines import key_lines, line_of

TEXT = """\
# a comment with [brackets] and = signs
name = "House # no comment"   # a comment
a.b.c = 1

[meters.house]
port = 'C:\\no = escape'
key = { file = "x", "odd key" = [1, 2] }
long = \"\"\"
not_a_key = 1
[not.a.table]
\"\"\"
literal = '''
also = 'none' '''
list = [
    1,        # one
    { x = 2, y = 3 },
    [
        4 ],
    "],",
]

[[mqtt]]
host = "a"
[mqtt.tls]
ca_file = "b"
[[mqtt]]
host = "c"
[mqtt.tls]
ca_file = "d"
"""

EXPECTED = {
    ("name",): 2,
    ("a",): 3,
    ("a", "b", "c"): 3,
    ("meters",): 5,
    ("meters", "house"): 5,
    ("meters", "house", "port"): 6,
    ("meters", "house", "key", "file"): 7,
    ("meters", "house", "key", "odd key", 1): 7,
    ("meters", "house", "long"): 8,
    ("meters", "house", "literal"): 12,
    ("meters", "house", "list"): 14,
    ("meters", "house", "list", 0): 15,
    ("meters", "house", "list", 1, "x"): 16,
    ("meters", "house", "list", 1, "y"): 16,
    ("meters", "house", "list", 2): 17,
    ("meters", "house", "list", 2, 0): 18,
    ("meters", "house", "list", 3): 19,
    ("mqtt",): 22,
    ("mqtt", 0, "host"): 23,
    ("mqtt", 0, "tls", "ca_file"): 25,
    ("mqtt", 1): 26,
    ("mqtt", 1, "host"): 27,
    ("mqtt", 1, "tls", "ca_file"): 29,
}


def paths(value, path=()):
    """Yield the path of everything tomllib found."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


@pytest.mark.parametrize("path", EXPECTED)
def test_every_kind_of_place(path):
    assert key_lines(TEXT)[path] == EXPECTED[path]


def test_it_finds_exactly_what_tomllib_finds():
    assert set(key_lines(TEXT)) == set(paths(tomllib.loads(TEXT)))


def test_places_are_those_of_who_reads_the_text_line_by_line():
    """By a second way: what tomllib knows when it has read so many lines."""
    text = "a = 1\n# b\n\n[s]\nb.c = 2\n[[t]]\nx = 3\ny = { z = 1 }\n[[t]]\nx = 2\n"
    begins = {}
    written = text.splitlines(keepends=True)
    for line in range(1, len(written) + 1):
        for path in paths(tomllib.loads("".join(written[:line]))):
            begins.setdefault(path, line)
    assert key_lines(text) == begins


def test_a_missing_key_is_where_its_table_is():
    lines = key_lines(TEXT)
    assert line_of(lines, ("mqtt", 1, "hosts")) == 26
    assert line_of(lines, ("web",)) is None


names = st.text(string.ascii_lowercase + "-_", min_size=1, max_size=4)
scalars = st.one_of(st.integers(), st.booleans(), st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)


def write(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in value)
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {write(item)}" for key, item in value.items()) + " }"
    return repr(value) if isinstance(value, int) else f"{value:e}"


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, values, max_size=6))
def test_any_document_is_followed_to_its_end(document):
    text = "\n".join(f"{key} = {write(value)}" for key, value in document.items())
    assert set(key_lines(text)) == set(paths(tomllib.loads(text)))
    assert [key_lines(text)[(key,)] for key in document] == list(range(1, len(document) + 1))
