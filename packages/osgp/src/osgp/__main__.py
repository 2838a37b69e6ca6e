"""Start the ``osgp`` command, or say what to install first: the library itself needs nothing of what the command needs.

This module does not know the command.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

_USAGE = 2
"""As :class:`osgp.cli.exits.ExitCode` has it, which cannot be asked here: nothing was sent, and something is missing."""


def main() -> None:
    """Run the command line."""
    try:
        from osgp.cli import main as run  # noqa: PLC0415 - it may be missing what it needs
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        sys.stderr.write(
            "osgp: the Python package 'typer' is missing. The library works without it, the osgp command does not. "
            "Install it with: pip install 'osgp[cli]'\n"
        )
        sys.exit(_USAGE)
    run()


if __name__ == "__main__":
    main()
