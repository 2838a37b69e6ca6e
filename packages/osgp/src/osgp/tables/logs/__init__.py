"""The meter's logs: what happened to it, and what its registers showed at certain moments.

* :mod:`~osgp.tables.logs.ring` is the ring that all of them are, with its three headers, and takes a whole one apart.
* :mod:`~osgp.tables.logs.reading` says which bytes of a ring to read next, and what became of it meanwhile.
* :mod:`~osgp.tables.logs.events`, :mod:`~osgp.tables.logs.outages` and :mod:`~osgp.tables.logs.snapshots` say what an
  entry means.
* :mod:`~osgp.tables.logs.channel_changes` is declared only; nobody reads it part by part.
* :mod:`~osgp.tables.logs.dimensions` has the table that tells how large most logs are (ET36).

This package does not know how a table is read from a meter.
"""

from osgp.tables.logs.channel_changes import ET75
from osgp.tables.logs.dimensions import ET36
from osgp.tables.logs.events import BT70, BT71, BT74, ET79
from osgp.tables.logs.outages import ET81
from osgp.tables.logs.snapshots import BT24, BT25, BT26, ET31, ET41

__all__ = ["BT24", "BT25", "BT26", "BT70", "BT71", "BT74", "ET31", "ET36", "ET41", "ET75", "ET79", "ET81"]
