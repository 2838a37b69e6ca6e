"""The clock of the tests is itself tested: other tests believe it."""

import asyncio
import socket
import time


async def test_hours_pass_at_once(virtual_clock):
    began, started = time.monotonic(), virtual_clock()
    await asyncio.sleep(3600)
    assert virtual_clock() - started == 3600
    assert time.monotonic() - began < 600, "an hour has 3600 s"


async def test_timers_keep_their_order(virtual_clock):
    order = []

    async def note(delay):
        await asyncio.sleep(delay)
        order.append(delay)

    await asyncio.gather(*(note(delay) for delay in (3.0, 1.0, 2.0)))
    assert order == [1.0, 2.0, 3.0]


async def test_sockets_go_before_the_clock_jumps(virtual_clock):
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    theirs.send(b"now")
    async with asyncio.timeout(0.001):
        assert await reader.read(3) == b"now"
    writer.close()
    await writer.wait_closed()
    theirs.close()


async def test_without_the_fixture_time_is_real():
    before = time.monotonic()
    assert before <= asyncio.get_running_loop().time() <= time.monotonic()
