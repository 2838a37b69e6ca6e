"""Prices are kept for ever: a correction stands beside what it corrects, and the newest counts."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.prices.averages import ChargedPrices
from nes2mqtt.prices.spot_price import SpotPrice
from nes2mqtt.prices.store import PriceStore

ONE = datetime(2026, 10, 25, 1, tzinfo=UTC)
LATER = ONE + timedelta(days=1)
QUARTER = timedelta(minutes=15)


def price(value, start=ONE, minutes=15, **more):
    return SpotPrice(start, minutes, Decimal(value), "DKK", **more)


@pytest.fixture
def store(tmp_path):
    return PriceStore(tmp_path / "prices.db")


def rows(store):
    with closing(sqlite3.connect(store.path)) as database:
        return database.execute("SELECT value, final, revision FROM price ORDER BY start, revision").fetchall()


def test_what_is_the_same_adds_nothing(store):
    assert store.prices("DK1", "DKK", ONE, LATER) == []
    assert store.keep("DK1", [price("0.2")], "test", LATER) == 1
    assert store.keep("DK1", [price("0.20")], "test", LATER) == 0
    assert store.prices("DK1", "DKK", ONE, LATER) == [price("0.2")]
    assert rows(store) == [("0.2", 1, 0)]


def test_a_correction_stands_beside_what_it_corrects(store):
    store.keep("DK1", [price("0.2", final=False)], "test", LATER)
    store.keep("DK1", [price("0.21")], "test", LATER)
    store.keep("DK1", [price("0.3", final=False)], "test", LATER)  # a provisional price does not replace a final one
    store.keep("DK1", [price("-0.1")], "test", LATER)
    assert rows(store) == [("0.2", 0, 0), ("0.21", 1, 1), ("-0.1", 1, 2)]
    assert store.prices("DK1", "DKK", ONE, LATER) == [price("-0.1")]


def test_all_or_none(store):
    store.keep("DK1", [price("0.2")], "test", LATER)

    def broken():
        yield price("0.3", ONE + QUARTER)
        raise RuntimeError("the answer ends here")

    with pytest.raises(RuntimeError):
        store.keep("DK1", broken(), "test", LATER)
    assert store.prices("DK1", "DKK", ONE, LATER) == [price("0.2")]


def test_areas_currencies_and_bounds(store):
    hour = price("1", ONE - timedelta(minutes=30), 60)
    store.keep("DK1", [hour, price("2", LATER)], "test", LATER)
    store.keep("DK2", [price("3")], "test", LATER)
    assert store.prices("DK1", "DKK", ONE, LATER) == [hour], "a part of it lies in the time"
    assert store.prices("DK1", "DKK", ONE + timedelta(minutes=30), LATER) == []
    assert store.prices("DK1", "EUR", ONE, LATER) == []


@pytest.mark.parametrize("content", [b"", b"no database at all" * 400])
def test_an_empty_or_damaged_file_has_no_prices(store, content, caplog):
    store.path.write_bytes(content)
    assert store.prices("DK1", "DKK", ONE, LATER) == []
    assert ("damaged" in caplog.text) == bool(content)


class TestWhatAContractCharges:
    zone = ZoneInfo("Europe/Copenhagen")

    def test_the_quarter_or_the_mean_of_the_hour(self):
        quarters = [
            price(value, ONE + QUARTER * number) for number, value in enumerate(("0.04", "0.06", "0.10", "0.20"))
        ]
        used = [Decimal("0.1"), Decimal("0.1"), Decimal("0.1"), Decimal("0.7")]
        for step, cost in (("quarter", "0.160"), ("hour", "0.100")):
            charged = ChargedPrices(quarters, step, self.zone)
            total = sum(
                ((charged.at(ONE + QUARTER * number) or 0) * kwh for number, kwh in enumerate(used)), Decimal(0)
            )
            assert total == Decimal(cost)

    def test_a_mean_of_all_or_none(self):
        quarters = [price("0.1", ONE + QUARTER * number) for number in (0, 1, 3)]
        hour = ChargedPrices(quarters, "hour", self.zone)
        assert hour.at(ONE) is None
        assert not hour.final(ONE)
        assert ChargedPrices(quarters, "quarter", self.zone).at(ONE + QUARTER * 2) is None

    def test_a_quarter_of_an_hour_that_was_traded_whole(self):
        mixed = [price("0.4", minutes=60), price("0.9", ONE + QUARTER)]
        charged = ChargedPrices(mixed, "quarter", self.zone)
        assert [charged.at(ONE + QUARTER * number) for number in range(5)] == [
            *map(Decimal, ("0.4", "0.9", "0.4", "0.4")),
            None,
        ]

    def test_a_final_hour_counts_more_than_a_quarter_that_is_not(self):
        mixed = [price("1", minutes=60), price("9", final=False), price("3", ONE + QUARTER)]
        charged = ChargedPrices(mixed, "quarter", self.zone)
        assert [charged.at(ONE + QUARTER * number) for number in range(4)] == [*map(Decimal, "1311")]
        assert charged.final(ONE)

    def test_the_mean_of_a_local_month(self):
        begin = datetime(2026, 9, 30, 22, tzinfo=UTC)  # October has an hour more
        count = (31 * 24 + 1) * 4
        prices = [price("1" if number < count / 2 else "2", begin + QUARTER * number) for number in range(count)]
        charged = ChargedPrices(prices, "month", self.zone)
        assert charged.at(ONE) == Decimal("1.5")
        assert charged.at(begin - QUARTER) is None
        assert ChargedPrices(prices[:-1], "month", self.zone).at(ONE) is None

    def test_a_mean_is_final_when_all_of_it_is(self):
        quarters = [price("0.1", ONE + QUARTER * number, final=number != 2) for number in range(4)]
        assert not ChargedPrices(quarters, "hour", self.zone).final(ONE)
        assert ChargedPrices(quarters, "quarter", self.zone).final(ONE)
