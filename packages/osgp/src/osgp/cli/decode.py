"""``osgp decode``: tables from a file or from pasted hex; no meter is asked.

This module does not know how tables are laid out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osgp.cli.dump import load_dump
from osgp.cli.opening import read_text, run
from osgp.cli.options import AsJson
from osgp.cli.terminal import note, print_json, print_lines
from osgp.errors import MisuseError, TableError
from osgp.psem import table_id, table_name

if TYPE_CHECKING:
    from osgp.tables import Dimensions

__all__ = ["decode"]

_TABLE = re.compile(r"[BE]T\d{1,4}", re.IGNORECASE)


def decode(
    what: Annotated[str, typer.Argument(metavar="DUMP|TABLE", help="A dump (JSON or CSV), or the name of a table.")],
    content: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE]...|HEX...",
            help="After a dump: tables to show (default: all). After a table: its bytes in hex; - reads them from "
            "standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    dimensions: Annotated[
        Path | None,
        typer.Option(help="Dump of the meter the bytes came from: it tells the layout.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decode a dump or pasted hex without a meter."""
    pasted = _TABLE.fullmatch(what) is not None and not Path(what).exists()

    async def work() -> None:
        found = _pasted(what, content or ["-"], dimensions) if pasted else _from_dump(Path(what), content or [])
        _print(*found, as_json=as_json)

    run(work, as_json=as_json)


Found = tuple["list[tuple[str, bytes]]", "Dimensions"]


def _pasted(name: str, words: list[str], dimensions: Path | None) -> Found:
    from osgp.pasted import hex_bytes  # noqa: PLC0415
    from osgp.tables import Dimensions  # noqa: PLC0415

    text = read_text(Path("-"), "the bytes") if words == ["-"] else " ".join(words)
    data = hex_bytes(text)
    if not data:
        raise MisuseError(f"no bytes of {name} were given; paste them after its name, or pipe them in")
    return [(table_name(table_id(name)), data)], Dimensions() if dimensions is None else _dimensions(dimensions)


def _from_dump(path: Path, names: list[str]) -> Found:
    from osgp.privacy import unfindable  # noqa: PLC0415

    image = load_dump(path).image
    wanted = [table_id(name) for name in names] or sorted(image.tables)
    for number in wanted:
        if why := unfindable(number, image.tables):
            note(f"{table_name(number)} is not shown: it {why}")
    shown = [number for number in wanted if not unfindable(number, image.tables)]
    return [(table_name(number), image.read(number)) for number in shown], _dimensions(path)


def _dimensions(path: Path) -> Dimensions:
    """Return what a dump tells about sizes; where its tables do not tell, their sizes do."""
    from osgp.image import MeterImage  # noqa: PLC0415
    from osgp.tables import Dimensions  # noqa: PLC0415

    image = load_dump(path).image
    try:
        return MeterImage({number: bytearray(data) for number, data in image.tables.items()}).derive_dimensions()
    except TableError as error:
        note(f"{path} does not tell the sizes of its tables, the usual ones are assumed: {error}")
        return Dimensions()


def _print(tables: list[tuple[str, bytes]], dims: Dimensions, *, as_json: bool) -> None:
    from osgp.cli.anatomy_text import table_document, table_lines  # noqa: PLC0415

    documents, lines = [], []
    for name, data in tables:
        try:
            if as_json:
                documents.append(table_document(name, data, dims))
            else:
                lines += ["", *table_lines(name, data, dims)]
        except TableError as error:
            if len(tables) == 1:
                raise MisuseError(f"{name}: {error}") from error
            note(f"{name}: {error}")
            documents.append({"table": name, "refused": str(error)})
    if as_json:
        print_json({"tables": documents})
    elif lines:
        print_lines(lines[1:])
