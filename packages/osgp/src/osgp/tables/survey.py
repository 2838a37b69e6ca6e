"""From table bytes to :class:`~osgp.tables.dimensions.Dimensions`: one place that knows which table tells what.

This module does not know how to read a table from a meter, nor which tables a meter has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from osgp.errors import TableError
from osgp.tables.clock import BT50
from osgp.tables.dimensions import BT20, BT21, Calendar, Dimensions
from osgp.tables.identity import BT01
from osgp.tables.present import BT27
from osgp.tables.registers import BT22
from osgp.tables.table import Table

__all__ = ["SURVEYED", "survey"]

SURVEYED = ("BT01", "BT20", "BT21", "BT22", "BT27", "BT50")
"""The tables that :func:`survey` learns from, in the order in which to read them."""

_COUNTS = (
    "season",
    "date_time",
    "demand_reset_counter",
    "cumulative_demand",
    "continuous_cumulative_demand",
    "time_remaining",
    "self_read_sequence_number",
    "self_reads",
    "summations",
    "demands",
    "coincidents",
    "occurrences",
    "tiers",
    "present_demands",
    "present_values",
)
"""Fields of BT20 and BT21 that Dimensions take over by name."""


def survey(tables: Mapping[str, bytes]) -> Dimensions:
    """Return what the given tables (name to whole data) say about the sizes of others.

    Each table is optional; what none of them tells keeps its default. BT21 counts before
    BT20, which holds the maxima and stands in on meters without BT21 (p. 212-213).

    Raises:
        TableError: a table ends before the counts it must hold.
    """
    dims = Dimensions()
    if "BT01" in tables:
        dims = replace(dims, firmware=_whole(BT01, tables["BT01"], dims)["firmware"][:2])
    if "BT20" in tables:
        maxima = _whole(BT20, tables["BT20"], dims)
        dims = replace(dims, max_tiers=maxima["tiers"])
    counted = next((name for name in ("BT21", "BT20") if name in tables), None)
    if counted is not None:
        actual = _whole(BT21, tables[counted], dims, called=counted)
        dims = replace(dims, **{name: actual[name] for name in _COUNTS})
    if "BT22" in tables:
        dims = replace(dims, summation_ids=_whole(BT22, tables["BT22"], dims)["summation_sources"])
    if "BT27" in tables:
        dims = replace(dims, present_value_ids=_whole(BT27, tables["BT27"], dims)["present_value_sources"])
    if "BT50" in tables:
        sizes = _whole(BT50, tables["BT50"], dims)
        dims = replace(
            dims,
            calendar=Calendar(
                seasons=sizes["seasons"],
                nonrecurring_dates=sizes["nonrecurring_dates"],
                recurring_dates=sizes["recurring_dates"],
                tier_switches=sizes["tier_switches"],
                separate_weekdays=sizes["separate_weekdays"],
            ),
        )
    return dims


def _whole(table: Table, data: bytes, dims: Dimensions, *, called: str = "") -> Mapping[str, Any]:
    """Decode a table that must not be cut short, because others are measured by it."""
    if len(data) < table.size(dims):
        raise TableError(
            f"{called or table.name} has {len(data)} bytes where the meter should send {table.size(dims)}; "
            "the tables it measures cannot be read. Read it again; if that does not help, save an osgp dump "
            "and report it"
        )
    return table.decode(data, dims)
