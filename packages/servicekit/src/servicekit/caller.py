"""Who asks, and by which address: what a reverse proxy in front says, as far as it may be believed.

A proxy tells in headers who is behind it (``X-Forwarded-For``, ``-Proto``, ``-Host``; ``Forwarded``, RFC 7239), and so can
anybody else. They are read only when the connection comes from one of ``trusted_proxies``. Each proxy appends the
address it was asked from, so the list is read from its end: the first address that is no trusted proxy's is the
caller, and what stands before it is hearsay.

A proxy passes on the kind of header it does not write itself. When both kinds are there and disagree, nobody
knows which one the proxy wrote: such a request is to be refused, or anybody could choose to be counted as the proxy.

This module does not know what is asked for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["READ", "Address", "Caller", "Lines", "Network", "Proxies", "address_of", "network_of"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Lines = Mapping[str, Sequence[str]]
"""A request's header lines by lower-case name, in their order; a name without lines may be absent."""

READ = ("host", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")
"""The headers that are read."""

_MOST_HOPS = 20
"""Proxies in a row that are looked at, from the end of the list; the headers are not read beyond."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    address: str
    """As the log and the limits name it; empty when it is not known."""
    host: str
    """``Host`` as the browser sent it, with its port; empty when there was none."""
    secure: bool
    """The browser's side of the connection is encrypted."""
    proxied: bool
    """A trusted proxy speaks for it."""
    disputed: bool = False
    """``X-Forwarded-For`` and ``Forwarded`` name different callers; :attr:`address` is the proxy's."""


def network_of(text: str) -> Network:
    """Read an address or a network.

    Raises:
        ValueError: it is neither.
    """
    return ipaddress.ip_network(text.strip(), strict=False)


class Proxies:
    """The reverse proxies that are believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(network_of(text) for text in networks)

    def caller(self, peer: str, headers: Lines, *, secure: bool) -> Caller:
        """Return who asks.

        Args:
            peer: the address of the other side of the connection.
            headers: of the request; of those that are read: :data:`READ`.
            secure: the connection is encrypted.
        """
        host = _first(headers, "host")
        if not self._trusted(address_of(peer)):
            return Caller(_text(peer), host, secure, proxied=False)
        old, new = _hops(headers, "x-forwarded-for"), _forwarded(headers)
        address = self._first_stranger(peer, old or [pair.get("for", "") for pair in new])
        if old and new and self._first_stranger(peer, [pair.get("for", "") for pair in new]) != address:
            return Caller(_text(peer), host, secure, proxied=True, disputed=True)
        last = new[-1] if new else {}
        scheme = _last(headers, "x-forwarded-proto") or last.get("proto", "")
        host = _last(headers, "x-forwarded-host") or last.get("host", "") or host
        return Caller(address, host, secure or scheme.lower() == "https", proxied=True)

    def _trusted(self, address: Address | None) -> bool:
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )

    def _first_stranger(self, peer: str, hops: list[str]) -> str:
        caller = _text(peer)
        for hop in reversed(hops):
            address = address_of(_without_port(hop))
            if address is None:
                return caller
            caller = str(address)
            if not self._trusted(address):
                return caller
        return caller


def address_of(text: str) -> Address | None:
    """Read an address; one of IPv4 inside IPv6 is the one of IPv4."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _text(peer: str) -> str:
    return str(address_of(peer) or peer.partition("%")[0])


def _without_port(hop: str) -> str:
    """Take the port off ``192.0.2.1:4711`` and ``[2001:db8::1]:4711``."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _hops(headers: Lines, name: str) -> list[str]:
    """Return the last elements of a header that each proxy adds one to. Each step's time is linear: anybody can send it."""
    hops: list[str] = []
    for line in headers.get(name, ())[-_MOST_HOPS:]:
        hops += line.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    return [hop.strip() for hop in hops[-_MOST_HOPS:]]


def _first(headers: Lines, name: str) -> str:
    lines = headers.get(name, ())
    return lines[0] if lines else ""


def _last(headers: Lines, name: str) -> str:
    lines = headers.get(name, ())
    return lines[-1].rpartition(",")[2].strip() if lines else ""


def _forwarded(headers: Lines) -> list[dict[str, str]]:
    return [_pairs(element) for element in _hops(headers, "forwarded") if element]


def _pairs(element: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in element.split(";"))
    return {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
