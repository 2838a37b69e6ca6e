"""Retained messages of names that left the configuration, and their removal.

A broker keeps retained messages for ever: without help a meter that was renamed stays in Home Assistant, with its last
register, as available as the gateway. So the topics in which something may be retained are noted in a file of the data
folder; what is noted and no longer ours is emptied at the next connect. The file also remembers into how small parts
announcements had to be cut for this broker.

This module does not know which topics there are.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path

__all__ = ["Leftovers"]

_log = logging.getLogger(__name__)


class Leftovers:
    """What is noted of one broker.

    Args:
        folder: the data folder; None: nothing is remembered, nothing removed.
        broker: what tells this broker from others, such as its address.
    """

    def __init__(self, folder: Path | None, broker: str) -> None:
        self._path = None if folder is None else folder / f"mqtt-{sha256(broker.encode()).hexdigest()[:12]}.json"
        self._broker = broker
        self.topics: dict[str, str] = {}
        """Topics in which something of ours may be retained, each with the topic on which a gateway claims it.

        The latter is empty where an older version of this program did not note it.
        """
        self.step = 0
        """How small announcements had to be made."""
        self._used: set[str] = set()
        """Topics that were noted since this program started: they are no leftovers, whatever else is said."""
        self._load()

    def _load(self) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
            noted = json.loads(self._path.read_text(encoding="utf-8"))
            topics = noted["topics"]
            self.topics = {str(topic): str(topics[topic]) if isinstance(topics, dict) else "" for topic in topics}
            self.step = int(noted["step"])

    def beyond(self, ours: Collection[str]) -> list[str]:
        """Return the noted topics that are not ours any more."""
        return sorted(set(self.topics) - self._used - set(ours))

    def add(self, topics: Mapping[str, str], step: int) -> None:
        """Note topics, each with the topic on which it is claimed, before something is retained there."""
        self._used.update(topics)
        noted = {**self.topics, **topics}
        if (noted, step) != (self.topics, self.step):
            self.topics, self.step = noted, step
            self._save()

    def removed(self, topics: Collection[str]) -> None:
        """Note that topics are empty, or another gateway's."""
        for topic in topics:
            self.topics.pop(topic, None)
        self._save()

    def _save(self) -> None:
        if self._path is None:
            return
        noted = {
            "broker": self._broker,
            "step": self.step,
            "topics": dict(sorted(self.topics.items())),
        }
        new = self._path.with_suffix(".new")
        try:
            new.touch(mode=0o600)
            new.write_text(json.dumps(noted, indent=0), encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            _log.warning(
                "cannot note in %s which topics are ours (%s): if a meter leaves the configuration, what the broker "
                "keeps of it stays there",
                self._path,
                error.strerror or error,
            )
            self._path = None
