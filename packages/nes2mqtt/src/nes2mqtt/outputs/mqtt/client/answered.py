"""How long a broker has to answer, and what becomes of it when it does not.

This module does not know what is asked.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from nes2mqtt.outputs.mqtt.client.connection import Disconnected
from nes2mqtt.outputs.mqtt.client.refusals import Unanswered

__all__ = ["ANSWER", "Answered"]

ANSWER = 10.0
"""Seconds the broker has to greet us, and to confirm a message."""


class Answered:
    """Turns no answer in time into :class:`Disconnected`, for the length of a block.

    Args:
        silence: what to say then.
        behind: what is behind it; None: :class:`~nes2mqtt.outputs.mqtt.client.refusals.Unanswered`.
    """

    __slots__ = ("_behind", "_limit", "_silence")

    # Written out, not made of a generator: a block is entered for each message.
    def __init__(self, silence: str, behind: Exception | None = None) -> None:
        self._silence, self._behind = silence, behind
        self._limit = asyncio.timeout(ANSWER)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            kind = TimeoutError
        if kind is not None and issubclass(kind, TimeoutError):
            raise Disconnected(self._silence) from self._behind or Unanswered(self._silence)
