"""Numbers that one table dictates and another obeys, as expressions: what they come to, and how the guide writes them.

>>> from osgp.tables.schema.count import count
>>> blocks = 1 + count("tiers")
>>> blocks.text, blocks.of(Dimensions(tiers=2))                      # doctest: +SKIP
('1 + BT21.7', 3)

So the reference page cannot say another thing than the decoder does. Where a number comes from is told once, beside the
dimension itself (:func:`osgp.tables.schema.dimensions.told`). A difference is never less than nothing.

This module does not know any table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

from osgp.tables.schema.dimensions import Dimensions, where_told

__all__ = ["Count", "count", "own_count"]


@dataclass(frozen=True, slots=True)
class Count:
    """A number that other tables dictate: how many elements, or whether a field is there at all (not 0)."""

    text: str
    """As the guide writes it: ``BT21.3``, ``1 + BT21.7``."""
    of: Callable[[Dimensions], int]
    _is_sum: bool = field(default=False, kw_only=True)

    def __add__(self, other: int) -> Count:
        of = self.of
        return Count(f"{self.text} + {other}", lambda dims: of(dims) + other, _is_sum=True)

    def __radd__(self, other: int) -> Count:
        of = self.of
        return Count(f"{other} + {self.text}", lambda dims: other + of(dims), _is_sum=True)

    def __sub__(self, other: int) -> Count:
        of = self.of
        return Count(f"{self.text} - {other}", lambda dims: max(of(dims) - other, 0), _is_sum=True)

    def __floordiv__(self, other: int) -> Count:
        of = self.of
        return Count(
            f"({self.text}) / {other}" if self._is_sum else f"{self.text} / {other}", lambda dims: of(dims) // other
        )

    def at_most(self, most: int) -> Count:
        """Return the smaller of the two."""
        of = self.of
        return Count(f"min({most}, {self.text})", lambda dims: min(most, of(dims)))

    def above(self, least: int) -> Count:
        """Return whether it is greater; what is unknown (None) is."""
        of = self.of

        def is_above(dims: Dimensions) -> bool:
            number: int | None = of(dims)
            return number is None or number > least

        return Count(f"{self.text} > {least}", is_above)

    def negated(self) -> Count:
        """Return whether it is 0."""
        of = self.of
        return Count(f"not {self.text}", lambda dims: not of(dims))

    def written(self, text: str) -> Count:
        """Return the same under another name, which the page of the guide uses."""
        return Count(text, self.of)


def count(name: str) -> Count:
    """Return a dimension by its name in :class:`Dimensions` (``tiers``, ``calendar.seasons``).

    Raises:
        KeyError: there is no such dimension, or nothing is said about where meters tell it.
    """
    return Count(where_told(name), attrgetter(name))


def own_count(place: int, text: str) -> Count:
    """Return a number that a table holds about itself: the one at this place of its ``own_counts``; 0 until it is read."""
    return Count(text, lambda dims: dims.own[place] if dims.own else 0)
