"""State machines as tables: which state follows which, by what happened; and an error of its own for what is in no row.

A table is written down once, in the module whose life it describes. The code moves through it by :func:`move`, the tests walk
it, and ``docs/reference/links.md`` is drawn from it.

This module does not know any state.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from osgp.errors import IllegalMove

__all__ = ["move"]

_State = TypeVar("_State", bound=Enum)
_Event = TypeVar("_Event", bound=Enum)


def move(table: Mapping[_State, Mapping[_Event, _State]], state: _State, event: _Event) -> _State:
    """Return the state that follows ``state`` when ``event`` happens.

    Raises:
        IllegalMove: no row of the table says so.
    """
    try:
        return table[state][event]
    except KeyError:
        raise IllegalMove(
            f"{event.name} cannot happen to a link that is {state.name}. This is a mistake in this program, not in the "
            "meter; please report it with a trace (osgp trace)"
        ) from None
