"""Putting faults into the product, and taking them out again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Planted", "Replace", "plant"]

Replace = Callable[[Any, str, Any], None]
"""Replaces an attribute of an owner, until the world ends."""

_World = TypeVar("_World")
_Fault = TypeVar("_Fault")


@dataclass(frozen=True, slots=True)
class Planted(Generic[_World, _Fault]):
    """One fault in the product.

    Args:
        sentence: the one that has to fail.
        words: what is wrong.
        put: puts it in, by a function that replaces an attribute and knows how to put it back.
        faults: what has to happen in the world for it to show.
    """

    sentence: str
    words: str
    put: Callable[[_World, Replace], None]
    faults: tuple[_Fault, ...] = ()


def plant(planted: Planted[_World, Any]) -> Callable[[_World], Callable[[], None]]:
    """Return what puts the fault into a world and returns what takes it out: a world's ``plant``."""

    def put(world: _World) -> Callable[[], None]:
        undo: list[tuple[Any, str, Any]] = []

        def swap(owner: Any, name: str, value: Any) -> None:
            undo.append((owner, name, owner.__dict__.get(name, getattr(owner, name))))
            setattr(owner, name, value)

        planted.put(world, swap)

        def put_back() -> None:
            for owner, name, value in reversed(undo):
                setattr(owner, name, value)

        return put_back

    return put
