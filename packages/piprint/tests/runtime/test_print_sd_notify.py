"""What systemd hears."""

from __future__ import annotations

import os
import socket

import pytest

from piprint.runtime.sd_notify import Systemd


@pytest.fixture
def listener(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(path))
        ear.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield ear


def test_it_hears_ready_alive_status_and_stopping(listener):
    systemd = Systemd()
    systemd.ready()
    systemd.alive()
    systemd.status("2 printers")
    systemd.status("2 printers")
    systemd.status("two\nlines READY=1")
    systemd.stopping()
    heard = [listener.recv(1000).decode() for _ in range(5)]
    systemd.close()
    systemd.close()
    assert heard == ["READY=1", "WATCHDOG=1", "STATUS=2 printers", "STATUS=two lines READY=1", "STOPPING=1"]


def test_signs_of_life_come_twice_as_often_as_they_must(listener, monkeypatch):
    systemd = Systemd()
    assert systemd.beat_every is None
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert systemd.beat_every == 15
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert systemd.beat_every == 15
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert systemd.beat_every is None, "they are wanted from another process"
    systemd.close()


def test_without_systemd_nothing_is_sent(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    systemd = Systemd()
    systemd.ready()
    assert systemd.beat_every is None
    systemd.close()


def test_an_abstract_socket_works_and_one_that_is_gone_does_no_harm(monkeypatch):
    name = f"piprint-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0{name}")
        systemd = Systemd()
        systemd.ready()
        assert ear.recv(100) == b"READY=1"
    systemd.alive()
    systemd.close()
