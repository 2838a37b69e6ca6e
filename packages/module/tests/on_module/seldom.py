"""Loads a module for one purpose, lets it go, and prints whether its memory came back."""

import gc

from nesmodule.board.seldom import forget
from nesmodule.outputs import login


def used():
    gc.collect()
    return gc.mem_alloc()


loaded = used()
del login
forget("nesmodule.outputs.login")
# What it needed itself stays.
print(loaded - used() > 2000)
