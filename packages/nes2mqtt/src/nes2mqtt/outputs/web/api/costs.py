"""The part of the REST API that tells what energy cost.

This module does not calculate.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from starlette.requests import Request

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.outputs.web.api.history import history, unreadable
from nes2mqtt.outputs.web.api.models import BillDay, BillLine, BillPeak, BillReport, CostReport
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterId, known_meter
from nes2mqtt.outputs.web.problem import ProblemError

if TYPE_CHECKING:
    from nes2mqtt.bills.bill import Bill

__all__ = ["OPERATIONS"]

_MOST_DAYS = 400
_DIGITS = 6
"""Behind the point, of amounts: sums that are rounded again for people stay right."""


class _Costs(Asked):
    meter: MeterId
    first: Annotated[date | None, Field(description="First local day; without it the first of this month")] = None
    after: Annotated[
        date | None, Field(description="The day after the last one; without it tomorrow. Days to come are left out")
    ] = None


async def costs(request: Request, asked: _Costs) -> CostReport:
    """Bills by the contracts of the configuration. What has no price or no measurement yet is counted, never guessed."""
    web = context_of(request)
    known_meter(web, asked.meter)
    history(web)
    zone = web.gateway.timezone
    if web.billing is None:
        raise ProblemError(
            503, "There is no contract", "Costs need a section [[contracts]]; docs/costs.md shows how to write one."
        )
    if not web.hub.clock.known:
        raise ProblemError(
            503,
            "The time of day is not known",
            "Bills leave out days to come, so they wait until this computer's clock is set, or a meter tells the time. "
            "/api/v1/status tells more.",
        )
    now = web.hub.clock.now()
    today = now.astimezone(zone).date()
    first = asked.first or today.replace(day=1)
    after = asked.after or max(today, first) + timedelta(days=1)
    if after <= first:
        raise ProblemError(400, "The end is not after the start", "Swap first and after.")
    if (after - first).days > _MOST_DAYS:
        raise ProblemError(400, "That is too much at once", f"Ask for at most {_MOST_DAYS} days.")
    try:
        made = await web.billing.of(asked.meter, first, after, now)
    except HistoryError as error:
        raise unreadable(error) from error
    return CostReport(meter=asked.meter, timezone=str(zone), bills=[_report(bill) for bill in made])


def _report(bill: Bill) -> BillReport:
    total = bill.total
    return BillReport(
        contract=bill.contract.name,
        direction=bill.contract.direction,
        currency=bill.contract.currency,
        first=bill.first,
        after=bill.after,
        kwh=total.wh / 1000,
        lines=[
            BillLine(name=line.name, net=_amount(total.lines[line.name].net), vat=_amount(total.lines[line.name].vat))
            for line in bill.contract.lines
            if line.name in total.lines
        ],
        net=_amount(total.total.net),
        vat=_amount(total.total.vat),
        gross=_amount(total.total.gross),
        pending_quarters=total.pending,
        pending_kwh=total.pending_wh / 1000,
        unmeasured_quarters=total.unmeasured,
        estimated_quarters=total.estimated,
        peaks=[
            BillPeak(
                line=peak.line,
                month=peak.month,
                kw=None if peak.kw is None else float(round(peak.kw, _DIGITS)),
                at_least=not peak.complete,
                charged=peak.charged,
            )
            for peak in bill.peaks
        ],
        days=[
            BillDay(day=day, kwh=costs.wh / 1000, gross=_amount(costs.total.gross), complete=costs.complete)
            for day, costs in bill.days.items()
        ],
    )


def _amount(amount: Decimal) -> float:
    return float(round(amount, _DIGITS))


OPERATIONS = (
    Operation("/costs", "What energy cost, by contract", _Costs, costs, CostReport, problems=(400, 401, 404, 422, 503)),
)
