"""How one CUPS is watched on behalf of all its queues: by one connection that is kept, and one subscription.

CUPS serves 100 clients at a time (MaxClients) and lets further ones wait without an answer. A connection kept for each
queue would use them up, and nobody on the network could print any more. So the number does not grow with the queues.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from piprint.ipp.client import IppClient, http_url
from piprint.ipp.line import Line
from piprint.printers.spooler_run import SpoolerRun

__all__ = ["CupsWatch"]

_Key = tuple[str, Path | None]
_WATCHES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, CupsWatch]]] = WeakKeyDictionary()
"""By CUPS's address and the certificates it is trusted by; connections belong to the loop they were opened in."""


class CupsWatch:
    """What is shared by all queues of one CUPS; got by :meth:`join`, given back by :meth:`leave`.

    Attributes:
        line: the connection that is kept; that it is the same proves that CUPS has run on.
        spooler: tells the same by a subscription, also after a restart of this process.
    """

    def __init__(self, key: _Key, *, timeout: float) -> None:
        self._key = key
        self._members = 0
        root, ca_file = key
        self.line = Line(tls=root.startswith("https:"), ca_file=ca_file, keep=True)
        self.spooler = SpoolerRun(IppClient(root, ca_file=ca_file, timeout=timeout))

    @classmethod
    def join(cls, uri: str, ca_file: Path | None, *, timeout: float) -> CupsWatch:
        """Return the watch over the CUPS a queue belongs to. Needs a running loop.

        Args:
            uri: of the queue.
            ca_file: PEM file that CUPS's certificate must fit; None for the system's authorities.
            timeout: seconds to wait for an answer about the subscription.
        """
        watches = _WATCHES.setdefault(asyncio.get_running_loop(), {})
        key = (f"{http_url(uri).origin()}/", ca_file)
        watch = watches.setdefault(key, cls(key, timeout=timeout))
        watch._members += 1  # noqa: SLF001 - its own
        return watch

    async def leave(self) -> None:
        """Give it back; the last one closes the connections."""
        self._members -= 1
        if self._members:
            return
        watches = _WATCHES.get(asyncio.get_running_loop(), {})
        if watches.get(self._key) is self:
            del watches[self._key]
        await self.line.close()
        await self.spooler.close()
