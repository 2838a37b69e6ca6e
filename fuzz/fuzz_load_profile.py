"""Any bytes as BT61, BT62, BT63, ET21, ET66 and blocks of a load profile are intervals in the order of time, or a TableError.

No value is given beside a status that denies it, no interval before the time that is asked for, and none twice; a mark that was made
comes back from its text.
"""

from __future__ import annotations

# ruff: noqa: PLR2004 - the numbers are shares of cases
import gc
import random
import sys
from datetime import UTC, datetime
from itertools import pairwise
from types import FunctionType

from osgp.errors import MisuseError, TableError
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile import ProfileSizes
from osgp.tables.load_profile.channels import channels_of, extended_ids, mapped
from osgp.tables.load_profile.profile import BlockPart, LoadProfile, ProfileMark, intervals_of, setup_of
from osgp.tables.load_profile.ring import ring_state
from osgp.tables.survey import with_load_profile

_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_BLOCKS = 4


def check(data: bytes) -> None:
    """Read a profile of which the fuzzer made every byte."""
    choice = random.Random(data[:8])
    rest = data[8:]

    def take(count: int) -> bytes:
        nonlocal rest
        taken, rest = rest[:count], rest[count:]
        return taken.ljust(count, bytes((choice.randrange(256),)))

    dims = Dimensions(
        firmware=choice.choice([None, (2, 0), (3, 10), (3, 82), (4, 30)]), energy_unit=choice.choice([1, 10])
    )
    bt61 = bytearray(take(choice.choice([13, 31])))
    data_set = choice.randrange(1, 5) if len(bt61) > 13 else 1
    if choice.random() < 0.8:  # most of all numbers are sizes that no meter has
        for at in range(7, len(bt61) - 5, 6):
            bt61[at + 1] = bt61[at + 3] = 0
            bt61[at + 2] %= 30
            bt61[at + 4] %= 18
    try:
        dims = with_load_profile(bytes(bt61), dims)
        told = TABLES["BT61"].decode(bytes(bt61), dims)
        sizes = ProfileSizes.of(told, data_set)
        if not (sizes.blocks and sizes.intervals and sizes.channels):
            return
        bt62 = TABLES["BT62"].decode(take(TABLES["BT62"].size(dims)), dims)
        sources = [channel["source"] for channel in bt62[f"set_{data_set}_channels"]]
        words = TABLES["ET66"].decode(take(128), dims)["extended_sources"]
        channels = channels_of(extended_ids(sources, mapped(words)), dims, scaled=choice.random() < 0.1)
        setup = setup_of(told, data_set, channels, sizes, ansi=choice.random() < 0.5)
        bt63 = TABLES["BT63"].decode_record(take(13), dims, "data_sets")
        bt63 |= {
            "valid_blocks": bt63["valid_blocks"] % (sizes.blocks + 2),
            "last_block": bt63["last_block"] % sizes.blocks,
        }
        et21 = None if choice.random() < 0.3 else TABLES["ET21"].decode_record(take(131), dims, "data_sets")
        if et21 is not None and choice.random() < 0.9:
            et21 |= {
                "block_size": sizes.block_size, "block_header_size": sizes.header_size, "last_block": bt63["last_block"],
                "interval_size": sizes.interval_size, "first_channel_offset": sizes.status_size,
            }  # fmt: skip
        state = ring_state(bt63, et21, sizes)
        parts = [
            BlockPart(
                number,
                take(sizes.header_size),
                first := choice.randrange(sizes.intervals),
                take((sizes.intervals - first) * sizes.interval_size - (choice.random() < 0.02)),
            )
            for number in state.numbers(_MOST_BLOCKS)
        ]
        since = _SINCE if choice.random() < 0.5 else None
        intervals = intervals_of(setup, parts, state, since=since)
    except TableError:
        return
    assert all(earlier.end < later.end for earlier, later in pairwise(intervals))
    assert since is None or all(one.end >= since for one in intervals)
    for one in intervals:
        assert len(one.values) == len(one.status) == len(one.usable) == sizes.channels
        for value, status, usable in zip(one.values, one.status, one.usable, strict=True):
            assert status.holds_value or value is None
            assert value is not None or not usable
            assert status.usable or not usable
    mark = setup.mark("meter", state, intervals[-1].end if intervals else None)
    assert ProfileMark.from_json(mark.to_json()) == mark
    profile = LoadProfile(data_set, setup.minutes, channels, intervals, mark)
    for channel in range(sizes.channels):
        assert len(list(profile.consumption(channel))) == len(intervals)
    _check_mark(data)


def _check_mark(data: bytes) -> None:
    """Read any text as a mark."""
    try:
        mark = ProfileMark.from_json(data.decode("latin-1"))
    except MisuseError:
        return
    assert ProfileMark.from_json(mark.to_json()) == mark


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
