"""A tariff set by hand: ET47 (MEP guide v1.1 p. 122-123).

This module does not know whether the override is in effect.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.table import Field, Table
from osgp.tables.schema.types import LTIME_DATE_UTC, UINT8, UINT32

__all__ = ["ET47"]

ET47 = Table(
    EXTENDED + 47,
    "Calendar Override Settings",
    "122-123",
    (
        Field("tier", UINT8, note="0-based; 255: no override", page="122"),
        Field(
            "cancellation",
            UINT8,
            note="0 at the next switch, 1 never, 2 after the duration, 3 at the time",
            page="123",
        ),
        Field("duration", UINT32, unit="s", page="123"),
        Field("until", LTIME_DATE_UTC, note="UTC", page="123"),
        Field("calendar_id", UINT32, page="123"),
    ),
)
