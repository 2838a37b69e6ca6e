import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import MisuseError, TableError
from osgp.sources import SOURCES, by_id
from osgp.tables import TABLES, Dimensions, registers
from osgp.tables.readout import Position, Readout

small = st.integers(0, 3)
dimensions = st.builds(
    Dimensions,
    summations=st.sampled_from([11, 15, 19]),
    tiers=st.sampled_from([0, 4, 8]),
    demands=small,
    coincidents=small,
    occurrences=small,
    demand_reset_counter=st.booleans(),
    date_time=st.booleans(),
    cumulative_demand=st.booleans(),
    continuous_cumulative_demand=st.booleans(),
    energy_unit=st.sampled_from([1, 10, 100]),
)


@settings(max_examples=50)
@given(dimensions, st.data())
def test_what_is_written_is_read(dims, data):
    values = {
        source: data.draw(st.integers(0, 255)) if source.key == "demand_reset_count" else 100 * place
        for place, source in enumerate(registers.sources(dims))
    }
    memory = registers.encode(values, dims)
    assert len(memory) == TABLES["BT23"].size(dims)
    # VAh is no multiple of the energy unit: the guide says varh and Wh (p. 158).
    assert registers.decode(memory, dims) == values
    cut = data.draw(st.integers(0, len(memory)))
    assert registers.decode(memory[:cut], dims).items() <= values.items()


@settings(max_examples=50)
@given(dimensions, st.data())
def test_a_window_holds_what_was_asked_for_and_no_byte_more(dims, data):
    values = {source: 100 * place % 200 for place, source in enumerate(registers.sources(dims))}
    memory = registers.encode(values, dims)
    wanted = data.draw(st.sets(st.sampled_from(registers.sources(dims)), min_size=1))
    offset, count = registers.window(dims, wanted)
    read = registers.decode(memory[offset : offset + count], dims, offset=offset)
    assert {source: read[source] for source in wanted} == {source: values[source] for source in wanted}
    assert not wanted <= registers.decode(memory[offset + 1 : offset + count], dims, offset=offset + 1).keys()
    assert not wanted <= registers.decode(memory[offset : offset + count - 1], dims, offset=offset).keys()


@pytest.mark.parametrize(
    ("summations", "tiers", "size"), [(11, 4, 220), (15, 4, 300), (19, 4, 380), (19, 8, 684), (11, 8, 396)]
)
def test_sizes_without_demand(summations, tiers, size):
    assert TABLES["BT23"].size(Dimensions(summations=summations, tiers=tiers)) == size


def test_demand_values_follow_the_cumulative_flags():
    # p. 210 prints "+ 8" for the values, which is right with both flags only.
    for cumulative, continuous, before in ((True, True, 8), (True, False, 4), (False, False, 0)):
        dims = Dimensions(
            demands=1, occurrences=1, cumulative_demand=cumulative, continuous_cumulative_demand=continuous, tiers=0
        )
        data = bytearray(TABLES["BT23"].size(dims))
        data[44 + 5 + before] = 7
        (block,) = TABLES["BT23"].decode(bytes(data), dims)["blocks"]
        assert block["demands"][0]["values"] == (7,)


def test_energy_unit_scales_wh_and_varh_only():
    dims = Dimensions(summations=19, tiers=0, energy_unit=10)
    data = b"".join(number.to_bytes(4, "little") for number in range(19))
    values = registers.decode(data, dims)
    assert values[SOURCES["active_energy_export"]] == 10
    assert values[SOURCES["reactive_energy_export"]] == 30
    assert values[SOURCES["outage_duration"]] == 4
    assert values[SOURCES["reactive_energy_q4"]] == 140
    assert values[SOURCES["apparent_energy_q1"]] == 15
    assert registers.encode(values, dims) == data
    assert registers.decode(data[:9], dims) == {
        SOURCES["active_energy_import"]: 0,
        SOURCES["active_energy_export"]: 10,
    }


def test_bt22_decides_what_a_register_is():
    dims = Dimensions(summations=4, tiers=1, summation_ids=(3, 112, 3, 28))
    data = bytes.fromhex("01000000 02000000 03000000 04000000 05000000 06000000 07000000 08000000")
    assert registers.decode(data, dims) == {
        SOURCES["reactive_energy_export"]: 1,  # and not 3: a second register of one name cannot replace the first
        SOURCES["error_count"]: 4,
        SOURCES["reactive_energy_export_t1"]: 5,
    }


@pytest.mark.parametrize("filler", [0, 255, 8, 15])
def test_apparent_energy_is_found_by_position_whatever_bt22_holds_there(filler):
    ids = (*range(8), 26, 27, 28, 108, 109, 110, 111, filler, filler, filler, filler)
    dims = Dimensions(summations=19, tiers=4, summation_ids=ids)
    assert [source.key for source in dims.register_sources[15:]] == [f"apparent_energy_q{n}" for n in range(1, 5)]
    assert dims.register_sources == Dimensions(summations=19).register_sources


def test_tiers_beyond_those_with_names_are_absent():
    dims = Dimensions(summations=1, tiers=10)
    assert [source.tier for source in registers.sources(dims)] == [None, *range(8)]


def test_negative_registers_are_passed_on():
    values = registers.decode(b"\xff\xff\xff\xff", Dimensions())
    assert values == {SOURCES["active_energy_import"]: -1}


def test_absent_registers_cannot_be_asked_for():
    with pytest.raises(TableError, match="BT23 of this meter has no frequency"):
        registers.window(Dimensions(), [SOURCES["frequency"]])
    with pytest.raises(TableError, match="no apparent_energy_q1"):
        registers.encode({SOURCES["apparent_energy_q1"]: 1}, Dimensions())
    with pytest.raises(TableError, match="no source"):
        registers.window(Dimensions(), [])
    with pytest.raises(MisuseError, match="active_energy_import cannot be 2147483648"):
        registers.encode({by_id(0): 1 << 31}, Dimensions())


def test_impossible_dimensions_are_refused():
    dims = Dimensions(summations=255, demands=255, coincidents=255, occurrences=255, tiers=255)
    with pytest.raises(TableError, match="no meter has"):
        registers.decode(b"", dims)


def test_a_source_that_stands_twice_is_the_first_of_them():
    source = SOURCES["active_energy_import"]
    twice = Readout("BT23", [Position(source, 0), Position(source, 4)])
    assert twice.decode(bytes((1, 0, 0, 0, 2, 0, 0, 0))) == {source: 1}
    assert twice.sources == (source,)
