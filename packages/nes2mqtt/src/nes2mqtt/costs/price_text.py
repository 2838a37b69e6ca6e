"""The price of a line as people write it: ``8 øre per kWh``, ``103 % of spot``, ``48 EUR per year``.

The whole language::

    spot
    N % of spot
    N % of spot above N UNIT per kWh        of the part of the spot price that lies above; 0 where it does not
    N % of GROUP                            of the sum of all lines of that group
    N UNIT per kWh | day | month | year
    N UNIT per kW of peak                   for each month; see :mod:`~nes2mqtt.costs.peaks`

N may be negative and may have a decimal comma. UNIT is the currency of the contract (``DKK``, ``EUR``, ``kr``, ``€``) or
its hundredth (``øre``, ``öre``, ``ct``). There is no free formula: a line can be ticked off against the paper bill.

This module does not know when a price holds, nor what VAT is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["Amount", "Per", "Price", "ShareOfGroup", "ShareOfSpot", "parse_price"]


class Per(StrEnum):
    """What an amount is charged for."""

    KWH = "kWh"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    PEAK = "kW of peak"


@dataclass(frozen=True, slots=True)
class Amount:
    """A fixed amount of the contract's currency."""

    value: Decimal
    per: Per


@dataclass(frozen=True, slots=True)
class ShareOfSpot:
    """A share of the spot price per kWh; 1 is the whole.

    Args:
        share: 1.03 for ``103 %``.
        above: only of what lies above this amount per kWh; None: of all of it.
    """

    share: Decimal
    above: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ShareOfGroup:
    """A share of what the lines of a group come to; 0.06 for ``6 %``."""

    share: Decimal
    group: str


Price = Amount | ShareOfSpot | ShareOfGroup

_UNITS = {
    "DKK": {"dkk": 1, "kr": 1, "kr.": 1, "øre": 100, "ore": 100, "oere": 100},
    "NOK": {"nok": 1, "kr": 1, "kr.": 1, "øre": 100, "ore": 100, "oere": 100},
    "SEK": {"sek": 1, "kr": 1, "kr.": 1, "öre": 100, "ore": 100, "oere": 100},
    "EUR": {"eur": 1, "€": 1, "euro": 1, "ct": 100, "cent": 100, "cents": 100},
}
CURRENCIES = tuple(_UNITS)
"""Currencies whose units are known. Others are written by their code of three letters."""

_NUMBER = r"(?P<{0}>[+-]?\d{{1,9}}(?:[.,]\d{{1,9}})?)"
_SHARE = re.compile(
    _NUMBER.format("share") + r"\s*%\s+of\s+(?P<of>[^\W\d][\w-]*)"
    r"(?:\s+above\s+" + _NUMBER.format("above") + r"\s*(?P<unit>[^\s\d]+)\s+per\s+kWh)?",
    re.IGNORECASE,
)
_AMOUNT = re.compile(_NUMBER.format("value") + r"\s*(?P<unit>[^\s\d%]+)\s+per\s+(?P<per>[a-z ]+)", re.IGNORECASE)
_PER = {each.value.lower(): each for each in Per}
_HELP = (
    "write it like one of these: 'spot', '103 % of spot', '8 øre per kWh', '20 DKK per month', '180 DKK per year', "
    "'6 % of grid' (grid being the group of other lines), '40 DKK per kW of peak'"
)


def parse_price(text: str, currency: str) -> Price:
    """Return what a price says.

    Args:
        text: as in the docstring of this module.
        currency: of the contract, three capital letters.

    Raises:
        ValueError: it is none, or is in another currency; the text says how to write it.
    """
    plain = " ".join(text.split())
    if plain.lower() == "spot":
        return ShareOfSpot(Decimal(1))
    if share := _SHARE.fullmatch(plain):
        return _share(share, currency)
    if (amount := _AMOUNT.fullmatch(plain)) and (per := _PER.get(amount["per"].lower())):
        return Amount(_decimal(amount["value"]) / _unit(amount["unit"], currency), per)
    raise ValueError(f"'{plain[:60]}' is no price; {_HELP}")


def _share(found: re.Match[str], currency: str) -> Price:
    share = _decimal(found["share"]) / 100
    if found["of"].lower() != "spot":
        if found["above"] is not None:
            raise ValueError("'above' goes with 'of spot' only, because only the spot price changes")
        return ShareOfGroup(share, found["of"])
    if found["above"] is None:
        return ShareOfSpot(share)
    return ShareOfSpot(share, _decimal(found["above"]) / _unit(found["unit"], currency))


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _unit(text: str, currency: str) -> int:
    """Return how many of this unit make one of the currency."""
    units = _UNITS.get(currency, {currency.lower(): 1})
    if (parts := units.get(text.lower())) is None:
        raise ValueError(
            f"'{text[:20]}' is no unit of {currency}, in which this contract is; write {', '.join(units)}, "
            "or give the contract another currency"
        )
    return parts
