"""The print processor beside the way the published script works (:mod:`print_peer`), each with its own stand-in and CUPS.

Both are processes of their own; the stand-in is this process and counts. Bytes are those of bodies, as HTTP's headers are
alike. How many jobs go in a second depends on what else runs here, as CUPS and the stand-in share the cores with the processor; what one costs
the processor does not. An idle hour is measured in 36 seconds with the poll ten times faster, and scaled. Memory is that of the process
and all it started, as the kernel counts it without counting shared pages twice (PSS).
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psutil

from table import Row

sys.path.insert(0, str(Path(__file__).parents[1] / "packages" / "piprint" / "tests" / "acceptance"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from office import Office
from papers import big_pdf, pdf
from printshop import until

from piprint.contract import JobState
from piprint.simulate.limits import Limits

_PEER = Path(__file__).with_name("print_peer.py")
_POLL = 5.0
"""Seconds, of both: the script's pause, and our setting's default."""
_JOBS = 300
_QUEUES = ("a", "b", "c", "d", "e")
_FASTER = 10.0
_IDLE = 36.0
"""Seconds: six minutes at ten times the pace."""
_SINGLES, _PEER_SINGLES = 200, 12
"""Jobs printed one by one; the script's way is slow enough to be seen with few."""
_SINGLES_POLL = 1.0
_APART = 1.5
"""Seconds between two jobs of one printer, at least, in polls: no job waits for the one before."""
_LARGE, _PEER_LARGE, _MEGABYTES = 30, 5, 30
_MEMORY_GOAL = 120.0
_DELAY_GOAL = _SINGLES_POLL + 0.3

Start = Callable[[Office, float], Awaitable[psutil.Process]]


async def _ours(office: Office, poll: float) -> psutil.Process:
    office.poll = poll
    processor = office.processor()
    processor.as_installed = True
    processor.start()
    await office.offers(*office.queues)
    assert processor.process is not None
    return psutil.Process(processor.process.pid)


