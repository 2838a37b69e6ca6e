"""How large a meter's tables are: the tables that say it, and what they say in one place.

BT20 and BT21 count what BT22-BT28 hold, BT22 and BT27 name it, ET11 counts devices. A
:class:`Dimensions` is what decoders ask; it is made from the bytes of those tables and
never changes: a meter that is reconfigured gets a new one.

This module does not know how the counted tables look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from osgp.sources import SOURCES, Source, by_id

__all__ = [
    "MBUS_DEVICES",
    "SETS",
    "Calendar",
    "Dimensions",
    "Firmware",
    "Logs",
    "tables_telling",
    "told",
    "told_by",
    "where_told",
]

SETS = range(1, 5)
"""Numbers of the load profile data sets that a meter can have (MEP guide v1.1 p. 29)."""

MBUS_DEVICES = 4
"""Entries 0 to 3 of the tables of devices are M-Bus devices in every meter, the others MEP clients (MEP guide v1.1 p. 77, 80, 84)."""

Firmware = tuple[int, int]
"""Major and minor version, as in "fields added in firmware version 3.70"."""


def told(where: str, default: Any) -> Any:
    """Declare a dimension: where meters tell it, as ``table.byte`` or ``table.byte.bit``, and what it is when they do not."""
    return field(default=default, metadata={"told": where})


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """BT50: what BT54 has room for (MEP guide v1.1 p. 223-224). Defaults are a meter from firmware 3.50 on."""

    seasons: int = told("BT50.2", 12)
    nonrecurring_dates: int = told("BT50.3", 25)
    recurring_dates: int = told("BT50.4", 23)
    tier_switches: int = told("BT50.5", 200)
    separate_weekdays: bool = told("BT50.1.1", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """How large the logs are. None: the table that tells was not read."""

    events: int | None = told("BT71.5", None)
    """Entries of BT74 (Optical guide v1.1 p. 51)."""
    argument_size: int | None = told("BT71.3", None)
    """Bytes of an event's argument, in both event logs (Optical guide v1.1 p. 51)."""
    alternate_events: int | None = told("ET54.80", None)
    """Entries of ET79; 0: the meter has none (p. 137, 181)."""
    one_time_reads: int | None = told("ET36.7", None)
    """Entries of ET31 (p. 109)."""
    one_time_read_size: int | None = told("ET36.3", None)
    demand_resets: int | None = told("ET36.58", None)
    """Entries of ET41."""
    demand_reset_size: int | None = told("ET36.54", None)
    recurring_reads: int | None = told("ET36.75", None)
    """Entries of ET45."""
    recurring_read_size: int | None = told("ET36.71", None)
    extended_recurring_reads: int | None = told("ET54.69", None)
    """Entries of ET74 (p. 136, 176), each as long as those of ET45."""
    channel_changes: int | None = told("ET36.92", None)
    """Entries of ET75."""
    channel_change_size: int | None = told("ET36.88", None)
    outages: int | None = told("ET36.109", None)
    """Entries of ET81."""
    outage_size: int | None = told("ET36.105", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Everything that decides which bytes stand where. Defaults are a 3.7x meter without demand registers."""

    big_endian: bool = told("BT00.0.0", False)
    """BT00.0.0: numbers stand most significant byte first (p. 197). No meter that we know of says so."""
    season: bool = told("BT21.0.0", True)
    date_time: bool = told("BT21.0.1", True)
    demand_reset_counter: bool = told("BT21.0.2", False)
    cumulative_demand: bool = told("BT21.0.4", False)
    continuous_cumulative_demand: bool = told("BT21.0.5", False)
    time_remaining: bool = told("BT21.0.6", False)
    self_reads: int = told("BT21.2", 0)
    summations: int = told("BT21.3", 11)
    demands: int = told("BT21.4", 0)
    coincidents: int = told("BT21.5", 0)
    occurrences: int = told("BT21.6", 0)
    tiers: int = told("BT21.7", 4)
    present_demands: int = told("BT21.8", 0)
    present_values: int = told("BT21.9", 55)
    """From BT21, or BT20 on meters without it (MEP guide v1.1 p. 201-202)."""

    summation_ids: tuple[int, ...] | None = None
    """BT22's source ids, None if it was not read: then the guide's order counts."""
    present_value_ids: tuple[int, ...] | None = None
    """BT27's source ids, None if it was not read: then the guide's order counts."""

    max_tiers: int = told("BT20.7", 4)
    """BT20.7; sizes arrays of ET55 (p. 147)."""
    maxima_told: bool = False
    """BT20 was read; else the largest number of tiers is a guess, which the length of ET55 can prove."""
    status_size: int | None = told("BT00.17", None)
    """BT00.17: bytes of BT03 behind the first four (Optical guide v1.1 p. 49); None if unknown."""
    energy_unit: int = 1
    """Wh, varh per step of BT23's energies: 1, 10 or 100 (ET55, p. 207)."""
    rollover_digits: int | None = None
    """Energy registers roll over at 10 to this power (end of ET42, p. 119); None if unknown."""
    firmware: Firmware | None = None
    """Major, minor from BT01; None if unknown."""

    mep_devices: int = told("ET11.0", 5)
    """ET11.0, elements of ET13 (p. 77)."""
    mep_configuration_size: int = told("ET11.1", 66)
    """ET11.1, bytes of an element of ET13 (p. 78)."""
    device_status_size: int = told("ET11.2", 36)
    """ET11.2, bytes of an element of ET14 (p. 78)."""
    on_demand_requests: int = told("ET11.3", 5)
    """ET11.3, requests that ET15 holds (p. 78); :attr:`on_demand_request_size` and :attr:`on_demand_write_size` are the bytes
    of one and of what it writes."""
    on_demand_request_size: int = told("ET11.4", 6)
    on_demand_write_size: int = told("ET11.11", 25)
    device_data_size: int = told("ET11.5", 517)
    """ET11.5, bytes of an element of ET16 (p. 78)."""
    device_settings_size: int = told("ET11.13", 22)
    """ET11.13, bytes of an element of ET34 (p. 78)."""
    multicast_size: int = told("ET11.20", 65)
    """ET11.20, bytes of the multicast message in ET15 with its length (p. 79)."""
    mbus_data_types: int = told("ET11.25", 16)
    """ET11.25, entries of ET57 (p. 79)."""
    mep_data_sources: int = told("ET11.22", 6)
    """ET11.22 (p. 79)."""
    mep_clients: int = told("ET11.34", 1)
    """ET11.34, elements of ET50; meters before 4.0 have no such field and one client (p. 80)."""
    module_records_size: int = told("ET11.32 * ET11.33", 0)
    """ET11.32 x ET11.33, a reserved stretch of ET54 from 4.0 on (p. 137)."""
    calendar: Calendar = field(default_factory=Calendar)
    logs: Logs = field(default_factory=Logs)
    bidn: int | None = told("ET42.8", None)
    """ET42.8: number of the billing interface, under which registers are copied to logs (p. 112, 214)."""
    multiple_load_profiles: bool = told("ET54.0.2", True)
    """ET54.0.2: ET42 describes load profile sets 2-4 (p. 117, 133)."""
    basic_tables_size: int | None = told("BT00.13", None)
    """BT00.13, bytes of a bitmap of the basic tables (p. 197); None if unknown."""
    extended_tables_size: int | None = told("BT00.14", None)
    """BT00.14, bytes of a bitmap of the extended tables (p. 197); None if unknown."""
    pending_tables: int | None = told("BT00.18", None)
    """BT00.18, activations that BT04 lists (p. 198); None if unknown."""
    relay_switches: int = told("ET11.26", 80)
    """ET11.26, switches of each relay in ET61 (p. 79)."""
    delta_alert_sources: int = told("ET11.27", 10)
    """ET11.27, elements of ET71 (p. 79)."""
    transaction_request_size: int = told("ET11.7", 769)
    """ET11.7, bytes of ET52 (p. 78)."""
    transaction_response_size: int = told("ET11.9", 1785)
    """ET11.9, bytes of ET53 (p. 78)."""
    display_lists: int | None = told("BT30.6", None)
    """BT30.6, lists described in BT33 (p. 221); None if unknown."""
    display_items: int | None = told("BT30.4", None)
    """BT30.4, sources in BT33 (p. 220); None if unknown."""
    free_texts: int | None = told("ET90.16", None)
    """ET90.16, messages in ET97 (p. 192); None if unknown."""
    most_channels: int | None = told("BT60.11", None)
    """BT60.11, the most channels of the first load profile, and elements of ET62 (p. 171); None if unknown."""
    power_outages_recorded: int | None = told("ET04.53", None)
    """ET04.53, outage records of ET09 (p. 58, 69); None if unknown."""
    profile_channels: tuple[int, ...] | None = told("BT61.7", None)
    """BT61.11 of each load profile data set; None if unknown. ET42 tells it too, if ET54.0.2."""
    profile_blocks: tuple[int, ...] = told("BT61.7", ())
    """BT61.7 of each data set, as far as :attr:`profile_channels` tells them."""
    profile_intervals: tuple[int, ...] = told("BT61.7", ())
    """BT61.9 of each."""
    profile_end_readings: bool = told("BT61.4.4", False)
    """Each block holds what its channels showed at its end; the guide says none does (p. 234)."""
    profile_scalars: frozenset[int] = told("BT61.4.6", frozenset())
    """Places of the data sets whose values are scaled before they are recorded (BT61.4.6-9); the guide says none are."""
    own: tuple[int, ...] = ()
    """Counts that a table holds about itself (BT00, ET42), while that table is decoded."""

    cache: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was compiled for these dimensions; it lives as long as they do."""

    @property
    def byte_order(self) -> str:
        """Return the byte order of numbers as :mod:`struct` writes it."""
        return ">" if self.big_endian else "<"

    @property
    def is_generation_4(self) -> bool:
        """Tell whether this is a meter from firmware 4.0 on; if unknown, by its 19 summations (p. 202)."""
        if self.firmware is None:
            return self.summations >= _GENERATION_4_SUMMATIONS
        return self.firmware >= _GENERATION_4

    @property
    def load_profile_sets(self) -> int:
        """Return how many data sets such a meter has: as many as BT61 was seen to have.

        If it was not read: four from firmware 3.50 on, unless ET54.0.2 says otherwise. That bit speaks of ET42 alone
        (MEP guide v1.1 p. 133), but nothing else tells.
        """
        if self.profile_channels is not None:
            return len(self.profile_channels)
        later = self.firmware is None or self.firmware >= _SETS_SINCE
        return len(SETS) if later and self.multiple_load_profiles else 1

    def holding(self, own: tuple[int, ...]) -> Dimensions:
        """Return these dimensions with a table's counts about itself; the last such set is kept compiled."""
        inner = self.cache.get("holding")
        if not isinstance(inner, Dimensions) or inner.own != own:
            inner = self.cache["holding"] = replace(self, own=own)
        return inner

    @property
    def register_sources(self) -> tuple[Source | None, ...]:
        """Return what the summations of a BT23 block are, in order; None for what has no name.

        From BT22 if it was read, else by the guide's order (p. 208-210).
        """
        ids = _SUMMATION_IDS if self.summation_ids is None else self.summation_ids
        named = [by_id(number) for number in ids[:_FIRST_APPARENT]]
        # Numbers 15-18 are apparent energies, for which the guide prints no ids (p. 204-206, 210): by position,
        # whatever BT22 holds there, as soon as BT22 has room for them.
        return _once([*named, *_APPARENT_ENERGIES] if len(named) == _FIRST_APPARENT else named, self.summations)

    @property
    def present_sources(self) -> tuple[Source | None, ...]:
        """Return what the present values of BT28 are, in order; None for what has no name.

        From BT27 if it was read, else by the guide's order (p. 216-220), which firmware only ever extended.
        """
        ids = _PRESENT_IDS if self.present_value_ids is None else self.present_value_ids
        return _once((by_id(number) for number in ids), self.present_values)


_GENERATION_4: Firmware = (4, 0)
_SETS_SINCE: Firmware = (3, 50)
_GENERATION_4_SUMMATIONS = 19
_APPARENT_ENERGIES = [SOURCES[f"apparent_energy_q{quadrant}"] for quadrant in range(1, 5)]
_SUMMATION_IDS = (*range(8), 26, 27, 28, *range(108, 112))
"""BT23 numbers 0-14 (p. 208-210)."""
_FIRST_APPARENT = len(_SUMMATION_IDS)
_PRESENT_IDS = (
    *range(8, 26),  # 0-17
    *range(81, 85),  # 18-21
    *range(104, 108),  # 22-25, firmware 3.10
    *range(185, 200),  # 26-40, firmware 3.50
    *range(202, 216),  # 41-54, firmware 3.70
    *range(216, 233),  # 55-71, firmware 4.0
    *range(233, 236),  # 72-74, firmware 4.10
    *range(236, 245),  # 75-83, firmware 4.30
)
"""BT28 numbers 0-83 (p. 216-220). The guide prints number 65 as 66."""


def _once(sources: Iterable[Source | None], count: int) -> tuple[Source | None, ...]:
    """Return exactly ``count`` sources; a source met a second time has no name, so that it cannot hide the first."""
    seen: set[Source] = set()

    def unique() -> Iterator[Source | None]:
        for source in sources:
            yield None if source in seen else source
            if source is not None:
                seen.add(source)

    named = tuple(unique())[:count]
    return named + (None,) * (count - len(named))


_TABLE = re.compile(r"[BE]T\d+")
_TOLD: dict[str, str] = {
    **{one.name: one.metadata["told"] for one in fields(Dimensions) if "told" in one.metadata},
    **{f"calendar.{one.name}": one.metadata["told"] for one in fields(Calendar)},
    **{f"logs.{one.name}": one.metadata["told"] for one in fields(Logs)},
    "is_generation_4": "4.0 on",
    "load_profile_sets": "4 if ET54.0.2 else 1",
}


def where_told(name: str) -> str:
    """Return where meters tell a dimension; for one that follows from others, how.

    Raises:
        KeyError: there is no such dimension.
    """
    return _TOLD[name]


def told_by(table: str) -> tuple[str, ...]:
    """Return the names of the dimensions that a table tells."""
    return tuple(name for name, where in _TOLD.items() if where.startswith(f"{table}."))


def tables_telling(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the tables that tell these dimensions, each once; of those that follow from others, none."""
    told = (_TABLE.match(_TOLD[name]) for name in sorted(names))
    return tuple(dict.fromkeys(found[0] for found in told if found is not None))
