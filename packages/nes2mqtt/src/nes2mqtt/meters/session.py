"""What the poller needs of a meter: who it is, its tables, its clock. :class:`osgp.meter.Meter` gives it.

This module does not know how bytes reach the meter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from nes2mqtt.meters.bounds import Ratings
from osgp.meter.logs import LogRead
from osgp.ports.tap.health import ModuleHealth
from osgp.sources import Source
from osgp.tables.calendar.tariffs import Tariffs
from osgp.tables.load_profile.profile import LoadProfile
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage
from osgp.tables.mbus.devices import MbusDevice
from osgp.tables.quality.report import SupplyQuality
from osgp.tables.status.state import MeterState

__all__ = ["Cadence", "Identity", "MeterSession", "OpenMeter"]


class Identity(Protocol):
    """Who the meter says it is; empty text where it does not tell."""

    @property
    def serial(self) -> str:
        """The grid company's serial number."""

    @property
    def manufacturer(self) -> str:
        """The maker's name."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def firmware(self) -> str:
        """The firmware as on the display."""


class MeterSession(Protocol):
    """What the poller needs of :class:`osgp.meter.Meter`; every reply has been verified."""

    @property
    def url(self) -> str:
        """The port by its identity, which stays when an adapter is plugged in elsewhere."""

    @property
    def security(self) -> str | None:
        """How it is talked to; None as long as that is to be found out, and where there is nothing to choose."""

    @property
    def health(self) -> ModuleHealth | None:
        """What the module in the meter told of itself; None where the meter is reached without one, or before it told."""

    @property
    def stats(self) -> object:
        """Link counts, named as in :class:`~nes2mqtt.readings.reading.LinkQuality`."""

    async def identity(self) -> Identity:
        """Read who the meter says it is: manufacturer, model, serial number, firmware."""

    async def dimensions(self) -> Hashable:
        """Read the numbers that say how the meter's tables are laid out."""

    async def ratings(self) -> Ratings:
        """Read the voltage and the current that the meter is made for."""

    async def registers(self) -> Mapping[Source, int]:
        """Read BT23."""

    async def present(self) -> Mapping[Source, int]:
        """Read BT28."""

    async def clock(self) -> datetime:
        """Read BT52."""

    async def mbus_devices(self) -> tuple[MbusDevice, ...]:
        """Read what the meter has of the devices behind it; asks none of them."""

    async def state(self) -> MeterState:
        """Read what the meter says of itself: alarms, contactor, relays, wiring."""

    async def tariffs(self) -> Tariffs:
        """Read which tariff counts, and which comes next."""

    async def quality(self) -> SupplyQuality:
        """Read what the meter counts of the supply's quality."""

    async def events(self, known: str = "") -> LogRead[Event]:
        """Read what is new in the event logs."""

    async def outages(self, known: str = "", *, zone: tzinfo | None = None) -> LogRead[Outage]:
        """Read what is new about power outages."""

    async def profile(self, *, data_set: int = 1, since: datetime | None = None) -> LoadProfile:
        """Read the intervals of a load profile that ended then or later."""


OpenMeter = Callable[[str], AbstractAsyncContextManager[MeterSession]]
"""Opens the meter at an address; key, budget and power cycle are already in it."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between reads."""

    present: float = 2.0
    registers: float = 10.0
    clock: float = 600.0
    devices: float = 0.0
    """0: never."""
