"""The meter's logs: what happened to it, and what its registers showed at certain moments.

* :mod:`~osgp.tables.logs.ring` is the ring that all of them are, with its three headers, and takes a whole one apart.
* :mod:`~osgp.tables.logs.reading` says which bytes of a ring to read next, and what became of it meanwhile.
* :mod:`~osgp.tables.logs.events`, :mod:`~osgp.tables.logs.outages` and :mod:`~osgp.tables.logs.snapshots` say what an
  entry means.
* :mod:`~osgp.tables.logs.dimensions` has the table that tells how large most logs are (ET36).

This package does not know how a table is read from a meter.
"""

from osgp.tables.logs.dimensions import ET36
from osgp.tables.logs.events import BT70, BT71
from osgp.tables.logs.snapshots import BT24, BT25

__all__ = ["BT24", "BT25", "BT70", "BT71", "ET36"]
