"""The history: every reading kept, rolled up, and asked for again.

======================  ==================================================================
module                  what it is for
======================  ==================================================================
``store``               the face: what the rest of the program uses
``output``              the store as an output of the hub
``outbox``              durable queues of register readings (MQTT)
``writer``              the thread that writes
``recorder``            what is written when, and what happens when the disk fails
``journal``             readings into tables, each once
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

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.errors import HistoryError, NewerSchema
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
    "Unit",
]
