"""Bills of whole months, by contracts that change, with gaps and missing prices."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.bills.bill import bills, counted_of
from nes2mqtt.bills.command import bill_lines, parse_days
from nes2mqtt.costs.calculation import Money
from nes2mqtt.costs.contract import Contract, Line, Peak, SpotStep
from nes2mqtt.costs.metered import Counted, quarters_of
from nes2mqtt.costs.price_text import Amount, Per, ShareOfGroup, ShareOfSpot
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.reader import EnergyPeriod
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


LATER = datetime(2027, 3, 1, tzinfo=UTC)
"""When all is over that these tests ask for."""


def everything(wh=250, skip=(), until=LATER):
    """Return an energy function of a house that uses the same in each quarter, but was not read in some."""

    def energy(meter, key, spans):
        assert (meter, key) == ("house", "active_energy_import")
        found = []
        for begin, end in spans:
            if begin in skip or begin >= until:
                found.append(Counted(begin, None, None))
                continue
            since = begin
            while since - QUARTER in skip:
                since -= QUARTER
            found.append(Counted(begin, wh * round((end - since) / QUARTER), since, end))
        return found

    return energy


def quarters_between(begin, end):
    return {begin + QUARTER * number for number in range(round((end - begin) / QUARTER))}


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
    bill = one(bills([contract(SPOT, FIXED, MONTHLY)], OCTOBER, NOVEMBER, ZONE, everything(), all_prices(), LATER))
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
    first, second = bills([old, new], OCTOBER, NOVEMBER, ZONE, everything(), all_prices("2"), LATER)
    assert (first.first, first.after, second.first, second.after) == (OCTOBER, middle, middle, NOVEMBER)
    assert first.total.lines["Subscription"].net == pytest.approx(Decimal(10))
    assert first.total.wh == 240_000
    assert second.total.lines["Spot"].net == 2 * (21 * 24 + 1)
    assert bills([old], NOVEMBER, DECEMBER, ZONE, everything(), all_prices(), LATER) == []


def test_what_has_no_price_yet_waits():
    known_until = datetime(2026, 10, 30, 23, tzinfo=UTC)
    bill = one(bills([contract(SPOT)], OCTOBER, NOVEMBER, ZONE, everything(), all_prices(until=known_until), LATER))
    assert (bill.total.pending, bill.total.pending_wh) == (96, 24_000)
    assert bill.total.wh == 30 * 24_000 + 1000
    assert not bill.days[date(2026, 10, 31)].complete
    assert "96 quarter hours with 24 kWh wait for their price" in "\n".join(bill_lines(bill))


def test_no_energy_is_lost_or_doubled_by_a_gap():
    gap = {datetime(2026, 10, 10, 12, tzinfo=UTC) + QUARTER * number for number in range(10)}
    whole = one(bills([contract(SPOT)], OCTOBER, NOVEMBER, ZONE, everything(), all_prices(), LATER))
    torn = one(bills([contract(SPOT)], OCTOBER, NOVEMBER, ZONE, everything(skip=gap), all_prices(), LATER))
    assert torn.total.wh == whole.total.wh
    assert torn.total.estimated == 11
    assert torn.total.lines == whole.total.lines
    assert "11 quarter hours have an even share" in "\n".join(bill_lines(torn))


def test_a_gap_over_midnight_gives_each_day_its_share():
    midnight = datetime(2026, 9, 30, 22, tzinfo=UTC)
    gap = {midnight + QUARTER * number for number in range(-4, 4)}
    bill = one(bills([contract(FIXED)], OCTOBER, date(2026, 10, 2), ZONE, everything(skip=gap), all_prices(), LATER))
    assert bill.total.wh == 24_000
    assert bill.total.estimated == 5


def test_income_of_an_export_contract():
    def energy(meter, key, spans):
        assert key == "active_energy_export"
        return [Counted(begin, 100, begin) for begin, _ in spans]

    sold = contract(SPOT, direction=Direction.EXPORT)
    bill = one(bills([sold], OCTOBER, date(2026, 10, 2), ZONE, energy, all_prices("-0.2"), LATER))
    assert bill.total.total.net == Decimal("-1.92")
    assert "income" in "\n".join(bill_lines(bill))


class TestGapsOverAnEnd:
    """What was used while nobody read the meter is in exactly one bill, whichever days are asked for."""

    border = datetime(2026, 10, 31, 23, tzinfo=UTC)

    @pytest.mark.parametrize("reach", [timedelta(hours=1), timedelta(hours=30), timedelta(days=20)])
    def test_of_a_month(self, reach):
        gap = quarters_between(self.border - reach, self.border + reach)
        energy = everything(skip=gap)
        first = one(bills([contract(FIXED)], OCTOBER, NOVEMBER, ZONE, energy, all_prices(), LATER))
        second = one(bills([contract(FIXED)], NOVEMBER, DECEMBER, ZONE, energy, all_prices(), LATER))
        assert (first.total.wh, second.total.wh) == (745_000, 720_000)
        assert (first.total.unmeasured, second.total.unmeasured) == (0, 0)
        assert first.total.estimated == reach / QUARTER

    def test_of_a_contract(self):
        change = datetime(2026, 10, 10, 22, tzinfo=UTC)
        gap = quarters_between(change - timedelta(hours=2), change + timedelta(hours=2))
        old, new = contract(FIXED, ends=date(2026, 10, 11)), contract(FIXED, begins=date(2026, 10, 11))
        made = bills([old, new], OCTOBER, NOVEMBER, ZONE, everything(skip=gap), all_prices(), LATER)
        assert [bill.total.wh for bill in made] == [240_000, 505_000]

    def test_longer_than_anybody_looks(self):
        gap = quarters_between(self.border - timedelta(hours=1), self.border + timedelta(days=110))
        bill = one(bills([contract(FIXED)], OCTOBER, NOVEMBER, ZONE, everything(skip=gap), all_prices(), LATER))
        assert (bill.total.wh, bill.total.unmeasured) == (744_000, 4)


class TestDaysToCome:
    now = datetime(2026, 10, 3, 10, 5, tzinfo=UTC)

    def bill(self, *lines):
        energy = everything(until=self.now - timedelta(minutes=5))
        return one(bills([contract(*lines)], OCTOBER, NOVEMBER, ZONE, energy, all_prices(), self.now))

    def test_they_cost_nothing_and_are_not_missed(self):
        bill = self.bill(FIXED, MONTHLY)
        assert bill.after == date(2026, 10, 4)
        assert bill.total.lines["Subscription"].net == pytest.approx(Decimal(3))
        assert bill.total.wh == 60_000
        assert bill.total.complete

    def test_a_peak_waits_for_the_end_of_its_month(self):
        bill = self.bill(Line("Capacity", Amount(Decimal(40), Per.PEAK), peak=Peak()))
        assert "Capacity" not in bill.total.lines
        assert [(peak.kw, peak.over, peak.charged) for peak in bill.peaks] == [(1, False, False)]
        assert "peak of 2026-10 1.000 kW, so far" in "\n".join(bill_lines(bill))

    def test_a_bill_of_days_to_come_only_is_none(self):
        assert bills([contract(FIXED)], NOVEMBER, DECEMBER, ZONE, everything(), all_prices(), self.now) == []


class TestPeaks:
    line = Line("Capacity", Amount(Decimal(40), Per.PEAK), peak=Peak(months=2, minimum=Decimal("2.5")))

    def energy(self, meter, key, spans):
        peaks = {
            datetime(2026, 9, 14, 16, tzinfo=UTC): 2000,
            datetime(2026, 10, 5, 16, tzinfo=UTC): 1500,
            datetime(2026, 12, 5, 16, tzinfo=UTC): 1000,
        }
        return [
            Counted(begin, None, None)
            if begin.astimezone(ZONE).month == NOVEMBER.month
            else Counted(begin, peaks.get(begin, 250), begin)
            for begin, _ in spans
        ]

    def bills(self, contracts, first=OCTOBER, after=NOVEMBER):
        return bills(contracts, first, after, ZONE, self.energy, all_prices(), LATER)

    def test_the_mean_of_two_months(self):
        bill = one(self.bills([contract(self.line, begins=date(2026, 9, 1))]))
        (peak,) = bill.peaks
        assert (peak.month, peak.kw, peak.over, peak.charged) == (OCTOBER, 7, True, True)
        assert bill.total.lines["Capacity"].net == 280
        assert bill.total.lines["Capacity"].gross == 350

    def test_a_contract_that_changes_does_not_begin_the_mean_anew(self):
        bill = one(self.bills([contract(self.line, begins=OCTOBER)]))
        assert bill.total.lines["Capacity"].net == 280

    def test_in_the_month_of_a_change_the_contract_of_its_last_day_charges_once(self):
        middle = date(2026, 10, 16)
        line = replace(self.line, peak=Peak())
        old, new = self.bills([contract(line, ends=middle), contract(line, begins=middle)])
        assert (old.peaks, old.total.lines) == ((), {})
        assert new.total.lines["Capacity"].net == 240

    def test_lines_that_follow_each_other_charge_once(self):
        middle = date(2026, 10, 16)
        old = replace(self.line, name="Old", peak=Peak(), valid_to=middle)
        new = replace(self.line, name="New", peak=Peak(), valid_from=middle)
        bill = one(self.bills([contract(old, new)]))
        assert {name: amount.net for name, amount in bill.total.lines.items()} == {"New": 240}

    def test_it_is_charged_in_the_bill_of_the_last_day_only(self):
        tariff = contract(self.line, begins=date(2026, 9, 1))
        bill = one(self.bills([tariff], after=date(2026, 10, 20)))
        assert "Capacity" not in bill.total.lines
        assert "peak of 2026-10 7.000 kW; it is in the sum of the bill that has the last day" in "\n".join(
            bill_lines(bill)
        )
        last = one(self.bills([tariff], first=date(2026, 10, 31)))
        assert last.total.lines["Capacity"].net == 280

    def test_a_month_without_a_peak_is_no_month_of_the_mean(self):
        tariff = contract(self.line, begins=date(2026, 9, 1))
        for first in (date(2026, 9, 1), OCTOBER, DECEMBER):
            bill = one(self.bills([tariff], first, date(2027, 1, 1)))
            assert [peak.kw for peak in bill.peaks][-1] == 4
        assert [peak.kw for peak in bill.peaks] == [4]

    def test_a_share_of_a_group_counts_its_peak(self):
        levy = Line("Levy", ShareOfGroup(Decimal("0.06"), "grid"))
        bill = one(self.bills([contract(replace(self.line, peak=Peak(), group="grid"), levy)]))
        assert bill.total.lines["Levy"] == Money(Decimal("14.40"), Decimal("3.6"))


def test_the_mean_of_a_month_needs_prices_from_before_the_contract():
    new = contract(SPOT, begins=date(2026, 10, 11), spot_step=SpotStep.MONTH)
    bill = one(bills([new], OCTOBER, NOVEMBER, ZONE, everything(), all_prices(), LATER))
    assert bill.total.complete
    assert new.prices_since == OCTOBER
    assert contract(SPOT, begins=date(2026, 10, 11)).prices_since == date(2026, 10, 11)


def test_a_bill_of_a_year_asks_for_a_month_at_a_time():
    asked = []

    def energy(meter, key, spans):
        asked.append(len(spans))
        return everything()(meter, key, spans)

    tariff = contract(SPOT, TestPeaks.line, begins=date(2026, 1, 1))
    bill = one(bills([tariff], date(2026, 1, 1), date(2027, 1, 1), ZONE, energy, all_prices(), LATER))
    assert bill.total.wh == 365 * 24_000
    assert max(asked) <= 31 * 96 + 4


def test_energy_since_before_the_first_quarter_has_its_share_there():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    counted = [Counted(start, None, None), Counted(start + QUARTER, 9500, start - timedelta(hours=9))]
    assert [quarter.wh for quarter in quarters_of(counted, LATER)] == [250, 250]


class TestQuartersReadInPart:
    start = datetime(2026, 10, 1, 10, tzinfo=UTC)

    def at(self, minutes):
        return self.start + timedelta(minutes=minutes)

    def quarters(self, *counted, now=LATER):
        return [(quarter.wh, quarter.estimated) for quarter in quarters_of(counted, now)]

    def test_until_a_gap(self):
        assert self.quarters(
            Counted(self.start, 1400, self.start, self.at(7)),
            Counted(self.at(15), None, None),
            Counted(self.at(30), 380, self.at(7), self.at(45)),
        ) == [(1480, True), (150, True), (150, True)]

    def test_over_an_edge(self):
        assert self.quarters(
            Counted(self.start, 70, self.start, self.at(7)), Counted(self.at(15), 230, self.at(7), self.at(30))
        ) == [(150, True), (150, True)]

    def test_from_its_middle(self):
        assert self.quarters(Counted(self.start, 10, self.at(14), self.at(15))) == [(10, True)]

    def test_near_enough(self):
        near = timedelta(seconds=60)
        assert self.quarters(Counted(self.start, 250, self.start - near, self.at(15) - near)) == [(250, False)]

    def test_one_that_is_not_over(self):
        now = self.at(7) + timedelta(seconds=5)
        assert self.quarters(Counted(self.start, 90, self.start, self.at(7)), now=now) == [(90, False)]


def test_a_register_that_the_load_profile_does_not_have():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    at = [start + QUARTER * number for number in range(5)]
    counted = [
        Counted(at[0], 100, at[0], at[1]),
        Counted(at[1], None, None, at[2], unplaced=True),
        Counted(at[2], None, None, at[3], unplaced=True),
        Counted(at[3], 900, at[3], at[4], unplaced=True),
        Counted(at[4], 100, at[4]),
    ]
    shares = [(100, False), (300, True), (300, True), (300, True), (100, False)]
    assert [(quarter.wh, quarter.estimated) for quarter in quarters_of(counted, LATER)] == shares
    # Without the quarter before, nobody knows when it began.
    assert [quarter.wh for quarter in quarters_of(counted[2:], LATER)] == [None, None, 100]


def test_what_the_history_could_not_place_is_known_to_the_bill():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    period = EnergyPeriod(start, start + QUARTER, {"x": 5}, start, start + QUARTER, unplaced=frozenset({"x"}))
    assert counted_of(period, "x") == Counted(start, 5, start, start + QUARTER, unplaced=True)


def test_a_gap_without_the_register_over_the_begin_of_a_bill():
    def energy(meter, key, spans):
        del meter, key
        begin, end = datetime(2026, 9, 30, 20, tzinfo=UTC), datetime(2026, 10, 1, 0, tzinfo=UTC)
        found = []
        for since, until in spans:
            gap = begin <= since < end
            if gap and until < end:
                found.append(Counted(since, None, None, until, unplaced=True))
            else:
                found.append(Counted(since, 16 * 250 if gap else 250, since, until, unplaced=gap))
        return found

    bill = one(bills([contract(FIXED)], OCTOBER, date(2026, 10, 2), ZONE, energy, all_prices(), LATER))
    assert (bill.total.wh, bill.total.estimated, bill.total.unmeasured) == (24_000, 8, 0)


def test_shares_are_whole_watt_hours():
    start = datetime(2026, 10, 1, tzinfo=UTC)
    counted = [
        Counted(start, None, None),
        Counted(start + QUARTER, None, None),
        Counted(start + 2 * QUARTER, 11, start),
    ]
    assert [(quarter.wh, quarter.estimated) for quarter in quarters_of(counted, LATER)] == [
        (4, True),
        (4, True),
        (3, True),
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
