"""Reading whole tables, whatever their size, and finding out which there are.

This module does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from osgp.cli.opening import step
from osgp.errors import KeyRejected, LinkError, MeterRefused, TableError, TransportError
from osgp.mep.timing import MAX_READ
from osgp.optical.timing import Limits
from osgp.ports.transport import Address
from osgp.psem import ResponseCode
from osgp.tables import TABLES, Dimensions, Record, Table
from osgp.tables.schema.count import Untold

if TYPE_CHECKING:
    from osgp.meter import Meter

__all__ = ["WHOLE_TABLES", "NothingIn", "configuration", "read_whole"]

_FINAL = frozenset({ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE, ResponseCode.INAPPROPRIATE_ACTION})
"""Refusals that no other way of asking for the same table changes."""

_ONE_ANSWER = 400
"""Bytes that certainly fit one answer of the MEP port; longer tables are asked for in parts at once."""

_PART = 4096
"""Bytes after which it is said how far a long table has come: nine seconds at one read a second."""


WHOLE_TABLES = Limits(512, 255)
"""What an optical session for whole tables offers: as many packets as a message may have. The gateway's sessions offer
fewer (:data:`osgp.optical.settings.OFFERED_LIMITS`), which hold all that it reads."""


async def configuration(meter: Meter) -> Record:
    """Read BT00, which lists the meter's tables.

    Raises:
        OsgpError: it cannot be read.
    """
    return TABLES["BT00"].decode(await read_whole(meter, "BT00", Dimensions()), Dimensions())


async def read_whole(
    meter: Meter,
    name: str,
    dims: Dimensions,
    arrived: Callable[[int, int], None] | None = None,
) -> bytes:
    """Read all bytes of a table: at once where it can be, for the count of a full read is the table's true size.

    Args:
        meter: whose.
        name: the table's.
        dims: the meter's dimensions.
        arrived: told, of tables that are read in parts, how many of how many bytes have come.

    Raises:
        MeterRefused: the meter does not give it, or it is longer than an answer and nothing says how long.
        NothingIn: the meter keeps no entry in it.
        TableError: its size cannot be.
        OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
    """
    described = _described(name, dims)
    with step(f"reading {name}"):
        size = None if described is None or described.own_counts else described.size(dims)
        if described is not None and size is not None and size > _ONE_ANSWER:
            return await _by_size(meter, name, lambda data: described.size(dims, data), arrived)
        try:
            return await meter.read(name)
        except TransportError:
            raise
        except (MeterRefused, LinkError, KeyRejected) as error:
            if meter.stats.replies == 0 or (isinstance(error, MeterRefused) and error.code in _FINAL):
                raise
            if size == 0:
                raise NothingIn(f"the meter is set up to keep nothing in {name}") from error
            if described is not None:
                return await _by_size(meter, name, lambda data: described.size(dims, data), arrived)
            if isinstance(error, MeterRefused) and error.code == ResponseCode.OPERATION_NOT_POSSIBLE:
                raise MeterRefused(_too_long(name, optical=Address.parse(meter.url).optical), error.code) from error
            raise


def _described(name: str, dims: Dimensions) -> Table | None:
    """Return the table's description; None if there is none, or what it is laid out by was not told."""
    described = TABLES.get(name)
    if described is not None:
        try:
            described.layout(dims)
        except Untold:
            return None
    return described


class NothingIn(TableError):
    """A table that the meter lists has no byte, because nothing is kept in it."""


def _too_long(name: str, *, optical: bool) -> str:
    """Say why a table that nobody can measure was refused as a whole."""
    most = WHOLE_TABLES.read if optical else MAX_READ
    described = TABLES.get(name)
    if described is not None:
        missing = f"and what tells its size ({', '.join(described.told_by)}) was not read"
    else:
        missing = "and no guide tells how long it is, so that it cannot be read in parts"
    other = "" if optical else ". Over the optical port it may be given whole"
    return (
        f"the meter does not give {name} as a whole: probably it is longer than the {most} bytes that this program takes in "
        f"one answer, {missing}{other}"
    )


async def _by_size(
    meter: Meter, name: str, size_by: Callable[[bytes], int], arrived: Callable[[int, int], None] | None
) -> bytes:
    """Read as many bytes as its size tells; one that counts itself tells more with each part."""
    data = b""
    while (size := size_by(data)) > len(data):
        if arrived is not None:
            arrived(len(data), size)
        data += await meter.read(name, len(data), min(size - len(data), _PART))
    return data
