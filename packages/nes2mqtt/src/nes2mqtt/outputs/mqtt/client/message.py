"""What goes to a broker: a message, and the will it keeps for us.

This module does not know what a meter is.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Message", "Will"]

_WITH_PROPERTIES = 5


@dataclass(frozen=True, slots=True)
class Message:
    """One PUBLISH."""

    topic: str
    payload: str
    qos: int = 0
    retain: bool = False

    def size(self, version: int) -> int:
        """Return the bytes of the whole packet (MQTT 3.1.1 and 5, section 3.3): header, topic, number, payload.

        Args:
            version: 5 for MQTT 5, whose packets have a length of properties too.
        """
        body = 2 + len(self.topic.encode()) + (2 if self.qos else 0) + int(version == _WITH_PROPERTIES)
        body += len(self.payload.encode())
        length = 1
        while body >> 7 * length:
            length += 1
        return 1 + length + body


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
