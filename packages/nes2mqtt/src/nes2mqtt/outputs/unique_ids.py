"""By which ids Home Assistant knows our devices and entities. A published id never changes.

This module does not know what is announced, or asked.
"""

from __future__ import annotations

__all__ = ["gateway_id", "value_id"]


def gateway_id(gateway: str) -> str:
    """Return the id of the gateway of a name."""
    return f"nes2mqtt_{gateway}"


def value_id(gateway: str, meter: str, key: str) -> str:
    """Return the id of the entity that shows one value of a meter."""
    return f"{gateway_id(gateway)}_{meter}_{key}"
