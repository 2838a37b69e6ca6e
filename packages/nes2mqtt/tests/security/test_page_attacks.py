"""What somebody who can reach the page may try: to get in, to keep others out, to make it say what is not so."""

import asyncio
import contextlib
import logging
import time

import httpx
import pytest
from starlette.datastructures import Headers

from nes2mqtt.outputs.web import server
from nes2mqtt.outputs.web.access import login
from nes2mqtt.outputs.web.access.gate import session_cookie
from nes2mqtt.readings.reading import MeterInfo
from nes2mqtt.timing.clock import Clock
from servicekit.limits import GuessLimit
from servicekit.sessions import Sessions

PASSWORD = "correct horse battery"
STRANGER = "http://evil.example"


async def closed(reader, seconds=60.0):
    """Wait until the other side closes; return what it said before."""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
    return b""


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8099",
        "evil.example:8099@127.0.0.1",
        "127.0.0.1@evil.example",
        "evil.example\\@127.0.0.1",
        "[::1].evil.example",
        "[::1",
        "127.1",
        "2130706433",
        "0",
        "",
    ],
)
async def test_no_other_name_opens_a_page_on_loopback(page, host):
    async with page() as client:
        assert (await client.get("/api/v1/readings", headers={"host": host})).status_code == 421


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/..\\server.py",
        "/static/app.js%00.css",
    ],
)
async def test_no_path_leads_out_of_the_folder_or_around_the_login(page, path):
    async with page(password=PASSWORD) as client:
        target = httpx.URL("http://127.0.0.1:8099").copy_with(raw_path=path.encode())
        assert (await client.get(target)).status_code == 401
        await client.post("/login", data={"password": PASSWORD})
        assert (await client.get(target)).status_code == 404


@pytest.mark.parametrize(
    "path", ["//login", "/login/", "/LOGIN", "/login/../api/v1/readings", "/static/styles/page.css/x"]
)
async def test_what_is_open_to_all_is_open_under_its_own_name_only(page, path):
    async with page(password=PASSWORD) as client:
        target = httpx.URL("http://127.0.0.1:8099").copy_with(raw_path=path.encode())
        assert (await client.get(target)).status_code == 401


@pytest.mark.parametrize("meter", ["a\r\nX-Evil: 1", 'a"; filename="evil', "<script>", "../house", "a" * 41])
async def test_a_name_that_is_none_gets_into_no_header_and_no_file_name(page, meter):
    async with page() as client:
        for path in ("/api/v1/energy.csv", "/api/v1/readings"):
            reply = await client.get(path, params={"meter": meter})
            assert reply.status_code in {422, 503}
            assert "x-evil" not in reply.headers
            assert "evil" not in reply.headers.get("content-disposition", "")
            assert "<script>" not in reply.text


async def test_what_a_meter_says_of_itself_stays_text(page):
    evil = '"}\n<script>alert(1)</script>\\'
    async with page(info=MeterInfo("house", serial=evil, manufacturer=evil, model=evil, name=evil)) as client:
        metrics = (await client.get("/metrics")).text
        info = next(line for line in metrics.splitlines() if line.startswith("nes_meter_info"))
        assert 'serial="\\"}\\n<script>alert(1)</script>\\\\"' in info
        meters = await client.get("/api/v1/meters")
        assert meters.json()["meters" if isinstance(meters.json(), dict) else 0]
        assert meters.headers["content-type"] == "application/json"
        assert meters.headers["x-content-type-options"] == "nosniff"
        policy = meters.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy


@pytest.mark.parametrize("path", ["/api/v1/live", "/api/v1/readings", "/metrics", "/static/app.js"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_or_port_cannot_make_a_browser_ask(page, path, site):
    async with page() as client:
        for mode in ("no-cors", "cors"):
            reply = await client.get(path, headers={"sec-fetch-site": site, "sec-fetch-mode": mode})
            assert reply.status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/live", "/api/v1/readings", "/metrics", "/getDashDataWS"])
@pytest.mark.parametrize("origin", ["http://127.0.0.1:8098", STRANGER, "null", ""])
async def test_b10_a_page_by_plain_http_is_known_by_its_origin(page, path, origin):
    """Browsers send Sec-Fetch-Site to https and this machine only."""
    async with page() as client:
        async with asyncio.timeout(60):
            assert (await client.get(path, headers={"origin": origin})).status_code == 403


async def test_b10_our_own_origin_and_programs_are_let_in(page):
    async with page() as client:
        for headers in ({}, {"origin": "http://127.0.0.1:8099"}, {"origin": STRANGER, "sec-fetch-site": "same-origin"}):
            assert (await client.get("/api/v1/readings", headers=headers)).status_code == 200
        assert (await client.get("/static/app.js", headers={"origin": STRANGER})).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_or_a_frame_of_another_site_may_lead_here_but_not_to_a_place_of_the_stream(page, site):
    async with page() as client:
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}
        assert (await client.get("/", headers=headers)).status_code == 200
        assert (await client.get("/api/v1/live", headers=headers)).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_our_own_page_and_a_typed_address_are_let_in(page, site):
    async with page() as client:
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "cors"}
        assert (await client.get("/api/v1/readings", headers=headers)).status_code == 200


