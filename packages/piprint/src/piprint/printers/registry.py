"""The printers of this host, looked for again and again: new ones appear, renamed and removed ones go, without a restart.

One that does not answer never delays or hides the others. What a printer can do is remembered in the journal, so that one
that is switched off when the processor starts is still offered as what it is. So are all printers of the last run until
CUPS was listed once: after a power cut this processor may run before CUPS does.

Anybody on the network can announce a printer by any name, and documents are sent by name. So an announced printer never takes
the place of a queue or of a configured printer, not even while CUPS is being restarted.

This module does not know Business Central, nor how printers are found or spoken to.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from piprint.bc.queue import OfferedPrinter
from piprint.config.settings import Config
from piprint.config.wildcard import offered as is_offered
from piprint.contract import cut
from piprint.errors import PiprintError, PrinterError
from piprint.printers.find import settings_of
from piprint.printers.printer import Capabilities, Printer, PrinterAddress, PrinterState, PrinterStatus
from piprint.printers.ticket.offer import printer_payload
from piprint.printers.trouble import blocked

__all__ = ["KnownPrinter", "Listing", "Payloads", "PrinterRegistry"]

_log = logging.getLogger(__name__)

GRACE = 300.0
"""Seconds a printer may be missing before it is taken from Business Central's list: CUPS is restarted, a cable pulled."""
GRACE_IN_DOUBT = 3600.0
"""The same while printers cannot be listed properly."""
_ASK_EVERY = 900.0
"""Seconds between two questions for what a printer can do."""
_PATIENCE = 20.0
"""Seconds a printer may take to say how it is."""
_WATCHED_FOR = 5.0
"""Seconds for which somebody who looked is taken to be still there."""
_LONGEST_NAME = 250
_LONGEST_STATE = 250


class Listing(Protocol):
    """What a search for printers found; see :class:`piprint.printers.find.Found`."""

    @property
    def addresses(self) -> Sequence[PrinterAddress]:
        """The printers."""

    @property
    def problems(self) -> Sequence[str]:
        """What could not be listed, for people."""

    @property
    def unlisted(self) -> bool:
        """Whether the queues of CUPS, or of Windows, could not be listed."""


class Payloads(Protocol):
    """Remembers what printers can do, also after a restart; see :class:`piprint.journal.store.Journal`."""

    async def payloads(self) -> dict[str, str]:
        """Return the payload of each printer that is remembered."""

    async def remember_payload(self, printer_id: str, payload: str) -> None:
        """Keep a printer's payload; "" forgets it."""


@dataclass(eq=False, slots=True)
class KnownPrinter:
    """A printer and what is known of it.

    Attributes:
        address: who and where it is.
        printer: to speak to it.
        payload: its payload for Business Central; "" while not known.
        description: make and model.
        status: how it is; None while not known.
        problem: why it does not answer, for people.
        asked: when it last said what it can do; loop time, None before.
        gone_since: since when this host no longer has it; loop time.
    """

    address: PrinterAddress
    printer: Printer
    payload: str = ""
    description: str = ""
    status: PrinterStatus | None = None
    problem: str = ""
    asked: float | None = None
    gone_since: float | None = None


