"""What several commands share: the option that names the configuration, and reading it.

This module does not know any command.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from piprint.config.load import Loaded

__all__ = ["AsJson", "ConfigFile", "loaded"]

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration; else $PIPRINT_CONFIG, ./piprint.toml or /etc/piprint/piprint.toml.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def loaded(config: Path | None) -> Loaded:
    """Find and read the configuration.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    from piprint.config.load import credentials_beside, find, load  # noqa: PLC0415

    file = find(config)
    credentials_beside(file)
    return load(file)
