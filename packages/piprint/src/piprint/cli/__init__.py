"""The ``piprint`` command. Each command imports what it needs, so that none waits for the others.

Exit codes: 0 all is well, 1 it failed (or ``doctor`` found a problem), 2 the configuration or the command line is wrong,
3 another processor runs with this data folder.

This room asks the others, shows what they answer, and returns an exit code; of printing it knows nothing.
"""

from __future__ import annotations

import os
import sys
import traceback

import typer

from piprint.cli.operating import printing
from piprint.cli.setting_up import setting_up
from piprint.cli.trying import trying
from piprint.errors import ConfigError, JournalError, PiprintError

__all__ = ["app", "main"]

app = typer.Typer(
    name="piprint",
    help="Print from Microsoft Dynamics 365 Business Central on local printers, with outgoing calls only.",
    epilog="First time? piprint demo shows it all without Business Central; piprint init begins with yours.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for group in (setting_up, printing, trying):
    app.registered_commands += group.registered_commands


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def _common(
    *,
    _version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Give every command the option --version."""


@app.command()
def version() -> None:
    """Show the version."""
    from piprint import __version__  # noqa: PLC0415

    typer.echo(f"piprint {__version__}")


def main() -> None:
    """Run the command line; what goes wrong is a line for people, never a traceback."""
    try:
        app()
    except ConfigError as error:
        _end(str(error), 2)
    except JournalError as error:
        _end(str(error), 3)
    except PiprintError as error:
        _end(str(error), 1)
    except KeyboardInterrupt:
        _end("stopped", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on (head, less): all is well
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if os.environ.get("PIPRINT_TRACEBACK"):
            traceback.print_exc()
        kind = type(error).__name__
        _end(f"a mistake in piprint ({kind}). Please report it; PIPRINT_TRACEBACK=1 before the command shows where.", 1)


def _end(words: str, code: int) -> None:
    print(f"piprint: {words}" if code != 2 else words, file=sys.stderr)  # noqa: T201, PLR2004 - 2: has file and line
    sys.exit(code)
