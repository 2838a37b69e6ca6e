"""Passwords, sessions, and how fast somebody may guess."""

import json
import stat
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.limits import MOST_ADDRESSES, GuessLimit, Places
from servicekit.password import PasswordHash
from servicekit.sessions import DEVICE_LIFETIME, MOST_DEVICES, MOST_SESSIONS, Sessions

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
    with pytest.raises(ValueError, match="the command hash-password"):
        PasswordHash.parse(text)


@given(st.text(max_size=80))
@settings(max_examples=200)
def test_a_hash_parses_or_raises_value_error(text):
    try:
        PasswordHash.parse("scrypt:" + text)
    except ValueError:
        return
    raise AssertionError(text)


class Host:
    """A machine: its monotonic clock, its time of day, which can be set, and its runs."""

    def __init__(self):
        self.uptime = 1000.0
        self.wall = 1_800_000_000.0
        self.boot = "first"
        self.believed = True

    def wait(self, seconds):
        self.uptime += seconds
        self.wall += seconds

    def restart(self, seconds=60.0):
        self.wall += seconds
        self.uptime = 20.0
        self.boot += "!"

    def sessions(self, password="correct horse", lifetime=DAY, file=None):
        clock = SimpleNamespace(
            known=self.believed,
            monotonic=lambda: self.uptime,
            now=lambda: datetime.fromtimestamp(self.wall, UTC),
        )
        return Sessions(password, lifetime, file, clock=clock, boot=self.boot)


@pytest.fixture
def host():
    return Host()


def test_a_session_is_valid_until_its_end_or_its_close(host):
    sessions = host.sessions()
    token, other = sessions.open(), sessions.open()
    assert token != other
    assert len(token) >= 43
    assert not sessions.valid("x" * 43)
    sessions.close(token)
    assert not sessions.valid(token)
    host.wait(DAY - 1)
    assert sessions.valid(other)
    host.wait(1)
    assert not sessions.valid(other)


@pytest.mark.parametrize("step", [-10 * 365 * DAY, -3 * DAY, -7200, 7200, 10 * 365 * DAY])
def test_a_step_of_the_time_of_day_neither_ends_a_session_nor_lets_it_live_for_ever(host, tmp_path, step):
    file = tmp_path / "sessions.json"
    sessions = host.sessions(file=file)
    token = sessions.open()
    host.wait(3600)
    host.wall += step
    assert sessions.valid(token)
    again = host.sessions(file=file)
    assert again.valid(token), "the program was restarted, the machine was not"
    host.wait(DAY - 3601)
    assert sessions.valid(token)
    assert again.valid(token)
    host.wait(2)
    assert not sessions.valid(token)
    assert not again.valid(token)


@pytest.mark.parametrize("step", [-10 * 365 * DAY, 10 * 365 * DAY])
def test_a_restart_of_the_program_alone_counts_by_the_clock_that_nobody_sets(host, tmp_path, step):
    file = tmp_path / "sessions.json"
    token = host.sessions(file=file).open()
    host.wait(DAY / 2)
    host.wall += step
    again = host.sessions(file=file)
    assert again.valid(token)
    host.wait(DAY / 2 - 1)
    assert again.valid(token)
    host.wait(1)
    assert not again.valid(token)


def test_time_away_counts_when_it_is_known(host, tmp_path):
    file = tmp_path / "sessions.json"
    token = host.sessions(file=file).open()
    host.restart(DAY / 2)
    assert host.sessions(file=file).valid(token)
    host.restart(DAY / 2 + 60)
    assert not host.sessions(file=file).valid(token)


def test_a_machine_that_starts_without_the_time_of_day_keeps_its_logins(host, tmp_path):
    file = tmp_path / "sessions.json"
    token = host.sessions(file=file).open()
    host.restart(-3 * DAY)
    assert host.sessions(file=file).valid(token), "its clock starts in the past"
    host.believed = False
    sessions = host.sessions(file=file)
    assert sessions.valid(token)
    host.wait(DAY + 1)
    assert not sessions.valid(token), "and not for ever"


def test_a_gateway_that_is_restarted_each_two_hours_does_not_keep_a_login_for_ever(host, tmp_path):
    file = tmp_path / "sessions.json"
    host.believed = False
    token = host.sessions(file=file).open()
    for _ in range(30):
        sessions = host.sessions(file=file)
        host.wait(3601)
        sessions.valid(token)
        host.wait(3599)
        host.restart(0)
    assert not host.sessions(file=file).valid(token)


