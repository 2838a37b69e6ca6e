"""Every form a key is handed out in; and no way to see one."""

import copy
import json
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import KeyFormatError, MisuseError
from osgp.key import MeterKey

HEX_LOOKALIKE = "0123456789ABCDEF0123"


@pytest.mark.parametrize(
    ("text", "secret", "form"),
    [
        ("ABCDEFGHIJKLMNOPQRST", b"ABCDEFGHIJKLMNOP", "20 characters"),
        ("ABCDEFGHIJKLMNOP", b"ABCDEFGHIJKLMNOP", "16 characters"),
        (HEX_LOOKALIKE, b"0123456789ABCDEF", "20 characters"),
        ("0123456789abcdef", b"0123456789abcdef", "16 characters"),
        ("twenty with blanks !", b"twenty with blan", "20 characters"),
        ("ABCDEFGHIJKLMNOPQRST\n", b"ABCDEFGHIJKLMNOP", "20 characters"),
        ("  ABCDEFGHIJKLMNOP\t", b"ABCDEFGHIJKLMNOP", "16 characters"),
        ("00112233445566778899aabbccddeeff", bytes.fromhex("00112233445566778899aabbccddeeff"), "32 hex digits"),
        ("00112233445566778899AABBCCDDEEFF01020304", bytes.fromhex("00112233445566778899aabbccddeeff"), "40 hex digits"),
        ("00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff", bytes(range(0, 256, 17)), "32 hex digits"),
        ("00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", bytes(range(0, 256, 17)), "32 hex digits"),
        ("0011-2233-4455-6677-8899-aabb-ccdd-eeff", bytes(range(0, 256, 17)), "32 hex digits"),
        ("10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25", bytes.fromhex("10111213141516171819202122232425"), "32 hex digits"),
        ("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", b"\x01" * 16, "16 decimal numbers"),
        ("[0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255, 1, 2, 3, 4]", bytes(range(0, 256, 17)), "20 decimal numbers"),
        ("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", bytes(range(16)), "16 decimal numbers"),
        ("10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25", bytes(range(10, 26)), "16 decimal numbers"),
    ],
)  # fmt: skip
def test_forms(text, secret, form):
    key = MeterKey.parse(text)
    assert key.secret == secret
    assert key.form == form


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("ABCDEFGHIJKLMNOPQRS", "19 characters"),
        ("ABCDEFGHIJKLMNOPQRSTU", "21 characters"),
        ("ÆBCDEFGHIJKLMNOPQRST", "not all of them printable ASCII"),
        ("0011223344556677889", "19 hex digits"),
        ("00112233445566778899aabbccddeeff0102030", "39 hex digits"),
        ("1, 2, 3", "list of 3 numbers"),
        ("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 256", "number 16 is more than 255"),
    ],
)
def test_what_is_wrong_is_told(text, told):
    with pytest.raises(KeyFormatError) as caught:
        MeterKey.parse(text)
    assert told in str(caught.value)
    assert "grid company" in str(caught.value)


@given(st.text(alphabet="qxzQXZ#~9", min_size=8, max_size=60))
def test_no_text_shown_contains_the_key(text):
    """The alphabet has no word in common with our messages, so whatever of it shows up is an echo."""
    try:
        shown = str(MeterKey.parse(text))
    except KeyFormatError as error:
        shown = str(error)
    for start in range(len(text) - 3):
        assert text[start : start + 4] not in shown


@pytest.mark.parametrize("size", [0, 15, 17, 19, 21, 40])
def test_key_bytes_are_sixteen_or_twenty(size):
    with pytest.raises(KeyFormatError):
        MeterKey(bytes(size))


def test_only_secret_shows_the_key():
    key = MeterKey(b"TopSecretTopSecretTo")
    shown = [repr(key), str(key), f"{key}", f"{key:>60}", repr([key]), repr({"key": key}), f"{[key]}"]
    for text in shown:
        assert "TopSecret" not in text
        assert key.fingerprint in text
    assert len(key.fingerprint) == 4
    assert not hasattr(key, "__dict__")


def test_key_does_not_leave_the_process():
    key = MeterKey(b"TopSecretTopSecretTo")
    with pytest.raises(MisuseError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        json.dumps(key)
    assert copy.copy(key) is key
    assert copy.deepcopy({"key": key})["key"] is key


def test_no_secret_in_a_traceback():
    try:
        MeterKey.parse("OneTooShortASecret!")
    except KeyFormatError:
        text = traceback.format_exc()
    assert "ASecret" not in text.replace('MeterKey.parse("OneTooShortASecret!")', "")


def test_keys_compare_by_what_is_used():
    assert MeterKey(b"ABCDEFGHIJKLMNOPQRST") == MeterKey(b"ABCDEFGHIJKLMNOP")
    assert hash(MeterKey(b"ABCDEFGHIJKLMNOPQRST")) == hash(MeterKey(b"ABCDEFGHIJKLMNOP"))
    assert MeterKey(b"ABCDEFGHIJKLMNOP") != MeterKey(b"ABCDEFGHIJKLMNOQ")
    assert MeterKey(b"ABCDEFGHIJKLMNOP") != b"ABCDEFGHIJKLMNOP"
