"""Smooth randomness that is a function of time: the same seed and the same second give the same value, for ever.

This module does not know what its numbers stand for.
"""

from __future__ import annotations

__all__ = ["mix", "smooth"]

_WORD = (1 << 64) - 1
_SPAN = float(1 << 63)


def mix(number: int) -> int:
    """Return 64 well-stirred bits of a number (the finisher of the SplitMix64 generator)."""
    number = (number + 0x9E3779B97F4A7C15) & _WORD
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _WORD
    return number ^ (number >> 31)


def smooth(seed: int, now: float, period: float) -> float:
    """Return a value in -1..1 that finds a new aim every ``period`` seconds and moves straight to it."""
    step, part = divmod(now / period, 1)
    start = mix(seed * 0x1F123BB5 + int(step))
    end = mix(seed * 0x1F123BB5 + int(step) + 1)
    return (start + (end - start) * part) / _SPAN - 1
