"""Which printers this host has: its queues, announced network printers, and those the configuration names.

The queues are CUPS's; on Windows they are the spooler's, under the same settings (``[cups]``: enabled, offer, hide).
Where some cannot be listed, the others are; what went wrong stands beside the list as a sentence for people.
:func:`open_printer` chooses how a printer is spoken to, by its address.

This module does not know what a printer can do.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from piprint.config.settings import Config, PrinterConfig
from piprint.config.wildcard import offered
from piprint.errors import ConfigError, PrinterError, PrinterRefused
from piprint.ipp.client import IppClient, http_url
from piprint.ipp.codec import Group, attribute
from piprint.ipp.registry import Delimiter, Operation, Status, Tag
from piprint.printers.printer import Printer, PrinterAddress

if TYPE_CHECKING:
    from piprint.printers.announced import Announcement, Announcements

__all__ = ["Found", "find_printers", "listen", "open_printer", "settings_of"]

_ON_WINDOWS: Final = os.name == "nt"
_TIMEOUT: Final = 10.0
_PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class Found:
    """The printers of this host.

    Attributes:
        addresses: each with an id of its own; those of the configuration first, then CUPS's, then announced ones.
        problems: what could not be listed or was left out, and why; sentences for people.
        unlisted: the queues of CUPS, or of Windows, could not be listed; there may be more printers than these.
    """

    addresses: list[PrinterAddress]
    problems: list[str]
    unlisted: bool = False


def settings_of(printer_id: str, config: Config) -> PrinterConfig:
    """Return what the configuration says about a printer; the defaults when it says nothing."""
    return next((each for each in config.printers if each.id == printer_id), PrinterConfig(id=printer_id))


def listen() -> Announcements:
    """Make what listens for announced printers; open it with ``async with`` and pass it to :func:`find_printers`.

    Raises:
        ConfigError: the package for it is not installed.
    """
    try:
        from piprint.printers.announced import Announcements  # noqa: PLC0415 - an optional package
    except ImportError:
        raise ConfigError(
            'finding announced printers needs the package zeroconf: pip install "piprint[discovery]", on 32-bit Raspberry '
            "Pi OS python3-zeroconf (docs/printing.md, Running for years); or set enabled = false in [discovery]"
        ) from None
    return Announcements()


async def find_printers(config: Config, announcements: Announcements | None = None) -> Found:
    """List the printers of this host.

    Args:
        config: the settings.
        announcements: what listens for announced printers; without it and with discovery enabled, three seconds are spent.
    """
    problems: list[str] = []
    unlisted = False
    found = [
        PrinterAddress(each.id, each.uri, each.name or each.id, _origin(each.uri))
        for each in config.printers
        if each.uri
    ]
    if config.cups.enabled:
        try:
            queues = await (_windows_queues() if _ON_WINDOWS else _cups_queues(config))
        except PrinterError as error:
            unlisted = True
            problems.append(f"the queues of {'Windows' if _ON_WINDOWS else 'CUPS'} cannot be listed: {error}")
        else:
            found += (each for each in queues if offered(each.printer_id, config.cups.offer, config.cups.hide))
    if config.discovery.enabled:
        found += await _announced(config, announcements, problems)
    addresses = _unique(found, problems)
    if not problems:
        known = {each.printer_id for each in addresses}
        problems += [
            f"the printer {each.id!r} of the configuration was not found; correct its id, give its uri, or add the queue to CUPS"
            for each in config.printers
            if each.id not in known
        ]
    return Found(addresses, problems, unlisted)


def open_printer(address: PrinterAddress, config: Config) -> Printer:
    """Return the printer at an address, ready to be asked; nothing is sent yet."""
    settings = settings_of(address.printer_id, config)
    scheme = address.uri.partition(":")[0]
    if scheme == "socket":
        from piprint.printers.backends.raw_printer import RawPrinter  # noqa: PLC0415 - only what is used is loaded

        return RawPrinter(address, settings)
    if scheme == "winspool":
        from piprint.printers.backends.windows import WindowsPrinter  # noqa: PLC0415 - only on Windows

        return WindowsPrinter(address, settings)
    from piprint.printers.backends.ipp_printer import IppPrinter  # noqa: PLC0415 - as above

    return IppPrinter(address, settings)


def _origin(uri: str) -> str:
    return "windows" if uri.startswith("winspool:") else "configured"


def _unique(found: Iterable[PrinterAddress], problems: list[str]) -> list[PrinterAddress]:
    """Keep the first of each id. Business Central, like CUPS, does not tell capital letters from small ones."""
    kept: dict[str, PrinterAddress] = {}
    for each in found:
        other = kept.setdefault(each.printer_id.casefold(), each)
        if other is not each and other.origin != "configured":
            problems.append(
                f"{each.title or each.printer_id!r} ({each.uri}) is left out, as {other.uri} has the same name; rename one of them"
            )
    return list(kept.values())


async def _cups_queues(config: Config) -> list[PrinterAddress]:
    """Ask CUPS for its queues and classes (CUPS-Get-Printers)."""
    client = IppClient(config.cups.url, timeout=_TIMEOUT)
    wanted = attribute("requested-attributes", Tag.KEYWORD, "printer-name", "printer-info", "printer-uri-supported")
    try:
        answer = await client.ask(Operation.CUPS_GET_PRINTERS, [wanted], target=False)
    except PrinterRefused as refusal:
        if refusal.status == Status.NOT_FOUND:  # CUPS says so when it has no queue at all
            return []
        raise
    finally:
        await client.close()
    queues = (_queue(config, each) for each in answer.all(Delimiter.PRINTER))
    return [each for each in queues if each]


async def _windows_queues() -> list[PrinterAddress]:
    from piprint.printers.backends.windows import find_windows_printers  # noqa: PLC0415 - only on Windows

    return await asyncio.to_thread(find_windows_printers)


def _queue(config: Config, printer: Group) -> PrinterAddress | None:
    """Make the address of a queue: where CUPS was asked, with the path it tells; the host it tells may be another's name."""
    name, told = printer.text("printer-name"), printer.text("printer-uri-supported")
    if not name or not told:
        return None
    server = http_url(config.cups.url)
    scheme = "ipps" if server.scheme == "https" else "ipp"
    host = f"[{server.host}]" if ":" in (server.host or "") else server.host
    uri = f"{scheme}://{host}:{server.port}{http_url(told).raw_path}"
    return PrinterAddress(name, uri, printer.text("printer-info") or name, "cups")


