"""What the meter says of itself: its alarms, its state, and how it is configured.

This package does not know what to do about any of it.
"""

from osgp.tables.status.alarms import BT03
from osgp.tables.status.configuration import ET54, ET55

__all__ = ["BT03", "ET54", "ET55"]
