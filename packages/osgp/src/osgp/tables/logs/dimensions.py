"""How large the logs with a short header are: ET36 (MEP guide v1.1 p. 107-109).

Each record tells the size of an entry and how many there are of one table. Records stand at 1 + 17 * their number. ET42's
page gives places for the last two that do not add up (p. 115-116: ET36.90, .107 and .103 for what stands at .92, .109 and
.105), so a log is found by the table number in its record.

This module does not know what an entry holds.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import own_count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Record, Table
from osgp.tables.schema.types import UINT8, UINT16, set_of

__all__ = ["ET36", "log_places"]

_LOGS = own_count(0, "ET36.0")

ET36 = Table(
    EXTENDED + 36,
    "Manufacturer Table Actual Dimensions",
    "107-109",
    (
        Field("logs", UINT8),
        Group(
            "log_list",
            (
                Bits(UINT16, (Bit("table", 0, 10), Bit("extended", 11), Bit("procedure", 12)), page="108"),
                Field("entry_size", UINT16, unit="byte", page="108"),
                Field("most_entries", UINT16, page="109"),
                Field("entries", UINT16, page="109"),
                Bits(UINT8, (Bit("length_included", 0, note="two bytes of length begin an entry"),), page="109"),
                Filler(8),
            ),
            count=_LOGS,
        ),
        # Printed at Count * 10 + 1: an error, records have 17 bytes.
        Field(
            "unread", set_of, count=(_LOGS + 7) // 8, page="109", note="logs with entries that were not read, as listed"
        ),
    ),
    own_counts=("logs",),
)


def log_places(et36: Record, table: int) -> tuple[int, int] | None:
    """Return how many entries a log has, and the bytes of one; None if ET36 does not list it.

    Args:
        et36: decoded.
        table: id of the log.
    """
    for one in et36.get("log_list", ()):
        if one["table"] + EXTENDED * one["extended"] == table:
            return one["entries"], one["entry_size"]
    return None
