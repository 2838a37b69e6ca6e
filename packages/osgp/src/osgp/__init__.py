"""Talk to an Echelon/NES (OSGP) smart meter, decode its tables, and simulate such a meter.

>>> from osgp import MeterKey, open_meter
>>> async with open_meter("serial:///dev/ttyUSB0", key=MeterKey.parse(text)) as meter:
...     registers = await meter.registers()

Names are loaded when they are first used: ``import osgp`` alone opens no asyncio and no serial library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from osgp import errors
from osgp.key import MeterKey

if TYPE_CHECKING:
    from osgp.meter import Identity, Meter, Ratings, open_meter
    from osgp.meter.budget import ReadBudget
    from osgp.meter.writing import AllowWrites
    from osgp.optical.key import OpticalKey
    from osgp.ports.recovery import Recovery

__all__ = [
    "AllowWrites",
    "Identity",
    "Meter",
    "MeterKey",
    "OpticalKey",
    "Ratings",
    "ReadBudget",
    "Recovery",
    "errors",
    "open_meter",
]

__version__ = "0.1.0"

_HOMES = {
    "AllowWrites": "osgp.meter.writing",
    "Identity": "osgp.meter",
    "Meter": "osgp.meter",
    "OpticalKey": "osgp.optical.key",
    "Ratings": "osgp.meter",
    "ReadBudget": "osgp.meter.budget",
    "Recovery": "osgp.ports.recovery",
    "open_meter": "osgp.meter",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'osgp' has no attribute '{name}'")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value
