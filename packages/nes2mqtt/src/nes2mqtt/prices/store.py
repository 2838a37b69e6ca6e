"""Where prices are kept: a small database of their own beside the history.

What was kept is never changed or deleted, so that past costs stay what they were: a correction becomes the next revision
of its slot, and the newest counts. A price that is the same again adds nothing. Reading needs no lock of the gateway's.

This module does not know where prices come from.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from nes2mqtt.prices.spot_price import SpotPrice

__all__ = ["PriceStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS price (
    area TEXT NOT NULL,
    start INTEGER NOT NULL,    -- Unix seconds
    minutes INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    value TEXT NOT NULL,       -- decimal, of a kWh without VAT
    currency TEXT NOT NULL,
    final INTEGER NOT NULL,
    source TEXT NOT NULL,
    fetched INTEGER NOT NULL,  -- Unix seconds
    PRIMARY KEY (area, start, minutes, revision)
) WITHOUT ROWID
"""
_NEWEST = (
    "SELECT start, minutes, value, currency, final, max(revision) FROM price"
    " WHERE area = ? AND currency = ? AND start >= ? AND start < ? GROUP BY start, minutes ORDER BY start, minutes"
)
_HOUR = timedelta(hours=1)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_log = logging.getLogger(__name__)


class PriceStore:
    """The prices of one database file. Each call opens it anew, so any thread may call.

    Args:
        path: the file; it is made when the first price is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, area: str, prices: Iterable[SpotPrice], source: str, now: datetime) -> int:
        """Keep prices, all or none.

        Args:
            area: they are of.
            prices: to keep.
            source: they came from.
            now: UTC.

        Returns:
            How many were new or corrected one.

        Raises:
            sqlite3.Error: they cannot be written.
        """
        kept = 0
        with closing(self._open()) as database, database:
            database.execute(_SCHEMA)
            for price in prices:
                start = int(price.start.timestamp())
                row = database.execute(
                    "SELECT value, currency, final, revision FROM price WHERE area = ? AND start = ? AND minutes = ?"
                    " ORDER BY revision DESC LIMIT 1",
                    (area, start, price.minutes),
                ).fetchone()
                if row is not None and not _newer(price, row):
                    continue
                revision = 0 if row is None else int(row[3]) + 1
                database.execute(
                    "INSERT INTO price VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        area,
                        start,
                        price.minutes,
                        revision,
                        str(price.value),
                        price.currency,
                        price.final,
                        source,
                        int(now.timestamp()),
                    ),
                )
                kept += 1
        return kept

    def prices(self, area: str, currency: str, begin: datetime, end: datetime) -> list[SpotPrice]:
        """Return the newest revision of every slot with a part in ``begin`` up to ``end``, in order of time.

        There are none while the file is empty or damaged, which the log tells: costs then wait for prices.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        if not self.path.exists():
            return []
        span = (int((begin - _HOUR).timestamp()) + 1, int(end.timestamp()))
        try:
            with closing(self._open()) as database:
                # A disk that was full when the first price came leaves a file without a table.
                there = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'price'").fetchone()
                rows = database.execute(_NEWEST, (area, currency, *span)).fetchall() if there else []
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in _DAMAGED:
                raise
            _log.warning(
                "the kept prices in %s are damaged: %s. Delete the file; services give prices again", self.path, error
            )
            return []
        found = [
            SpotPrice(datetime.fromtimestamp(start, UTC), minutes, Decimal(value), currency, bool(final))
            for start, minutes, value, currency, final, _ in rows
        ]
        return [price for price in found if price.start + timedelta(minutes=price.minutes) > begin]

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=10)


def _newer(price: SpotPrice, row: tuple[str, str, int, int]) -> bool:
    """Tell whether a price says something that the newest revision does not; what is final yields to what is final only."""
    value, currency, final, _ = row
    if final and not price.final:
        return False
    return (Decimal(value), currency, bool(final)) != (price.value, price.currency, price.final)
