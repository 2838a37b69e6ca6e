"""The serial ports of this computer by the names people know them by, and what keeps this program from using one.

Linux tells the name of a USB adapter (through serialx, from udev and ``/sys``), who has a device open (``/proc/PID/fd``, of
one's own processes only unless one is root), and on which ports the kernel writes its console (``/proc/consoles``).

This module does not know what is connected to a port.
"""

from __future__ import annotations

import getpass
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nes2mqtt.setup.said import Said
from osgp.ports.transport import group_to_join

__all__ = ["Holder", "SerialPort", "found_ports", "holder_of", "what_hinders"]

_ROOT = Path("/")
_PSEUDO = "/dev/pts/"
_ON_BOARD = re.compile(r"tty(?:AMA|S|serial)\d+")


@dataclass(frozen=True, slots=True)
class Holder:
    """The program that has a port."""

    name: str
    pid: int


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One serial port."""

    path: str
    """By identity (``/dev/serial/by-id/...``) where it has one."""
    title: str
    """What stands on the adapter, as it says itself; empty for a port of the computer's own."""
    said: Said | None = None
    """What keeps us from using it now."""


def _listed() -> list[tuple[str, str]]:
    """Return path and title of each port."""
    import serialx  # noqa: PLC0415 - 30 ms, only where ports are looked for

    ports = []
    for info in serialx.list_serial_ports():
        words = [part for part in (info.manufacturer, info.product) if part]
        if len(words) > 1 and words[1].startswith(words[0]):
            words = words[1:]
        ports.append((str(info.device), " ".join(words)))
    return ports


def found_ports(listed: Callable[[], Sequence[tuple[str, str]]] = _listed, root: Path = _ROOT) -> list[SerialPort]:
    """Return the serial ports, adapters first; a port of the computer's own that has no hardware behind it is left out.

    Args:
        listed: gives path and title of each port.
        root: where ``/proc`` and ``/sys`` are.
    """
    ports = [
        SerialPort(path, title, what_hinders(path, root=root))
        for path, title in listed()
        if title or not _is_empty(Path(path).resolve().name, root)
    ]
    return sorted(ports, key=lambda port: (not port.title, port.path))


def _is_empty(device: str, root: Path) -> bool:
    """Tell whether a port is one of those the kernel makes in advance: type 0 is PORT_UNKNOWN (linux/serial.h)."""
    if not _ON_BOARD.fullmatch(device):
        return False
    try:
        return (root / "sys/class/tty" / device / "type").read_text().strip() == "0"
    except OSError:
        return False


def what_hinders(path: str, *, root: Path = _ROOT, may_open: Callable[[str], bool] | None = None) -> Said | None:
    """Return why a serial port cannot be used now; None when nothing speaks against trying.

    Args:
        path: of the port.
        root: where ``/proc`` is.
        may_open: tells whether this user may read and write a device.
    """
    device = os.path.realpath(path)
    try:
        mode = Path(device).stat().st_mode
    except OSError:
        return Said("port_missing", "port", {"port": path})
    if not stat.S_ISCHR(mode):
        return Said("port_no_port", "port", {"port": path})
    if _is_console(Path(device).name, root):
        return Said("port_console", "port", {"port": path})
    if not (may_open or _may_open)(device):
        group = group_to_join(device)
        code = "port_permission" if group else "port_forbidden"
        return Said(code, "port", {"port": path, "group": group, "user": getpass.getuser()})
    # The program that makes a pseudo-terminal, such as a simulated meter, has both of its ends.
    holder = None if device.startswith(_PSEUDO) else holder_of(device, root)
    if holder is not None:
        code = {"brltty": "port_brltty", "ModemManager": "port_modemmanager"}.get(holder.name, "port_held")
        return Said(code, "port", {"port": path, "program": holder.name, "pid": holder.pid})
    return None


def _may_open(device: str) -> bool:
    return os.access(device, os.R_OK | os.W_OK)


def holder_of(device: str, root: Path = _ROOT) -> Holder | None:
    """Return which other program has a device open; None when nobody has, or when it is not ours to know.

    Args:
        device: its real path, no link.
        root: where ``/proc`` is.
    """
    for process in _processes(root):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(str(each.readlink()) == device for each in (process / "fd").iterdir()):
                return Holder((process / "comm").read_text().strip() or "?", int(process.name))
        except OSError:
            continue  # it has ended meanwhile, or is another user's
    return None


def _processes(root: Path) -> Iterator[Path]:
    try:
        yield from sorted(path for path in (root / "proc").iterdir() if path.name.isdigit())
    except OSError:
        return


def _is_console(name: str, root: Path) -> bool:
    """Tell whether the kernel writes its messages to a port, and a login waits there (proc(5), ``/proc/consoles``)."""
    try:
        lines = (root / "proc/consoles").read_text().splitlines()
    except OSError:
        return False
    return any(line.split()[0] == name for line in lines if line.split())
