"""What the meter says of itself: its alarms, its state, how it is built and configured.

This package does not know what to do about any of it.
"""

from osgp.tables.status.alarms import BT03
from osgp.tables.status.configuration import ET54, ET55
from osgp.tables.status.contactor import ET23, ET46, ET61, ET80
from osgp.tables.status.display import BT30, BT33, ET62
from osgp.tables.status.hardware import ET29
from osgp.tables.status.pending import BT04
from osgp.tables.status.security import ET89, ET90, ET97

__all__ = [
    "BT03",
    "BT04",
    "BT30",
    "BT33",
    "ET23",
    "ET29",
    "ET46",
    "ET54",
    "ET55",
    "ET61",
    "ET62",
    "ET80",
    "ET89",
    "ET90",
    "ET97",
]
