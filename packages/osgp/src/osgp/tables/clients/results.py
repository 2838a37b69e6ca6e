"""What a client asked for and got: procedures (BT07, BT08, ET59, ET85) and transactions (ET52, ET53).

Pages are those of the MEP guide v1.1: p. 52, 130-132, 165-166, 186. BT07 and BT08 have no page of their own; their heads are printed
with the procedures.

A transaction is a list of messages as a port carries them, each after its length, between two copies of its number; the second
stands where the size ends. Its records are bytes here: the page's offsets go on for as long as the lengths say (p. 131-132).

This module does not know what the messages ask for.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import Count, count
from osgp.tables.schema.table import Bit, Bits, Field, Table
from osgp.tables.schema.types import UINT8, UINT16, octets

__all__ = ["BT07", "BT08", "ET52", "ET53", "ET59", "ET85"]

_TRANSACTION_HEAD = 5
_PARAMETERS_SIZE = 255
"""The most parameters that a procedure takes (BT00.9, p. 197)."""
_RESULT_SIZE = 12
"""The most that a procedure answers (BT00.10, p. 197)."""


def _transaction(size: Count) -> tuple[Field, ...]:
    return (
        Field("size", UINT16, unit="byte", page="130"),
        Field(
            "type",
            UINT8,
            note="0 requests, 1 responses, 2 not all of them, 3 of groups, 4 of none of this meter's groups",
            page="131",
        ),
        Field("number", UINT16, page="131"),
        Field("records", octets, count=size - _TRANSACTION_HEAD, note="number once more at the end", page="131-132"),
    )


ET52 = Table(
    EXTENDED + 52,
    "MEP Transaction Request Table",
    "130-132",
    _transaction(count("transaction_request_size")),
)
ET53 = Table(
    EXTENDED + 53,
    "MEP Transaction Response Table",
    "132",
    _transaction(count("transaction_response_size")),
)


def _result(since: tuple[int, int] | None = None) -> tuple[Bits | Field, ...]:
    return (
        Bits(UINT16, (Bit("procedure", 0, 11),), since=since, page="165-166"),
        Field("sequence_number", UINT8, since=since, page="166"),
        Field(
            "code",
            UINT8,
            note="0 done, 1 accepted, 2 bad parameter, 3 conflict, 4 timing, 5 not allowed, 6 unknown",
            since=since,
            page="166",
        ),
        Field("response", octets(_RESULT_SIZE), since=since, page="197"),
    )


BT07 = Table(
    7,
    "Procedure Initiate",
    "52",
    (
        Bits(UINT16, (Bit("procedure", 0, 11), Bit("response_handling", 12, 15))),
        Field("sequence_number", UINT8, note="5 to 9 of a MEP client"),
        Field("parameters", octets(_PARAMETERS_SIZE), page="197"),
    ),
)
BT08 = Table(8, "Procedure Response", "52", _result())
ET59 = Table(EXTENDED + 59, "MEP Procedure Response", "165-166", _result())
ET85 = Table(EXTENDED + 85, "MEP Procedure Response (MEP2)", "186", _result((4, 0)))
