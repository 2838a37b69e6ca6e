"""The load profile through power cuts, set clocks and reconfigurations, against a meter that is played second by second."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.simulator.history.configuration import DataSet
from osgp.simulator.history.happenings import ClockSet, History, PowerCut
from osgp.simulator.house import House
from osgp.simulator.household import DAY, Household
from osgp.simulator.ledger import Ledger
from osgp.simulator.logs.profile import ProfileRing

BEGIN = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
LEDGER = Ledger(Household(1), BEGIN)
HOUR, QUARTER = 3600, 900
HOURS = DataSet(3, 4, HOUR, (0,))
"""A ring of twelve hours."""
FORWARD, BACK, POWER = 4, 8, 2
PARTIAL, LONG = 2, 3


def house(*happenings):
    return House(ledger=LEDGER, history=History(happenings))


def at(hours, minutes=0, seconds=0):
    return BEGIN + hours * HOUR + minutes * 60 + seconds


def recorded(ring, block, now):
    return [(one.slot, one.end - BEGIN, one.common, one.channel) for one in ring.intervals(block, now)]


class Played:
    """A meter's memory that is written second by second: what a ring must hold at the end."""

    def __init__(self, owner, one, now):
        self.memory = bytearray(one.blocks * one.sizes.block_size)
        self.blocks = -1
        last, running, flags, block_of, status = -1, True, 0, None, 0
        sizes, block_seconds = one.sizes, one.seconds * one.intervals
        for second in range(BEGIN, now + 1):
            set_by = sum(one.seconds for one in owner.history if isinstance(one, ClockSet) and one.at == second)
            shown = second + sum(one.seconds for one in owner.history if isinstance(one, ClockSet) and one.at < second)
            begun = (shown - BEGIN) // one.seconds
            if running and second > BEGIN and (shown - BEGIN) % one.seconds == 0 and begun - 1 > last:
                # An interval ends: it is written where it belongs.
                last = begun - 1
                block = (last * one.seconds) // block_seconds
                if block != block_of:
                    block_of, status = block, 0
                    self.blocks += 1
                self.count = status.bit_count() + 1
                slot = last % one.intervals
                status |= 1 << slot
                moment = datetime.fromtimestamp(shown, UTC)
                place = self.blocks % one.blocks * sizes.block_size
                head = bytes((moment.year - 2000, moment.month, moment.day, moment.hour, moment.minute))
                head += status.to_bytes(sizes.simple_status_size, "little")
                self.memory[place : place + len(head)] = head
                channel = PARTIAL if flags & FORWARD else LONG if flags & BACK else 0
                value = owner.registers_at(second)[0][0]
                place += len(head) + slot * 5
                self.memory[place : place + 5] = bytes((flags << 4 | channel,)) + value.to_bytes(4, "little")
                flags, self.slot = 0, slot
            # A cut takes effect at its second, after an interval that ends then.
            dark = any(one.covers(second) for one in owner.history if isinstance(one, PowerCut))
            if dark:
                flags |= POWER
            running = not dark
            if set_by:
                flags |= FORWARD if set_by > 0 else BACK


minutes = st.integers(1, 26 * 60)
happenings = st.lists(
    st.one_of(
        st.builds(lambda at, length: PowerCut(BEGIN + at * 60 + 7, length * 60), minutes, st.integers(1, 400)),
        st.builds(lambda at, length: PowerCut(BEGIN + at * 60, length * 60), minutes, st.integers(1, 400)),
    ),
    max_size=3,
)
clocks = st.lists(
    st.tuples(minutes, st.integers(-150, 150).filter(bool)).map(lambda p: ClockSet(BEGIN + p[0] * 60 + 31, p[1] * 60)),
    max_size=3,
    unique_by=lambda one: one.at,
)


@settings(max_examples=25, deadline=None)
@given(cuts=happenings, sets=clocks, now=st.integers(10 * 60, 30 * 60))
def test_the_ring_holds_what_a_meter_played_second_by_second_wrote(cuts, sets, now):
    owner = house(*cuts, *sets)
    one = DataSet(3, 4, 15 * 60, (0,))
    end = BEGIN + now * 60
    ring = ProfileRing(owner, one, BEGIN)
    played = Played(owner, one, end)
    assert ring.data(end) == bytes(played.memory)
    newest = ring.newest(end)
    if played.blocks < 0:
        assert newest is None
    else:
        assert newest is not None
        assert (newest.block, newest.intervals, newest.slot) == (played.blocks, played.count, played.slot)


def test_a_cut_within_an_interval_marks_it():
    ring = ProfileRing(house(PowerCut(at(1, 10), 600)), HOURS, BEGIN)
    assert recorded(ring, 0, at(4)) == [
        (0, HOUR, 0, 0),
        (1, 2 * HOUR, POWER, 0),
        (2, 3 * HOUR, 0, 0),
        (3, 4 * HOUR, 0, 0),
    ]


def test_a_cut_over_intervals_leaves_them_out_and_marks_the_one_it_ends_in():
    ring = ProfileRing(house(PowerCut(at(1, 10), 2 * HOUR)), HOURS, BEGIN)
    assert recorded(ring, 0, at(4)) == [(0, HOUR, 0, 0), (3, 4 * HOUR, POWER, 0)]
    newest = ring.newest(at(4))
    assert newest is not None
    assert (newest.intervals, newest.slot) == (2, 3), "the newest is not the last by number (p. 31, 239)"


