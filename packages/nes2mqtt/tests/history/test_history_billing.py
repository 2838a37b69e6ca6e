"""Bills of a history that is being written: what is not committed yet is in them, too."""

import sqlite3
import tomllib
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from nes2mqtt.bills.billing import Billing
from nes2mqtt.costs.config import ContractConfig
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.prices.spot_price import SpotPrice
from nes2mqtt.prices.store import PriceStore

CONTRACT = """
name = "Example"
meter = "house"
from = 2026-01-01
currency = "DKK"
spot_area = "DK1"
vat = "25 %"
[[lines]]
name = "Spot"
price = "spot"
"""


@pytest.fixture
def prices(tmp_path):
    store = PriceStore(tmp_path / "prices.db")
    noon = datetime(2026, 1, 15, 12, tzinfo=UTC)
    spot = [SpotPrice(noon + timedelta(minutes=15 * number), 15, Decimal("0.5"), "DKK") for number in range(48)]
    store.keep("DK1", spot, "test", noon)
    return store


async def test_energy_that_was_just_read_is_in_the_bill(open_store, registers, zone, prices, clock):
    contracts = [ContractConfig.model_validate(tomllib.loads(CONTRACT)).contract()]
    async with open_store() as store:
        billing = Billing(store, prices, contracts, zone)
        for second in range(0, 1801, 10):
            clock.now = clock.at(second)
            await store.append(registers(second, 1_000_000 + second))
        (bill,) = await billing.of("house", date(2026, 1, 15), date(2026, 1, 16), clock.at(1805))
        assert bill.total.wh == 1800
        assert bill.total.total.gross == Decimal("1.125")
        assert await billing.of("barn", date(2026, 1, 15), date(2026, 1, 16), clock.at(1805)) == []


async def test_prices_that_cannot_be_read_are_an_error_and_no_bill(open_store, registers, zone, tmp_path, clock):
    (tmp_path / "broken.db").mkdir()
    contracts = [ContractConfig.model_validate(tomllib.loads(CONTRACT)).contract()]
    async with open_store() as store:
        await store.append(registers(0, 1_000_000))
        billing = Billing(store, PriceStore(tmp_path / "broken.db"), contracts, zone)
        with pytest.raises(HistoryError, match="prices"):
            await billing.of("house", date(2026, 1, 15), date(2026, 1, 16), clock.at(1805))
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)


async def test_damaged_prices_make_a_bill_that_waits_for_them(open_store, registers, zone, prices, clock, caplog):
    prices.path.write_bytes(b"no database" * 1000)
    contracts = [ContractConfig.model_validate(tomllib.loads(CONTRACT)).contract()]
    async with open_store() as store:
        billing = Billing(store, prices, contracts, zone)
        for second in range(0, 1801, 10):
            clock.now = clock.at(second)
            await store.append(registers(second, 1_000_000 + second))
        (bill,) = await billing.of("house", date(2026, 1, 15), date(2026, 1, 16), clock.at(1805))
    assert (bill.total.wh, bill.total.total.gross) == (0, 0)
    assert bill.total.pending_wh == 1800
    assert "damaged" in caplog.text
