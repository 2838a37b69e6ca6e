"""``/api/v1/costs``: bills in JSON, and every reason why there is none."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from nes2mqtt.bills.bill import bills
from nes2mqtt.costs.contract import Contract, Line, Peak
from nes2mqtt.costs.metered import Counted
from nes2mqtt.costs.price_text import Amount, Per, ShareOfSpot
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.prices.spot_price import SpotPrice


class FakeBilling:
    """A house that uses 250 Wh each quarter; the last hour of its last day has no price yet."""

    contract = Contract(
        "Example",
        "house",
        date(2026, 10, 1),
        (
            Line("Spot", ShareOfSpot(Decimal(1))),
            Line("Subscription", Amount(Decimal(31), Per.MONTH)),
            Line("Capacity", Amount(Decimal(40), Per.PEAK), peak=Peak()),
        ),
        "DKK",
        spot_area="DK1",
        vat=Decimal("0.25"),
    )

    def __init__(self, zone):
        self.zone = zone
        self.asked = []

    async def of(self, meter, first, after, now):
        self.asked.append((meter, first, after))
        self.now = now

        def energy(meter, key, spans):
            del meter, key
            return [Counted(begin, 250, begin) for begin, _ in spans]

        def prices(area, currency, begin, end):
            del area, begin
            until = datetime(after.year, after.month, after.day, tzinfo=self.zone).timestamp() - 3600
            return [
                SpotPrice(datetime.fromtimestamp(second, UTC), 15, Decimal(2), currency)
                for second in range(int(end.timestamp()) - 100 * 86400, int(until), 900)
            ]

        return bills([self.contract], first, after, self.zone, energy, prices, datetime(2026, 12, 1, tzinfo=UTC))


@pytest.fixture
def web(make_web):
    web = make_web(store=object())
    web.billing = FakeBilling(web.gateway.timezone)
    return web


async def test_a_bill(web, client_for):
    async with client_for(web) as client:
        reply = await client.get("/api/v1/costs?meter=house&first=2026-10-25&after=2026-10-27")
    assert reply.status_code == 200, reply.text
    report = reply.json()
    (bill,) = report["bills"]
    assert (report["meter"], report["timezone"]) == ("house", "Europe/Copenhagen")
    assert (bill["first"], bill["after"], bill["currency"], bill["direction"]) == (
        "2026-10-25",
        "2026-10-27",
        "DKK",
        "import",
    )
    assert bill["kwh"] == 48.0  # 25 + 24 hours, less the one without a price
    assert (bill["pending_quarters"], bill["pending_kwh"]) == (4, 1.0)
    assert [(line["name"], line["net"], line["vat"]) for line in bill["lines"]] == [
        ("Spot", 96.0, 24.0),
        ("Subscription", 2.0, 0.5),
    ]
    assert (bill["net"], bill["vat"], bill["gross"]) == (98.0, 24.5, 122.5)
    assert [(day["day"], day["kwh"], day["complete"]) for day in bill["days"]] == [
        ("2026-10-25", 25.0, True),
        ("2026-10-26", 23.0, False),
    ]
    (peak,) = bill["peaks"]
    assert (peak["month"], peak["kw"], peak["charged"]) == ("2026-10-01", 1.0, False)


async def test_this_month_until_today_when_no_days_are_named(web, client_for):
    async with client_for(web) as client:
        reply = await client.get("/api/v1/costs?meter=house")
    assert reply.status_code == 200, reply.text
    ((meter, first, after),) = web.billing.asked
    today = datetime.now(web.gateway.timezone).date()
    assert (meter, first) == ("house", today.replace(day=1))
    assert after > today


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("meter=barn", 404, "no meter called barn"),
        ("meter=house&first=2026-10-02&after=2026-10-02", 400, "Swap"),
        ("meter=house&first=2025-01-01&after=2026-10-02", 400, "at most 400 days"),
        ("meter=house&first=october", 422, "malformed"),
    ],
)
async def test_problems(web, client_for, query, status, said):
    async with client_for(web) as client:
        reply = await client.get(f"/api/v1/costs?{query}")
    assert reply.status_code == status
    assert said in reply.text


async def test_without_contracts_and_without_a_history(make_web, client_for, web):
    web.billing = None
    async with client_for(web) as client:
        reply = await client.get("/api/v1/costs?meter=house")
    assert (reply.status_code, "docs/costs.md" in reply.text) == (503, True)
    async with client_for(make_web()) as client:
        assert (await client.get("/api/v1/costs?meter=house")).status_code == 503


async def test_a_history_that_cannot_be_read_is_a_problem_and_no_bill(web, client_for):
    async def broken(*_):
        raise HistoryError("the disk is gone")

    web.billing.of = broken
    async with client_for(web) as client:
        reply = await client.get("/api/v1/costs?meter=house")
    assert reply.status_code == 503
    assert "the disk is gone" in reply.text