class PrinterRegistry:
    """Keeps the printers.

    Args:
        config: the settings.
        remembered: keeps the payloads of printers over a restart.
        find: looks for printers.
        open_printer: makes what speaks to one.
    """

    def __init__(
        self,
        config: Config,
        remembered: Payloads,
        find: Callable[[], Awaitable[Listing]],
        open_printer: Callable[[PrinterAddress], Printer],
    ) -> None:
        self._config = config
        self._payloads = remembered
        self._find = find
        self._open = open_printer
        self._known: dict[str, KnownPrinter] = {}
        self._remembered: dict[str, str] | None = None
        self._ours: set[str] = set()
        self._watched_at = -math.inf
        self._began: float | None = None
        self._was_listed = False
        self._unlisted_since: float | None = None
        self.problems: tuple[str, ...] = ()

    def printer(self, printer_id: str) -> Printer | None:
        """Return a printer, None while this host has none of that name."""
        found = self._known.get(printer_id)
        return None if found is None else found.printer

    def all(self) -> list[KnownPrinter]:
        """Return all of them, by name."""
        return sorted(self._known.values(), key=lambda each: each.address.printer_id)

    def present(self) -> list[str]:
        """Return the names of those that are there."""
        return [each.address.printer_id for each in self._known.values() if each.gone_since is None]

    def offered(self) -> list[OfferedPrinter]:
        """Return what Business Central shall offer."""
        return [*(self._offer(each) for each in self.all()), *self._awaited()]

    @property
    def unlisted_for(self) -> float:
        """Return for how many seconds the queues of CUPS, or of Windows, could not be listed; 0 when they could."""
        return 0.0 if self._unlisted_since is None else _now() - self._unlisted_since

    @property
    def unlisted(self) -> bool:
        """Tell whether the queues could not be listed when they were last looked for."""
        return self._unlisted_since is not None

    async def refresh(self) -> None:
        """Look for printers, and ask each how it is. Never raises for a printer's sake."""
        await self._list()
        await self.look()

    async def search(self) -> None:
        """Look for printers, and ask those that were not there before how they are."""
        before = set(self.present())
        await self._list()
        new = set(self.present()) - before
        await asyncio.gather(*(self._ask(self._known[printer_id]) for printer_id in sorted(new)))

    async def _list(self) -> None:
        if self._remembered is None:
            self._remembered, self._began = await self._payloads.payloads(), _now()
        try:
            listing = await self._find()
        except (PiprintError, OSError) as error:
            self.problems = (f"printers cannot be listed: {error}",)
            self._note_listed(unlisted=True)
        else:
            addresses = [each for each in listing.addresses if not self._is_impostor(each)]
            self.problems = (*listing.problems, *map(_left_out, set(listing.addresses).difference(addresses)))
            await self._place(addresses)
            await self._miss({each.printer_id for each in addresses}, in_doubt=bool(listing.problems))
            self._note_listed(unlisted=listing.unlisted)
            await self._forget()

    def _note_listed(self, *, unlisted: bool) -> None:
        self._was_listed = self._was_listed or not unlisted
        if not unlisted:
            self._unlisted_since = None
        elif self._unlisted_since is None:
            self._unlisted_since = _now()

    async def _forget(self) -> None:
        """Forget what printers can do that are gone, so that they do not come back when CUPS starts late some day."""
        if self.problems or self._began is None or _now() - self._began < GRACE:
            return
        for printer_id in sorted(set(self._remembered or {}) - set(self._known)):
            (self._remembered or {}).pop(printer_id)
            await self._payloads.remember_payload(printer_id, "")

    async def look(self) -> None:
        """Ask each printer how it is. Never raises for a printer's sake."""
        await asyncio.gather(*(self._ask(each) for each in self._known.values() if each.gone_since is None))

    def watch(self) -> None:
        """Note that somebody is looking at the printers just now."""
        self._watched_at = _now()

    @property
    def watched(self) -> bool:
        """Tell whether somebody was looking within the last seconds."""
        return _now() - self._watched_at < _WATCHED_FOR

    async def close(self) -> None:
        """Give back all connections."""
        for each in self._known.values():
            await _close(each.printer)
        self._known.clear()

    def _is_impostor(self, address: PrinterAddress) -> bool:
        return address.origin == "dns-sd" and address.printer_id.casefold() in self._ours

    async def _place(self, addresses: Sequence[PrinterAddress]) -> None:
        self._ours.update(each.printer_id.casefold() for each in addresses if each.origin != "dns-sd")
        for address in addresses:
            known = self._known.get(address.printer_id)
            if known is not None and known.address.uri == address.uri:
                known.address, known.gone_since = address, None
                continue
            if known is not None:
                await _close(known.printer)
            else:
                _log.info("printer %s found (%s)", address.printer_id, address.origin)
            payload = (self._remembered or {}).get(address.printer_id, "")
            self._known[address.printer_id] = KnownPrinter(address, self._open(address), payload)

    async def _miss(self, listed: set[str], *, in_doubt: bool) -> None:
        now = _now()
        for printer_id, each in list(self._known.items()):
            if printer_id in listed:
                continue
            if each.gone_since is None:
                each.gone_since, each.problem = now, "it is not there any more"
                _log.warning("printer %s is not there any more", printer_id)
            if now - each.gone_since >= (GRACE_IN_DOUBT if in_doubt else GRACE):
                del self._known[printer_id]
                await _close(each.printer)
        if not in_doubt:
            self._ours &= {printer_id.casefold() for printer_id in self._known}

    async def _ask(self, each: KnownPrinter) -> None:
        """Ask a printer how it is, and now and then what it can do."""
        try:
            async with asyncio.timeout(_PATIENCE):
                if each.asked is None or _now() - each.asked >= _ASK_EVERY:
                    await self._learn(each, await each.printer.capabilities())
                each.status = await each.printer.status()
                each.problem = blocked(each.status)
        except TimeoutError:
            each.status, each.problem = None, f"it does not answer within {_PATIENCE:.0f} s"
        except PrinterError as error:
            each.status, each.problem = None, str(error)
        except Exception:  # noqa: BLE001 - one printer never hides the others
            _log.exception("printer %s: unexpected while it was asked how it is", each.address.printer_id)
            each.status, each.problem = None, "a mistake of piprint; please report it with the lines of the log"

    async def _learn(self, each: KnownPrinter, told: Capabilities) -> None:
        printer_id = each.address.printer_id
        payload = printer_payload(told, settings_of(printer_id, self._config))
        each.description, each.asked = told.description, _now()
        if payload != each.payload:
            each.payload = payload
            await self._payloads.remember_payload(printer_id, payload)

    def _awaited(self) -> list[OfferedPrinter]:
        """Return the printers of the last run that CUPS has not told of yet in this one."""
        if self._was_listed or self.unlisted_for >= GRACE_IN_DOUBT:
            return []
        there = {printer_id.casefold() for printer_id in self._known}
        cups = self._config.cups
        return [
            OfferedPrinter(
                printer_id=printer_id,
                printer_name=self._name(printer_id),
                payload=payload,
                state="stopped",
                state_message=cut("; ".join(self.problems), _LONGEST_STATE),
            )
            for printer_id, payload in sorted((self._remembered or {}).items())
            if printer_id.casefold() not in there and is_offered(printer_id, cups.offer, cups.hide)
        ]

    def _name(self, printer_id: str) -> str:
        name = settings_of(printer_id, self._config).name or f"{printer_id}@{self._config.host}"
        return cut(name, _LONGEST_NAME)

    def _offer(self, each: KnownPrinter) -> OfferedPrinter:
        printer_id = each.address.printer_id
        settings = settings_of(printer_id, self._config)
        stopped = each.status is None or each.status.state is PrinterState.STOPPED
        return OfferedPrinter(
            printer_id=printer_id,
            printer_name=self._name(printer_id),
            payload=each.payload or printer_payload(Capabilities(), settings),
            state="stopped" if stopped else "idle",  # that it prints right now is no news worth a call
            state_message=cut(each.problem, _LONGEST_STATE),
        )


def _left_out(address: PrinterAddress) -> str:
    return (
        f"the announced printer {address.printer_id!r} ({address.uri}) is left out, as a queue or a configured printer of "
        "this host has that name; rename one of them"
    )


async def _close(printer: Printer) -> None:
    try:
        await printer.close()
    except Exception:  # noqa: BLE001 - it is given up anyway
        _log.exception("printer %s could not be closed", printer.address.printer_id)


def _now() -> float:
    return asyncio.get_running_loop().time()
