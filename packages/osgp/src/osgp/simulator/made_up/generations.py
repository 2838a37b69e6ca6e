"""Which firmware has what: the meters that can be simulated, by their firmware.

Pages are those of the MEP guide v1.1 where no other guide is named. Fields of tables that only some firmware has are marked where
the tables are declared (:mod:`osgp.tables`); here are the counts and the tables.

This module does not know what stands in a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from osgp.simulator.history.configuration import Version
from osgp.tables import Calendar, Dimensions
from osgp.tables.schema.dimensions import Firmware

__all__ = ["dimensions_of", "lacking"]

_PRESENT_VALUES: Mapping[Firmware, int] = {
    (4, 30): 84,
    (4, 10): 75,
    (4, 0): 72,
    (3, 70): 55,
    (3, 50): 41,
    (3, 10): 26,
    (2, 0): 22,
}
"""Present values by the firmware that added the last of them (p. 216-220)."""

_TABLES_SINCE: Mapping[str, Firmware] = {
    "BT21": (2, 12),  # Optical guide v1.1 p. 19-20
    "BT22": (3, 10),  # Optical guide v1.1 p. 19-20
    "BT65": (3, 50),  # p. 238
    "BT66": (3, 50),
    "BT67": (3, 50),
    "BT70": (2, 0),
    "BT71": (2, 12),  # Optical guide v1.1 p. 49
    "ET70": (4, 0),  # p. 173-174: what is known of it
    "ET71": (3, 40),  # p. 33
    "ET79": (3, 70),  # p. 181
    "ET81": (3, 70),  # p. 185
    "ET85": (4, 0),  # p. 186
}
"""Tables that were added to later firmware."""

_GENERATION_4: Firmware = (4, 0)
_SETS_SINCE: Firmware = (3, 50)
_SUMMATIONS, _SUMMATIONS_4 = 11, 19
"""What is configured of up to 15 in meters before 4.0, and what all later ones have (p. 202; Optical guide v1.1 p. 21)."""
_OLD_CALENDAR = Calendar(seasons=4, nonrecurring_dates=0)
"""Before 3.50 (p. 223, 226)."""


def dimensions_of(firmware: Version) -> Dimensions:
    """Return the dimensions of a made-up meter of this firmware, as far as the firmware decides them."""
    version = firmware[:2]
    present_values = next(count for since, count in _PRESENT_VALUES.items() if version >= since)
    dims = Dimensions(firmware=version, summations=_SUMMATIONS, present_values=present_values)
    if version < _SETS_SINCE:
        dims = replace(dims, calendar=_OLD_CALENDAR, multiple_load_profiles=False)
    if version >= _GENERATION_4:
        dims = replace(dims, summations=_SUMMATIONS_4, mep_devices=6, mep_clients=2, module_records_size=7)
    return dims


def lacking(firmware: Version) -> frozenset[str]:
    """Return the tables that such a meter does not have, of those that others have."""
    return frozenset(name for name, since in _TABLES_SINCE.items() if firmware[:2] < since)
