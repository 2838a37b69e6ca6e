"""D7: how long the tables are that are printed but not decoded, against the numbers of the guide and by hand."""

import pytest

from osgp.errors import TableError
from osgp.image import MeterImage
from osgp.tables import TABLES, Dimensions
from osgp.tables.sizes import SIZES, TELLING, size_of


def held(dims, **values):
    """Return tables of a meter."""
    return {name: TABLES[name].encode(fields, dims) for name, fields in values.items()}


def meter(firmware=(4, 21), **more):
    dims = Dimensions(firmware=firmware, **more)
    return dims, held(
        dims,
        BT61={"int32": True, "data_sets": [{"blocks": 60, "intervals": 96, "channels": 2}] + [{}] * 3},
    )


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("BT64", 60 * 977),
        ("BT65", 0),
    ],
)
def test_d7_sizes_of_the_guide(name, size):
    assert size_of(name, *meter()) == size


def test_d7_every_table_of_the_list_is_there():
    listed = [
        "BT64",
        "BT65",
        "BT66",
        "BT67",
    ]
    assert set(listed) <= SIZES.keys()
    assert not SIZES.keys() & TABLES.keys()
    assert set(TELLING) == {"BT61"}


def test_d7_nothing_is_guessed():
    dims = Dimensions()
    for name, size in SIZES.items():
        if size.by:
            assert size_of(name, dims, {}) is None
    assert size_of("BT02", dims, {}) is None
    _, tables = meter()
    assert size_of("BT67", Dimensions(firmware=(3, 10)), tables) is None


def test_d7_sizes_that_no_meter_has_are_refused():
    dims, tables = meter()
    with pytest.raises(TableError, match="no meter has"):
        size_of("BT64", dims, tables | {"BT61": b"\xff" * 31})


def test_d7_the_sizes_of_a_real_meter_s_dump():
    image = MeterImage.load("image:denmark-gen3")
    dims = image.derive_dimensions()
    assert TABLES["BT24"].size(dims) == TABLES["BT25"].size(dims) == 226  # "226 at 11 sums/4 tiers" (p. 214)
