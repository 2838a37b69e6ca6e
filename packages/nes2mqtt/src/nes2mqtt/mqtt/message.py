"""What goes to a broker: a message, and the will it keeps for us.

This module does not know what a meter is.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Message", "Will"]


@dataclass(frozen=True, slots=True)
class Message:
    """One PUBLISH."""

    topic: str
    payload: str
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Will:
    """A retained topic that says whether this program is there.

    The broker publishes ``offline`` when the connection ends without a farewell (MQTT 3.1.1,
    section 3.1.2.5). One connection has one will, so a dialect with a will of its own
    needs a connection of its own.
    """

    topic: str
    online: str = "online"
    offline: str = "offline"
    qos: int = 1

    @property
    def birth(self) -> Message:
        """Return what we publish once connected."""
        return Message(self.topic, self.online, self.qos, retain=True)

    @property
    def death(self) -> Message:
        """Return what the broker publishes for us, and we ourselves when we leave in good order."""
        return Message(self.topic, self.offline, self.qos, retain=True)
