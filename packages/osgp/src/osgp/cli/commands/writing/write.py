"""``osgp write``: change fields or bytes of a table. A dry run unless ``--allow-writes`` is given.

This module does not know how tables are laid out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osgp.cli.confirming import AllowWritesOption, ConfirmOption, confirmed
from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import print_json, print_lines
from osgp.errors import MisuseError
from osgp.psem import table_id, table_name

if TYPE_CHECKING:
    from osgp.meter import Meter

__all__ = ["write"]


@dataclass(frozen=True, slots=True)
class _Change:
    """Bytes of a table before and after."""

    table: str
    offset: int
    before: bytes
    after: bytes

    def document(self) -> dict[str, Any]:
        return {"table": self.table, "offset": self.offset, "before": self.before.hex(), "after": self.after.hex()}


def write(
    table: Annotated[str, typer.Argument(help="Table to change, such as ET50.")],
    *,
    fields: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Set a field; may be repeated.", show_default=False),
    ] = None,
    digits: Annotated[
        str | None, typer.Option("--hex", metavar="BYTES", help="Write these bytes.", show_default=False)
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="Where --hex begins.")] = 0,
    allow_writes: AllowWritesOption = False,
    confirm: ConfirmOption = None,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Change fields or bytes of a table. Shows what would be sent; sends it only with --allow-writes."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.dissector.privacy import holds_secrets  # noqa: PLC0415
        from osgp.meter.writing import AllowWrites  # noqa: PLC0415

        name = table_name(table_id(table))
        if holds_secrets(table_id(name)):
            raise MisuseError(f"{name} holds keys or passwords; this program neither shows nor writes them")
        if bool(fields) == (digits is not None):
            raise MisuseError("give either --set FIELD=VALUE or --hex BYTES with --offset")
        allowed = AllowWrites(tables=(name,)) if allow_writes else None
        async with target.meter(allow_writes=allowed) as meter:
            changes = await (
                _of_fields(meter, name, fields) if fields else _of_bytes(meter, name, digits or "", offset)
            )
            if not as_json:
                print_lines(_lines(changes))
            if allow_writes and changes:
                confirmed(name, confirm)
                for change in changes:
                    with step(f"writing {name}"):
                        await meter.write(name, change.after, change.offset)
            _tell(changes, written=allow_writes, as_json=as_json)

    run(work, as_json=as_json)


async def _of_bytes(meter: Meter, name: str, digits: str, offset: int) -> list[_Change]:
    from osgp.dissector.pasted_hex import hex_bytes  # noqa: PLC0415

    after = hex_bytes(digits)
    if not after:
        raise MisuseError("--hex holds no bytes")
    with step(f"reading {name}"):
        before = await meter.read(name, offset, len(after))
    return [_Change(name, offset, before, after)] if before != after else []


async def _of_fields(meter: Meter, name: str, fields: list[str]) -> list[_Change]:
    """Read the table, set the fields, and return the bytes that differ: nothing else is written."""
    from osgp.cli.whole import read_whole  # noqa: PLC0415
    from osgp.tables import TABLES  # noqa: PLC0415

    described = TABLES.get(name)
    if described is None:
        raise MisuseError(f"the fields of {name} are not known; use --hex and --offset. Known are {', '.join(TABLES)}")
    values = dict(_assignment(described, text) for text in fields)
    with step("reading the tables that tell how large others are"):
        dims = await meter.dimensions(name)
    before = await read_whole(meter, name, dims)
    after = described.encode(values, dims, base=before)
    return list(_stretches(name, before, after))


def _stretches(name: str, before: bytes, after: bytes) -> list[_Change]:
    changed = [place for place, (old, new) in enumerate(zip(before, after, strict=False)) if old != new]
    if not changed:
        return []
    # One stretch: two writes of one byte each would wear the memory twice.
    start, end = changed[0], changed[-1] + 1
    return [_Change(name, start, before[start:end], after[start:end])]


def _assignment(described: Any, text: str) -> tuple[str, Any]:
    from osgp.dissector.values import bits_from_text, from_text  # noqa: PLC0415
    from osgp.tables.schema.table import Bits, Field  # noqa: PLC0415
    from osgp.tables.schema.types import Type  # noqa: PLC0415

    name, equals, value = text.partition("=")
    if not equals:
        raise MisuseError(f"'{text}' sets nothing; write FIELD=VALUE")
    single: list[str] = []
    for part in described.fields:
        if isinstance(part, Bits):
            single += [bit.name for bit in part.bits]
            for bit in part.bits:
                if bit.name == name:
                    return name, bits_from_text(bit, value)
        elif isinstance(part, Field) and part.count is None and isinstance(part.type, Type):
            single.append(part.name)
            if part.name == name:
                return name, from_text(part.type, value)
    raise MisuseError(f"{described.name} has no single field {name}; it has {', '.join(single) or 'none'}")


def _lines(changes: list[_Change]) -> list[str]:
    if not changes:
        return ["The table holds this already; there is nothing to write."]
    lines = []
    for change in changes:
        end = change.offset + len(change.after) - 1
        lines += [
            f"{change.table}, bytes {change.offset} to {end}:",
            f"  now   {change.before.hex(' ')}",
            f"  then  {change.after.hex(' ')}",
        ]
    return lines


def _tell(changes: list[_Change], *, written: bool, as_json: bool) -> None:
    if as_json:
        print_json({"written": written and bool(changes), "changes": [change.document() for change in changes]})
    elif changes:
        print_lines(
            ["Written, and read back the same."]
            if written
            else ["Nothing was written. Give --allow-writes to send this to the meter."]
        )
