"""What is wrong at the moment, and since when it is right again: sentences are excused while their part of the world fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Conditions"]


class Conditions:
    """Parts of the world, by name: ``line``, ``broker``, ``disk``, ``clock``, ``threads``."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._count: dict[str, int] = {}
        self._times: dict[str, list[list[float]]] = {}

    @contextmanager
    def bad(self, *parts: str) -> Iterator[None]:
        """Parts are bad within the block."""
        for part in parts:
            if not self._count.get(part):
                self._times.setdefault(part, []).append([self._clock(), float("inf")])
            self._count[part] = self._count.get(part, 0) + 1
        try:
            yield
        finally:
            for part in parts:
                self._count[part] -= 1
                if not self._count[part]:
                    self._times[part][-1][1] = self._clock()

    def is_bad(self, part: str) -> bool:
        """Tell whether a part is bad now."""
        return bool(self._count.get(part))

    def good_for(self, part: str) -> float:
        """Return for how many seconds a part has been good."""
        if self.is_bad(part):
            return 0.0
        times = self._times.get(part)
        return self._clock() - times[-1][1] if times else float("inf")

    def bad_for(self, part: str) -> float:
        """Return for how many seconds a part has been bad without a break."""
        return self._clock() - self._times[part][-1][0] if self.is_bad(part) else 0.0

    def touched(self, part: str, since: float, until: float) -> bool:
        """Tell whether a part was bad at any time between two moments."""
        return any(begin <= until and end >= since for begin, end in self._times.get(part, ()))

    def ever(self, part: str) -> bool:
        """Tell whether a part was ever bad."""
        return part in self._times
