"""What the gateway says and keeps of how a meter's line is protected.

``security = "auto"`` takes nothing less than TLS once it has seen it. What was seen has to outlive the process: whoever can
reach the line could make the meter look like an older one at the next start. It is kept by the meter's section, in the history's notes.

This module does not know the line, nor how notes are kept.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from osgp.mep.events import SecurityChosen, TlsSessionOpened
from osgp.mep.security import Security, SecuritySeen

__all__ = ["LineSecurity", "Notes"]

_log = logging.getLogger(__name__)

_TLS = "talks TLS"
_HOLDS = {
    True: "From now on nothing less is taken, after a restart either",
    False: 'Without a history that is forgotten with a restart: write security = "tls" into its section',
}
_RC4 = "talks RC4 mode, not encrypted: who can reach the line can read along, and could learn the key"


class Notes(Protocol):
    """What is needed of :class:`nes2mqtt.history.store.Store`."""

    async def noted(self, name: str) -> int:
        """Return a number that was kept, 0 if none was."""

    async def note(self, name: str, value: int) -> None:
        """Keep a number."""


class LineSecurity:
    """How one meter's line is protected.

    Args:
        meter: its id.
        wanted: its setting ``security``.
        notes: where what was seen is kept; None: nowhere.
    """

    def __init__(self, meter: str, wanted: str, notes: Notes | None) -> None:
        self.seen = SecuritySeen()
        """Give it to each connection."""
        self._meter = meter
        self._wanted = Security(wanted)
        self._notes = notes
        self._said: Security | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def _name(self) -> str:
        return f"tls:{self._meter}"

    async def restore(self) -> None:
        """Bring back what earlier processes saw. Who asks for RC4 in the configuration has decided that it counts no more."""
        if self._notes is None or not await self._notes.noted(self._name):
            return
        if self._wanted in {Security.RC4, Security.RC4_PLAIN}:
            await self._notes.note(self._name, 0)
            return
        self.seen.tls = True

    def hear(self, event: object) -> None:
        """Take an event of the line."""
        if isinstance(event, TlsSessionOpened) and self._keeping is None and self._notes is not None:
            self._keeping = asyncio.ensure_future(self._notes.note(self._name, 1))
        elif isinstance(event, SecurityChosen) and event.security is not self._said:
            self._said = event.security
            if event.security is Security.TLS:
                _log.info("meter %s: %s. %s", self._meter, _TLS, _HOLDS[self._notes is not None])
            else:
                _log.warning("meter %s: %s (%s)", self._meter, _RC4, event.why)

    async def kept(self) -> None:
        """Wait until what was seen is kept."""
        if self._keeping is not None:
            await self._keeping
