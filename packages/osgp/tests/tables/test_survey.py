import pytest

from osgp.errors import TableError
from osgp.tables import TABLES, Calendar, Dimensions, survey
from osgp.tables.survey import SURVEYED


def test_nothing_read_is_the_default_meter():
    assert survey({}) == Dimensions()


def test_every_surveyed_table_teaches_something():
    tables = {
        "BT01": TABLES["BT01"].encode({"firmware": (4, 30, 1)}, Dimensions()),
        "BT20": bytes.fromhex("03 00 fd 13 00 00 00 08 00 54"),
        "BT21": bytes.fromhex("03 00 0c 13 00 00 00 08 00 54"),
        "BT22": bytes(range(19)),
        "BT27": bytes(range(84)),
        "BT50": bytes.fromhex("00 02 24 00 07 c8 00 00 00"),
        "ET11": bytes([6, 70]) + bytes(20) + bytes([20]) + bytes(9) + bytes([6, 7, 2]),
        "ET54": b"\0\0",
    }
    dims = survey(tables)
    assert dims.firmware == (4, 30)
    assert dims.is_generation_4
    assert (dims.max_tiers, dims.tiers, dims.summations, dims.present_values, dims.self_reads) == (8, 8, 19, 84, 12)
    assert dims.summation_ids == tuple(range(19))
    assert dims.present_value_ids == tuple(range(84))
    assert dims.calendar == Calendar(
        seasons=4, nonrecurring_dates=0, recurring_dates=7, tier_switches=200, separate_weekdays=True
    )
    assert (dims.mep_devices, dims.mep_configuration_size, dims.mep_data_sources, dims.mep_clients) == (6, 70, 20, 2)
    assert dims.module_records_size == 42
    assert not dims.multiple_load_profiles
    assert dims.demands == 0
    assert survey({"BT00": b"\x01"}).big_endian
    for missing in tables:
        assert survey({name: data for name, data in tables.items() if name != missing}) != dims, missing
    assert set(tables) | {"BT00", "ET42", "ET55"} == set(SURVEYED)


def test_bt20_stands_in_where_a_meter_has_no_bt21():
    assert survey({"BT20": bytes.fromhex("03 00 0c 0b 00 00 00 04 00 16")}).present_values == 22


def test_modules_count_versions_of_their_own():
    assert survey({"BT01": TABLES["BT01"].encode({"firmware": (1, 31, 0)}, Dimensions())}).firmware is None


def test_zeros_behind_the_end_of_et11_are_no_count():
    """A meter fills a read beyond the end with zeros; one of unknown firmware is read that far."""
    dims = survey({"ET11": bytes([5, 66]) + bytes(20) + bytes([6]) + bytes(20)})
    assert (dims.mep_clients, dims.module_records_size) == (1, 0)


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(TableError, match="no meter has"):
        survey({"BT21": b"\xff" * 10})


@pytest.mark.parametrize("name", ["BT01", "BT20", "BT21", "BT22", "BT27", "BT50"])
def test_a_table_cut_short_is_refused(name):
    with pytest.raises(TableError, match=f"{name} has 1 bytes where .* are needed"):
        survey({name: b"\x03"})


@pytest.mark.parametrize(("unit", "believed"), [(1, 1), (10, 10), (100, 100), (0, 1), (2, 1), (255, 1)])
def test_energy_unit_is_one_of_three(unit, believed):
    et55 = TABLES["ET55"].encode({"energy_unit": unit}, Dimensions())
    assert survey({"ET55": et55}).energy_unit == believed
    assert survey({"ET55": et55[:-1]}).energy_unit == 1


def interface(**values):
    """Return ET42 of a meter with two logs, one M-Bus data type and load profile set 3 active."""
    counts = {
        "fixed_section_length": 43,
        "logs": 2,
        "demands": 1,
        "coincidents": 2,
        "load_profile_channels": 3,
        "mbus_data_types": 1,
        "set_3_active": True,
        "set_3_channels": 2,
        "required_section_length": 8,
        "energy_unit": 10,
        "rollover_digits": 6,
    } | values
    table, dims = TABLES["ET42"], Dimensions()
    # Counts open up what they count, so they are written until the table stops growing.
    data = bytes(300)
    for names in (list(counts)[:5], ["mbus_data_types"], ["set_3_active"], ["set_3_channels"], list(counts)[8:]):
        data = table.encode({name: counts[name] for name in names}, dims, base=data)
    size = 300 - len(table.decode(data, dims).tail)
    return table.encode({"table_length": size}, dims, base=data)[:size]


def test_interface_definition_counts_itself():
    data = interface()
    # fixed 43, logs 2 x 3, sources 1 + 2 + 3 x 2, types 1 + 4, mask 1, set 14 + 2 x 2, required 8
    assert len(data) == 43 + 6 + 9 + 5 + 1 + 18 + 8
    dims = survey({"ET42": data})
    assert (dims.energy_unit, dims.rollover_digits) == (10, 6)
    record = TABLES["ET42"].decode(data, Dimensions())
    assert (len(record["log_list"]), record["mbus_data_type_list"][0]["entry"]) == (2, bytes(4))
    assert record["set_3_sources"] == (0, 0)
    assert "set_2_sources" not in record
    assert record["required_section_length"] == 8


def test_interface_definition_is_read_as_far_as_it_tells():
    whole, table, dims = interface() + bytes(100), TABLES["ET42"], Dimensions()
    data = b""
    while (told := table.size(dims, data)) > len(data):
        data = whole[:told]
    assert data == interface()


def test_interface_definition_of_a_read_that_went_too_far_is_understood():
    assert survey({"ET42": interface() + bytes(40)}).rollover_digits == 6


@pytest.mark.parametrize("digits", [0, 4, 10, 255])
def test_impossible_rollover_is_not_believed(digits):
    assert survey({"ET42": interface(rollover_digits=digits)}).rollover_digits is None


def test_interface_definition_that_does_not_add_up_is_not_believed():
    data = interface()
    for broken in (
        data[:-1],
        b"",
        (len(data) - 1).to_bytes(2, "little") + data[2:],
        (len(data) + 1).to_bytes(2, "little") + data[2:] + b"\0",
        data[:29] + b"\x04" + data[30:],
    ):
        dims = survey({"ET42": broken})
        assert (dims.energy_unit, dims.rollover_digits) == (1, None)
    # The mask of load profile sets is there only if ET54.0.2 says so (p. 117).
    assert survey({"ET54": b"\0\0", "ET42": data}).rollover_digits is None
