"""The load profile itself, as the meter holds it: a ring of blocks for each data set (BT64-BT67).

Pages are those of the MEP guide v1.1, p. 238-241; the "Optical Port Programmer's Guide" (v1.1, June 2021) prints them too, p.
35-38. Whoever wants intervals with their times asks :mod:`osgp.tables.load_profile.profile`, which leaves out what an older round
left in a slot; here everything is shown that stands there.

This module does not know which block is the newest.
"""

from __future__ import annotations

from osgp.tables.load_profile.configured import channels_of_set, of_set
from osgp.tables.schema.count import count
from osgp.tables.schema.dimensions import SETS
from osgp.tables.schema.parts import Field, Group
from osgp.tables.schema.table import Table
from osgp.tables.schema.types import NI_FMAT, STIME_DATE_UTC, octets, set_of

__all__ = ["BT64", "BT65", "BT66", "BT67"]


def _data(number: int) -> Table:
    """Return the table of a data set, 1 to 4."""
    channels = channels_of_set(number)
    blocks = of_set(number, 0, lambda dims: dims.profile_blocks)
    intervals = of_set(number, 2, lambda dims: dims.profile_intervals)
    return Table(
        63 + number,
        f"Load Profile Data, Data Set {number}",
        "238-241",
        (
            Group(
                "blocks",
                (
                    Field("end", STIME_DATE_UTC, note="of the newest interval in the block"),
                    Field("end_readings", NI_FMAT, count=channels, when=count("profile_end_readings")),
                    Field("recorded", set_of, count=(intervals + 7) // 8, note="intervals; others hold older bytes"),
                    Group(
                        "intervals",
                        (
                            Field(
                                "status",
                                octets,
                                count=channels // 2 + 1,
                                note="four bits for all, four for each channel",
                            ),
                            Field("values", NI_FMAT, count=channels),
                        ),
                        intervals,
                    ),
                ),
                blocks,
            ),
        ),
    )


BT64, BT65, BT66, BT67 = map(_data, SETS)
