"""What makes a dialect: its rows, its base topic, its pace and how it says that we are there.

This module does not know any dialect by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nes2mqtt.outputs.mqtt.client.message import Message, Will
from nes2mqtt.outputs.mqtt.config import DialectName
from nes2mqtt.outputs.mqtt.dialects.rows import Row, When, render
from nes2mqtt.outputs.mqtt.dialects.view import View

__all__ = ["Dialect", "gateway_topic"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A set of topics and formats, configured."""

    name: DialectName
    base: str
    """What its topics start with; ``{meter}`` stands for the meter's id."""
    rows: tuple[Row, ...]
    will: Will
    """The topic that says whether this program is there."""
    every: float
    """Seconds between live values; 0: each one read."""

    def messages(self, when: When, view: View) -> Iterator[Message]:
        """Yield what is to be published on an occasion."""
        base = self.base.replace("{meter}", view.meter)
        return render((row for row in self.rows if row.when is when), base, view)

    def without(self, *topics: str) -> Dialect:
        """Return the same without some topics: what is not published there is not ours, so what is left there is removed."""
        return replace(self, rows=tuple(row for row in self.rows if row.topic not in topics))

    def retained(self, meter: str) -> Iterator[str]:
        """Yield the topics of a meter in which the broker keeps a message."""
        base = self.base.replace("{meter}", meter)
        return (f"{base}/{row.topic}" for row in self.rows if row.retain)


def gateway_topic(base: str) -> str:
    """Return a base topic without its meter: where the topics stand that exist once."""
    return base.replace("/{meter}", "").replace("{meter}/", "").replace("{meter}", "nes2mqtt")
