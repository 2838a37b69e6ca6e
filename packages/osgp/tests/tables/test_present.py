import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import TableError
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions, present

COUNTS = (22, 26, 41, 55, 72, 75, 84)
"""Present values by firmware: before 3.10, 3.10, 3.50, 3.70, 4.0, 4.10, 4.30 (p. 217-220)."""


@settings(max_examples=50)
@given(
    st.builds(
        Dimensions,
        present_values=st.sampled_from(COUNTS),
        present_demands=st.integers(0, 9),
        time_remaining=st.booleans(),
    ),
    st.data(),
)
def test_what_is_written_is_read(dims, data):
    values = {
        source: data.draw(st.integers(-(1 << 31), (1 << 31) - 1), label=source.key) if place % 9 == 0 else place
        for place, source in enumerate(present.sources(dims))
    }
    memory = present.encode(values, dims)
    assert len(memory) == TABLES["BT28"].size(dims)
    assert present.decode(memory, dims) == values
    wanted = data.draw(st.sets(st.sampled_from(present.sources(dims)), min_size=1))
    offset, count = present.window(dims, wanted)
    read = present.decode(memory[offset : offset + count], dims, offset=offset)
    assert wanted <= read.keys()
    assert read.items() <= values.items()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("demands", [0, 8])
@pytest.mark.parametrize("time_remaining", [False, True])
def test_offset_of_present_values(count, demands, time_remaining):
    dims = Dimensions(present_values=count, present_demands=demands, time_remaining=time_remaining)
    a = 3 if time_remaining else 0
    # p. 216: (A + 4) * BT21.8 + number, which lacks the factor 4.
    last = present.sources(dims)[-1]
    assert present.window(dims, [last]) == ((a + 4) * demands + 4 * (count - 1), 4)
    assert len(present.sources(dims)) == demands + count


def test_every_firmware_only_extends_the_list():
    full = Dimensions(present_values=84).present_sources
    assert None not in full
    for count in COUNTS:
        assert Dimensions(present_values=count).present_sources == full[:count]


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (0, "active_power_import"),
        (10, "power_factor_l1"),
        (14, "power_factor_l3"),
        (21, "reactive_power_primary_export"),
        (22, "reactive_power_q1"),
        (26, "active_power_import_l1"),
        (40, "current_primary_l3"),
        (41, "voltage_continuous_l1"),
        (54, "active_power_average_export_l3"),
        (55, "apparent_power_q1"),
        (58, "apparent_power_q4"),
        (59, "apparent_power_q1_l1"),
        (65, "apparent_power_q3_l2"),
        (70, "apparent_power_q4_l3"),
        (71, "current_neutral"),
        (72, "current_average_l1"),
        (77, "voltage_angle_l3_l1"),
        (78, "reactive_power_import_l1"),
        (83, "reactive_power_export_l3"),
    ],
)
def test_fixed_order_is_the_guides(number, key):
    assert Dimensions(present_values=84).present_sources[number].key == key


def test_more_values_than_the_guide_knows_have_no_name():
    assert Dimensions(present_values=86).present_sources[84:] == (None, None)


def test_bt27_decides_what_a_value_is():
    dims = Dimensions(present_values=5, present_value_ids=(19, 250, 8, 19, 90))
    data = b"".join(number.to_bytes(4, "little") for number in (50000, 1, 432, 49000, 7))
    assert present.decode(data, dims) == {SOURCES["frequency"]: 50000, SOURCES["active_power_import"]: 432}


@pytest.mark.parametrize("size", range(13))
def test_short_data_are_fewer_values_and_no_zeros(size):
    values = present.decode(bytes([1, 0, 0, 0] * 3)[:size], Dimensions())
    assert list(values.values()) == [1] * (size // 4)


def test_absent_values_cannot_be_asked_for():
    with pytest.raises(TableError, match="BT28 of this meter has no current_neutral"):
        present.window(Dimensions(), [SOURCES["current_neutral"]])
