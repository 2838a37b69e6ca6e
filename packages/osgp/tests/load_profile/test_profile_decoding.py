"""Intervals out of blocks: worked examples, and acceptance test 13 of the guide's digest by name.

The examples were made by hand from the guide (MEP guide v1.1 p. 30-31, 95-97, 238-241); none of their expected values was
computed by this library.
"""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from profile_blocks import block

from osgp.errors import MisuseError, TableError
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile import MAX_MEMORY, ProfileSizes
from osgp.tables.load_profile.channels import ProfileChannel, channels_of, extended_ids, mapped
from osgp.tables.load_profile.profile import BlockPart, LoadProfile, ProfileMark, ProfileSetup, intervals_of, minutes_of
from osgp.tables.load_profile.ring import RingState, blocks_since, ring_state
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags, weightiest
from osgp.tables.survey import with_load_profile

GAS = 0x4001
"""Data type 1 of the device at place 0 (p. 33)."""
IMPORT, EXPORT = 0, 1
PLAIN = Dimensions()


def setup(sources, slots, *, minutes=15, blocks=10, dims=PLAIN):
    return ProfileSetup(1, ProfileSizes(blocks, slots, len(sources)), minutes, channels_of(sources, dims))


def state(sequence=2, *, slot=None, in_progress=0, valid=3, blocks=10):
    return RingState(blocks, valid, sequence % blocks, sequence, slot=slot, in_progress=in_progress)


def part(of, raw, sequence=2):
    size = of.sizes.header_size
    return BlockPart(sequence, raw[:size], 0, raw[size:])


def at(day, hour, minute, *, month=10):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


ONE_CHANNEL = bytes.fromhex(
    "1A0A19012D 67 10E8030000 10F2030000 10FC030000 00DEADBEEF 0000000000 6200040000 000A040000 0000000000"
)
TWO_CHANNELS = bytes.fromhex(
    "1A0A19012D 67 1000E803000045230100 1000F203000046230100 1000FC03000047230100 0000DEADBEEF11223344"
    "00000000000000000000 62F00004000000000000 00000A04000049230100 00000000000000000000"
)
"""Quarter hours of the night in which summer time ends; slots 3 and 4 are missing, 7 is still to come."""


class TestWorkedExamples:
    def test_one_channel(self):
        of = setup((IMPORT,), 8)
        found = intervals_of(of, [part(of, ONE_CHANNEL)], state(slot=6))
        assert [(one.end, *one.values) for one in found] == [
            (at(25, 0, 15), 1000),
            (at(25, 0, 30), 1010),
            (at(25, 0, 45), 1020),
            (at(25, 1, 30), 1024),
            (at(25, 1, 45), 1034),
        ]
        assert [one.flags for one in found] == [
            *[IntervalFlags.DAYLIGHT_SAVING] * 3, IntervalFlags.POWER_FAIL | IntervalFlags.CLOCK_FORWARD, IntervalFlags(0),
        ]  # fmt: skip
        assert [one.status for one in found] == [(0,), (0,), (0,), (ChannelStatus.PARTIAL,), (0,)]
        assert all(one.usable == (True,) for one in found)

    def test_two_channels_of_which_one_is_a_device_s(self):
        of = setup((IMPORT, GAS), 8)
        found = intervals_of(of, [part(of, TWO_CHANNELS)], state(slot=6))
        assert [one.values for one in found] == [
            (1000, 0x12345), (1010, 0x12346), (1020, 0x12347), (1024, None), (1034, 0x12349),
        ]  # fmt: skip
        assert found[3].status == (ChannelStatus.PARTIAL, ChannelStatus.PLACEHOLDER)
        assert found[3].usable == (True, False)
        assert found[3].end == at(25, 1, 30)

    def test_fifteen_channels(self):
        raw = bytes.fromhex(
            "1A01010000 03 8333333333333330 64000000 C8000000 2C010000 90010000 F4010000 58020000 BC020000 20030000"
            "84030000 E8030000 4C040000 B0040000 14050000 78050000 FBFFFFFF 20123456789ABCDE 65000000 C9000000 2D010000"
            "91010000 F5010000 59020000 BD020000 21030000 85030000 E9030000 4D040000 B1040000 15050000 79050000 FCFFFFFF"
        )
        of = setup((IMPORT,) * 15, 2)
        earlier, later = intervals_of(of, [part(of, raw)], state())
        assert (earlier.end, later.end) == (
            datetime(2025, 12, 31, 23, 45, tzinfo=UTC),
            datetime(2026, 1, 1, tzinfo=UTC),
        )
        assert (earlier.flags, later.flags) == (IntervalFlags.CLOCK_BACK, IntervalFlags.POWER_FAIL)
        assert earlier.status == (*[3] * 14, 0)
        assert earlier.values == (*range(100, 1500, 100), -5)
        assert later.status == tuple(range(15))
        gone = {4, 6, 7, 8, 10, 12, 13, 14}
        assert later.values == (*(None if n in gone else 100 * n + 101 for n in range(14)), None)
        assert later.usable == tuple(n in {0, 2, 3, 5, 9} for n in range(15))

    def test_the_table_shows_what_stands_in_it(self):
        """BT64 as it is declared: also what an older round left in slot 3."""
        dims = Dimensions(profile_channels=(1,), profile_blocks=(1,), profile_intervals=(8,))
        (found,) = TABLES["BT64"].decode(ONE_CHANNEL, dims)["blocks"]
        assert found["end"] == at(25, 1, 45)
        assert found["recorded"] == {0, 1, 2, 5, 6}
        assert [one["values"][0] for one in found["intervals"]] == [1000, 1010, 1020, -0x10415222, 0, 1024, 1034, 0]
        assert found["intervals"][5]["status"] == b"\x62"


