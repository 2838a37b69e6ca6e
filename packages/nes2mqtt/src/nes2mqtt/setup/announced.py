"""Asks the home network once who announces a service, and listens for a moment.

One-shot queries of Multicast DNS (RFC 6762, section 5.1), one from each of this computer's networks.

This module does not know what is asked for.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence

from nes2mqtt.setup.addresses import own_addresses
from nes2mqtt.setup.services import Heard, Service, question

__all__ = ["announced"]

_EVERYBODY = ("224.0.0.251", 5353)
"""RFC 6762, section 3."""
_ASKED_AGAIN = 0.5
"""Seconds until the question is asked a second time: nobody says when one was lost."""
_LISTENED = 1.0
"""Seconds after that; who answers waits up to 0.12 s (RFC 6762, section 6)."""


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, _address: object) -> None:
        self._heard.take(data)

    def error_received(self, error: Exception) -> None:
        """Do nothing: a network that is down has no services."""


async def announced(
    kinds: Sequence[str],
    *,
    addresses: Callable[[], Sequence[str]] = own_addresses,
    everybody: tuple[str, int] = _EVERYBODY,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[Service]:
    """Return the services of some kinds that announce themselves; empty where nothing can be asked.

    Args:
        kinds: such as ``_mqtt._tcp``.
        addresses: gives this computer's own.
        everybody: where the question goes.
        pause: lets seconds pass.
    """
    heard = Heard(kinds, secrets.randbelow(0x10000))
    asked = question(kinds, heard.number)
    loop = asyncio.get_running_loop()
    ears: list[asyncio.DatagramTransport] = []
    try:
        for address in addresses():
            asker = _asker(address)
            if asker is not None:
                ear, _ = await loop.create_datagram_endpoint(lambda: _Ear(heard), sock=asker)
                ears.append(ear)
        for seconds in (_ASKED_AGAIN, _LISTENED) if ears else ():
            for ear in ears:
                ear.sendto(asked, everybody)
            await pause(seconds)
    finally:
        for ear in ears:
            ear.close()
    return heard.services()


def _asker(address: str) -> socket.socket | None:
    """Return a socket that asks the network of one address; None where that cannot be."""
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        asker.setblocking(False)
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)  # the broker may be on this computer
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)  # RFC 6762, section 11
        asker.bind((address, 0))
    except OSError:
        asker.close()
        return None
    return asker
