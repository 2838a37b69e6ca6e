"""Read the devices behind a meter, and hand them to the hub.

They are read from the meter's tables, slowly: the meter itself reads its devices once an hour or less often. No device is
asked for anything, which would take of its battery.

This module does not know how a question is asked again, nor when.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nes2mqtt.readings.devices import devices_of
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import DevicesRead
from osgp.errors import MeterRefused
from osgp.tables.mbus.devices import MbusDevice

__all__ = ["hand_on_devices"]


async def hand_on_devices(meter: str, hub: Hub, ask: Callable[[], Awaitable[tuple[MbusDevice, ...]]]) -> None:
    """Publish the devices behind a meter; nothing where it has no tables of them, or does not show them to this key.

    Raises:
        OsgpError: whatever else ``ask`` raises.
    """
    try:
        found = await ask()
    except MeterRefused:
        return
    moment = hub.clock.moment()
    hub.publish(DevicesRead(meter, devices_of(found), moment.label, moment.instant or 0.0))
