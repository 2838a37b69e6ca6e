"""Load profile sizes without ET21."""

from datetime import UTC, datetime

import pytest

from osgp.errors import MisuseError, TableError
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile import Interval, ProfileSizes

ONE_SET = Dimensions(firmware=(3, 10))
FOUR_SETS = Dimensions(firmware=(3, 82))


class TestLoadProfile:
    def test_bt61_has_one_set_before_firmware_3_50_and_four_from_then_on(self):
        assert (TABLES["BT61"].size(ONE_SET), TABLES["BT61"].size(FOUR_SETS)) == (7 + 6, 7 + 4 * 6)
        assert (TABLES["BT63"].size(ONE_SET), TABLES["BT63"].size(FOUR_SETS)) == (13, 52)
        single = Dimensions(firmware=(3, 82), multiple_load_profiles=False)
        assert TABLES["BT61"].size(single) == 13

    def test_07_15_sizes_are_those_of_the_guide(self):
        # A day of quarter hours, two channels: 5 + 12 bytes, then 96 intervals of 2 + 8 bytes.
        sizes = ProfileSizes(blocks=30, intervals=96, channels=2)
        assert (sizes.header_size, sizes.status_size, sizes.interval_size, sizes.block_size) == (17, 2, 10, 977)
        assert ProfileSizes(30, 96, 2, end_readings=True).header_size == 5 + 8 + 12
        assert sizes.block(29) == sizes.block(-1) == (29 * 977, 977)

    def test_07_15_the_newest_interval(self):
        sizes = ProfileSizes(blocks=30, intervals=96, channels=2)
        status = {"valid_blocks": 30, "last_block": 3, "valid_intervals": 10}
        assert sizes.newest_interval(status, 9) == (3 * 977 + 17 + 9 * 10, 10)
        assert sizes.newest_interval(status | {"valid_intervals": 0}, 9) is None
        assert sizes.newest_interval(status | {"valid_blocks": 0}, 9) is None
        for slot in (-1, 96):
            with pytest.raises(MisuseError, match="intervals 0 to 95"):
                sizes.newest_interval(status, slot)

    def test_d4_the_newest_interval_stands_behind_the_slots_of_an_outage(self):
        sizes = ProfileSizes(blocks=30, intervals=96, channels=2)
        recorded = [*range(10), *range(30, 41)]
        header = bytes(5) + sum(1 << slot for slot in recorded).to_bytes(12, "little")
        status = {"valid_blocks": 1, "last_block": 3, "valid_intervals": len(recorded)}
        assert sizes.newest_header(status) == (3 * 977, 17)
        slot = sizes.newest_slot(header)
        assert slot == 40
        assert sizes.newest_interval(status, slot) == (3 * 977 + 17 + 40 * 10, 10)
        assert sizes.newest_slot(bytes(17)) is None
        assert sizes.newest_header(status | {"valid_blocks": 0}) is None
        with pytest.raises(TableError, match="17 bytes"):
            sizes.newest_slot(bytes(16))

    def test_intervals_that_were_not_recorded_are_absent(self):
        sizes = ProfileSizes(blocks=2, intervals=10, channels=1)
        interval = bytes((0x12,)) + (-5).to_bytes(4, "little", signed=True)
        block = bytes((26, 2, 3, 17, 30)) + bytes((0b101, 0b10)) + interval * 10
        decoded = sizes.decode_block(block)
        assert decoded.end == datetime(2026, 2, 3, 17, 30, tzinfo=UTC)
        assert list(decoded.intervals) == [0, 2, 9]
        assert decoded.intervals[9] == Interval(1, (2,), (-5,))

    def test_a_block_of_a_meter_without_a_clock_has_no_end(self):
        sizes = ProfileSizes(blocks=1, intervals=8, channels=1)
        assert sizes.decode_block(bytes(sizes.block_size)).end is None

    def test_other_sizes_are_refused(self):
        sizes = ProfileSizes(blocks=0, intervals=8, channels=1)
        for decode, size in ((sizes.decode_block, sizes.block_size), (sizes.decode_interval, sizes.interval_size)):
            with pytest.raises(TableError, match=str(size)):
                decode(bytes(size + 1))
        with pytest.raises(MisuseError, match="no blocks"):
            sizes.block(0)
        with pytest.raises(MisuseError, match="no number 5"):
            ProfileSizes.of({"data_sets": ()}, 5)

    @pytest.mark.parametrize(
        ("blocks", "intervals", "channels"), [(1, 1441, 1), (1, 96, 17), (300, 96, 2), (65535, 1, 1)]
    )
    def test_blocks_that_no_meter_has_are_refused(self, blocks, intervals, channels):
        one = {"blocks": blocks, "intervals": intervals, "channels": channels}
        with pytest.raises(TableError, match="which no meter has"):
            ProfileSizes.of({"data_sets": (one,)})
