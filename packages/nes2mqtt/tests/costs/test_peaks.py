"""Peaks as the companies of four countries measure them, with months whose peaks can be told by eye."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.costs.calculation import Quarter
from nes2mqtt.costs.config import PeakConfig
from nes2mqtt.costs.contract import Peak
from nes2mqtt.costs.peaks import billed, charge, month_peak
from nes2mqtt.costs.slots import days, quarters

OSLO = ZoneInfo("Europe/Oslo")


def month(zone, highest):
    """Return January's quarters of 100 Wh each, but for the starts (local) that are given others."""
    starts = [start for day in days(date(2026, 1, 1), date(2026, 2, 1)) for start in quarters(day, zone)]
    special = {datetime.fromisoformat(at).replace(tzinfo=zone).astimezone(UTC): wh for at, wh in highest.items()}
    assert special.keys() <= set(starts)
    return [Quarter(start, special.get(start, 100)) for start in starts]


def test_belgium_the_highest_quarter():
    quarter = month(ZoneInfo("Europe/Brussels"), {"2026-01-14T18:15": 1500, "2026-01-20T07:00": 1400})
    peak = month_peak(Peak(), quarter, ZoneInfo("Europe/Brussels"))
    assert peak.kw == 6
    assert peak.at == (datetime(2026, 1, 14, 17, 15, tzinfo=UTC),)
    assert peak.complete


def test_belgium_bills_the_mean_of_twelve_months_and_two_and_a_half_at_least():
    tariff = Peak(months=12, minimum=Decimal("2.5"))
    assert billed(tariff, [Decimal(9)] + [Decimal(4)] * 11 + [Decimal(1)]) == (Decimal(44) + Decimal("2.5")) / 12
    assert billed(tariff, []) == Decimal("2.5")


def hours(*starts):
    return {
        (datetime.fromisoformat(at) + timedelta(minutes=minute)).isoformat(): wh
        for at, wh in starts
        for minute in (0, 15, 30, 45)
    }


def test_norway_three_hours_on_different_days():
    used = hours(
        ("2026-01-05T17:00", 1500), ("2026-01-05T18:00", 1450), ("2026-01-12T07:00", 1200), ("2026-01-30T20:00", 900)
    )
    tariff = Peak(
        minutes=60,
        highest=3,
        steps=((Decimal(2), Decimal(125)), (Decimal(5), Decimal(200)), (Decimal(10), Decimal(350))),
    )
    peak = month_peak(tariff, month(OSLO, used), OSLO)
    assert peak.kw == Decimal(6000 + 4800 + 3600) / 3 / 1000
    assert [at.astimezone(OSLO).day for at in peak.at] == [5, 12, 30]
    assert charge(tariff, Decimal(0), Decimal("4.8")) == 200
    assert charge(tariff, Decimal(0), Decimal(2)) == 125
    assert charge(tariff, Decimal(0), Decimal(99)) == 350
    alike = month_peak(Peak(minutes=60, highest=3, different_days=False), month(OSLO, used), OSLO)
    assert alike.kw == Decimal(6000 + 5800 + 4800) / 3 / 1000


def test_sweden_weekdays_in_the_daytime():
    zone = ZoneInfo("Europe/Stockholm")
    window = PeakConfig.model_validate({"days": "mon-fri", "from": "06:00", "to": "20:00", "measure": "hour"}).peak(
        "SEK"
    )
    used = hours(("2026-01-10T12:00", 2000), ("2026-01-13T21:00", 1800), ("2026-01-13T06:00", 700))
    assert month_peak(window, month(zone, used), zone).kw == Decimal("2.8")
    assert month_peak(window, month(zone, used), zone, {date(2026, 1, 13)}).kw == Decimal("2.8"), (
        "holidays are days like others"
    )


def test_an_hour_with_a_gap_gives_no_peak_and_the_month_is_told_as_at_least():
    used = month(OSLO, hours(("2026-01-05T17:00", 1500), ("2026-01-06T17:00", 1000)))
    gap = datetime(2026, 1, 5, 17, 30, tzinfo=OSLO)
    torn = [Quarter(each.start, None if each.start == gap else each.wh) for each in used]
    peak = month_peak(Peak(minutes=60), torn, OSLO)
    assert (peak.kw, peak.complete) == (4, False)
    missing = month_peak(Peak(minutes=60), [each for each in used if each.start != gap], OSLO)
    assert (missing.kw, missing.complete) == (4, False)
    assert month_peak(Peak(), [], OSLO).kw is None


@pytest.mark.parametrize(
    "steps", [[["5 kW", "20 kr per kWh"]], [["5 kW", "20 kr per month"], ["2 kW", "10 kr per month"]]]
)
def test_steps_that_cannot_be(steps):
    with pytest.raises(ValueError, match="step"):
        PeakConfig.model_validate({"steps": steps}).peak("NOK")
