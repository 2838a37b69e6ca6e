"""Before anything is written to a meter: exact bytes, a warning, and a word that has to be typed.

This module does not know what is written.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from osgp.cli.text.terminal import is_terminal, note
from osgp.errors import MisuseError

__all__ = ["AllowWritesOption", "ConfirmOption", "confirmed"]

AllowWritesOption = Annotated[
    bool, typer.Option("--allow-writes", help="Really send it. Without this, only what would be sent is shown.")
]
ConfirmOption = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="For scripts: the name that has to be typed.", show_default=False),
]

_WARNING = (
    "A meter is the grid company's. A write can stop it from being read, raise an alarm or wear its memory "
    "(meters before firmware 3.40 bear four writes an hour)."
)


def confirmed(name: str, given: str | None) -> None:
    """Return if the name was typed.

    Raises:
        MisuseError: it was not; nothing was sent.
    """
    note(_WARNING)
    if given is None and sys.stdin.isatty() and is_terminal(sys.stderr):
        sys.stderr.write(f"Type {name} to send this to the meter: ")
        sys.stderr.flush()
        given = sys.stdin.readline().strip()
    if given != name:
        raise MisuseError(f"not confirmed, nothing was sent. Type {name}, or give --confirm {name}")