async def _peer(office: Office, poll: float) -> psutil.Process:
    """Register the printers by hand, as the script would have, and start it."""
    for queue in office.queues:
        office.bc.database.insert_printer({"host_id": office.host, "printer_id": queue})
    accounts = office.bc.settings.accounts
    process = psutil.Popen(
        [sys.executable, str(_PEER), office.bc.url, office.bc.token_url, accounts.client_id, accounts.secret, office.host,
         office.cups.address, str(poll)],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return psutil.Process(process.pid)


@contextlib.asynccontextmanager
async def _office(start: Start, poll: float, *, eat: bool = True) -> AsyncIterator[tuple[Office, psutil.Process]]:
    """Run an office with one of the two; its printers eat documents at once, or note when they begin."""
    limits = Limits(requests=1_000_000)
    async with Office(*_QUEUES, extension="2.0" if start is _ours else "1.0", bc={"limits": limits}) as office:
        for queue in _QUEUES if eat else ():
            office.cups.add_printer(queue, null=True)
        process = await start(office, poll)
        try:
            yield office, process
        finally:
            for each in _tree(process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
                    each.wait(10)


def _tree(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [*process.children(recursive=True), process]
    return []


def _memory(process: psutil.Process) -> float:
    """Return MB of a process and all it started."""
    total = 0
    for each in _tree(process):
        with contextlib.suppress(psutil.Error):
            total += each.memory_full_info().pss
    return total / 1e6


def _cpu(process: psutil.Process) -> float:
    """Return seconds of processor of a process, all that it started and all that these waited for."""
    total = 0.0
    for each in _tree(process):
        with contextlib.suppress(psutil.Error):
            total += sum(each.cpu_times()[:4])
    return total


async def _throughput(start: Start) -> tuple[float, float]:
    """Return jobs per second, from the first claim to the last report, and milliseconds of processor per job."""
    async with _office(start, _POLL) as (office, process):
        document = pdf("bench")
        jobs = [office.print(_QUEUES[number % len(_QUEUES)], document) for number in range(_JOBS)]
        await until(lambda: any(state is not JobState.QUEUED for state in office.states().values()), 2 * _POLL)
        begun, cpu = time.monotonic(), _cpu(process)
        await office.ends(jobs, seconds=300)
        return _JOBS / (time.monotonic() - begun), (_cpu(process) - cpu) / _JOBS * 1000


async def _idle(start: Start) -> tuple[float, float]:
    """Return calls and bytes of an idle hour, tokens included; the poll is faster, the count scaled."""
    async with _office(start, _POLL / _FASTER) as (office, _):
        await asyncio.sleep(2)
        log = office.bc.log
        log.clear()
        await asyncio.sleep(_IDLE)
        scale = 3600 / (_IDLE * _FASTER)
        calls, moved = log.calls + log.tokens, log.received + log.sent
        return calls * scale, moved * scale


async def _delays(start: Start, count: int) -> list[float]:
    """Return the seconds from Print until the printer began, of single jobs at moments that do not follow the poll.

    Each printer gets its share, a job at a time: none waits for the one before, nor for the others.
    """
    async with _office(start, _SINGLES_POLL, eat=False) as (office, _):
        share = count // len(_QUEUES)

        async def of(queue: str, late: float) -> list[float]:
            pressed = []
            await asyncio.sleep(late)
            for number in range(share):
                await asyncio.sleep(_SINGLES_POLL * (_APART + number / share))
                pressed.append(time.time())
                office.print(queue)
                await office.cups.wait_ledger(number + 1, queue=queue)
            return [out.start - moment for out, moment in zip(office.cups.ledger(queue), pressed, strict=True)]

        late = _SINGLES_POLL / len(_QUEUES)
        found = await asyncio.gather(*(of(queue, late * place) for place, queue in enumerate(_QUEUES)))
        return [delay for each in found for delay in each]


async def _peak(start: Start, documents: list[Path]) -> float:
    """Return the most memory while large documents are printed, MB."""
    async with _office(start, _POLL) as (office, process):
        jobs = [office.print(_QUEUES[number % len(_QUEUES)], path) for number, path in enumerate(documents)]
        most = 0.0

        def over() -> bool:
            nonlocal most
            most = max(most, _memory(process))
            return all(office.job(job).status is JobState.PRINTED for job in jobs)

        await until(over, 300, "printing large documents")
        return most


def rows() -> Iterator[Row]:
    """Measure one thing after the other, ours first."""
    (ours, cost), (peers, peer_cost) = asyncio.run(_throughput(_ours)), asyncio.run(_throughput(_peer))
    yield Row(f"jobs per second ({_JOBS} at once, 2 kB, {len(_QUEUES)} printers)", f"{ours:.0f}")
    yield Row("  CPU of a job", f"{cost:.0f} ms")
    yield Row("  the script's way", f"{peers:.0f}, none followed")
    yield Row("  CPU of a job", f"{peer_cost:.0f} ms")
    (calls, moved), (peer_calls, peer_moved) = asyncio.run(_idle(_ours)), asyncio.run(_idle(_peer))
    # a token lives an hour or more, longer than was measured
    yield Row(f"calls per idle hour, poll {_POLL:.0f} s", f"{calls + 1:.0f}", "at most 721", calls + 1 <= 721)
    yield Row("  the script's way", f"{peer_calls:.0f}")
    yield Row("MB per idle hour, bodies", f"{moved / 1e6:.2f}")
    yield Row("  the script's way", f"{peer_moved / 1e6:.2f}")
    delays, peer_delays = asyncio.run(_delays(_ours, _SINGLES)), asyncio.run(_delays(_peer, _PEER_SINGLES))
    most = statistics.quantiles(delays, n=20)[-1]
    goal = f"at most {_DELAY_GOAL:.1f} s"
    yield Row(
        f"from Print to printing, poll {_SINGLES_POLL:.0f} s, p95 of {len(delays)} jobs",
        f"{most:.2f} s",
        goal,
        most <= _DELAY_GOAL,
    )
    yield Row("  median and longest", f"{statistics.median(delays):.2f}, {max(delays):.2f} s")
    yield Row(
        f"  the script's way, median and longest of {len(peer_delays)}",
        f"{statistics.median(peer_delays):.2f}, {max(peer_delays):.2f} s",
    )
    with tempfile.TemporaryDirectory() as folder:
        documents = [Path(folder) / f"{number}.pdf" for number in range(_LARGE)]
        for number, path in enumerate(documents):
            big_pdf(path, _MEGABYTES, seed=number)
        most = asyncio.run(_peak(_ours, documents))
        peer_most = asyncio.run(_peak(_peer, documents[:_PEER_LARGE]))
    what = f"peak memory, {_LARGE} PDFs of {_MEGABYTES} MB"
    yield Row(what, f"{most:.0f} MB", f"under {_MEMORY_GOAL:.0f} MB", most < _MEMORY_GOAL)
    yield Row(f"  the script's way, {_PEER_LARGE} of them", f"{peer_most:.0f} MB")
