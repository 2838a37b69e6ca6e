"""Tables of a meter before and after the grid company reconfigured it, in which every value stands somewhere else."""

from osgp.psem import table_id
from osgp.sources import SOURCES
from osgp.tables import present, registers
from osgp.tables.survey import survey

BT21, BT22, BT23, BT27, BT28, ET03, ET04 = map(table_id, ("BT21", "BT22", "BT23", "BT27", "BT28", "ET03", "ET04"))

SMALL = {BT21: bytes((0x03, 0, 0, 11, 0, 0, 0, 4, 0, 22)), BT22: bytes((*range(8), 26, 27, 28))}
SMALL[BT27] = bytes((*range(8, 26), *range(81, 85)))
GROWN = {
    BT21: bytes((0x13, 0, 0, 11, 2, 1, 1, 4, 2, 22)),
    BT22: bytes((*range(7, -1, -1), 26, 27, 28, 0, 1, 3, 8, 0)),
    BT27: bytes((2, 3, *range(25, 7, -1), *range(81, 85))),
}
"""Demand is configured, and all else stands in another order: each value is somewhere else."""


def truth(source):
    """Return what a meter measures, whatever its layout is; for each source something else."""
    return 1_000_000 + 1000 * sorted(SOURCES).index(source.key)


def layout_of(tables):
    return survey({"BT21": tables[BT21], "BT22": tables[BT22], "BT27": tables[BT27]})


def filled(tables):
    dims = layout_of(tables)
    return tables | {
        BT23: registers.encode({source: truth(source) for source in registers.sources(dims)}, dims),
        BT28: present.encode({source: truth(source) for source in present.sources(dims)}, dims),
    }


def assert_true(values):
    """See that each value is the one of its source."""
    assert values
    assert {source.key: value for source, value in values.items()} == {source.key: truth(source) for source in values}


async def read_all(meter, times=3):
    """Read registers and present values and see that they are right."""
    for _ in range(times):
        for read in (meter.registers, meter.present):
            assert_true(await read())
