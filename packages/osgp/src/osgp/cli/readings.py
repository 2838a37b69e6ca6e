"""What ``osgp read`` and ``osgp watch`` ask a meter for, in one object.

This module does not know how it is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from osgp.cli.opening import step
from osgp.cli.text.condition import quality_document, switch_document
from osgp.cli.text.log_text import event_document, outage_document
from osgp.cli.text.mbus_devices import device_document
from osgp.errors import MeterRefused, TableError
from osgp.sources import Source

if TYPE_CHECKING:
    from osgp.meter import Identity, Meter
    from osgp.ports.connection import LinkStats
    from osgp.tables.calendar.tariffs import Tariffs
    from osgp.tables.logs.events import Event
    from osgp.tables.logs.outages import Outage
    from osgp.tables.mbus.devices import MbusDevice
    from osgp.tables.quality.report import SupplyQuality

__all__ = ["Readings", "collect"]

T = TypeVar("T")


@dataclass(slots=True)
class Readings:
    """What a meter said. Absent is what it did not say; ``refused`` tells why."""

    identity: Identity
    values: dict[Source, int] = field(default_factory=dict)
    clock: datetime | None = None
    heard: datetime | None = None
    """This computer's clock when the meter's was read."""
    tariff: int | None = None
    """As on the display, from 1."""
    tariffs: Tariffs | None = None
    alarms: list[str] | None = None
    """Fields of BT03 that are on."""
    contactor: str | None = None
    """``closed``, ``closing``, ``open``, ``opening``; None where the meter has none or does not tell."""
    quality: SupplyQuality | None = None
    devices: tuple[MbusDevice, ...] = ()
    """M-Bus devices behind the meter; none also where it has no table of them."""
    newest_event: Event | None = None
    """Of the event logs; None also where it keeps none, as for :attr:`newest_outage`."""
    newest_outage: Outage | None = None
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def ahead(self) -> float | None:
        """Seconds by which the meter's clock is ahead of this computer's."""
        return None if self.clock is None or self.heard is None else (self.clock - self.heard).total_seconds()

    def document(self, stats: LinkStats) -> dict[str, Any]:
        """Return all of it for scripts."""
        ahead = self.ahead
        return {
            "meter": asdict(self.identity),
            "clock": None if self.clock is None else self.clock.isoformat(),
            "clock_ahead": None if ahead is None else round(ahead),
            "tariff": self.tariff,
            "next_tariff": None if self.tariffs is None else switch_document(self.tariffs.next),
            "alarms": self.alarms,
            "contactor": self.contactor,
            "quality": None if self.quality is None else quality_document(self.quality),
            "devices": [device_document(device) for device in self.devices],
            "newest_event": None if self.newest_event is None else event_document(self.newest_event, {}),
            "newest_outage": None if self.newest_outage is None else outage_document(self.newest_outage),
            "values": {source.key: source.scaled(raw) for source, raw in self.values.items()},
            "units": {source.key: source.unit for source in self.values},
            "refused": self.refused,
            "link": asdict(stats),
        }


async def collect(meter: Meter) -> Readings:
    """Ask a meter for everything. What it refuses is noted, and the rest goes on.

    Raises:
        OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
    """
    with step("asking who the meter is (BT01, ET03)"):
        readings = Readings(await meter.identity())
    refused = readings.refused
    with step("reading the clock (BT52)"):
        readings.clock = await _unless_refused("BT52", meter.clock(), refused)
        readings.heard = datetime.now(UTC)
    for name, asked in (("BT23", meter.registers), ("BT28", meter.present)):
        with step(f"reading {name}"):
            readings.values.update(await _unless_refused(name, asked(), refused) or {})
    with step("reading the tariffs (BT54, BT55)"):
        readings.tariffs = await _unless_refused("BT55", meter.tariffs(), refused)
        if readings.tariffs is not None:
            readings.tariff = readings.tariffs.tier + 1
    with step("reading alarms and contactor (BT03, ET23)"):
        state = await meter.state()
        readings.contactor = state.contactor
        if state.alarms is None:
            await _unless_refused("BT03", meter.table("BT03"), refused)  # for why it does not tell
        else:
            readings.alarms = list(state.alarms)
    with step("reading the power quality (ET09)"):
        readings.quality = await _unless_refused("ET09", meter.quality(), {})
    with step("reading the M-Bus devices (ET14, ET16)"):
        # Most meters have none, and a key that may not ask for them is no trouble worth a word.
        readings.devices = await _unless_refused("ET14", meter.mbus_devices(), {}) or ()
    # Likewise not said where the meter keeps none: `osgp events` and `osgp outages` tell why.
    with step("reading the newest event (BT74, ET79)"):
        events = await _unless_refused("BT74", meter.events(most=1), {})
        readings.newest_event = next(iter(events.entries), None) if events is not None else None
    with step("reading the newest outage (ET81, ET09)"):
        outages = await _unless_refused("ET81", meter.outages(most=1), {})
        readings.newest_outage = next(iter(outages.entries), None) if outages is not None else None
    return readings


async def _unless_refused(name: str, asked: Awaitable[T], refused: dict[str, str]) -> T | None:
    try:
        return await asked
    except (MeterRefused, TableError) as error:
        refused[name] = str(error)
        return None
