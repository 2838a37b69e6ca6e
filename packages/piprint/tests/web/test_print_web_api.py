"""The page's API: who may ask, what is answered, and what a stranger cannot do."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from piprint.config.settings import Web
from piprint.web import server
from piprint.web.access import HEADER, Access
from piprint.web.server import PageServer
from servicekit.sessions import MOST_SESSIONS

OURS = {HEADER: "1"}


async def test_the_status_is_the_snapshot(serve, shop):
    async with serve() as (url, session), session.get(url + "api/v1/status") as answer:
        told = await answer.json()
    assert answer.status == 200
    assert told["printers"][1]["id"] == shop.now.printers[1].id
    assert told["connection"]["last_contact"] == "2026-11-22T09:00:00+00:00"
    assert told["jobs"][0] == {
        "row_no": 4711,
        "printer": "Office",
        "step": "following",
        "message": "page 2",
        "since": "2026-11-22T09:00:00+00:00",
        "attempt": 1,
        "title": "Standard Sales - Invoice",
        "company": "CRONUS A/S",
    }


@pytest.mark.parametrize(
    "path", ["", "static/app.js", "api/v1/status", "nowhere", "static/none.js", "metrics", "healthz"]
)
async def test_every_answer_forbids_what_the_page_does_not_need(serve, path):
    async with serve() as (url, session), session.get(url + path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "piprint"


@pytest.mark.parametrize(
    "path",
    [
        "static/..%2Fgate.py",
        "static/gate.py",
        "static/%2e%2e/server.py",
        "static/.hidden.js",
        "static/a%00.js",
        f"static/{'a' * 300}.js",
    ],
)
async def test_only_the_pages_own_files_are_served(serve, path):
    async with serve() as (url, session), session.get(aiohttp.client.URL(url + path, encoded=True)) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8632", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("192.168.1.7:8632", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:8632", 421),
        ("", 421),
        ("[::1", 421),
    ],
)
async def test_a_page_elsewhere_whose_name_points_here_is_turned_away(serve, host, status):
    async with serve() as (url, session), session.get(url + "api/v1/status", headers={"Host": host}) as answer:
        assert answer.status == status


@given(st.text(max_size=40))
def test_no_host_header_breaks_the_gate_or_slips_through(text):
    if Access(Web())._host_known(text):
        name = urlsplit(f"//{text}").hostname or ""
        assert "example" not in name
        assert name.rstrip(".") in {"localhost", socket.gethostname().lower()} or re.fullmatch(r"[0-9a-f.:%\w]+", name)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        (OURS, 200),
        (OURS | {"Content-Type": "text/plain"}, 415),
        (OURS | {"Origin": "http://evil.example"}, 403),
        (OURS | {"Origin": "null"}, 403),
        (OURS | {"Origin": "http://["}, 403),
        (OURS | {"Sec-Fetch-Site": "cross-site"}, 403),
        (OURS | {"Sec-Fetch-Site": "same-site"}, 403),
        (OURS | {"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
async def test_only_the_page_itself_may_change_something(serve, shop, headers, status):
    headers = {"Content-Type": "application/json"} | headers
    async with serve() as (url, session):
        async with session.post(url + "api/v1/restart", data='{"row_no": 7}', headers=headers) as answer:
            assert answer.status == status
        async with session.post(
            url + "api/v1/restart", json={"row_no": 8}, headers=OURS | {"Origin": url.rstrip("/")}
        ) as answer:
            assert await answer.json() == {"message": "Job 8 is queued again."}
    assert shop.asked == [("restart", 7)] * (status == 200) + [("restart", 8)]


async def test_p11_another_hosts_job_is_asked_for_by_a_word(serve, shop):
    async with serve() as (url, session):
        for asked in (True, False, "yes", 1):
            body = {"row_no": 7, "any_host": asked}
            async with session.post(url + "api/v1/restart", json=body, headers=OURS) as answer:
                assert answer.status == 200
    assert shop.asked == [("restart of any", 7)] + [("restart", 7)] * 3


@pytest.mark.parametrize("path", ["api/v1/test-page", "api/v1/restart"])
async def test_reading_requests_change_nothing(serve, shop, path):
    async with serve() as (url, session), session.get(url + path, headers=OURS) as answer:
        assert answer.status == 405
    assert shop.asked == []


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "{}", "7", '{"row_no": "7"}', '{"row_no": true}', '{"row_no": null}', '{"row_no": 1.5}'),
        pytest.param("[" * 16_000, id="nested without end"),
    ],
)
async def test_bad_bodies_are_refused_in_words(serve, shop, body):
    headers = OURS | {"Content-Type": "application/json"}
    async with serve() as (url, session), session.post(url + "api/v1/restart", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert "row_no" in (await answer.json())["error"]
    assert shop.asked == []


async def test_a_charset_nobody_knows_is_refused_in_words(serve):
    headers = OURS | {"Content-Type": "application/json; charset=none"}
    async with (
        serve("horse battery") as (url, session),
        session.post(url + "api/v1/login", data="{}", headers=headers) as answer,
    ):
        assert (answer.status, await answer.json()) == (400, {"error": 'send {"password": "..."}'})


async def test_what_cannot_be_done_is_told(serve):
    async with serve() as (url, session):
        async with session.post(url + "api/v1/test-page", json={"printer": "none"}, headers=OURS) as answer:
            assert (answer.status, await answer.json()) == (409, {"error": "there is no printer none"})
        async with session.post(url + "api/v1/test-page", json={"printer": "x" * 20_000}, headers=OURS) as answer:
            assert answer.status == 413


async def test_health_follows_the_parts(serve, shop):
    async with serve() as (url, session):
        async with session.get(url + "healthz") as answer:
            assert answer.status == 200
        shop.well = False
        async with session.get(url + "healthz") as answer:
            assert answer.status == 503


async def test_metrics_are_prometheus_text(serve, shop):
    async with serve() as (url, session), session.get(url + "metrics") as answer:
        lines = (await answer.text()).split("\n")
    assert 'piprint_jobs_total{outcome="printed"} 4' in lines
    assert 'piprint_jobs_total{outcome="changed"} 0' in lines
    assert 'piprint_claim_to_printed_seconds_bucket{le="2"} 3' in lines
    assert 'piprint_claim_to_printed_seconds_bucket{le="+Inf"} 4' in lines
    assert "piprint_claim_to_printed_seconds_count 4" in lines
    assert 'piprint_printer_state{printer="Office",state="processing"} 1' in lines
    assert 'piprint_jobs_queued{printer="Office"} 3' in lines
    quoted = shop.now.printers[1].id.replace('"', '\\"')
    assert f'piprint_jobs_queued{{printer="{quoted}"}} 0' in lines
    assert "piprint_last_contact_timestamp_seconds 1795338000" in lines


async def _event(answer: aiohttp.ClientResponse) -> tuple[str, object]:
    kind = (await answer.content.readline()).decode().removeprefix("event: ").strip()
    data = (await answer.content.readline()).decode().removeprefix("data: ")
    await answer.content.readline()
    return kind, json.loads(data)


async def test_changes_are_pushed(serve, shop):
    async with serve() as (url, session), asyncio.timeout(60), session.get(url + "api/v1/events") as answer:
        kind, status = await _event(answer)
        assert (kind, status["printed_today"]) == ("status", 128)
        assert await _event(answer) == ("log", shop.lines)
        shop.change(printed_today=129)
        shop.lines.append("a new line")
        kind, status = await _event(answer)
        assert (kind, status["printed_today"]) == ("status", 129)
        assert await _event(answer) == ("log", ["a new line"])


async def test_a_page_that_reads_nothing_loses_its_place(serve, shop, monkeypatch):
    monkeypatch.setattr(server, "_UNREAD", 0.05)
    monkeypatch.setattr(server, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(server, "_MOST_STREAMS", 1)
    shop.lines.extend("x" * 100_000 for _ in range(400))  # more than the sockets take
    async with serve() as (url, session), session.get(url + "api/v1/events", read_bufsize=1024):
        async with asyncio.timeout(60):
            while True:
                async with session.get(url + "api/v1/events") as second:
                    if second.status == 200:
                        break
                await asyncio.sleep(0.02)


# --- with a password ----------------------------------------------------------------------------------------------------


async def test_without_the_password_nothing_is_told(serve, shop):
    async with serve("horse battery") as (url, session):
        for path in ("api/v1/status", "api/v1/events", "api/v1/log", "metrics"):
            async with session.get(url + path) as answer:
                assert answer.status == 401, path
                assert "office" not in (await answer.text()).lower()
        async with session.get(url, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "login")
        async with session.post(url + "api/v1/restart", json={"row_no": 7}, headers=OURS) as answer:
            assert answer.status == 401
        async with session.get(url + "healthz") as answer:
            assert answer.status == 200
    assert shop.asked == []


async def test_the_password_gives_a_session_and_logging_out_ends_it(serve, shop):
    async with serve("horse battery") as (url, session):
        async with session.post(url + "api/v1/login", json={"password": "horse battery"}, headers=OURS) as answer:
            assert answer.status == 200
            cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        async with session.get(url + "api/v1/status") as answer:
            assert answer.status == 200
        async with session.post(url + "api/v1/logout", json={}, headers=OURS) as answer:
            assert answer.status == 200
        stolen = {"Cookie": cookie.split(";")[0]}
        async with session.get(url + "api/v1/status", headers=stolen) as answer:
            assert answer.status == 401


def _basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"any:{password}".encode()).decode()}


async def test_programs_log_in_with_http_basic(serve):
    async with serve("horse battery") as (url, session):
        for given, status in [("horse battery", 200), ("wrong", 401)]:
            async with session.get(url + "metrics", headers=_basic(given)) as answer:
                assert answer.status == status
        for header in ("Basic", "Basic ???", "Basic /w==", "Bearer horse battery"):
            async with session.get(url + "metrics", headers={"Authorization": header}) as answer:
                assert answer.status == 401


async def test_passwords_sent_at_once_are_not_tried_at_once(serve):
    async with serve("horse battery") as (url, _):
        guesses = ["wrong"] * 19 + ["horse battery"]
        bodies = [json.dumps({"password": guess}).encode() for guess in guesses]
        port = urlsplit(url).port
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in bodies]
        for (_, writer), body in zip(connections, bodies, strict=True):
            head = f"Host: localhost\r\nX-Piprint: 1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            writer.write(f"POST /api/v1/login HTTP/1.1\r\n{head}\r\n\r\n".encode())
        await asyncio.sleep(0.2)  # all of them are being answered by now, and wait for their bodies
        answers = []
        for (reader, writer), body in zip(connections, bodies, strict=True):
            writer.write(body)
            answers.append((await reader.readline()).split()[1])
            writer.close()
            await writer.wait_closed()
    assert answers == [b"401"] * 5 + [b"429"] * 15


async def test_a_session_ends_after_a_month_and_only_so_many_are_kept(shop):
    clock = [0.0]
    server = PageServer(Web(listen="127.0.0.1:0", password=SecretStr("horse battery")), shop)
    server._access._now = lambda: clock[0]
    await server.start()
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:

            async def log_in() -> dict[str, str]:
                body = {"password": "horse battery"}
                async with session.post(server.url + "api/v1/login", json=body, headers=OURS) as answer:
                    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

            async def allowed(cookie: dict[str, str]) -> bool:
                async with session.get(server.url + "api/v1/status", headers=cookie) as answer:
                    return answer.status == 200

            first = await log_in()
            clock[0] += 29 * 24 * 3600
            assert await allowed(first)
            clock[0] += 2 * 24 * 3600
            assert not await allowed(first)
            second = await log_in()
            later = [await log_in() for _ in range(MOST_SESSIONS)]
            assert not await allowed(second)
            assert await allowed(later[0])
    finally:
        await server.close()


async def test_a_taken_port_is_an_error_the_service_can_tell(serve, shop):
    async with serve() as (url, _):
        taken = PageServer(Web(listen=url.removeprefix("http://").rstrip("/")), shop)
        with pytest.raises(OSError, match="address already in use"):
            await taken.start()
        await taken.close()
