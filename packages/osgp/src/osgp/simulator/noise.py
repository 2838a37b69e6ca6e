"""Smooth randomness that is a function of time: the same seed and the same second give the same value, for ever.

This module does not know what its numbers stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Wave", "extremes", "mix", "smooth", "sum_of"]

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


class Wave(NamedTuple):
    """One of several smooth randoms that are added up."""

    amplitude: float
    seed: int
    period: int


def sum_of(waves: Sequence[Wave], now: float) -> float:
    """Return the sum of some waves at a moment."""
    return sum(wave.amplitude * smooth(wave.seed, now, wave.period) for wave in waves)


def extremes(waves: Sequence[Wave], begin: int, end: int) -> tuple[tuple[float, int], tuple[float, int]]:
    """Return the lowest and the highest sum of some waves, and when: from ``begin`` to ``end``, whole seconds, both included.

    A wave is straight between its aims, so only they count; stretches that cannot reach the best one found are passed over.

    Args:
        waves: the slowest first; each period is a multiple of the last one.
        begin: where to look from.
        end: up to where.
    """
    slow = waves[0]
    starts = range(begin - begin % slow.period, end + 1, slow.period)
    aims = [slow.amplitude * smooth(slow.seed, start, slow.period) for start in (*starts, starts[-1] + slow.period)]
    low, when_low = _highest(waves, begin, end, starts, [-aim for aim in aims], -1)
    high, when_high = _highest(waves, begin, end, starts, aims, 1)
    return (-low, when_low), (high, when_high)


def _highest(
    waves: Sequence[Wave], begin: int, end: int, starts: range, aims: Sequence[float], sign: int
) -> tuple[float, int]:
    slow, *fast = waves
    rest, last = sum(wave.amplitude for wave in fast), fast[-1].period
    best = max((sign * sum_of(waves, moment), -moment) for moment in (begin, end))
    reaches = sorted(
        ((max(pair) + rest, start) for pair, start in zip(pairwise(aims), starts, strict=True)), reverse=True
    )
    for reach, start in reaches:
        if reach <= best[0]:
            break
        for piece in range(start - start % fast[0].period, start + slow.period, fast[0].period):
            within = reach - fast[0].amplitude + _reach(fast[0], piece, sign)
            if within > best[0]:
                first = max(piece, begin + -begin % last)
                moments = range(first, min(piece + fast[0].period, end + 1), last)
                best = max([best, *((sign * sum_of(waves, moment), -moment) for moment in moments)])
    return best[0], -best[1]


def _reach(wave: Wave, start: int, sign: int) -> float:
    """Return the most that a wave comes to between two of its aims."""
    return wave.amplitude * max(
        sign * smooth(wave.seed, moment, wave.period) for moment in (start, start + wave.period)
    )
