"""The ``osgp`` command for people at a terminal. Each subcommand is a module in :mod:`osgp.cli.commands`.

Modules here turn words into calls of the library and results into lines of text (:mod:`osgp.cli.text`). This package does not know
the protocol. What takes long to import is imported by the command that needs it, so that none waits for the others.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from osgp.cli.commands.decode import decode
from osgp.cli.commands.devices.client import client
from osgp.cli.commands.devices.mbus import mbus
from osgp.cli.commands.diff import diff
from osgp.cli.commands.dump import dump
from osgp.cli.commands.logs.events import events
from osgp.cli.commands.logs.outages import outages
from osgp.cli.commands.logs.selfreads import selfreads
from osgp.cli.commands.ports import ports
from osgp.cli.commands.probe import probe
from osgp.cli.commands.profile import profile
from osgp.cli.commands.quality import quality
from osgp.cli.commands.read import read
from osgp.cli.commands.simulate import simulate
from osgp.cli.commands.tables import tables
from osgp.cli.commands.tariffs import tariffs
from osgp.cli.commands.trace import trace
from osgp.cli.commands.try_key import login_test
from osgp.cli.commands.watch import watch
from osgp.cli.commands.writing.call import call
from osgp.cli.commands.writing.write import write
from osgp.cli.exits import ExitCode, exit_code
from osgp.errors import OsgpError

__all__ = ["app", "main"]

app = typer.Typer(
    name="osgp",
    help="Talk to an Echelon/NES (OSGP) smart meter, or simulate one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_COMMANDS = (
    ports,
    probe,
    login_test,
    read,
    watch,
    profile,
    events,
    outages,
    selfreads,
    mbus,
    quality,
    tariffs,
    client,
    tables,
    dump,
    diff,
    decode,
    trace,
    simulate,
    write,
    call,
)
"""In the order in which they are listed."""
for command in _COMMANDS:
    app.command()(command)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"osgp {version('osgp')}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Give the program the option --version."""


def main() -> None:
    """Run the command line; an error of the library becomes one line and an exit code."""
    try:
        app()
    except OsgpError as error:
        typer.echo(f"osgp: {error}", err=True)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # Whoever read our output has seen enough: `osgp tables | head`.
        sys.stderr.close()
        sys.exit(ExitCode.OK)
