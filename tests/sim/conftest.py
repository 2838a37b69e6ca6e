"""Worlds need SQLite as a shared library that can be reached from Python; where it is linked otherwise there is no disk to cut."""

from __future__ import annotations

import pytest
from simulation import disk


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if disk.available():
        return
    for item in items:
        if "tests/sim" in str(item.path):
            item.add_marker(pytest.mark.skip("Python's sqlite3 is not linked to libsqlite3.so.0 here"))
