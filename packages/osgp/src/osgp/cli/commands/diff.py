"""``osgp diff``: what differs between two dumps, field by field.

This module does not know what is noise.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from osgp.cli.commands.dump import load_dump
from osgp.cli.exits import ExitCode
from osgp.cli.opening import run
from osgp.cli.options import AsJson
from osgp.cli.text.terminal import columns, note, paint, print_json, print_lines
from osgp.errors import MisuseError, TableError

__all__ = ["diff"]

_LONGEST = 40


def diff(
    before: Annotated[Path, typer.Argument(help="A dump: JSON or CSV.")],
    after: Annotated[Path, typer.Argument(help="Another dump, of the same meter or of another one.")],
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Show what changes by itself too: clocks, registers, counters.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two dumps by field; exit code 5 if they differ."""

    async def work() -> ExitCode:
        from osgp.image.diff import differences  # noqa: PLC0415

        sides = [load_dump(path).image for path in (before, after)]
        try:
            found = list(differences(*sides))
        except TableError as error:
            raise MisuseError(f"a dump contradicts itself: {error}") from error
        shown = [each for each in found if everything or not each.noise]
        masked = len(found) - len(shown)
        if as_json:
            print_json({"differences": [asdict(each) for each in shown], "masked": masked})
        else:
            rows = [
                [paint(each.table, "bold"), each.field or "(table)", _short(each.before), "->", _short(each.after)]
                for each in shown
            ]
            if rows:
                print_lines(columns(rows))
            if masked:
                note(f"{masked} fields that change by themselves are not shown (--all)")
            if not shown:
                note("No difference.")
        return ExitCode.DIFFERENT if shown else ExitCode.OK

    run(work, as_json=as_json)


def _short(text: str | None) -> str:
    if text is None:
        return "absent"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
