"""What a source of prices can do, and what all of them need to read an answer.

This module does not know any service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from nes2mqtt.prices.spot_price import PriceError, SpotPrice, plain_decimal, slot_start

__all__ = ["PriceSource", "Request", "decimal_of", "json_of", "moment_of"]

_MEGAWATT_HOURS = 1000
_MOST_PER_MWH = 20_000
"""In any currency, both ways. The market's own limits are 4,000 to 5,000 EUR; a number beyond is a misread one."""


@dataclass(frozen=True, slots=True)
class Request:
    """A GET request.

    Args:
        url: whole; may hold a token of the user, so it is never logged.
        headers: beside those of every request.
        shown: the address as it may be shown.
        after: the first day that it does not ask for; a service may take less at once than was wanted.
    """

    url: str
    shown: str
    after: date
    headers: Mapping[str, str] = field(default_factory=dict)


class PriceSource(Protocol):
    """A service that has the day-ahead prices of some areas."""

    @property
    def name(self) -> str:
        """Return its name in the configuration."""
        ...

    @property
    def credit(self) -> str:
        """Return whom its licence says to name."""
        ...

    def currency(self, area: str) -> str:
        """Return in which currency it has the prices of an area.

        Raises:
            PriceError: it has none of that area.
        """
        ...

    def request(self, area: str, first: date, after: date) -> Request:
        """Return what to ask for the market days from ``first`` up to, not including, ``after``."""
        ...

    def read(self, body: bytes, area: str) -> list[SpotPrice]:
        """Return the prices of an answer, in order of time; none if the service has none yet.

        Raises:
            PriceError: it is no answer as documented.
        """
        ...


def json_of(body: bytes, service: str) -> Any:
    """Return what a JSON text says, its numbers as decimals.

    Raises:
        PriceError: it is none.
    """
    try:
        return json.loads(body, parse_float=plain_decimal)
    except (ValueError, RecursionError) as error:
        raise PriceError(f"{service} answered with something that is not JSON; nothing was taken from it") from error


def decimal_of(value: object, service: str) -> Decimal:
    """Return an amount per MWh as one per kWh.

    Raises:
        PriceError: it is no number, or none that a market can have.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise PriceError(f"{service} answered with a price that is no number; nothing was taken from it")
    try:
        amount = plain_decimal(str(value))
    except ValueError as error:
        raise PriceError(f"{service} answered with a price that is no number; nothing was taken from it") from error
    if abs(amount) > _MOST_PER_MWH:
        raise PriceError(f"{service} answered with a price that no market has; nothing was taken from it")
    return amount / _MEGAWATT_HOURS


def moment_of(value: object, service: str) -> datetime:
    """Return the full quarter hour of ISO 8601 text that is in UTC, whether it says so or not, or of Unix seconds.

    Raises:
        PriceError: it is none.
    """
    try:
        if isinstance(value, str):
            return slot_start(datetime.fromisoformat(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return slot_start(datetime.fromtimestamp(value, UTC))
    except (ValueError, OverflowError, OSError):
        pass
    raise PriceError(f"{service} answered with a time that is none; nothing was taken from it")