class TestAcceptance13:
    """Number 13: 9530/21259 blocks, nibble order, index wrap, interval in progress, 18-hour blocks; and gaps."""

    @pytest.mark.parametrize(("memory", "blocks"), [(104_832, 9530), (233_856, 21_259)])
    def test_13_the_most_blocks_are_of_one_interval_of_one_channel(self, memory, blocks):
        bt61 = {"data_sets": ({"blocks": blocks, "intervals": 1, "channels": 1},)}
        smallest = ProfileSizes.of(bt61)
        assert smallest.block_size == 11
        assert memory // smallest.block_size == blocks

    @pytest.mark.parametrize(
        ("channels", "raw", "common", "statuses"),
        [
            (1, "12", 1, (2,)),
            (2, "1240", 1, (2, 4)),
            (2, "124F", 1, (2, 4)),
            (15, "80123456789ABCDE", 8, tuple(range(15))),
            (16, "4123456789ABCDEF10", 4, (*range(1, 16), 1)),
        ],
    )
    def test_13_nibbles_follow_each_other_the_higher_one_of_a_byte_first(self, channels, raw, common, statuses):
        of = setup((IMPORT,) * channels, 1)
        assert of.sizes.status_size == len(bytes.fromhex(raw))
        header = bytes((26, 10, 25, 1, 45, 1))
        data = bytes.fromhex(raw) + bytes(range(1, 5)) * channels
        (found,) = intervals_of(of, [BlockPart(2, header, 0, data)], state())
        assert (found.flags, found.status) == (common, statuses)

    def test_13_the_index_wraps_from_0(self):
        ring = RingState(30, 30, 0, 100)
        assert [ring.place(number) for number in (100, 99, 72, 71)] == [0, 29, 2, 1]
        assert ring.holds(71)
        assert not ring.holds(70)
        assert not ring.holds(101)
        assert ring.numbers(3) == [98, 99, 100]

    def test_13_numbers_begin_anew_behind_32_bits(self):
        ring = RingState(30, 30, 5, 1)
        assert ring.numbers(3) == [0xFFFF_FFFF, 0, 1]
        assert ring.place(0xFFFF_FFFF) == 3

    @pytest.mark.parametrize(("in_progress", "ends"), [(0, 3), (4, 3), (3, 2), (2, 1), (1, 0)])
    def test_13_an_interval_in_progress_is_left_out(self, in_progress, ends):
        """Counted from 1 or from 0, the guide does not say: neither is given out."""
        of = setup((IMPORT,), 8)
        recorded = {slot: (0, (0,), (slot + 1,)) for slot in range(3)}
        raw = block(at(25, 0, 45), 8, recorded, 1)
        found = intervals_of(of, [part(of, raw)], state(slot=2, in_progress=in_progress))
        assert [one.values for one in found] == [(value,) for value in range(1, ends + 1)]

    @pytest.mark.parametrize(("source", "ends"), [(IMPORT, 3), (GAS, 2), (112, 2), (73, 2)])
    def test_13_who_may_not_read_et21_waits_for_the_next_where_a_device_is_asked(self, source, ends):
        of = setup((source,), 8)
        raw = block(at(25, 0, 45), 8, {slot: (0, (0,), (slot + 1,)) for slot in range(3)}, 1)
        found = intervals_of(of, [part(of, raw)], state(slot=None, in_progress=None))
        assert [one.values for one in found] == [(value,) for value in range(1, ends + 1)]
        # A block that another one follows has none that waits.
        assert len(intervals_of(of, [part(of, raw, 1)], state(slot=None, in_progress=None))) == 3

    def test_13_blocks_of_18_hours_begin_at_00_18_12_and_06(self):
        of = setup((IMPORT,), 72)
        parts, begins, begin, value = [], [], at(1, 0, 0), 0
        for number in range(5):
            begins.append(begin.hour)
            recorded = {slot: (0, (0,), (value + slot,)) for slot in range(72)}
            value, begin = value + 72, begin + timedelta(hours=18)
            parts.append(part(of, block(begin, 72, recorded, 1), number))
        found = intervals_of(of, reversed(parts), state(4, slot=71, valid=5))
        assert begins == [0, 18, 12, 6, 0]
        assert [one.end for one in found] == [at(1, 0, 15) + timedelta(minutes=15) * n for n in range(5 * 72)]
        assert [one.values[0] for one in found] == list(range(5 * 72))

    def test_13_gaps_keep_their_slots(self):
        of = setup((IMPORT,), 96)
        recorded = {slot: (0, (0,), (slot,)) for slot in (*range(10), *range(30, 41))}
        found = intervals_of(of, [part(of, block(at(25, 10, 15), 96, recorded, 1))], state(slot=40))
        assert {one.end: one.values[0] for one in found} == {
            at(25, 0, 0) + timedelta(minutes=15) * (slot + 1): slot for slot in recorded
        }


