"""What is known of a meter beyond one connection: the tables that tell the sizes of the others.

Reading them takes a dozen requests. They change only with the program ID (ET04.14) or the IDT version (ET04.116) (MEP guide
v1.1 p. 54-55), so whoever reopens a port asks for these two and keeps the rest. A survey that
a broken connection cut short goes on where it stopped.

This module does not know how anything is read.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

__all__ = ["KnownMeter"]


@dataclass(slots=True)
class KnownMeter:
    """Give the same object to each :func:`~osgp.meter.open_meter` for the same port."""

    signature: Hashable = None
    """Serial number, program ID and IDT version of the meter that the rest is of; None: nothing is."""
    tables: dict[str, bytes | None] = field(default_factory=dict)
    """Table data by name; None for a table the meter refused."""

    def recognise(self, signature: Hashable) -> None:
        """Forget everything unless it is of the meter with this signature; None fits no meter."""
        if signature is None or signature != self.signature:
            self.tables.clear()
        self.signature = signature
