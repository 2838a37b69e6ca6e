"""The server in our loop: the port, the signals, the end."""

import asyncio
import signal
import socket
import time
from unittest.mock import Mock

import httpx
import pytest

from nes2mqtt.outputs.web import output, server
from nes2mqtt.outputs.web.config import Listen
from nes2mqtt.outputs.web.output import explain, listen


def test_a_taken_port_is_said_with_the_setting_to_change():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Listen(f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(OSError, match="in use") as caught:
            listen(address)
    words = explain(caught.value, address)
    assert f"port {address.port} is in use" in words
    assert f'listen = "127.0.0.1:{address.port + 1}"' in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("192.0.2.1:8099", "this machine has no address 192.0.2.1"),
        ("no-such-name.invalid:8099", "nothing is called no-such-name.invalid"),
    ],
)
def test_an_address_that_is_not_ours(text, words):
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the text is the system's
        listen(Listen(text))
    assert words in explain(caught.value, Listen(text))


async def test_a_taken_port_is_tried_again_until_it_is_free(make_web, monkeypatch, caplog):
    monkeypatch.setattr(output, "RETRY", 0.01)
    tries, tried_thrice = [], asyncio.Event()

    def listening(address):
        tries.append(address)
        if len(tries) == 3:
            tried_thrice.set()
        return listen(address)

    monkeypatch.setattr(output, "listen", listening)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = make_web(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        task = asyncio.create_task(web.run())
        await asyncio.wait_for(tried_thrice.wait(), 60)
        assert not web.status().ok
        assert "is in use" in web.status().message
        assert caplog.text.count("is in use") == 1, "said once"
    async with asyncio.timeout(60):
        await web.listening.wait()
    assert web.status().ok
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not web.status().ok


@pytest.mark.parametrize("name", ["missing.pem", "nonsense.pem"])
async def test_a_bad_certificate_is_said(make_web, tmp_path, said, name):
    (tmp_path / "nonsense.pem").write_text("nonsense")
    web = make_web(tls_certificate=tmp_path / name, tls_key=tmp_path / name)
    task = asyncio.create_task(web.run())
    await said("mend tls_certificate and tls_key")
    assert "mend tls_certificate and tls_key" in web.status().message
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_signals_stay_with_the_application(make_web, served):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with served(make_web()) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        assert (await client.get("/api/v1/status")).status_code == 200
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_it_stops_at_once_with_pages_open(make_web, served):
    web = make_web()
    async with httpx.AsyncClient(timeout=60) as client:
        async with served(web) as url:
            stream = client.stream("GET", f"{url}/api/v1/live")
            reply = await stream.__aenter__()
            lines = reply.aiter_lines()
            await anext(lines)
            started = time.monotonic()
        assert time.monotonic() - started < 60, "a page left open never ends by itself"
        assert web.live.clients == 0
        with pytest.raises(httpx.HTTPError):
            async for _ in lines:
                pass
        await stream.__aexit__(None, None, None)
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_it_can_start_again_on_the_same_port(make_web, served):
    web = make_web()
    async with served(web) as url, httpx.AsyncClient(timeout=60) as client:
        await client.get(f"{url}/")
    again = make_web(listen=f"127.0.0.1:{web.port}")
    async with served(again) as url, httpx.AsyncClient(timeout=60) as client:
        assert (await client.get(f"{url}/")).status_code == 200


async def test_a_mistake_of_ours_is_a_problem_and_a_log_line(make_web, client_for, monkeypatch, caplog):
    web = make_web()
    monkeypatch.setattr(web.hub, "readings", None)
    monkeypatch.setattr(type(web.hub), "outputs", property(lambda _: 1 / 0))
    async with client_for(web) as client:
        reply = await client.get("/api/v1/status")
    assert reply.status_code == 500
    assert reply.headers["content-type"] == "application/problem+json"
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivision" not in reply.text


@pytest.mark.parametrize(
    "left",
    [
        (
            19_000_000,
            12_000_000,
            5_000_000,
            0,
            0,
        ),  # metrics of thousands of meters: taken, and then nothing more is asked
        (19_000_000, 12_000_000, 11_995_000),
    ],
    ids=["taken", "not taken"],
)
def test_a_reply_is_cut_off_only_when_it_is_not_taken(left):
    sizes = iter(left)
    connection = server._Connection.__new__(server._Connection)
    connection.transport = Mock(get_write_buffer_size=lambda: next(sizes))
    connection.loop = Mock()
    connection.cycle = Mock(response_complete=True)  # all of it was handed to the operating system, or waits to be
    connection._served, connection._to_take = None, 0
    for look in range(len(left)):
        assert not connection.transport.abort.called, f"look {look}"
        connection._look()
    assert connection.transport.abort.called
