"""A service as a process: what it starts with, what it leaves to others, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import stat
import subprocess
import sys

import pytest

from servicekit.process import FAILED, become, run_until_ended, stopped_by_signals

LOG = logging.getLogger("servicekit.test")


def test_it_becomes_the_program_with_nothing_secret_on_its_command_line(tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr("os.execve", lambda *said: called.append(said))
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    become("some.program", tmp_path / "c.toml", {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "2"})
    ((program, command, environment),) = called
    assert (program, command) == (
        sys.executable,
        [sys.executable, "-P", "-m", "some.program", str(tmp_path / "c.toml")],
    )
    assert environment["MALLOC_ARENA_MAX"] == "7", "who runs it has the last word"
    assert environment["MALLOC_TRIM_THRESHOLD_"] == "2"
    assert environment["PATH"] == os.environ["PATH"]


PROGRAM = """
import resource, sys
from servicekit.process import keep_to_ourselves
keep_to_ourselves()
open(sys.argv[1], "w").close()
print(resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_nobody_else_reads_what_it_writes_and_a_crash_leaves_no_memory(tmp_path):
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            str(tmp_path / "ours"),
        ],
        check=True,
        capture_output=True,
        text=True,
        # As a machine that keeps images of crashed programs, as far as this one allows.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2),
    )
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == 0o600
    assert said.stdout == "(0, 0)\n"


class Known(Exception):
    pass


class Nearer(Known):
    pass


@pytest.mark.parametrize(
    ("error", "code", "said", "traced"),
    [
        (None, 0, "", False),
        (Known("the file is damaged"), 3, "stopped: the file is damaged", False),
        (Nearer("try later"), 4, "stopped: try later", False),
        (ValueError("something"), FAILED, "a mistake of ours", True),
    ],
)
def test_what_ends_it_is_said_in_the_log_and_is_the_exit_code(caplog, error, code, said, traced):
    async def work():
        if error is not None:
            raise error

    assert run_until_ended(work(), LOG, {Nearer: 4, Known: 3}, "a mistake of ours") == code
    assert [record.message for record in caplog.records] == ([said] if said else [])
    assert any(record.exc_info for record in caplog.records) == traced


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_and_a_second_one_is_as_without_us(monkeypatch, number):
    def missing(*_):
        raise NotImplementedError  # Windows

    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", missing)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    stop = asyncio.Event()
    with stopped_by_signals(stop):
        assert signal.getsignal(number) != before[number]
        signal.raise_signal(number)
        assert {each: signal.getsignal(each) for each in before} == before
        async with asyncio.timeout(60):
            await stop.wait()
    assert {each: signal.getsignal(each) for each in before} == before


async def test_signals_are_given_back_when_nobody_sent_one():
    before = signal.getsignal(signal.SIGTERM)
    with stopped_by_signals(asyncio.Event()):
        pass
    assert signal.getsignal(signal.SIGTERM) == before
