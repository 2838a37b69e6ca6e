"""Every number that the API tells of a year equals what a plain calculation says (:mod:`year_oracle`).

The year has a leap day, both changes of the clock, two exchanged meters, six times in which nobody read (of up to twelve days; the
meter's load profile tells of three of them), prices below zero and prices that never came, and contracts that change in the middle of a
month. Some weeks are read each quarter hour, the other days each hour. ``NES_YEARS=7`` takes seven other years instead, each of them read
quarter hour by quarter hour, and bills of each month.
"""

from __future__ import annotations

import os
import tomllib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from year_oracle import HOUR, QUARTER, Costs, Energies, buckets, days, midnight, next_month, pieces
from year_world import AFTER, CONTRACTS, FIRST, ZONE, World

from nes2mqtt.history.commands.imports import Order, run_import

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MONTHS = [(first, next_month(first)) for first in (date(FIRST.year, month, 1) for month in range(1, 13))]
SEEDS = range(1, 1 + int(os.environ.get("NES_YEARS", "0")))
WORLDS = [World(seed, everywhere=True, ahead=seed % 3 * 40 - 40) for seed in SEEDS]
FORTNIGHTS = [(day, day + timedelta(14)) for day in days(FIRST, AFTER) if day.toordinal() % 14 == 0]
BILLED = [
    (FIRST, AFTER),
    (date(2028, 2, 25), date(2028, 3, 2)),  # begins and ends while nobody reads
    (date(2028, 5, 16), date(2028, 5, 18)),
    (date(2028, 10, 1), date(2028, 11, 1)),
    *(MONTHS if WORLDS else ()),
]
pytestmark = [pytest.mark.xdist_group("year"), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=WORLDS or [World(1, ahead=40)], ids=lambda world: str(world.seed)
)
async def year(request, gateway_of, folder):
    """Return a gateway at the end of a year, and the energies of what it read."""
    world = request.param
    (folder / str(world.seed)).mkdir()
    async with gateway_of(world, folder / str(world.seed)) as gateway:
        readings = []
        untold = [away for away in world.aways if away.told]
        heard = False
        for reading in world.readings():
            readings.append(reading)
            await gateway.read(reading)
            if heard:  # the gateway waits until the meter is read well
                readings += world.told(untold[0])
                await gateway.look_into(untold.pop(0))
            heard = bool(untold) and reading.moment == untold[0].on
        gateway.now = midnight(AFTER, ZONE) + timedelta(hours=1)
        yield gateway, Energies(readings)


@pytest.mark.parametrize("unit", ["quarter", "hour", "day", "week", "month", "year"])
async def test_energies(year, unit):
    gateway, energies = year
    spans = {"hour": MONTHS, "quarter": FORTNIGHTS}.get(unit, [(FIRST, AFTER)])
    for first, after in spans:
        found = await gateway.ask("energy", period=unit, start=first.isoformat(), end=after.isoformat())
        expected = {begin: energies.of(begin, end) for begin, end in buckets(unit, first, after, ZONE)}
        assert energies_in(found["buckets"]) == {
            begin: (one.wh["import"], one.wh["export"], one.complete) for begin, one in expected.items()
        }


async def test_periods_that_are_compared_end_at_the_same_moment(year):
    gateway, energies = year
    for begin, end in (
        (datetime(2028, 10, 1, tzinfo=ZONE), datetime(2028, 10, 29, 5, 40, tzinfo=ZONE)),
        (
            datetime(2028, 2, 20, 7, 29, tzinfo=ZONE),
            datetime(2028, 2, 22, 18, 1, tzinfo=ZONE),
        ),
    ):
        for unit in "hour", "day", "month":
            found = await gateway.ask("energy", period=unit, start=begin.isoformat(), end=end.isoformat(), exact="true")
            low, high = (at.astimezone(UTC) - (at.astimezone(UTC) - EPOCH) % QUARTER for at in (begin, end))
            edges = [
                (max(one, low), min(other, high))
                for one, other in buckets(unit, begin.date(), end.date() + timedelta(1), ZONE)
            ]
            expected = {one: energies.of(one, other) for one, other in edges if one < other}
            assert energies_in(found["buckets"]) == {
                start: (one.wh["import"], one.wh["export"], one.complete) for start, one in expected.items()
            }
            assert wh(found["total"]["import_kwh"]) == energies.of(low, high).wh["import"]


