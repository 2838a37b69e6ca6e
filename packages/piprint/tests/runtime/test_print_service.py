"""The processor as a whole: starts whatever is away, tells it, prints when it is back, and stops in good order."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from types import SimpleNamespace

import psutil
import pytest
from printshop import until

from piprint.bc.queue import Probe
from piprint.bc.reconnecting import ReconnectingQueue
from piprint.contract import JobState
from piprint.errors import BcDenied, BcRefused, BcUnreachable, ConfigError, JournalError
from piprint.runtime.service import _signals
from piprint.simulate.server import StandIn

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def _printer(bc: StandIn, printer_id: str = "Office") -> int:
    return next(row.row_no for row in bc.database.tables.printers.values() if row.printer_id == printer_id)


async def test_a_job_is_printed_and_the_page_tells(tmp_path, config_text, run_service, ask_page, cups):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url)) as url:
        await ask_page(url, until=lambda now: now["connection"]["state"] == "connected" and now["printers"])
        job = bc.people.print(_printer(bc), PDF)
        now = await ask_page(url, until=lambda now: now["history"])
        assert bc.database.job(job.row_no).status is JobState.PRINTED
        (past,) = now["history"]
        assert (past["row_no"], past["printer"], past["outcome"]) == (job.row_no, "Office", "printed")
        assert now["printed_today"] in {0, 1}  # 0 when midnight passed just now
        assert now["hours"][-1] == [1, 0] or now["hours"][-2] == [1, 0]
        assert now["totals"]["outcomes"] == {"printed": 1}
        assert sum(now["totals"]["seconds"]) in {0, 1}
        office = next(each for each in now["printers"] if each["id"] == "Office")
        assert (office["state"], office["offered"], office["papers"]) == ("idle", True, ["A4"])
        assert now["connection"]["dialect"] == "API pages"
        assert now["connection"]["calls"] > 0
        lines = (await ask_page(url, "api/v1/log"))["lines"]
        run = json.loads(job.payload)["reportrunid"]
        about = f"job {job.row_no} for Office (Standard Sales - Invoice, run {run})"
        assert any(f"{about}: claimed, {len(PDF)} bytes" in line for line in lines)
        assert any(f"{about}: printed: Printed at Office" in line for line in lines)


async def test_the_buttons_print_a_test_page_and_queue_a_job_again(tmp_path, config_text, run_service, ask_page, cups):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url)) as url:
        await ask_page(url, until=lambda now: now["connection"]["state"] == "connected" and now["printers"])
        before = len(cups.ledger("Office"))
        told = await ask_page(url, "api/v1/test-page", {"printer": "Office"})
        assert told == {"message": "The test page is printed on Office."}
        assert cups.ledger("Office")[-1].title == "piprint-test-page"
        told = await ask_page(url, "api/v1/test-page", {"printer": "None"})
        assert told == {"error": "this host has no printer None"}
        job = bc.people.print(_printer(bc), PDF)
        await ask_page(url, until=lambda now: now["history"])
        told = await ask_page(url, "api/v1/restart", {"row_no": job.row_no})
        assert told == {"message": f"Job {job.row_no} is now Queued in Business Central."}
        await ask_page(url, until=lambda now: len(now["history"]) == 2)
        assert len(cups.ledger("Office")) == before + 3
        told = await ask_page(url, "api/v1/restart", {"row_no": 999})
        assert told == {"error": "Business Central has no job 999 any more"}


async def test_business_central_away_at_the_start_is_told_and_waited_for(
    tmp_path, config_text, run_service, ask_page, cups
):
    async with StandIn() as bc:
        text = config_text(bc, tmp_path, cups=cups.url)
        await bc.go_away()
        async with run_service(text) as url:
            now = await ask_page(url, until=lambda now: now["connection"]["state"] == "trouble")
            assert any("no connection" in trouble["help"] for trouble in now["troubles"])
            assert [each["id"] for each in now["printers"]], "the printers are there all the same"
            await bc.come_back()
            now = await ask_page(url, until=lambda now: now["connection"]["state"] == "connected")
            assert not [trouble for trouble in now["troubles"] if "Business Central" in trouble["what"]]
            assert now["connection"]["failed"] > 0


async def test_a_denied_login_is_told_and_does_not_end_the_processor(
    tmp_path, config_text, run_service, ask_page, cups
):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url, secret="wrong-one")) as url:
        now = await ask_page(url, until=lambda now: now["connection"]["state"] == "trouble")
        assert any("login.secret is wrong" in trouble["help"] for trouble in now["troubles"])
        assert "wrong-one" not in str(now)


async def test_cups_away_at_the_start_is_told(tmp_path, config_text, run_service, ask_page):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups="http://127.0.0.1:9/")) as url:
        now = await ask_page(url, until=lambda now: now["troubles"])
        assert any("CUPS" in trouble["help"] for trouble in now["troubles"])


async def test_without_its_port_it_prints_without_a_page(tmp_path, config_text, run_service, cups):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        async with (
            StandIn() as bc,
            run_service(config_text(bc, tmp_path, cups=cups.url, web=f"127.0.0.1:{port}")) as url,
        ):
            assert url == ""
            await until(lambda: bool(bc.database.tables.printers), 10)


async def test_a_second_processor_in_the_same_folder_is_refused(tmp_path, config_text, run_service, cups):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url)):
        with pytest.raises(JournalError, match="another piprint"):
            async with run_service(config_text(bc, tmp_path, cups=cups.url)):
                pass


# --- as a process -------------------------------------------------------------------------------------------------------


async def _until(true, seconds=15.0):
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_when_told_while_it_still_looks_for_printers(tmp_path, config_text, number):
    asked = asyncio.Event()

    async def say_nothing(reader, writer):
        asked.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    file = tmp_path / "piprint.toml"
    async with StandIn() as bc:
        cups = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
        file.write_text(config_text(bc, tmp_path, cups=cups, web="127.0.0.1:0"))
        file.chmod(0o600)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "piprint.runtime.process", str(file), stderr=subprocess.PIPE
        )
        await asyncio.wait_for(asked.wait(), 15)
        began = time.monotonic()
        process.send_signal(number)
        _, said = await process.communicate()
    silent.close()
    await silent.wait_closed()
    assert process.returncode == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in said.decode()


async def test_as_a_process_it_is_lean_private_and_ends_at_sigterm(tmp_path, config_text, ask_page, cups):
    file = tmp_path / "piprint.toml"
    port = _free_port()
    async with StandIn() as bc:
        file.write_text(config_text(bc, tmp_path, cups=cups.url, web=f"127.0.0.1:{port}"))
        file.chmod(0o600)
        command = [sys.executable, "-P", "-m", "piprint.runtime.process", str(file)]
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        try:

            async def connected() -> bool:
                try:
                    now = await ask_page(f"http://127.0.0.1:{port}/")
                except OSError:
                    return False
                return bool(now["connection"]["state"] == "connected")

            await _until(connected)
            second = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
            _, said = await second.communicate()
            assert second.returncode == 3
            assert f"(process {process.pid})" in said.decode()
            data = tmp_path / "data"
            assert data.stat().st_mode & 0o777 == 0o700
            assert (data / "spool").stat().st_mode & 0o777 == 0o700
            assert all(each.stat().st_mode & 0o077 == 0 for each in data.rglob("*"))
            family = psutil.Process(process.pid)
            assert family.memory_info().rss < 80e6, "the aim is 60 MB; PDFium and typer must not be loaded"
            assert bc.login.accounts.secret not in " ".join(family.cmdline())
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, said = await process.communicate()
        assert process.returncode == 0
        assert time.monotonic() - began < 20
        assert "stopped" in said.decode()
        assert bc.login.accounts.secret not in said.decode()


@pytest.mark.parametrize(("what", "code"), [("a folder", 1), ("no folder", 1), ("noise", 3)])
async def test_p9_what_may_be_over_soon_is_tried_again_by_systemd_and_damage_is_not(tmp_path, config_text, what, code):
    """3 is what the unit's RestartPreventExitStatus= names; a disk that is full, a file that is busy or not to be opened is 1."""
    data = tmp_path / "data"
    if what == "a folder":
        (data / "journal.sqlite").mkdir(mode=0o700, parents=True)  # SQLite: cannot open
        data.chmod(0o700)
    elif what == "no folder":
        data.write_text("")
    else:
        data.mkdir(mode=0o700)
        (data / "journal.sqlite").write_bytes(b"this is no database" * 999)
    file = tmp_path / "piprint.toml"
    async with StandIn() as bc:
        file.write_text(config_text(bc, tmp_path))
        file.chmod(0o600)
        command = [sys.executable, "-P", "-m", "piprint.runtime.process", str(file)]
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        _, said = await process.communicate()
    assert process.returncode == code, said.decode()
    assert "Traceback" not in said.decode()


