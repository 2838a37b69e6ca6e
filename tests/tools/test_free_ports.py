"""Ports that programs in tests are told to listen at."""

import socket
from pathlib import Path

import pytest

import free_ports


@pytest.fixture
def two_ports(tmp_path, monkeypatch):
    """Let there be few ports, of which the kernel names those from 10 004 on."""
    told = tmp_path / "ip_local_port_range"
    told.write_text("10004\t60999\n")
    monkeypatch.setattr(free_ports, "_KERNEL", told)
    monkeypatch.setattr(free_ports, "_FEWEST", 1)
    monkeypatch.setattr(free_ports, "_lent", set())
    monkeypatch.setattr(free_ports, "_is_free", lambda port: port != 10_001)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")


@pytest.mark.parametrize(("worker", "ports"), [("gw0", [10_000, 10_002]), ("gw1", [10_003])])
def test_each_worker_gets_its_own_each_once_and_none_of_the_kernel_s(two_ports, monkeypatch, worker, ports):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    assert sorted(free_ports.free_port() for _ in ports) == ports


def test_a_port_at_which_somebody_listens_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not free_ports._is_free(server.getsockname()[1])
    assert free_ports._is_free(free_ports.free_port())


def test_where_the_kernel_may_name_nearly_all_ports_its_own_have_to_do(two_ports, tmp_path, monkeypatch):
    (tmp_path / "ip_local_port_range").write_text("1024\t65535\n")
    monkeypatch.setattr(free_ports, "_FEWEST", 4_000)
    assert 10_000 <= free_ports.free_port() < 65_535
    monkeypatch.setattr(free_ports, "_KERNEL", Path("/nowhere"))
    assert 10_000 <= free_ports.free_port() < 65_535
