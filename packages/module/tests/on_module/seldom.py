"""Loads a module for one purpose, lets it go, and prints how much of its memory is still taken."""

import gc

from nesmodule.board.seldom import forget


def used():
    gc.collect()
    return gc.mem_alloc()


# What it needs itself stays.
from nesmodule.access import door  # noqa: E402, F401

before = used()
from nesmodule.outputs import login  # noqa: E402

loaded = used() - before
del login
forget("nesmodule.outputs.login")
print(loaded > 2000, used() - before < loaded // 4)
