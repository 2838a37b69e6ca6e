"""Reading whole tables, whatever their size, and finding out which there are.

This module does not know what is done with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osgp.cli.opening import step
from osgp.errors import KeyRejected, LinkError, MeterRefused, TransportError
from osgp.psem import ResponseCode
from osgp.tables import TABLES, Dimensions, Record, Table

if TYPE_CHECKING:
    from osgp.meter import Meter

__all__ = ["configuration", "read_whole"]

_FINAL = frozenset({ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE, ResponseCode.INAPPROPRIATE_ACTION})
"""Refusals that no other way of asking for the same table changes."""

_ONE_ANSWER = 400
"""Bytes that certainly fit one answer of the MEP port; longer tables are asked for in parts at once."""


async def configuration(meter: Meter) -> Record:
    """Read BT00, which lists the meter's tables.

    Raises:
        OsgpError: it cannot be read.
    """
    return TABLES["BT00"].decode(await read_whole(meter, "BT00", Dimensions()), Dimensions())


async def read_whole(meter: Meter, name: str, dims: Dimensions) -> bytes:
    """Read all bytes of a table: at once where it can be, for the count of a full read is the table's true size.

    Raises:
        MeterRefused: the meter does not give it, or it is longer than an answer and nothing says how long.
        TableError: its size cannot be.
        OsgpError: see :meth:`osgp.connection.Connection.exchange`.
    """
    described = TABLES.get(name)
    with step(f"reading {name}"):
        if described is not None and not described.own_counts and described.size(dims) > _ONE_ANSWER:
            return await _by_size(meter, described, dims)
        try:
            return await meter.read(name)
        except TransportError:
            raise
        except (MeterRefused, LinkError, KeyRejected) as error:
            proven = meter.stats.replies > 0
            if described is None or not proven or (isinstance(error, MeterRefused) and error.code in _FINAL):
                raise
        return await _by_size(meter, described, dims)


async def _by_size(meter: Meter, described: Table, dims: Dimensions) -> bytes:
    """Read as many bytes as the description tells; one that counts itself tells more with each part."""
    data = b""
    while (size := described.size(dims, data)) > len(data):
        data += await meter.read(described.id, len(data), size - len(data))
    return data
