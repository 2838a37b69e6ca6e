"""Dimensions of a meter that tells everything, also what only a few tables are laid out by."""

from typing import Any

from osgp.tables import Dimensions
from osgp.tables.schema.dimensions import Logs

FURTHER: dict[str, Any] = {
    "power_outages_recorded": 10,  # ET04.53 (p. 58)
    "basic_tables_size": 10,  # BT00.13 (p. 197)
    "extended_tables_size": 20,  # BT00.14
    "pending_tables": 4,  # BT00.18 (p. 198)
    "display_lists": 1,  # BT30.6 (p. 221)
    "display_items": 30,  # BT30.4 (p. 220)
    "profile_channels": (2, 4, 0, 16),  # BT61.11, .7 and .9; the guide prints no example
    "profile_blocks": (3, 1, 0, 2),
    "profile_intervals": (96, 24, 0, 9),
    "most_channels": 16,  # BT60.11 (p. 231-233)
    "free_texts": 3,  # ET90.16 (p. 192)
    "logs": Logs(
        events=100,  # BT71.5 (Optical guide v1.1 p. 50-51)
        argument_size=2,
        alternate_events=0,  # ET54.80 (p. 137)
        one_time_reads=2,  # ET36 (p. 108-109), as are the rest
        one_time_read_size=232,
        demand_resets=0,
        demand_reset_size=0,
        recurring_reads=0,
        recurring_read_size=525,
        extended_recurring_reads=0,
        channel_changes=0,
        channel_change_size=143,
        outages=0,
        outage_size=12,
    ),
}
"""The dimensions that are unknown unless their table was read, as the guide's meter tells them (MEP guide v1.1)."""


def told(**more) -> Dimensions:
    """Return the dimensions of a 3.7x meter, unless more is said of it."""
    return Dimensions(**FURTHER | more)
