"""``osgp tables``: which tables a meter has, and what stands in them.

This module does not know how tables are laid out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osgp.cli.exits import ExitCode
from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import columns, note, paint, print_json, print_lines
from osgp.errors import MeterRefused, TableError
from osgp.psem import table_id, table_name

if TYPE_CHECKING:
    from osgp.meter import Meter
    from osgp.tables import Dimensions, Record

__all__ = ["Names", "tables"]


def _complete(incomplete: str) -> Iterable[str]:
    from osgp.tables import TABLES  # noqa: PLC0415 - only when the shell asks

    return [name for name in TABLES if name.startswith(incomplete.upper())]


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TABLE]...", help="Tables to show, such as BT23 ET03.", autocompletion=_complete, show_default=False
    ),
]


def tables(
    names: Names = None,
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """List the meter's tables, or show some of them: bytes on the left, fields on the right."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> ExitCode:
        from osgp.cli.whole import WHOLE_TABLES  # noqa: PLC0415

        wanted = [table_name(table_id(name)) for name in names or ()]
        async with target.meter(offer=WHOLE_TABLES) as meter:
            return await (_show(meter, wanted, as_json=as_json) if wanted else _list(meter, as_json=as_json))

    run(work, as_json=as_json)


async def _list(meter: Meter, *, as_json: bool) -> ExitCode:
    from osgp.cli.whole import configuration  # noqa: PLC0415

    rows = _rows(await configuration(meter))
    if as_json:
        print_json({"tables": rows})
        return ExitCode.OK
    lines = columns(
        [[row["table"], row["title"] or "-", _words(row)] for row in rows],
    )
    print_lines(lines)
    note(f"{len(rows)} tables. Show some with: osgp tables {rows[0]['table']} {rows[-1]['table']}")
    return ExitCode.OK


def _words(row: dict[str, Any]) -> str:
    words = [word for word, is_so in (("decoded", row["decoded"]), ("can be written", row["writable"])) if is_so]
    return paint(", ".join(words), "dim")


def _rows(bt00: Record) -> list[dict[str, Any]]:
    """Return one row for each table that BT00's bitmaps name."""
    from osgp.dissector.titles import title  # noqa: PLC0415
    from osgp.psem import EXTENDED  # noqa: PLC0415
    from osgp.tables import TABLES  # noqa: PLC0415
    from osgp.tables.identity import tables_used  # noqa: PLC0415

    written = {*bt00.get("basic_tables_written", ()), *(n + EXTENDED for n in bt00.get("extended_tables_written", ()))}
    return [
        {"table": name, "title": title(name), "decoded": name in TABLES, "writable": table_id(name) in written}
        for name in sorted(tables_used(bt00), key=table_id)
    ]


async def _show(meter: Meter, wanted: Sequence[str], *, as_json: bool) -> ExitCode:
    from osgp.cli.text.table_text import table_document, table_lines  # noqa: PLC0415
    from osgp.dissector.privacy import SECRET_TABLES, unfindable  # noqa: PLC0415
    from osgp.meter.reader import FIXED_SIZE  # noqa: PLC0415

    dims = await _dimensions(meter) if _needs_dimensions(wanted) else FIXED_SIZE
    given = await _given(meter, "ET11") if "ET13" in wanted else ()
    shown: list[dict[str, Any]] = []
    lines: list[str] = []
    for name in wanted:
        secret = SECRET_TABLES.get(table_id(name)) or unfindable(table_id(name), given)
        if secret:
            note(f"{name} is not read: it {secret}")
            shown.append({"table": name, "refused": f"not read: it {secret}"})
            continue
        try:
            data, dims = await _read_confirmed(meter, name, dims)
            lines += ["", *table_lines(name, data, dims)] if not as_json else []
            shown.append(table_document(name, data, dims))
        except (MeterRefused, TableError) as error:
            # Said in its place, and the rest goes on.
            note(f"{name}: {error}")
            shown.append({"table": name, "refused": str(error)})
    if as_json:
        print_json({"tables": shown})
    elif lines:
        print_lines(lines[1:])
    return ExitCode.METER if all("refused" in table for table in shown) else ExitCode.OK


async def _read_confirmed(meter: Meter, name: str, dims: Dimensions) -> tuple[bytes, Dimensions]:
    """Return the bytes of a table and the dimensions that were right when they were read.

    Raises:
        TableError: they changed each time.
    """
    from osgp.cli.whole import read_whole  # noqa: PLC0415
    from osgp.meter.reader import FIXED_SIZE  # noqa: PLC0415

    for _ in range(_ROUNDS):
        if dims is not FIXED_SIZE:
            dims = await meter.dimensions(name)
        data = await read_whole(meter, name, dims)
        if dims is FIXED_SIZE or await meter.confirms(dims):
            return data, dims
    raise TableError(
        "its layout changed again and again while it was read, so its bytes cannot be told apart. "
        "The grid company may be configuring the meter just now; try again later"
    )


async def _given(meter: Meter, name: str) -> Sequence[int]:
    """Return the id of a table if the meter gives it."""
    try:
        with step(f"reading {name}"):
            await meter.read(name, 0, 2)
    except MeterRefused:
        return ()
    return (table_id(name),)


def _needs_dimensions(wanted: Sequence[str]) -> bool:
    """Tell whether a table that is wanted depends on the dimensions."""
    from osgp.tables import TABLES  # noqa: PLC0415

    return any(name not in _SELF_CONTAINED and name in TABLES for name in wanted)


async def _dimensions(meter: Meter) -> Dimensions:
    with step("reading the tables that tell how large others are"):
        return await meter.dimensions()


_ROUNDS = 3
"""Reads of a table while the meter is being reconfigured, until its owner is told to try later."""

_SELF_CONTAINED = frozenset({"BT00", "BT01", "BT15", "BT20", "BT21", "BT50", "BT52", "BT53", "BT55", "ET03"})
"""Tables whose layout no other table decides."""
