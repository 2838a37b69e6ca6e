"""The load profile of the made-up house, read over a line: every value is what the house's register showed."""

from datetime import UTC, datetime, timedelta

import pytest

from osgp.errors import MisuseError
from osgp.meter import ProfileMark
from osgp.simulator.history.configuration import DATA_SETS

NOW = datetime(2026, 3, 2, 13, 7, 31, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize("data_set", range(1, 5))
async def test_each_value_is_what_the_register_showed_at_the_end_of_its_interval(bench, data_set):
    one = DATA_SETS[data_set - 1]
    async with bench.meter() as meter:
        profile = await meter.profile(data_set=data_set)
    assert profile.minutes * 60 == one.seconds
    assert tuple(channel.source_id for channel in profile.channels) == one.sources
    assert [channel.unit for channel in profile.channels][:2] == ["Wh", "Wh"]
    newest = datetime.fromtimestamp(NOW.timestamp() // one.seconds * one.seconds, UTC)
    assert profile.intervals[-1].end == newest
    # What the ring holds: the whole blocks, and the newest as far as it has come.
    since_installed = int(NOW.timestamp() - bench.house.installed) // one.seconds
    recorded = min(since_installed, (one.blocks - 1) * one.intervals + (since_installed - 1) % one.intervals + 1)
    ends = [newest - timedelta(seconds=one.seconds) * back for back in range(recorded - 1, -1, -1)]
    assert [interval.end for interval in profile.intervals] == ends
    for interval in profile.intervals:
        assert interval.values == tuple(bench.truth(interval.end, source) for source in one.sources)
        assert interval.usable == (True,) * len(one.sources)


async def test_since_reads_the_end_that_it_names_and_no_block_before(bench):
    since = datetime(2026, 3, 1, 23, 45, tzinfo=UTC)
    read = []
    async with bench.meter() as meter:
        profile = await meter.profile(since=since, progress=lambda done, total: read.append((done, total)))
        everything = await meter.profile()
    assert profile.intervals == tuple(one for one in everything.intervals if one.end >= since)
    assert profile.intervals[0].end == since
    assert read[-1][0] == read[-1][1] < 977 + 17


async def test_a_mark_gives_only_what_is_new(bench):
    async with bench.meter() as meter:
        before = await meter.profile()
        mark = ProfileMark.from_json(before.mark.to_json())
        assert mark == before.mark
        again = await meter.profile(known=mark)
        assert (again.intervals, again.mark) == ((), mark)
        bench.wall.now += 86400 + 900
        later = await meter.profile(known=mark)
        everything = await meter.profile()
    assert later.intervals == tuple(one for one in everything.intervals if one.end > mark.end)
    assert len(later.intervals) == 97


async def test_a_data_set_that_is_not_there(bench):
    async with bench.meter() as meter:
        with pytest.raises(MisuseError, match="no number 5"):
            await meter.profile(data_set=5)
        with pytest.raises(MisuseError, match="time zone"):
            await meter.profile(since=datetime(2026, 3, 1))  # noqa: DTZ001
