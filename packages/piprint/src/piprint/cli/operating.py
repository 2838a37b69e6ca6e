"""Commands about printers and jobs: printers, jobs, test-page, reprint.

While a processor runs on this host it is asked; else what can be done without it is done directly.
This module does not know how any of it is done.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any

import typer

from piprint.cli.options import AsJson, ConfigFile, loaded
from piprint.cli.tables import printable, table

__all__ = ["printing"]

printing = typer.Typer()

_YES_NO = {True: "yes", False: "no", None: ""}


@printing.command()
def printers(*, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show the printers of this host, what they can do, and whether Business Central offers them."""
    from piprint.cli.offline import printers_found  # noqa: PLC0415
    from piprint.web.client import NotRunning, ask  # noqa: PLC0415

    settings = loaded(config).config

    async def look() -> tuple[list[dict[str, Any]], list[str]]:
        try:
            return (await ask(settings, "api/v1/status"))["printers"], []
        except NotRunning as error:
            found, problems = await printers_found(settings)
            return found, [*problems, f"Not asked whether Business Central offers them: {error}."]

    found, notes = asyncio.run(look())
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    titles = ("PRINTER", "STATE", "OFFERED", "PAPER", "TRAYS", "DUPLEX", "COLOUR", "ADDRESS")
    for line in table(titles, [_printer_row(each) for each in found]):
        typer.echo(line)
    for each in found:
        if each["problem"]:
            notes.append(f"{each['id']} is not registered: {each['problem']}")
    if not found:
        notes.append("No printer was found; piprint doctor says why.")
    for note in notes:
        typer.echo(printable(note), err=True)


def _printer_row(printer: dict[str, Any]) -> tuple[object, ...]:
    state = printer["state"] if printer["accepting"] else "takes no jobs"
    words = ", ".join(printer["words"])
    return (
        printer["id"],
        f"{state} ({words})" if words else state,
        "no" if printer["problem"] else _YES_NO[printer["offered"]],
        ", ".join(printer["papers"][:3]) + (" ..." if len(printer["papers"]) > 3 else ""),  # noqa: PLR2004 - room
        ", ".join(printer["trays"]),
        _YES_NO[printer["duplex"]],
        _YES_NO[printer["color"]],
        printer["uri"],
    )


@printing.command()
def jobs(*, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show the jobs in work, and those that are done."""
    from piprint.cli.offline import jobs_of_journal  # noqa: PLC0415
    from piprint.web.client import NotRunning, ask  # noqa: PLC0415

    settings = loaded(config).config

    async def look() -> dict[str, Any]:
        try:
            status = await ask(settings, "api/v1/status")
        except NotRunning:
            return await jobs_of_journal(settings)
        return {"running": True, "jobs": status["jobs"], "history": status["history"]}

    told = asyncio.run(look())
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if not told["running"]:
        typer.echo(f"The processor does not run; this is its journal in {told['folder']}.\n", err=True)
    rows = [
        *(_job_row(job, job["step"], job["since"]) for job in told["jobs"]),
        *(_job_row(job, job["outcome"], job["ended"]) for job in told["history"]),
    ]
    if not rows:
        typer.echo("No jobs yet.")
        return
    for line in table(("JOB", "PRINTER", "STATE", "WHEN", "REPORT", "MESSAGE"), rows):
        typer.echo(line)


def _job_row(job: dict[str, Any], state: str, moment: str | None) -> tuple[object, ...]:
    again = f" (try {job['attempt']})" if job["attempt"] > 1 else ""
    return f"{job['row_no']}{again}", job["printer"], state, _clock(moment), job["title"], job["message"]


def _clock(moment: str | None) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}" if moment else ""


@printing.command("test-page")
def print_test_page(
    printer: Annotated[str, typer.Argument(metavar="PRINTER", help="The printer, as piprint printers calls it.")],
    *,
    config: ConfigFile = None,
) -> None:
    """Print a test page."""
    from piprint.cli.offline import send_test_page  # noqa: PLC0415
    from piprint.web.client import NotRunning, ask  # noqa: PLC0415

    settings = loaded(config).config

    async def do() -> str:
        try:
            return str((await ask(settings, "api/v1/test-page", {"printer": printer}))["message"])
        except NotRunning:
            return await send_test_page(settings, printer)

    typer.echo(printable(asyncio.run(do())))


@printing.command()
def reprint(
    row: Annotated[int, typer.Argument(metavar="ROW", help="The job's number, as piprint jobs shows it.")],
    *,
    any_host: Annotated[
        bool, typer.Option("--any-host", help="Also a job for another host's printers; it is printed there.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Queue a job of this host again in Business Central; it is printed once more."""
    from piprint.cli.offline import restart  # noqa: PLC0415
    from piprint.web.client import NotRunning, ask  # noqa: PLC0415

    settings = loaded(config).config

    async def do() -> str:
        try:
            return str((await ask(settings, "api/v1/restart", {"row_no": row, "any_host": any_host}))["message"])
        except NotRunning:
            return await restart(settings, row, any_host=any_host)

    typer.echo(printable(asyncio.run(do())))
