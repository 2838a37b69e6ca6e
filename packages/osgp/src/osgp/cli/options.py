"""The options that commands share, each described once.

This module does not know what commands do with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AsCsv",
    "AsJson",
    "Fast",
    "KeyFile",
    "KeyPadding",
    "Known",
    "Last",
    "Padding",
    "Port",
    "Protection",
    "SecurityName",
    "TokenFile",
]


class KeyPadding(StrEnum):
    """The names of :class:`osgp.optical.key.Padding`, which the configuration of the gateway uses too."""

    ZEROS = "zeros"
    BLANKS = "blanks"


class SecurityName(StrEnum):
    """The values of :class:`osgp.mep.security.Security`, which is not loaded before it is needed."""

    AUTO = "auto"
    TLS = "tls"
    RC4 = "rc4"
    RC4_PLAIN = "rc4-plain"


def _ports(incomplete: str) -> Iterable[str]:
    """Complete serial ports."""
    from osgp.ports.transport import serial_ports  # noqa: PLC0415 - only when the shell asks

    return [f"serial://{port}" for port in serial_ports() if f"serial://{port}".startswith(incomplete)]


Port = Annotated[
    str | None,
    typer.Option(
        "--port",
        "-p",
        envvar="OSGP_PORT",
        metavar="PORT",
        autocompletion=_ports,
        help="Where the meter is: serial:///dev/serial/by-id/..., tcp://HOST:PORT, module://HOST, "
        "optical:///dev/..., "
        "optical+tcp://HOST:PORT. `osgp ports` lists serial ports.",
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        envvar="OSGP_KEY_FILE",
        help="File that holds the meter's key. Else the environment variable OSGP_KEY, else you are asked.",
        show_default=False,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        envvar="OSGP_TOKEN_FILE",
        help="File that holds the token of the module in the meter (module://HOST).",
        show_default=False,
    ),
]
Protection = Annotated[
    SecurityName,
    typer.Option(
        "--security",
        help="How to protect what goes over the wire (MEP port): tls; rc4, encrypted but weak; rc4-plain, not encrypted; "
        "auto: tls if the meter speaks it, else rc4-plain.",
    ),
]
Padding = Annotated[
    KeyPadding,
    typer.Option("--padding", help="What fills up a key of less than 20 bytes (optical port): meters differ."),
]
Fast = Annotated[
    bool,
    typer.Option("--fast", help="Do not keep to one table a second on average, which the meter's guide recommends."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with keys that never change.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print lines for spreadsheets, with columns that never change.")]
Last = Annotated[
    int | None, typer.Option("--last", min=1, metavar="N", help="Show the newest N only.", show_default=False)
]
Known = Annotated[
    str,
    typer.Option(
        "--known",
        metavar="TEXT",
        help="Show only what is new since a run with --json that printed this as known.",
        show_default=False,
    ),
]
