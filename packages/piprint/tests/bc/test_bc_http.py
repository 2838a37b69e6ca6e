"""Calls over real sockets: how many at once, what goes out, what breaks, TLS, and that nothing shows the login."""

import asyncio
import base64
import datetime as dt
import logging
import re
import ssl
from contextlib import suppress

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from free_ports import free_port
from piprint.bc.http.client import READ_ONLY, READ_WRITE, Wire, page_size
from piprint.errors import BcDenied, BcMissing, BcRefused, BcThrottled, BcUnreachable, ConfigError, PiprintError

SECRET = "v3ry-s3cret~value"
BASIC = base64.b64encode(f"pi:{SECRET}".encode()).decode()


async def get(http, url, **more):
    return await http.json("GET", url, asked="read the printers", **more)


async def test_what_goes_out(server, http):
    assert await get(http, server.url + "X", headers=READ_ONLY | page_size(50)) == {"value": []}
    await http.json("PATCH", server.url + "X(1)", asked="x", body={"Name": "Sø\ud800"}, headers={"If-Match": 'W/"a"'})
    read, write = server.asked
    assert read.headers["Authorization"] == f"Basic {BASIC}"
    assert read.headers["Accept-Language"] == "en-US"
    assert read.headers["Data-Access-Intent"] == "ReadOnly"
    assert read.headers["Prefer"] == "odata.maxpagesize=50"
    assert read.headers["Accept"] == "application/json"
    assert re.fullmatch(r"piprint/[\d.]+", read.headers["User-Agent"])
    assert "Data-Access-Intent" not in write.headers
    assert write.headers["If-Match"] == 'W/"a"'
    assert write.headers["Content-Type"] == "application/json"
    assert write.body == b'{"Name": "S\\u00f8\\ud800"}'
    assert READ_WRITE == {"Data-Access-Intent": "ReadWrite"}
    assert (http.counters.calls, http.counters.tokens) == (2, 0)
    assert http.counters.bytes_out == len(write.body)
    assert http.counters.bytes_in == 2 * len('{"value": []}')


async def test_an_address_goes_out_as_it_was_encoded(server, http):
    await get(http, server.url + "X?$filter=HostID%20eq%20%27a%2Fb%27%27%26%2B%25%27")
    assert server.asked[0].query == {"$filter": "HostID eq 'a/b''&+%'"}


async def test_no_more_calls_at_once_than_allowed_downloads_included(server, calls, settings):
    async def slow(_request):
        await asyncio.sleep(0.02)
        return web.json_response({"value": []})

    async def slow_body(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(3):
            await asyncio.sleep(0.01)
            await response.write(b"x" * 1000)
        return response

    async def download(http):
        async with http.call("GET", server.url + "doc", asked="x") as answer:
            return sum([len(chunk) async for chunk in answer.chunks()])

    server.answers = [slow, slow_body] * 8 + [slow]
    async with calls(settings(server.url, limits={"parallel_calls": 3})) as http:
        await asyncio.gather(
            *(get(http, server.url) if each % 2 else download(http) for each in range(16)), return_exceptions=True
        )
    assert server.most_at_once == 3
    assert len(server.asked) == 16


async def test_a_pause_holds_all_calls_back(server, http):
    server.answers = [{"status": 429, "headers": {"Retry-After": "0.2"}}, {"json": {"value": []}}]
    with pytest.raises(BcThrottled) as caught:
        await get(http, server.url)
    assert caught.value.retry_after == 0.2
    assert 0 < http.pause <= 0.2
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(get(http, server.url) for _ in range(3)))
    assert asyncio.get_running_loop().time() - started > 0.1
    assert http.pause == 0


async def test_after_a_pause_calls_go_one_by_one_until_there_is_an_answer(server, http):
    server.answers = [
        {"status": 503, "headers": {"Retry-After": "0"}},
        *[ConnectionError()] * 3,
        {"json": {"value": []}},
    ]
    with pytest.raises(BcThrottled):
        await get(http, server.url)
    done = await asyncio.gather(*(http.json("POST", server.url, asked="x") for _ in range(4)), return_exceptions=True)
    assert [type(each) for each in done] == [BcUnreachable] * 3 + [dict]
    assert server.most_at_once == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 404, "body": b""}, BcMissing),
        ({"status": 502, "body": b"<html>Bad Gateway</html>", "content_type": "text/html"}, BcThrottled),
        ({"status": 400, "body": b"x" * 3_000_000}, BcRefused),
        ({"status": 302, "headers": {"Location": "https://elsewhere.example/"}}, BcRefused),
        ({"status": 200, "body": b"<html>Log in to the guest network</html>"}, BcUnreachable),
        ({"status": 200, "body": b"[]"}, BcUnreachable),
        ({"status": 204}, BcUnreachable),
        (ConnectionError(), BcUnreachable),
    ],
)
async def test_what_is_no_good_answer(server, http, answer, error):
    server.answers = [answer]
    with pytest.raises(error, match="read the printers"):
        await get(http, server.url)
    server.answers = [{"json": {"value": [1]}}]
    assert await get(http, server.url) == {"value": [1]}


