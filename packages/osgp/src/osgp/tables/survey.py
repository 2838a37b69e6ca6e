"""From table bytes to :class:`~osgp.tables.schema.dimensions.Dimensions`: one place that knows which table tells what.

This module does not know how to read a table from a meter, nor which tables a meter has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from osgp.errors import TableError
from osgp.psem import table_id
from osgp.tables.calendar.clock import BT50
from osgp.tables.devices import ET11
from osgp.tables.identity import BT00, BT01, ET04
from osgp.tables.interface import ET42
from osgp.tables.load_profile import BT60, BT61, MOST_CHANNELS
from osgp.tables.logs.dimensions import ET36, log_places
from osgp.tables.logs.events import BT71
from osgp.tables.present import BT27, BT28
from osgp.tables.registers import BT20, BT21, BT22, BT23
from osgp.tables.schema.dimensions import SETS, Calendar, Dimensions, told_by
from osgp.tables.schema.table import Record, Table
from osgp.tables.status.configuration import ET54, ET55
from osgp.tables.status.display import BT30
from osgp.tables.status.security import ET90

__all__ = ["SURVEYED", "TELLING", "et55_sizes", "summary_of", "survey", "with_load_profile"]

_COUNTS = told_by("BT21")
"""Fields of BT20 and BT21 that Dimensions take over by name."""

_FIRST_METER_MAJOR = 2
"""Control point modules count their own versions (1.xx), which say nothing about fields added in a meter's 3.70."""

_MOST_TIERS = (4, 8)
"""Tiers that meters can have (Optical guide v1.1 p. 21)."""

_ENERGY_UNITS = frozenset({1, 10, 100})
"""All that is supported (p. 159)."""
_ROLLOVER_DIGITS = range(5, 10)
"""All that is possible (p. 119)."""


def survey(tables: Mapping[str, bytes]) -> Dimensions:
    """Return what the given tables (name to data from byte 0 on) say about the sizes of others.

    Each table is optional; what none of them tells keeps its default. BT21 counts before
    BT20, which holds the maxima and stands in on meters without BT21 (p. 213).

    Raises:
        TableError: a table ends before the counts it must hold, or its counts cannot be.
    """
    dims = Dimensions()
    for name, learn in [*_LESSONS.items(), *_FURTHER_LESSONS.items()]:
        if name in tables:
            dims = learn(tables[name], dims)
    for measured in (BT23, BT28):
        measured.size(dims)  # refuses dimensions that no meter has, before anything is read by them
    return dims


def _needed(table: Table, data: bytes, dims: Dimensions, *names: str) -> Record:
    """Decode a table that must reach as far as these fields, because others are measured by them."""
    start, count = table.window(dims, *names)
    if len(data) < start + count:
        raise TableError(
            f"{table.name} has {len(data)} bytes where {start + count} are needed; the tables it measures cannot be "
            "read. Read it again; if that does not help, save an osgp dump and report it"
        )
    return table.decode(data, dims)


def _from_bt00(data: bytes, dims: Dimensions) -> Dimensions:
    record = _needed(BT00, data, dims, "big_endian")
    # No status at all is none that can be: then it was not told.
    status = record.get("manufacturer_status_length") or None
    sizes: Mapping[str, Any] = {
        name: record.get(name) for name in ("basic_tables_size", "extended_tables_size", "pending_tables")
    }
    return replace(dims, big_endian=record["big_endian"], status_size=status, **sizes)


def _from_bt01(data: bytes, dims: Dimensions) -> Dimensions:
    major, minor, _ = _needed(BT01, data, dims, "firmware")["firmware"]
    return replace(dims, firmware=(major, minor)) if major >= _FIRST_METER_MAJOR else dims


def _from_bt20(data: bytes, dims: Dimensions) -> Dimensions:
    maxima = _needed(BT20, data, dims, *_COUNTS)
    return replace(dims, max_tiers=maxima["tiers"], maxima_told=True, **{name: maxima[name] for name in _COUNTS})


def _from_bt21(data: bytes, dims: Dimensions) -> Dimensions:
    actual = _needed(BT21, data, dims, *_COUNTS)
    return replace(dims, max_tiers=max(dims.max_tiers, actual["tiers"]), **{name: actual[name] for name in _COUNTS})


def _from_bt22(data: bytes, dims: Dimensions) -> Dimensions:
    return replace(dims, summation_ids=_needed(BT22, data, dims, "summation_sources")["summation_sources"])


