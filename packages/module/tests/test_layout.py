"""The plan's layout gives what the declared tables give, for any dimensions; on MicroPython as here."""

import json
import random
from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nesmodule.meter import layout, plan
from nesmodule_build.device import sources as stand_in
from nesmodule_build.plan import PLAN, plan_text
from osgp import sources
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions
from osgp.tables.present import decode as decode_present
from osgp.tables.registers import BT21
from osgp.tables.registers import decode as decode_registers
from osgp.tables.survey import survey

KNOWN = {line.split(":")[1] for line in plan.SOURCES.decode().split()}
FIRMWARES = st.sampled_from([(2, 0), (3, 0), (3, 40), (3, 69), (3, 70), (3, 99), (4, 0), (4, 30), (5, 1)])
IDS = st.integers(0, 255)


def test_the_plan_in_the_repository_is_the_one_the_declarations_give():
    assert PLAN.read_text() == plan_text(), "write it anew: python -m nesmodule_build --plan"


def sizes(draw):
    """Return a BT21 of any meter."""
    bits = draw(st.integers(0, 127))
    small = st.integers(0, 4)
    return bytes(
        (
            bits,
            0,
            0,
            draw(st.integers(0, 24)),
            draw(small),
            draw(small),
            draw(small),
            draw(small),
            draw(small),
            draw(st.integers(0, 90)),
        )
    )


@st.composite
def meters(draw):
    """Yield the tables of sizes of any meter, and its version."""
    tables = {"BT21": sizes(draw)}
    summations, present_demands, values = (tables["BT21"][place] for place in (3, 8, 9))
    if draw(st.booleans()):
        tables["BT22"] = bytes(draw(st.lists(IDS, min_size=summations, max_size=summations)) + [0] * 40)
    if draw(st.booleans()):
        tables["BT27"] = bytes(
            draw(st.lists(IDS, min_size=present_demands + values, max_size=present_demands + values))
        )
    big = draw(st.booleans())
    tables["BT00"] = bytes((int(big),)) + bytes(40)
    return tables, draw(FIRMWARES), draw(st.sampled_from([1, 10, 100, 0, 7])), big, draw(st.integers(4, 8))


def layout_of(tables, firmware, unit, big):
    return layout.Layout(
        tables["BT21"], summation_ids=tables.get("BT22"), present_ids=tables.get("BT27"),
        energy_unit=unit, big_endian=big, firmware=firmware,
    )  # fmt: skip


def bt01(firmware):
    word = firmware[0] << 12 | firmware[1] << 5 | 7
    return b"NES\0MODEL   \0\0" + word.to_bytes(2, "big")


def expected(values):
    """Return what the module reads of what the tables tell: no tariff tiers, demands or values of the primary side."""
    return {source.key: value for source, value in values.items() if source.key in KNOWN}


@settings(max_examples=300)
@given(meters(), st.randoms(use_true_random=False))
def test_every_value_is_the_one_the_declared_tables_give(meter, chance):
    tables, firmware, unit, big, tiers = meter
    tables["BT01"] = bt01(firmware)
    maxima = bytearray(tables["BT21"])
    maxima[plan.TIERS] = tiers
    # BT20 is laid out as BT21 and tells the maxima, by which ET55 is laid out.
    dims = survey({**tables, "BT20": bytes(maxima)})
    size = TABLES["ET55"].size(dims)
    place = layout.energy_unit_place(firmware, max(tiers, maxima[plan.TIERS], tables["BT21"][plan.TIERS]))
    if place >= 0:
        data = bytearray(size)
        data[place] = unit
        dims = survey({**tables, "BT20": bytes(maxima), "ET55": bytes(data)})
        assert dims.energy_unit == (unit if unit in {1, 10, 100} else 1)
    else:
        unit = 1
    found = layout_of(tables, firmware, unit, big)
    for number, block, decode in (("BT23", found.registers, decode_registers), ("BT28", found.present, decode_present)):
        data = chance.randbytes(TABLES[number].size(dims))
        values = OrderedDict()
        if number == "BT23" and data:
            found.resets_of(data, values)
        for offset, count in block.windows():
            assert count <= layout.MOST_BYTES
            block.decode(data[offset : offset + count], offset, values)
        assert {source.key: value for source, value in values.items() if source.key in KNOWN} == expected(
            decode(data, dims)
        )