class TestClock:
    def test_after_the_clock_was_set_back_nothing_is_given_out_of_the_future(self):
        """ET21.20 says which is the newest; the slots behind it were recorded by a clock that ran ahead."""
        of = setup((IMPORT,), 8)
        raw = block(at(25, 0, 45), 8, {slot: (8 if slot == 2 else 0, (0,), (slot,)) for slot in range(6)}, 1)
        found = intervals_of(of, [part(of, raw)], state(slot=2))
        assert [one.end for one in found] == [at(25, 0, 15), at(25, 0, 30), at(25, 0, 45)]
        assert found[-1].flags == IntervalFlags.CLOCK_BACK

    def test_where_two_blocks_tell_of_one_time_the_later_one_is_right(self):
        of = setup((IMPORT,), 4)
        first = block(at(25, 2, 0), 4, {slot: (0, (0,), (slot,)) for slot in range(4)}, 1)
        second = block(at(25, 1, 45), 4, {slot: (8, (3,), (10 + slot,)) for slot in range(2)}, 1)
        found = intervals_of(of, [part(of, first, 1), part(of, second, 2)], state(2, slot=1))
        assert [(one.end.minute, one.values[0]) for one in found] == [(15, 0), (30, 10), (45, 11)]

    def test_a_block_without_a_time_is_left_out(self):
        of = setup((IMPORT,), 8)
        assert intervals_of(of, [part(of, bytes(5) + ONE_CHANNEL[5:])], state(slot=6)) == ()

    @pytest.mark.parametrize(
        ("told", "ansi", "minutes"), [(15, False, 15), (84, False, 1440), (84, True, 84), (60, True, 60)]
    )
    def test_84_minutes_are_a_day(self, told, ansi, minutes):
        assert minutes_of(told, ansi=ansi) == minutes

    @pytest.mark.parametrize(("hours", "blocks"), [(1, 1), (0, 2), (-1, 2), (-23, 2), (-24, 3), (-25, 3), (-48, 4)])
    def test_how_many_blocks_can_hold_a_moment(self, hours, blocks):
        """Ends at the very beginning of a block belong to the block before."""
        begin = at(25, 0, 0)
        assert blocks_since(begin + timedelta(hours=hours), begin, timedelta(days=1)) == blocks


