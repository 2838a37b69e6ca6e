"""Which machine the figures are of, and how fast it was while they were taken.

A share of a core says nothing without the core. Two fixed pieces of work tell two machines, or two moments of one that
is shared, apart: interpreted Python, which is what the gateway spends its time with, and a hash, which is the processor's own speed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["calibrate", "describe"]

_LOOPS = 300_000
_HASHED = bytes(8_000_000)
_TRIES = 5


def processor() -> str:
    """Return the processor's name as the kernel tells it, on a PC or on an ARM board."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return (
        told.get("model name")
        or told.get("model")
        or told.get("hardware")
        or platform.processor()
        or platform.machine()
    )


def _interpreted() -> int:
    found, table = 0, dict[int, int]()
    for number in range(_LOOPS):
        table[number & 255] = found
        found = (found * 31 + number) & 0xFFFFFFFF
    return found


def _best(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_TRIES):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


def calibrate() -> dict[str, float]:
    """Return CPU milliseconds of the two pieces of work, the best of five tries each."""
    return {
        "python_ms": round(_best(_interpreted) * 1000, 1),
        "sha256_ms": round(_best(lambda: hashlib.sha256(_HASHED).digest()) * 1000, 1),
    }


def describe() -> dict[str, object]:
    """Return what a reader must know of the machine to compare figures."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "system": platform.release(),
    }
