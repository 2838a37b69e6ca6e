"""ET42, the meter's own summary of every dimension that can change (MEP guide v1.1 p. 111-119).

It counts itself: each section tells how long the next one is. Energy unit and rollover
digits stand at its very end, so they are trusted only if the whole adds up to the length
that the table states.

This module does not know which of the dimensions others need.
"""

from __future__ import annotations

from collections.abc import Iterator

from osgp.psem import EXTENDED
from osgp.tables.schema.count import Count, count, own_count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import UINT8, UINT16, UINT32, octets

__all__ = ["ET42"]

_FIXED_SECTION = 41
"""Bytes up to the log list as printed (offset 40 is the last)."""
_MORE_SETS = (2, 3, 4)
"""Load profile sets after the first."""

_OWN_COUNTS = (
    "fixed_section_length",
    "logs",
    "demands",
    "coincidents",
    "load_profile_channels",
    "mbus_data_types",
    *(f"set_{number}_active" for number in _MORE_SETS),
    *(f"set_{number}_channels" for number in _MORE_SETS),
)


def _own(name: str, text: str) -> Count:
    place = _OWN_COUNTS.index(name)
    return own_count(place, text)


_ADDED = _own("fixed_section_length", "ET42.2") - _FIXED_SECTION
_SETS_DESCRIBED = count("multiple_load_profiles")


def _further_set(number: int) -> Iterator[Field]:
    """Yield the description of load profile set 2, 3 or 4 (p. 117-118)."""
    active = _own(f"set_{number}_active", f"set_{number}_active")
    channels = _own(f"set_{number}_channels", f"set_{number}_channels")
    for name, kind in (
        ("block_size", UINT32),
        ("blocks", UINT16),
        ("channels", UINT8),
        ("interval_duration", UINT8),
        ("interval_size", UINT8),
        ("options", UINT8),
        ("intervals_per_block", UINT16),
        ("block_start_hour", UINT8),
        ("block_start_minute", UINT8),
    ):
        yield Field(f"set_{number}_{name}", kind, when=active, page="117-118")
    yield Field(f"set_{number}_sources", UINT16, count=channels, when=active, page="118")


ET42 = Table(
    EXTENDED + 42,
    "Interface Definition",
    "111-119",
    (
        Field("table_length", UINT16, unit="byte", page="111"),
        Field("fixed_section_length", UINT8, unit="byte", page="112"),
        Field("logs", UINT8, page="112"),
        Bits(UINT16, (Bit("ica_nak", 0), Bit("billing_format_2", 1)), page="112"),
        Filler(2, page="112"),
        Field("billing_interface_number", UINT16, page="112"),
        Bits(
            UINT8,
            (
                Bit("demand_reset_counter", 0),
                Bit("cumulative_demand", 1),
                Bit("continuous_cumulative_demand", 2),
                Bit("demand_configured", 3),
                Bit("unread_log_bitmap", 4),
            ),
            page="113",
        ),
        Field("self_reads", UINT8, page="113"),
        Field("summations", UINT8, page="113"),
        Field("demands", UINT8, page="113"),
        Field("coincidents", UINT8, page="113"),
        Field("occurrences", UINT8, page="113"),
        Field("tiers", UINT8, page="113"),
        Field("present_demands", UINT8, page="113"),
        Field("present_values", UINT8, page="113"),
        Field("demand_subinterval", UINT8, unit="min", page="114"),
        Field("demand_multiplier", UINT8, page="114"),
        Field("tier_size", UINT16, unit="byte", page="114"),
        Field("load_profile_block_size", UINT32, unit="byte", page="114"),
        Field("load_profile_blocks", UINT16, page="114"),
        Field("load_profile_channels", UINT8, page="114"),
        Field("load_profile_interval", UINT8, unit="min", page="114"),
        Field("load_profile_interval_size", UINT8, unit="byte", page="114"),
        Field("load_profile_options", UINT8, page="114"),
        Field("load_profile_intervals_per_block", UINT16, page="114"),
        Field("load_profile_start_hour", UINT8, page="114"),
        Field("load_profile_start_minute", UINT8, page="114"),
        Bits(
            UINT8,
            (
                Bit("log_event_number", 0),
                Bit("log_date_time", 1),
                Bit("log_sequence_number", 2),
                Bit("log_inhibit_overflow", 3),
                Bit("event_log_inhibit_overflow", 4),
            ),
            page="114-115",
        ),
        Field("history_log_entries", UINT16, page="115"),
        Field("history_log_argument_size", UINT8, unit="byte", page="115"),
        Filler(_ADDED, page="112"),
        Group(
            "log_list",
            (Field("entries", UINT8), Field("entry_size", UINT16, unit="byte")),
            count=_own("logs", "ET42.3"),
            page="115-116",
        ),
        Field("demand_sources", UINT8, count=_own("demands", "ET42.13"), page="116"),
        Field("coincident_sources", UINT8, count=_own("coincidents", "ET42.14"), page="116"),
        Field("load_profile_sources", UINT16, count=_own("load_profile_channels", "ET42.29"), page="116"),
        Field("mbus_data_types", UINT8, page="116"),
        Group(
            "mbus_data_type_list",
            (Field("entry", octets(4)),),
            count=_own("mbus_data_types", "mbus_data_types"),
            page="117",
        ),
        # The text speaks of sets 1..4, the mask and the fixed section of set 1 leave sets 2-4 (p. 117).
        Bits(
            UINT8,
            tuple(Bit(f"set_{number}_active", bit) for bit, number in enumerate(_MORE_SETS)),
            when=_SETS_DESCRIBED,
            page="117",
        ),
        *(field for number in _MORE_SETS for field in _further_set(number)),
        Field("required_section_length", UINT8, unit="byte", since=(3, 60), page="118"),
        Field("et74_entries", UINT16, since=(3, 60), page="118"),
        Field("et77_entries", UINT8, since=(3, 70), page="118"),
        Field("et79_entries", UINT16, since=(3, 70), page="118"),
        Field("energy_unit", UINT8, unit="Wh, varh", note="1, 10 or 100", since=(3, 70), page="118"),
        Field("rollover_digits", UINT8, note="5 to 9", since=(3, 70), page="119"),
    ),
    own_counts=_OWN_COUNTS,
)
