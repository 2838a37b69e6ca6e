"""A durable queue of register readings for one output: a position in the journal.

The journal holds every reading once; each outbox only remembers how far it has delivered. So a
reading costs one write however many brokers it goes to, and a broker that was away gets all it
missed, in order. The oldest readings not delivered yet stand ready in memory; the rest is fetched
from the journal as they go.

This module does not know what delivering means. It belongs to the event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from nes2mqtt.history.tables.journal import Numbered

__all__ = ["WINDOW", "Outbox"]

WINDOW = 256
"""Readings that stand ready in memory, for a few meters; a store of many sets more."""


class Outbox:
    """Register samples that ``name`` has still to deliver. Get it from ``Store.outbox``.

    Delivery is at least once. The position is written with the next register sample, so after a
    power cut what was acknowledged since the last one comes again, with the same number.

    Args:
        name: under which the position is kept.
        position: number of the last sample delivered.
        last: number of the last sample there is.
        fetch: asked, with a number, to bring what follows it from the journal (:meth:`refill`).
        deliver: told the number up to which all is delivered.
    """

    def __init__(
        self, name: str, position: int, last: int, fetch: Callable[[int], None], deliver: Callable[[int], None]
    ) -> None:
        self.name = name
        self.changed = asyncio.Event()
        """Set when a sample was added; clear it before calling :meth:`pending`."""
        self.window = WINDOW
        """How many readings stand ready in memory; more meters bring more at a time."""
        self._fetch = fetch
        self._deliver = deliver
        self._window: deque[Numbered] = deque()
        self._position = position
        self._reach = position
        """Number up to which the window holds everything that is not delivered."""
        self._last = last
        self._fetching = False
        self._ask()

    def pending(self, limit: int) -> Sequence[Numbered]:
        """Return the oldest samples with their numbers, which only grow.

        Empty does not mean that none waits: more may be on the way from the journal. :attr:`changed` tells.
        """
        return list(islice(self._window, limit))

    def acknowledge(self, seq: int) -> None:
        """Forget the samples up to and including number ``seq``. Returns at once."""
        if seq <= self._position:
            return
        self._position = seq
        self._reach = max(self._reach, seq)
        while self._window and self._window[0][0] <= seq:
            self._window.popleft()
        self._deliver(seq)
        if len(self._window) < self.window // 2:
            self._ask()

    def waiting(self) -> int:
        """Return how many samples are not delivered."""
        # Numbers are not counted: they jump after a power cut.
        return len(self._window) + max(0, self._last - self._reach)

    def add(self, numbered: Sequence[Numbered]) -> None:
        """Take samples that were just committed; the store calls it."""
        caught_up = self._reach == self._last and not self._fetching
        self._last = numbered[-1][0]
        if caught_up and len(self._window) + len(numbered) <= self.window:
            self._extend(numbered)
        else:
            self._ask()

    def refill(self, numbered: Sequence[Numbered] | None, last: int) -> None:
        """Take what was fetched from the journal, and the number of the last sample there is; the store calls it.

        None: the journal cannot be read now. It is asked again with the next sample.
        """
        self._fetching = False
        if numbered is None:
            return
        self._last = max(self._last, last)
        fresh = [(seq, sample) for seq, sample in numbered if seq > self._reach]
        if fresh:
            self._extend(fresh)
        elif self._reach < self._last and not numbered:
            self._reach = self._last  # thinned or given up: there is nothing left in between
        if len(self._window) < self.window // 2:
            self._ask()

    def reset(self, position: int, last: int) -> None:
        """Begin again at ``position``: the numbers before were provisional; the store calls it."""
        self._window.clear()
        self._position = self._reach = position
        self._last = last
        self._fetching = False
        self._ask()

    def _extend(self, numbered: Sequence[Numbered]) -> None:
        self._window.extend(numbered)
        self._reach = numbered[-1][0]
        self.changed.set()

    def _ask(self) -> None:
        if self._reach < self._last and not self._fetching and len(self._window) < self.window:
            self._fetching = True
            self._fetch(self._reach)