@given(FIRMWARES, st.sampled_from([4, 8]))
def test_et55_has_the_size_that_is_declared(firmware, tiers):
    size = TABLES["ET55"].size(Dimensions(firmware=firmware, max_tiers=tiers))
    place = layout.energy_unit_place(firmware, tiers)
    assert layout.et55_size(firmware) + (4 * (tiers - 4) if firmware >= (3, 70) else 0) == size
    assert place < size


def test_the_stand_in_of_sources_says_the_same():
    for key in sorted(KNOWN):
        mine = stand_in.SOURCES[key]
        assert stand_in.SOURCES.get(key) is mine
        for name in ("key", "quantity", "kind", "raw_unit", "unit", "decimals"):
            assert getattr(mine, name) == getattr(SOURCES[key], name), (key, name)
    for number in range(300):
        found, theirs = stand_in.by_id(number), sources.by_id(number)
        assert (found.key if found else None) == (theirs.key if theirs is not None and theirs.key in KNOWN else None)
    for kind in ("Quantity", "Kind"):
        words = {name: str(value) for name, value in vars(getattr(stand_in, kind)).items() if name.isupper()}
        assert words.items() <= {member.name: member.value for member in getattr(sources, kind)}.items()
    with pytest.raises(KeyError):
        stand_in.SOURCES["active_power"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [(65845342, "65845.342"), (-7, "-0.007"), (0, "0"), (2147483647, "2147483.647"), (2000, "2"), (2010, "2.01")],
)
def test_an_energy_is_written_to_the_last_digit(raw, text):
    assert stand_in.SOURCES["active_energy_import"].text(raw) == SOURCES["active_energy_import"].text(raw) == text
    assert stand_in.SOURCES["active_power_import"].text(raw) == str(raw)


def test_decoded_values_are_the_same_on_micropython_in_the_same_order(micropython):
    chance = random.Random(5)
    cases = []
    for _ in range(150):
        summations, demands, values = chance.choice((11, 15, 19)), chance.randrange(3), chance.choice((22, 55, 84, 90))
        bt21 = bytes((chance.choice((0, 4, 64, 68)), 0, 0, summations, 0, 0, 0, 4, demands, values))
        ids = (
            [chance.randbytes(summations).hex(), chance.randbytes(demands + values).hex()]
            if chance.random() < 0.5
            else [None, None]
        )
        cases.append(
            [bt21.hex(), *ids, chance.choice((1, 10, 100)), chance.random() < 0.3, chance.choice(((2, 0), (4, 10)))]
        )
        cases[-1].append(chance.randbytes(600).hex())
    want = []
    for bt21, bt22, bt27, unit, big, firmware, data in cases:
        tables = {"BT21": bytes.fromhex(bt21)}
        tables |= {name: bytes.fromhex(one) for name, one in (("BT22", bt22), ("BT27", bt27)) if one}
        found = layout_of(tables, firmware, unit, big)
        decoded = OrderedDict()
        found.resets_of(bytes.fromhex(data), decoded)
        for block in (found.registers, found.present):
            block.decode(bytes.fromhex(data), 0, decoded)
        # Ids of tiers, devices and the primary side mean nothing to the module.
        want.append(
            " ".join(
                f"{source.key}={stand_in.SOURCES[source.key].text(value)}"
                for source, value in decoded.items()
                if source.key in KNOWN
            )
        )
    assert micropython("decode.py", "\n".join(map(json.dumps, cases))).splitlines() == want
    assert BT21.size(Dimensions()) == plan.SIZES
