"""The history: every reading kept, rolled up, and asked for again.

======================  ==================================================================
module                  what it is for
======================  ==================================================================
``store``               the face: what the rest of the program uses
``output``              the store as an output of the hub
``outbox``              durable queues of register readings (MQTT)
``writer``              the thread that writes
``recorder``            what is written when, and what happens when the disk fails
``tail``                what came since the last commit, so that a kill loses nothing
``numbers``             no number of a reading is given twice
``continuation``        where a run goes on, out of these two and the database
``journal``             readings into tables, each once
``blocks``              present values, packed
``retention``           what is thrown away, and when
``repair``, ``salvage``  a damaged database: what can be read of it goes on
``notices``             what happened and nobody has acknowledged yet
``backup``              the history into a file and back
``energy``              differences of registers
``rollups``             minutes, quarters, hours, days
``periods``             local days and months
``queries``             curves and energies
``rows``                samples to rows and back
``database``            how the file is opened
``migrations``          numbered SQL files in ``schema/``
======================  ==================================================================

This package does not know meters, MQTT or HTTP.
"""

from nes2mqtt.history.config import HistoryConfig, TailPlace
from nes2mqtt.history.errors import HistoryError, NewerSchema, Unreadable
from nes2mqtt.history.outbox import Outbox
from nes2mqtt.history.periods import Unit
from nes2mqtt.history.queries import EnergyPeriod, Line, Series
from nes2mqtt.history.store import Store, StoreStatus

__all__ = [
    "EnergyPeriod",
    "HistoryConfig",
    "HistoryError",
    "Line",
    "NewerSchema",
    "Outbox",
    "Series",
    "Store",
    "StoreStatus",
    "TailPlace",
    "Unit",
    "Unreadable",
]
