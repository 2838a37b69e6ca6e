"""The ``osgp`` command for people at a terminal. Each subcommand is a module of its own in this package.

A module here turns words into calls of the library and results into lines of text; it holds no knowledge of its own.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from osgp.cli.simulate import simulate
from osgp.errors import OsgpError

__all__ = ["app", "main"]

app = typer.Typer(
    name="osgp",
    help="Talk to an Echelon/NES (OSGP) smart meter, or simulate one.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(simulate)


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
    """Keep typer from taking a single subcommand for the whole program."""


def main() -> None:
    """Run the command line; an error of the library becomes one line and exit code 1."""
    try:
        app()
    except OsgpError as error:
        typer.echo(f"osgp: {error}", err=True)
        sys.exit(1)
