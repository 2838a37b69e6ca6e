"""The tables that the two official guides print: where, and what of this software shows what stands in them.

Written from the headings of the guides; the test of docs/reference/coverage.md holds it against what the library declares.
M is the "OSGP MEP Client Developer's Guide" (078-0372-01, v1.1), O the "Optical Port Programmer's Guide" (v1.1).
"""

from __future__ import annotations

from collections.abc import Mapping

from osgp.dissector.titles import title
from osgp.tables import TABLES

__all__ = ["NOT_YET_DECLARED", "PRINTED", "SHOWN", "coverage_page"]

PRINTED: Mapping[str, str] = {
    "BT00": "M 196-198, O 48-49", "BT01": "M 198-199, O 19", "BT03": "O 45-47", "BT04": "O 10-11", "BT15": "M 199-200",
    "BT20": "O 20-21", "BT21": "M 200-202, O 21-23", "BT22": "M 202-203, O 23-24", "BT23": "M 207-211, O 24-27",
    "BT24": "M 211-212", "BT25": "M 212", "BT26": "M 212-214, O 28-30", "BT27": "M 214-215", "BT28": "M 215-220, O 53-57",
    "BT30": "M 220-221", "BT33": "M 221-222", "BT50": "M 222-224", "BT52": "M 224-225", "BT53": "M 225",
    "BT54": "M 225-229", "BT55": "M 229-231", "BT60": "M 231-233", "BT61": "M 233-235, O 31-33",
    "BT62": "M 235-236, O 33-34", "BT63": "M 236-238, O 34-35", "BT64": "M 238-241, O 35-38", "BT65": "M 238-241, O 35-38",
    "BT66": "M 238-241, O 35-38", "BT67": "M 238-241, O 35-38", "BT70": "O 50", "BT71": "O 50-51",
    "BT74": "M 241-243, O 51-53",
    "ET03": "M 55-56, O 18", "ET04": "M 56-67", "ET09": "M 67-77", "ET11": "M 77-80, O 40-42", "ET13": "M 80-83",
    "ET14": "M 83-89", "ET15": "M 89-92", "ET16": "M 92-95, O 42-45", "ET21": "M 95-98, O 38-40", "ET23": "M 98-99",
    "ET29": "M 99-104", "ET31": "M 104-106", "ET34": "M 106-107", "ET36": "M 107-110", "ET41": "M 110-111",
    "ET42": "M 111-119", "ET45": "M 119-121", "ET46": "M 121-122", "ET47": "M 122-123", "ET50": "M 124-127",
    "ET51": "M 127-130, O 14-16", "ET52": "M 130-132", "ET53": "M 132", "ET54": "M 132-139", "ET55": "M 139-163",
    "ET57": "M 163-164", "ET58": "M 165", "ET59": "M 165-166", "ET61": "M 166-167", "ET62": "M 167-172", "ET66": "M 173",
    "ET70": "M 173-174", "ET71": "M 174-175", "ET74": "M 176-177", "ET75": "M 177-180", "ET79": "M 181-183",
    "ET80": "M 183-184", "ET81": "M 185-186", "ET85": "M 186", "ET89": "M 186-190", "ET90": "M 190-192",
    "ET97": "M 192-196",
}  # fmt: skip
"""Every table with a page of its own, by the pages."""

NOT_YET_DECLARED: frozenset[str] = frozenset()
"""Those of which only bytes can be shown. The test fails as soon as one of them is declared and still stands here."""

