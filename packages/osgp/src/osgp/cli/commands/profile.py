"""``osgp profile``: what the meter recorded of each quarter hour, or whatever its intervals are.

A whole profile takes minutes. A line that is lost meanwhile is opened again, and what was read is not read twice.

This module does not know how a profile is read or shown.
"""

from __future__ import annotations

import asyncio
import csv
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osgp.cli.opening import Target, error_words, run, step
from osgp.cli.options import AsJson, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import Progress, duration, note, print_json, print_lines, width
from osgp.errors import LinkError, MeterRefused, MisuseError, TransportError

if TYPE_CHECKING:
    from osgp.meter import LoadProfile

__all__ = ["profile"]

_AGO = re.compile(r"(\d{1,5})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_REOPENINGS = 5
"""Times a lost line is opened again, if something came since the last time."""
_PAUSE = 2.0
"""Seconds before that."""
_WORDS = ("_status", "flags")
"""How titles of columns of words end."""


class Shown(StrEnum):
    """What is made of a profile."""

    TABLE = "table"
    PLOT = "plot"
    CSV = "csv"


def profile(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    data_set: Annotated[int, typer.Option(min=1, max=4, help="Which of the meter's load profiles.")] = 1,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Only intervals that ended then or later: 2026-03-01, 2026-03-01T12:00 (this computer's time, unless it ends "
            "in Z or +01:00), or so long ago: 7d, 36h. Without it, all that the meter has.",
            show_default=False,
        ),
    ] = "",
    shown: Annotated[
        Shown, typer.Option("--format", help="A table, a curve for each day, or CSV (UTC, raw units).")
    ] = Shown.TABLE,
    parquet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a Parquet file instead.", show_default=False),
    ] = None,
    burst: Annotated[
        bool,
        typer.Option(
            "--burst",
            help="Ask as fast as the line allows, not once a second on average as the meter's guide recommends.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the load profile: what the registers showed at the end of each interval of the last days or months."""
    target = Target(port, key_file, security, padding=padding, token_file=token_file)

    async def work() -> None:
        begin = _moment(since) if since else None
        found = await _read(target, data_set, begin, burst=burst)
        if as_json:
            from osgp.cli.text.load_profile import profile_document  # noqa: PLC0415

            print_json(profile_document(found))
        elif parquet is not None:
            _write_parquet(found, parquet)
        else:
            _show(found, shown)

    run(work, as_json=as_json)


def _moment(text: str) -> datetime:
    """Return the time that somebody wrote."""
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise MisuseError(
            f"'{text}' is no time; write --since 2026-03-01, 2026-03-01T12:00, 2026-03-01T12:00Z, or 7d for the last week"
        ) from None


async def _read(target: Target, data_set: int, since: datetime | None, *, burst: bool) -> LoadProfile:
    """Read the profile, and open the port again when it is lost."""
    from osgp.meter.known import KnownMeter  # noqa: PLC0415

    known, key, left = KnownMeter(), target.key_or_ask(), _REOPENINGS
    bar = Progress(1)
    began = time.monotonic()

    def progress(done: int, total: int) -> None:
        bar.total = total
        spent = time.monotonic() - began
        bar.show(done, "bytes", spent / done * (total - done) if done else None)

    while True:
        come = len(known.blocks)
        try:
            async with target.meter(key=key, known=known) as meter:
                with step("reading the load profile"):
                    try:
                        return await meter.profile(data_set=data_set, since=since, progress=progress, burst=burst)
                    except MeterRefused as error:
                        error.add_note(
                            "hint: meters can be set up to keep no load profile; `osgp tables` lists what it has"
                        )
                        raise
                    finally:
                        bar.end()
        except (TransportError, LinkError) as error:
            if not left or len(known.blocks) <= come:
                raise
            left -= 1
            note(f"{error_words(error)}. Trying again in {duration(_PAUSE)}; what was read is kept")
        await asyncio.sleep(_PAUSE)


def _show(found: LoadProfile, shown: Shown) -> None:
    from osgp.cli.text.load_profile import gap_count, plot_lines, profile_rows, profile_titles, table_lines  # noqa: PLC0415

    if shown is Shown.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(profile_titles(found))
        for end, *cells in profile_rows(found):
            writer.writerow([end.isoformat().replace("+00:00", "Z"), *("" if cell is None else cell for cell in cells)])
        return
    if not found.minutes:
        note(f"The meter records nothing in load profile {found.data_set}.")
        return
    if not found.intervals:
        note("The meter has no interval that is asked for.")
        return
    lines = plot_lines(found, width()) if shown is Shown.PLOT else table_lines(found)
    print_lines(lines or ["Nothing was counted in this time."])
    missing = gap_count(found)
    gaps = f", {missing} in between were not recorded" if missing else ""
    note(f"{len(found.intervals)} intervals of {_length(found.minutes)}{gaps}. Times are this computer's.")


def _length(minutes: int) -> str:
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


def _plain(cell: Any) -> Any:
    return float(cell) if isinstance(cell, Decimal) else cell


def _write_parquet(found: LoadProfile, path: Path) -> None:
    from osgp.cli.text.load_profile import decimal_titles, profile_rows, profile_titles  # noqa: PLC0415
    from osgp.image.parquet import Column, Holds, parquet  # noqa: PLC0415

    decimals = decimal_titles(found)

    def holds(title: str) -> Holds:
        if title == "end":
            return Holds.TIME
        if title.endswith(_WORDS):
            return Holds.WORDS
        return Holds.NUMBER if title in decimals else Holds.WHOLE

    columns = [Column(title, holds(title)) for title in profile_titles(found)]
    try:
        with path.open("wb") as file:
            file.writelines(parquet(columns, (list(map(_plain, row)) for row in profile_rows(found))))
    except OSError as error:
        raise MisuseError(f"cannot write {path}: {error.strerror or error}") from error
    note(f"{len(found.intervals)} intervals written to {path}.")
