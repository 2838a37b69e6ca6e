"""What systemd hears."""

import os
import socket

import pytest

from nes2mqtt.host.sd_notify import Notifier


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_ready_alive_status_and_stopping(systemd):
    notifier = Notifier()
    notifier.ready()
    notifier.alive()
    notifier.status("1 of 1 meters online")
    notifier.status("1 of 1 meters online")
    notifier.stopping()
    heard = [systemd.recv(100) for _ in range(4)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STATUS=1 of 1 meters online", b"STOPPING=1"]
    with pytest.raises(BlockingIOError):
        systemd.recv(100)
    notifier.close()
    notifier.ready()


def test_the_watchdog_is_fed_twice_per_period(systemd, monkeypatch):
    notifier = Notifier()
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert notifier.watchdog_interval is None
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert notifier.watchdog_interval == 15.0
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert notifier.watchdog_interval == 15.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert notifier.watchdog_interval is None
    notifier.close()


def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier()
    notifier.ready()
    assert notifier.watchdog_interval is None
    notifier.close()


def test_a_systemd_that_went_away_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notifier = Notifier()
    notifier.ready()
    notifier.close()
