"""Bills of whole months, by contracts that change, with gaps and missing prices."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.bills.bill import bills
from nes2mqtt.bills.command import bill_lines, parse_days
from nes2mqtt.costs.contract import Contract, Line, Peak
from nes2mqtt.costs.metered import Counted, quarters_of
from nes2mqtt.costs.price_text import Amount, Per, ShareOfSpot
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.prices.spot_price import SpotPrice
from osgp.sources import Direction

ZONE = ZoneInfo("Europe/Copenhagen")
QUARTER = timedelta(minutes=15)
OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def contract(*lines, begins=OCTOBER, **more):
    return Contract("Test", "house", begins, lines, "DKK", spot_area="DK1", vat=Decimal("0.25"), **more)


SPOT = Line("Spot", ShareOfSpot(Decimal(1)))
FIXED = Line("Fixed", Amount(Decimal("0.5"), Per.KWH))
MONTHLY = Line("Subscription", Amount(Decimal(31), Per.MONTH))


def everything(wh=250, skip=()):
    """Return an energy function of a house that uses the same in each quarter, but was not read in some."""

    def energy(meter, key, spans):
        assert (meter, key) == ("house", "active_energy_import")
        found = []
        since = spans[0][0]
        for begin, end in spans:
            if begin in skip:
                found.append(Counted(begin, None, None))
                continue
            found.append(Counted(begin, wh * round((end - since) / QUARTER), since))
            since = end
        return found

    return energy


def all_prices(value="1", until=datetime(2027, 1, 1, tzinfo=UTC)):
    def prices(area, currency, begin, end):
        assert (area, currency) == ("DK1", "DKK")
        count = int((min(end, until) - begin) / QUARTER)
        return [SpotPrice(begin + QUARTER * number, 15, Decimal(value), "DKK") for number in range(count)]

    return prices


def one(made):
    (bill,) = made
    return bill


def test_a_month_with_an_hour_more():
    bill = one(bills([contract(SPOT, FIXED, MONTHLY)], OCTOBER, NOVEMBER, ZONE, everything(), all_prices()))
    hours = 31 * 24 + 1
    assert bill.total.wh == hours * 1000
    assert bill.total.lines["Spot"].net == hours
    assert bill.total.lines["Fixed"].net == Decimal(hours) / 2
    assert bill.total.lines["Subscription"].net == 31
    assert bill.total.total.gross == (Decimal(hours) * 3 / 2 + 31) * Decimal("1.25")
    assert bill.total.complete
    assert bill.days[date(2026, 10, 25)].wh == 25_000


def test_a_contract_that_changes_in_the_middle_of_a_month():
    middle = date(2026, 10, 11)
    old, new = contract(FIXED, MONTHLY, ends=middle), contract(SPOT, begins=middle)
    first, second = bills([old, new], OCTOBER, NOVEMBER, ZONE, everything(), all_prices("2"))
    assert (first.first, first.after, second.first, second.after) == (OCTOBER, middle, middle, NOVEMBER)
    assert first.total.lines["Subscription"].net == pytest.approx(Decimal(10))
    assert first.total.wh == 240_000
    assert second.total.lines["Spot"].net == 2 * (21 * 24 + 1)
    assert bills([old], NOVEMBER, DECEMBER, ZONE, everything(), all_prices()) == []


def test_what_has_no_price_yet_waits():
    known_until = datetime(2026, 10, 30, 23, tzinfo=UTC)
    bill = one(bills([contract(SPOT)], OCTOBER, NOVEMBER, ZONE, everything(), all_prices(until=known_until)))
    assert (bill.total.pending, bill.total.pending_wh) == (96, 24_000)
    assert bill.total.wh == 30 * 24_000 + 1000
    assert not bill.days[date(2026, 10, 31)].complete
    assert "96 quarter hours with 24 kWh wait for their price" in "\n".join(bill_lines(bill))


def test_no_energy_is_lost_or_doubled_by_a_gap():
    gap = {datetime(2026, 10, 10, 12, tzinfo=UTC) + QUARTER * number for number in range(10)}
    whole = one(bills([contract(SPOT)], OCTOBER, NOVEMBER, ZONE, everything(), all_prices()))
    torn = one(bills([contract(SPOT)], OCTOBER, NOVEMBER, ZONE, everything(skip=gap), all_prices()))
    assert torn.total.wh == whole.total.wh
    assert torn.total.estimated == 11
    assert torn.total.lines == whole.total.lines
    assert "11 quarter hours have an even share" in "\n".join(bill_lines(torn))


def test_a_gap_over_midnight_gives_each_day_its_share():
    midnight = datetime(2026, 9, 30, 22, tzinfo=UTC)
    gap = {midnight + QUARTER * number for number in range(-4, 4)}
    bill = one(bills([contract(FIXED)], OCTOBER, date(2026, 10, 2), ZONE, everything(skip=gap), all_prices()))
    assert bill.total.wh == 24_000
    assert bill.total.estimated == 5


def test_income_of_an_export_contract():
    def energy(meter, key, spans):
        assert key == "active_energy_export"
        return [Counted(begin, 100, begin) for begin, _ in spans]

    sold = contract(SPOT, direction=Direction.EXPORT)
    bill = one(bills([sold], OCTOBER, date(2026, 10, 2), ZONE, energy, all_prices("-0.2")))
    assert bill.total.total.net == Decimal("-1.92")
    assert "income" in "\n".join(bill_lines(bill))


class TestPeaks:
    line = Line("Capacity", Amount(Decimal(40), Per.PEAK), peak=Peak(months=2, minimum=Decimal("2.5")))

    def energy(self, meter, key, spans):
        peaks = {datetime(2026, 9, 14, 16, tzinfo=UTC): 2000, datetime(2026, 10, 14, 16, tzinfo=UTC): 1500}
        return [Counted(begin, peaks.get(begin, 250), begin) for begin, _ in spans]

    def test_the_mean_of_two_months(self):
        tariff = contract(self.line, begins=date(2026, 9, 1))
        bill = one(bills([tariff], OCTOBER, NOVEMBER, ZONE, self.energy, all_prices()))
        (peak,) = bill.peaks
        assert (peak.month, peak.measured.kw, peak.kw, peak.over) == (OCTOBER, 6, 7, True)
        assert bill.total.lines["Capacity"].net == 280
        assert bill.total.lines["Capacity"].gross == 350

    def test_a_month_that_is_not_over_is_told_and_not_charged(self):
        tariff = contract(self.line, begins=date(2026, 9, 1))
        bill = one(bills([tariff], OCTOBER, date(2026, 10, 20), ZONE, self.energy, all_prices()))
        assert "Capacity" not in bill.total.lines
        assert "peak of 2026-10 7.000 kW, so far" in "\n".join(bill_lines(bill))


def test_energy_from_before_is_not_guessed():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    counted = [Counted(start, None, None), Counted(start + QUARTER, 9000, start - timedelta(hours=9))]
    assert [quarter.wh for quarter in quarters_of(counted)] == [None, None]


def test_shares_are_whole_watt_hours():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    counted = [
        Counted(start, None, None),
        Counted(start + QUARTER, None, None),
        Counted(start + 2 * QUARTER, 11, start),
    ]
    assert [(quarter.wh, quarter.estimated) for quarter in quarters_of(counted)] == [(4, True), (4, True), (3, True)]


def test_the_rest_of_a_quarter_that_was_read_is_not_spread_into_it():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    counted = [
        Counted(start, 100, start),
        Counted(start + QUARTER, None, None),
        Counted(start + 2 * QUARTER, 300, start + timedelta(minutes=3)),
    ]
    assert [(quarter.wh, quarter.estimated) for quarter in quarters_of(counted)] == [
        (100, False),
        (150, True),
        (150, True),
    ]


def test_days_of_the_command():
    today = date(2026, 10, 5)
    assert parse_days("2026-10", "", today) == (OCTOBER, date(2026, 10, 6))
    assert parse_days("2026-10-03", "2026-11", today) == (date(2026, 10, 3), NOVEMBER)
    for begin, end, said in (
        ("october", "", "no day"),
        ("2026-10", "2026-10-01", "swap them"),
        ("2026-12", "", "to come"),
        ("2026-10", "2026-13", "--to"),
    ):
        with pytest.raises(HistoryError, match=said):
            parse_days(begin, end, today)
