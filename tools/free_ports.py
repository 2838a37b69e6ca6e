"""Ports for programs that take the number of a port, and listen at it only after they have started.

A port that the kernel names and that is given back belongs to nobody until the program listens: meanwhile the kernel may
name it to somebody else. So these are none of the kernel's, and each worker of a run of tests has its own.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from random import SystemRandom

__all__ = ["free_port"]

_KERNEL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 10_000
_LAST = 65_535
_FEWEST = 4_000
"""With fewer ports below the kernel's, its own have to do."""

_lent: set[int] = set()
_random = SystemRandom()
"""Tests seed the other one."""


def free_port() -> int:
    """Return the number of a port of 127.0.0.1 at which nobody listens, and which no other call in this run returns."""
    below = int(_KERNEL.read_text("ascii").split()[0]) if _KERNEL.exists() else 0
    end = below if below - _FIRST >= _FEWEST else _LAST
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        port = _random.randrange(_FIRST, end)
        if port % workers == worker % workers and port not in _lent and _is_free(port):
            _lent.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
