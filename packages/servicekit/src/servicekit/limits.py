"""How fast somebody may guess, and how much of what is limited one address may hold.

This module does not know HTTP; moments of the monotonic clock are passed in.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from servicekit.caller import address_of, network_of

__all__ = ["GuessLimit", "Places", "Refused", "Shares", "is_loopback", "subscriber"]

MOST_ADDRESSES = 1024
"""Addresses remembered by the limit; who pushes others out has long met the limit for everybody."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A guess that does not open anything."""

    seconds: float
    """To wait before the next one; 0 for one that was looked at, and is wrong."""
    first: bool
    """It is the first one refused since a guess was looked at: worth a line in the log."""


class GuessLimit:
    """Allows a few guesses at once, then one each few seconds: per address, and for all strangers together.

    An address that has once known the answer is no stranger: it has its own limit, but does not wait because others
    guess. Neither does this machine itself, nor a device that shows the mark of an earlier login: whatever address it has now, the device has a limit
    of its own. So guesses from a few addresses do not lock the owner out, nor any at all where the owner was logged in before.
    Guesses from many (about a dozen, each as fast as it may) use up what strangers have: then a new device has to wait.
    """

    ADDRESS = (5.0, 30.0)
    """Guesses at once, and seconds for each further one, from one address."""
    EVERYBODY = (20.0, 3.0)

    def __init__(self) -> None:
        self._everybody = (self.EVERYBODY[0], 0.0)
        self._addresses: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._refused: set[str] = set()
        self._known: OrderedDict[str, None] = OrderedDict()

    def refuse(self, address: str, now: float, device: str = "") -> Refused | None:
        """Count a guess and return None, or tell that it is not looked at.

        Args:
            address: where it comes from.
            now: the moment.
            device: the name of the device that shows a mark of ours; empty for none.
        """
        key = _guesser(address, device)
        own = _refilled(self._addresses.get(key, (self.ADDRESS[0], now)), self.ADDRESS, now)
        everybody = _refilled(self._everybody, self.EVERYBODY, now)
        stranger = self._is_stranger(address, device)
        wait = max(
            0.0,
            (1.0 - own[0]) * self.ADDRESS[1],
            (1.0 - everybody[0]) * self.EVERYBODY[1] if stranger else 0.0,
        )
        spent = 0.0 if wait else 1.0
        self._addresses[key] = (own[0] - spent, now)
        self._addresses.move_to_end(key)
        if stranger:
            self._everybody = (everybody[0] - spent, now)
        while len(self._addresses) > MOST_ADDRESSES:
            forgotten, _ = self._addresses.popitem(last=False)
            self._refused.discard(forgotten)
        if not wait:
            self._refused.discard(key)
            return None
        first = key not in self._refused
        self._refused.add(key)
        return Refused(wait, first)

    def look(
        self, address: str, now: float, is_right: Callable[[], bool], device: str = "", *, spare_known: bool = False
    ) -> Refused | None:
        """Look at a guess, and count it unless it is right; return None when it is.

        Who has to wait is not told whether a guess is right.

        Args:
            address: where it comes from.
            now: the moment.
            is_right: tells whether it is the answer; not asked of who has to wait.
            device: the name of the device that shows a mark of ours; empty for none.
            spare_known: an address that has known the answer before does not wait for its neighbours behind the same router. Only for
                answers that are far too long to be guessed.
        """
        waits = self.is_waiting(address, now, device) and not (spare_known and self.is_known(address))
        if not waits and is_right():
            self.right(address, device)
            return None
        return self.refuse(address, now, device) or Refused(0.0, first=True)

    def right(self, address: str, device: str = "") -> None:
        """Note that an address knew the answer: it has its guesses back, and so has the device."""
        key = subscriber(address)
        for guesser in {key, _guesser(address, device)}:
            self._addresses.pop(guesser, None)
            self._refused.discard(guesser)
        self._known[key] = None
        self._known.move_to_end(key)
        while len(self._known) > MOST_ADDRESSES:
            self._known.popitem(last=False)

    def is_known(self, address: str) -> bool:
        """Tell whether an address has known the answer before."""
        return subscriber(address) in self._known

    def is_waiting(self, address: str, now: float, device: str = "") -> bool:
        """Tell whether a guess of this address, or device, would be refused, without counting one."""
        key = _guesser(address, device)
        own = _refilled(self._addresses.get(key, (self.ADDRESS[0], now)), self.ADDRESS, now)
        everybody = _refilled(self._everybody, self.EVERYBODY, now)
        return own[0] < 1.0 or (everybody[0] < 1.0 and self._is_stranger(address, device))

    def _is_stranger(self, address: str, device: str) -> bool:
        return not device and not is_loopback(address) and subscriber(address) not in self._known


