"""Prices and costs at hand: what they are, when they are absent, and the last word on a day that is over.

Every expected number is worked out by hand from what the house uses: 1 kWh in each quarter hour it was read in.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.bills.costs_now import CostsNow
from nes2mqtt.bills.running_costs import RunningCosts
from nes2mqtt.costs.contract import Contract, Line, Part, Peak, SpotStep
from nes2mqtt.costs.metered import Counted
from nes2mqtt.costs.price_text import Amount, Per, ShareOfSpot
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.outputs.mqtt.dialects.homeassistant import ROWS
from nes2mqtt.outputs.mqtt.dialects.rows import When
from nes2mqtt.outputs.mqtt.dialects.view import View
from nes2mqtt.prices.spot_price import SpotPrice
from osgp.sources import Direction

pytestmark = pytest.mark.asyncio

ZONE = ZoneInfo("Europe/Copenhagen")
QUARTER = timedelta(minutes=15)
NOVEMBER = date(2026, 11, 1)
SPOT = Line("Spot", ShareOfSpot(Decimal(1)))
TARIFF = Line("Tariff", Amount(Decimal("0.40"), Per.KWH))
MONTHLY = Line("Subscription", Amount(Decimal(30), Per.MONTH))
PER_PEAK = Line("Peak", Amount(Decimal(10), Per.PEAK), peak=Peak())


def contract(*lines, begins=NOVEMBER, **more):
    return Contract("Test", "house", begins, lines, "DKK", spot_area="DK1", vat=Decimal("0.25"), **more)


class House:
    """Uses 1 kWh a quarter hour and feeds in 0.1 kWh; stands in for the history, the prices and the clock."""

    known = True

    def __init__(self):
        self.at = datetime(2026, 11, 29, 23, 0, tzinfo=UTC)
        self.priced_until = datetime(2027, 1, 1, tzinfo=UTC)
        self.broken = False

    def now(self):
        return self.at

    async def ask(self, meter, question):
        assert meter == "house"
        if self.broken:
            raise HistoryError("the disk is gone")
        return question(self.energy, self.prices)

    def energy(self, meter, key, spans):
        wh = {"active_energy_import": 1000, "active_energy_export": 100}[key]
        found = []
        for begin, end in spans:
            part = min(end, self.at) - begin
            read = part > timedelta(0)
            counted = wh * part // QUARTER if read else None
            found.append(Counted(begin, counted, begin if read else None, min(end, self.at) if read else None))
        return found

    def prices(self, area, currency, begin, end):
        """Return -0.20 in the first hour of each UTC day, else 1.00."""
        found = []
        while begin < min(end, self.priced_until):
            found.append(SpotPrice(begin, 15, Decimal("-0.20") if begin.hour == 0 else Decimal(1), "DKK"))
            begin += QUARTER
        return found


@pytest.fixture
def house():
    return House()


def made(house, *contracts):
    told = []
    costs = RunningCosts(house, contracts, ZONE, house)
    follower = costs.follow(lambda *_: None)
    follower.changed = lambda meter, ways, currency: told.append([one for _, one in follower.take(meter)])
    return costs, told


async def test_price_and_sums_of_import_and_export(house):
    house.at = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)  # half past two in Copenhagen
    sold = contract(SPOT, direction=Direction.EXPORT)
    costs, told = made(house, contract(SPOT, TARIFF, MONTHLY), sold)
    await costs.look()
    now = costs.of()["house"]
    assert now.prices == {Direction.IMPORT: Decimal("1.75"), Direction.EXPORT: Decimal("1.25")}
    # Of today ten quarter hours: four at -0.20 and six at 1.00, and a day of the subscription.
    assert now.today[Direction.IMPORT].amount == ((6 - Decimal("0.8")) + 4 + 1) * Decimal("1.25")
    assert now.today[Direction.EXPORT].amount == (6 - Decimal("0.8")) * Decimal("0.125")
    # 29 days before: 92 quarter hours at 1.00 and four at -0.20, each 0.40 of tariff.
    day = (92 - Decimal("0.8") + Decimal("38.4") + 1) * Decimal("1.25")
    assert now.month[Direction.IMPORT].amount == 29 * day + now.today[Direction.IMPORT].amount
    assert now.day_began == datetime(2026, 11, 29, 23, tzinfo=UTC)
    assert now.month_began == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert told == [[now]]
    await costs.look()
    assert told == [[now]], "nothing new, nothing told"


async def test_a_price_below_zero_is_told(house):
    house.at = datetime(2026, 11, 30, 0, 20, tzinfo=UTC)
    costs, _ = made(house, contract(SPOT))
    await costs.look()
    assert costs.of()["house"].prices == {Direction.IMPORT: Decimal("-0.25")}


async def test_what_has_no_price_yet_is_absent_until_it_comes(house):
    house.at = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    house.priced_until = datetime(2026, 11, 30, 11, 45, tzinfo=UTC)
    costs, told = made(house, contract(SPOT))
    await costs.look()
    now = costs.of()["house"]
    assert now.prices == {}
    assert now.today[Direction.IMPORT].amount is None
    assert now.month[Direction.IMPORT].amount is None
    house.priced_until = datetime(2027, 1, 1, tzinfo=UTC)
    await costs.look()
    assert told[-1][-1].today[Direction.IMPORT].amount == (44 + 4 * Decimal("-0.20") + 4 - 0) * Decimal("1.25")


async def test_the_mean_of_a_month_is_known_only_with_its_last_word(house):
    house.at, house.priced_until = (datetime(2026, 11, 30, 22, minute, tzinfo=UTC) for minute in (59, 45))
    costs, told = made(house, contract(SPOT, spot_step=SpotStep.MONTH))
    await costs.look()
    assert costs.of()["house"].month[Direction.IMPORT].amount is None
    house.priced_until = house.at = datetime(2026, 11, 30, 23, 3, tzinfo=UTC)
    await costs.look()
    last, now = told[-1]
    mean = (92 + 4 * Decimal("-0.2")) / 96
    assert last.month[Direction.IMPORT].amount == pytest.approx(2880 * mean * Decimal("1.25"))
    assert now.month[Direction.IMPORT].amount is None


async def test_the_last_word_on_a_day_comes_before_the_first_of_the_next(house):
    house.at = datetime(2026, 11, 30, 22, 50, tzinfo=UTC)
    costs, told = made(house, contract(TARIFF, PER_PEAK))
    await costs.look()
    before = costs.of()["house"]
    house.at = datetime(2026, 11, 30, 23, 1, tzinfo=UTC)
    await costs.look()
    assert costs.of()["house"].day_began == before.day_began, "the day ends when its last reading can be there"
    house.at = datetime(2026, 11, 30, 23, 2, 30, tzinfo=UTC)
    await costs.look()
    last, now = told[-1]
    assert (last.day_began, last.month_began) == (before.day_began, before.month_began)
    assert last.today[Direction.IMPORT].amount == 48  # 96 kWh at 0.40 and VAT
    # The month was measured whole: its peak of 4 kW is charged now, and was not before.
    assert last.month[Direction.IMPORT].amount == 30 * 48 + 50
    assert before.month[Direction.IMPORT].amount < 30 * 48
    assert now.day_began == now.month_began == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert now.today == now.month
    assert now.today[Direction.IMPORT].amount < Decimal("0.1")


async def test_last_words_wait_for_who_is_away_in_their_order(house):
    house.at = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    costs = RunningCosts(house, [contract(TARIFF)], ZONE, house)
    follower = costs.follow(lambda *_: None)
    for _ in range(3):
        await costs.look()
        house.at += timedelta(days=1)
    taken = [one for _, one in follower.take()]
    assert [one.day_began.day for one in taken] == [26, 27, 28]
    assert [one.today[Direction.IMPORT].amount for one in taken] == [48, 48, pytest.approx(Decimal(26))]
    assert list(follower.take()) == [("house", costs.of()["house"])]


async def test_a_part_of_the_bill_without_a_contract_gives_no_price(house):
    house.at = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    supplier = contract(SPOT, part=Part.SUPPLIER, ends=date(2026, 11, 30))
    grid = contract(TARIFF, part=Part.GRID)
    costs, _ = made(house, supplier, grid)
    await costs.look()
    assert costs.of()["house"].prices == {}


async def test_an_ended_contract_has_no_price_and_no_costs_of_today(house):
    house.at = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    costs, _ = made(house, contract(TARIFF, ends=date(2026, 11, 2)))
    await costs.look()
    now = costs.of()["house"]
    assert (now.prices, now.today) == ({}, {})
    assert now.month[Direction.IMPORT].amount == 48


async def test_nothing_is_told_while_the_history_cannot_be_read(house):
    costs, told = made(house, contract(TARIFF))
    await costs.look()
    house.broken = True
    await costs.look()
    assert told[-1] == [CostsNow("DKK", {}, {}, {})]


async def test_the_document_leaves_out_what_is_not_known(house):
    def document(costs):
        (row,) = (row for row in ROWS if row.when is When.COSTS)
        return row.payload(View("house", SimpleNamespace(), 0.0, costs=costs))

    assert document(None) is None
    assert document(CostsNow("DKK", {}, {}, {})) == '{"currency":"DKK"}'
    house.at = datetime(2026, 11, 1, 11, 15, tzinfo=UTC)
    costs, _ = made(house, contract(TARIFF))
    await costs.look()
    assert document(costs.of()["house"]) == (
        '{"currency":"DKK","import_price":0.5,"cost_today":24.5,"today_began":"2026-10-31T23:00:00+00:00",'
        '"cost_month":24.5,"month_began":"2026-10-31T23:00:00+00:00"}'
    )
