"""``osgp events``: what happened to the meter, as its event logs tell.

This module does not know how logs are read or shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osgp.cli.opening import Target, read_text, run, step
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

__all__ = ["events"]

_COLUMNS = ("sequence", "time", "event", "name", "user", "argument", "logs")


def events(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    last: Last = None,
    names: Annotated[
        Path | None,
        typer.Option(
            envvar="OSGP_EVENT_NAMES",
            help="TOML file with names for the numbers of events, which differ from model to model.",
            show_default=False,
        ),
    ] = None,
    known: Known = "",
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show what happened to the meter: its event logs, the newest first."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.text.log_text import csv_text, event_document, event_rows, log_document, missed_words  # noqa: PLC0415
        from osgp.tables.logs.event_names import parse_names  # noqa: PLC0415

        named = {} if names is None else parse_names(read_text(names, "the event names"), str(names))
        async with target.meter() as meter:
            with step("reading the event logs (BT74, ET79)"):
                read = await meter.events(known, most=last)
        documents = [event_document(event, named) for event in read.entries]
        if as_json:
            print_json(log_document("events", documents, read))
        elif as_csv:
            print_lines([csv_text(documents, _COLUMNS)])
        elif read.entries:
            print_lines(columns(event_rows(read.entries, named), right=(0, 2)))
        else:
            print_lines(
                [
                    "Nothing new."
                    if known
                    else "No event is logged."
                    if read.tables
                    else "This meter keeps no event log."
                ]
            )
        if not as_json and (words := missed_words(read)):
            note(words)

    run(work, as_json=as_json)
