"""Does what blocks in a thread that nobody waits for when this program ends, and in a time that is set.

asyncio waits for its own threads at the end, however long a server takes to answer; systemd would kill us meanwhile.

This module does not know what is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from nes2mqtt.alerts.channels.courier import Undelivered

__all__ = ["Apart"]


class Apart:
    """Does one thing at a time.

    Args:
        place: whom it is asked of, for people.
        limit: seconds for all of it. What takes longer is left to itself, and nothing else begins until it has ended.
    """

    def __init__(self, place: str, limit: float) -> None:
        self._place = place
        self._limit = limit
        self._busy = False

    async def do(self, work: Callable[[], None]) -> None:
        """Do something.

        Raises:
            Undelivered: by the work itself, or it took too long.
        """
        if self._busy:
            raise Undelivered(f"{self._place} has not finished with what it got before. It is tried again")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def tell(error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def run() -> None:
            failed: Exception | None = None
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
                failed = error
            self._busy = False
            with suppress(RuntimeError):  # this program has ended meanwhile
                loop.call_soon_threadsafe(tell, failed)

        self._busy = True
        try:
            Thread(target=run, name=f"alerts {self._place}", daemon=True).start()
        except RuntimeError:
            self._busy = False
            raise
        try:
            async with asyncio.timeout(self._limit):
                await done
        except TimeoutError:
            raise Undelivered(
                f"{self._place} does not come to an end within {self._limit:.0f} s. It is tried again"
            ) from None
