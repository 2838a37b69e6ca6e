"""Dimensions of a meter that tells everything, also what only a few tables are laid out by."""

from osgp.tables import Dimensions

FURTHER = {"power_outages_recorded": 10}
"""The dimensions that are unknown unless their table was read, as the guide's meter tells them: ET04.53 (p. 58)."""


def told(**more) -> Dimensions:
    """Return the dimensions of a 3.7x meter, unless more is said of it."""
    return Dimensions(**FURTHER | more)
