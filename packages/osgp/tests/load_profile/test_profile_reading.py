"""The load profile of the made-up house, read over a line: every value is what the house's register showed.

The oracle is the house model, asked for the second at which an interval ended.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from osgp.errors import MeterRefused, MisuseError, TransportError
from osgp.image import MeterImage
from osgp.meter import ProfileMark
from osgp.meter.budget import ReadBudget
from osgp.meter.known import KnownMeter
from osgp.simulator import Faults
from osgp.simulator.history.configuration import DATA_SETS, OTHER_DATA_SETS
from osgp.simulator.history.happenings import ClockSet, PowerCut, Reconfigured
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

QUARTER = timedelta(minutes=15)
BT64 = 64
BLOCK = 977


def first(act):
    """Return a listener to progress that does something when it is called for the first time."""
    done = []

    def progress(_done, _total):
        if not done:
            done.append(True)
            act()

    return progress


@pytest.mark.parametrize("data_set", range(1, 5))
async def test_each_value_is_what_the_register_showed_at_the_end_of_its_interval(bench, data_set):
    one = DATA_SETS[data_set - 1]
    async with bench.meter() as meter:
        profile = await meter.profile(data_set=data_set)
    assert profile.data_set == data_set
    assert profile.minutes * 60 == one.seconds
    assert tuple(channel.source_id for channel in profile.channels) == one.sources
    assert [channel.unit for channel in profile.channels] == ["Wh", "Wh", "varh", "varh"][: len(one.sources)]
    newest = datetime.fromtimestamp(bench.NOW.timestamp() // one.seconds * one.seconds, UTC)
    # What the ring holds: the whole blocks, and the newest as far as it has come.
    since_installed = int(bench.NOW.timestamp() - bench.house.installed) // one.seconds
    recorded = min(since_installed, (one.blocks - 1) * one.intervals + (since_installed - 1) % one.intervals + 1)
    ends = [newest - timedelta(seconds=one.seconds) * back for back in range(recorded - 1, -1, -1)]
    assert [interval.end for interval in profile.intervals] == ends
    assert bench.true(profile)
    assert {interval.usable for interval in profile.intervals} == {(True,) * len(one.sources)}
    assert sum(counted or 0 for _, counted in profile.consumption(0)) == bench.truth(ends[-1], 0) - bench.truth(
        ends[0], 0
    )


class TestWhatIsRead:
    async def test_since_reads_the_end_that_it_names_and_no_block_before(self, bench):
        since = datetime(2026, 3, 9, 23, 45, tzinfo=UTC)
        told = []
        async with bench.meter() as meter:
            everything = await meter.profile()
            read = bench.reads_of(meter, BT64)
            profile = await meter.profile(since=since, progress=lambda done, total: told.append((done, total)))
        assert profile.intervals == tuple(one for one in everything.intervals if one.end >= since)
        assert profile.intervals[0].end == since
        assert told[-1][0] == told[-1][1] == (2 + 52) * 10
        # Two headers, the last two intervals of yesterday, and today's.
        assert sum(count for _, count in read) <= 3 * 17 + (2 + 52) * 10

    @pytest.mark.parametrize("hours", [0, 1, 13, 14, 37, 100, 1000])
    async def test_since_any_time(self, bench, hours):
        since = bench.NOW - timedelta(hours=hours)
        async with bench.meter() as meter:
            everything = await meter.profile()
            profile = await meter.profile(since=since)
        assert profile.intervals == tuple(one for one in everything.intervals if one.end >= since)

    async def test_a_mark_gives_only_what_is_new(self, bench):
        async with bench.meter() as meter:
            before = await meter.profile()
            mark = ProfileMark.from_json(before.mark.to_json())
            assert mark == before.mark
            again = await meter.profile(known=mark)
            assert (again.intervals, again.mark) == ((), mark)
            bench.wall.now += 86400 + 900
            read = bench.reads_of(meter, BT64)
            later = await meter.profile(known=mark)
            assert sum(count for _, count in read) < 3 * BLOCK
            everything = await meter.profile()
        assert later.intervals == tuple(one for one in everything.intervals if one.end > mark.end)
        assert len(later.intervals) == 97

    async def test_a_mark_and_a_time_both_count(self, bench):
        async with bench.meter() as meter:
            mark = (await meter.profile()).mark
            bench.wall.now += 86400
            since = bench.NOW + timedelta(hours=20)
            profile = await meter.profile(known=mark, since=since)
        assert profile.intervals[0].end == datetime(2026, 3, 11, 9, 15, tzinfo=UTC)

    async def test_a_ring_that_lapped_the_mark_gives_all_it_has(self, bench):
        async with bench.meter() as meter:
            mark = (await meter.profile()).mark
            bench.wall.now += 40 * 86400
            profile = await meter.profile(known=mark)
        assert len(profile.intervals) == 13 * 96 + 52
        assert bench.true(profile)

    async def test_the_mark_of_another_meter_counts_for_nothing(self, bench):
        async with bench.meter() as meter:
            before = await meter.profile()
            mark = replace(before.mark, meter="another")
            assert await meter.profile(known=mark) == before

    async def test_since_without_a_time_zone_and_a_set_that_is_not_there(self, bench):
        async with bench.meter() as meter:
            with pytest.raises(MisuseError, match="no number 5"):
                await meter.profile(data_set=5)
            with pytest.raises(MisuseError, match="time zone"):
                await meter.profile(since=datetime(2026, 3, 1))  # noqa: DTZ001

    async def test_a_meter_without_a_load_profile(self, bench):
        async with bench.meter(MeterImage.load("image:denmark-gen3")) as meter:
            with pytest.raises(MeterRefused):
                await meter.profile()


class TestWhileTheMeterGoesOn:
    async def test_an_interval_that_ends_meanwhile_is_there_too(self, bench):
        def pass_a_quarter():
            bench.wall.now += 900

        async with bench.meter() as meter:
            profile = await meter.profile(progress=first(pass_a_quarter))
        assert profile.intervals[-1].end == datetime(2026, 3, 10, 13, 15, tzinfo=UTC)
        assert len(profile.intervals) == 13 * 96 + 53
        assert bench.true(profile)

    async def test_what_the_ring_overwrites_meanwhile_is_left_out(self, bench):
        def pass_a_day():
            bench.wall.now += 86400

        async with bench.meter() as meter:
            profile = await meter.profile(progress=first(pass_a_day))
        assert profile.intervals[0].end == datetime(2026, 2, 26, 0, 15, tzinfo=UTC)
        assert profile.intervals[-1].end == datetime(2026, 3, 11, 13, 0, tzinfo=UTC)
        assert len(profile.intervals) == 13 * 96 + 52
        assert bench.true(profile)

    async def test_a_reconfiguration_meanwhile_gives_the_new_profile_whole(self, bench):
        async with bench.meter() as meter:
            before = (await meter.profile()).mark

            def reconfigure():
                bench.simulated.happen(Reconfigured(int(bench.wall.now) + 1, OTHER_DATA_SETS))
                bench.wall.now += 3 * 3600

            profile = await meter.profile(progress=first(reconfigure))
            assert await meter.profile(known=before) == profile
        assert tuple(channel.source_id for channel in profile.channels) == (0, 1, 15, 16, 17)
        assert [channel.unit for channel in profile.channels] == ["Wh", "Wh", "mV", "mV", "mV"]
        assert [one.values[:2] for one in profile.intervals] == [
            (bench.truth(one.end, 0), bench.truth(one.end, 1)) for one in profile.intervals
        ]
        assert 11 <= len(profile.intervals) <= 12

    async def test_a_reconfiguration_that_another_read_meets_first_is_noticed(self, bench):
        """Both find equal dimensions: the profile has as many channels as before, but others."""
        swapped = (replace(DATA_SETS[0], sources=(1, 0)), *DATA_SETS[1:])
        tasks = []
        async with bench.meter() as meter:

            def reconfigure():
                bench.simulated.happen(Reconfigured(int(bench.wall.now) + 1, swapped))
                bench.wall.now += 3 * 3600
                tasks.append(asyncio.ensure_future(meter.registers()))

            profile = await meter.profile(progress=first(reconfigure))
            await asyncio.gather(*tasks)
        assert [channel.source_id for channel in profile.channels] == [1, 0]
        assert len(profile.intervals) >= 11
        assert bench.true(profile)

    async def test_others_have_the_line_meanwhile(self, bench):
        order = []
        async with bench.meter() as meter:
            await meter.registers()

            async def poll():
                await meter.registers()
                order.append("registers")

            tasks = []
            await meter.profile(progress=first(lambda: tasks.append(asyncio.ensure_future(poll()))))
            order.append("profile")
            await asyncio.gather(*tasks)
        assert order == ["registers", "profile"]

    async def test_outages_and_a_clock_that_was_set_are_marked_and_keep_their_places(self, bench):
        midnight = int(datetime(2026, 3, 11, tzinfo=UTC).timestamp())
        async with bench.meter() as meter:
            bench.simulated.happen(PowerCut(midnight + 3600 + 60, 3000))
            bench.simulated.happen(ClockSet(midnight + 8 * 3600 + 60, 400))
            bench.wall.now = midnight + 13 * 3600
            profile = await meter.profile(since=datetime(2026, 3, 11, tzinfo=UTC))
        by_end = {one.end.strftime("%H:%M"): one for one in profile.intervals}
        assert {"01:15", "01:30", "01:45"}.isdisjoint(by_end)
        assert by_end["02:00"].flags == IntervalFlags.POWER_FAIL
        assert by_end["08:15"].flags == IntervalFlags.CLOCK_FORWARD
        assert by_end["08:15"].status == (ChannelStatus.PARTIAL,) * 2
        assert by_end["08:15"].usable == (True, True)
        assert profile.intervals[-1].end.minute in {0, 15, 30, 45}
        shifted = timedelta(seconds=400)
        for one in profile.intervals:
            at = one.end if one.end.hour < 8 or (one.end.hour, one.end.minute) == (8, 0) else one.end - shifted
            assert one.values[0] == bench.truth(at, 0), one.end


class TestTheLine:
    async def test_after_a_lost_line_a_reopened_port_goes_on_where_it_stopped(self, bench):
        known = KnownMeter()
        async with bench.served() as simulated:
            url = await simulated.serve_tcp()
            tasks = []
            async with bench.opened(url, known=known) as meter:

                def lose(done, _total):
                    if done > 7 * BLOCK and not tasks:
                        tasks.append(asyncio.ensure_future(meter._connection.close()))

                with pytest.raises(TransportError):
                    await meter.profile(progress=lose)
            assert known.blocks
            async with bench.opened(url, known=known) as meter:
                read = bench.reads_of(meter, BT64)
                profile = await meter.profile()
            assert len(profile.intervals) == 13 * 96 + 52
            assert bench.true(profile)
            assert sum(count for _, count in read) < 6 * BLOCK + 52 * 10 + 2 * 17 + 465
            assert not known.blocks

    async def test_blocks_of_another_configuration_are_not_taken_for_this_one(self, bench):
        known = KnownMeter()
        async with bench.served() as simulated:
            url = await simulated.serve_tcp()
            async with bench.opened(url, known=known) as meter:
                with pytest.raises(TransportError):
                    await meter.profile(progress=stop_after(7 * BLOCK))
            simulated.happen(Reconfigured(int(bench.wall.now) + 1, DATA_SETS[1:] + DATA_SETS[:1]))
            bench.wall.now += 20 * 86400
            async with bench.opened(url, known=known) as meter:
                profile = await meter.profile()
        assert tuple(channel.source_id for channel in profile.channels) == (0, 1, 2, 3)
        assert bench.true(profile)

    async def test_blocks_of_one_data_set_are_not_taken_for_another_s(self, bench):
        known = KnownMeter()
        async with bench.served() as simulated:
            url = await simulated.serve_tcp()
            async with bench.opened(url, known=known) as meter:
                with pytest.raises(TransportError):
                    await meter.profile(progress=stop_after(7 * BLOCK))
            async with bench.opened(url, known=known) as meter:
                profile = await meter.profile(data_set=2)
        assert len(profile.intervals) == 18 * 24 + 13
        assert bench.true(profile)

    async def test_two_at_a_time(self, bench):
        async with bench.meter() as meter:
            profiles = await asyncio.gather(*(meter.profile(data_set=number) for number in (1, 2, 3)))
        assert [len(profile.intervals) for profile in profiles] == [13 * 96 + 52, 18 * 24 + 13, 18]
        assert all(map(bench.true, profiles))

    async def test_a_bad_line_costs_time_and_no_value(self, bench, virtual_clock):
        async with (
            bench.served(faults=Faults.parse(["loss=0.05", "reply-corrupt=0.05"]), seed=3) as simulated,
            bench.opened(await simulated.serve_tcp()) as meter,
        ):
            profile = await meter.profile()
            assert meter.stats.retries > 0
        assert len(profile.intervals) == 13 * 96 + 52
        assert bench.true(profile)

    async def test_the_read_budget_is_kept_unless_a_burst_is_asked_for(self, bench, virtual_clock):
        async with (
            bench.served() as simulated,
            bench.opened(await simulated.serve_tcp(), read_budget=ReadBudget(burst=2)) as meter,
        ):
            await meter.registers()
            began = virtual_clock()
            read = bench.reads_of(meter, BT64)
            await meter.profile()
            assert len(read) >= 13 * BLOCK // 465
            assert virtual_clock() - began > len(read)
            began = virtual_clock()
            await meter.profile(burst=True)
            assert virtual_clock() - began < 0.2 * len(read)

    async def test_the_optical_read_only_key_sees_the_same_without_et21(self, bench, virtual_clock):
        async with bench.served() as simulated:
            async with bench.opened(await simulated.serve_optical_tcp()) as meter:
                with pytest.raises(MeterRefused):
                    await meter.table("ET21")
                light = await meter.profile()
                newer = await meter.profile(known=light.mark)
            async with bench.opened(await simulated.serve_tcp()) as meter:
                wired = await meter.profile()
                assert (await meter.profile(known=light.mark)).intervals == ()
        assert light.intervals == wired.intervals
        assert newer.intervals == ()
        assert bench.true(light)


def stop_after(count):
    """Return a listener to progress at which the line is lost."""

    def progress(done, _total):
        if done > count:
            raise TransportError("the line is gone")

    return progress
