"""Whole days whose sums were worked out by hand from the lines of the bill, in tables of hours."""

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.costs.calculation import Money, Quarter, rounded, slot_price, standing, sum_day
from nes2mqtt.costs.config import ContractConfig
from nes2mqtt.costs.contract import Contract, IfNegative, Line, Timed, Vat
from nes2mqtt.costs.price_text import Amount, Per, ShareOfSpot
from nes2mqtt.costs.slots import quarters
from nes2mqtt.costs.windows import Window

CONTRACTS = Path(__file__).parent / "contracts"
DANISH, AUSTRIAN = ((CONTRACTS / f"{name}.toml").read_text() for name in ("danish", "austrian"))


COPENHAGEN, VIENNA = ZoneInfo("Europe/Copenhagen"), ZoneInfo("Europe/Vienna")
SECOND_TWO = datetime(2026, 10, 25, 1, tzinfo=UTC)
"""The hour from 2 to 3 that comes a second time."""


def contract(text: str) -> Contract:
    return ContractConfig.model_validate(tomllib.loads(text)).contract()


def danish_spot(start: datetime) -> Decimal:
    if SECOND_TWO <= start < datetime(2026, 10, 25, 2, tzinfo=UTC):
        return Decimal("-0.10")
    hour = start.astimezone(COPENHAGEN).hour
    return Decimal("0.20" if hour < 6 else "0.50" if hour < 17 else "1.00" if hour < 21 else "0.40")


class TestDayOf25Hours:
    day = date(2026, 10, 25)

    @pytest.fixture
    def energy(self):
        return [Quarter(start, 250) for start in quarters(self.day, COPENHAGEN)]

    def test_the_day_has_100_quarters(self, energy):
        assert len(energy) == 100
        assert energy[0].start == datetime(2026, 10, 24, 22, tzinfo=UTC)

    def test_every_hour_has_its_own_price(self, energy):
        costs = sum_day(contract(DANISH), self.day, energy, danish_spot, COPENHAGEN)
        daily = standing(contract(DANISH), self.day)
        fixed = sum((amount.gross for amount in daily.values()), Decimal(0))
        assert costs.wh == 25_000
        assert rounded(costs.total.gross - fixed, 12) == Decimal("31.875")
        assert rounded(fixed, 6) == Decimal("2.269664")
        assert rounded(costs.total.gross) == Decimal("34.14")
        assert costs.complete

    def test_of_each_line(self, energy):
        costs = sum_day(contract(DANISH), self.day, energy, danish_spot, COPENHAGEN)
        # 6 h at 0.20, 1 h at -0.10, 11 h at 0.50, 4 h at 1.00, 3 h at 0.40
        assert costs.lines["Spot"].net == Decimal("1.2") - Decimal("0.1") + Decimal("5.5") + 4 + Decimal("1.2")
        # 7 h at 0.10, 4 h at 0.90, 14 h at 0.30
        assert costs.lines["Grid tariff C"].net == Decimal("0.7") + Decimal("3.6") + Decimal("4.2")
        assert costs.lines["Energinet"].net == Decimal(180) / 365

    def test_the_order_of_the_lines_does_not_matter(self, energy):
        whole = contract(DANISH)
        shuffled = list(whole.lines)
        Random(7).shuffle(shuffled)
        one = sum_day(whole, self.day, energy, danish_spot, COPENHAGEN)
        other = sum_day(replace(whole, lines=tuple(shuffled)), self.day, energy, danish_spot, COPENHAGEN)
        assert one.lines == other.lines

    def test_energy_without_a_price_waits_for_it(self, energy):
        def half_known(start):
            return None if SECOND_TWO <= start < datetime(2026, 10, 25, 2, tzinfo=UTC) else danish_spot(start)

        costs = sum_day(contract(DANISH), self.day, energy, half_known, COPENHAGEN)
        assert (costs.pending, costs.pending_wh, costs.wh) == (4, 1000, 24_000)
        assert not costs.complete
        whole = sum_day(contract(DANISH), self.day, energy, danish_spot, COPENHAGEN)
        assert whole.total.net - costs.total.net == Decimal("0.208")

    def test_what_was_not_measured_is_told(self, energy):
        torn = [Quarter(each.start, None if place < 3 else 250) for place, each in enumerate(energy)]
        costs = sum_day(contract(DANISH), self.day, torn, danish_spot, COPENHAGEN)
        assert (costs.unmeasured, costs.wh) == (3, 24_250)
        assert not costs.complete


def test_a_day_of_23_hours_costs_the_same_without_energy():
    spring = date(2027, 3, 28)
    assert len(quarters(spring, COPENHAGEN)) == 92
    daily = standing(contract(DANISH), spring)
    assert daily["Supplier subscription"].net == Decimal(20) / 31
    assert daily["Energinet"].net == Decimal(180) / 365
    assert standing(contract(DANISH), date(2028, 2, 29))["Energinet"].net == Decimal(180) / 366


def test_a_negative_sum_is_paid_out_with_vat():
    night = datetime(2026, 10, 26, 2, tzinfo=COPENHAGEN)
    price = slot_price(contract(DANISH), night, Decimal(-1))
    total = sum((amount.gross for amount in price.values()), Decimal(0))
    assert total == Decimal("-0.865")
    assert total * Decimal("2.5") == Decimal("-2.1625")


def test_a_negative_spot_price_without_vat():
    night = datetime(2026, 10, 26, 2, tzinfo=COPENHAGEN)
    price = slot_price(replace(contract(DANISH), vat_on_negative_spot=False), night, Decimal(-1))
    assert price["Spot"].gross == -1
    assert price["Grid tariff C"].gross == Decimal("0.125")


