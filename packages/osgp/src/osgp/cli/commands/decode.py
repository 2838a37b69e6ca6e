"""``osgp decode``: tables from a file, from pasted hex or from captured frames; no meter is asked.

This module does not know how tables are laid out, nor how frames look.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osgp.cli.commands.dump import load_dump
from osgp.cli.opening import read_text, run
from osgp.cli.options import AsJson
from osgp.cli.text.terminal import note, print_json, print_lines
from osgp.errors import MisuseError, TableError
from osgp.psem import table_id, table_name

if TYPE_CHECKING:
    from osgp.dissector.captures import Message
    from osgp.tables import Dimensions

__all__ = ["decode"]

_TABLE = re.compile(r"[BE]T\d{1,4}", re.IGNORECASE)
_PASTED = re.compile(r"[\s{\[\"']*(?:0x|\\x)?[0-9A-F]{2}(?:[\s,:-]|[0-9A-F]{2}|$).*", re.IGNORECASE | re.DOTALL)
"""What begins so is hex, unless there is a file of that name."""


def decode(
    what: Annotated[
        str,
        typer.Argument(
            metavar="DUMP|TABLE|HEX",
            help="A dump (JSON or CSV), the name of a table, or frames in hex that say themselves which table they are "
            "about; - reads those from standard input.",
        ),
    ],
    content: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE]...|HEX...",
            help="After a dump: tables to show (default: all). After a table: its bytes in hex, or the frames of either "
            "port that carry them; - reads them from standard input.",
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
    """Decode a dump, pasted hex or captured frames without a meter."""

    async def work() -> None:
        _print(_found(what, content or [], dimensions), as_json=as_json)

    run(work, as_json=as_json)


@dataclass(frozen=True)
class _Found:
    """What there is to show: pieces of tables, and the messages that carried them."""

    dims: Dimensions
    pieces: list[tuple[str, bytes, int]]
    """Name, bytes, and where in the table they begin."""
    messages: list[Message] = field(default_factory=list)


def _found(what: str, content: list[str], dimensions: Path | None) -> _Found:
    if Path(what).exists():
        return _from_dump(Path(what), content)
    if _TABLE.fullmatch(what):
        return _pasted(what, content or ["-"], dimensions)
    if what == "-" or _PASTED.fullmatch(what):
        return _pasted(None, [what, *content], dimensions)
    return _from_dump(Path(what), content)


def _pasted(name: str | None, words: list[str], dimensions: Path | None) -> _Found:
    from osgp.dissector.captures import messages  # noqa: PLC0415
    from osgp.dissector.pasted_hex import posted_bytes  # noqa: PLC0415
    from osgp.tables import TABLES, Dimensions  # noqa: PLC0415
    from osgp.tables.schema.count import Untold  # noqa: PLC0415

    text = read_text(Path("-"), "the bytes") if words == ["-"] else " ".join(words)
    data = posted_bytes(text)
    if not data:
        raise MisuseError(
            f"no bytes{f' of {name}' if name else ''} were given; paste them after its name, or pipe them in"
        )
    dims = Dimensions() if dimensions is None else _dimensions(dimensions)
    number = None if name is None else table_id(name)
    described = TABLES.get(table_name(number)) if number is not None else None
    size = None
    if described is not None:
        with contextlib.suppress(Untold):  # told when its fields are to be shown
            size = described.size(dims, data)
    said = messages(data, size)
    if said:
        return _Found(dims, _carried(said, number), said)
    if number is None:
        raise MisuseError(
            "these bytes are no whole frames of either port, so they do not say which table they are from; write its name "
            "before them, as in: osgp decode BT23 5e b8 ec 03"
        )
    return _Found(dims, [(table_name(number), data, 0)])


def _carried(said: list[Message], number: int | None) -> list[tuple[str, bytes, int]]:
    """Return the pieces of tables that messages carry, as far as they are of the table asked for, if one is."""
    pieces, others = [], set()
    for message in said:
        if message.data is None:
            others |= {message.table} - {None, number}
            continue
        table = number if message.table is None else message.table
        if table is None:
            raise MisuseError(
                "this is a meter's reply, which does not say what it answers; write the name of the table before it, or "
                "paste the request too"
            )
        if number is not None and table != number:
            others.add(table)
            continue
        if message.offset is None:
            note(
                f"The request for these {len(message.data)} bytes is not here; they are taken for the beginning of {table_name(table)}"
            )
        pieces.append((table_name(table), message.data, message.offset or 0))
    if not pieces and number is not None and others:
        about = " and ".join(table_name(other) for other in sorted(filter(None, others)))
        raise MisuseError(f"these frames are about {about}, not about {table_name(number)}")
    return pieces


def _from_dump(path: Path, names: list[str]) -> _Found:
    from osgp.dissector.privacy import unfindable  # noqa: PLC0415

    image = load_dump(path).image
    wanted = [table_id(name) for name in names] or sorted(image.tables)
    for number in wanted:
        if why := unfindable(number, image.tables):
            note(f"{table_name(number)} is not shown: it {why}")
    shown = [number for number in wanted if not unfindable(number, image.tables)]
    return _Found(_dimensions(path), [(table_name(number), image.read(number), 0) for number in shown])


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


def _print(found: _Found, *, as_json: bool) -> None:
    from osgp.cli.text.table_text import table_document, table_lines  # noqa: PLC0415

    documents, lines = [], []
    for name, data, offset in found.pieces:
        try:
            if as_json:
                documents.append(table_document(name, data, found.dims, offset))
            else:
                lines += ["", *table_lines(name, data, found.dims, offset)]
        except TableError as error:
            if len(found.pieces) == 1:
                raise MisuseError(f"{name}: {error}") from error
            note(f"{name}: {error}")
            documents.append({"table": name, "refused": str(error)})
    if as_json:
        said = [{"port": one.port, "sent": one.sent, "meaning": one.meaning} for one in found.messages]
        print_json({"tables": documents} | ({"messages": said} if said else {}))
        return
    heard = [f"{'->' if one.sent else '<-'} {one.port}, {one.meaning}" for one in found.messages]
    if heard or lines:
        print_lines([*heard, *(lines if heard else lines[1:])])