async def test_as_a_process_a_wrong_configuration_is_a_line_and_exit_code_2(tmp_path):
    file = tmp_path / "piprint.toml"
    file.write_text("host = 1\n")
    command = [sys.executable, "-P", "-m", "piprint.runtime.process", str(file)]
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 2
    assert f"{file}:1: host: must be text in quotes" in said.decode()
    assert "Traceback" not in said.decode()


# --- the queue that connects late ---------------------------------------------------------------------------------------


class Answering:
    dialect = "API pages"
    says_state = True

    def __init__(self) -> None:
        self.closed = False

    async def probe(self, *, beat: bool = False) -> Probe:
        if beat:
            raise BcUnreachable("away")
        return Probe({}, {})

    async def close(self) -> None:
        self.closed = True


async def test_it_connects_at_the_first_call_once_and_counts():
    made = []

    async def connect():
        await asyncio.sleep(0)
        made.append(Answering())
        return made[-1]

    queue = ReconnectingQueue(connect)
    assert queue.dialect == ""
    await asyncio.gather(queue.probe(), queue.probe(), queue.probe())
    assert len(made) == 1
    assert queue.dialect == "API pages"
    assert queue.failed == 0
    assert queue.last_answer is not None
    with pytest.raises(BcUnreachable):
        await queue.probe(beat=True)
    assert queue.failed == 1
    await queue.close()
    assert made[0].closed


