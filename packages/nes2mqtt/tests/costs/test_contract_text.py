"""What people write, and what they are told when it cannot be right."""

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nes2mqtt.costs.config import ContractConfig
from nes2mqtt.costs.contract import Contract, Part, check_all, holes
from nes2mqtt.costs.price_text import Amount, Per, ShareOfGroup, ShareOfSpot, parse_price
from nes2mqtt.costs.windows import Window, overlap, parse_clock, parse_days, parse_months
from osgp.sources import Direction

CONTRACTS = Path(__file__).parent / "contracts"
DANISH, AUSTRIAN = ((CONTRACTS / f"{name}.toml").read_text() for name in ("danish", "austrian"))


@pytest.mark.parametrize(
    ("text", "currency", "price"),
    [
        ("spot", "DKK", ShareOfSpot(Decimal(1))),
        ("103 % of spot", "EUR", ShareOfSpot(Decimal("1.03"))),
        ("-90% of spot above 75 øre per kWh", "NOK", ShareOfSpot(Decimal("-0.9"), Decimal("0.75"))),
        ("6 % of grid", "EUR", ShareOfGroup(Decimal("0.06"), "grid")),
        ("8 øre per kWh", "DKK", Amount(Decimal("0.08"), Per.KWH)),
        ("0,8 øre per kWh", "DKK", Amount(Decimal("0.008"), Per.KWH)),
        ("1.50 ct per kWh", "EUR", Amount(Decimal("0.015"), Per.KWH)),
        ("-1,40 ct per kWh", "EUR", Amount(Decimal("-0.014"), Per.KWH)),
        ("49.3 öre per kWh", "SEK", Amount(Decimal("0.493"), Per.KWH)),
        ("20 kr per month", "DKK", Amount(Decimal(20), Per.MONTH)),
        ("180 DKK per year", "DKK", Amount(Decimal(180), Per.YEAR)),
        ("0.50 € per day", "EUR", Amount(Decimal("0.5"), Per.DAY)),
        ("40 EUR per kW of peak", "EUR", Amount(Decimal(40), Per.PEAK)),
        ("12 CHF per month", "CHF", Amount(Decimal(12), Per.MONTH)),
    ],
)
def test_prices(text, currency, price):
    assert parse_price(text, currency) == price


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        ("8", "DKK", "is no price"),
        ("8 øre", "DKK", "is no price"),
        ("spot * 1.25", "DKK", "is no price"),
        ("8 øre per MWh", "DKK", "is no price"),
        ("8 øre per kWh", "EUR", "no unit of EUR"),
        ("8 ct per kWh", "DKK", "no unit of DKK"),
        ("5 % of grid above 3 øre per kWh", "DKK", "'above' goes with"),
        ("", "DKK", "is no price"),
    ],
)
def test_no_prices(text, currency, said):
    with pytest.raises(ValueError, match=said):
        parse_price(text, currency)


@given(st.text(max_size=80))
def test_any_text_is_a_price_or_explained(text):
    try:
        parse_price(text, "DKK")
    except ValueError as error:
        said = str(error)
    else:
        return
    assert "is no price" in said or "is no unit" in said or "'above'" in said


def test_months_and_days():
    assert parse_months("apr-sep") == {4, 5, 6, 7, 8, 9}
    assert parse_months("oct-mar") == {10, 11, 12, 1, 2, 3}
    assert parse_months("November, dec") == {11, 12}
    assert parse_days("mon-fri") == {0, 1, 2, 3, 4}
    assert parse_days("sat-mon") == {5, 6, 0}
    assert parse_clock("24:00") == 1440
    for parse, text in ((parse_months, "1-3"), (parse_days, "weekend"), (parse_clock, "24:01"), (parse_clock, "8")):
        with pytest.raises(ValueError, match="write"):
            parse(text)


def test_a_window_over_midnight():
    night = Window(begin=parse_clock("22:00"), end=parse_clock("06:00"))
    for hour, inside in ((21, False), (22, True), (23, True), (0, True), (5, True), (6, False)):
        assert night.holds(datetime(2026, 5, 5, hour, tzinfo=UTC), ()) is inside
    # Friday night's part after midnight is Saturday's.
    weekdays = Window(days=parse_days("mon-fri"), begin=night.begin, end=night.end)
    assert weekdays.holds(datetime(2026, 5, 8, 23, tzinfo=UTC), ())
    assert not weekdays.holds(datetime(2026, 5, 9, 3, tzinfo=UTC), ())