def test_sessions_are_bounded(host):
    sessions = host.sessions()
    first, *rest = [sessions.open() for _ in range(MOST_SESSIONS + 1)]
    assert not sessions.valid(first)
    assert all(sessions.valid(token) for token in rest)


def test_sessions_survive_a_restart_but_not_a_new_password(host, tmp_path):
    file = tmp_path / "web" / "sessions.json"
    token = host.sessions(file=file).open()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in file.read_text()
    assert "correct horse" not in file.read_text()
    assert host.sessions(file=file).valid(token)
    assert not host.sessions("another horse", file=file).valid(token)


def test_sessions_survive_a_restart_with_a_configured_hash(host, tmp_path):
    file = tmp_path / "sessions.json"
    hash_ = str(PasswordHash.of("correct horse"))
    token = host.sessions(hash_, file=file).open()
    again = host.sessions(hash_, file=file)
    assert again.password_matches("correct horse")
    assert again.valid(token)


def test_a_configured_hash_that_is_another_ends_the_sessions(host, tmp_path):
    hashes = [str(PasswordHash.of("correct horse")) for _ in range(2)]
    for one, other in (hashes, reversed(hashes)):  # whichever comes first in the alphabet
        file = tmp_path / f"{hashes.index(one)}.json"
        token = host.sessions(one, file=file).open()
        assert host.sessions(one, file=file).valid(token)
        assert not host.sessions(other, file=file).valid(token)


