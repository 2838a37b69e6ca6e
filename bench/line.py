"""What share of a 9600 baud line's limit a burst of reads uses.

The limit is what physics and the meter leave: ten bits a byte both ways, the meter's 25 ms pause after
each 117 bytes, and its rule of one request in 100 ms (MEP guide v1.1 p. 21). The line is a pty paced at
9600 baud; the meter is the simulated one with a real meter's tables, every reply verified and decoded.
"""

from __future__ import annotations

import asyncio
import time

from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.mep.events import ResponseReceived
from osgp.mep.security import Security
from osgp.mep.timing import REQUEST_SPACING, Line
from osgp.meter.meter import LinkEvent
from osgp.meter.opening import open_meter
from osgp.psem import PartialRead
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter
from table import Row

_SAMPLES = 25
_REQUEST = 2 + 8 + 4 + 8
"""Length, partial read, sequence number, digest."""
_AROUND_DATA = 2 + 3 + 8
_BAUD = 9600


async def _burst(security: Security) -> tuple[float, float]:
    """Return samples a second as measured and as the line would allow."""
    line, key, least = Line(_BAUD), MeterKey.parse(DEMO_KEY_TEXT), 0.0

    def count(event: LinkEvent) -> None:
        nonlocal least
        if isinstance(event, ResponseReceived) and isinstance(event.request, PartialRead):
            reply = line.response_seconds(len(event.response.data) + _AROUND_DATA)
            least += max(REQUEST_SPACING, line.seconds(_REQUEST) + reply)

    async with (
        SimulatedMeter(MeterImage.load("image:denmark-gen3"), baud=_BAUD) as simulated,
        open_meter(simulated.serve_pty(), key=key, security=security) as meter,
    ):
        await meter.registers()
        await meter.present()
        meter.on_event = count
        start = time.perf_counter()
        for _ in range(_SAMPLES):
            await meter.registers()
            await meter.present()
        spent = time.perf_counter() - start
    return _SAMPLES / spent, _SAMPLES / least


def rows() -> list[Row]:
    """Measure."""
    found = []
    for security, name in ((Security.RC4_PLAIN, "plain"), (Security.RC4, "encrypted")):
        speed, limit = asyncio.run(_burst(security))
        share = speed / limit
        found.append(Row(f"burst at 9600 baud, {name}: whole BT23 + BT28, per second", f"{speed:.2f} of {limit:.2f}"))
        found.append(Row("  share of the line's limit", f"{share:.1%}", "at least 95 %", share >= 0.95))
    return found
