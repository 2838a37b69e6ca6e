"""A module's own credentials, and the label that they stand on: as text, and as SVG to print.

Nothing is shared between modules and nothing is made of the chip's address: who has one module has one module.

This module does not know how they get onto the module.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

__all__ = ["Credentials", "label_svg", "label_text", "new_credentials", "save"]

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that look like others (l, o, 0, 1): 32, so that each is five bits."""
_HEIGHT, _WIDTH = 34, 70
"""Of the label, in millimetres."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one module knows and its label says. Secrets are not in its ``repr``."""

    name: str
    device_key: str = field(repr=False)
    access_point_key: str = field(repr=False)
    tap_token: str = field(repr=False)


def new_credentials() -> Credentials:
    """Return those of a new module: a name, and keys of 80 bits and more."""
    return Credentials(f"nes-{_random(4)}", _groups(4), _groups(4), _groups(5))


def label_text(of: Credentials) -> str:
    """Return the label's lines."""
    return "".join(f"{line}\n" for line in _lines(of))


def label_svg(of: Credentials) -> str:
    """Return the label as a picture of 70 by 34 mm, to print in its size."""
    lines = "".join(
        f'<text x="3" y="{7 + 5 * number}" font-size="{3.6 if number else 4.6}">{escape(line)}</text>\n'
        for number, line in enumerate(_lines(of))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}mm" height="{_HEIGHT}mm" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="DejaVu Sans Mono, Consolas, monospace">\n'
        f'<rect x=".2" y=".2" width="{_WIDTH - 0.4}" height="{_HEIGHT - 0.4}" rx="2" fill="#fff" stroke="#000" stroke-width=".2"/>\n'
        f"{lines}</svg>\n"
    )


def save(folder: Path, of: Credentials) -> list[Path]:
    """Write the label into files that only their owner can read. Return them.

    Raises:
        FileExistsError: there is one of that name.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for suffix, text in ((".txt", label_text(of)), (".svg", label_svg(of))):
        path = folder / f"{of.name}{suffix}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        found.append(path)
    return found


def _lines(of: Credentials) -> tuple[str, ...]:
    return (
        f"Meter module {of.name}",
        f"Page   http://{of.name}.local",
        f"Key    {of.device_key}",
        f"Wi-Fi  {of.access_point_key}",
        f"Tap    {of.tap_token}",
    )


def _random(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def _groups(count: int) -> str:
    return "-".join(_random(4) for _ in range(count))