def test_logins_of_the_version_before_are_carried_over(host, tmp_path):
    file = tmp_path / "sessions.json"
    token = host.sessions(file=file).open()
    content = json.loads(file.read_text())
    old = {"password": content["password"], "sessions": dict.fromkeys(content["sessions"], host.wall + 500)}
    file.write_text(json.dumps(old))
    sessions = host.sessions(file=file)
    host.wait(499)
    assert sessions.valid(token)
    host.wait(1)
    assert not sessions.valid(token)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"password": "scrypt:1:2", "sessions": 3}', "\x00", '{"sessions'])
def test_a_damaged_file_only_ends_the_sessions(host, tmp_path, content):
    file = tmp_path / "sessions.json"
    file.write_text(content)
    sessions = host.sessions(file=file)
    token = sessions.open()
    assert json.loads(file.read_text())["sessions"]
    assert sessions.valid(token)


def wait(limit, address, now):
    refused = limit.refuse(address, now)
    return refused.seconds if refused else 0.0


def test_five_guesses_then_one_each_half_minute():
    limit = GuessLimit()
    assert [wait(limit, "192.0.2.1", 0.0) for _ in range(5)] == [0.0] * 5
    assert wait(limit, "192.0.2.1", 0.0) == pytest.approx(30)
    assert wait(limit, "192.0.2.2", 0.0) == 0.0
    assert wait(limit, "192.0.2.1", 29.0) == pytest.approx(1)
    assert wait(limit, "192.0.2.1", 30.0) == 0.0
    assert wait(limit, "192.0.2.1", 30.0) > 0


def test_only_the_first_refusal_is_worth_a_line_in_the_log():
    limit = GuessLimit()
    refused = [limit.refuse("192.0.2.1", 0.0) for _ in range(8)]
    assert [one and one.first for one in refused] == [None] * 5 + [True, False, False]
    assert limit.refuse("192.0.2.1", 40.0) is None
    assert limit.refuse("192.0.2.1", 40.0).first


def test_a_right_password_gives_the_guesses_back():
    limit = GuessLimit()
    for _ in range(5):
        limit.refuse("192.0.2.1", 0.0)
    limit.right("192.0.2.1")
    assert limit.refuse("192.0.2.1", 0.0) is None


def test_who_has_known_the_answer_does_not_wait_because_others_guess():
    limit = GuessLimit()
    limit.right("192.0.2.1")
    for number in range(200):
        limit.refuse(f"10.0.{number}.1", 0.0)
    assert limit.refuse("192.0.2.2", 0.0) is not None, "a stranger waits"
    assert [wait(limit, "192.0.2.1", 0.0) for _ in range(6)] == [0.0] * 5 + [pytest.approx(30)]


def test_l4_a_device_with_a_mark_has_a_limit_of_its_own_wherever_it_is():
    limit = GuessLimit()
    for number in range(200):
        limit.refuse(f"10.0.{number}.1", 0.0)
    assert limit.refuse("192.0.2.1", 0.0) is not None, "a stranger waits"
    assert [limit.refuse(f"192.0.2.{number}", 0.0, "phone") is None for number in range(7)] == [True] * 5 + [False] * 2
    limit.right("192.0.2.1", "phone")
    assert limit.refuse("192.0.2.9", 0.0, "phone") is None


def test_l4_guesses_of_a_marked_device_take_nothing_from_strangers():
    limit = GuessLimit()
    for number in range(100):
        limit.refuse(f"10.0.{number}.1", 0.0, "phone")
    assert limit.refuse("192.0.2.1", 0.0) is None


def test_l4_marks_survive_a_restart_and_the_end_of_the_session_but_not_a_new_password(host, tmp_path):
    file = tmp_path / "sessions.json"
    sessions = host.sessions(file=file)
    token, mark = sessions.open(), sessions.mark("")
    assert not sessions.valid(mark), "a mark opens nothing"
    assert not sessions.device(token)
    assert sessions.mark(mark) == mark
    assert sessions.mark("chosen by somebody else") != "chosen by somebody else"
    host.wait(40 * DAY)
    host.restart()
    again = host.sessions(file=file)
    assert not again.valid(token)
    assert again.device(mark)
    assert mark not in file.read_text(), "only its hash is kept"
    host.wait(DEVICE_LIFETIME)
    assert not again.device(mark)
    again.mark("")
    assert not host.sessions("another horse", file=file).device(mark)


def test_l4_marks_are_bounded(host):
    sessions = host.sessions()
    marks = [sessions.mark("") for _ in range(MOST_DEVICES + 1)]
    assert [bool(sessions.device(mark)) for mark in (marks[0], marks[1], marks[-1])] == [False, True, True]


@pytest.mark.parametrize("waiting", [False, True])
def test_a_guess_is_counted_unless_it_is_right_and_who_waits_is_told_nothing(waiting):
    limit, asked = GuessLimit(), []

    def answer(right):
        asked.append(right)
        return right

    assert limit.look("192.0.2.1", 0, lambda: answer(True)) is None
    for _ in range(5):
        assert limit.look("192.0.2.1", 0, lambda: answer(False)).seconds == 0
    asked.clear()
    now = 0 if waiting else 31
    refused = limit.look("192.0.2.1", now, lambda: answer(True))
    assert (refused is None) == (not waiting)
    assert asked == ([] if waiting else [True])
    if waiting:
        assert 0 < refused.seconds <= 30
        assert limit.look("192.0.2.1", now, lambda: answer(True), spare_known=True) is None


def test_many_addresses_share_a_limit_and_memory_is_bounded():
    limit = GuessLimit()
    waits = [wait(limit, f"10.{n >> 8}.{n & 255}.1", 0.0) for n in range(3 * MOST_ADDRESSES)]
    assert sum(wait == 0.0 for wait in waits) == 20
    assert len(limit._addresses) <= MOST_ADDRESSES
    assert len(limit._refused) <= MOST_ADDRESSES


def test_an_ipv6_subscriber_is_one_address():
    limit = GuessLimit()
    waits = [wait(limit, f"2001:db8::{n:x}", 0.0) for n in range(1, 8)]
    assert sum(wait == 0.0 for wait in waits) == 5
    assert wait(limit, "2001:db8:0:1::1", 0.0) == 0.0


def test_no_stranger_and_no_single_address_takes_all_places():
    places = Places(32)
    assert [places.take("192.0.2.66", stranger=True) is not None for _ in range(36)].count(True) == 8
    for number in range(36):
        places.take(f"10.0.{number}.1", stranger=True)
    assert [places.take("192.0.2.1", stranger=False) is not None for _ in range(36)].count(True) == 16, "all are taken"


def test_a_place_that_is_given_back_is_there_for_the_next():
    places = Places(1)
    leave = places.take("192.0.2.1", stranger=True)
    assert places.take("192.0.2.2", stranger=False) is None
    leave()  # type: ignore[misc]
    assert places.take("192.0.2.2", stranger=False) is not None
    assert places.take("192.0.2.2", stranger=False) is None
