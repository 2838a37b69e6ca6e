"""Who a meter is, and what it is made for, as it says itself.

This module does not know how it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Identity", "Ratings"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a meter says it is; empty where it does not."""

    serial: str = ""
    """The grid company's serial number (ET03)."""
    manufacturer: str = ""
    """BT01, as is :attr:`model`."""
    model: str = ""
    firmware: str = ""
    """BT01, as on the meter's display: ``3.10.21``."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """What a meter is made for: bounds for what it can measure. None where it does not tell, or tells 0."""

    voltage: int | None = None
    """Rated voltage of a phase in volts (ET04.60, MEP guide v1.1 p. 58)."""
    frequency: int | None = None
    """Rated frequency in hertz (ET04.13, p. 58)."""
    maximum_current: int | None = None
    """Of a phase, in amperes, as made (ET04.58, p. 58): of the meter, not of the house's fuse, which no table tells."""
    ct_ratio: int | None = None
    """Of current transformers (BT15, p. 199-200); 1 without them. Likewise :attr:`vt_ratio` of the voltage."""
    vt_ratio: int | None = None
    ratios_applied: bool | None = None
    """Whether the ratios are part of what the meter shows (BT15.8)."""