async def test_a_redirect_is_not_followed(server, http, scripted):
    async with scripted().listening() as other:
        server.answers = [{"status": 307, "headers": {"Location": other.url}}]
        with pytest.raises(BcRefused, match="url"):
            await get(http, server.url)
        assert other.asked == []
    assert len(server.asked) == 1


async def test_an_error_without_end_is_read_no_further(server, http):
    async def endless(request):
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65536)
        return response

    server.answers = [endless]
    with pytest.raises(BcThrottled):
        await get(http, server.url)
    assert http.counters.bytes_in < 1_000_000


async def test_an_answer_cut_short_is_no_answer(server, http):
    async def cut(request):
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"value":[')
        request.transport.abort()
        return response

    server.answers = [cut]
    with pytest.raises(BcUnreachable, match="broke off"):
        await get(http, server.url)


@pytest.mark.parametrize("in_body", [False, True])
async def test_silence_is_no_answer(server, calls, settings, in_body):
    async def silent(request):
        response = web.StreamResponse()
        if in_body:
            await response.prepare(request)
            await response.write(b"{")
        await asyncio.sleep(60)
        return response

    server.answers = [silent]
    async with calls(settings(server.url, timeout=0.1)) as http:
        with pytest.raises(BcUnreachable, match=r"silent for 0\.1 s"):
            await get(http, server.url)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
async def test_p9_an_answer_that_drips_is_not_waited_for_for_ever(calls, settings, head):
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        with suppress(ConnectionError):
            while True:
                writer.write(b"1")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with asyncio.timeout(60), calls(settings(url, timeout=0.1)) as http:
            with pytest.raises(BcUnreachable, match="or its answer drips"):
                await get(http, url)
        await asyncio.sleep(0.1)


async def test_a_slow_document_that_goes_on_is_waited_for(server, calls, settings):
    async def slow(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(5):
            await response.write(b"x" * 2000)
            await asyncio.sleep(0.1)
        return response

    server.answers = [slow]
    async with (
        calls(settings(server.url, timeout=0.3)) as http,
        http.call("GET", server.url, asked="fetch a document") as answer,
    ):
        assert sum([len(chunk) async for chunk in answer.chunks()]) == 10_000


async def test_nobody_listens(calls, settings):
    url = f"http://127.0.0.1:{free_port()}/BC/ODataV4/"
    async with calls(settings(url)) as http:
        with pytest.raises(BcUnreachable, match="no connection to 127"):
            await get(http, url)


async def test_another_protocol(calls, settings):
    async def greet(_reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with other:
        url = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/BC/ODataV4/"
        async with calls(settings(url)) as http:
            with pytest.raises(BcUnreachable, match="does not speak HTTP"):
                await get(http, url)


async def test_a_login_refused_is_told_after_one_try_where_there_is_no_other(server, http):
    server.answers = [{"status": 401}]
    with pytest.raises(BcDenied):
        await get(http, server.url)
    assert len(server.asked) == 1


async def test_cancelled_calls_give_their_place_back(server, calls, settings):
    both_came = asyncio.Event()

    async def silent(_request):
        if server.at_once == 2:
            both_came.set()
        await asyncio.sleep(60)

    server.answers = [silent, silent, {"json": {"value": []}}]
    async with calls(settings(server.url, limits={"parallel_calls": 2})) as http:
        waiting = [asyncio.ensure_future(get(http, server.url)) for _ in range(2)]
        await asyncio.wait_for(both_came.wait(), 60)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
        assert await get(http, server.url) == {"value": []}


class TestTls:
    @pytest.fixture
    def secure(self, scripted, papers):
        def listening(name="127.0.0.1", **more):
            return scripted().listening(papers.server(name, **more))

        return listening

    async def test_our_own_authority_is_accepted_when_given(self, secure, calls, settings, papers):
        async with secure() as server, calls(settings(server.url, ca_file=papers.ca_file)) as http:
            assert await get(http, server.url) == {"value": []}

    async def test_the_servers_own_certificate_is_accepted_when_given(self, secure, calls, settings, papers):
        async with secure() as server, calls(settings(server.url, ca_file=papers.folder / "server.pem")) as http:
            assert await get(http, server.url) == {"value": []}

    @pytest.mark.parametrize(
        ("name", "trusted", "end", "said"),
        [
            ("127.0.0.1", False, None, "does not know.*ca_file"),
            ("10.9.8.7", True, None, "for another address"),
            ("bc.example", True, None, "for another"),
            ("127.0.0.1", True, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "expired"),
        ],
    )
    async def test_others_are_refused_before_the_login_goes_out(
        self, secure, calls, settings, papers, name, trusted, end, said
    ):
        if end is not None:
            end = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        ca_file = papers.ca_file if trusted else None
        async with secure(name, end=end) as server, calls(settings(server.url, ca_file=ca_file)) as http:
            with pytest.raises(BcUnreachable, match=said):
                await get(http, server.url)
            assert server.asked == []

    async def test_unchecked_only_when_asked_for(self, secure, calls, settings):
        async with secure("bc.example") as server, calls(settings(server.url, verify=False)) as http:
            assert await get(http, server.url) == {"value": []}

    async def test_a_server_without_tls(self, server, calls, settings):
        url = server.url.replace("http:", "https:")
        async with calls(settings(url)) as http:
            with pytest.raises(BcUnreachable, match="does not speak TLS"):
                await get(http, url)

    async def test_an_authority_that_cannot_be_read(self, settings, papers):
        for path in (papers.folder / "none", papers.write("no.pem", b"hello")):
            with pytest.raises(ConfigError, match="ca_file"):
                Wire(settings("https://bc.example/BC/ODataV4/", ca_file=path).business_central)

    async def test_microsofts_login_is_always_checked(self, settings, monkeypatch):
        used = []
        wire = Wire(settings("https://bc.example/BC/ODataV4/", verify=False).business_central)

        async def request(_method, url, **more):
            used.append((url.host, more["ssl"].verify_mode))
            raise OSError

        monkeypatch.setattr(wire._session, "request", request)
        for url in ("https://login.microsoftonline.com/t/oauth2/v2.0/token", "https://login.microsoftonline.com.evil/"):
            with pytest.raises(BcUnreachable):
                await wire.send("POST", url, asked="x", headers={})
        await wire.close()
        assert used[0] == ("login.microsoftonline.com", ssl.CERT_REQUIRED)
        assert used[1][1] == ssl.CERT_NONE


async def test_a_proxy_from_the_environment_is_used_but_not_for_this_host(
    server, calls, settings, monkeypatch, scripted
):
    async with scripted().listening() as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        async with calls(settings("http://bc.example/BC/ODataV4/")) as http:
            await get(http, "http://bc.example/BC/ODataV4/X")
            await get(http, server.url)
        assert [asked.headers["Host"] for asked in proxy.asked] == ["bc.example"]
        assert len(server.asked) == 1
    async with calls(settings("http://bc.example/BC/ODataV4/")) as http:
        with pytest.raises(BcUnreachable, match="no connection to the proxy"):
            await get(http, "http://bc.example/BC/ODataV4/X")


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.sampled_from([200, 204, 302, 307, 400, 401, 403, 404, 409, 412, 429, 500, 503]),
    where=st.sampled_from(["message", "code", "body", "location", "retry"]),
    what=st.sampled_from(["header", "secret", "both"]),
)
async def test_a_server_that_repeats_the_login_does_not_get_it_shown(
    status, where, what, scripted, calls, settings, caplog
):
    async def echo(request):
        header = request.headers["Authorization"]
        said = {"header": header, "secret": SECRET, "both": f"{header} {SECRET}"}[what]
        headers = {"Location": f"https://{SECRET}@x.example/{said}"} if where == "location" else {}
        headers |= {"Retry-After": said} if where == "retry" else {}
        if where == "body":
            return web.Response(status=status, text=said)
        error = {"code": said if where == "code" else "x", "message": said if where == "message" else "x"}
        return web.json_response({"error": error}, status=status, headers=headers)

    shown = ""
    with caplog.at_level(logging.DEBUG):
        async with scripted(answers=[echo]).listening() as server, calls(settings(server.url)) as http:
            try:
                await get(http, server.url)
            except PiprintError as error:
                chain = [error, error.__cause__, error.__context__]
                shown = " ".join(f"{each!r} {each} {vars(each) if each else ''}" for each in chain)
            shown += f"{http!r}{http._login!r}"
    shown += caplog.text
    caplog.clear()
    assert SECRET not in shown
    assert BASIC not in shown