def test_holidays():
    christmas = {date(2026, 12, 25)}
    assert Window(holidays=True).holds(datetime(2026, 12, 25, 8, tzinfo=UTC), christmas)
    assert not Window(holidays=False).holds(datetime(2026, 12, 25, 8, tzinfo=UTC), christmas)
    assert Window().holds(datetime(2026, 12, 25, 8, tzinfo=UTC), christmas)


WINDOWS = st.builds(
    Window,
    months=st.frozensets(st.integers(1, 12), min_size=1),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    holidays=st.sampled_from([True, False, None]),
    begin=st.integers(0, 1439),
    end=st.integers(0, 1440),
)


@given(WINDOWS, WINDOWS, st.datetimes(timezones=st.just(UTC)), st.booleans())
def test_windows_that_do_not_overlap_never_hold_together(one, other, moment, holiday):
    holidays = {moment.date()} if holiday else set()
    if overlap([one, other]) is None:
        assert not (one.holds(moment, holidays) and other.holds(moment, holidays))


def problems(text):
    with pytest.raises(ValidationError) as caught:
        ContractConfig.model_validate(tomllib.loads(text))
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('spot_area = "DK1"', "", "no spot_area"),
        ('vat = "25 %"', "vat = 25", "percent sign"),
        ('vat = "25 %"', "", "vat"),
        (
            'price = "8 øre per kWh"',
            'price = "8 øre per kWh"\ntimes = [{ price = "6 % of grid" }]',
            "cannot change by the time of day",
        ),
        ('from = "17:00"', 'from = "17:10"', "quarter of an hour"),
        ('name = "Transmission"', 'name = "Spot"', "two lines are named 'Spot'"),
        ('from = "17:00"', 'from = "05:00"', "times 1 and 2 share moments"),
        ('price = "8 øre per kWh"', 'price = "8 ct per kWh"', "line 'Supplier add-on': 'ct' is no unit of DKK"),
        ('price = "8 øre per kWh"', 'price = "6 % of grid"', "no line has group"),
        ('price = "180 DKK per year"', 'price = "180 DKK per kW of peak"', "needs a 'peak'"),
        ("from = 2026-10-01", "from = 2026-10-01\nto = 2026-10-01", "ends before it begins"),
        ('currency = "DKK"', 'currency = "kr"', "three capital letters"),
        (
            'price = "20 DKK per month"',
            'price = "20 DKK per month"\ntimes = [{ price = "8 øre per kWh" }]',
            "only prices per kWh",
        ),
    ],
)
def test_what_cannot_be_right_is_explained(old, new, said):
    assert old in DANISH
    assert said in problems(DANISH.replace(old, new, 1))


def contract(**changes) -> Contract:
    data = tomllib.loads(DANISH) | changes
    return ContractConfig.model_validate(data).contract()


def test_two_contracts_for_the_same_days():
    first, second = contract(name="first"), contract(name="second", **{"from": date(2027, 1, 1)})
    assert "'first' and 'second' are both for the import of meter 'house'" in check_all([first, second])[0]
    ended = contract(name="first", to=date(2027, 1, 1))
    assert check_all([ended, second]) == []
    assert check_all([first, contract(name="export", direction="export")]) == []
    assert check_all([first, contract(name="other", meter="barn")]) == []


def test_days_between_two_contracts_are_told():
    first, second = (
        contract(name="first", to=date(2026, 10, 31)),
        contract(name="second", **{"from": date(2026, 11, 1)}),
    )
    (said,) = holes([second, first])
    assert "from 2026-10-31, when 'first' ends, until 'second' begins on 2026-11-01" in said
    assert holes([contract(name="first", to=date(2026, 11, 1)), second]) == []
    assert holes([first, contract(name="other", meter="barn", **{"from": date(2026, 11, 1)})]) == []


def test_supplier_and_grid_beside_each_other():
    supplier, grid = contract(name="supplier", part="supplier"), contract(name="grid", part="grid")
    assert check_all([supplier, grid]) == []
    assert check_all([supplier, contract(name="all")])
    assert (supplier.part, supplier.direction) == (Part.SUPPLIER, Direction.IMPORT)
    euros = ContractConfig.model_validate(
        tomllib.loads(AUSTRIAN) | {"meter": "house", "part": "grid", "from": date(2026, 11, 1)}
    )
    assert "in one currency" in check_all([supplier, euros.contract()])[0]
