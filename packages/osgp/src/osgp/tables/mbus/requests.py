"""What was asked of devices on demand, and how that went: ET15 (MEP guide v1.1 p. 89-92).

The table is a ring of requests that EP19 and EP39 fill; who reads does not ask anything of a device. What is to be written
to a device may be a key, as in ET13: those bytes are declared as fillers, nothing decodes or shows them.

This module does not know how to post a request.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import UINT8, UINT16

__all__ = ["ET15"]

_REQUEST_SIZE = 6
"""As printed (p. 78, 90-91)."""

ET15 = Table(
    EXTENDED + 15,
    "MEP/M-Bus On-demand Requests",
    "89-92",
    (
        Bits(
            UINT8,
            (
                Bit("next_written", 0, 3, note="where the next request goes"),
                Bit("next_processed", 4, 7, note="the next one that the meter works off"),
            ),
            page="90",
        ),
        Group(
            "requests",
            (
                Field("transaction", UINT16),
                Field("handle", UINT16, note="of a device; type 6: groups, 0xFFFF all"),
                Field(
                    "type",
                    UINT8,
                    note="0 none, 1 application reset, 2 billing read, 3 status read, 4 write, 5 time, 6 multicast, "
                    "7-9 download",
                ),
                Field("result", UINT8, note="0 not yet, 1 success, 2 no response, 3 failed"),
                Filler(count("on_demand_request_size") - _REQUEST_SIZE),
            ),
            count=count("on_demand_requests"),
            page="90-91",
        ),
        Group(
            "writes",
            (Field("length", UINT8, unit="byte"), Filler(count("on_demand_write_size") - 1)),
            count=count("on_demand_requests"),
            note="what is written, to each request",
            page="91",
        ),
        Field("multicast_length", UINT8, unit="byte", page="91"),
        Filler(count("multicast_size") - 1, page="91-92"),
    ),
)