@pytest.mark.parametrize(
    ("price", "timed", "net", "vat"),
    [
        (ShareOfSpot(Decimal(1)), Amount(Decimal("0.1"), Per.KWH), "0.1", "0.025"),
        (Amount(Decimal("0.1"), Per.KWH), ShareOfSpot(Decimal(1)), "-0.2", "0"),
        (ShareOfSpot(Decimal("-0.1")), ShareOfSpot(Decimal("-0.1")), "0.02", "0.005"),
    ],
)
def test_vat_on_a_negative_spot_price_goes_by_the_price_of_that_time(price, timed, net, vat):
    night = Timed(Window(begin=0, end=360), timed)
    whole = replace(contract(DANISH), lines=(Line("Spot", price, (night,)),), vat_on_negative_spot=False)
    found = slot_price(whole, datetime(2026, 10, 26, 2, tzinfo=COPENHAGEN), Decimal("-0.2"))
    assert found["Spot"] == Money(Decimal(net), Decimal(vat))


class TestSummerDayInAustria:
    day = date(2026, 6, 21)
    used: ClassVar = {
        range(10): 4000,
        range(10, 12): 1000,
        range(12, 14): 1000,
        range(14, 16): 1000,
        range(16, 24): 4800,
    }
    prices: ClassVar = {
        range(10): "8",
        range(10, 12): "1",
        range(12, 14): "-2",
        range(14, 16): "1",
        range(16, 24): "12",
    }

    def energy(self):
        for start in quarters(self.day, VIENNA):
            hour = start.astimezone(VIENNA).hour
            ((hours, wh),) = [(hours, wh) for hours, wh in self.used.items() if hour in hours]
            yield Quarter(start, wh // (len(hours) * 4))

    def spot(self, start):
        hour = start.astimezone(VIENNA).hour
        ((ct,),) = [[price] for hours, price in self.prices.items() if hour in hours]
        return Decimal(ct) / 100

    def test_the_sum(self):
        whole = contract(AUSTRIAN)
        costs = sum_day(whole, self.day, list(self.energy()), self.spot, VIENNA)
        fixed = sum((amount.gross for amount in standing(whole, self.day).values()), Decimal(0))
        assert costs.wh == 11_800
        assert rounded(costs.total.gross - fixed, 6) == Decimal("2.506282")
        assert rounded(fixed, 6) == Decimal("0.521037")
        assert rounded(costs.total.gross, 6) == Decimal("3.027318")
        assert rounded(costs.total.gross) == Decimal("3.03")

    def test_three_percent_of_the_absolute_price(self):
        whole = contract(
            AUSTRIAN.replace('price = "103 % of spot"', 'price = "103 % of spot"\nif_negative = "use absolute"')
        )
        assert whole.lines[0].if_negative is IfNegative.ABSOLUTE
        costs = sum_day(whole, self.day, list(self.energy()), self.spot, VIENNA)
        fixed = sum((amount.gross for amount in standing(whole, self.day).values()), Decimal(0))
        assert rounded(costs.total.gross - fixed, 6) == Decimal("2.507722")

    def test_the_share_of_a_group_counts_its_standing_charges_too(self):
        daily = standing(contract(AUSTRIAN), self.day)
        assert rounded(daily["Gebrauchsabgabe"].net, 8) == rounded((Decimal(48) / 365 + Decimal("0.08")) * 6 / 100, 8)


def line(price: ShareOfSpot, **settings: object) -> Contract:
    return Contract(
        "x", "house", date(2026, 1, 1), (Line("Spot", price, **settings),), "NOK", spot_area="NO2", vat=Decimal("0.25")
    )


@pytest.mark.parametrize(("spot", "support"), [("1.75", "-0.90"), ("0.75", "0"), ("0.10", "0"), ("-0.50", "0")])
def test_support_of_the_part_above_a_threshold(spot, support):
    price = slot_price(
        line(ShareOfSpot(Decimal("-0.9"), Decimal("0.75"))), datetime(2026, 1, 5, tzinfo=UTC), Decimal(spot)
    )
    assert price["Spot"].net == Decimal(support)


def test_a_floor_of_zero():
    zero = line(ShareOfSpot(Decimal(1)), if_negative=IfNegative.ZERO)
    assert slot_price(zero, datetime(2026, 1, 5, tzinfo=UTC), Decimal("-0.3"))["Spot"].gross == 0


def test_vat_in_the_amount_is_taken_out_of_it():
    whole = contract(DANISH.replace('price = "0,8 øre per kWh"', 'price = "1 øre per kWh"\nvat = "included"'))
    price = slot_price(whole, datetime(2026, 10, 26, 2, tzinfo=COPENHAGEN), Decimal(0))
    assert price["Elafgift"].net == Decimal("0.008")
    assert price["Elafgift"].gross == Decimal("0.01")
    assert Vat.INCLUDED in {each.vat for each in whole.lines}


def test_a_line_with_days_of_its_own():
    whole = contract(DANISH.replace('name = "Elafgift"', 'name = "Elafgift"\nvalid_to = 2027-01-01'))
    before, after = datetime(2026, 12, 31, 23, 45, tzinfo=COPENHAGEN), datetime(2027, 1, 1, tzinfo=COPENHAGEN)
    assert "Elafgift" in (slot_price(whole, before, Decimal(0)) or {})
    assert "Elafgift" not in (slot_price(whole, after, Decimal(0)) or {"Elafgift": None})


def test_sums_in_two_currencies_are_refused():
    danish = sum_day(contract(DANISH), date(2026, 10, 25), [], danish_spot, COPENHAGEN)
    austrian = sum_day(contract(AUSTRIAN), date(2026, 6, 21), [], danish_spot, VIENNA)
    with pytest.raises(ValueError, match="DKK and EUR"):
        danish.add(austrian)
