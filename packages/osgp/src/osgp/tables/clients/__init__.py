"""What a client of a MEP port leaves with the meter and finds there.

This package does not know how a client talks to the meter.
"""

from osgp.tables.clients.inbound import ET50

__all__ = ["ET50"]