@pytest.mark.parametrize(
    ("error", "seen"), [(BcDenied("no", cause="secret"), BcDenied), (ConfigError("ca_file is missing"), BcRefused)]
)
async def test_what_keeps_it_from_connecting_is_an_error_of_the_call_and_tried_again(error, seen):
    answers = [error, Answering()]

    async def connect():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    queue = ReconnectingQueue(connect)
    with pytest.raises(seen, match=str(error)):
        await queue.probe()
    await queue.probe()
    assert queue.failed == 1
    await queue.close()


async def test_those_who_ask_while_it_connects_share_the_try_and_its_failure():
    tries = []
    silent = asyncio.Event()

    async def connect():
        tries.append(None)
        await silent.wait()
        raise BcUnreachable("no answer")

    queue = ReconnectingQueue(connect)
    asking = [asyncio.create_task(queue.probe()) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.sleep(0)
    silent.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert {type(answer) for answer in answers[1:]} == {BcUnreachable}
    assert len(tries) == 1
    await queue.close()


async def test_closing_ends_the_connecting():
    async def connect():
        await asyncio.Event().wait()

    queue = ReconnectingQueue(connect)
    asking = asyncio.create_task(queue.probe())
    await asyncio.sleep(0.01)
    await queue.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_calls_of_the_last_hour_are_counted_by_the_minute(monkeypatch):
    queue = ReconnectingQueue(None)  # type: ignore[arg-type]
    clock = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock[0])
    for minute in range(240):
        clock[0] = minute * 60.0
        queue._tries = minute * 10
        counted = queue.calls_last_hour()
        assert counted == min(minute, 60) * 10
    assert len(queue._samples) <= 62


async def test_calls_are_counted_also_while_nobody_looks(monkeypatch):
    async def connect() -> SimpleNamespace:
        return SimpleNamespace(dialect="fake", says_state=True, calls=0, check=check)

    async def check() -> None:
        queue._tries += 1

    queue = ReconnectingQueue(connect)
    clock = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock[0])
    for minute in range(240):
        clock[0] = minute * 60.0
        await queue.check()
    assert queue.calls_last_hour() == 61  # the one at its beginning, too


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_stop_it_also_where_asyncio_has_no_way_for_them(monkeypatch, number):
    def missing(*_: object) -> None:
        raise NotImplementedError  # Windows

    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", missing)
    before = signal.getsignal(number)
    stop = asyncio.Event()
    with _signals(stop):
        signal.raise_signal(number)
        assert signal.getsignal(number) is before  # a second one ends the program at once
        await asyncio.wait_for(stop.wait(), 5)
    assert signal.getsignal(number) is before
