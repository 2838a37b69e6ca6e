"""What each key may write, as data (MEP guide v1.1 p. 260-264, Appendix C).

Both keys read every table there is. A table that stands nowhere here is read-only.

Where the guide contradicts itself: Appendix C (p. 262) calls ET71 read-only, yet its own page (p. 174) lets both keys
write it. The page wins, because a delta alert that nobody can set would be none. ET61, ET62 and ET97 are missing from
Appendix C and follow their own pages (p. 166, 168, 192). BT24 is read-only in Appendix C.

This module does not know how a key is recognised.
"""

from __future__ import annotations

from osgp.mep.server import Access
from osgp.psem import table_id

__all__ = ["WRITERS", "may_write"]

_ANYONE = "BT07 ET50 ET51 ET52 ET71"
_ADVANCED = (
    "BT15 BT23 BT33 BT53 BT54 ET01 ET02 ET03 ET04 ET05 ET06 ET07 ET09 ET13 ET23 ET34 ET40 ET47 ET55 ET57 "
    "ET61 ET62 ET67 ET76 ET77 ET80 ET97"
)

WRITERS = {table_id(name): Access.BASIC for name in _ANYONE.split()} | {
    table_id(name): Access.ADVANCED for name in _ADVANCED.split()
}
"""The least access that may write a table, by table id; a table that is absent is read-only."""


def may_write(table: int, access: Access) -> bool:
    """Tell whether a key of this access may write the table."""
    needed = WRITERS.get(table)
    return needed is not None and access >= needed
