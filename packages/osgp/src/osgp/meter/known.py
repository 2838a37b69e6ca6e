"""What is known of a meter beyond one connection: the tables that tell the sizes of the others, and whether it speaks TLS.

Reading them takes a dozen requests. They change only with the program ID (ET04.14) or the IDT version (ET04.116) (MEP guide
v1.1 p. 54-55), so whoever reopens a port asks for these two and keeps the rest. A survey that
a broken connection cut short goes on where it stopped, and so does the reading of a load profile.

This module does not know how anything is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from osgp.mep.security import SecuritySeen
from osgp.meter.wear import WriteGovernor
from osgp.tables.mbus.reading import MbusReading

__all__ = ["KnownMeter", "Signature"]


class Signature(NamedTuple):
    """What changes whenever the meter or its dimensions do."""

    serial: str = ""
    """ET03; "" where the meter does not tell."""
    program: object = None
    """ET04.14."""
    version: int | None = None
    """ET04.116, the IDT version."""


@dataclass(slots=True)
class KnownMeter:
    """Give the same object to each :func:`~osgp.meter.open_meter` for the same port."""

    signature: Signature | None = None
    """Of the meter that the rest is of; None: nothing is."""
    tables: dict[str, bytes | None] = field(default_factory=dict)
    """Table data by name; None for a table the meter refused."""
    security: SecuritySeen = field(default_factory=SecuritySeen)
    """Whether the meter was seen to speak TLS."""
    blocks: dict[tuple[str, int], bytes] = field(default_factory=dict)
    """Finished blocks of a load profile of which the rest could not be read yet, from their first byte on: by
    configuration and number."""

    device_reads: dict[int, MbusReading] = field(default_factory=dict)
    """The newest read of each M-Bus device in the logs of reads, by its handle."""
    device_logs: dict[str, str] = field(default_factory=dict)
    """How far these logs were read, by table."""
    writes: WriteGovernor = field(default_factory=WriteGovernor)
    """What was written within the last hour. Kept whatever the meter is: forgetting it could wear one out."""

    def recognise(self, signature: Signature | None) -> None:
        """Forget everything unless it is of the meter with this signature; None fits no meter."""
        if signature is None or signature != self.signature:
            self.tables.clear()
            self.blocks.clear()
            self.device_reads.clear()
            self.device_logs.clear()
        self.signature = signature
