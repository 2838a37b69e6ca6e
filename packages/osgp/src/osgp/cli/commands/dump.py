"""``osgp dump``: all tables of a meter into a file, which ``osgp simulate`` serves.

It can be stopped at any time: the file is complete after each table, and the same command goes on where it stopped.

This module does not know how the file looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osgp.cli.opening import Target, read_text, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import Progress, note, print_json, print_lines
from osgp.errors import MeterRefused, MisuseError, TableError
from osgp.psem import table_id

if TYPE_CHECKING:
    from osgp.image.dump import Dump
    from osgp.meter import Meter

__all__ = ["dump", "load_dump"]


class Format(StrEnum):
    """How the file is written."""

    JSON = "json"
    CSV = "csv"


def dump(
    file: Annotated[Path, typer.Argument(help="File to write. An unfinished dump in it is continued.")],
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="DUMP", help="Convert this dump (JSON or CSV); no meter is asked.", show_default=False
        ),
    ] = None,
    file_format: Annotated[Format, typer.Option("--format", help="JSON, or the CSV of Termineter.")] = Format.JSON,
    anonymise: Annotated[
        bool, typer.Option("--anonymise", help="Leave out serial numbers and all that is not understood.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read all tables of the meter into a file that `osgp simulate`, `diff` and `decode` take."""
    target = Target(port, key_file, security, fast, padding, token_file)
    # What is written differs from what has to be kept for going on later.
    working = file if file_format is Format.JSON and not anonymise else file.with_name(file.name + ".partial")

    async def work() -> None:
        if source is None:
            taken = await _take(target, working)
        else:
            taken = load_dump(source)
        final = taken.anonymous() if anonymise else taken
        _write(file, final.to_csv() if file_format is Format.CSV else final.to_json())
        if working != file:
            working.unlink(missing_ok=True)
        _tell(final, file, file_format, as_json=as_json)

    run(work, as_json=as_json)


def load_dump(path: Path) -> Dump:
    """Return the dump in a file: JSON, whole or cut off, or CSV.

    Raises:
        MisuseError: there is no such file, or it is no dump; says where and what to mend.
    """
    from osgp.image.dump import Dump  # noqa: PLC0415

    try:
        return Dump.parse(read_text(path, "the dump"), str(path))
    except TableError as error:
        raise MisuseError(str(error)) from error


async def _take(target: Target, working: Path) -> Dump:
    """Read what the file lacks, and write it after each table."""
    from osgp.cli.whole import WHOLE_TABLES  # noqa: PLC0415
    from osgp.image.dump import CHANGED, UNCONFIRMED, Dump  # noqa: PLC0415

    taken = load_dump(working) if _begun(working) else Dump()
    if taken.complete:
        raise MisuseError(f"{working} is a complete dump already; choose another file, or delete this one")
    if taken.image.tables:
        note(f"Going on with {working}: {len(taken.image.tables)} tables are there")
    if taken.layout.startswith(CHANGED):
        raise MisuseError(f"{working} cannot be continued. {_RECONFIGURED} Delete the file and take the dump again")
    # An earlier version, which said nothing of this, did not read ET04 first.
    late = taken.layout in {"", f"{UNCONFIRMED}{_LATE}"} or not _first_was_et04(taken)
    taken.layout = f"{UNCONFIRMED}{_LATE if late and taken.image.tables else _NOT_FINISHED}"
    async with target.meter(offer=WHOLE_TABLES) as meter:
        await _begin(meter, taken, working)
        await _fill(meter, taken, lambda: _write(working, taken.to_json()))
        taken.layout = await _layout(meter, taken)
    taken.complete = not (taken.missing() or taken.layout.startswith(CHANGED))
    return taken


def _first_was_et04(taken: Dump) -> bool:
    return "ET04" in taken.image or set(taken.image.tables) <= {table_id("BT00")}


