"""Small things that all logs of the simulated meter need: dates as bytes, and the places of a ring.

This module does not know what is logged.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from osgp.simulator.localtime import local_offset
from osgp.tables.schema.types import LTIME_DATE_UTC, NI_FMAT, STIME_DATE, Type

__all__ = ["CIRCULAR", "OVERFLOWED", "local_second", "local_time", "number", "ring", "short_time", "utc_time"]

CIRCULAR, OVERFLOWED = 4, 2
"""Flags of a log: it is a ring; entries were lost that nobody had read (MEP guide v1.1 p. 213, 241)."""


def utc_time(shown: float) -> bytes:
    """Return a moment to the second, UTC, as six bytes."""
    return _encoded(LTIME_DATE_UTC, datetime.fromtimestamp(int(shown), UTC))


def short_time(shown: float) -> bytes:
    """Return a moment to the minute, UTC, as five bytes."""
    return _encoded(STIME_DATE, datetime.fromtimestamp(int(shown), UTC))


def local_time(shown: float) -> bytes:
    """Return a moment to the minute, local time, as five bytes."""
    return _encoded(STIME_DATE, datetime.fromtimestamp(int(shown) + local_offset(shown), UTC).replace(tzinfo=None))


def local_second(shown: float) -> bytes:
    """Return a moment to the second, local time, as six bytes."""
    return utc_time(shown + local_offset(shown))


def number(value: int) -> bytes:
    """Return a register's number as four bytes."""
    return _encoded(NI_FMAT, value)


def ring(places: int, empty: bytes, count: int, entry: Callable[[int], bytes]) -> bytes:
    """Return a ring of entries that were counted from 0 on: of ``count`` the newest ones, each at its place."""
    held = [empty] * places
    for counted in range(max(0, count - places), count):
        held[counted % places] = entry(counted)
    return b"".join(held)


def _encoded(kind: Type, value: Any) -> bytes:
    raw = value if kind.encode is None else kind.encode(value)
    return struct.pack(f"<{kind.code}", raw)