async def test_an_import_of_the_first_weeks(gateway_of, folder):
    world = World(8, everywhere=True)
    begin, cut, end = (midnight(date(2028, month, day), ZONE) for month, day in ((1, 1), (1, 12), (1, 18)))
    old = [world.reading(begin + HOUR * number) for number in range((cut - begin) // HOUR + 1)]
    live = [one for one in world.readings() if cut + QUARTER < one.moment <= end]
    async with gateway_of(world, folder) as gateway:
        for reading in live:
            await gateway.read(reading)
    # Values that are a little too high: left out, and nothing of what is behind them.
    wrong = {5: 900, 40: 2_500, 200: 15_000, (cut - begin) // HOUR - 1: 700}
    lines = ["time,import_kWh,export_kWh"]
    for number, one in enumerate(old):
        shown = one.wh["import"] + (world.most_in_an_hour + wrong[number] if number in wrong else 0)
        lines.append(f"{one.moment.isoformat()},{shown / 1000:.3f},{one.wh['export'] / 1000:.3f}")
    (folder / "old.csv").write_text("\n".join(lines))
    order = Order(folder / "old.csv", columns=["import=import_kWh", "export=export_kWh"], apply=True)
    told = run_import(folder / "history.db", ZONE, order, end)
    assert sum("higher than in the readings behind it" in line for line in told) == len(wrong), told
    energies = Energies([*(one for number, one in enumerate(old) if number not in wrong), *live])
    async with gateway_of(world, folder) as gateway:
        gateway.now = end + timedelta(minutes=1)
        found = await gateway.ask("energy", period="day", start="2028-01-01", end="2028-01-18")
        expected = {low: energies.of(low, high) for low, high in buckets("day", FIRST, date(2028, 1, 18), ZONE)}
        assert energies_in(found["buckets"]) == {
            low: (one.wh["import"], one.wh["export"], one.complete) for low, one in expected.items()
        }
        await costs_of(gateway, energies, [(FIRST, date(2028, 1, 18)), (date(2028, 1, 3), date(2028, 1, 4))])


def energies_in(found):
    return {
        datetime.fromisoformat(one["start"]): (wh(one["import_kwh"]), wh(one["export_kwh"]), one["complete"])
        for one in found
    }


def wh(kwh):
    return None if kwh is None else round(kwh * 1000)


@pytest.mark.parametrize(("first", "after"), MONTHS, ids=str)
async def test_peaks(year, first, after):
    gateway, energies = year
    begin, end = midnight(first, ZONE), midnight(after, ZONE)
    for period, length in ("quarter", QUARTER), ("hour", HOUR):
        highest = energies.highest(pieces(begin, end, length), length)
        of_days = {}
        for amount, start in highest:
            of_days.setdefault(start.astimezone(ZONE).date(), (amount, start))
        for distinct, expected in (False, highest), (True, list(of_days.values())):
            found = await gateway.ask(
                "peaks", period=period, start=first.isoformat(), end=after.isoformat(), distinct_days=distinct
            )
            told = [(wh(one["import_kwh"]), datetime.fromisoformat(one["start"])) for one in found["highest"]]
            assert told == expected[:10], (first, period, distinct)
    nights = [
        amount
        for amount, start in reversed(energies.highest(pieces(begin, end), QUARTER))
        if start.astimezone(ZONE).hour < 6
    ]
    base = 4 * nights[len(nights) // 20] if len(nights) >= 100 else None
    assert found["base_watts"] == base


async def test_costs(year):
    gateway, energies = year
    await costs_of(gateway, energies, BILLED)


async def costs_of(gateway, energies, billed):
    spot = gateway.world.prices
    contracts = tomllib.loads(CONTRACTS)["contracts"]
    costs = {one["name"]: Costs(one, energies, spot, ZONE, gateway.now) for one in contracts}
    all_days = {name: one.days(FIRST, AFTER) for name, one in costs.items()}
    for first, after in billed:
        report = await gateway.ask("costs", first=first.isoformat(), after=after.isoformat())
        expected = {}
        for contract in contracts:
            of_days = {day: one for day, one in all_days[contract["name"]].items() if first <= day < after}
            if of_days:
                expected[contract["name"]] = of_days
        assert [bill["contract"] for bill in report["bills"]] == list(expected)
        for bill in report["bills"]:
            name = bill["contract"]
            contract = next(one for one in contracts if one["name"] == name)
            peaks = costs[name].peaks(first, after, gateway.now.astimezone(ZONE).date())
            bill_is_right(bill, expected[name], contract, peaks)


def bill_is_right(bill, of_days, contract, peaks):
    what = bill["contract"], bill["first"]
    told = {date.fromisoformat(one["day"]): one for one in bill["days"]}
    assert told.keys() == of_days.keys(), what
    for day, one in of_days.items():
        assert near(told[day]["kwh"], one.kwh), (what, told[day], one.kwh)
        assert near(told[day]["gross"], one.gross), (what, told[day], one.gross)
        assert told[day]["complete"] == (not one.pending and not one.unmeasured), (what, told[day])

    lines = lines_of(of_days, contract, peaks)
    assert {one["name"] for one in bill["lines"]}.issuperset(name for name, amounts in lines.items() if any(amounts)), (
        what
    )
    for one in bill["lines"]:
        net, vat = lines[one["name"]]
        assert near(one["net"], net), (what, one, net)
        assert near(one["vat"], vat), (what, one, vat)
    assert near(bill["net"], sum(net for net, _ in lines.values())), what
    assert near(bill["vat"], sum(vat for _, vat in lines.values())), what
    assert near(bill["gross"], sum(net + vat for net, vat in lines.values())), what

    def total(name):
        return sum(getattr(one, name) for one in of_days.values())

    assert near(bill["kwh"], total("kwh")), what
    assert near(bill["pending_kwh"], total("pending_kwh")), what
    for name in "pending", "unmeasured", "estimated":
        assert bill[f"{name}_quarters"] == total(name), (what, name)

    charged = {
        (one["line"], date.fromisoformat(one["month"])): (one["kw"], one["at_least"])
        for one in bill["peaks"]
        if one["charged"] and one["kw"] is not None
    }
    assert charged.keys() == peaks.keys(), what
    for key, (kw, _, whole) in peaks.items():
        assert near(charged[key][0], kw), (what, key, charged[key], kw)
        assert charged[key][1] == (not whole), (what, key)


def lines_of(of_days, contract, peaks):
    """Return net and VAT of each line of a bill: those of its days, the peaks, and the share of a group of peaks."""
    lines = defaultdict(lambda: (Decimal(0), Decimal(0)))

    def book(name, net, vat):
        lines[name] = lines[name][0] + net, lines[name][1] + vat

    for day in of_days.values():
        for name, amounts in day.lines.items():
            book(name, *amounts)
    vat = Decimal(contract["vat"].split()[0]) / 100
    for (name, _), (_, net, _) in peaks.items():
        book(name, net, net * vat)
        if name == "Highest quarter hour":  # the only one in a group, of which the town takes six per cent
            book("Town", net * 6 / 100, net * 6 / 100 * vat)
    return lines


def near(told, expected):
    """Return whether an amount is right to the sixth digit behind the point, as many as the API tells."""
    return abs(Decimal(told) - expected) <= Decimal("1e-6")
