"""P9: how long an answer may take in all. The server's side is a script on a clock that jumps."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace

import pytest

from piprint.bc.http.client import Wire
from piprint.config.settings import Config
from piprint.errors import BcUnreachable

pytestmark = pytest.mark.virtual_clock

TIMEOUT = 60.0


class Response:
    """An answer whose parts come so many seconds apart."""

    def __init__(self, head, *parts):
        self.head = head
        self.parts = list(parts)
        self.content = self
        self.headers = {}
        self.url = "https://bc.example/"

    async def readany(self):
        if not self.parts:
            return b""
        seconds, part = self.parts.pop(0)
        await asyncio.sleep(seconds)
        return part


async def took(response, *, document=False, pause=0.0):
    """Return whether the answer was taken whole, and the seconds that took."""
    login = {"kind": "basic", "username": "pi", "password": "x"}
    config = Config.model_validate({"business_central": {"url": "https://bc.example/", "login": login}})
    assert config.business_central.timeout == TIMEOUT
    wire = Wire(config.business_central)

    async def request(*_args, **_more):
        await asyncio.sleep(response.head)
        return response

    clock = asyncio.get_running_loop().time
    begun = clock()
    session, wire._session = wire._session, SimpleNamespace(request=request)
    whole = False
    try:
        with suppress(BcUnreachable):
            answer = await wire.send("GET", "https://bc.example/", asked="ask for work", headers={})
            async for _ in wire.chunks(answer, asked="ask for work", document=document):
                await asyncio.sleep(pause)
            whole = True
    finally:
        await session.close()
    return whole, clock() - begun


DRIPS = [(1, b"1")] * 10_000


async def test_p9_an_answer_that_drips_has_the_timeout_in_all():
    whole, seconds = await took(Response(0, *DRIPS))
    assert not whole
    assert seconds <= TIMEOUT + 0.1


async def test_p9_so_has_one_whose_head_came_late():
    whole, seconds = await took(Response(50, *DRIPS))
    assert not whole
    assert seconds <= TIMEOUT + 0.1


async def test_p9_so_has_one_that_is_silent_at_last():
    whole, seconds = await took(Response(0, *[(1, b"1")] * 30, (1e6, b"1")))
    assert not whole
    assert seconds <= TIMEOUT + 0.1


async def test_a_large_answer_has_more():
    assert (await took(Response(50, *[(1, b"x" * 100_000)] * 50)))[0]


async def test_p9_a_document_that_drips_is_given_up_however_fast_it_began():
    whole, seconds = await took(Response(1, *[(0.01, b"x" * 1_000_000)] * 30, *DRIPS), document=True)
    assert not whole
    assert seconds < TIMEOUT + 5


async def test_a_document_on_a_slow_line_goes_on():
    """8 kB/s, a megabyte: two minutes."""
    assert (await took(Response(1, *[(1, b"x" * 8000)] * 125), document=True))[0]


async def test_p9_a_document_has_an_hour_in_all():
    whole, seconds = await took(Response(1, *[(1, b"x" * 5000)] * 10_000), document=True)
    assert not whole
    assert seconds < 3700


async def test_what_the_disk_here_takes_is_not_the_servers_fault():
    assert (await took(Response(1, *[(0.1, b"x" * 1000)] * 20), document=True, pause=100))[0]
