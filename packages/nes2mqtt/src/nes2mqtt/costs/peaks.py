"""What the highest use of a month costs.

Companies measure peaks in different words (a quarter hour or an hour, one or the mean of three on different days, some
months' mean), all of them by clock periods of import. A period that was not measured whole, or whose energy is an estimate, gives no peak, so what is told
is "at least" until every period of the month is there. A change of the meter does not begin the month anew.

This module does not know where energy comes from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from nes2mqtt.costs.calculation import Quarter
from nes2mqtt.costs.contract import Peak
from nes2mqtt.costs.slots import floor

__all__ = ["MonthPeak", "billed", "charge", "month_peak"]

_QUARTER_MINUTES = 15


@dataclass(frozen=True, slots=True)
class MonthPeak:
    """The peak of a month.

    Args:
        kw: as the tariff measures it; None: no period was measured.
        at: start (UTC) of the periods that count, the highest first.
        complete: whether every period of the month that counts was measured; if not, the peak is at least this.
    """

    kw: Decimal | None
    at: tuple[datetime, ...]
    complete: bool


def month_peak(peak: Peak, quarters: Iterable[Quarter], zone: ZoneInfo, holidays: Collection[date] = ()) -> MonthPeak:
    """Return the peak of a month.

    Args:
        peak: how it is measured.
        quarters: every quarter hour of the local month.
        zone: of the local clock.
        holidays: days that the window calls holidays.
    """
    periods: dict[datetime, list[int | None]] = defaultdict(list)
    for quarter in quarters:
        if peak.window.holds(quarter.start.astimezone(zone), holidays):
            periods[floor(quarter.start, peak.minutes)].append(None if quarter.estimated else quarter.wh)
    whole = peak.minutes // _QUARTER_MINUTES
    measured: list[tuple[int, datetime]] = []
    for start, parts in periods.items():
        known = [part for part in parts if part is not None]
        if len(known) == whole:
            measured.append((sum(known), start))
    # Of equal periods the earlier one counts, so that a later one changes nothing.
    measured.sort(key=lambda one: (-one[0], one[1]))
    counted = _of_different_days(measured, zone) if peak.different_days else measured
    counted = counted[: peak.highest]
    complete = len(measured) == len(periods)
    if not counted:
        return MonthPeak(None, (), complete)
    mean = Decimal(sum(wh for wh, _ in counted)) / len(counted)
    return MonthPeak(mean * 60 / peak.minutes / 1000, tuple(start for _, start in counted), complete)


def billed(peak: Peak, months: Sequence[Decimal]) -> Decimal:
    """Return the kW that are billed.

    Args:
        peak: how it is measured.
        months: the peaks of the last months in kW, this month's last; only the last ``peak.months`` count.
    """
    last = [max(kw, peak.minimum) for kw in months[-peak.months :]]
    return sum(last, Decimal(0)) / len(last) if last else peak.minimum


def charge(peak: Peak, per_kw: Decimal, kw: Decimal) -> Decimal:
    """Return what a month's peak costs without VAT, by its steps or by the kW."""
    if not peak.steps:
        return per_kw * kw
    for up_to, amount in peak.steps:
        if kw <= up_to:
            return amount
    return peak.steps[-1][1]


def _of_different_days(measured: Sequence[tuple[int, datetime]], zone: ZoneInfo) -> list[tuple[int, datetime]]:
    found: dict[date, tuple[int, datetime]] = {}
    for wh, start in measured:
        found.setdefault(start.astimezone(zone).date(), (wh, start))
    return list(found.values())
