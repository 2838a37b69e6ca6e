"""A row whose document streams past: what json and base64 say of the whole, in any pieces, with little memory."""

import base64
import importlib.util
import json
import random
import tracemalloc
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piprint.bc.dialects.rowstream import MOST_REST, RowReader
from piprint.errors import BcUnreachable, DocumentError

MEMBER = "PDFPrintJobBASE64"
FUZZ = Path(__file__).parents[4] / "fuzz" / "fuzz_rowstream.py"


def read(data, size=None, most=10**6):
    document = bytearray()
    reader = RowReader(MEMBER, document.extend, most=most)
    size = size or len(data) or 1
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    row = reader.finish()
    return row, None if reader.size is None else bytes(document)


names = st.text().filter(lambda name: name != MEMBER)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just(MEMBER), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    before=st.dictionaries(names, values, max_size=3),
    document=st.binary(max_size=200),
    after=st.dictionaries(names, values, max_size=3),
    size=st.integers(1, 60),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
)
def test_any_row_in_any_pieces(before, document, after, size, ascii_only, indent):
    whole = {**before, MEMBER: base64.b64encode(document).decode(), **after}
    data = json.dumps(whole, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:
        return  # a lone surrogate, written as it is, is no UTF-8
    told, got = read(data, size)
    assert got == document
    assert told == {**whole, MEMBER: ""}


@settings(max_examples=100, deadline=None)
@given(document=st.binary(max_size=120), size=st.integers(1, 20), data=st.data())
def test_any_escapes_and_line_breaks_within_the_document(document, size, data):
    written = ""
    for character in base64.b64encode(document).decode():
        forms = [
            character,
            f"\\u{ord(character):04x}",
            f"\\u{ord(character):04X}",
            f"\\r\\n{character}",
            f" {character}",
        ]
        if character == "/":
            forms.append("\\/")
        written += data.draw(st.sampled_from(forms))
    row, got = read(f'{{"RowNo":7,"{MEMBER}":"{written}"}}'.encode(), size)
    assert got == document
    assert row == {"RowNo": 7, MEMBER: ""}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"RowNo":7}', None),
        (f'{{"RowNo":7,"{MEMBER}":null}}', None),
        (f'{{"RowNo":7,"{MEMBER}":5}}', None),
        (f'{{"RowNo":7,"{MEMBER}":["QQ=="]}}', None),
        (f'{{"RowNo":7,"{MEMBER}":""}}', b""),
        (f'{{"RowNo":7,"inner":{{"{MEMBER}":"QQ=="}}}}', None),
        (f'{{"RowNo":7,"value":"{MEMBER}","next":"QQ=="}}', None),
        (f'{{"RowNo":7,"a":["{MEMBER}","QQ=="]}}', None),
        (f'{{"RowNo":7,"\\"{MEMBER}":"QQ=="}}', None),
        ('{"RowNo":7,"\\u0050DFPrintJobBASE64" : "QQ=="}', b"A"),
        (f'\ufeff  {{ "{MEMBER}"\n:\t"QQ==" , "RowNo":7 }} ', b"A"),
        (f'{{"RowNo":7,"x":"{{\\"{MEMBER}\\":\\\\","{MEMBER}":"QUI="}}', b"AB"),
    ],
)
def test_where_the_document_is_and_is_not(text, expected, size):
    row, got = read(text.encode(), size)
    assert got == expected
    assert row["RowNo"] == 7
    if expected is None:
        assert row == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "<html>busy</html>",
        '{"RowNo":7',
        '{"RowNo":7}}',
        '{"RowNo" 7}',
        '{"RowNo":"\xff"}',
        f'{{"{MEMBER}" "QQ=="}}',
        f'{{"{MEMBER}":"QQ==","{MEMBER}":"QQ=="}}',
        f'{{"{MEMBER}":null,"{MEMBER}":"QQ=="}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_row_is_a_broken_answer(text):
    with pytest.raises(BcUnreachable):
        read(text.encode("latin-1"), 5000)


def test_a_row_cut_anywhere_is_a_broken_answer():
    data = json.dumps({"RowNo": 7, MEMBER: base64.b64encode(b"x" * 50).decode(), "Status": "Printing"}).encode()
    assert read(data)[1] == b"x" * 50
    for cut in range(len(data)):
        with pytest.raises(BcUnreachable):
            read(data[:cut], 9)


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "QQ",
        "QQ=",
        "Q",
        "====",
        "QQ==QQ==",
        "QUJDQQ==QUJD",
        "Q-_Q",
        "QUJ\\\\",
        "QUJ\\u00f8",
        "Q\\b",
        "QQ==\\u003d",
        "Qø==",
    ],
)
def test_what_is_no_base64_is_a_broken_document(text, size):
    with pytest.raises(DocumentError, match="damaged"):
        read(f'{{"{MEMBER}":"{text}"}}'.encode(), size)


def test_a_document_too_large_is_refused_as_soon_as_it_is():
    data = f'{{"{MEMBER}":"{base64.b64encode(b"x" * 3000).decode()}"}}'.encode()
    assert read(data, most=3000)[1] == b"x" * 3000
    taken = bytearray()
    reader = RowReader(MEMBER, taken.extend, most=2999)
    with pytest.raises(DocumentError, match=r"limits\.document_mb"):
        reader.feed(data)
    assert len(taken) <= 2999


def test_a_row_without_end_is_refused_before_it_fills_the_memory():
    reader = RowReader(MEMBER, lambda _piece: None, most=10)
    pieces = (b'{"a":"' + b"x" * 10_000 for _ in range(100))
    with pytest.raises(BcUnreachable, match="far too long"):
        deque(map(reader.feed, pieces))
    assert len(reader._rest) < MOST_REST + 20_000


def test_thirty_megabytes_take_no_more_memory_than_a_chunk():
    chunk = base64.b64encode(bytes(range(256)) * 192)
    sizes = []
    reader = RowReader(MEMBER, lambda piece: sizes.append(len(piece)), most=10**9)
    tracemalloc.start()
    try:
        reader.feed(f'{{"RowNo":7,"{MEMBER}":"'.encode())
        for _ in range(640):
            reader.feed(chunk)
        reader.feed(b'"}')
        assert reader.finish() == {"RowNo": 7, MEMBER: ""}
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reader.size == sum(sizes) == 640 * 256 * 192
    assert peak < 1_000_000


def test_the_fuzz_target_keeps_its_invariant():
    spec = importlib.util.spec_from_file_location("fuzz_rowstream_under_test", FUZZ)
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    source = random.Random("rowstream")
    target.check(b"")
    for _ in range(1500):
        data = bytearray([source.randrange(256), source.choice([0, 1, 3])])
        data += bytes(source.choice([*range(26), 0x41, 0x3D]) for _ in range(source.randrange(25)))
        target.check(bytes(data))
