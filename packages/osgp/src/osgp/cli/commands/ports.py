"""``osgp ports``: the serial ports of this computer, and whether this user may open them.

This module does not know what is connected to them.
"""

from __future__ import annotations

import getpass
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from osgp.cli.options import AsJson
from osgp.cli.text.terminal import columns, note, paint, print_json, print_lines

__all__ = ["brltty_hint", "ports"]

_BRLTTY_RULES = ("/usr/lib/udev/rules.d", "/lib/udev/rules.d", "/etc/udev/rules.d")


@dataclass(frozen=True, slots=True)
class _SerialPort:
    port: str
    device: str
    group: str
    may_open: bool


def ports(*, as_json: AsJson = False) -> None:
    """List the serial ports of this computer by names that last, and who may open them."""
    from osgp.ports.transport import serial_ports  # noqa: PLC0415

    found = [_look_at(path) for path in serial_ports()]
    if as_json:
        print_json({"ports": [asdict(each) for each in found]})
        return
    if not found:
        note("No serial port is there. Plug the adapter in; a network bridge needs none: tcp://HOST:PORT")
        if hint := brltty_hint():
            note(f"hint: {hint}")
        return
    rows = [
        [each.port, each.device, paint("you may open it", "green") if each.may_open else paint("not allowed", "red")]
        for each in found
    ]
    print_lines(columns(rows))
    for group in sorted({each.group for each in found if not each.may_open and each.group}):
        note(f"hint: sudo usermod -aG {group} {getpass.getuser()}   and log in again, to open ports of group {group}")


def brltty_hint() -> str:
    """Return what to do where brltty, for braille displays, takes serial adapters for itself; "" where it is not installed.

    Its udev rules name the chips of CH340, FTDI and CP210x adapters, which braille displays have too.
    """
    installed = shutil.which("brltty") or any(
        rule for folder in _BRLTTY_RULES for rule in Path(folder).glob("*brltty*.rules")
    )
    if not installed:
        return ""
    return (
        "this computer has brltty, a program for braille displays, which takes adapters with CH340, FTDI and CP210x chips for "
        "itself. Unless you need it: sudo apt remove brltty   and plug the adapter in again"
    )


def _look_at(path: str) -> _SerialPort:
    from osgp.ports.transport import group_to_join  # noqa: PLC0415

    device = Path(path).resolve()
    may_open = os.access(device, os.R_OK | os.W_OK)
    return _SerialPort(f"serial://{path}", str(device), group_to_join(str(device)), may_open)
