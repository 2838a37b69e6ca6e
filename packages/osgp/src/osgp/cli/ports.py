"""``osgp ports``: the serial ports of this computer, and whether this user may open them.

This module does not know what is connected to them.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from osgp.cli.options import AsJson
from osgp.cli.terminal import columns, note, paint, print_json, print_lines

__all__ = ["ports"]


@dataclass(frozen=True, slots=True)
class _SerialPort:
    port: str
    device: str
    group: str
    may_open: bool


def ports(*, as_json: AsJson = False) -> None:
    """List the serial ports of this computer by names that last, and who may open them."""
    from osgp.transport import serial_ports  # noqa: PLC0415

    found = [_look_at(path) for path in serial_ports()]
    if as_json:
        print_json({"ports": [asdict(each) for each in found]})
        return
    if not found:
        note("No serial port is there. Plug the adapter in; a network bridge needs none: tcp://HOST:PORT")
        return
    rows = [
        [each.port, each.device, paint("you may open it", "green") if each.may_open else paint("not allowed", "red")]
        for each in found
    ]
    print_lines(columns(rows))
    for group in sorted({each.group for each in found if not each.may_open and each.group}):
        note(f"hint: sudo usermod -aG {group} {getpass.getuser()}   and log in again, to open ports of group {group}")


def _look_at(path: str) -> _SerialPort:
    from osgp.transport import group_to_join  # noqa: PLC0415

    device = Path(path).resolve()
    may_open = os.access(device, os.R_OK | os.W_OK)
    return _SerialPort(f"serial://{path}", str(device), group_to_join(str(device)), may_open)
