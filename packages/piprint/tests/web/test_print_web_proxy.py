"""P8: wrong passwords, and the page behind a reverse proxy: nobody locks the owner out, and nobody passes for another."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import stat
from urllib.parse import urlsplit

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from piprint.config.settings import Web
from piprint.web import access as gate
from piprint.web import server
from piprint.web.access import HEADER
from piprint.web.server import PageServer
from servicekit import connections as door

OURS = {HEADER: "1"}
PASSWORD = "horse battery"
PROXY = {"trusted_proxies": ("127.0.0.1",)}
PUBLIC = "https://example.org/print/"


def basic(password):
    return {"Authorization": "Basic " + base64.b64encode(f"any:{password}".encode()).decode()}


def at(address):
    return {"X-Forwarded-For": address}


class Page:
    """A page whose clock the test moves; asked from any address, as its trusted proxy."""

    def __init__(self, shop, logins=None, **settings):
        self.seconds = 0.0
        settings = {"listen": "127.0.0.1:0", "password": SecretStr(PASSWORD), **PROXY, **settings}
        self.server = PageServer(Web(**settings), shop, logins=logins)
        self.server._access._now = lambda: self.seconds

    async def __aenter__(self):
        await self.server.start()
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_):
        await self.session.close()
        await self.server.close()

    async def get(self, path="api/v1/status", **headers_of):
        async with self.session.get(
            self.server.url + path, headers=headers_of.get("headers", {}), allow_redirects=False
        ) as answer:
            await answer.read()
            return answer

    async def post(self, path, body, headers):
        async with self.session.post(self.server.url + path, json=body, headers=OURS | headers) as answer:
            await answer.read()
            return answer

    async def log_in(self, password, address="192.0.2.1", **more):
        return await self.post("api/v1/login", {"password": password}, at(address) | more.get("headers", {}))


async def test_p8_one_wrong_password_locks_nobody_out(shop):
    async with Page(shop) as page:
        assert (await page.log_in("wrong")).status == 401
        assert (await page.log_in(PASSWORD)).status == 200
        assert (await page.get("metrics", headers=basic(PASSWORD) | at("192.0.2.1"))).status == 200


async def test_p8_who_guesses_waits_and_nobody_who_was_logged_in(shop):
    async with Page(shop) as page:
        assert (await page.get("metrics", headers=basic(PASSWORD) | at("192.0.2.9"))).status == 200
        cookie = (await page.log_in(PASSWORD, "192.0.2.2")).headers["Set-Cookie"].split(";")[0]
        for turn in range(300):
            guess = await page.log_in(f"guess {turn}", f"203.0.113.{turn % 60}")
            assert guess.status in {401, 429}
            guess = await page.get("metrics", headers=basic(f"guess {turn}") | at(f"203.0.113.{turn % 60}"))
            assert guess.status in {401, 429}
        assert guess.status == 429
        assert int(guess.headers["Retry-After"]) <= 60
        guesser = at("203.0.113.1")
        assert (await page.log_in(PASSWORD, "203.0.113.1")).status == 429, "who guesses is not told when it is right"
        assert (await page.get(headers=guesser | {"Cookie": cookie})).status == 200, "logged in passes"
        assert (await page.log_in(PASSWORD, "192.0.2.2")).status == 200, "whose address has logged in before"
        assert (await page.get("metrics", headers=basic(PASSWORD) | at("192.0.2.9"))).status == 200, "Prometheus"
        page.seconds += 120
        assert (await page.log_in(PASSWORD, "203.0.113.1")).status == 200


def set_cookies(answer):
    """Return the cookies an answer sets: name to value, and name to the path it is sent to."""
    parts = [line.split("; ") for line in answer.headers.getall("Set-Cookie")]
    pairs = [part[0].split("=", 1) for part in parts]
    paths = {
        pair[0]: next(each[5:] for each in part if each.startswith("Path="))
        for pair, part in zip(pairs, parts, strict=True)
    }
    return dict(pairs), paths


async def guessed_out(page):
    """Let many addresses guess until strangers have to wait."""
    for turn in range(30):
        await page.log_in("wrong", f"2001:db8:0:{turn:x}::1")
        await page.get("metrics", headers=basic("wrong") | at(f"2001:db8:0:{turn:x}::1"))


async def test_p8_the_owner_logs_in_from_a_new_address_while_others_guess(shop):
    async with Page(shop) as page:
        cookies, paths = set_cookies(await page.log_in(PASSWORD, "198.51.100.1"))
        assert paths == {"piprint": "/", "piprint_device": "/api/v1/login"}
        mark = {"Cookie": f"piprint_device={cookies['piprint_device']}"}
        await guessed_out(page)
        assert (await page.log_in(PASSWORD, "198.51.100.99")).status == 429, (
            "a new device waits, or anybody could guess"
        )
        assert (await page.get(headers=mark)).status == 401, "the mark opens nothing"
        for _ in range(5):
            assert (await page.log_in("wrong", "198.51.100.98", headers=mark)).status == 401
        assert (await page.log_in(PASSWORD, "198.51.100.99", headers=mark)).status == 429, "it has a limit of its own"
        page.seconds += 31
        await guessed_out(page)
        assert (await page.log_in(PASSWORD, "198.51.100.99", headers=mark)).status == 200


async def test_p8_this_computer_is_no_stranger_to_its_own_page(shop):
    """Its command, and Prometheus beside it, come without X-Forwarded-For."""
    async with Page(shop) as page:
        await guessed_out(page)
        assert (await page.get(headers=basic(PASSWORD) | at("198.51.100.1"))).status == 429
        assert (await page.get(headers=basic(PASSWORD))).status == 200
        assert (await page.post("api/v1/login", {"password": PASSWORD}, {})).status == 200


async def test_p8_who_is_logged_in_stays_so_over_a_restart(shop, tmp_path):
    file = tmp_path / "logins.json"
    async with Page(shop, file) as page:
        cookies, _ = set_cookies(await page.log_in(PASSWORD))
        session, mark = ({"Cookie": f"{name}={value}"} for name, value in cookies.items())
        ended, _ = set_cookies(await page.log_in(PASSWORD))
        ended = {"Cookie": f"piprint={ended['piprint']}"}
        assert (await page.post("api/v1/logout", {}, ended)).status == 200
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for secret in (PASSWORD, *cookies.values()):
        assert secret not in file.read_text()
    async with Page(shop, file) as page:
        assert (await page.get(headers=session)).status == 200
        assert (await page.get(headers=ended)).status == 401, "who logged out stays out"
        await guessed_out(page)
        assert (await page.log_in(PASSWORD, "198.51.100.99", headers=mark)).status == 200
    async with Page(shop, file, password=SecretStr("another password")) as page:
        assert (await page.get(headers=session)).status == 401, "a new password ends all sessions"
    file.write_text("{")
    async with Page(shop, file) as page:
        assert (await page.get(headers=session)).status == 401
        assert (await page.log_in(PASSWORD)).status == 200


async def test_p8_a_neighbour_at_the_same_host_name_keeps_nobody_out(shop):
    async with Page(shop) as page:
        cookies, _ = set_cookies(await page.log_in(PASSWORD))
        both = {"Cookie": f"piprint=junk; piprint={cookies['piprint']}"}
        assert (await page.get(headers=both)).status == 200
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with Page(shop, listen=f"127.0.0.1:{port}") as page:
        cookies, _ = set_cookies(await page.log_in(PASSWORD))
        assert set(cookies) == {f"piprint_{port}", f"piprint_{port}_device"}, "cookies know no ports"


async def test_p8_a_proxy_that_asks_for_a_password_itself_leads_to_the_login(shop, caplog):
    """nginx passes on what the browser sends for its own auth_basic."""
    async with Page(shop, public_url=PUBLIC) as page:
        theirs = basic("the proxy's") | at("203.0.113.5")
        for _ in range(9):
            for path in ("", "print/"):
                answer = await page.get(path, headers=theirs)
                assert (answer.status, answer.headers["Location"]) == (303, "login")
            asked = await page.get(headers=theirs | {"Sec-Fetch-Site": "same-origin"})
            assert (asked.status, await asked.json()) == (401, {"error": "log in first"})
        assert "refused" not in caplog.text
        assert (await page.log_in(PASSWORD, "203.0.113.5", headers=theirs)).status == 200
        program = await page.get("metrics", headers=theirs)
        assert program.status == 401
        assert 'proxy_set_header Authorization "";' in (await program.json())["error"]


async def test_p8_the_public_address_without_its_slash_leads_to_the_page(shop):
    async with Page(shop, public_url="https://example.org/office/print/") as page:
        answer = await page.get("office/print")
        assert (answer.status, answer.headers["Location"]) == (303, "print/")


async def test_p8_a_program_with_an_old_password_keeps_nobody_from_logging_in(shop):
    async with Page(shop) as page:
        for _ in range(30):
            await page.get("metrics", headers=basic("old") | at("192.0.2.1"))
        assert (await page.log_in(PASSWORD, "192.0.2.1")).status == 200


async def test_p8_guessing_is_slow(shop):
    """Whatever the number of addresses, an hour allows some thousand guesses at most."""
    async with Page(shop) as page:
        tried = 0
        for turn in range(1200):
            page.seconds += 3
            tried += (await page.log_in("wrong", f"203.0.113.{turn % 7}")).status == 401
        assert tried <= 7 * (5 + 3600 / 30)


async def test_p8_the_log_names_who_guessed_and_the_password_is_not_in_it(shop, caplog):
    caplog.set_level(logging.INFO)
    async with Page(shop) as page:
        for _ in range(9):
            await page.log_in("s3cret-guess", "203.0.113.7")
        await page.get("metrics", headers=basic("s3cret-guess") | at("203.0.113.8"))
    told = [each.getMessage() for each in caplog.records if each.name == "piprint.web.access"]
    assert told.count("login of somebody at the page from 203.0.113.7 refused: wrong password") == 5
    assert told.count("login of somebody at the page from 203.0.113.7 refused: too many wrong passwords") == 1
    assert "login of a program from 203.0.113.8 refused: wrong password" in told
    assert "s3cret" not in caplog.text


async def test_p8_only_a_trusted_proxy_is_believed(shop):
    async with Page(shop, trusted_proxies=("10.0.0.0/8",)) as page:
        answers = [(await page.log_in("wrong", f"203.0.113.{turn}")).status for turn in range(9)]
        assert answers == [401] * 5 + [429] * 4, "all of them are 127.0.0.1"


async def test_p8_a_request_that_names_two_callers_is_refused(shop):
    async with Page(shop) as page:
        answer = await page.get(headers=at("203.0.113.1") | {"Forwarded": "for=203.0.113.2"})
        assert answer.status == 400
        assert (await page.get("healthz", headers=at("203.0.113.1") | {"Forwarded": "for=203.0.113.1"})).status == 200


@pytest.mark.parametrize(
    ("settings", "headers", "cookie"),
    [
        ({"public_url": PUBLIC}, {}, ("Secure", "Path=/print/")),
        ({}, {"X-Forwarded-Proto": "https"}, ("Secure", "Path=/")),
        ({}, {}, ("", "Path=/")),
        ({"trusted_proxies": ()}, {"X-Forwarded-Proto": "https"}, ("", "Path=/")),
    ],
)
async def test_p8_the_cookie_is_for_https_where_that_is_spoken(shop, settings, headers, cookie):
    async with Page(shop, **settings) as page:
        answer = await page.log_in(PASSWORD, headers=headers)
        parts = answer.headers["Set-Cookie"].split("; ")
        assert ("Secure" in parts) == bool(cookie[0])
        assert cookie[1] in parts
        assert ("Strict-Transport-Security" in answer.headers) == ("public_url" in settings)


@pytest.mark.parametrize("path", ["", "print/"])
async def test_p8_below_a_path_with_a_proxy_that_keeps_it_or_takes_it_off(shop, path):
    async with Page(shop, public_url=PUBLIC) as page:
        assert (await page.get(path)).headers["Location"] == "login"
        assert (await page.get(f"{path}login")).status == 200
        assert (await page.get(f"{path}static/login.js")).status == 200
        assert (await page.get(f"{path}api/v1/status")).status == 401
        answer = await page.post(f"{path}api/v1/login", {"password": PASSWORD}, at("192.0.2.1"))
        cookie = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
        assert (await page.get(f"{path}api/v1/status", headers=cookie)).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "example.org"}, 200),
        ({"Host": "127.0.0.1:8632", "X-Forwarded-Host": "example.org"}, 200),
        ({"Host": "127.0.0.1:8632", "X-Forwarded-Host": "evil.example"}, 421),
        ({"Host": "evil.example", "X-Forwarded-Host": "example.org"}, 421),
        ({"Host": "print.example.org"}, 200),
        ({"Host": "other.example.org"}, 421),
    ],
)
async def test_p8_names_behind_a_proxy(shop, headers, status):
    async with Page(shop, public_url=PUBLIC, allowed_hosts=("print.example.org",)) as page:
        assert (await page.get("healthz", headers=headers)).status == status


@pytest.mark.parametrize(
    ("origin", "more", "status"),
    [
        ("https://example.org", {}, 200),
        ("https://example.org", {"Host": "127.0.0.1:8632", "X-Forwarded-Host": "example.org:443"}, 200),
        ("https://evil.example", {}, 403),
        ("https://example.org.evil.example", {}, 403),
        ("null", {}, 403),
        ("https://other.example.org", {"X-Forwarded-Host": "other.example.org"}, 421),
    ],
)
async def test_p8_the_origin_of_a_change_is_the_public_address(shop, origin, more, status):
    async with Page(shop, public_url=PUBLIC) as page:
        answer = await page.log_in(PASSWORD, headers={"Origin": origin, **more})
        assert answer.status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost:1234"}, 403),
        ({}, 200),
    ],
)
async def test_p8_other_pages_load_nothing_of_ours(shop, headers, status):
    async with Page(shop, password=None) as page:
        assert (await page.get(headers=headers)).status == status


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trusted_proxies": ("nginx",)}, "Names do not work"),
        ({"trusted_proxies": ("0.0.0.0/0",)}, "anybody could then say to be anybody"),
        ({"public_url": "example.org"}, "as the browser shows it"),
        ({"public_url": "https://a:b@example.org/"}, "as the browser shows it"),
        ({"public_url": "https://example.org:99999/"}, "as the browser shows it"),
        ({"allowed_hosts": ("http://example.org",)}, "host names alone"),
    ],
)
def test_p8_settings_that_cannot_be_meant_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        Web(**settings)


# --- connections --------------------------------------------------------------------------------------------------------


async def ask_raw(url, text, *, pause=b"", seconds=0.0):
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    writer.write(text)
    if pause:
        await writer.drain()
        await asyncio.sleep(seconds)
        writer.write(pause)
    try:
        async with asyncio.timeout(60):
            return (await reader.read(1 << 16)).partition(b"\r\n")[0]
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_p8_a_request_with_two_lengths_is_refused(serve):
    async with serve() as (url, _):
        for method in (b"GET", b"POST"):
            text = (
                method
                + b" /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            )
            assert b" 400 " in await ask_raw(url, text)


async def test_p8_headers_longer_than_any_browsers_are_refused(serve):
    async with serve() as (url, session):
        many = {f"X-{number}": "x" * 4000 for number in range(6)}
        async with session.get(url + "healthz", headers=many) as answer:
            assert answer.status in {400, 431}
        async with session.get(url + "healthz", headers={"Cookie": "x" * 100_000}) as answer:
            assert answer.status in {400, 431}


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: lo"])
async def test_p8_a_connection_that_says_nothing_whole_is_closed(serve, monkeypatch, begun):
    monkeypatch.setattr(server, "REQUEST_WITHIN", 0.2)
    async with serve() as (url, _):
        assert await ask_raw(url, begun) in {b"", b"HTTP/1.0 400 Bad Request"}


@pytest.mark.parametrize("path", [b"login", b"restart"])
async def test_p8_a_body_that_does_not_come_is_not_waited_for(serve, monkeypatch, path):
    monkeypatch.setattr(gate, "BODY_WITHIN", 0.2)

    async with serve() as (url, _):
        head = b"Host: localhost\r\nX-Piprint: 1\r\nContent-Type: application/json\r\nContent-Length: 40"
        assert b" 408 " in await ask_raw(url, b"POST /api/v1/" + path + b" HTTP/1.1\r\n" + head + b'\r\n\r\n{"pass')


async def ask_much(page):
    """Ask for far more than any buffer on the way holds, in one go; return the connection."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", urlsplit(page.server.url).port))
    await loop.sock_sendall(connection, b"GET /static/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 8000)
    return connection


async def test_p8_who_does_not_read_the_answers_loses_the_place(shop, monkeypatch):
    monkeypatch.setattr(door, "TAKEN_WITHIN", 0.1)
    async with Page(shop) as page, asyncio.timeout(60):
        with await ask_much(page):
            server = page.server._runner.server
            while not server.connections:  # noqa: ASYNC110 - aiohttp tells nobody
                await asyncio.sleep(0.01)
            while server.connections:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)


async def test_p8_a_logout_ends_the_stream(shop, monkeypatch):
    monkeypatch.setattr(server, "_LOOK_EVERY", 0.01)
    async with Page(shop) as page, asyncio.timeout(60):
        cookie = {"Cookie": (await page.log_in(PASSWORD)).headers["Set-Cookie"].split(";")[0]}
        async with page.session.get(page.server.url + "api/v1/events", headers=cookie) as stream:
            assert await stream.content.readline() == b"event: status\n"
            await page.post("api/v1/logout", {}, cookie)
            await stream.content.read()
