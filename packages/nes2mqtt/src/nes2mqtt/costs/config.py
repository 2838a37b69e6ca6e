"""The ``[[contracts]]`` sections of the configuration: a bill, line by line.

What stands here becomes a :class:`~nes2mqtt.costs.contract.Contract`. Amounts are read from text, so that they stay
decimal numbers. This module does not calculate.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from nes2mqtt.costs.contract import (
    Contract,
    IfNegative,
    Line,
    Part,
    Peak,
    SpotStep,
    Timed,
    Vat,
    check,
)
from nes2mqtt.costs.price_text import Amount, Per, parse_price
from nes2mqtt.costs.windows import Window, parse_clock, parse_days, parse_months
from osgp.sources import Direction

__all__ = ["ContractConfig", "LineConfig", "PeakConfig", "TimeConfig"]

# Python's own: pydantic's takes 4 MB of memory for one pattern with the letters of all languages (\w), and the time to build that.
_STRICT = ConfigDict(defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=True, regex_engine="python-re")
_WHOLE_DAY = "24:00"


def _checked(parse: Any) -> AfterValidator:
    """Return a validator that keeps the text and refuses what cannot be read."""

    def check_text(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check_text)


def _percent(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    found = re.fullmatch(r"\s*(\d{1,3}(?:[.,]\d{1,4})?)\s*%\s*", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be text with a percent sign, such as "25 %"')
    return Decimal(found[1].replace(",", ".")) / 100


def _kilowatts(text: str) -> Decimal:
    found = re.fullmatch(r"\s*(\d{1,6}(?:[.,]\d{1,6})?)\s*kW\s*", text)
    if found is None:
        raise ValueError('must be text in kW, such as "2.5 kW"')
    return Decimal(found[1].replace(",", "."))


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError('must be the three capital letters of a currency, such as "DKK" or "EUR"')
    return text


Percent = Annotated[Decimal, BeforeValidator(_percent), PlainSerializer(lambda share: f"{share * 100:f} %")]
Months = Annotated[str, _checked(parse_months)]
Days = Annotated[str, _checked(parse_days)]
Clock = Annotated[str, _checked(parse_clock)]
Kilowatts = Annotated[str, _checked(_kilowatts)]


class _Span(BaseModel):
    """A part of the year, by the local clock."""

    model_config = _STRICT | ConfigDict(populate_by_name=True)

    months: Months = "jan-dec"
    """Months: ``"apr-sep"``, ``"nov, dec"``."""
    days: Days = "mon-sun"
    """Days of the week: ``"mon-fri"``, ``"sat, sun"``."""
    holidays: bool | None = None
    """``true``: on the contract's holidays only; ``false``: not on them."""
    begin: Clock = Field(default="00:00", alias="from")
    """Local time of the first minute: ``"17:00"``."""
    end: Clock = Field(default=_WHOLE_DAY, alias="to")
    """Local time of the minute after the last: ``"21:00"``. Before ``from``: over midnight."""

    def window(self) -> Window:
        """Return the window that is meant."""
        return Window(
            parse_months(self.months),
            parse_days(self.days),
            self.holidays,
            parse_clock(self.begin),
            parse_clock(self.end),
        )


class TimeConfig(_Span):
    """A price that holds at some times only."""

    price: str = Field(examples=["10 øre per kWh"])
    """The price then."""


class PeakConfig(_Span):
    """How the peak is measured that a price per kW of peak is for."""

    measure: Annotated[str, Field(pattern="^(quarter|hour)$")] = "quarter"
    """Length of the clock periods: ``quarter`` or ``hour``."""
    highest: Annotated[int, Field(ge=1, le=31)] = 1
    """The mean of so many highest periods counts."""
    different_days: bool = True
    """Of each day only the highest period counts."""
    mean_of_months: Annotated[int, Field(ge=1, le=24)] = 1
    """The mean of the peaks of so many months is billed."""
    minimum: Kilowatts = "0 kW"
    """What is billed at least."""
    steps: tuple[tuple[Kilowatts, str], ...] = ()
    """Instead of a price per kW: ``[["2 kW", "125 NOK per month"], ["5 kW", "200 NOK per month"]]``."""

    def peak(self, currency: str) -> Peak:
        """Return what is meant.

        Raises:
            ValueError: a step has no amount per month, or the steps do not rise.
        """
        steps = []
        for up_to, text in self.steps:
            price = parse_price(text, currency)
            if not isinstance(price, Amount) or price.per is not Per.MONTH:
                raise ValueError('each step needs an amount per month, such as ["5 kW", "200 NOK per month"]')
            steps.append((_kilowatts(up_to), price.value))
        if [kw for kw, _ in steps] != sorted({kw for kw, _ in steps}):
            raise ValueError("the steps have to rise, each kW once")
        return Peak(
            minutes=15 if self.measure == "quarter" else 60,
            highest=self.highest,
            different_days=self.different_days,
            months=self.mean_of_months,
            minimum=_kilowatts(self.minimum),
            window=self.window(),
            steps=tuple(steps),
        )


