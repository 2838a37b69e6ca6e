"""What a MEP client writes for the meter to show: ET50 (MEP guide v1.1 p. 124-127).

This module does not know how a client registers.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import NI_FMAT, UINT8, UINT16, octets

__all__ = ["ET50"]

ET50 = Table(
    EXTENDED + 50,
    "MEP Inbound Data Space",
    "124-127",
    (
        Group(
            "clients",
            (
                Field("identification", octets(30), note="format on p. 126-127", page="124"),
                Bits(
                    UINT8,
                    (
                        Bit("registered", 0),
                        Bit("replies_in_et59", 1, note="else in BT08"),
                        Bit("mbus_alerts", 2),
                        Bit("delta_alerts", 3),
                    ),
                    page="124-125",
                ),
                Field("icons", UINT16, count=count("mep_data_sources"), note="sum of icon bits", page="125"),
                Field("data", NI_FMAT, count=count("mep_data_sources"), page="126"),
                Bits(UINT8, (Bit("house_icon", 0, 3, note="0 off, 1 on, 2 flash"),), page="126"),
                Filler(3, page="126"),
            ),
            count=count("mep_clients"),
        ),
    ),
)