async def _announced(
    config: Config, announcements: Announcements | None, problems: list[str]
) -> Sequence[PrinterAddress]:
    async with AsyncExitStack() as stack:
        try:
            if announcements is None:
                announcements = await stack.enter_async_context(listen())
            told = await announcements.printers()
        except (ConfigError, OSError) as error:
            problems.append(f"announced printers cannot be found: {error}")
            return []
    offers = config.discovery
    wanted = (each for each in told if not each.own and offered(each.name, offers.offer, offers.hide))
    return [address for each in wanted if (address := _announced_address(config, each, problems))]


def _announced_address(config: Config, printer: Announcement, problems: list[str]) -> PrinterAddress | None:
    settings = settings_of(printer.name, config)
    if settings.language == "pdf" and printer.formats and _PDF not in printer.formats:
        problems.append(
            f"the announced printer {printer.name!r} is left out, as it takes no PDF; "
            "let CUPS convert for it: lpadmin -p NAME -E -m everywhere -v " + next(iter(printer.uris.values()))
        )
        return None
    order = ("ipps", "ipp") if settings.ca_file else ("ipp", "ipps")
    uri = next(printer.uris[scheme] for scheme in order if scheme in printer.uris)
    title = f"{printer.model or printer.name}, {printer.place}" if printer.place else printer.model or printer.name
    return PrinterAddress(printer.name, uri, title, "dns-sd")
