"""Commands to try everything without Business Central: demo, simulate.

This module does not know how the stand-in works.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from piprint.errors import PiprintError

if TYPE_CHECKING:
    from piprint.simulate.server import StandIn

__all__ = ["trying"]

trying = typer.Typer()


@trying.command()
def demo() -> None:
    """Show it all: a stand-in for Business Central, the processor, and a PDF printer of a real CUPS."""
    from piprint.demo.run import main  # noqa: PLC0415

    raise typer.Exit(main())


@trying.command()
def simulate(
    *,
    listen: Annotated[str, typer.Option(metavar="ADDRESS:PORT", help="Where to listen.")] = "127.0.0.1:7048",
    tls: Annotated[bool, typer.Option("--tls", help="Serve https, with a certificate of its own.")] = False,
    extension: Annotated[Literal["1.0", "2.0"], typer.Option(help="Which extension is installed in it.")] = "2.0",
    language: Annotated[
        Literal["en", "da", "de"], typer.Option(help="Of states, also where English is asked for.")
    ] = "en",
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A fault script: a JSON list of rules.", dir_okay=False)
    ] = None,
) -> None:
    """Be Business Central: web services to print from, and a page to drop a PDF and press Print."""
    from piprint.config.load import listen as split  # noqa: PLC0415
    from piprint.simulate.faults import FaultError, FaultRule  # noqa: PLC0415
    from piprint.simulate.server import Settings, serve  # noqa: PLC0415

    try:
        host, port = split(listen)
        script = json.loads(faults.read_text(encoding="utf-8")) if faults else []
        rules = [FaultRule.read(rule) for rule in script]
    except (ValueError, TypeError, AttributeError, OSError, FaultError) as error:
        raise typer.BadParameter(f"{faults}: {error}" if faults else str(error)) from None

    def prepare(stand_in: StandIn) -> None:
        stand_in.habits.language = language
        stand_in.habits.obey_language = language == "en"  # else nobody would see it: clients ask for English
        stand_in.faults.rules += rules
        _tell(stand_in)

    try:
        asyncio.run(serve(Settings(host, port, tls=tls, extension=extension), started=prepare))
    except KeyboardInterrupt:
        typer.echo("stopped")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error.strerror  # asyncio adds words for programmers
        raise PiprintError(f"cannot listen on {listen}: {reason}; give another --listen") from None


def _tell(stand_in: StandIn) -> None:
    """Show the page's address, and a configuration that prints from here."""
    accounts = stand_in.login.accounts
    lines = [
        f"Business Central's stand-in is at {stand_in.origin}/ (drop a PDF there and press Print).",
        "A configuration for it:",
        "",
        "  [business_central]",
        f'  url = "{stand_in.url}"',
        *([f'  ca_file = "{stand_in.ca_file}"'] if stand_in.ca_file else []),
        "",
        "  [business_central.login]",
        '  kind = "secret"',
        f'  tenant = "{accounts.tenant}"',
        f'  client_id = "{accounts.client_id}"',
        f'  secret = "{accounts.secret}"',
        f'  token_url = "{stand_in.token_url}"',
        "",
        "Ctrl-C ends it; nothing is kept.",
    ]
    typer.echo("\n".join(lines))
