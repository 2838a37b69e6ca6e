"""What a client of a MEP port leaves with the meter and finds there, and how the meter treats it.

This package does not know how a client talks to the meter.
"""

from osgp.tables.clients.inbound import ET50
from osgp.tables.clients.ports import ET51, ET70, ET71
from osgp.tables.clients.results import BT07, BT08, ET52, ET53, ET59, ET85

__all__ = ["BT07", "BT08", "ET50", "ET51", "ET52", "ET53", "ET59", "ET70", "ET71", "ET85"]
