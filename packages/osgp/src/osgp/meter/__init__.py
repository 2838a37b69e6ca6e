"""One meter as programs see it: its tables and measured values, asked for by ``await`` (:func:`open_meter`).

:mod:`~osgp.meter.reader` reads tables within the :mod:`read budget <osgp.meter.budget>`, :mod:`~osgp.meter.layout` proves what
their bytes mean, :mod:`~osgp.meter.logs` reads what is new in the logs, :mod:`~osgp.meter.writing` writes what the caller names, :mod:`~osgp.meter.known` keeps what a reopened port need not
ask again. This package does not know how a request travels (:mod:`osgp.ports`) or which tables there are
(:mod:`osgp.tables`).
"""

from osgp.meter.identity import Identity, Ratings
from osgp.meter.logs import LogRead
from osgp.meter.meter import Meter
from osgp.meter.opening import open_meter
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval, ProfileMark

__all__ = ["Identity", "LoadProfile", "LogRead", "Meter", "ProfileInterval", "ProfileMark", "Ratings", "open_meter"]
