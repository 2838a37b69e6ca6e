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
    calendar,
    clients,
    devices,
    identity,
    interface,
    load_profile,
    logs,
    mbus,
    present,
    quality,
    registers,
    status,
)
from osgp.tables.schema.dimensions import Calendar, Dimensions
from osgp.tables.schema.table import FieldAbsent, Record, Table
from osgp.tables.survey import survey

__all__ = ["TABLES", "Calendar", "Dimensions", "FieldAbsent", "Record", "Table", "survey"]

_FAMILIES = (
    calendar,
    clients,
    devices,
    identity,
    interface,
    load_profile,
    logs,
    mbus,
    present,
    quality,
    registers,
    status,
)
"""Modules, and packages that name the tables of their modules."""
_DECLARED = {each.id: each for family in _FAMILIES for each in vars(family).values() if isinstance(each, Table)}

TABLES: Mapping[str, Table] = MappingProxyType(
    {_DECLARED[number].name: _DECLARED[number] for number in sorted(_DECLARED)}
)
"""Every table this library describes, by the guide's name, in the order of table ids."""
