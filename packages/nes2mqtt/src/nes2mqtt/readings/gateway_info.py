"""What every output may tell about the gateway itself.

This module does not know meters or outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

__all__ = ["GatewayInfo"]


@dataclass(frozen=True, slots=True)
class GatewayInfo:
    """Who this gateway is."""

    name: str
    """The id in topics and unique ids: ``[a-z0-9_]+``."""
    version: str
    timezone: ZoneInfo
    """Where days and months begin."""
    started: datetime
    """UTC, aware; by a clock that may have been wrong then. What must be right labels its own moment later."""
    url: str = ""
    """Address of the dashboard; empty when there is none."""
