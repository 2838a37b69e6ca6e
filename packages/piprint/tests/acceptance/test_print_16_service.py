"""Acceptance 16 and 18: who is trusted, what is never shown, and how the service behaves as a service."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import time
from pathlib import Path

import psutil
from office import SECRET, Office
from printshop import until

from piprint.contract import JobState
from piprint.simulate.login import Accounts

TLS = {"tls": True, "accounts": Accounts(secret=SECRET)}


def with_ca(office: Office) -> str:
    """Return the office's configuration with Business Central's authority named."""
    text = office.processor().config
    return text.replace("timeout = 10\n", f'timeout = 10\nca_file = "{office.bc.ca_file}"\n')


async def test_16_own_authority_is_accepted_and_no_secret_is_shown():
    async with Office("one", bc=TLS) as office:
        text = with_ca(office)
        processor = office.processors[0]
        processor.config = text
        processor.start()
        await office.offers("one")
        job = office.print("one")
        await office.becomes(JobState.PRINTED, job)
        office.bc.faults.add("status", path="/BC/", status=401, times=1)
        office.bc.faults.add("html", path="/BC/", nth=3, status=502, times=2)
        again = office.print("one")
        await office.becomes(JobState.PRINTED, again)
        family = [
            psutil.Process(processor.process.pid),
            *psutil.Process(processor.process.pid).children(recursive=True),
        ]
        shown = [processor.log, str(await processor.status()), *(" ".join(each.cmdline()) for each in family)]
        assert family[0].rlimit(psutil.RLIMIT_CORE) == (0, 0)
        os.kill(processor.process.pid, 6)  # SIGABRT: what a crash leaves behind
        await processor.ended()
        shown += [processor.log]
        places = [path for path in processor.folder.rglob("*") if path.is_file() and path.name != "piprint.toml"]
        tokens = list(office.bc.login._tokens)
        assert places
        assert tokens
        for secret in (SECRET, *tokens):
            assert not [text for text in shown if secret in text]
            assert not [path for path in places if secret.encode() in path.read_bytes()]


async def test_16_unknown_authority_is_refused():
    async with Office("one", bc=TLS) as office:
        processor = office.processor()
        processor.start()
        await until(lambda: "certificate" in processor.log.lower(), what="a word about the certificate")
        await asyncio.sleep(0.5)
        assert office.bc.log.calls == office.bc.log.tokens == 0
        assert not office.bc.database.tables.printers


async def test_16_wrong_host_is_refused():
    """The certificate is for 127.0.0.1 and localhost; somebody at another address passes everything on."""
    async with Office("one", bc=TLS) as office:
        relay = await asyncio.start_server(lambda *ends: _relay(office, *ends), "127.0.0.2", 0)
        elsewhere = f"https://127.0.0.2:{relay.sockets[0].getsockname()[1]}"
        text = with_ca(office).replace(office.bc.origin, elsewhere)
        processor = office.processors[0]
        processor.config = text
        processor.start()
        await until(lambda: "certificate" in processor.log.lower(), what="a word about the certificate")
        await asyncio.sleep(0.5)
        assert office.bc.log.calls == office.bc.log.tokens == 0
        relay.close()


async def _relay(office: Office, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", int(office.bc.origin.rsplit(":", 1)[1]))

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while part := await source.read(65536):
                target.write(part)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()

    await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))


async def test_18_sigterm_ends_it_within_twenty_seconds_and_leaves_no_job_behind():
    async with Office("one", "dead") as office:
        office.cups.behave("dead", dead=True)
        processor = await office.start()
        stuck = office.print("dead")
        await until(lambda: office.job(stuck).status is JobState.PRINTING)
        waiting = office.print("dead")
        started = time.monotonic()
        assert await processor.stop() == 0
        assert time.monotonic() - started < 20
        assert office.job(waiting).status is JobState.QUEUED
        office.cups.behave("dead", dead=False)
        processor.start()
        await office.becomes(JobState.PRINTED, stuck, waiting)
        assert office.printed() == [stuck, waiting]


async def test_18_systemd_hears_ready_and_the_watchdog():
    async with Office("one") as office:
        path = office.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(path))
            systemd.setblocking(False)
            await office.start(env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1000000"})
            heard: list[str] = []

            def listen() -> bool:
                try:
                    while True:
                        heard.extend(systemd.recv(4096).decode().splitlines())
                except BlockingIOError:
                    return "READY=1" in heard and heard.count("WATCHDOG=1") >= 3

            await until(listen, what="READY=1 and three signs of life")


async def test_18_second_processor_with_the_same_folder_is_refused():
    async with Office("one") as office:
        first = await office.start()
        second = office.processor()
        second.config = first.config.replace(f":{first.web}", f":{second.web}")
        second.start()
        assert await second.ended() == 3
        assert first.running
        job = office.print("one")
        await office.becomes(JobState.PRINTED, job)


async def test_18_mistake_in_the_configuration_is_told_with_its_line():
    async with Office() as office:
        processor = office.processor(config="[limits]\nattemps = 3\n")
        processor.start()
        assert await processor.ended() == 2
        line = processor.config.splitlines().index("attemps = 3") + 1
        assert str(line) in processor.log
        assert "attempts" in processor.log, "the setting that was meant"


async def test_18_documents_and_journal_are_for_the_service_alone():
    async with Office("one") as office:
        office.cups.behave("one", dead=True)
        processor = await office.start()
        job = office.print("one")
        await until(lambda: office.job(job).status is JobState.PRINTING)
        await until(lambda: list((processor.data / "spool").iterdir()))
        places = [processor.data, *processor.data.rglob("*")]
        assert (processor.data / "spool") in places
        for path in places:
            mode = _mode(path)
            assert mode & 0o077 == 0, f"{path.name}: {mode:o}"
        assert _mode(processor.data / "spool") == 0o700


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
