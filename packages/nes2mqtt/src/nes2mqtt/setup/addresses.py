"""The addresses at which others in the network reach a page of this computer.

Names first: people can remember them. Old phones and some Windows do not know ``.local`` names, so numbers stand beside them.

This module does not know what is served there.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["others_reach", "own_addresses"]

_NOT_FOR_PEOPLE = re.compile(r"lo|docker\d|br-|veth|virbr|lxc|cni|flannel|tailscale|wg|tun|tap")
"""Interfaces of containers and tunnels."""


def own_addresses() -> list[str]:
    """Return the private IPv4 addresses of this computer's network interfaces (``SIOCGIFADDR``, netdevice(7))."""
    import fcntl  # noqa: PLC0415 - Linux
    import struct  # noqa: PLC0415

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            if _NOT_FOR_PEOPLE.match(name):
                continue
            try:
                answer = fcntl.ioctl(asked.fileno(), 0x8915, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # it has no address, or is down
            found.append(socket.inet_ntoa(answer[20:24]))
    return [address for address in found if ipaddress.ip_address(address).is_private]


def _announces_itself() -> bool:
    """Tell whether Avahi runs, which answers for this computer's ``.local`` name."""
    return Path("/run/avahi-daemon/socket").exists()


def others_reach(
    port: int,
    computer: str,
    *,
    addresses: Callable[[], list[str]] = own_addresses,
    announces: Callable[[], bool] = _announces_itself,
) -> Iterator[str]:
    """Yield where a page of this computer is for others, the best to type first; nothing where there is no network.

    Args:
        port: of the page.
        computer: this computer's name.
        addresses: gives its private addresses.
        announces: tells whether others find it by its ``.local`` name.
    """
    numbers = addresses()
    if numbers and announces():
        yield f"http://{computer.partition('.')[0].lower()}.local:{port}"
    yield from (f"http://{number}:{port}" for number in numbers)
