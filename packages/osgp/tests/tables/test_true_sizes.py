"""Where a table ends, and what follows from it: nothing that is not there is shown as zero (numbers of the spec audit)."""

import pytest

from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions, registers, survey
from osgp.tables.survey import et55_sizes

ET55, BT03 = TABLES["ET55"], TABLES["BT03"]
EIGHT_TIERS = bytes((0x03, 0, 0, 11, 0, 0, 0, 8, 0, 22))
FOUR_TIERS = bytes((0x03, 0, 0, 11, 0, 0, 0, 4, 0, 22))


def configuration(tiers, unit=10):
    """Return ET55 of a meter that has room for so many tiers."""
    return ET55.encode({"energy_unit": unit}, Dimensions(max_tiers=tiers))


class TestTiers:
    def test_d5_without_bt20_an_eight_tier_meter_is_measured_by_bt21(self):
        dims = survey({"BT21": EIGHT_TIERS, "ET55": configuration(8)})
        assert (dims.max_tiers, dims.energy_unit) == (8, 10)

    def test_d5_without_bt20_the_length_of_et55_tells_more_than_the_tiers_in_use(self):
        dims = survey({"BT21": FOUR_TIERS, "ET55": configuration(8)})
        assert (dims.max_tiers, dims.tiers, dims.energy_unit) == (8, 4, 10)
        dims = survey({"BT21": FOUR_TIERS, "ET55": configuration(4)})
        assert (dims.max_tiers, dims.energy_unit) == (4, 10)

    def test_d5_bt20_counts_where_it_is_there(self):
        dims = survey({"BT20": FOUR_TIERS, "BT21": FOUR_TIERS, "ET55": configuration(4) + bytes(16)})
        assert (dims.max_tiers, dims.energy_unit) == (4, 10)
        assert et55_sizes(dims) == (len(configuration(4)),) * 2

    def test_d5_tiers_that_are_in_use_are_possible(self):
        assert survey({"BT20": FOUR_TIERS, "BT21": EIGHT_TIERS}).max_tiers == 8


class TestAlarms:
    @pytest.mark.parametrize(("told", "size"), [(4, 8), (5, 9), (6, 10), (9, 10)])
    def test_d8_bt03_is_as_long_as_bt00_tells(self, told, size):
        dims = survey({"BT00": TABLES["BT00"].encode({"manufacturer_status_length": told}, Dimensions())})
        assert dims.status_size == told
        assert BT03.size(dims) == size
        record = BT03.decode(bytes(10), dims)
        assert ("unbalanced_voltage" in record) == (told > 4)
        assert ("relay_2_open" in record) == (told > 5)
        assert record["dimension_change"] is False

    def test_d8_a_length_of_nothing_was_not_told(self):
        assert survey({"BT00": bytes(19)}).status_size is None
        assert BT03.size(Dimensions()) == 10
        assert BT03.certain_size(Dimensions()) == 8


@pytest.mark.parametrize(
    ("table", "firmware", "size"),
    [
        ("ET11", (3, 20), 24),
        ("ET11", (3, 30), 27),
        ("ET11", (3, 40), 28),
        ("ET11", (3, 50), 32),
        ("ET55", (3, 30), 105),
        ("ET55", (3, 40), 109),
        ("ET55", (3, 50), 117),  # the bytes up to 119 are reserved before 4.0
        ("ET55", (3, 60), 127),
    ],
)
def test_fields_that_came_later_are_not_read_in_older_meters(table, firmware, size):
    assert TABLES[table].size(Dimensions(firmware=firmware)) == size


def test_the_last_certain_byte_is_before_the_first_later_addition():
    assert TABLES["ET04"].certain_size(Dimensions()) == 123
    assert TABLES["BT21"].certain_size(Dimensions()) == TABLES["BT21"].size(Dimensions())


class TestOutages:
    @pytest.mark.parametrize(("firmware", "seconds"), [((2, 0), 420), ((2, 10), 7), ((3, 70), 7), (None, 7)])
    def test_d9_firmware_2_0_counts_minutes(self, firmware, seconds):
        dims = Dimensions(firmware=firmware)
        data = bytearray(TABLES["BT23"].size(dims))
        data[16:20] = (7).to_bytes(4, "little")
        values = registers.decode(bytes(data), dims)
        assert values[SOURCES["outage_duration"]] == seconds
        assert values[SOURCES["outage_count"]] == 0


class TestSmallThings:
    def test_bt01_names_the_application_firmware_and_the_makers_serial_number(self):
        data = b"NES 83332-3I" + bytes.fromhex("3155 3018 0012345678901234")
        record = TABLES["BT01"].decode(data, Dimensions())
        assert (record["application_firmware"], record["firmware"]) == ((3, 10, 21), (3, 0, 24))
        assert record["manufacturer_serial"].hex() == "0012345678901234"

    def test_signal_strength_has_a_sign(self):
        assert ET55.decode(bytes(14) + b"\xac", Dimensions())["signal_strength_threshold"] == -84

    def test_et11_names_the_queues(self):
        record = TABLES["ET11"].decode(bytes(14) + bytes((3, 4, 17, 17)), Dimensions())
        assert (record["meter_one_time_queue_size"], record["mbus_one_time_queue_size"]) == (3, 4)
        assert record["meter_one_time_entry_size"] == record["mbus_one_time_entry_size"] == 17
