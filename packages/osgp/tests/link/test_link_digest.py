"""The digest against the algorithm as the guide prints it, and RC4 against a library."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import MisuseError
from osgp.mep.cipher import RC4
from osgp.mep.digest import PASS_SIZE, KeySchedule, digest, verify

keys = st.binary(min_size=16, max_size=16)


class PrintedDigest:
    """The C of MEP guide v1.1 p. 251-253, step by step, with its state kept between calls."""

    def __init__(self, key):
        self.key = key
        self.a = [0] * 8
        self.i = self.j = 0

    def call(self, data, *, end):
        data = list(data)
        while True:
            while self.i < 24:
                key_byte = self.key[self.i % 16] >> self.j
                last = self.a[(8 - self.j) & 7]
                v = 7 - self.j
                while v >= 0:
                    if data:
                        m = data.pop(0)
                    elif end:
                        m = 0
                    else:
                        self.j = 7 - v
                        return
                    n = ~(self.a[v] + v) & 0xFF
                    term = (n << 1) + (n >> 7) if key_byte & 1 else -((n >> 1) + (n << 7))
                    last = self.a[v] = (last + m + term) & 0xFF
                    key_byte >>= 1
                    v -= 1
                self.j = 0
                self.i += 1
            self.i = 0
            if not data:
                return

    @classmethod
    def of(cls, key, *parts, empty_end=False):
        printed = cls(key)
        for part in parts[:-1]:
            printed.call(part, end=False)
        printed.call(parts[-1], end=not empty_end)
        if empty_end:
            printed.call(b"", end=True)
        return bytes(printed.a)


@given(keys, st.binary(max_size=500), st.binary(max_size=500))
@settings(max_examples=60)
def test_equals_the_printed_algorithm(key, request, response):
    schedule = KeySchedule(key)
    assert digest(schedule, request, response) == PrintedDigest.of(key, request, response)
    assert verify(schedule, PrintedDigest.of(key, request, response, empty_end=True), request, response)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 191, 192, 193, 384, 476])
def test_both_ways_of_ending_are_taken(size):
    key, message = bytes(range(16)), bytes(place % 251 for place in range(size))
    schedule = KeySchedule(key)
    one_call = PrintedDigest.of(key, message)
    two_calls = PrintedDigest.of(key, message, empty_end=True)
    assert (one_call != two_calls) == (size > 0 and size % PASS_SIZE == 0)
    assert verify(schedule, one_call, message)
    assert verify(schedule, two_calls, message)


def test_vectors_from_the_guides_own_c():
    """Computed with the compiled C of p. 251-253; key 00 01 .. 0F, bytes 7 i + 3."""
    schedule = KeySchedule(bytes(range(16)))
    message = bytes((7 * place + 3) % 256 for place in range(300))
    assert digest(schedule, message).hex() == "a1d426c0d71033c5"
    assert digest(schedule, message[:192]).hex() == "99f54a27e432aaa7"
    assert verify(schedule, bytes.fromhex("07ff81bfbe55db59"), message[:192])
    assert digest(schedule, bytes.fromhex("3f0017000000002c77635b91")).hex() == "f8d12cb9f07256c1"


@given(keys, st.binary(max_size=400), st.integers(0, 399), st.integers(1, 255))
@settings(max_examples=60)
def test_one_changed_byte_changes_the_digest(key, message, place, change):
    """Always, not just nearly: each step maps states one to one, so two different ones never meet again."""
    if not message:
        return
    place %= len(message)
    other = bytearray(message)
    other[place] ^= change
    schedule = KeySchedule(key)
    assert digest(schedule, message) != digest(schedule, bytes(other))


@given(keys, st.binary(min_size=1, max_size=180), st.integers(0, 10))
@settings(max_examples=30)
def test_zero_bytes_at_the_end_do_not_show(key, message, zeros):
    """Not wanted, but so it is; frames check their counts for this reason."""
    schedule = KeySchedule(key)
    assert digest(schedule, message) == digest(schedule, message, bytes(zeros))


@pytest.mark.parametrize("size", [0, 12, 15, 17, 20])
def test_keys_have_sixteen_bytes(size):
    with pytest.raises(MisuseError):
        KeySchedule(bytes(size))


def test_a_schedule_does_not_show_its_key():
    assert repr(KeySchedule(b"Sixteen secrets!")) == "KeySchedule()"


@given(keys, st.binary(max_size=600))
@settings(max_examples=30)
def test_rc4_equals_a_library(key, data):
    assert RC4(key).apply(data) == Cipher(ARC4(key), None).encryptor().update(data)


def test_rc4_equals_rfc_6229():
    """Section 2, 128-bit key 0102...10, offsets 0 and 240."""
    stream = RC4(bytes(range(1, 17))).apply(bytes(256))
    assert stream[:16].hex() == "9ac7cc9a609d1ef7b2932899cde41b97"
    assert stream[240:].hex() == "065902e4b620f6cc36c8589f66432f2b"


@given(keys, st.binary(max_size=100), st.binary(max_size=100))
@settings(max_examples=30)
def test_rc4_goes_on_where_it_stopped(key, first, second):
    one, other = RC4(key), RC4(key)
    assert one.apply(first) + one.apply(second) == other.apply(first + second)
    twin = one.copy()
    assert one.apply(second) == twin.apply(second)
