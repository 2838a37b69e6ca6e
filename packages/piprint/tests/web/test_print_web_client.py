"""Commands ask the running processor by its page: what comes back, and what is said when nothing good does."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from piprint.config.settings import Config, Web
from piprint.errors import PiprintError
from piprint.web.client import NotRunning, ask

PASSWORD = "horse battery"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def at(listen: str, **settings: object) -> Config:
    """Return settings of which only those of the page are set."""
    only: dict[str, Any] = {"web": Web.model_validate({"listen": listen, **settings})}
    return Config.model_construct(**only)


@pytest.fixture
async def page() -> AsyncIterator[Callable[[Handler], Awaitable[int]]]:
    """Return a function that serves a page with one handler for all, and tells its port."""
    runners: list[web.AppRunner] = []

    async def serve(handler: Handler) -> int:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        return int(runners[-1].addresses[0][1])

    yield serve
    for runner in runners:
        await runner.cleanup()


async def test_a_page_that_is_switched_off_is_not_asked() -> None:
    with pytest.raises(NotRunning, match=r"switched off \(web\.enabled\)"):
        await ask(at("127.0.0.1:9", enabled=False), "api/v1/status")


async def test_nobody_there_is_no_processor_that_runs() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotRunning, match=f"no processor answers at 127.0.0.1:{port}"):
        await ask(at(f"127.0.0.1:{port}"), "api/v1/status")


@pytest.mark.parametrize("body", [None, {"printer": "Office"}])
async def test_it_asks_as_itself_with_the_password_and_posts_what_it_is_given(page, body) -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.path, await request.text(), request.headers))
        return web.json_response({"told": "yes"})

    port = await page(answer)
    config = at(f"0.0.0.0:{port}", password=SecretStr(PASSWORD))  # listens everywhere; asked on loopback
    assert await ask(config, "api/v1/testpage", body) == {"told": "yes"}
    ((method, path, text, headers),) = asked
    assert (method, path) == ("GET" if body is None else "POST", "/api/v1/testpage")
    assert text == ("" if body is None else '{"printer": "Office"}')
    assert headers["X-Piprint"] == "1"
    assert headers["Authorization"] == "Basic cGlwcmludDpob3JzZSBiYXR0ZXJ5", "piprint:horse battery, in base64"


async def test_without_a_password_none_is_sent(page) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"sent": "Authorization" in request.headers})

    assert await ask(at(f"127.0.0.1:{await page(answer)}"), "api/v1/status") == {"sent": False}


async def test_a_refusal_is_told_in_the_processors_own_words(page) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": "this host has no printer Nowhere"}, status=404)

    with pytest.raises(PiprintError, match=r"^this host has no printer Nowhere$"):
        await ask(at(f"127.0.0.1:{await page(refuse)}"), "api/v1/testpage", {})


@pytest.mark.parametrize(
    ("kind", "text"), [("text/html", "<h1>It works!</h1>"), ("application/json", "{"), ("application/json", "[1]")]
)
async def test_another_program_at_that_port_is_not_taken_for_piprint(page, kind, text) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=kind)

    port = await page(answer)
    with pytest.raises(PiprintError, match=f"what answers at 127.0.0.1:{port} is no piprint") as caught:
        await ask(at(f"127.0.0.1:{port}"), "api/v1/status")
    assert not isinstance(caught.value, NotRunning), "something runs there: nothing may be done beside it"
