"""Changed settings: the gateway ends in order and says that it is to begin anew; who stops it meanwhile is heard."""

import asyncio
import os
import signal
import socket

import pytest

from nes2mqtt.config.settings import parse
from nes2mqtt.runtime import gateway, service
from nes2mqtt.runtime.demo import run_demo
from nes2mqtt.runtime.owners_desk import OwnersDesk

FILE = """
data_dir = "{folder}"
[meters.house]
port = "tcp://127.0.0.1:1"
key = "ABCDEFGHIJKLMNOPQRST"
"""


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "nes2mqtt.toml"
    made.write_text(FILE.format(folder=tmp_path))
    return made


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def heard(listener):
    said = []
    while True:
        try:
            said.append(listener.recv(1000).decode())
        except BlockingIOError:
            return said


async def begin(file, desk, **more):
    started = asyncio.Event()
    task = asyncio.create_task(gateway.run(parse(file.read_text(), file), started=started.set, desk=desk, **more))
    await asyncio.wait_for(started.wait(), 60)
    return task


async def test_after_a_change_it_ends_in_order_and_systemd_hears_that_it_is_no_end(file, systemd):
    desk = OwnersDesk(file)
    task = await begin(file, desk)
    settings = desk.picture("en")
    told = desk.take(settings["revision"], [{"path": ["log_level"], "value": "debug"}])
    assert told["taken"]
    desk.when_changed()
    assert await asyncio.wait_for(task, 60) is True
    said = heard(systemd)
    assert any(one.startswith("RELOADING=1\nMONOTONIC_USEC=") for one in said)
    assert "STOPPING=1" not in said
    assert said[-1] == "WATCHDOG=1", "to begin takes a while, too"


async def test_a_stop_is_no_change(file, systemd):
    stop = asyncio.Event()
    task = await begin(file, OwnersDesk(file), stop=stop)
    stop.set()
    assert await asyncio.wait_for(task, 60) is False
    assert "STOPPING=1" in heard(systemd)


async def test_who_stops_it_while_it_ends_to_begin_anew_is_heard(file, monkeypatch):
    """Else the service would begin anew after systemctl stop, and be killed in the end."""
    desk = OwnersDesk(file)
    end = gateway._end

    async def stopped_meanwhile(tasks):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        await end(tasks)

    task = await begin(file, desk)
    monkeypatch.setattr(gateway, "_end", once(stopped_meanwhile, end))
    desk.when_changed()
    assert await asyncio.wait_for(task, 60) is False


def once(first, then):
    """Return what does one thing the first time, and another each further time."""
    left = [first]

    async def call(tasks):
        await (left.pop() if left else then)(tasks)

    return call


def test_the_process_takes_its_own_place_only_after_a_change(file, monkeypatch):
    became = []
    monkeypatch.setattr(service, "become", became.append)
    monkeypatch.setattr("nes2mqtt.host.log.set_up", lambda *_: None)
    monkeypatch.setattr(service.process, "keep_to_ourselves", lambda: None)
    monkeypatch.setattr(service, "_allow_open_files", lambda: None)
    for answer in (False, True):

        async def run(*_, answer=answer, **__):
            return answer

        monkeypatch.setattr(gateway, "run", run)
        assert service.main(file) == 0
    assert became == [file]


def test_a_start_that_fails_after_a_change_says_how_to_go_back(file, monkeypatch, capsys):
    monkeypatch.setattr(service.process, "keep_to_ourselves", lambda: None)
    file.write_text("name = 1\n")
    assert service.main(file) == 2
    assert "before" not in capsys.readouterr().err
    before = file.with_name("nes2mqtt.toml.before")
    before.write_text("")
    assert service.main(file) == 2
    assert f"sudo cp -p {before} {file}" in capsys.readouterr().err


def test_it_becomes_itself_by_its_own_name(file, monkeypatch):
    """It runs as the main module, and is called otherwise then."""
    commands = []
    monkeypatch.setattr(os, "execve", lambda _program, command, _environment: commands.append(command))
    service.become(file)
    assert commands[0][-3:] == ["-m", "nes2mqtt.runtime.service", str(file)]


async def test_the_settings_of_the_demonstration_are_looked_at_only(tmp_path, monkeypatch):
    monkeypatch.setattr("nes2mqtt.runtime.demo.shutil.which", lambda *_, **__: None)
    desks = []

    async def run(_config, *, desk, **_):
        desks.append(desk)

    monkeypatch.setattr("nes2mqtt.runtime.demo.gateway.run", run)
    await run_demo(18700, tmp_path / "var", lambda _: None, stop=asyncio.Event())
    assert desks[0].picture("en")["closed"] == "demonstration"
