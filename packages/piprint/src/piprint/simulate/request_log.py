"""What was asked of the stand-in: the last requests, and counters of all.

Headers and bodies are never kept, so no secret can be. This module does not know HTTP.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Entry", "RequestLog"]

_KEPT = 1000


@dataclass(slots=True)
class Entry:
    """One request.

    Attributes:
        at: when it came, by the server's clock.
        method: of HTTP.
        path: decoded, with its query.
        status: of the answer; 0 when the connection was broken before one.
        received: bytes of its body.
        sent: bytes of the answer's body.
        seconds: until the answer was sent.
        fault: the kind of the fault that struck it; "" for none.
    """

    at: datetime
    method: str
    path: str
    status: int = 0
    received: int = 0
    sent: int = 0
    seconds: float = 0
    fault: str = ""


@dataclass(slots=True)
class RequestLog:
    """The last requests and the counters.

    Attributes:
        entries: the last thousand, oldest first.
        calls: requests to OData and API, without those for tokens.
        tokens: requests for tokens.
        received: bytes of all requests' bodies.
        sent: bytes of all answers' bodies.
        statuses: how often each was answered.
        running: requests now being answered.
        most_running: most at once.
    """

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_KEPT))
    calls: int = 0
    tokens: int = 0
    received: int = 0
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    running: int = 0
    most_running: int = 0

    def begin(self, entry: Entry, *, token: bool) -> None:
        """Note that a request came."""
        self.entries.append(entry)
        self.tokens += token
        self.calls += not token
        self.received += entry.received
        self.running += 1
        self.most_running = max(self.most_running, self.running)

    def end(self, entry: Entry) -> None:
        """Note that it was answered, or broken off."""
        self.running -= 1
        self.sent += entry.sent
        self.statuses[entry.status] += 1

    def clear(self) -> None:
        """Count from nought again; requests still running stay counted as such."""
        self.entries.clear()
        self.statuses.clear()
        self.calls = self.tokens = self.received = self.sent = 0
        self.most_running = self.running
