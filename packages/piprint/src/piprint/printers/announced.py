"""Network printers that announce themselves by DNS-SD: a list that keeps itself up to date.

A printer announces itself as ``<name>._ipp._tcp.local.`` and often as ``_ipps._tcp``, with a TXT record that tells the path
(``rp``), the model (``ty``), the place (``note``) and the formats (``pdl``) (PWG 5100.14, 4.2; Bonjour Printing Specification).
The same name under both types is one printer. Plain ipp is taken when both are there, unless a certificate file is configured
for the printer: printers make their certificates themselves, so ipps without one could not be trusted anyway.

Needs the package zeroconf (``piprint[discovery]``). This module does not know CUPS, or what a printer can do.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

__all__ = ["Announcement", "Announcements"]

_TYPES: Final = {"_ipp._tcp.local.": "ipp", "_ipps._tcp.local.": "ipps"}
_ASK_MS: Final = 3000
_LISTEN: Final = 3.0
"""Seconds until printers that are there have answered (RFC 6762, 5.2: the first questions go out within a second or two)."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A printer as it announces itself.

    Attributes:
        name: its instance name, such as ``HP LaserJet M404 [A1B2C3]``.
        uris: by scheme, ``ipp`` and ``ipps``.
        model: ``ty``.
        place: ``note``.
        formats: ``pdl``, MIME types; empty when not told.
        own: it is a queue that this host itself shares.
    """

    name: str
    uris: Mapping[str, str]
    model: str = ""
    place: str = ""
    formats: frozenset[str] = frozenset()
    own: bool = False


@dataclass(slots=True)
class Announcements:
    """Listens for announcements while it is open (``async with``).

    Args:
        open_network: makes the mDNS stack; a test gives one bound to loopback.
    """

    open_network: Callable[[], AsyncZeroconf] = AsyncZeroconf
    _network: AsyncZeroconf | None = None
    _browser: AsyncServiceBrowser | None = None
    _found: dict[tuple[str, str], Announcement] = field(default_factory=dict)
    _there: set[tuple[str, str]] = field(default_factory=set)
    _asking: set[asyncio.Task[None]] = field(default_factory=set)
    _listened: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        self._network = self.open_network()
        self._browser = AsyncServiceBrowser(self._network.zeroconf, list(_TYPES), handlers=[self._changed])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._browser is not None:  # first: it makes tasks
            await self._browser.async_cancel()
        tasks = [*self._asking, *([] if self._listened is None else [self._listened])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._network is not None:
            await self._network.async_close()

    async def printers(self) -> list[Announcement]:
        """Return the printers announced now, by name. The first call waits until those that are there have answered."""
        if self._listened is None:
            self._listened = asyncio.ensure_future(asyncio.sleep(_LISTEN))
        await asyncio.shield(self._listened)
        found: dict[str, Announcement] = {}
        for (name, _), each in sorted(self._found.items()):
            found[name] = _merged(found[name], each) if name in found else each
        return list(found.values())

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        plain = name.removesuffix(f".{service_type}")
        if state_change is ServiceStateChange.Removed:
            self._there.discard((plain, service_type))
            self._found.pop((plain, service_type), None)
            return
        self._there.add((plain, service_type))
        task = asyncio.ensure_future(self._ask(zeroconf, service_type, name, plain))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, zeroconf: Zeroconf, service_type: str, name: str, plain: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        key = plain, service_type
        answered = await info.async_request(zeroconf, _ASK_MS)
        told = _read(info, _TYPES[service_type], plain) if answered else None
        if told is not None and key in self._there:  # it may have said good-bye meanwhile
            self._found[key] = told


def _merged(one: Announcement, other: Announcement) -> Announcement:
    """Make one of a printer's two announcements, as ipp and as ipps."""
    return replace(one, uris={**one.uris, **other.uris}, formats=one.formats | other.formats)


def _read(info: AsyncServiceInfo, scheme: str, name: str) -> Announcement | None:
    """Make an announcement of the records; None when they tell no address."""
    server = (info.server or "").rstrip(".")
    addresses = info.parsed_addresses(IPVersion.V4Only) or [
        f"[{address}]" for address in info.parsed_addresses(IPVersion.V6Only) if not address.startswith("fe80")
    ]
    # A certificate is made out to the name; else the number spares asking for .local names, which not every host can.
    host = server if scheme == "ipps" else next(iter(addresses), server)
    if not host or not info.port:
        return None
    told = {key.lower(): _text(value) for key, value in info.properties.items()}
    path = told.get(b"rp", "").lstrip("/") or "ipp/print"
    return Announcement(
        name,
        {scheme: f"{scheme}://{host}:{info.port}/{path}"},
        model=told.get(b"ty", ""),
        place=told.get(b"note", ""),
        formats=frozenset(filter(None, told.get(b"pdl", "").split(","))),
        own=path.startswith(("printers/", "classes/")) and server.split(".")[0] == socket.gethostname().split(".")[0],
    )


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
