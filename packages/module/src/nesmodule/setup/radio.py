"""The chip's radio while no program runs: the access point of the module, and the owner's network if it is known.

The access point has the key of the device's label, WPA2, or it is not opened: never without a key, and with none that others have too.

This module does not know pages.
"""

from __future__ import annotations

import binascii
from contextlib import suppress
from typing import Any

__all__ = ["SHORTEST", "Radio"]

SHORTEST = 10
"""Characters that the key of an access point has at least: WPA2 takes eight, but that can be guessed from what is heard."""
_WPA2 = 3
"""Number of WPA2-PSK (MicroPython, library/network.WLAN, scan)."""
_GUESTS = 2
_MOST = 15
_WATCHDOG = 30_000


class Radio:
    """Access point and station at once. Only on a chip: elsewhere there is no such module, which is an ImportError."""

    def __init__(self) -> None:
        machine: Any = __import__("machine")
        network: Any = __import__("network")
        self._point: Any = network.WLAN(network.AP_IF)
        self._station: Any = network.WLAN(network.STA_IF)
        self._wrong_password: Any = network.STAT_WRONG_PASSWORD
        self._not_found: Any = network.STAT_NO_AP_FOUND
        self.feed: Any = machine.WDT(timeout=_WATCHDOG).feed
        """To be called often: the chip starts again where nobody does for half a minute."""

    def open(self, key: str, name: str) -> str:
        """Open the access point under a name, or one of the chip; return its address, empty if it could not be opened with that key."""
        self._station.active(True)
        if len(key) < SHORTEST:
            return ""
        name = name or "nes-" + binascii.hexlify(self._station.config("mac")).decode()[-4:]
        # Before it is there: nobody may join meanwhile.
        self._point.config(ssid=name, key=key, security=_WPA2, max_clients=_GUESTS)
        self._point.active(True)
        if self._point.config("security") != _WPA2:
            self._point.active(False)
            return ""
        return str(self._point.ifconfig()[0])

    def join(self, name: str, password: str) -> None:
        """Begin to join a network; a radio that fails is one that has not joined."""
        with suppress(OSError):
            self._station.disconnect()
            self._station.connect(name, password)

    def leave(self) -> None:
        """Leave the network, and try no more to join it."""
        with suppress(OSError):
            self._station.disconnect()

    @property
    def joined(self) -> bool:
        """Tell whether a network was joined."""
        return bool(self._station.isconnected())

    def why(self) -> str:
        """Return why it was not joined: ``password``, ``absent`` or ``other``."""
        status = self._station.status()
        return "password" if status == self._wrong_password else "absent" if status == self._not_found else "other"

    @property
    def guests(self) -> bool:
        """Tell whether somebody joined the access point."""
        return bool(self._point.isconnected())

    def networks(self) -> list[str]:
        """Return the names of networks that are heard, the strongest first. It takes some seconds."""
        found: list[str] = []
        try:
            heard = sorted(self._station.scan(), key=lambda one: -one[3])
        except OSError:
            return found
        for one in heard:
            try:
                name = one[0].decode()
            except ValueError:
                continue
            if name and name not in found:
                found.append(name)
        return found[:_MOST]
