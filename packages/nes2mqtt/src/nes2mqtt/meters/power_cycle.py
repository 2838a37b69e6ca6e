"""From the section ``power_cycle`` to what switches the level shifter.

This module does not know when to switch; :class:`osgp.ports.recovery.Recovery` does.
"""

from __future__ import annotations

from nes2mqtt.meters import config
from osgp.ports import recovery

__all__ = ["power_cycle_for"]


def power_cycle_for(section: config.PowerCycle | None) -> recovery.PowerCycle | None:
    """Return what the section describes; None without one."""
    match section:
        case None:
            return None
        case config.GpioPowerCycle():
            return recovery.GpioPowerCycle(
                section.chip, section.line, active_low=section.active_low, off_seconds=section.off_seconds
            )
        case config.LinePowerCycle():
            return recovery.ModemLinePowerCycle(section.kind, off_seconds=section.off_seconds)
        case config.CommandPowerCycle():
            return recovery.CommandPowerCycle(section.command, timeout=section.timeout)