class TestStatuses:
    def test_every_number_of_the_guide_has_its_precedence(self):
        """The numbers in brackets on p. 240-241."""
        assert {int(one): one.precedence for one in ChannelStatus if one.precedence >= 0} == {
            0: 0, 1: 10, 2: 5, 3: 4, 4: 11, 5: 2, 8: 8, 9: 3, 10: 6, 11: 7, 12: 0, 15: 11,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("several", "named"), [((), 0), ((3, 2), 2), ((2, 9, 5), 2), ((0, 5), 5), ((8, 1, 11), 1), ((10, 11), 11)]
    )
    def test_of_several_the_weightiest_is_named(self, several, named):
        assert weightiest(map(ChannelStatus, several)) == named

    def test_differences_are_not_taken_across_what_is_no_reading(self):
        assert {int(one) for one in ChannelStatus if one.usable} == {0, 2, 3, 5, 9}
        assert {int(one) for one in ChannelStatus if not one.holds_value} == {4, 6, 7, 8, 10, 12, 13, 14, 15}

    @pytest.mark.parametrize(("source", "value"), [(GAS, None), (120, None), (80, None), (IMPORT, 0), (15, 0)])
    def test_a_device_that_was_not_asked_may_read_0_without_a_status(self, source, value):
        """p. 33: "otherwise, the status is 0"."""
        of = setup((source,), 1)
        (found,) = intervals_of(of, [part(of, block(at(25, 0, 15), 1, {0: (0, (0,), (0,))}, 1))], state(slot=0))
        assert found.values == (value,)
        assert found.usable == (value is not None,)


class TestChannels:
    def test_ids_of_et66_and_et42(self):
        """p. 33-34: id 112 is the first word of ET66; 0x4001 is device 0, data type 1."""
        record = TABLES["ET66"].decode(bytes.fromhex("0140 1f41") + bytes(124), PLAIN)
        ids = extended_ids((0, 112, 113, 114), mapped(record["extended_sources"]))
        assert ids == (0, 0x4001, 0x411F, 114)
        assert [channel.device for channel in channels_of(ids, PLAIN)] == [None, (0, 1), (1, 31), None]
        # Without ET66, ET42 says the same; what stands behind the end of a table is zero, and means nothing.
        assert extended_ids((0, 112), {}, (0, 0x4001)) == (0, 0x4001)
        assert extended_ids((0, 112), {}, (0, 112)) == (0, 112)
        assert extended_ids((0, 112), {}, ()) == (0, 112)

    def test_names_and_units(self):
        energy, voltage, gas, mapped_id = channels_of((0, 15, GAS, 130), PLAIN)
        assert (energy.source, energy.unit, energy.label) == (SOURCES["active_energy_import"], "Wh", "Import energy")
        assert (voltage.unit, voltage.source.kind) == ("mV", "present")
        assert (gas.source, gas.unit, gas.label) == (None, "", "Device 1, data type 1")
        assert (mapped_id.source, mapped_id.source_id, mapped_id.label) == (None, 130, "Source 130")
        assert [channel.awaited for channel in (energy, voltage, gas, mapped_id)] == [False, False, True, True]

    @pytest.mark.parametrize("unit", [1, 10, 100])
    def test_energies_are_in_the_energy_unit_and_nothing_else_is(self, unit):
        """p. 118: "if units of 10 are selected, a load profile value of 10 would actually represent 100 varh (or Wh)"."""
        of = setup((IMPORT, 2, 15), 1, dims=Dimensions(energy_unit=unit))
        (found,) = intervals_of(of, [part(of, block(at(25, 0, 15), 1, {0: (0, (0, 0, 0), (10, 10, 10))}, 3))], state())
        assert found.values == (10 * unit, 10 * unit, 10)

    def test_outages_of_firmware_2_0_are_in_minutes(self):
        (channel,) = channels_of((4,), Dimensions(firmware=(2, 0)))
        assert (channel.step, channel.unit) == (60, "s")

    @pytest.mark.parametrize(
        ("dims", "source", "earlier", "later", "counted"),
        [
            (Dimensions(rollover_digits=6), IMPORT, 999_990, 4, 14),
            (Dimensions(rollover_digits=6), IMPORT, 100, 350, 250),
            (Dimensions(), IMPORT, 999_990, 4, None),
            (Dimensions(rollover_digits=6, energy_unit=10), IMPORT, 9_999_990, 0, None),
            (Dimensions(rollover_digits=6), 7, 500, 300, -200),
            (Dimensions(rollover_digits=6), 5, 500, 300, None),
            (Dimensions(rollover_digits=6), 15, 230_000, 231_000, None),
            (Dimensions(rollover_digits=6), GAS, 1, 2, None),
        ],
    )
    def test_what_a_register_counted(self, dims, source, earlier, later, counted):
        """p. 119: 6 digits roll over at 999,999 Wh."""
        (channel,) = channels_of((source,), dims)
        assert channel.consumed(earlier, later) == counted

    def test_what_was_scaled_before_it_was_recorded_is_in_no_unit(self):
        (channel,) = channels_of((IMPORT,), PLAIN, scaled=True)
        assert channel == ProfileChannel(None, IMPORT)