def _from_bt27(data: bytes, dims: Dimensions) -> Dimensions:
    return replace(dims, present_value_ids=_needed(BT27, data, dims, "present_value_sources")["present_value_sources"])


def _from_bt50(data: bytes, dims: Dimensions) -> Dimensions:
    sizes = _needed(BT50, data, dims, "tier_switches")
    calendar = Calendar(**{one.name: sizes[one.name] for one in fields(Calendar)})
    return replace(dims, calendar=calendar)


def with_load_profile(data: bytes, dims: Dimensions) -> Dimensions:
    """Return the dimensions with what BT61 tells: how many load profile data sets there are, and their channels."""
    sets = _profile_sets(len(data))
    if not sets:
        return dims
    described = replace(dims, profile_channels=(0,) * sets)
    record = BT61.decode(data, described)
    return replace(
        described,
        profile_channels=tuple(min(one["channels"], MOST_CHANNELS) for one in record["data_sets"]),
        profile_blocks=tuple(one["blocks"] for one in record["data_sets"]),
        profile_intervals=tuple(one["intervals"] for one in record["data_sets"]),
        profile_end_readings=record["end_readings"],
        profile_scalars=frozenset(number - 1 for number in SETS if record[f"set_{number}_scalars"]),
    )


def _profile_sets(length: int) -> int:
    """Return of how many load profile data sets a BT61 of so many bytes tells: its length is the only thing that says it."""
    one, two = (BT61.size(Dimensions(profile_channels=(0,) * sets)) for sets in (1, 2))
    return min((length - one) // (two - one) + 1, len(SETS)) if length >= one else 0


def _from_et11(data: bytes, dims: Dimensions) -> Dimensions:
    # Meters before 4.0 end earlier: what they lack keeps its default. Where the firmware is not known, zeros follow
    # instead, with which meters fill a read beyond the end; no meter without a client answers, so 0 is none.
    sizes: Mapping[str, Any] = ET11.decode(data, dims)
    found = {name: sizes.get(field) or getattr(dims, name) for name, field in _SIZES_OF_DEVICES.items()}
    return replace(
        dims,
        **found,
        module_records_size=sizes.get("module_records", 0) * sizes.get("module_record_size", 0),
    )


def _from_et54(data: bytes, dims: Dimensions) -> Dimensions:
    settings = ET54.decode(data, dims)
    logs = replace(
        dims.logs,
        alternate_events=settings.get("et79_entries", dims.logs.alternate_events),
        extended_recurring_reads=settings.get("et74_entries", dims.logs.extended_recurring_reads),
    )
    multiple = settings.get("multiple_load_profiles", dims.multiple_load_profiles)
    return replace(dims, multiple_load_profiles=multiple, logs=logs)


def _from_bt71(data: bytes, dims: Dimensions) -> Dimensions:
    actual = BT71.decode(data, dims)
    if "history_entries" not in actual:
        return dims
    logs = replace(dims.logs, events=actual["history_entries"], argument_size=actual["history_data_length"])
    return replace(dims, logs=logs)


_SIZED_BY_ET36 = {
    "ET31": ("one_time_reads", "one_time_read_size"),
    "ET41": ("demand_resets", "demand_reset_size"),
    "ET45": ("recurring_reads", "recurring_read_size"),
    "ET75": ("channel_changes", "channel_change_size"),
    "ET81": ("outages", "outage_size"),
}
"""Fields of :class:`Logs` that a record of ET36 tells: entries and the size of one."""


def _from_et36(data: bytes, dims: Dimensions) -> Dimensions:
    listed = ET36.decode(data, dims)
    if "log_list" not in listed:
        return dims
    told: dict[str, int] = {}
    for name, names in _SIZED_BY_ET36.items():
        places = log_places(listed, table_id(name))
        told |= zip(names, places or (), strict=places is not None)
    return replace(dims, logs=replace(dims.logs, **told))


def _from_et55(data: bytes, dims: Dimensions) -> Dimensions:
    if not dims.maxima_told:
        for tiers in _MOST_TIERS:
            if tiers > dims.max_tiers and ET55.size(supposed := replace(dims, max_tiers=tiers)) == len(data):
                dims = supposed
    return _with_unit(ET55.decode(data, dims), dims)


def et55_sizes(dims: Dimensions) -> tuple[int, int]:
    """Return how long ET55 is in such a meter at least and at most, where nothing told the largest number of tiers."""
    if dims.maxima_told:
        return (ET55.size(dims),) * 2
    return ET55.size(dims), ET55.size(replace(dims, max_tiers=max(dims.max_tiers, *_MOST_TIERS)))


def summary_of(data: bytes, dims: Dimensions) -> Record | None:
    """Return what ET42 says; None unless its sections, which count each other, come to the length that it states.

    Raises:
        TableError: counts inside the table that cannot be.
    """
    length = int.from_bytes(data[:2], "big" if dims.big_endian else "little")
    summary = ET42.decode(data[:length], dims)
    whole = length <= len(data) and not summary.tail and "rollover_digits" in summary
    return summary if whole else None


def _from_et42(data: bytes, dims: Dimensions) -> Dimensions:
    # What is wanted stands at the end, behind sections that count each other: only a sum that comes out is believed.
    summary = summary_of(data, dims)
    if summary is None:
        return dims
    digits = summary["rollover_digits"]
    if digits in _ROLLOVER_DIGITS:
        dims = replace(dims, rollover_digits=digits)
    if dims.profile_channels is None and dims.load_profile_sets > 1:

        def of_each(first: str, field: str) -> tuple[int, ...]:
            return (summary[first], *(summary.get(f"set_{number}_{field}", 0) for number in SETS[1:]))

        dims = replace(
            dims,
            profile_channels=of_each("load_profile_channels", "channels"),
            profile_blocks=of_each("load_profile_blocks", "blocks"),
            profile_intervals=of_each("load_profile_intervals_per_block", "intervals_per_block"),
        )
    return _with_unit(summary, dims)


def _from_et04(data: bytes, dims: Dimensions) -> Dimensions:
    return replace(dims, power_outages_recorded=ET04.decode(data, dims).get("power_outages_recorded"))


def _from_bt30(data: bytes, dims: Dimensions) -> Dimensions:
    display = BT30.decode(data, dims)
    return replace(dims, display_lists=display.get("primary_lists"), display_items=display.get("primary_list_items"))


def _from_bt60(data: bytes, dims: Dimensions) -> Dimensions:
    most = BT60.decode(data, replace(dims, profile_channels=(0,))).get("data_sets")
    return replace(dims, most_channels=most[0]["channels"] if most else None)


def _from_et90(data: bytes, dims: Dimensions) -> Dimensions:
    return replace(dims, free_texts=ET90.decode(data, dims).get("free_texts"))


def _with_unit(record: Record, dims: Dimensions) -> Dimensions:
    unit = record.get("energy_unit")
    return replace(dims, energy_unit=unit) if unit in _ENERGY_UNITS else dims


_SIZES_OF_DEVICES: Mapping[str, str] = {
    "mep_devices": "devices",
    "mep_configuration_size": "configuration_entry_size",
    "device_status_size": "status_entry_size",
    "on_demand_requests": "on_demand_queue_size",
    "on_demand_request_size": "on_demand_entry_size",
    "on_demand_write_size": "on_demand_write_size",
    "device_data_size": "data_entry_size",
    "device_settings_size": "configuration_entry_2_size",
    "multicast_size": "multicast_message_size",
    "mbus_data_types": "mbus_data_types",
    "mep_data_sources": "mep_data_sources",
    "mep_clients": "mep_clients",
    "relay_switches": "relay_switches",
    "delta_alert_sources": "delta_alert_sources",
    "transaction_request_size": "transaction_request_size",
    "transaction_response_size": "transaction_response_size",
}
"""Dimensions and the fields of ET11 that tell them."""

_LESSONS: Mapping[str, Callable[[bytes, Dimensions], Dimensions]] = {
    "BT00": _from_bt00,
    "BT01": _from_bt01,
    "BT20": _from_bt20,
    "BT21": _from_bt21,
    "BT22": _from_bt22,
    "BT27": _from_bt27,
    "BT50": _from_bt50,
    "ET11": _from_et11,
    "ET54": _from_et54,
    "ET55": _from_et55,
    "ET42": _from_et42,
}

_FURTHER_LESSONS: Mapping[str, Callable[[bytes, Dimensions], Dimensions]] = {
    "BT30": _from_bt30,
    "ET04": _from_et04,
    "BT60": _from_bt60,
    "BT61": with_load_profile,
    "BT71": _from_bt71,
    "ET36": _from_et36,
    "ET90": _from_et90,
}
"""What only a few tables are laid out by, so that it is read when one of these is wanted (``Table.told_by``)."""

SURVEYED = tuple(_LESSONS)
"""The tables by which registers and present values are laid out, in the order in which each helps to read the next."""

TELLING = (*SURVEYED, *_FURTHER_LESSONS)
"""All tables that :func:`survey` learns from, in that order."""
