"""What Prometheus wants to know of any process, under the names that its client libraries use.

Read from proc(5); what a system does not tell is absent. This module does not know what the process does.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["process_values"]

_SELF = Path("/proc/self")


def process_values() -> Iterator[tuple[str, str, str, float]]:
    """Yield name, type, help and value of each metric of this process."""
    yield "process_cpu_seconds_total", "counter", "User and system CPU time spent, in seconds", time.process_time()
    try:
        virtual, resident = (int(pages) for pages in (_SELF / "statm").read_text(encoding="ascii").split()[:2])
        descriptors = len(os.listdir(_SELF / "fd"))  # noqa: PTH208 - a path for each is not needed
    except (OSError, ValueError):
        return
    page = os.sysconf("SC_PAGE_SIZE")
    yield "process_resident_memory_bytes", "gauge", "Resident memory size in bytes", resident * page
    yield "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes", virtual * page
    yield "process_open_fds", "gauge", "Number of open file descriptors", descriptors
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        yield "process_max_fds", "gauge", "Maximum number of open file descriptors", most
