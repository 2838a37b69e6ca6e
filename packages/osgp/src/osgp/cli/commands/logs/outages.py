"""``osgp outages``: when the power was out, as the meter remembers it.

This module does not know how logs are read or shown.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from osgp.cli.opening import Target, run, step
from osgp.cli.options import (
    AsCsv,
    AsJson,
    Fast,
    KeyFile,
    KeyPadding,
    Known,
    Last,
    Padding,
    Port,
    Protection,
    SecurityName,
    TokenFile,
)
from osgp.cli.text.terminal import columns, note, print_json, print_lines
from osgp.errors import MisuseError

__all__ = ["outages"]

_COLUMNS = ("begin", "end", "seconds", "cause", "local_begin", "local_end", "sequence")


def outages(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    last: Last = None,
    zone: Annotated[
        str,
        typer.Option(
            metavar="ZONE",
            help="Where the meter is, such as Europe/Copenhagen: older outages stand in its log in local time only.",
            show_default=False,
        ),
    ] = "",
    known: Known = "",
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show when the power was out, the newest first."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.text.log_text import csv_text, log_document, missed_words, outage_document, outage_rows  # noqa: PLC0415

        place = _zone(zone)
        async with target.meter() as meter:
            with step("reading the outages (ET81, ET09)"):
                read = await meter.outages(known, zone=place, most=last)
        documents = [outage_document(outage) for outage in read.entries]
        if as_json:
            print_json(log_document("outages", documents, read))
        elif as_csv:
            print_lines([csv_text(documents, _COLUMNS)])
        elif read.entries:
            print_lines(columns(outage_rows(read.entries)))
        else:
            print_lines(
                [
                    "Nothing new."
                    if known
                    else "No outage is recorded."
                    if read.tables
                    else "This meter keeps no list of outages."
                ]
            )
        if not as_json and (words := missed_words(read)):
            note(words)
        if not (as_json or as_csv or zone) and any(
            outage.begin is None and outage.local_begin for outage in read.entries
        ):
            note("local times say how long an outage lasted if you add where the meter is: --zone Europe/Copenhagen")

    run(work, as_json=as_json)


def _zone(name: str) -> tzinfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise MisuseError(f"'{name}' is no time zone of this computer; write one such as Europe/Copenhagen") from error