SHOWN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "BT00": ((), ("tables",), ()),
    "BT01": (("identity",), ("probe", "read"), ("device",)),
    "BT03": (("state",), ("read",), ()),
    "BT20": (("dimensions",), (), ()),
    "BT21": (("dimensions",), (), ()),
    "BT22": (("dimensions",), (), ()),
    "BT23": (("registers",), ("read", "watch"), ("energies",)),
    "BT24": (("self_reads",), ("selfreads",), ()),
    "BT25": (("self_reads",), ("selfreads",), ()),
    "BT26": (("self_reads",), ("selfreads",), ()),
    "BT27": (("dimensions",), (), ()),
    "BT28": (("present",), ("read", "watch"), ("present values",)),
    "BT50": (("dimensions",), (), ()),
    "BT54": (("tariffs",), ("tariffs", "read"), ()),
    "BT52": (("clock",), ("read",), ("clock",)),
    "BT55": (("tariffs",), ("tariffs", "read"), ()),
    **dict.fromkeys(("BT61", "BT62", "BT63", "BT64", "BT65", "BT66", "BT67"), (("profile",), ("profile",), ())),
    "BT74": (("events",), ("events", "read"), ()),
    "ET03": (("identity",), ("probe", "read"), ("device",)),
    "ET09": (("quality", "outages"), ("quality", "outages", "read"), ()),
    **dict.fromkeys(("ET21", "ET66"), (("profile",), ("profile",), ())),
    "ET23": (("state", "tariffs"), ("read",), ()),
    "ET29": (("quality", "state"), (), ()),
    "ET46": (("state",), (), ()),
    "ET47": (("tariffs",), ("tariffs",), ()),
    "ET11": (("dimensions",), (), ()),
    **dict.fromkeys(("ET13", "ET15", "ET50", "ET51", "ET70"), (("mep_port",), ("client",), ())),
    **dict.fromkeys(("ET52", "ET53"), (("transaction",), (), ())),
    "ET57": (("profile",), ("profile",), ()),
    "ET14": (("mbus_devices",), ("mbus", "read"), ("devices behind the meter",)),
    "ET45": (("mbus_devices", "mbus_reads"), ("mbus", "read"), ("devices behind the meter",)),
    "ET74": (("mbus_devices",), ("mbus", "read"), ("devices behind the meter",)),
    "ET16": (("mbus_devices",), ("mbus", "read"), ("devices behind the meter",)),
    "ET31": (("self_reads",), ("selfreads",), ()),
    "ET41": (("self_reads",), ("selfreads",), ()),
    "ET42": (("dimensions",), (), ()),
    "ET54": (("dimensions", "state", "tariffs", "mep_port"), ("tariffs", "client"), ()),
    "ET55": (("dimensions", "mep_port"), ("client",), ()),
    "ET79": (("events",), ("events", "read"), ()),
    "ET81": (("outages",), ("outages", "read"), ()),
}
"""What shows more of a table than its fields: methods of ``Meter``, commands of ``osgp``, entities of the gateway."""

_EVERY = ("tables", "decode", "dump", "diff")
"""Commands that show the fields of every table that is declared."""


def coverage_page(notice: str) -> str:
    """Return the page that says, for each printed table, what shows what stands in it."""
    rows = [_row(name, pages) for name, pages in PRINTED.items()]
    declared = sum(name in TABLES for name in PRINTED)
    return "\n".join(
        [
            notice,
            "# Which tables are understood",
            "",
            f"The two official guides print {len(PRINTED)} tables, and {declared} of them are decoded here. M is the",
            '"OSGP MEP Client Developer\'s Guide" (078-0372-01, v1.1, March 2022), O the "Optical Port Programmer\'s Guide" (v1.1,',
            "June 2021). [tables.md](tables.md) has their fields. Of tables that no guide prints, bytes are shown.",
            "",
            f"`Meter.table(name)` decodes each of them, and `osgp {'`, `osgp '.join(_EVERY)}` show their fields. The columns say what",
            "shows more than that: a method of `Meter`, a command, or values of the gateway.",
            "",
            "| Table | Title | Pages | Declared | `Meter` | `osgp` | Gateway |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(name: str, pages: str) -> str:
    link, is_declared = (f"[{name}](tables.md#{name.lower()})", "yes") if name in TABLES else (name, "bytes only")
    methods, commands, values = SHOWN.get(name, ((), (), ()))
    shown = ", ".join(f"`{each}()`" for each in methods), ", ".join(f"`{each}`" for each in commands), ", ".join(values)
    return f"| {link} | {title(name)} | {pages} | {is_declared} | {' | '.join(shown)} |".replace("  ", " ")
