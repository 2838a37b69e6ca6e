"""The messages about a meter that are due on an occasion, from what the hub holds now.

This module does not know topics, formats nor connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.dialects import Dialect
from nes2mqtt.outputs.mqtt.dialects.rows import When
from nes2mqtt.outputs.mqtt.dialects.view import EnergyPeriods, View
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.hub import Hub, Latest
from nes2mqtt.readings.reading import MeterStatus, Quality, Sample

if TYPE_CHECKING:
    from nes2mqtt.bills.costs_now import CostsNow

__all__ = ["Views"]


class Views:
    """Renders what one broker gets.

    Args:
        gateway: this program.
        hub: holds the latest values.
        dialects: of the broker.
        numbered: register samples have numbers of a journal.
        energy: gives the energy of the running hour, day and month of a meter; must return at once.
        alerts: gives what needs attention of a meter, None if nothing is watched; must return at once.
    """

    def __init__(
        self,
        gateway: GatewayInfo,
        hub: Hub,
        dialects: tuple[Dialect, ...],
        *,
        numbered: bool,
        energy: Callable[[str], EnergyPeriods] | None,
        alerts: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        self._gateway = gateway
        self._hub = hub
        self._clock = hub.clock
        self._dialects = dialects
        self._numbered = numbered
        self._energy = energy
        self._alerts = alerts
        self._begun = self._clock.monotonic()

    def messages(self, when: When, dialects: Iterable[Dialect], meter: str, latest: Latest) -> Iterator[Message]:
        """Yield the messages about a meter that are due on an occasion."""
        view = self._now(meter, latest, when)
        if when is When.LIVE and not view.samples:
            return
        for dialect in dialects:
            yield from dialect.messages(when, view)

    def costs(self, meter: str, costs: CostsNow) -> Iterator[Message]:
        """Yield the messages about prices and costs of a meter."""
        view = replace(self._view(meter, None, ()), costs=costs)
        for dialect in self._dialects:
            yield from dialect.messages(When.COSTS, view)

    def registers(self, seq: int, sample: Sample) -> list[Message]:
        """Return the messages about a register sample with its number in the outbox."""
        latest = self._hub.latest.get(sample.meter)
        status = latest.status if latest is not None else None
        view = self._view(sample.meter, status, (sample,), seq=seq if self._numbered else None)
        return [message for dialect in self._dialects for message in dialect.messages(When.REGISTERS, view)]

    def _now(self, meter: str, latest: Latest, when: When) -> View:
        """Return a meter as it is now, with fresh samples only; for a status also with old samples."""
        samples = (
            sample
            for sample in latest.samples.values()
            if when is When.STATUS or self._hub.quality(sample) is Quality.GOOD
        )
        energy = self._energy(meter) if self._energy is not None and when is When.LIVE else {}
        alerts = self._alerts(meter) if when is When.STATUS else None
        view = self._view(meter, latest.status, tuple(samples), energy=energy)
        return replace(view, condition=latest.condition, alerts=alerts)

    def _view(
        self,
        meter: str,
        status: MeterStatus | None,
        samples: tuple[Sample, ...],
        *,
        seq: int | None = None,
        energy: EnergyPeriods | None = None,
    ) -> View:
        trouble = self._clock.trouble
        return View(
            meter,
            self._gateway,
            self._clock.monotonic() - self._begun,
            status,
            samples,
            seq=seq,
            energy=energy or {},
            label=self._clock.label_if_known,
            clock_trouble=trouble.message if trouble is not None else "",
        )
