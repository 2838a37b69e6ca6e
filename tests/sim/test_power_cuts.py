"""Power cuts of the history and of the print journal, some in every test run, thousands with ``make simulate``."""

from __future__ import annotations

import os
import sqlite3

import pytest
from simulation.cuts import Report, cut_history, cut_journal
from simulation.gateway.known_failures import KNOWN_CUTS

CUTS = int(os.environ.get("SIMULATED_CUTS", "30"))
SEED = int(os.environ.get("SIMULATED_SEED", "1"))
WAYS = ("none", "all", "prefix", "torn", "page", "sector")
"""What a sound drive may leave."""


def judge(name: str, way: str, report: Report) -> None:
    assert report.cuts == CUTS
    assert report.inside > CUTS // 10  # most power cuts come while nothing is written; these do not
    expected = KNOWN_CUTS.get((name, way))
    if expected is None:
        assert not report.wrong
    else:
        assert set(report.wrong) == {expected}, "what was known to fail does not: take it out of known_failures.py"


@pytest.mark.takes_long
@pytest.mark.parametrize("way", ["sound", "broken"])
def test_the_history_after_power_cuts(way: str) -> None:
    judge("history", way, cut_history(SEED, CUTS, WAYS if way == "sound" else ("broken",)))


@pytest.mark.takes_long
@pytest.mark.parametrize("way", ["sound", "broken"])
def test_the_print_journal_after_power_cuts(way: str) -> None:
    judge("journal", way, cut_journal(SEED, CUTS, WAYS if way == "sound" else ("broken",)))


def test_the_same_seed_leaves_the_same_bytes() -> None:
    one, two = (cut_history(5, 3, WAYS).digest.hexdigest() for _ in range(2))
    assert one == two
    one, two = (cut_journal(5, 10, WAYS).digest.hexdigest() for _ in range(2))
    assert one == two


def test_a_database_that_does_not_sync_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    class Careless(sqlite3.Connection):
        def execute(self, sql: str, *more: object) -> sqlite3.Cursor:
            return super().execute("PRAGMA synchronous = OFF" if "synchronous" in sql else sql, *more)

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, factory=Careless, **more))
    assert cut_journal(1, 10, ("none", "page")).wrong
    assert cut_history(1, 5, ("none", "page")).wrong
