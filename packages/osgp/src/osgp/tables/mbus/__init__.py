"""Tables of the devices behind the meter: M-Bus meters for gas, water and heat, and MEP clients (MEP guide v1.1).

* :mod:`~osgp.tables.mbus.status`: which devices there are and how they are (ET14, ET58).
* :mod:`~osgp.tables.mbus.data`: what they sent last (ET16); :mod:`~osgp.tables.mbus.recurring`: what they sent by and by (ET45, ET74).
* :mod:`~osgp.tables.mbus.requests`: what they were asked on demand (ET15).
* :mod:`~osgp.tables.mbus.settings`: how they are polled, and what the load profile keeps of them (ET34, ET57).
* :mod:`~osgp.tables.mbus.devices` and :mod:`~osgp.tables.mbus.reading` make devices and their values of them.
* :mod:`~osgp.tables.mbus.channels` does so for the load profile.

This package does not know how a table is read, and never causes a device to be read: that drains its battery.
"""

from osgp.tables.mbus.data import ET16
from osgp.tables.mbus.recurring import ET45, ET74
from osgp.tables.mbus.requests import ET15
from osgp.tables.mbus.settings import ET34, ET57
from osgp.tables.mbus.status import ET14, ET58

__all__ = ["ET14", "ET15", "ET16", "ET34", "ET45", "ET57", "ET58", "ET74"]
