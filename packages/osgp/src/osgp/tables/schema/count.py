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
from dataclasses import dataclass, field, replace
from operator import attrgetter

from osgp.errors import TableError
from osgp.tables.schema.dimensions import Dimensions, where_told

__all__ = ["Count", "Untold", "count", "own_count"]


class Untold(TableError):
    """What tells how a table is laid out was not read, so nothing in it can be told from anything else."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number that other tables dictate: how many elements, or whether a field is there at all (not 0)."""

    text: str
    """As the guide writes it: ``BT21.3``, ``1 + BT21.7``."""
    of: Callable[[Dimensions], int | None]
    """Works it out; None where the table that tells was not read. See :meth:`number`."""
    names: frozenset[str] = frozenset()
    """The dimensions that it is made of."""
    _is_sum: bool = field(default=False, kw_only=True)

    def number(self, dims: Dimensions) -> int:
        """Return what it comes to in such a meter.

        Raises:
            Untold: the table that tells was not read.
        """
        number = self.of(dims)
        if number is None:
            raise Untold(
                f"how long a table of this meter is stands in {self.text}, which was not read, so nothing in it can be "
                "told. Read that table too"
            )
        return number

    def __add__(self, other: int) -> Count:
        return self._made(f"{self.text} + {other}", lambda number: number + other, is_sum=True)

    def __radd__(self, other: int) -> Count:
        return self._made(f"{other} + {self.text}", lambda number: other + number, is_sum=True)

    def __sub__(self, other: int) -> Count:
        return self._made(f"{self.text} - {other}", lambda number: max(number - other, 0), is_sum=True)

    def __mul__(self, other: int) -> Count:
        return self._made(f"{self._factor} * {other}", lambda number: number * other)

    def __floordiv__(self, other: int) -> Count:
        return self._made(f"{self._factor} / {other}", lambda number: number // other)

    def at_most(self, most: int) -> Count:
        """Return the smaller of the two."""
        return self._made(f"min({most}, {self.text})", lambda number: min(most, number))

    def above(self, least: int) -> Count:
        """Return whether it is greater; what is unknown (None) is."""
        of = self.of

        def is_above(dims: Dimensions) -> bool:
            number = of(dims)
            return number is None or number > least

        return replace(self, text=f"{self.text} > {least}", of=is_above, _is_sum=False)

    def negated(self) -> Count:
        """Return whether it is 0."""
        return self._made(f"not {self.text}", lambda number: not number)

    def written(self, text: str) -> Count:
        """Return the same under another name, which the page of the guide uses."""
        return replace(self, text=text, _is_sum=False)

    @property
    def _factor(self) -> str:
        return f"({self.text})" if self._is_sum else self.text

    def _made(self, text: str, change: Callable[[int], int], *, is_sum: bool = False) -> Count:
        return replace(self, text=text, of=lambda dims: change(self.number(dims)), _is_sum=is_sum)


def count(name: str) -> Count:
    """Return a dimension by its name in :class:`Dimensions` (``tiers``, ``calendar.seasons``).

    Raises:
        KeyError: there is no such dimension, or nothing is said about where meters tell it.
    """
    return Count(where_told(name), attrgetter(name), frozenset({name}))


def own_count(place: int, text: str) -> Count:
    """Return a number that a table holds about itself: the one at this place of its ``own_counts``; 0 until it is read."""
    return Count(text, lambda dims: dims.own[place] if dims.own else 0)
