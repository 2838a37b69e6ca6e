"""Titles of columns that programs give to the registers of a meter, and to times. One table; a new format is a new line.

Nothing here knows a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nes2mqtt.history.tables.columns import COUNTED, keys_of
from osgp.sources import SOURCES, Source

__all__ = ["AMOUNTS", "NAMES", "REGISTERS", "TIMES", "normal", "register_named", "sum_of_tariffs"]

NAMES: Mapping[str, str] = {
    "import": "active_energy_import",
    "export": "active_energy_export",
    **{f"import_t{tariff}": f"active_energy_import_t{tariff}" for tariff in range(1, 5)},
    **{f"export_t{tariff}": f"active_energy_export_t{tariff}" for tariff in range(1, 5)},
}
"""Short names of registers, for the command line."""

_OBIS = {"1_8": "active_energy_import", "2_8": "active_energy_export"}

REGISTERS: Mapping[str, tuple[str, str]] = {
    # this program's own export
    **{key: (key, "") for key in keys_of(COUNTED)},
    **{f"{key}_kwh": (key, "kwh") for key in keys_of(COUNTED) if key.startswith("active")},
    **{f"{key}_kvarh": (key, "kvarh") for key in keys_of(COUNTED) if key.startswith("reactive")},
    # NES-MEP-Reader and AMS reader
    "tpi": ("active_energy_import", "kwh"),
    "tpo": ("active_energy_export", "kwh"),
    "tqi": ("reactive_energy_import", "kvarh"),
    "tqo": ("reactive_energy_export", "kvarh"),
    **{f"tpit{tariff}": (f"active_energy_import_t{tariff}", "kwh") for tariff in (1, 2)},
    **{f"tpot{tariff}": (f"active_energy_export_t{tariff}", "kwh") for tariff in (1, 2)},
    # the firmware of DabblerDK's module
    "fwd_act_wh": ("active_energy_import", "wh"),
    "rev_act_wh": ("active_energy_export", "wh"),
    # DSMR: by name, and by OBIS code
    **{
        f"{prefix}{word}_{tariff}": (f"active_energy_{way}_t{tariff}", "kwh")
        for prefix in ("", "electricity_", "energy_", "electricity_used_", "energy_tariff_")
        for word, way in (("delivered", "import"), ("returned", "export"))
        for tariff in (1, 2)
    },
    **{
        f"energy_{word}_tariff{tariff}": (f"active_energy_{way}_t{tariff}", "kwh")
        for word, way in (("delivered", "import"), ("returned", "export"))
        for tariff in (1, 2)
    },
    **{
        f"{prefix}{code}_{tariff}{end}": (f"{key}_t{tariff}" if tariff else key, "kwh")
        for prefix in ("1_0_", "")
        for code, key in _OBIS.items()
        for tariff in range(5)
        for end in ("", "_255", "_kwh")
    },
}
"""Key and unit of the register in a column, by its title in small letters with ``_`` for all else; no unit if the title tells none."""

TIMES: tuple[str, ...] = (
    "time_utc",
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "read_at",
    "last_changed",
    "time_local",
    "rtc",
    "date",
    "t",
    "zeit",
    "zeitstempel",
    "datum",
    "tid",
    "tidspunkt",
    "dato",
)
"""Titles of times, the best first."""

AMOUNTS: frozenset[str] = frozenset({"import_kwh", "export_kwh", "consumption", "verbrauch", "forbrug", "usage"})
"""Titles of what was used in a time, which is no register."""


def normal(title: str) -> str:
    """Return a title in small letters, with ``_`` for all that is neither letter nor digit."""
    return re.sub(r"[\W_]+", "_", title.strip().lower()).strip("_")


def register_named(title: str) -> tuple[Source, str] | None:
    """Return the register, and its unit if that is known, of a column's title; None if it is none that is known."""
    known = REGISTERS.get(normal(title))
    if known is None:  # "tPI (kWh)"
        bare = re.sub(r"_(kwh|wh|mwh|kvarh|varh)$", "", normal(title))
        known = REGISTERS.get(bare)
    return None if known is None else (SOURCES[known[0]], known[1])


def sum_of_tariffs(values: Mapping[Source, int], titled: frozenset[Source]) -> dict[Source, int]:
    """Return registers with the sum of the tariffs as the total, where a file has every tariff and no total.

    Args:
        values: of a line.
        titled: the registers that the file has.
    """
    found = dict(values)
    for way in ("import", "export"):
        total = SOURCES[f"active_energy_{way}"]
        tariffs = [one for one in titled if one.key.startswith(f"{total.key}_t")]
        if total not in titled and tariffs and all(one in values for one in tariffs):
            found[total] = sum(values[one] for one in tariffs)
    return found
