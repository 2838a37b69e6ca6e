"""``osgp selfreads``: what the registers showed on the first of each month, at a demand reset, when the season changed.

This module does not know how logs are read or shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osgp.cli.opening import Target, run, step
from osgp.cli.options import (
    AsCsv,
    AsJson,
    Fast,
    KeyFile,
    KeyPadding,
    Last,
    Padding,
    Port,
    Protection,
    SecurityName,
    TokenFile,
)
from osgp.cli.text.terminal import columns, note, print_json, print_lines
from osgp.errors import MeterRefused

if TYPE_CHECKING:
    from osgp.meter import LogRead, Meter
    from osgp.tables.logs.snapshots import Snapshot

__all__ = ["selfreads"]

_COLUMNS = ("table", "kind", "sequence", "local_time", "season", "reason", "bidn")


def selfreads(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    last: Last = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show what the registers were when the meter read itself, mostly on the first of each month; the newest first."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.text.log_text import csv_text, snapshot_document, snapshot_rows  # noqa: PLC0415

        async with target.meter() as meter:
            reads = await _read(meter, last)
        copies = [copy for read in reads for copy in read.entries]
        documents = [snapshot_document(copy) for copy in copies]
        if as_json:
            print_json({"self_reads": documents, "tables": [table for read in reads for table in read.tables]})
        elif as_csv:
            keys = list(dict.fromkeys(key for each in documents for key in each["values"] or ()))
            print_lines([csv_text([each | (each["values"] or {}) for each in documents], [*_COLUMNS, *keys])])
        elif copies:
            print_lines(columns(snapshot_rows(copies), right=(2, 3, 4)))
        else:
            print_lines(["This meter has kept no copy of its registers."])

    run(work, as_json=as_json)


async def _read(meter: Meter, last: int | None) -> list[LogRead[Snapshot]]:
    """Read all tables that hold copies. One that the meter does not give is said, and the rest goes on."""
    from osgp.cli.text.log_text import KINDS_OF_COPIES  # noqa: PLC0415

    reads: list[LogRead[Snapshot]] = []
    refused: MeterRefused | None = None
    for table, kind in KINDS_OF_COPIES.items():
        try:
            with step(f"reading each {kind} ({table})"):
                reads.append(await meter.self_reads(log=table, most=last))
        except MeterRefused as error:
            note(f"absent: {kind} ({table}): {error}")
            refused = error
    if refused is not None and not reads:
        raise refused
    return reads
