"""The meter's tables, as data: every field with its type, its unit and the page that says so.

>>> from osgp.tables import TABLES, Dimensions
>>> TABLES["BT52"].decode(bytes.fromhex("0402100f3b3700"), Dimensions())["clock"].isoformat()
'2004-02-16T15:59:55+00:00'

* :data:`TABLES` decodes and encodes whole tables by name.
* :mod:`~osgp.tables.registers` (BT23) and :mod:`~osgp.tables.present` (BT28) give measured values by source.
* :class:`Dimensions` tells how large a meter's tables are; :func:`survey` finds out from table bytes.
* :mod:`osgp.tables.schema` is the language in which the tables are written.

This package does not know how a table is read from a meter.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osgp.tables import (
    alarms,
    clock,
    configuration,
    devices,
    event_log,
    identity,
    interface,
    load_profile,
    present,
    registers,
)
from osgp.tables.schema.dimensions import Calendar, Dimensions
from osgp.tables.schema.table import FieldAbsent, Record, Table
from osgp.tables.survey import survey

__all__ = ["TABLES", "Calendar", "Dimensions", "FieldAbsent", "Record", "Table", "survey"]

_DECLARED = (
    identity.BT00,
    identity.BT01,
    alarms.BT03,
    registers.BT15,
    registers.BT20,
    registers.BT21,
    registers.BT22,
    registers.BT23,
    present.BT27,
    present.BT28,
    clock.BT50,
    clock.BT52,
    clock.BT53,
    clock.BT54,
    clock.BT55,
    load_profile.BT61,
    load_profile.BT63,
    event_log.BT71,
    identity.ET03,
    identity.ET04,
    devices.ET11,
    devices.ET13,
    load_profile.ET21,
    interface.ET42,
    devices.ET50,
    configuration.ET54,
    configuration.ET55,
)

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _DECLARED})
"""Every table this library describes, by the guide's name, in the order of table ids."""
