"""A simulated meter that answers like a real one, on TCP or a pseudo-terminal.

>>> async with SimulatedMeter() as meter:                          # doctest: +SKIP
...     url = await meter.serve_tcp("127.0.0.1", 0)

Without an image it stands in a made-up house (:mod:`~osgp.simulator.house`) whose registers and powers move; with one
it serves the tables of a real meter. To the house and its meter things may happen (:mod:`~osgp.simulator.history`), and the
meter keeps what a real one keeps of them (:mod:`~osgp.simulator.logs`). Replies are signed and, if asked so, encrypted; keys have their rights; faults are
switched on by name (:mod:`~osgp.simulator.faults`). This package does not know how a meter is read.
"""

from __future__ import annotations

from osgp.simulator.faults import FAULTS, Faults
from osgp.simulator.history.happenings import History
from osgp.simulator.history.scenarios import SCENARIOS, history_of
from osgp.simulator.house import House, neighbourhood
from osgp.simulator.simulated import DEMO_KEY_TEXT, SimulatedMeter

__all__ = [
    "DEMO_KEY_TEXT",
    "FAULTS",
    "SCENARIOS",
    "Faults",
    "History",
    "House",
    "SimulatedMeter",
    "history_of",
    "neighbourhood",
]
