"""What systemd hears."""

from __future__ import annotations

import os
import socket

import pytest

from servicekit.systemd import Notifier


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def heard(listener):
    """Return all that was said so far."""
    said = []
    while True:
        try:
            said.append(listener.recv(1000).decode())
        except BlockingIOError:
            return said


def test_ready_alive_status_and_stopping_are_heard_and_the_same_status_once(systemd):
    notifier = Notifier()
    notifier.ready()
    notifier.alive()
    notifier.status("1 of 1 meters online")
    notifier.status("1 of 1 meters online")
    notifier.stopping()
    assert heard(systemd) == ["READY=1", "WATCHDOG=1", "STATUS=1 of 1 meters online", "STOPPING=1"]
    notifier.close()


def test_beginning_anew_in_the_same_process_is_no_end_of_it(systemd):
    """systemd would wait for the end of a service that said STOPPING=1, and kill it (sd_notify(3))."""
    notifier = Notifier()
    notifier.reloading(12.5)
    notifier.ready()
    assert heard(systemd) == ["RELOADING=1\nMONOTONIC_USEC=12500000", "READY=1"]
    notifier.close()
    notifier.close()
    notifier.ready()
    assert heard(systemd) == []


def test_no_status_says_more_than_a_status(systemd):
    notifier = Notifier()
    notifier.status("two\nWATCHDOG=1")
    notifier.close()
    assert heard(systemd) == ["STATUS=two WATCHDOG=1"]


def test_signs_of_life_come_twice_as_often_as_they_must(systemd, monkeypatch):
    notifier = Notifier()
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert notifier.watchdog_interval is None
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert notifier.watchdog_interval == 15.0
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert notifier.watchdog_interval == 15.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert notifier.watchdog_interval is None, "they are wanted of another process"
    notifier.close()


def test_without_systemd_nothing_is_said(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    notifier = Notifier()
    notifier.ready()
    assert notifier.watchdog_interval is None
    notifier.close()


def test_a_systemd_that_is_gone_is_no_error_and_an_abstract_socket_is_heard(monkeypatch):
    name = f"servicekit-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.setblocking(False)
        notifier = Notifier()
        notifier.ready()
        assert heard(listener) == ["READY=1"]
    notifier.alive()
    notifier.close()
