"""A subscriber to everything, on a real broker."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Ears:
    """Hears all messages of a broker; use it as a context manager."""

    def __init__(self, port: int) -> None:
        self.last: dict[str, str] = {}
        """The newest payload of each topic."""
        self.heard: list[tuple[str, str]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = self._message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)

    def _message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        text = message.payload.decode()
        self.last[message.topic] = text
        self.heard.append((message.topic, text))

    def json(self, topic: str) -> dict[str, Any]:
        """Return the newest document of a topic; empty if there is none yet."""
        document: dict[str, Any] = json.loads(self.last.get(topic, "{}"))
        return document

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
