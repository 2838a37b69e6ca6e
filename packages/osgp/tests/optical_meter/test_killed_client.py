"""A program that is killed in the middle of an answer, by the real clock, and the one that is started after it."""

import asyncio
import json
import os
import sys
import time

import pytest

COMMAND = (sys.executable, "-P", "-c", "from osgp.cli import main; main()")


async def start(*words, url, key):
    """Start ``osgp`` as a process of its own."""
    environment = {"PATH": os.environ["PATH"], "OSGP_KEY": key}
    return await asyncio.create_subprocess_exec(
        *COMMAND, *words, "--json", "--port", url, env=environment, stdout=asyncio.subprocess.PIPE
    )


async def document(process):
    """Return the first reading that a process prints."""
    lines = b""
    while line := await process.stdout.readline():
        lines += line
        try:
            return json.loads(lines)
        except ValueError:
            continue
    pytest.fail("it ended without a reading")


@pytest.mark.parametrize("port", ["pty", "tcp"])
async def test_07_24_kill_9_in_mid_session(bench, tmp_path, port):
    key = bench.RK.secret.decode()
    async with asyncio.timeout(60), bench.simulated(baud=9600) as simulated:
        if port == "pty":
            url = simulated.serve_optical_pty(str(tmp_path / "probe"))
        else:
            url = await simulated.serve_optical_tcp()
        first = await start("watch", "--every", "1", url=url, key=key)
        assert await document(first)
        answered = simulated.traffic.answered
        while simulated.traffic.answered == answered:  # noqa: ASYNC110 - the meter knows no events
            await asyncio.sleep(0.002)
        first.kill()  # the answer takes longer to leave the meter than it took to notice
        await first.communicate()
        assert simulated.in_session, "nobody said goodbye"

        feed, spoke = simulated._window.feed, []
        simulated._window.feed = lambda data: (spoke.append(time.monotonic()), feed(data))
        second = await start("watch", "--count", "1", url=url, key=key)
        assert await document(second)
        assert time.monotonic() - spoke[0] < 10, "counted from its first word: how fast Python starts is another matter"
        assert await second.wait() == 0
