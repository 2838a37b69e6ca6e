"""What a meter says of itself and of its supply, as the outputs get it: alarms, contactor, tariff, quality of the supply.

Alarms of BT03 stay on until the grid company takes them away. Some of them only note that there is something to read, or
that something was done: they are shown, but they are no trouble.

This module does not know how it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from osgp.tables.calendar.tariffs import Tariffs
from osgp.tables.quality.report import SupplyQuality
from osgp.tables.status.state import MeterState

__all__ = ["ConditionRead", "is_trouble"]

_NOTES = frozenset(
    {
        # There is something to read.
        "load_profile_1_unread",
        "load_profile_2_unread",
        "load_profile_3_unread",
        "load_profile_4_unread",
        "load_profile_overflow",
        "self_read_occurred",
        "log_entry_available",
        "event_log_unread",
        "event_log_overflow_pending",
        "mbus_discovery_complete",
        "power_quality_event",
        "thd_state_changed",
        "g3_event",
        # Something was done, or is as it was set up.
        "load_disconnect_changed",
        "relay_1_open",
        "relay_2_open",
        "code_bank_changed",
        "dimension_change",
        "password_table_written",
        "prepay_warning_acknowledged",
        "mep_installed_or_removed",
        "system_reset",
        # It is over, and the event log tells when it was.
        "power_failure",
        # A house with a solar plant does it each day.
        "reverse_energy",
        # Of the grid company's network, not of the house.
        "remote_communications_inactive",
        "plc_configuration_failure",
    }
)
"""Fields of BT03 (Optical guide v1.1 p. 45-47) that are no trouble."""

_CLOCK_SLACK = timedelta(minutes=10)
"""So much the meter's local time may be off; BT55 itself is up to a minute old."""


def is_trouble(alarm: str) -> bool:
    """Tell whether an alarm of BT03, by its field's name, is more than a note."""
    return alarm not in _NOTES


@dataclass(frozen=True, slots=True)
class ConditionRead:
    """What a meter told when it was read last. None is what it does not tell."""

    meter: str
    received: datetime
    """When the meter told of it (UTC, aware)."""
    instant: float
    """The same moment by :attr:`nes2mqtt.timing.clock.Clock.monotonic`."""
    state: MeterState | None = None
    """Alarms, contactor, relays, wiring."""
    tariffs: Tariffs | None = None
    quality: SupplyQuality | None = None

    @property
    def lost_phases(self) -> tuple[str, ...] | None:
        """Return the phases that are missing now, ``l1`` to ``l3``."""
        return None if self.quality is None else tuple(phase.name for phase in self.quality.phases if phase.lost)

    @property
    def troubles(self) -> tuple[str, ...] | None:
        """Return the alarms that are on and more than a note."""
        alarms = None if self.state is None else self.state.alarms
        return None if alarms is None else tuple(name for name in alarms if is_trouble(name))

    @property
    def problem(self) -> bool | None:
        """Tell whether an alarm is on, the wiring is wrong or a phase is missing; None where nothing of it is told."""
        if self.troubles is None and self.quality is None:
            return None
        return bool(self.troubles or self.lost_phases or (self.state is not None and self.state.mis_wiring))

    def next_switch(self, zone: tzinfo) -> datetime | None:
        """Return when the next tariff begins, taking the meter's local time for that of a zone.

        Args:
            zone: of the house.

        Returns:
            None also if the meter's local time is another one than the zone's: then it has another zone, or its clock is wrong.
        """
        tariffs = self.tariffs
        if tariffs is None or tariffs.next is None or tariffs.at is None:
            return None
        if abs(tariffs.at.replace(tzinfo=zone) - self.received) > _CLOCK_SLACK:
            return None
        return tariffs.next.at.replace(tzinfo=zone)
