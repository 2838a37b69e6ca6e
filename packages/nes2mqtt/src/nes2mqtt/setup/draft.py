"""What was answered so far. It lives in memory; a restart forgets it, and nothing of it is on the disk.

This module does not know how answers are got or checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from nes2mqtt.setup.steps import StepName
from servicekit.secret import Secret

__all__ = ["Draft", "Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a meter told when the key was tried; what it does not tell is absent."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    power: int | None = None
    """W now: drawn from the grid, negative when given to it."""
    reading: int | None = None
    """Wh drawn since the meter was made."""
    behind: float | None = None
    """Seconds that the meter's clock is behind this computer's."""
    clock: datetime | None = None
    """The meter's clock when it was read, in UTC."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The answers that were taken."""

    password_hash: str = field(default="", repr=False)
    """Of the page's password, as :class:`servicekit.password.PasswordHash` writes it."""
    reach: str = "home"
    """Who may open the page: ``home`` or ``here``."""
    port: str = ""
    """As an address of :mod:`osgp.ports.transport`, on the socket that was found."""
    optical: bool = False
    key: Secret | None = None
    padding: str = "zeros"
    name: str = ""
    id: str = ""
    timezone: str = ""
    use: str = "none"
    """What reads the values: ``none``, ``homeassistant`` or ``fhem``."""
    host: str = ""
    broker_port: int | None = None
    username: str = ""
    broker_password: Secret | None = None
    tls: bool = False
    seen: Seen | None = None
    done: frozenset[StepName] = frozenset()
    """The steps whose answers were taken."""
