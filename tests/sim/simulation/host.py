"""The computer: its clock, and whether it has power."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Host"]


class Host:
    """One computer.

    Args:
        clock: seconds of the world.
        start: true time, UTC seconds, when the world begins.
    """

    def __init__(self, clock: Callable[[], float], start: float) -> None:
        self._clock, self._start = clock, start
        self._offset = 0.0
        self._drift = (0.0, 0.0)
        """Seconds a second, and since when."""
        self.synchronised: bool | None = True
        """What it says of its clock."""
        self.offsets = [0.0]
        """By how much its clock was ever ahead."""
        self.life = 0
        """How often the program was started."""
        self.boots = 1
        """How often the computer was."""
        self.running = False

    def true(self) -> float:
        """Return true time, UTC seconds."""
        return self._start + self._clock()

    def wall(self) -> float:
        """Return what its clock shows, UTC seconds."""
        return self.true() + self.off()

    def off(self) -> float:
        """Return by how much its clock is ahead of true time."""
        rate, since = self._drift
        return self._offset + rate * (self._clock() - since)

    def step(self, seconds: float) -> None:
        """Set the clock ahead, or back; it never shows a time before 1970."""
        self._offset = max(self.off() + seconds, 3600.0 - self.true())
        self._drift = (self._drift[0], self._clock())
        self.offsets.append(self._offset)

    def put_right(self) -> None:
        """Let time-sync set the clock."""
        self._offset, self._drift = 0.0, (0.0, self._clock())

    def drift(self, parts_in_a_million: float) -> None:
        """Let the clock go too fast or too slow from now on."""
        self._offset, self._drift = self.off(), (parts_in_a_million / 1e6, self._clock())

    def alive(self, life: int) -> bool:
        """Tell whether what belongs to a life of the program still has a computer; the world itself (0) always has."""
        return life == 0 or (self.running and life == self.life)