class TestConsumption:
    def test_it_is_the_difference_of_neighbours_and_nothing_across_a_gap(self):
        of = setup((IMPORT,), 8)
        intervals = intervals_of(of, [part(of, ONE_CHANNEL)], state(slot=6))
        profile = LoadProfile(1, 15, of.channels, intervals, of.mark("", state(), None))
        assert [counted for _, counted in profile.consumption(0)] == [None, 10, 10, None, 10]

    def test_it_is_nothing_across_a_value_that_is_none(self):
        of = setup((IMPORT,), 4)
        recorded = {slot: (0, (status,), (100 * slot,)) for slot, status in enumerate((0, 1, 0, 0))}
        intervals = intervals_of(of, [part(of, block(at(25, 1, 0), 4, recorded, 1))], state(slot=3))
        profile = LoadProfile(1, 15, of.channels, intervals, of.mark("", state(), None))
        assert [counted for _, counted in profile.consumption(0)] == [None, None, None, 100]


SIZES = ProfileSizes(30, 96, 2)
BT63 = {
    "valid_blocks": 30, "last_block": 3, "last_block_sequence_number": 333, "valid_intervals": 21,
    "descending_blocks": False, "descending_intervals": False,
}  # fmt: skip
ET21 = {
    "block_size": 977, "block_header_size": 17, "interval_size": 10, "first_channel_offset": 2, "last_block": 3,
    "last_interval": 40, "interval_in_progress": 0, "configuration_id": 7,
}  # fmt: skip


class TestRingState:
    def test_et21_says_where_the_newest_is(self):
        assert ring_state(BT63, ET21, SIZES) == RingState(30, 30, 3, 333, 21, 40, 0, 7)
        assert ring_state(BT63, None, SIZES).slot is None
        assert ring_state(BT63, {"block_size": 0}, SIZES).slot is None
        assert ring_state(BT63, ET21 | {"last_block": 4}, SIZES).slot is None, "another block meanwhile"
        assert ring_state(BT63, ET21 | {"last_interval": 96}, SIZES).slot is None

    @pytest.mark.parametrize(
        "wrong",
        [{"valid_blocks": 31}, {"last_block": 30}, {"descending_blocks": True}, {"descending_intervals": True}],
    )
    def test_a_ring_that_cannot_be_is_refused(self, wrong):
        with pytest.raises(TableError):
            ring_state(BT63 | wrong, None, SIZES)

    @pytest.mark.parametrize("wrong", ["block_size", "block_header_size", "interval_size", "first_channel_offset"])
    def test_tables_that_contradict_each_other_are_refused(self, wrong):
        with pytest.raises(TableError, match="ET21"):
            ring_state(BT63, ET21 | {wrong: 99}, SIZES)

    def test_d4_the_number_of_intervals_is_not_where_the_newest_is(self):
        """Slots 3 and 4 are missing: the fifth interval is in slot 6."""
        of = setup((IMPORT,), 8)
        found = intervals_of(of, [part(of, ONE_CHANNEL)], RingState(10, 3, 2, 2, intervals=5))
        assert found[-1].end == at(25, 1, 45)
        assert found[0].end == at(25, 0, 15)


