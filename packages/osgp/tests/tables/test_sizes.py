"""D7: how long the tables are that are printed but not decoded, against the numbers of the guide and by hand."""

import pytest

from osgp.errors import TableError
from osgp.image import MeterImage
from osgp.tables import TABLES, Dimensions
from osgp.tables.sizes import SIZES, TELLING, size_of

ET36 = bytes((7,)) + b"".join(
    number.to_bytes(2, "little") + size.to_bytes(2, "little") + bytes((255, 0)) + count.to_bytes(2, "little") + bytes(9)
    for number, size, count in (
        (2048 + 31, 232, 2),
        (2048 + 32, 525, 8),
        (2048 + 38, 35, 10),
        (2048 + 41, 233, 3),
        (2048 + 45, 525, 4),
        (2048 + 75, 143, 5),
        (2048 + 81, 12, 60),
    )
) + bytes(1)  # fmt: skip
"""The entry sizes of p. 108-109."""


def held(dims, **values):
    """Return tables of a meter."""
    tables = {name: TABLES[name].encode(fields, dims) for name, fields in values.items()}
    return tables | {"ET36": ET36}


def meter(firmware=(4, 21), **more):
    dims = Dimensions(firmware=firmware, **more)
    return dims, held(
        dims,
        ET54={"et74_entries": 3},
    )


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("ET45", 6 + 4 * 525),
        ("ET74", 9 + 3 * 525),
    ],
)
def test_d7_sizes_of_the_guide(name, size):
    assert size_of(name, *meter()) == size


def test_d7_every_table_of_the_list_is_there():
    listed = [
        "ET45",
        "ET74",
    ]
    assert set(listed) <= SIZES.keys()
    assert not SIZES.keys() & TABLES.keys()
    assert set(TELLING) == {"ET36", "ET54"}


def test_d7_nothing_is_guessed():
    dims = Dimensions()
    for name, size in SIZES.items():
        if size.by:
            assert size_of(name, dims, {}) is None
    assert size_of("BT02", dims, {}) is None
    assert size_of("ET45", dims, {"ET36": ET36[:60]}) is None
    assert size_of("ET45", dims, {"ET36": bytes((1, *ET36[1:18]))}) is None


def test_d7_sizes_that_no_meter_has_are_refused():
    dims, tables = meter()
    with pytest.raises(TableError, match="ET45 would have"):
        size_of("ET45", dims, tables | {"ET36": ET36[:71] + b"\xff" * 10 + ET36[81:]})


def test_d7_the_sizes_of_a_real_meter_s_dump():
    image = MeterImage.load("image:denmark-gen3")
    dims = image.derive_dimensions()
    assert TABLES["BT24"].size(dims) == TABLES["BT25"].size(dims) == 226  # "226 at 11 sums/4 tiers" (p. 214)
