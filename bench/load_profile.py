"""Reading and decoding a load profile: against what a line of 9600 baud allows, and against the goal for decoding.

The limit is that of ``line.py``: ten bits a byte both ways, the meter's pause of 25 ms after each 117 bytes, one request in
100 ms (MEP guide v1.1 p. 21), and answers of 465 bytes, the longest there are. It is measured from the first bytes of the profile to
the last, as a whole profile, 104,832 bytes (p. 231), takes two minutes and a half; about a second more goes to finding out
how it is configured and confirming it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.mep.timing import MAX_READ, REQUEST_SPACING, Line
from osgp.meter.opening import open_meter
from osgp.psem import table_id
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile import ProfileSizes
from osgp.tables.load_profile.channels import channels_of
from osgp.tables.load_profile.profile import BlockPart, ProfileSetup, intervals_of
from osgp.tables.load_profile.ring import RingState
from table import Row

WHOLE = 104_832
"""Bytes of load profiles in a meter with 128 KiB (p. 231)."""
_BAUD = 9600
_SIZES = ProfileSizes(20, 96, 2)
"""Blocks of a day of quarter hours with import and export."""
_REQUEST = 2 + 8 + 4 + 8
_AROUND_DATA = 2 + 3 + 8
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def _block(sizes: ProfileSizes, day: int) -> bytes:
    end = _BEGIN + timedelta(days=day + 1)
    header = bytes((end.year - 2000, end.month, end.day, 0, 0)) + b"\xff" * sizes.simple_status_size
    slots = range(day * sizes.intervals, (day + 1) * sizes.intervals)
    return header + b"".join(bytes(2) + slot.to_bytes(4, "little") * 2 for slot in slots)


def image(blocks: int) -> MeterImage:
    """Return a meter whose load profile has so many blocks, all of them full."""
    meter, dims = MeterImage.load("image:denmark-gen3"), Dimensions(firmware=(3, 10))
    one = {"blocks": blocks, "intervals": _SIZES.intervals, "channels": 2, "interval_minutes": 15}
    newest = {"valid_blocks": blocks, "last_block": blocks - 1, "valid_intervals": _SIZES.intervals}
    tables = {
        "BT01": TABLES["BT01"].encode({"firmware": (3, 10, 1)}, dims),
        "BT61": TABLES["BT61"].encode({"int32": True, "data_sets": [one]}, dims),
        "BT62": bytes((0, 0, 0, 0, 1, 0, 32)),
        "BT63": TABLES["BT63"].encode({"data_sets": [newest]}, dims),
        "BT64": b"".join(_block(_SIZES, day) for day in range(blocks)),
    }
    meter.tables |= {table_id(name): bytearray(data) for name, data in tables.items()}
    return meter


def limit(count: int) -> float:
    """Return the seconds in which a line gives so many bytes of a table at best."""
    line, left, least = Line(_BAUD), count, 0.0
    while left > 0:
        reply = line.response_seconds(min(left, MAX_READ) + _AROUND_DATA)
        least += max(REQUEST_SPACING, line.seconds(_REQUEST) + reply)
        left -= MAX_READ
    return least


async def read(blocks: int) -> tuple[float, float, int]:
    """Read a profile; return the seconds of its bytes, those of the whole call, and how many bytes there were."""
    told: list[tuple[float, int]] = []
    async with (
        SimulatedMeter(image(blocks), baud=_BAUD) as simulated,
        open_meter(simulated.serve_pty(), key=MeterKey.parse(DEMO_KEY_TEXT)) as meter,
    ):
        await meter.dimensions()
        began = time.perf_counter()
        profile = await meter.profile(burst=True, progress=lambda done, _: told.append((time.perf_counter(), done)))
        spent = time.perf_counter() - began
    if len(profile.intervals) != blocks * _SIZES.intervals:
        raise RuntimeError(f"{len(profile.intervals)} intervals of {blocks * _SIZES.intervals}")
    (first, had), (last, come) = told[0], told[-1]
    return last - first, spent, come - had


def _decode() -> tuple[float, int]:
    blocks = WHOLE // _SIZES.block_size
    sizes = ProfileSizes(blocks, _SIZES.intervals, 2)
    setup = ProfileSetup(1, sizes, 15, channels_of((0, 1), Dimensions()))
    raw = [_block(sizes, day) for day in range(blocks)]
    state = RingState(blocks, blocks, blocks - 1, blocks - 1, slot=sizes.intervals - 1, in_progress=0)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        parts = [
            BlockPart(day, data[: sizes.header_size], 0, data[sizes.header_size :]) for day, data in enumerate(raw)
        ]
        found = intervals_of(setup, parts, state)
        best = min(best, time.perf_counter() - start)
    return best, len(found)


def rows() -> list[Row]:
    """Measure."""
    spent, _, count = asyncio.run(read(_SIZES.blocks))
    share = spent / limit(count)
    decoding, intervals = _decode()
    return [
        Row(f"load profile at 9600 baud: {count:,} bytes", f"{spent:.1f} s of {limit(count):.1f} s"),
        Row("  times the line's limit", f"{share:.3f} x", "at most 1.05 x", share <= 1.05),
        Row(f"decoding {intervals:,} intervals of 104,539 bytes", f"{decoding:.3f} s", "below 0.3 s", decoding < 0.3),
    ]
