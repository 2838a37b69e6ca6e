"""Who is on the network and has no key: cannot keep others out by being slow, and cannot have the module hold more than it has."""

import asyncio

import pytest
from virtual_clock import VirtualClockLoop

from nesmodule.access.door import Door
from nesmodule.access.guesses import FREE
from nesmodule.board.lines import Lines
from nesmodule.outputs import guarded, page
from nesmodule.tap import server
from nesmodule.tap.server import Tap
from nesmodule.updates import safe
from osgp.ports.tap.greeting import NONCE, answer

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
        self._pieces, self._pause = [*pieces], pause

    async def read(self, most):
        await asyncio.sleep(self._pause)
        found = self._pieces.pop(0) if self._pieces else b""
        if len(found) > most:
            self._pieces.insert(0, found[most:])
        return found[:most]


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
                assert (await knock(tap, [said])).endswith(b"no token\r\n")
        wrong = answer(b"another-token-of-16", "raw", bytes(NONCE))
        return [(await knock(tap, [wrong])).splitlines()[-1] for _ in range(FREE + 1)]

    assert in_virtual_time(run()) == [b"no token"] * FREE + [b"no wait 60"]


class Endless:
    """A client that says the same again and again, and counts how much of it was taken."""

    def __init__(self, said):
        self._said = said
        self.taken = 0

    async def read(self, most):
        await asyncio.sleep(0)
        self.taken += most
        return (self._said * most)[:most]

    async def readline(self):
        # MicroPython's own reader gives a line when it has all of it.
        self.taken += 1 << 20
        return b""


@pytest.fixture
def served(monkeypatch):
    """Return functions that serve a client: the page, the page behind the door, safe mode."""
    monkeypatch.setattr(page, "wait_for_ms", wait_for_ms)
    monkeypatch.setattr(guarded, "wait_for_ms", wait_for_ms)
    monkeypatch.setattr(safe, "wait_for_ms", wait_for_ms)
    mode = safe.SafeMode("It happened.", "password", lambda older: None, lambda: 0)
    behind = guarded.GuardedPage.__new__(guarded.GuardedPage)
    page.Page.__init__(behind, None, lambda: 0)
    behind.door = Door("a-key-of-the-label", lambda: 0, bytes)
    return {"page": page.Page(None, lambda: 0).serve, "door": behind.serve, "safe mode": mode._serve}


@pytest.mark.parametrize("where", ["page", "door", "safe mode"])
@pytest.mark.parametrize("said", [b"a", b"a ", b"X: y\r\n", b"a b\r\n"])
def test_a_head_without_an_end_is_given_up_and_never_held(served, in_virtual_time, where, said):
    client, writer = Endless(said), Writer()
    in_virtual_time(served[where](client, writer))
    assert writer.closed
    assert b"200" not in writer.got
    assert client.taken < 25_000


@pytest.mark.parametrize("where", ["page", "door", "safe mode"])
def test_a_head_that_comes_slowly_is_given_up(served, in_virtual_time, where):
    async def run():
        await served[where](Sender([b"G"] * 1000, pause=4.9), Writer())
        return asyncio.get_running_loop().time()

    assert in_virtual_time(run()) < 11


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_what_comes_in_pieces_is_read_as_it_was_sent(in_virtual_time, piece):
    said = b"GET / HTTP/1.0\r\n\r\nbody and more"

    async def run():
        lines = Lines(Sender([said[at : at + piece] for at in range(0, len(said), piece)]))
        found = [await lines.readline(), await lines.readline(), await lines.readexactly(4)]
        rest = b""
        while more := await lines.read(5):
            rest += more
        with pytest.raises(EOFError):
            await lines.readline()
        return [*found, rest]

    assert in_virtual_time(run()) == [b"GET / HTTP/1.0\r\n", b"\r\n", b"body", b" and more"]
