"""Plays silence to what decides on power cycles, and prints when there is one."""

import json
import sys

from osgp.ports.silences import Silences

silences = Silences()
for step in json.loads(sys.stdin.read()):
    if step == "a":
        silences.answered()
    elif silences.silent(step):
        silences.cycled(step)
        print(step)