def test_a_cut_over_whole_blocks_takes_no_place_in_the_ring():
    ring = ProfileRing(house(PowerCut(at(3, 30), 9 * HOUR)), HOURS, BEGIN)
    assert [one.slot for one in ring.intervals(0, at(20))] == [0, 1, 2]
    assert [one.slot for one in ring.intervals(1, at(20))] == [0, 1, 2, 3]
    assert ring.intervals(1, at(20))[0].end == at(13)


def test_the_clock_set_back_makes_an_interval_of_70_minutes_as_on_page_240():
    ring = ProfileRing(house(ClockSet(at(2, 5), -600)), HOURS, BEGIN)
    assert recorded(ring, 0, at(5)) == [
        (0, HOUR, 0, 0),
        (1, 2 * HOUR, 0, 0),
        (2, 3 * HOUR + 600, BACK, LONG),
        (3, 4 * HOUR + 600, 0, 0),
    ]


def test_the_clock_set_forward_within_an_interval_makes_it_shorter_as_on_page_240():
    one = DataSet(3, 4, QUARTER, (0,))
    ring = ProfileRing(house(ClockSet(at(0, 16), 300)), one, BEGIN)
    assert recorded(ring, 0, at(1)) == [
        (0, QUARTER, 0, 0), (1, QUARTER + 600, FORWARD, PARTIAL), (2, 2 * QUARTER + 600, 0, 0), (3, 3 * QUARTER + 600, 0, 0),
    ]  # fmt: skip


def test_the_clock_set_forward_over_intervals_leaves_them_out():
    ring = ProfileRing(house(ClockSet(at(1, 30), 2 * HOUR)), HOURS, BEGIN)
    assert recorded(ring, 0, at(2)) == [(0, HOUR, 0, 0), (3, 2 * HOUR, FORWARD, PARTIAL)]
    assert ring.intervals(0, at(2))[1].shown == at(4)


def test_what_is_left_out_keeps_the_bytes_of_an_older_round():
    ring = ProfileRing(house(PowerCut(at(13, 10), 2 * HOUR)), HOURS, BEGIN)
    sizes = HOURS.sizes
    early, late = ring.data(at(12)), ring.data(at(17))
    block = late[: sizes.block_size]
    assert block[5] == 0b1001
    for slot in (1, 2):
        begin = sizes.header_size + slot * sizes.interval_size
        assert block[begin : begin + sizes.interval_size] == early[begin : begin + sizes.interval_size]
        assert any(block[begin : begin + sizes.interval_size])


def test_blocks_of_18_hours_begin_as_on_page_30():
    one = DataSet(10, 18, HOUR, (0,))
    ring = ProfileRing(house(), one, BEGIN)
    begins = [(ring.intervals(block, at(80))[0].shown - HOUR - BEGIN) // HOUR % 24 for block in range(4)]
    assert begins == [0, 18, 12, 6]


def test_channels_of_an_interval_have_their_marks_and_values():
    """Two channels: three nibbles and one that is not used; 2 is partial, 4 a clock set forward (p. 240)."""
    owner = house(ClockSet(at(0, 20), 60))
    one = DataSet(2, 4, HOUR, (0, 15))
    ring = ProfileRing(owner, one, BEGIN)
    data, sizes = ring.data(at(1)), one.sizes
    interval = data[sizes.header_size : sizes.header_size + sizes.interval_size]
    assert interval[:2] == bytes((0x42, 0x20))
    end = at(1) - 60
    assert int.from_bytes(interval[2:6], "little") == owner.registers_at(end)[0][0]
    assert int.from_bytes(interval[6:10], "little") == owner.at(end - 1).present[15]


def test_a_ring_that_begins_later_is_empty_until_its_first_interval_has_ended():
    ring = ProfileRing(house(), HOURS, at(5, 30))
    assert ring.newest(at(5, 59)) is None
    assert not any(ring.data(at(5, 59)))
    newest = ring.newest(at(6))
    assert newest is not None
    assert (newest.block, newest.intervals, newest.slot) == (0, 1, 1)


@pytest.mark.parametrize("days", [1, 40])
def test_summer_time_is_marked(days):
    ring = ProfileRing(house(), DataSet(3, 1, DAY, (0,)), BEGIN)
    assert recorded(ring, days - 1, BEGIN + days * DAY) == [(0, days * DAY, int(days == 40), 0)]


@pytest.mark.parametrize(
    ("day", "before", "behind"), [("2026-03-29", False, True), ("2026-10-25", True, False)], ids=["begins", "ends"]
)
def test_summer_time_marks_intervals_in_which_it_was_in_effect_and_none_that_only_touch_it(day, before, behind):
    """ "In effect during or at start of interval" (p. 240). The EU switches at 01:00 UTC, here at the end of an interval."""
    midnight = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    ring = ProfileRing(house(), DataSet(3, 96, QUARTER, (0,)), midnight)
    marks = {(one.end - midnight) // 60: bool(one.common & 1) for one in ring.intervals(0, midnight + 2 * HOUR)}
    assert marks == {end: before if end <= 60 else behind for end in range(15, 121, 15)}
