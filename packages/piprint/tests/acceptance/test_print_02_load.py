"""Acceptance 2 and 15: many jobs, slow and failing printers, large documents, a full disk; the ledger counts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
import pytest
from office import Office
from papers import big_pdf, pdf
from printshop import until

from piprint.contract import JobState

JOBS = int(os.environ.get("PIPRINT_JOBS", "500"))
CALLS_AT_ONCE = 5
"""Business Central online processes so many of one user."""


SHARES = {"quick": 0.26, "brisk": 0.26, "lively": 0.26, "slow": 0.06, "failing": 0.16}
"""Which part of the jobs each printer gets; the slow one would make the test long."""


@pytest.mark.takes_long
async def test_02_many_jobs_on_five_printers_one_slow_one_failing():
    async with Office(*SHARES, error_policy="abort-job") as office:
        office.cups.behave("slow", sleep=0.8)
        office.cups.behave("failing", exit=1)
        await office.start()
        document = pdf("load")
        jobs = {
            queue: [office.print(queue, document) for _ in range(round(JOBS * part))] for queue, part in SHARES.items()
        }
        failed = jobs.pop("failing")
        await office.becomes(
            JobState.PRINTED, *(number for numbers in jobs.values() for number in numbers), seconds=200
        )
        await office.becomes(JobState.ERROR, *failed, seconds=60)
        for queue, numbers in jobs.items():
            assert office.printed(queue) == numbers, f"{queue}: all, once, in order"
        assert office.printed("failing") == []
        assert "given up by the printer" in office.job(failed[0]).message
        tenth = office.cups.ledger("slow")[9].end
        for queue in ("quick", "brisk", "lively"):
            meanwhile = sum(printed.end < tenth for printed in office.cups.ledger(queue))
            assert meanwhile >= 20, f"{queue} printed {meanwhile} while the slow one printed 10"
        assert office.bc.log.most_running <= CALLS_AT_ONCE
        assert not office.bc.log.statuses[429]


def tree_memory(pid: int) -> float:
    """Return the resident memory of a process and all it started, MB."""
    total = 0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


async def test_15_large_documents_and_a_long_queue_take_little_memory(tmp_path):
    large = [tmp_path / f"{number}.pdf" for number in range(3)]
    for number, path in enumerate(large):
        big_pdf(path, 30, seed=number)
    async with Office("one", "two", "three") as office:
        processor = await office.start()
        before = tree_memory(processor.process.pid)
        jobs = [office.print(queue, path) for queue, path in zip(office.queues, large, strict=True)]
        jobs += [office.print(office.queues[number % 3]) for number in range(200)]
        most = before

        def over() -> bool:
            nonlocal most
            most = max(most, tree_memory(processor.process.pid))
            return all(office.job(number).status is JobState.PRINTED for number in jobs)

        await until(over, 120, "printing them all")
        assert most < before + 150, f"{before:.0f} MB before, {most:.0f} MB at most"
        assert sorted(office.printed()) == sorted(jobs)
        assert not list((processor.data / "spool").iterdir())


async def test_15_no_job_is_taken_while_the_disk_is_nearly_full():
    async with Office("one", config="[limits]\nkeep_free_mb = 100000000\n") as office:
        processor = await office.start()
        job = office.print("one")
        await until(lambda: "disk" in processor.log or "room" in processor.log, what="a word about the disk")
        assert office.job(job).status is JobState.QUEUED


SMALL = 16 << 20
"""Bytes that fit on the small disk."""


OF_ITS_OWN = ("unshare", *(() if os.geteuid() == 0 else ("-r",)), "-m", "sh", "-c")
"""The words before a line of shell that may mount."""

MAY_MOUNT = not subprocess.run([*OF_ITS_OWN, "mount -t tmpfs x /mnt"], capture_output=True, check=False).returncode


def on_a_small_disk(way: str, data: Path) -> tuple[str, ...]:
    """Return the words before a command that give it a small disk."""
    if way == "a limit on each file":
        # setrlimit(2): a write beyond it fails with EFBIG, as a full disk does with ENOSPC. It takes no right.
        return ("prlimit", f"--fsize={SMALL}")
    small = f'mkdir -p "{data}" && mount -t tmpfs -o size={SMALL},mode=700 tmpfs "{data}" && exec "$@"'
    return (*OF_ITS_OWN, small, "sh")


@pytest.mark.parametrize("way", ["a limit on each file", *(["a file system of its own"] if MAY_MOUNT else [])])
@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_15_n5_full_disk_gives_the_job_back(tmp_path, extension, way):
    """With PIPrint 1.0 the size is known only when the document comes; ours is asked before, where the disk can tell."""
    large = tmp_path / "large.pdf"
    big_pdf(large, 30)
    async with Office("one", extension=extension, config="[limits]\nkeep_free_mb = 0\n") as office:
        data = office.folder / "processor-1" / "data"
        processor = await office.start(prefix=on_a_small_disk(way, data))
        job = office.print("one", large)
        small = office.print("one")
        await office.becomes(JobState.PRINTED, small)
        await until(lambda: office.job(job).status is JobState.QUEUED, what="the job's return")
        assert office.printed() == [small]
        await until(lambda: "room" in (office.job(job).message if extension == "1.0" else processor.log), what="a word")
        assert office.bc.log.calls < 200, "nobody asks again and again"
