"""What each key may do with the tables, as data.

*MEP port* (MEP guide v1.1 p. 260-264, Appendix C): both keys may read every table of the meter. A table that is not
listed here is read-only.

The guide contradicts itself in one place: Appendix C (p. 262) calls ET71 read-only, but the page of ET71 (p. 174) lets
both keys write it. This module follows the page, because otherwise nobody could set a delta alert. ET61, ET62 and ET97
are missing from Appendix C; for them this module follows their own pages (p. 166, 168, 192). BT24 is read-only here,
because Appendix C says so.

*Optical port*: :mod:`osgp.optical.rights` says what the keys may read, and that the read-only key may not write at all.
This module adds the rule that the Optical guide v1.1 p. 13 gives only in words: the unique key alone may read and write
the tables of passwords and keys, which are BT42 and BT45 according to C12.19. The hardware lock is not simulated.

This module does not know how a key is recognised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from osgp.mep.server import Access
from osgp.optical.rights import Access as OpticalAccess
from osgp.psem import table_id

__all__ = [
    "CLEAR_DATA",
    "LOCK_TRANSACTIONS",
    "POST_DATA",
    "WRITERS",
    "Sender",
    "may_write",
    "mep_sender",
    "optical_sender",
]

_ANYONE = "BT07 ET50 ET51 ET52 ET71"
_ADVANCED = (
    "BT15 BT23 BT33 BT53 BT54 ET01 ET02 ET03 ET04 ET05 ET06 ET07 ET09 ET13 ET23 ET34 ET40 ET47 ET55 ET57 "
    "ET61 ET62 ET67 ET76 ET77 ET80 ET97"
)

WRITERS = {table_id(name): Access.BASIC for name in _ANYONE.split()} | {
    table_id(name): Access.ADVANCED for name in _ADVANCED.split()
}
"""The lowest access that suffices to write a table, by table id; a table that is not listed is read-only."""


_SECRETS = frozenset(map(table_id, ("BT42", "BT45")))

CLEAR_DATA = 3
"""Standard procedure 3 (C12.19): all registers to zero."""

POST_DATA = 0x0800 + 39
"""EP39, with which a MEP client answers an alert; both keys may call it (MEP guide v1.1 p. 18)."""

LOCK_TRANSACTIONS = 0x0800 + 61
"""EP61, with which one of two MEP clients locks ET52 and ET53; both keys may call it (MEP guide v1.1 p. 247)."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What the sender of a request may do.

    Args:
        may_read: tells whether the sender may read the table with this id.
        may_write: tells whether the sender may write the table with this id.
        sequence_numbers: the numbers that the sender may give its procedures (MEP guide v1.1 p. 52).
        procedures: the simulated procedures that the sender may call.
        redirected: True: the meter's settings name the table with the results of procedures; False: it is BT08.
        port: the MEP port, 1 or 2; 0 for none.
    """

    may_read: Callable[[int], bool]
    may_write: Callable[[int], bool]
    sequence_numbers: range
    procedures: frozenset[int] = frozenset()
    redirected: bool = False
    port: int = 0


def _any_table(_table: int) -> bool:
    return True


def mep_sender(access: Access, port: int = 1) -> Sender:
    """Return what a key of a MEP port may do."""
    return Sender(
        _any_table,
        lambda table: may_write(table, access),
        range(5, 10),
        frozenset({POST_DATA, LOCK_TRANSACTIONS}),
        redirected=True,
        port=port,
    )


def optical_sender(access: OpticalAccess) -> Sender:
    """Return what a key of the optical port may do, after the link has checked :mod:`osgp.optical.rights`."""
    unique = access is OpticalAccess.UNIQUE
    procedures = frozenset({CLEAR_DATA}) if unique else frozenset[int]()
    secrets = frozenset[int]() if unique else _SECRETS
    return Sender(lambda table: table not in secrets, lambda table: table not in secrets, range(256), procedures)


def may_write(table: int, access: Access) -> bool:
    """Tell whether a key of this access may write the table."""
    needed = WRITERS.get(table)
    return needed is not None and access >= needed