class Places:
    """A limited number of places, of which no stranger and no single address may take all.

    Args:
        most: places there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, list[int]] = {}
        """By address: places of those who are known, places of strangers."""

    def take(self, address: str, *, stranger: bool) -> Callable[[], None] | None:
        """Take a place and return what gives it back; None when there is none for this one."""
        key = subscriber(address)
        known_here, strange_here = self._taken.get(key, (0, 0))
        strange = sum(counts[1] for counts in self._taken.values())
        known = sum(counts[0] for counts in self._taken.values())
        if known + strange >= self._most:
            return None
        if stranger and (strange_here >= max(1, self._most // 4) or strange >= max(1, self._most // 2)):
            return None
        if address and not stranger and not is_loopback(address) and known_here >= max(1, self._most // 2):
            return None
        self._taken.setdefault(key, [0, 0])[stranger] += 1

        def give_back() -> None:
            counts = self._taken[key]
            counts[stranger] -= 1
            if not any(counts):
                del self._taken[key]

        return give_back


class Shares:
    """How many connections there may be, and how many of them one address may hold.

    This machine and trusted proxies may hold all of them: they speak for many.

    Args:
        most: connections there may be.
        spokesmen: networks of proxies.
    """

    ONE_ADDRESS = 0.5
    """Share that one address, or one IPv6 /64, may hold."""
    KEPT_FREE = 0.05
    """Share that only this machine and trusted proxies get: so a command here can ask the page also when others hold all they may."""

    def __init__(self, most: int, spokesmen: Iterable[str] = ()) -> None:
        self._most = most
        self._spokesmen = tuple(network_of(text) for text in spokesmen)

    def holder(self, address: str) -> str:
        """Return whose a connection is: who shares a limit with whom; empty for those who speak for many."""
        parsed = address_of(address)
        if parsed is None:
            return subscriber(address)
        if parsed.is_loopback or any(
            parsed.version == network.version and parsed in network for network in self._spokesmen
        ):
            return ""
        return subscriber(address)

    def admits(self, holder: str, inside: Collection[str]) -> bool:
        """Tell whether one more connection may come in.

        Args:
            holder: whose it is.
            inside: whose the others are.
        """
        if not holder:
            return len(inside) < self._most
        of_one = sum(each == holder for each in inside)
        return len(inside) < self._most * (1.0 - self.KEPT_FREE) and of_one < self._most * self.ONE_ADDRESS


def _guesser(address: str, device: str) -> str:
    """Return by which name guesses are counted. No address has a blank in it."""
    return f"device {device}" if device else subscriber(address)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own."""
    parsed = address_of(address)
    return parsed is not None and parsed.is_loopback


def _refilled(bucket: tuple[float, float], limit: tuple[float, float], now: float) -> tuple[float, float]:
    left, at = bucket
    most, seconds_each = limit
    return min(most, left + max(0.0, now - at) / seconds_each), now


def subscriber(address: str) -> str:
    """Return whose address it is: an IPv6 /64 is one, because one subscriber has all of it. IPv4 inside IPv6 is IPv4."""
    parsed = address_of(address)
    if parsed is None:
        return address
    if parsed.version == 6:  # noqa: PLR2004 - the protocol's own number
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
