"""Acceptance 2 and 15: many jobs, slow and failing printers, large documents, a full disk; the ledger counts."""

from __future__ import annotations

import os
import shutil
import subprocess

import psutil
import pytest
from office import Office
from papers import big_pdf, pdf
from printshop import until

from piprint.contract import JobState

JOBS = int(os.environ.get("PIPRINT_JOBS", "500"))
CALLS_AT_ONCE = 5
"""Business Central online processes so many of one user."""


async def test_02_many_jobs_on_five_printers_one_slow_one_failing():
    queues = ("quick", "brisk", "lively", "slow", "failing")
    async with Office(*queues, error_policy="abort-job") as office:
        office.cups.behave("slow", sleep=0.1)
        office.cups.behave("failing", exit=1)
        await office.start()
        document = pdf("load")
        jobs = {queue: [office.print(queue, document) for _ in range(JOBS // len(queues))] for queue in queues}
        good = [number for queue in queues[:-1] for number in jobs[queue]]
        quick = [number for queue in queues[:3] for number in jobs[queue]]
        await office.becomes(JobState.PRINTED, *quick, seconds=120)
        slow_then = len(office.printed("slow"))
        await office.becomes(JobState.PRINTED, *good, seconds=120)
        await office.becomes(JobState.ERROR, *jobs["failing"], seconds=120)
        for queue in queues[:-1]:
            assert office.printed(queue) == jobs[queue], f"{queue}: all, once, in order"
        assert office.printed("failing") == []
        assert slow_then <= JOBS // len(queues)
        assert office.bc.log.most_running <= CALLS_AT_ONCE
        assert not office.bc.log.statuses[429]
        assert "given up by the printer" in office.job(jobs["failing"][0]).message


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
        await until(lambda: "disk" in processor.log or "room" in processor.log, 15, "a word about the disk")
        assert office.job(job).status is JobState.QUEUED


@pytest.mark.skipif(
    subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0,
    reason="needs a small disk of its own: the right to mount (CAP_SYS_ADMIN)",
)
@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_15_full_disk_gives_the_job_back(tmp_path, extension):
    """With PIPrint 1.0 the size is known only when the document comes; ours is asked before."""
    large = tmp_path / "large.pdf"
    big_pdf(large, 30)
    mount = shutil.which("mount")
    async with Office("one", extension=extension, config="[limits]\nkeep_free_mb = 0\n") as office:
        data = office.folder / "processor-1" / "data"
        small_disk = f'mkdir -p "{data}" && {mount} -t tmpfs -o size=16m,mode=700 tmpfs "{data}" && exec "$@"'
        processor = await office.start(prefix=("unshare", "-m", "sh", "-c", small_disk, "sh"))
        job = office.print("one", large)
        small = office.print("one")
        await office.becomes(JobState.PRINTED, small)
        await until(lambda: office.job(job).status is JobState.QUEUED, 15, "the job's return")
        assert office.printed() == [small]
        told = office.job(job).message if extension == "1.0" else processor.log
        assert "room" in told
        assert office.bc.log.calls < 200, "nobody asks again and again"
