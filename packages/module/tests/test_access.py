"""Nobody without the device's own key gets behind the door; values are behind it only where that is set."""

import http.client
import urllib.parse
from contextlib import ExitStack

import pytest
from tapped import Tapped, until

from nesmodule.access.door import COOKIE, Door
from nesmodule.access.guesses import FREE
from nesmodule.access.request import Request

KEY = "k7%m2 q9+tz4"


class Time:
    now = 0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def door(time):
    numbers = iter(range(1, 1000))
    return Door(KEY, time, lambda count: next(numbers).to_bytes(count, "big"))


def asked(token=b"", method=b"GET", **headers):
    request = Request(method, b"/settings")
    for name, value in ({"Cookie": b"other=1; " + COOKIE + b"=" + token} | headers).items():
        request.take(name.replace("_", "-").encode() + b": " + value + b"\r\n")
    request.end()
    return request


def test_the_key_opens_and_nothing_else_does(door):
    assert not door.lets_in(asked())
    token = door.log_in(KEY.encode())
    assert door.lets_in(asked(token))
    for wrong in (b"", token[:-1], token + b"0", b"0" * 32):
        assert not door.lets_in(asked(wrong))
    assert door.log_in(KEY.encode() + b"x") == b""
    door.log_out(asked(b"0" * 32))
    assert door.lets_in(asked(token))
    door.log_out(asked(token))
    assert not door.lets_in(asked(token))


@pytest.mark.parametrize("key", ["", "short", "         x"])
def test_without_a_key_there_is_no_way_in(time, key):
    door = Door(key, time, bytes)
    for given in (b"", key.encode(), key.strip().encode()):
        assert door.log_in(given) == b""
    assert not door.lets_in(asked(b""))


def test_a_session_ends_by_idleness_and_in_any_case(door, time):
    token = door.log_in(KEY.encode())
    time.now += 1_800_000
    assert door.lets_in(asked(token))
    time.now += 1_800_001
    assert not door.lets_in(asked(token))
    token = door.log_in(KEY.encode())
    for _ in range(30):
        time.now += 1_440_000
        assert door.lets_in(asked(token))
    time.now += 1
    assert not door.lets_in(asked(token))


def test_the_fourth_session_ends_the_first(door):
    tokens = [door.log_in(KEY.encode()) for _ in range(4)]
    assert [door.lets_in(asked(token)) for token in tokens] == [False, True, True, True]


def test_guesses_are_few_and_a_right_one_waits_too(door, time):
    for _ in range(FREE):
        assert door.wait() == 0
        assert door.log_in(b"wrong") == b""
    assert door.log_in(KEY.encode()) == b""
    time.now += door.wait()
    assert door.log_in(KEY.encode())


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, True),
        ({"Host": b"nes.local", "Origin": b"http://nes.local", "Sec_Fetch_Site": b"same-origin"}, True),
        ({"Host": b"nes.local", "Origin": b"http://evil.example"}, False),
        ({"Host": b"nes.local", "Origin": b"null"}, False),
        ({"Sec_Fetch_Site": b"cross-site"}, False),
        ({"sec_fetch_site": b"same-site"}, False),
    ],
)
def test_another_page_cannot_use_a_session_to_change_something(door, headers, own):
    token = door.log_in(KEY.encode())
    assert door.lets_in(asked(token, b"POST", **headers)) is own
    assert door.lets_in(asked(token, b"GET", **headers))


@pytest.fixture
def module(tmp_path, built):
    with ExitStack() as stack:
        rig = Tapped(tmp_path, stack, built / "stock")
        rig.start_meter()
        yield rig


def ask(module, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", module.page, timeout=60)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_the_page_of_a_32_bit_micropython_lets_in_who_has_the_key(module):
    module.start_module(device_key=KEY, tap_token=None)
    assert ask(module, "GET", "/")[0] == 200
    status, _, form = ask(module, "GET", "/login")
    assert status == 200
    assert "Key of this module" in form
    assert KEY not in form
    wrong = ask(module, "POST", "/login", "key=wrong")
    assert wrong[0] == 403
    assert "not the key of this module" in wrong[2]
    assert "Set-Cookie" not in wrong[1]
    body = urllib.parse.urlencode({"key": KEY})
    assert ask(module, "POST", "/login", body, Origin="http://evil.example")[0] == 403
    status, headers, _ = ask(module, "POST", "/login", body)
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]
    for _ in range(FREE):
        assert ask(module, "POST", "/login", "key=wrong")[0] == 403
    waits = ask(module, "POST", "/login", body)
    assert waits[0] == 403
    assert "Too many wrong keys" in waits[2]


def test_values_are_behind_the_door_where_that_is_set(module):
    module.start_module(device_key=KEY, tap_token=None, values_need_login=True, ready="/login")
    for path in ("/", "/api/live", "/nothing"):
        status, headers, body = ask(module, "GET", path)
        assert (status, headers["Location"], body) == (303, "/login", "")
    _, headers, _ = ask(module, "POST", "/login", urllib.parse.urlencode({"key": KEY}))
    cookie = headers["Set-Cookie"].partition(";")[0]
    until(lambda: '"present"' in ask(module, "GET", "/api/live", Cookie=cookie)[2], "values for who is let in")
    assert ask(module, "POST", "/logout", Cookie=cookie)[0] == 303
    assert ask(module, "GET", "/api/live", Cookie=cookie)[0] == 303
