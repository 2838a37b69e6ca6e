"""Write docs/reference from the code, so that no page can say anything else than the program does.

python tools/generate_reference.py           write the pages
python tools/generate_reference.py --check   say which committed page is out of date
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.main import get_command

from osgp.sources import SOURCES, Source
from osgp.tables import TABLES, Dimensions, Table
from osgp.tables.schema.count import Count
from osgp.tables.schema.dimensions import Logs
from osgp.tables.schema.table import Bit, Bits, Field, FieldList, Filler, Group, Layout
from osgp.tables.schema.types import Type
from printed_tables import coverage_page
from state_diagrams import links_page

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
GUIDE = 'the "OSGP MEP Client Developer\'s Guide" (078-0372-01, v1.1, March 2022)'
NOTICE = "<!-- Written by tools/generate_reference.py; edit the code, then run `make reference`. -->"

FURTHER: Mapping[str, Any] = {
    "power_outages_recorded": 10,
    "display_lists": 1,
    "display_items": 30,
    "profile_channels": (2, 0, 0, 0),
    "profile_blocks": (30, 0, 0, 0),
    "profile_intervals": (96, 0, 0, 0),
    "most_channels": 16,
    "free_texts": 3,
    "basic_tables_size": 10,
    "pending_tables": 4,
}
"""What such meters tell in tables that only few others are laid out by."""


def _logs(registers: int) -> Logs:
    """Return how large logs are where a copy of BT23 has so many bytes; ET36 gives ET31 six bytes more than it needs (p. 108)."""
    return Logs(
        events=100,
        argument_size=2,
        alternate_events=20,
        one_time_reads=2,
        one_time_read_size=6 + registers + 6,
        demand_resets=2,
        demand_reset_size=11 + registers,
        recurring_reads=2,
        recurring_read_size=525,
        extended_recurring_reads=2,
        channel_changes=2,
        channel_change_size=143,
        outages=10,
        outage_size=12,
    )


METERS = {
    "3.82": Dimensions(firmware=(3, 82), extended_tables_size=13, logs=_logs(220), **FURTHER),
    "4.30": Dimensions(
        firmware=(4, 30),
        summations=19,
        present_values=84,
        mep_devices=6,
        mep_clients=2,
        module_records_size=42,
        extended_tables_size=20,
        logs=_logs(380),
        **FURTHER,
    ),
}
"""The meters whose offsets are shown: no demand registers, four tiers."""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _head(*titles: str) -> list[str]:
    return [_row(*titles), "|" + "---|" * len(titles)]


def sources_page() -> str:
    """Return the list of everything that a meter measures."""
    lines = [
        NOTICE,
        "# Measured values",
        "",
        "Every value that leaves this software has one of these names. **Names and units are published for ever**: they stand",
        "in MQTT topics, databases and dashboards, so a release may add names but never change one.",
        "",
        "The meter holds whole numbers in the raw unit; people see the value, which is the raw number divided by 10 to the",
        "power of the decimals. Import is what the house draws from the grid. Tariffs count from 1, as on the meter's",
        f"display. Ids and pages are those of {GUIDE}.",
        "",
    ]
    for heading, wanted in _SECTIONS.items():
        lines += [
            f"## {heading}",
            "",
            *_head("Name", "Meaning", "Unit", "Raw unit", "Decimals", "Behaves as", "Id", "Page"),
        ]
        lines += [_source_row(source) for source in SOURCES.values() if wanted(source)]
        lines.append("")
    return "\n".join(lines)


_SECTIONS: Mapping[str, Callable[[Source], bool]] = {
    "Registers": lambda source: source.kind != "present" and source.tier is None,
    "Registers by tariff": lambda source: source.tier is not None,
    "Present values": lambda source: source.kind == "present",
}


def _source_row(source: Source) -> str:
    number = "" if source.id is None else source.id
    page = source.citation.rpartition("p. ")[2]
    return _row(
        f"`{source.key}`", source.label, source.unit, source.raw_unit, source.decimals, source.kind, number, page
    )


def tables_page() -> str:
    """Return the description of every table."""
    lines = [
        NOTICE,
        "# Tables",
        "",
        "Every table this software decodes, field by field; [coverage.md](coverage.md) says which there are, and what shows them. Pages are those of",
        f"{GUIDE},",
        'or, where it says so, those of the "Optical Port Programmer\'s Guide" (v1.1, June 2021).',
        "",
        f"Offsets are computed, and shown for a meter of firmware {' and one of firmware '.join(METERS)}, with four tariffs",
        "and without demand registers; a dash means that such a meter lacks the field. Fields of an array of records count",
        "from the start of the record. Bytes the guide reserves are left out.",
        "",
        *_head("Table", "Title", f"Bytes, {' / '.join(METERS)}", "Page"),
    ]
    for table in TABLES.values():
        sizes = " / ".join(str(table.size(dims)) for dims in METERS.values())
        lines.append(_row(f"[{table.name}](#{table.name.lower()})", table.title, sizes, table.pages))
    for table in TABLES.values():
        lines += ["", *_table_section(table)]
    return "\n".join([*lines, ""])


def _table_section(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield f"{table.title}, id {table.id}, page {table.pages}. {table.note}".rstrip()
    if table.own_counts:
        yield ""
        yield "This table counts itself: what follows its counts is as long as they say, so sizes here are without it."
    yield ""
    yield from _head("Offset", "Field", "Type", "Unit", "Page", "Note")
    yield from _field_rows(table.fields, [table.layout(dims) for dims in METERS.values()], table.pages, "")


def _field_rows(fields: FieldList, layouts: Iterable[Layout], pages: str, prefix: str) -> Iterator[str]:
    """Yield one row for each named field, and for the fields of records below it."""
    layouts = list(layouts)
    for part in fields:
        page = part.page or pages
        condition = _condition(part)
        match part:
            case Filler():
                continue
            case Bits():
                for bit in part.bits:
                    note = _joined(bit.note, _firmware(bit), condition)
                    yield _row(
                        _offsets(bit.name, layouts), f"`{prefix}{bit.name}`", _bit_type(bit, part.type), "", page, note
                    )
            case Field():
                kind = _type_name(part)
                note = _joined(part.note, condition)
                yield _row(_offsets(part.name, layouts), f"`{prefix}{part.name}`", kind, part.unit, page, note)
            case Group():
                note = _joined(part.note, condition)
                kind = f"{_count(part.count)} records"
                yield _row(_offsets(part.name, layouts), f"`{prefix}{part.name}`", kind, "", page, note)
                inner = [Layout(part.fields, dims) for dims in METERS.values()]
                yield from _field_rows(part.fields, inner, page, f"{prefix}{part.name}.")


def _offsets(name: str, layouts: list[Layout]) -> str:
    found = [str(layout.entries[name].offset) if name in layout.entries else "-" for layout in layouts]
    return found[0] if len(set(found)) == 1 else " / ".join(found)


def _bit_type(bit: Bit, word: Type) -> str:
    return f"bit {bit.low} of {word.name}" if bit.high is None else f"bits {bit.low}-{bit.high} of {word.name}"


def _type_name(field: Field) -> str:
    if field.count is None and isinstance(field.type, Type):
        return field.type.name
    if isinstance(field.type, Type):
        return f"{_count(field.count or 0)} x {field.type.name}"
    return f"{_VARIABLE[field.type.__name__]} of {_count(field.count or 0)} bytes"


_VARIABLE = {"char": "text", "octets": "data", "set_of": "SET"}


def _count(count: Count | int) -> str:
    return count.text if isinstance(count, Count) else str(count)


def _condition(part: Field | Bits | Filler | Group) -> str:
    return _joined(_firmware(part), f"only if {part.when.text}" if part.when else "")


def _firmware(part: Field | Bits | Filler | Group | Bit) -> str:
    """Say which firmware has a part or a bit."""
    since = f"from firmware {_version(part.since)} on" if part.since else ""
    also = f"also {', '.join(map(_version, part.also))}" if part.also else ""
    return _joined(since, also, f"before firmware {_version(part.before)}" if part.before else "")


def _version(firmware: tuple[int, int]) -> str:
    return f"{firmware[0]}.{firmware[1]:02d}"


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def openapi_page() -> str:
    """Return the description of the REST API."""
    from nes2mqtt.outputs.web.app import openapi_document  # noqa: PLC0415 - the library's own pages need no gateway

    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


def command_page() -> str:
    """Return the description of the osgp command."""
    from osgp.cli import app  # noqa: PLC0415 - the other pages need no command line
    from osgp.cli.exits import ExitCode  # noqa: PLC0415

    program: Any = get_command(app)
    lines = [
        NOTICE,
        "# The osgp command",
        "",
        "Every command and its options. How to use them is told in [osgp-command.md](../osgp-command.md).",
        "",
        "## Exit codes",
        "",
        *_head("Code", "Meaning"),
        *(_row(int(code), code.meaning) for code in ExitCode),
    ]
    for name, command in program.commands.items():
        lines += ["", f"## osgp {name}", "", *_command(name, command)]
    return "\n".join([*lines, ""])


def _command(name: str, command: Any) -> Iterator[str]:
    """Yield what one command does, takes and knows."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    words = [each.metavar or each.name.upper() for each in arguments]
    yield (command.help or "").strip()
    yield ""
    yield f"    osgp {' '.join([name, '[OPTIONS]', *words])}"
    if arguments:
        yield ""
        yield from _head("Argument", "Meaning", "Environment")
        for each, word in zip(arguments, words, strict=True):
            yield _row(f"`{word}`", each.help or "", _environment(each))
    yield ""
    yield from _head("Option", "Meaning", "Default", "Environment")
    for each in command.params:
        if each.param_type_name == "option":
            names = ", ".join(f"`{one}`" for one in (*each.opts, *each.secondary_opts))
            shown = each.default is not None and each.default is not False and not callable(each.default)
            default = f"`{_plain(each.default)}`" if shown else ""
            yield _row(names, each.help or "", default, _environment(each))


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def _environment(parameter: Any) -> str:
    return f"`{parameter.envvar}`" if parameter.envvar else ""


PAGES: Mapping[str, Callable[[], str]] = {
    "sources.md": sources_page,
    "tables.md": tables_page,
    "coverage.md": lambda: coverage_page(NOTICE),
    "links.md": lambda: links_page(NOTICE),
    "openapi.json": openapi_page,
    "osgp-command.md": command_page,
}
"""Every generated page of docs/reference, and what writes it."""


def main(arguments: list[str] | None = None) -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a page is out of date")
    options = parser.parse_args(arguments)
    stale = [
        name
        for name, page in PAGES.items()
        if not (REFERENCE / name).exists() or (REFERENCE / name).read_text(encoding="utf-8") != page()
    ]
    if options.check:
        for name in stale:
            print(f"docs/reference/{name} is out of date; run `make reference`")
        return 1 if stale else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (REFERENCE / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