@pytest.mark.parametrize("origin", [STRANGER, "null", "http://127.0.0.1:8098", "http://localhost:8099", "http://[", ""])
async def test_another_page_can_neither_log_in_nor_out(page, origin):
    async with page(password=PASSWORD) as client:
        reply = await client.post("/login", data={"password": PASSWORD}, headers={"origin": origin})
        assert reply.status_code == 403
        await client.post("/login", data={"password": PASSWORD})
        assert (await client.post("/logout", headers={"origin": origin})).status_code == 403
        assert (await client.post("/logout")).status_code == 403, "a browser always says where a form comes from"
        assert (await client.get("/api/v1/status")).status_code == 200


async def test_a_login_takes_no_session_somebody_else_has_chosen(page):
    async with page(password=PASSWORD) as client:
        chosen = {"cookie": "nes2mqtt_session=chosen-by-somebody-else", "origin": "http://127.0.0.1:8099"}
        reply = await client.post("/login", data={"password": PASSWORD}, headers=chosen)
        assert reply.status_code == 303
        assert "chosen" not in reply.headers["set-cookie"]
        client.cookies.clear()
        assert (await client.get("/api/v1/status", headers=chosen)).status_code == 401


@pytest.mark.parametrize(
    "cookie", ['a="' + '\\"' * 30_000 + '"', ";" * 60_000, "nes2mqtt_session" * 4000, "=" * 60_000]
)
def test_a_hostile_cookie_costs_nothing(cookie):
    started = time.process_time()
    assert session_cookie(Headers({"cookie": cookie}), "nes2mqtt_session") == ""
    assert time.process_time() - started < 3, (
        "milliseconds; minutes, if each character were looked at for each other one"
    )


def test_a_session_is_found_among_other_cookies():
    cookie = 'theme="dark; light"; nes2mqtt_session=token-1; other=2'
    assert session_cookie(Headers({"cookie": cookie}), "nes2mqtt_session") == "token-1"


def test_who_guesses_from_one_address_does_not_lock_the_owner_out():
    limit = GuessLimit()
    let_through = sum(limit.refuse("192.0.2.66", float(second)) is None for second in range(3600))
    assert let_through <= 5 + 3600 / 30
    assert limit.refuse("192.0.2.1", 3600.0) is None


def test_b13_one_ipv4_address_guesses_as_one_however_it_is_written():
    limit = GuessLimit()
    for number in range(6):
        refused = limit.refuse("192.0.2.66" if number % 2 else "::ffff:192.0.2.66", 0.0)
    assert refused is not None
    assert limit.refuse("::ffff:192.0.2.1", 0.0) is None


