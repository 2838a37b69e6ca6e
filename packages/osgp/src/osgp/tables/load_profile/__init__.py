"""The load profile: what the registers showed at the end of each interval of the last days (BT60-BT67, ET21, ET66).

* :mod:`~osgp.tables.load_profile.configured` and :mod:`~osgp.tables.load_profile.progress` declare the tables around it,
  :mod:`~osgp.tables.load_profile.data` its bytes,
* :mod:`~osgp.tables.load_profile.sizes` tells where blocks and intervals stand in BT64-BT67,
* :mod:`~osgp.tables.load_profile.statuses` and :mod:`~osgp.tables.load_profile.channels` what is said of an interval and what
  its values are,
* :mod:`~osgp.tables.load_profile.ring` which blocks there are and which of them are asked for,
* :mod:`~osgp.tables.load_profile.profile` puts it together.

This package does not know how a table is read from a meter (:mod:`osgp.meter.profile` does).
"""

from osgp.tables.load_profile.configured import BT60, BT61, BT62, ET66, MOST_CHANNELS
from osgp.tables.load_profile.data import BT64, BT65, BT66, BT67
from osgp.tables.load_profile.progress import BT63, ET21
from osgp.tables.load_profile.sizes import MAX_MEMORY, Block, Interval, ProfileSizes

__all__ = [
    "BT60",
    "BT61",
    "BT62",
    "BT63",
    "BT64",
    "BT65",
    "BT66",
    "BT67",
    "ET21",
    "ET66",
    "MAX_MEMORY",
    "MOST_CHANNELS",
    "Block",
    "Interval",
    "ProfileSizes",
]