class TestMarks:
    MARK = ProfileMark("SIM1", "1: 14x96x15: 0,1", 7, 333, at(25, 1, 45))

    def test_they_come_back_from_text(self):
        for mark in (self.MARK, ProfileMark("", "", None, 0, None)):
            assert ProfileMark.from_json(mark.to_json()) == mark

    @pytest.mark.parametrize(
        "text",
        ["", "x", "[]", "{}", "null", '["", "", 1, 2]', '["", "", null, "2", null]', '["", "", true, 2, null]',
         '[1, "", null, 2, null]', '["", "", null, 2, "tomorrow"]', '["", "", null, 2, "2026-01-01T00:00:00"]',
         '["", "", null, 2, 5]', "[" * 5000],
    )  # fmt: skip
    def test_other_text_is_refused(self, text):
        with pytest.raises(MisuseError, match="mark"):
            ProfileMark.from_json(text)

    @pytest.mark.parametrize(
        ("other", "same"),
        [
            (ProfileMark("SIM1", "1: 14x96x15: 0,1", 7, 1, None), True),
            (ProfileMark("SIM1", "1: 14x96x15: 0,1", None, 1, None), True),
            (ProfileMark("SIM1", "1: 14x96x15: 0,1", 8, 333, at(25, 1, 45)), False),
            (ProfileMark("SIM2", "1: 14x96x15: 0,1", 7, 333, at(25, 1, 45)), False),
            (ProfileMark("SIM1", "1: 14x96x15: 0,2", 7, 333, at(25, 1, 45)), False),
        ],
    )
    def test_a_mark_is_of_one_meter_and_one_configuration(self, other, same):
        assert self.MARK.of_same(other) is same
        assert other.of_same(self.MARK) is same


class TestHostileMeters:
    def test_dimensions_that_no_meter_has_are_refused_before_anything_is_read_by_them(self):
        """A BT61 of FF bytes once made a block of 75 MB and 407 MB of memory."""
        tracemalloc.start()
        try:
            dims = with_load_profile(b"\xff" * 31, Dimensions())
            for name in ("BT64", "BT65", "BT66", "BT67"):
                with pytest.raises(TableError, match="no meter has"):
                    TABLES[name].size(dims)
            told = TABLES["BT61"].decode(b"\xff" * 31, Dimensions())
            for data_set in range(1, 5):
                with pytest.raises(TableError, match="which no meter has"):
                    ProfileSizes.of(told, data_set)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    def test_the_largest_profile_that_is_taken_needs_little_memory(self):
        """As many intervals as the largest memory holds: one channel, blocks as long as they may be."""
        sizes = ProfileSizes(MAX_MEMORY // 7385, 1440, 1)
        assert sizes.block_size == 7385
        of = ProfileSetup(1, sizes, 1, channels_of((IMPORT,), PLAIN))
        ends = [at(1, 0, 0) + timedelta(days=number) for number in range(sizes.blocks)]
        raw = bytes(5 * 1440)
        tracemalloc.start()
        try:
            parts = [
                BlockPart(number, bytes((26, end.month, end.day, 0, 0)) + b"\xff" * 180, 0, raw)
                for number, end in enumerate(ends)
            ]
            found = intervals_of(of, parts, RingState(sizes.blocks, sizes.blocks, 0, sizes.blocks - 1, in_progress=0))
            assert len(found) == sizes.blocks * 1440
            assert tracemalloc.get_traced_memory()[1] < 30_000_000
        finally:
            tracemalloc.stop()
