"""Build, from the configuration section ``power_cycle``, the object that switches the level shifter off and on.

This module does not know when to switch; :class:`osgp.ports.recovery.Recovery` decides that.
"""

from __future__ import annotations

from nes2mqtt.meters import config
from osgp.ports import recovery

__all__ = ["power_cycle_for"]


def power_cycle_for(section: config.PowerCycle | None) -> recovery.PowerCycle | None:
    """Return the power cycle that the section describes; None if there is no such section."""
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
