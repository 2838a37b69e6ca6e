"""What each key of the optical port may do, as data.

Three keys open the optical port (Optical guide v1.1 p. 13); they are not those of the MEP port. Each table of the guide
names who may read it. Nearly everywhere that is all three keys, so only the exceptions stand here: what needs no
key at all, and what the read-only key may not read. Where no right to write is named, writing needs the
unique or the provisioning key; the read-only key writes nothing.

Key tables, calibration and downloads, which the guide reserves in words only (p. 13), and the hardware lock are the
business of the meter's handler.

This module does not know how a key is shown.
"""

from __future__ import annotations

from enum import IntEnum

from osgp.psem import PartialRead, Read, Request, table_id

__all__ = ["OPEN", "PENDING", "WITHHELD", "Access", "may"]

PENDING = 4096
"""Offset of the numbers of pending tables (p. 8); a pending table has the rights of the one it mirrors."""

OPEN = frozenset(map(table_id, ("BT00", "BT01", "ET03")))
"""Read without a key (p. 48, 19, 18), so that a meter can be named before its owner has one."""

WITHHELD = frozenset(map(table_id, ("BT04", "ET21", "ET51")))
"""Not read by the read-only key (p. 11, 38, 14)."""


class Access(IntEnum):
    """What has been shown so far (p. 13)."""

    NONE = 0
    """No key."""
    READ_ONLY = 1
    """RK: reads nearly everything."""
    PROVISIONING = 2
    """PK: writes too, but neither keys nor firmware."""
    UNIQUE = 3
    """MK: everything."""


def may(request: Request, access: Access) -> bool:
    """Tell whether a key allows this; the handler may still refuse."""
    table = request.table % PENDING
    if not isinstance(request, Read | PartialRead):
        return access >= Access.PROVISIONING
    if table in OPEN:
        return True
    return access >= (Access.PROVISIONING if table in WITHHELD else Access.READ_ONLY)
