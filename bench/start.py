"""How long a gateway with one meter takes from its start to a page, to the first live values and to the first registers on MQTT.

The meter's line is paced at 9600 baud. Registers come later than live values because a first one must be confirmed by a second.
The moments are those at which a subscriber of the broker has them.
"""

from __future__ import annotations

import time

from table import Row
from town import Town

_PATIENCE = 60.0


def rows() -> list[Row]:
    """Measure."""
    with Town(1, present_every=1.0, registers_every=10.0, baud=9600, listen="nes2mqtt/meters/m0/#").running() as town:
        end = time.monotonic() + _PATIENCE
        while not {"present", "registers"} <= (arrivals := town.arrivals()).keys():
            if time.monotonic() > end:
                raise RuntimeError(f"within {_PATIENCE:.0f} s only these came on MQTT: {sorted(arrivals)}")
            time.sleep(0.1)
        page = town.page_after
    return [
        Row("start of one meter at 9600 baud: the page answers after", f"{page:.2f} s"),
        Row("  live values are on MQTT after", f"{arrivals['present']:.2f} s"),
        Row("  registers are on MQTT after", f"{arrivals['registers']:.2f} s"),
    ]
