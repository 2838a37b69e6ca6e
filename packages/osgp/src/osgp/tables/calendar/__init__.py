"""The meter's clocks, and the calendar by which its tariffs change.

This package does not know what time it is, nor what a tariff costs.
"""

from osgp.tables.calendar.clock import BT50, BT52, BT53, BT54, BT55
from osgp.tables.calendar.override import ET47

__all__ = ["BT50", "BT52", "BT53", "BT54", "BT55", "ET47"]
