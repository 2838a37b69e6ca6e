"""Passwords, sessions, and how fast somebody may guess."""

import json
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.web.password import PasswordHash
from nes2mqtt.web.sessions import MOST_ADDRESSES, MOST_SESSIONS, LoginLimit, Sessions

DAY = 86400.0


def test_a_hash_matches_its_password_only():
    hash_ = PasswordHash.parse(str(PasswordHash.of("Grüße, 42")))
    assert hash_.matches("Grüße, 42")
    assert not hash_.matches("Grüße, 43")
    assert "Gr" not in repr(hash_)
    assert hash_.hash.hex() not in repr(hash_)


def test_two_hashes_of_one_password_differ():
    assert str(PasswordHash.of("correct horse")) != str(PasswordHash.of("correct horse"))


@pytest.mark.parametrize(
    "text",
    [
        "scrypt:16384:8:1:AAAA:AAAA",
        "scrypt:16383:8:1:AAAA:" + "A" * 43,
        "scrypt:1073741824:8:1:AAAA:" + "A" * 43,
        "scrypt:16384:8:1::" + "A" * 43,
        "scrypt:x:8:1:AAAA:AAAA",
        "scrypt::::: ",
    ],
)
def test_a_damaged_or_dear_hash_is_refused(text):
    with pytest.raises(ValueError, match="nes2mqtt hash-password"):
        PasswordHash.parse(text)


@given(st.text(max_size=80))
@settings(max_examples=200)
def test_a_hash_parses_or_raises_value_error(text):
    try:
        PasswordHash.parse("scrypt:" + text)
    except ValueError:
        return
    raise AssertionError(text)


def test_a_session_is_valid_until_its_end_or_its_close():
    sessions = Sessions("correct horse", DAY)
    token, other = sessions.open(0.0), sessions.open(0.0)
    assert token != other
    assert len(token) >= 43
    assert sessions.valid(token, DAY - 1)
    assert not sessions.valid(token, DAY)
    assert not sessions.valid("x" * 43, 0.0)
    sessions.close(token, 1.0)
    assert not sessions.valid(token, 1.0)
    assert sessions.valid(other, 1.0)


def test_sessions_are_bounded():
    sessions = Sessions("correct horse", DAY)
    first, *rest = [sessions.open(0.0) for _ in range(MOST_SESSIONS + 1)]
    assert not sessions.valid(first, 1.0)
    assert all(sessions.valid(token, 1.0) for token in rest)


def test_sessions_survive_a_restart_but_not_a_new_password(tmp_path):
    file = tmp_path / "web" / "sessions.json"
    token = Sessions("correct horse", DAY, file).open(0.0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in file.read_text()
    assert "correct horse" not in file.read_text()
    assert Sessions("correct horse", DAY, file).valid(token, 1.0)
    assert not Sessions("another horse", DAY, file).valid(token, 1.0)


def test_sessions_survive_a_restart_with_a_configured_hash(tmp_path):
    file = tmp_path / "sessions.json"
    hash_ = str(PasswordHash.of("correct horse"))
    token = Sessions(hash_, DAY, file).open(0.0)
    again = Sessions(hash_, DAY, file)
    assert again.password_matches("correct horse")
    assert again.valid(token, 1.0)
    assert not Sessions(str(PasswordHash.of("correct horse")), DAY, file).valid(token, 1.0)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"password": "scrypt:1:2", "sessions": 3}', "\x00", '{"sessions'])
def test_a_damaged_file_only_ends_the_sessions(tmp_path, content):
    file = tmp_path / "sessions.json"
    file.write_text(content)
    sessions = Sessions("correct horse", DAY, file)
    token = sessions.open(0.0)
    assert json.loads(file.read_text())["sessions"]
    assert sessions.valid(token, 1.0)


def test_five_guesses_then_one_each_half_minute():
    limit = LoginLimit()
    assert [limit.wait("192.0.2.1", 0.0) for _ in range(5)] == [0.0] * 5
    assert limit.wait("192.0.2.1", 0.0) == pytest.approx(30)
    assert limit.wait("192.0.2.2", 0.0) == 0.0
    assert limit.wait("192.0.2.1", 29.0) == pytest.approx(1)
    assert limit.wait("192.0.2.1", 30.0) == 0.0
    assert limit.wait("192.0.2.1", 30.0) > 0


def test_a_right_password_gives_the_guesses_back():
    limit = LoginLimit()
    for _ in range(5):
        limit.wait("192.0.2.1", 0.0)
    limit.forget("192.0.2.1")
    assert limit.wait("192.0.2.1", 0.0) == 0.0


def test_many_addresses_share_a_limit_and_memory_is_bounded():
    limit = LoginLimit()
    waits = [limit.wait(f"10.{n >> 8}.{n & 255}.1", 0.0) for n in range(3 * MOST_ADDRESSES)]
    assert sum(wait == 0.0 for wait in waits) == 20
    assert len(limit._addresses) <= MOST_ADDRESSES


def test_an_ipv6_subscriber_is_one_address():
    limit = LoginLimit()
    waits = [limit.wait(f"2001:db8::{n:x}", 0.0) for n in range(1, 8)]
    assert sum(wait == 0.0 for wait in waits) == 5
    assert limit.wait("2001:db8:0:1::1", 0.0) == 0.0
