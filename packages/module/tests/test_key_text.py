"""Of a meter key the module reads the plain forms, and never another one than a computer does."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nesmodule_build.device.key_text import read_key
from osgp import key_text
from osgp.errors import KeyFormatError

CHARACTERS = st.text(st.characters(min_codepoint=9, max_codepoint=0x2070), min_size=10, max_size=60)
NEAR = st.text("ABCDEFabcdef0123456789 ,;:-'\"=x\n", min_size=14, max_size=100)


@pytest.mark.parametrize(
    "text",
    [
        "ABCDEFGHIJKLMNOPQRST",
        "ABCDEFGHIJKLMNOP\n",
        "0123456789abcdef0123456789ABCDEF01234567",
        "01 23 45 67 89 ab cd ef 01 23 45 67 89 AB CD EF",
        "01:23:45:67:89:ab:cd:ef:01:23:45:67:89:AB:CD:EF",
        ",".join(map(str, range(60, 80))),
        ", ".join(map(str, range(240, 256))),
    ],
)
def test_the_plain_forms_are_read(text):
    assert read_key(text) == key_text.read_key(text)


@given(st.one_of(CHARACTERS, NEAR))
def test_what_is_read_here_means_the_same_on_a_computer(text):
    with suppress(KeyFormatError):
        assert read_key(text) == key_text.read_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "key = ABCDEFGHIJKLMNOPQRST",
        "ABCDEFGHIJKLMNOPQRS",
        ",".join(["256"] * 16),
        "0x" * 16,
        "'ABCDEFGHIJKLMNOPQR'",
    ],
)
def test_other_forms_are_refused_without_a_trace_of_them(text):
    with pytest.raises(KeyFormatError) as failure:
        read_key(text)
    assert not text or text not in str(failure.value)
