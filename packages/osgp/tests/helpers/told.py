"""Dimensions of a meter that tells everything, also what only a few tables are laid out by."""

from osgp.tables import Dimensions

FURTHER = {
    "power_outages_recorded": 10,  # ET04.53 (p. 58)
    "basic_tables_size": 10,  # BT00.13 (p. 197)
    "extended_tables_size": 20,  # BT00.14
    "pending_tables": 4,  # BT00.18 (p. 198)
    "display_lists": 1,  # BT30.6 (p. 221)
    "display_items": 30,  # BT30.4 (p. 220)
    "profile_channels": (2, 4, 0, 16),  # BT61.11; the guide prints no example
    "most_channels": 16,  # BT60.11 (p. 231-233)
    "free_texts": 3,  # ET90.16 (p. 192)
}
"""The dimensions that are unknown unless their table was read, as the guide's meter tells them (MEP guide v1.1)."""


def told(**more) -> Dimensions:
    """Return the dimensions of a 3.7x meter, unless more is said of it."""
    return Dimensions(**FURTHER | more)
