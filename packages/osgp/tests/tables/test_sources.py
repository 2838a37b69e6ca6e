import copy
import pickle

import pytest

from osgp.sources import SOURCES, Direction, Kind, Quantity, Source, by_id, in_tier

# MEP guide v1.1 p. 204-206: unused, time stamp, reserved; 112-163 are mapped through ET66.
MEASURE_NOTHING = {85, 86, 87, 176, 200, *range(112, 164)}


def test_every_id_of_the_list_has_a_source_and_no_other():
    ids = [source.id for source in SOURCES.values() if source.id is not None]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(range(245)) - MEASURE_NOTHING
    assert all(by_id(number) is None for number in (*MEASURE_NOTHING, 245, 255))
    assert all(by_id(source.id) is source for source in SOURCES.values() if source.id is not None)


def test_keys_are_their_own_and_safe_in_topics():
    for key, source in SOURCES.items():
        assert source.key == key
        assert key.replace("_", "").isalnum()
        assert key == key.lower()
        assert source.label
        assert source.citation.startswith("MEP guide v1.1 p. ")


@pytest.mark.parametrize(
    ("number", "key", "raw_unit", "unit", "decimals"),
    [
        (0, "active_energy_import", "Wh", "kWh", 3),
        (3, "reactive_energy_export", "varh", "kvarh", 3),
        (4, "outage_duration", "s", "s", 0),
        (7, "active_energy_net", "Wh", "kWh", 3),
        (8, "active_power_import", "W", "W", 0),
        (12, "current_l1", "mA", "A", 3),
        (17, "voltage_l3", "mV", "V", 3),
        (18, "power_factor_l1", "1/1000", "", 3),
        (19, "frequency", "mHz", "Hz", 3),
        (22, "power_factor_l3", "1/1000", "", 3),
        (27, "pulse_count_2", "", "", 0),
        (29, "active_energy_import_t1", "Wh", "kWh", 3),
        (33, "outage_duration_t1", "min", "min", 0),
        (72, "error_count_t4", "", "", 0),
        (80, "device_4_counter_2", "", "", 0),
        (84, "reactive_power_primary_export", "var", "var", 0),
        (111, "reactive_energy_q4", "varh", "kvarh", 3),
        (190, "active_power_export_l3", "W", "W", 0),
        (210, "active_power_average_import_l1", "W", "W", 0),
        (219, "apparent_power_q4", "VA", "VA", 0),
        (223, "apparent_power_q4_l1", "VA", "VA", 0),
        (224, "apparent_power_q1_l2", "VA", "VA", 0),
        (232, "current_neutral", "mA", "A", 3),
        (237, "voltage_angle_l2_l3", "1/100 deg", "°", 2),
        (244, "reactive_power_export_l3", "var", "var", 0),
    ],
)
def test_ids_have_the_guides_meaning(number, key, raw_unit, unit, decimals):
    source = by_id(number)
    assert source is SOURCES[key]
    assert (source.raw_unit, source.unit, source.decimals) == (raw_unit, unit, decimals)


def test_phase_direction_and_tier_follow_the_key():
    for key, source in SOURCES.items():
        parts = key.split("_")
        assert (source.direction is Direction.IMPORT) == ("import" in parts), key
        assert (source.direction is Direction.EXPORT) == ("export" in parts), key
        if source.tier is not None:
            assert key.endswith(f"_t{source.tier + 1}")
        if source.quantity is not Quantity.VOLTAGE_ANGLE:
            assert source.phase == next((int(part[1]) for part in parts if part in {"l1", "l2", "l3"}), None), key


def test_only_counting_values_are_registers():
    registers = {source.quantity for source in SOURCES.values() if source.kind is Kind.REGISTER}
    assert registers == {
        Quantity.ACTIVE_ENERGY,
        Quantity.REACTIVE_ENERGY,
        Quantity.APPARENT_ENERGY,
        Quantity.DURATION,
        Quantity.COUNT,
    }
    assert SOURCES["active_energy_net"].kind is Kind.NET_REGISTER
    assert SOURCES["active_energy_net_t2"].kind is Kind.NET_REGISTER


def test_scaled_value_is_in_the_unit_people_read():
    assert SOURCES["active_energy_import"].scaled(65_845_342) == 65845.342
    assert SOURCES["active_power_import"].scaled(432) == 432


def test_tiers_have_what_their_blocks_hold():
    energy = SOURCES["active_energy_import"]
    assert [in_tier(energy, tier).tier for tier in range(8)] == list(range(8))
    assert in_tier(energy, 0).id == 29
    assert in_tier(energy, 4).id is None
    assert in_tier(energy, 8) is None
    # MEP guide v1.1 p. 208-209: "not populated in tier groups".
    assert in_tier(SOURCES["outage_duration"], 0) is None
    assert in_tier(SOURCES["error_count"], 3) is None
    assert in_tier(SOURCES["active_power_import"], 0) is None


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda source: pickle.loads(pickle.dumps(source))])
def test_a_copy_of_a_source_is_the_source(duplicate):
    for source in (SOURCES["frequency"], SOURCES["apparent_energy_q1_t8"]):
        assert duplicate(source) is source
        assert isinstance(source, Source)
