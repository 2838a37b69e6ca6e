"""Whether another gateway publishes to the same topics of the same broker.

Two gateways with one base topic take turns in one topic: the registers of two houses become one that jumps to and fro. No
broker notices. So each gateway says on ``<base>/gateway`` who it is when it connects; one that hears another answers, and
both know. So it does for every base topic it uses, and for its name to Home Assistant. The messages are not retained: a gateway that is gone is not heard.

This module does not know connections or clocks; it is given moments, in seconds of any clock that does not jump.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from nes2mqtt.outputs.mqtt.client.connection import Received
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.dialects.rows import compact

__all__ = ["CLAIM", "REPEAT", "Instances"]

CLAIM = "gateway"
"""Topic below the base topic on which a gateway says who it is."""

REPEAT = 300.0
"""Seconds between two messages while another gateway is known, so that each notices when the other leaves."""

_ANSWER_AGAIN = 2.0
"""Seconds in which another gateway gets no second answer. Short, because it may have lost the first with its connection."""

_FORGET = 3 * REPEAT
_MOST = 16
"""Other gateways remembered; a flood of inventions must not grow."""


_LONGEST = 1024
"""Characters; what is longer is no claim of a gateway, whoever may have sent it."""


@dataclass(slots=True)
class _Other:
    said: str
    heard: float
    answered: float = float("-inf")


class Instances:
    """Knows the other gateways with our base topic.

    Args:
        base: the base topic.
        name: our name, from the configuration.
        instance: what only this process is called.
        shares: what another gateway that is heard does, as the end of a sentence; without it, that it publishes below ``base`` too.
    """

    def __init__(self, base: str, name: str, instance: str, shares: str = "") -> None:
        self.topic = f"{base}/{CLAIM}"
        self.heard_ourselves = False
        """The broker gave our own claim back, so another gateway's answer would have come too."""
        self._shares = shares or f"publishes below {base}/ on this broker too"
        self._name = name
        self._instance = instance
        self._others: dict[str, _Other] = {}

    def claim(self) -> Message:
        """Return the message that says who we are, and asks who else is there."""
        return self._say({})

    def _say(self, more: dict[str, bool]) -> Message:
        who = {"instance": self._instance, "name": self._name, "host": socket.gethostname()}
        return Message(self.topic, compact({**who, **more}), qos=1)

    def hear(self, message: Received, now: float) -> Message | None:
        """Take note of a message on :attr:`topic`; return our answer, if it wants one."""
        if message.retained or len(message.payload) > _LONGEST:
            return None
        try:
            who = json.loads(message.payload)
            instance, said = str(who["instance"]), f"'{who['name']}' on {who['host']}"
            answer = bool(who.get("answer"))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None
        if instance == self._instance:
            self.heard_ourselves = True
            return None
        if instance not in self._others and len(self._others) >= _MOST:
            return None
        shown = "".join(character for character in said if character.isprintable())[:100]
        other = self._others.setdefault(instance, _Other(shown, now))
        other.heard = now
        # An answer gets no answer: two must not answer each other for ever.
        if answer or now - other.answered < _ANSWER_AGAIN:
            return None
        other.answered = now
        return self._say({"answer": True})

    def others(self, now: float) -> list[str]:
        """Return the other gateways that were heard lately, for people."""
        for instance, other in tuple(self._others.items()):
            if now - other.heard > _FORGET:
                del self._others[instance]
        return [other.said for other in self._others.values()]

    def problem(self, now: float) -> str:
        """Return in words that we are not alone, and what to do; empty when we are."""
        others = self.others(now)
        if not others:
            return ""
        return (
            f"another gateway, {others[0]}, {self._shares}: the values of two gateways "
            "take turns in the same topics. Give each its own name, and base_topic in [[mqtt]]"
        )