@pytest.mark.parametrize("before", [b"", b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"], ids=["first", "second"])
@pytest.mark.parametrize("says", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
async def test_a_connection_that_says_no_whole_request_is_closed(served_page, monkeypatch, before, says):
    monkeypatch.setattr(server, "PATIENCE", 0.1)
    async with served_page() as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(before + says)
        await closed(reader)
        writer.close()


async def test_a_slow_form_is_not_waited_for(served_page, monkeypatch):
    monkeypatch.setattr(login, "_PATIENCE", 0.1)
    async with served_page(password=PASSWORD) as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\npass")
        async with asyncio.timeout(60):
            assert b" 400 " in await reader.readline()
        writer.close()


async def test_b14_who_leaves_in_the_middle_of_the_form_leaves_nothing_in_the_log(served_page, monkeypatch, caplog):
    read = asyncio.Event()
    original = login._password

    async def observed(request):
        try:
            return await original(request)
        finally:
            read.set()

    monkeypatch.setattr(login, "_password", observed)
    async with served_page(password=PASSWORD) as web:
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\npass")
        await writer.drain()
        writer.close()
        async with asyncio.timeout(60):
            await read.wait()
        async with httpx.AsyncClient(timeout=60) as client:
            assert (await client.get(f"{web.url}/login")).status_code == 200
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING]


async def test_an_open_stream_outlives_the_patience(served_page, monkeypatch):
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    async with (
        served_page() as web,
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{web.url}/api/v1/live") as live,
    ):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                async for _ in live.aiter_bytes():
                    pass
                pytest.fail("the stream was cut off")


async def test_silent_connections_have_a_limit_and_then_make_room(served_page, monkeypatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 4)
    async with served_page(max_live_clients=1) as web:
        monkeypatch.setattr(server, "PATIENCE", 600.0)
        kept = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(5)]
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        assert await closed(reader) == b""
        for _, each in (*kept, (reader, writer)):
            each.close()
        monkeypatch.setattr(server, "PATIENCE", 0.2)
        held = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(5)]
        for reader, writer in held:
            await closed(reader)
            writer.close()
        async with httpx.AsyncClient(timeout=60) as client:
            assert (await client.get(f"{web.url}/login")).status_code in {200, 404}


def test_b13_one_address_cannot_take_all_connections():
    made = [server._Connection.__new__(server._Connection) for _ in range(7)]
    for number, connection in enumerate(made):
        connection.client = ("192.0.2.66" if number < 6 else "192.0.2.1", 1)
        connection.shares = server.Shares(10)
        connection.connections = set(made[: number + 1])
    assert [connection._is_too_many() for connection in made] == [False] * 5 + [True, False]


def test_a_link_laid_in_the_way_of_the_logins_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    file = tmp_path / "data" / "sessions.json"
    file.parent.mkdir()
    file.with_suffix(".new").symlink_to(victim)
    token = Sessions(PASSWORD, 3600.0, file, clock=Clock()).open()
    assert victim.read_text() == "precious"
    assert file.stat().st_mode & 0o777 == 0o600
    assert Sessions(PASSWORD, 3600.0, file, clock=Clock()).valid(token)
    assert token not in file.read_text()


def test_the_folder_of_the_logins_is_for_their_owner_only(tmp_path):
    file = tmp_path / "data" / "sessions.json"
    Sessions(PASSWORD, 3600.0, file, clock=Clock()).open()
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"password": "scrypt:1:1:1:a:b", "sessions": {}}', "\0", "[]", "null"]
)
def test_a_damaged_table_of_logins_is_forgotten(tmp_path, text, caplog):
    file = tmp_path / "sessions.json"
    file.write_text(text)
    sessions = Sessions(PASSWORD, 3600.0, file, clock=Clock())
    assert sessions.password_matches(PASSWORD)
    assert PASSWORD not in caplog.text