class LineConfig(BaseModel):
    """One line of the bill."""

    model_config = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=60)]
    """As on the bill."""
    price: str = Field(examples=["8 øre per kWh"])
    """``spot``, ``103 % of spot``, ``8 øre per kWh``, ``20 DKK per month``, ``6 % of GROUP``, ``40 DKK per kW of peak``."""
    times: tuple[TimeConfig, ...] = ()
    """Other prices by the time of day, week and year."""
    group: Annotated[str, Field(pattern=r"^([^\W\d][\w-]{0,39})?$")] = ""
    """A name by which another line can charge a share: ``6 % of grid``."""
    vat: Vat = Vat.EXCLUDED
    """Whether VAT is in the amounts: ``excluded``, ``included`` or ``none`` (there is no VAT on this line)."""
    if_negative: IfNegative = IfNegative.KEEP
    """What a share of a spot price below zero is: ``keep sign``, ``use absolute`` or ``zero``."""
    valid_from: date | None = None
    """First day of this line, if it is not the contract's."""
    valid_to: date | None = None
    """First day without this line, if it is not the contract's."""
    peak: PeakConfig | None = None
    """How the peak is measured, for a price per kW of peak."""

    def line(self, currency: str) -> Line:
        """Return what is meant.

        Raises:
            ValueError: a price cannot be read; the text says which.
        """
        try:
            return Line(
                self.name,
                parse_price(self.price, currency),
                tuple(Timed(one.window(), parse_price(one.price, currency)) for one in self.times),
                self.group,
                self.vat,
                self.if_negative,
                self.valid_from,
                self.valid_to,
                None if self.peak is None else self.peak.peak(currency),
            )
        except ValueError as error:
            raise ValueError(f"line '{self.name}': {error}") from None


class ContractConfig(BaseModel):
    """A contract for the energy of one meter: what the bill says, with the days it holds for."""

    model_config = _STRICT | ConfigDict(populate_by_name=True)

    name: Annotated[str, Field(min_length=1, max_length=60)]
    """For people."""
    meter: str = Field(examples=["house"])
    """The id of the meter: ``house`` of ``[meters.house]``."""
    direction: Direction = Direction.IMPORT
    """``import``, or ``export`` for a contract that pays for what is fed in."""
    part: Part = Part.ALL
    """``all``, or ``supplier`` and ``grid`` for two contracts beside each other that end on different days."""
    begins: date = Field(alias="from", examples=["2026-10-01"])
    """First day of the contract."""
    ends: date | None = Field(default=None, alias="to")
    """First day on which it no longer holds. Without: it goes on."""
    currency: Annotated[str, AfterValidator(_currency)] = Field(examples=["DKK"])
    """Of all amounts."""
    spot_area: Annotated[str, Field(pattern=r"^[A-Z0-9-]{0,12}$")] = ""
    """Price area of the spot price: ``DK1``, ``DK2``, ``AT``, ``DE-LU`` ..."""
    spot_step: SpotStep = SpotStep.QUARTER
    """What the supplier charges: the price of each ``quarter``, or the mean of each ``hour`` or ``month``."""
    vat: Percent = Field(examples=["25 %"])
    """On top of all lines that do not say otherwise: ``"25 %"``; ``"0 %"`` if there is none."""
    vat_on_negative_spot: bool = True
    """Whether a spot price below zero is credited with VAT."""
    holidays: tuple[date, ...] = ()
    """Days that ``holidays`` in the lines means."""
    lines: Annotated[tuple[LineConfig, ...], Field(min_length=1)]
    """The lines of the bill."""

    @model_validator(mode="after")
    def _makes_sense(self) -> ContractConfig:
        wrong = check(self.contract())
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def contract(self) -> Contract:
        """Return what is meant.

        Raises:
            ValueError: a line cannot be read; the text says which and how to write it.
        """
        return Contract(
            name=self.name,
            meter=self.meter,
            begins=self.begins,
            lines=tuple(line.line(self.currency) for line in self.lines),
            currency=self.currency,
            ends=self.ends,
            direction=self.direction,
            part=self.part,
            spot_area=self.spot_area,
            spot_step=self.spot_step,
            vat=self.vat,
            vat_on_negative_spot=self.vat_on_negative_spot,
            holidays=frozenset(self.holidays),
        )