def _begun(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


async def _begin(meter: Meter, taken: Dump, working: Path) -> None:
    """Find out which tables there are, and that it is the meter of the file."""
    from osgp.cli.whole import configuration  # noqa: PLC0415
    from osgp.ports.transport import Address  # noqa: PLC0415
    from osgp.tables import TABLES  # noqa: PLC0415
    from osgp.tables.identity import tables_used  # noqa: PLC0415
    from osgp.tables.survey import TELLING  # noqa: PLC0415

    with step("asking who the meter is (BT01, ET03)"):
        who = await meter.identity()
    if "ET03" in taken.image:
        held = TABLES["ET03"].decode(taken.image.read("ET03"), taken.dimensions())["utility_serial_number"]
        if held != who.serial:
            raise MisuseError(f"{working} is a dump of another meter (serial number {held}); choose another file")
    with step("reading the list of tables (BT00)"):
        used = tables_used(await configuration(meter))
    # First what tells whether all the others are of one configuration; what tells the sizes of others comes before them.
    first = [name for name in dict.fromkeys(("BT00", "ET04", *TELLING)) if name in used]
    taken.listed = first + [name for name in sorted(used, key=table_id) if name not in first]
    image = taken.image
    image.meter = f"{who.manufacturer} {who.model}, firmware {who.firmware}".strip(" ,")
    image.port = "optical" if Address.parse(meter.url).optical else "MEP"
    image.provenance = image.provenance or f"read by osgp {version('osgp')} on {datetime.now(UTC):%Y-%m-%d}"


async def _fill(meter: Meter, taken: Dump, save: Callable[[], None]) -> None:
    from osgp.cli.whole import NothingIn, read_whole  # noqa: PLC0415
    from osgp.dissector.privacy import SECRET_TABLES, blanked, unfindable  # noqa: PLC0415
    from osgp.dissector.titles import title  # noqa: PLC0415
    from osgp.image.dump import EMPTY, NOT_READ  # noqa: PLC0415

    missing = taken.missing()
    bar, done, started = Progress(len(taken.listed)), len(taken.listed) - len(missing), time.monotonic()

    def show(count: int, name: str, part: str = "") -> None:
        pace = (time.monotonic() - started) / count if count else 1.0
        left = max(pace, 0.05) * (len(missing) - count)
        bar.show(done + count, f"{name} {title(name)}{part}".rstrip(), left)

    try:
        for count, name in enumerate(missing):
            show(count, name)
            number = table_id(name)

            def arrived(here: int, size: int, count: int = count, name: str = name) -> None:
                show(count, name, f", {here} of {size} bytes" if here else "")

            try:
                secret = SECRET_TABLES.get(number) or unfindable(number, taken.image.tables)
                if secret:
                    taken.refused[name] = f"{NOT_READ}it {secret}"
                else:
                    dims = taken.dimensions()
                    data = await read_whole(meter, name, dims, arrived)
                    # Keys inside tables never reach the file.
                    taken.image.tables[number] = bytearray(blanked(number, data, dims))
                    taken.refused.pop(name, None)
            except NothingIn as empty:
                taken.refused[name] = f"{EMPTY}{empty}"
            except (MeterRefused, TableError) as error:
                taken.refused[name] = str(error)
            save()
    finally:
        bar.end()


async def _layout(meter: Meter, taken: Dump) -> str:
    """Return whether the meter is still configured as when the first table was read (:mod:`osgp.meter.layout`), for the file."""
    from osgp.image.dump import CHANGED, CONFIRMED, UNCONFIRMED  # noqa: PLC0415
    from osgp.tables import TABLES  # noqa: PLC0415

    if "ET04" not in taken.image:
        return f"{UNCONFIRMED}the meter does not give ET04, whose version says whether it was reconfigured meanwhile"
    entries = TABLES["ET04"].layout(taken.dimensions()).entries
    looked = False
    with step("looking whether the meter was reconfigured meanwhile (ET04)"):
        for field in (entries["program_id"], entries["idt_version"]):
            before = taken.image.read("ET04", field.offset, field.size)
            if len(before) < field.size:
                continue  # an older meter, whose ET04 ends before
            try:
                now = await meter.read("ET04", field.offset, field.size)
            except MeterRefused as error:
                return f"{UNCONFIRMED}the meter did not give ET04, whose version says whether it was reconfigured, again: {error}"
            if now != before:
                return f"{CHANGED}{_RECONFIGURED}"
            looked = True
    if taken.layout == f"{UNCONFIRMED}{_LATE}":
        return taken.layout
    return (
        CONFIRMED if looked else f"{UNCONFIRMED}this meter's ET04 has no version that says whether it was reconfigured"
    )


_NOT_FINISHED = "the dump is not finished"
_LATE = (
    "ET04, whose version says whether the meter was reconfigured, was read when other tables were there already. Whoever needs to know takes "
    "the dump again, into another file"
)
_RECONFIGURED = (
    "The meter was reconfigured while this dump was taken, so its tables may not fit each other: what one says of another "
    "may be wrong."
)


def _write(path: Path, content: str) -> None:
    """Write a file so that it is whole at any moment."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(content, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise MisuseError(f"cannot write {path}: {error.strerror or error}") from error


def _tell(taken: Dump, file: Path, file_format: Format, *, as_json: bool) -> None:
    from osgp.image.dump import CHANGED, UNCONFIRMED  # noqa: PLC0415

    tables = taken.image.tables
    if as_json:
        print_json(
            {
                "file": str(file),
                "tables": len(tables),
                "bytes": sum(map(len, tables.values())),
                "refused": taken.refused,
                "complete": taken.complete,
                "missing": taken.missing(),
                "layout": taken.layout,
            }
        )
        return
    for name, reason in taken.refused.items():
        note(f"{name}: {reason}")
    if missing := taken.missing():
        note(f"Not complete: {', '.join(missing)} could not be read; why stands above. The same command tries again")
    if taken.layout.startswith(CHANGED):
        note(f"Not complete. {_RECONFIGURED} Delete {file} and take the dump again")
    elif taken.layout.startswith(UNCONFIRMED):
        note(f"Whether all tables are of one configuration is {taken.layout}")
    size = sum(map(len, tables.values()))
    hint = f" Try it: osgp simulate {file}" if file_format is Format.JSON else ""
    print_lines([f"{file}: {len(tables)} tables, {size} bytes.{hint}"])