async def said_to(port, request, seconds=60.0):
    """Send bytes on a connection of their own; return the whole reply."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    reply = await closed(reader, seconds)
    writer.close()
    return reply


HEADERS = (
    b"content-security-policy: default-src 'none'",
    b"x-content-type-options: nosniff",
    b"referrer-policy: same-origin",
    b"x-frame-options: DENY",
    b"cache-control: no-store",
)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
        ),
        (b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"431"),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000, b"431"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
    ],
)
async def test_a_malformed_request_is_refused_with_every_header_and_the_end_of_the_connection(
    served_page, request_, status
):
    async with served_page() as web:
        reply = await said_to(web.port, request_)
    head = reply.partition(b"\r\n\r\n")[0]
    assert head.split()[1] == status
    assert b"connection: close" in head
    for header in HEADERS:
        assert header in head


async def test_a_request_of_an_ordinary_size_is_served(served_page):
    async with served_page() as web:
        request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: " + b"x" * 8000 + b"\r\n\r\n"
        assert b" 200 " in (await said_to(web.port, request)).split(b"\r\n")[0]


async def test_every_reply_carries_the_same_headers(served_page, monkeypatch):
    async with served_page(password=PASSWORD, token="0123456789abcdef") as web:
        monkeypatch.setattr(web, "dash", None)

        async def ask(line, *more):
            lines = (line, "Host: 127.0.0.1", "Connection: close", *more, "", "")
            return await said_to(web.port, "\r\n".join(lines).encode())

        login = "Authorization: Bearer 0123456789abcdef"
        replies = {
            "a page": await ask("GET /login HTTP/1.1"),
            "a file": await ask("GET /static/styles/page.css HTTP/1.1"),
            "a redirect": await ask("GET / HTTP/1.1", "Accept: text/html"),
            "not logged in": await ask("GET /api/v1/status HTTP/1.1"),
            "not found": await ask("GET /nowhere HTTP/1.1", login),
            "another method": await ask("DELETE /api/v1/status HTTP/1.1", login),
            "a mistake of ours": await ask("GET /getDashDataWS HTTP/1.1", login),
            "another page": await ask("POST /login HTTP/1.1", "Origin: http://evil.example", "Content-Length: 0"),
            "another name": await ask("GET / HTTP/1.0", "Host: evil.example"),
        }
    statuses = {what: reply.split()[1].decode() for what, reply in replies.items()}
    assert list(statuses.values()) == ["200", "200", "303", "401", "404", "405", "500", "403", "400"]
    for what, reply in replies.items():
        head = reply.partition(b"\r\n\r\n")[0]
        for header in HEADERS[:4]:
            assert head.count(header) == 1, (what, header)
        assert head.count(b"cache-control:") == 1, what
        assert b"server:" not in head, what


@pytest.mark.parametrize("headers", [b"", b"Sec-Fetch-Mode: cors\r\n"])
async def test_raw_requests_do_not_take_all_places_of_the_stream(served_page, headers):
    async with served_page() as web, httpx.AsyncClient(timeout=60) as client:
        held = []
        for _ in range(36):
            reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
            writer.write(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + b"\r\n")
            held.append((reader, writer))
        statuses = [(await reader.readline()).split()[1] for reader, _ in held]
        head = await held[0][0].readuntil(b"\r\n\r\n")
        assert all(header in head for header in HEADERS), "a stream has the same headers"
        assert statuses == [b"200"] * 8 + [b"503"] * 28
        browser = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
        async with client.stream("GET", f"{web.url}/api/v1/live", headers=browser) as stream:
            assert stream.status_code == 200
        for _, writer in held:
            writer.close()


async def test_who_does_not_take_a_reply_is_dropped(served_page, monkeypatch):
    monkeypatch.setattr(server, "PATIENCE", 0.2)
    async with served_page() as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port, limit=1024)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(200):  # pipelined: more than the buffers of both sides hold
            writer.write(b"GET /static/vendor/uPlot.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        async with asyncio.timeout(60):
            while not writer.transport.is_closing():
                await asyncio.sleep(0.05)
                with contextlib.suppress(ConnectionError):
                    writer.write(b"GET")
                    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("settings", "path", "headers", "method", "status"),
    [
        ({"password": PASSWORD}, "/getDashDataWS", {}, "GET", 401),
        (
            {"password": PASSWORD, "token": "0123456789abcdef"},
            "/getDashDataWS",
            {"authorization": "Bearer x"},
            "GET",
            401,
        ),
        ({}, "/getDashDataWS?meter=garage", {}, "GET", 404),
        ({"dabbler": False}, "/getDashDataWS", {}, "GET", 404),
        ({}, "/getDashDataWS/", {}, "GET", 404),
        ({}, "/getDashDataWS", {"host": "evil.example"}, "GET", 421),
        ({}, "/getDashDataWS", {"sec-fetch-site": "cross-site"}, "GET", 403),
        ({}, "/getDashDataWS", {"x": "x" * 20_000}, "GET", 431),
        ({}, "/getDashDataWS", {}, "POST", 405),
        ({}, "/getDashDataWS", {}, "GET", 503),
    ],
)
async def test_r7_no_refusal_of_the_drop_in_document_is_json(page, settings, path, headers, method, status):
    """The Home Assistant integration for the ESP32 firmware takes any JSON for the meter's values."""
    async with page(**settings) as client:
        reply = await client.request(method, path, headers={"accept": "application/json", **headers})
        assert reply.status_code == status
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert reply.text.strip()


async def test_r7_a_mistake_of_ours_is_no_json_either(page, monkeypatch):
    monkeypatch.setattr("nes2mqtt.outputs.dabbler.DashDocument.document", lambda *_: 1 / 0)
    async with page() as client:
        reply = await client.get("/getDashDataWS")
        assert (reply.status_code, reply.headers["content-type"]) == (500, "text/plain; charset=utf-8")
