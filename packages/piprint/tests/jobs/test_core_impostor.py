"""Somebody on the network announces a printer by the name of a queue here, and waits until CUPS is away for a moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from piprint.config.settings import Config
from piprint.journal.store import Journal
from piprint.printers.printer import PrinterAddress
from piprint.printers.registry import GRACE, GRACE_IN_DOUBT, PrinterRegistry

QUEUE = PrinterAddress("Office", "ipp://localhost/printers/Office", origin="cups")
BY_HAND = PrinterAddress("Office", "ipp://192.168.1.20/ipp/print")
EVIL = PrinterAddress("OFFICE", "ipp://192.168.1.66/ipp/print", origin="dns-sd")
ANNOUNCED = PrinterAddress("Hall", "ipp://192.168.1.21/ipp/print", origin="dns-sd")
MOVED = PrinterAddress("Hall", "ipp://192.168.1.22/ipp/print", origin="dns-sd")


@dataclass
class Listing:
    addresses: list[PrinterAddress]
    problems: list[str] = field(default_factory=list)
    unlisted: bool = False


class Shop:
    """A host's printers as they are found, and the shelf they stand on."""

    def __init__(self, journal: Journal, config: Config) -> None:
        self.found = Listing([])
        self.shelf = PrinterRegistry(config, journal, self._find, self._open)

    async def _find(self) -> Listing:
        return self.found

    def _open(self, address: PrinterAddress) -> Any:
        return Silent(address)

    async def look(self, *addresses: PrinterAddress, problem: str = "") -> dict[str, str]:
        """Look for printers; return where documents go by name."""
        self.found = Listing(list(addresses), [problem] if problem else [])
        await self.shelf.refresh()
        return {each.address.printer_id: each.address.uri for each in self.shelf.all()}


class Silent:
    """A printer that never answers."""

    def __init__(self, address: PrinterAddress) -> None:
        self.address = address

    async def capabilities(self) -> None:
        raise OSError

    async def close(self) -> None:
        return None


@pytest.fixture
async def shop(tmp_path: Path) -> Any:
    login = {"kind": "secret", "tenant": "t", "client_id": "c", "secret": "s"}
    config = Config.model_validate({"business_central": {"environment": "test", "login": login}})
    journal = await Journal.open(tmp_path)
    made = Shop(journal, config)
    yield made
    await made.shelf.close()
    await journal.close()


@pytest.mark.parametrize("real", [QUEUE, BY_HAND], ids=["a queue", "configured"])
async def test_an_announced_printer_never_takes_the_name_of_a_queue(shop: Shop, real: PrinterAddress) -> None:
    assert await shop.look(real, ANNOUNCED) == {"Office": real.uri, "Hall": ANNOUNCED.uri}
    for wait in (0, 60, GRACE, GRACE_IN_DOUBT, 10 * GRACE_IN_DOUBT):
        await asyncio.sleep(wait)
        where = await shop.look(EVIL, ANNOUNCED, problem="the queues of CUPS cannot be listed: no answer")
        assert EVIL.uri not in where.values()
        assert any("'OFFICE'" in problem for problem in shop.shelf.problems)
    assert await shop.look(real, ANNOUNCED) == {"Office": real.uri, "Hall": ANNOUNCED.uri}


async def test_it_may_have_the_name_once_the_queue_is_gone_for_certain(shop: Shop) -> None:
    await shop.look(QUEUE)
    assert await shop.look(EVIL) == {"Office": QUEUE.uri}
    await asyncio.sleep(GRACE)
    await shop.look(EVIL)
    assert await shop.look(EVIL) == {"OFFICE": EVIL.uri}


async def test_announced_printers_may_move_and_queues_may_take_their_place(shop: Shop) -> None:
    await shop.look(ANNOUNCED)
    assert await shop.look(MOVED) == {"Hall": MOVED.uri}
    queue = PrinterAddress("Hall", "ipp://localhost/printers/Hall", origin="cups")
    assert await shop.look(queue) == {"Hall": queue.uri}
    assert await shop.look(MOVED) == {"Hall": queue.uri}
