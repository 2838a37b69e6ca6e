"""Greeting, Telnet and guesses, without a network; and the same on MicroPython."""

import hmac
import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nesmodule.access.guesses import FREE, Guesses
from nesmodule.tap.rfc2217 import Server
from osgp.errors import MisuseError
from osgp.ports.tap import telnet
from osgp.ports.tap.greeting import NONCE, Hello, answer, hmac_sha256, nonce_of, token_bytes

TOKEN = b"7kq2-mvx9-t4hp-w3zd"
FUZZ = Path(__file__).parents[3] / "fuzz" / "fuzz_tap.py"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_proof_is_what_python_itself_works_out(key, message):
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


@given(st.binary(min_size=NONCE, max_size=NONCE), st.sampled_from(["raw", "rfc2217"]), st.integers(1, 40), st.binary())
def test_who_has_the_token_gets_the_line_whatever_the_pieces(nonce, mode, piece, rest):
    hello = Hello(TOKEN, nonce)
    said = answer(TOKEN, mode, nonce_of(hello.line))
    for start in range(0, len(said), piece):
        hello.receive(said[start : start + piece] + (rest if start + piece >= len(said) else b""))
    assert (hello.mode, hello.wrong, hello.rest) == (mode, False, rest)


@pytest.mark.parametrize(
    "said",
    [
        answer(b"another-token-of-16", "raw", bytes(NONCE)),
        answer(TOKEN, "raw", bytes(NONCE - 1) + b"1"),
        answer(TOKEN, "raw", bytes(NONCE)).replace(b"raw", b"rfc2217"),
        answer(TOKEN, "write", bytes(NONCE)),
        answer(TOKEN, "raw", bytes(NONCE)).replace(b"\n", b" \xff\n"),
        b"raw\n", b"\n", b"raw " + bytes(64) + b"\n", bytes(4000),
    ],
)  # fmt: skip
def test_nobody_else_does(said):
    hello = Hello(TOKEN, bytes(NONCE))
    hello.receive(said)
    assert (hello.mode, hello.wrong) == ("", True)
    hello.receive(answer(TOKEN, "raw", bytes(NONCE)))
    assert hello.mode == ""


@pytest.mark.parametrize(
    "text", ["", "short", "a" * 65, "seventeen letters", "seventeen\0letters", "s\u00f6venteen-letters"]
)
def test_what_is_no_token_is_refused_and_not_repeated(text):
    with pytest.raises(MisuseError) as refused:
        token_bytes(text)
    assert not text or text not in str(refused.value)


@given(
    st.lists(st.one_of(st.binary(max_size=20), st.tuples(st.integers(0, 255), st.binary(max_size=20))), max_size=8),
    st.integers(1, 50),
)
def test_bytes_and_commands_come_out_as_they_went_in_whatever_the_pieces(parts, piece):
    sent = b"".join(telnet.escaped(one) if isinstance(one, bytes) else telnet.command(*one) for one in parts)
    splitter = telnet.Splitter()
    found = [one for start in range(0, len(sent), piece) for one in splitter.receive(sent[start : start + piece])]
    assert b"".join(one for one in found if isinstance(one, bytes)) == b"".join(
        one for one in parts if isinstance(one, bytes)
    )
    commands = [(one.number, one.data) for one in found if not isinstance(one, bytes)]
    assert commands == [one for one in parts if not isinstance(one, bytes)]


def test_offers_are_answered_once_and_foreign_ones_refused():
    server = Server(lambda: b"{}")
    for _ in range(2):
        server.receive(bytes((255, 251, 44, 255, 253, 0, 255, 251, 31)))
    assert server.to_send() == bytes((255, 253, 44, 255, 251, 0, 255, 254, 31, 255, 254, 31))


def test_after_five_wrong_guesses_everybody_waits_ever_longer():
    now = [0]
    guesses = Guesses(lambda: now[0])
    for _ in range(FREE):
        assert guesses.wait() == 0
        guesses.wrong()
    waits = []
    for _ in range(8):
        waits.append(guesses.wait() // 1000)
        now[0] += guesses.wait()
        guesses.wrong()
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    now[0] += guesses.wait()
    guesses.right()
    guesses.wrong()
    assert guesses.wait() == 0


def test_the_same_on_micropython(micropython):
    nonce = bytes(range(NONCE))
    told = [hmac.digest(key, b"message", "sha256").hex() for key in (b"", b"k", bytes(64), bytes(100))]
    for said in (
        answer(TOKEN, "raw", nonce),
        answer(TOKEN, "rfc2217", nonce) + b"rest",
        answer(TOKEN, "raw", bytes(NONCE)),
        b"x\n",
    ):
        hello = Hello(TOKEN, nonce)
        hello.receive(said)
        told.append(f"{hello.mode} {hello.wrong} {list(hello.rest)}")
    server = Server(lambda: b"{}")
    sent = bytes((255, 251, 44, 1, 255, 255, 2)) + b"".join(telnet.command(number, data) for number, data in (
        (0, b""), (1, bytes(4)), (5, b"\x09"), (5, b"\x0b"), (5, b"\x0c"), (5, b""), (11, b"\xff"), (99, b"")))  # fmt: skip
    told += [server.receive(sent).hex(), server.to_send().hex(), f"{server.dtr} {server.rts}"]
    given_text = [
        answer(TOKEN, "raw", nonce),
        answer(TOKEN, "rfc2217", nonce),
        answer(TOKEN, "raw", bytes(NONCE)),
        sent,
    ]
    assert micropython("tap.py", "\n".join(one.hex() for one in given_text)).splitlines() == told


def test_the_fuzz_target_runs():
    spec = importlib.util.spec_from_file_location("fuzz_tap_under_test", FUZZ)
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    for data in (b"", b"\xff\xfa\x2c\x00\xff\xf0", bytes(range(256)), b"raw " + b"0" * 64 + b"\n", b"\xff" * 9):
        fuzz.check(data)
