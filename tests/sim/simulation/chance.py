"""Nothing in a world is left to chance: not the module random, and not when garbage is collected."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["PinnedRandom", "undisturbed"]


class PinnedRandom:
    """The module random, whose generators are seeded by the world where nobody seeds them."""

    def __getattr__(self, name: str) -> Any:
        return getattr(random, name)

    @staticmethod
    def Random(seed: Any = None) -> random.Random:  # noqa: N802 - as the module has it
        return random.Random(random.getrandbits(64) if seed is None else seed)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a world collect garbage only where it says so, and leave the module random as it was."""
    gc.collect()  # what an earlier world left must not wake up in this one
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()  # what is there already need not be looked at each time
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
        gc.unfreeze()
        if was_on:
            gc.enable()
