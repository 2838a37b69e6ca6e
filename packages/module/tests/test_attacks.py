"""Who is on the network and has no key: cannot keep others out by being slow, and cannot have the module hold more than it has."""

import asyncio

import pytest

from nesmodule.access.guesses import FREE
from nesmodule.tap import server
from nesmodule.tap.server import Tap
from osgp.ports.tap.greeting import NONCE, answer
from virtual_clock import VirtualClockLoop

TOKEN = "7kq2-mvx9-t4hp-w3zd"


@pytest.fixture
def in_virtual_time():
    """Return a function that runs something on a loop whose time jumps."""

    def run(coroutine):
        with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
            return runner.run(coroutine)

    return run


class Sender:
    """A client that says something piece by piece, with pauses in seconds."""

    def __init__(self, pieces, pause=0):
        self._pieces, self._pause = iter(pieces), pause

    async def read(self, most):
        await asyncio.sleep(self._pause)
        found = next(self._pieces, b"")
        assert len(found) <= most
        return found


class Writer:
    """Keeps what the module says."""

    out_buf = b""

    def __init__(self):
        self.got, self.closed = b"", False

    def write(self, data):
        self.got += bytes(data)

    async def drain(self):
        pass

    def close(self):
        self.closed = True

    async def wait_closed(self):
        pass


async def wait_for_ms(awaited, time):
    return await asyncio.wait_for(awaited, time / 1000)


@pytest.fixture
def tap(monkeypatch):
    monkeypatch.setattr(server, "wait_for_ms", wait_for_ms)
    return Tap(TOKEN, None, None, lambda: 0, bytes, lambda: b"{}")


async def knock(tap, pieces, pause=0):
    writer = Writer()
    await tap.serve(Sender(pieces, pause), writer)
    assert writer.closed
    return writer.got


def test_a_client_that_is_slow_does_not_keep_the_door_of_the_tap(tap, in_virtual_time):
    async def run():
        begun = asyncio.get_running_loop().time()
        await knock(tap, [b"x"] * 100, pause=4.9)
        return asyncio.get_running_loop().time() - begun

    assert in_virtual_time(run()) < 6


def test_what_is_no_guess_at_the_token_locks_nobody_out(tap, in_virtual_time):
    async def run():
        for said in (b"GET / HTTP/1.0\r\n", b"\n", bytes(500), b"raw\n", b"raw short\n"):
            for _ in range(FREE):
                assert (await knock(tap, [said[at : at + 100] for at in range(0, len(said), 100)])).endswith(b"no token\r\n")
        wrong = answer(b"another-token-of-16", "raw", bytes(NONCE))
        return [(await knock(tap, [wrong])).splitlines()[-1] for _ in range(FREE + 1)]

    assert in_virtual_time(run()) == [b"no token"] * FREE + [b"no wait 60"]
