"""Which run of a CUPS answers, for all of its queues: by one connection that stays open while jobs are followed.

CUPS keeps a connection open as long as it lives, and closes it when it dies or reloads. So an answer by the same connection as
before comes from the same cupsd. CUPS takes 100 connections in all (``MaxClients``), and holds further ones without an answer:
so there is one for each CUPS, not for each queue, and none while nothing is followed there. A subscription
(:mod:`piprint.printers.restarts.spooler_run`) tells the same of two connections, at the price of two questions.

Without such a connection printing goes on: CUPS, or a proxy in front of it, closes after each answer, or has no connection
left. Then the subscription is asked once a job has ended; where there is none either, a restart cannot be excluded.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from piprint.errors import PrinterError, PrinterUnreachable
from piprint.ipp.client import IppClient, http_url
from piprint.ipp.codec import Attribute, Message, attribute
from piprint.ipp.registry import Delimiter, Operation, Tag
from piprint.printers.printer import Run
from piprint.printers.restarts.spooler_run import SpoolerRun

__all__ = ["SpoolerWatch"]

_IDLE: Final = 30.0
"""Seconds after the last question about a job until the connection is given back."""
_OPENING: Final = 5.0
"""Seconds in which CUPS has to answer by a new connection; at its limit it never does."""
_WITHOUT: Final = 60.0
_CLOSES: Final = 300.0
"""Seconds without a connection of that kind after CUPS did not answer by it, or did not keep it."""
_UP_TIME: Final = attribute("requested-attributes", Tag.KEYWORD, "printer-up-time")
_BY_ADDRESS: Final[WeakValueDictionary[tuple[object, ...], SpoolerWatch]] = WeakValueDictionary()


class SpoolerWatch:
    """Watches one CUPS; :meth:`at` gives all its queues the same one.

    Args:
        root: the address of CUPS itself.
        ca_file: see :class:`piprint.ipp.client.IppClient`.
        timeout: seconds to wait for an answer.

    Attributes:
        run: its subscription.
    """

    def __init__(self, root: str, ca_file: Path | None, timeout: float) -> None:
        self.run = SpoolerRun(IppClient(root, ca_file=ca_file, timeout=timeout))
        self._client = IppClient(root, ca_file=ca_file, timeout=timeout, keep=True)
        self._timeout = timeout
        self._users = 0
        self._asking, self._counting = asyncio.Lock(), asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sending = 0
        self._followed = self._without = self._checked = -math.inf
        self._kept = 0
        """The number of the connection that was seen to stay open."""
        self._closes = False
        self._counted = self._number = 0
        """The connection, and the number of the run, of which :attr:`_token` tells."""
        self._token = ""

    @classmethod
    def at(cls, uri: str, ca_file: Path | None, timeout: float) -> SpoolerWatch:
        """Return the one for the CUPS that has this queue; to be closed as often as it was got."""
        origin = http_url(uri).origin()
        key = (asyncio.get_running_loop(), str(origin), ca_file if origin.scheme == "https" else None)
        found = _BY_ADDRESS.get(key)
        if found is None:
            found = _BY_ADDRESS[key] = cls(f"{origin}/", ca_file, timeout)
        found._users += 1
        return found

    async def close(self) -> None:
        """Give back the connections when no queue is left."""
        self._users -= 1
        if self._users:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()
        await self.run.close()

    def follow(self) -> None:
        """Note that a job is followed there."""
        self._followed = _now()

    def begin(self) -> None:
        """Note that a document is being sent; until that is over the connection is kept."""
        self._sending += 1

    def end(self) -> None:
        """Note that it has been sent, or not."""
        self._sending -= 1
        self.follow()

    async def ask(
        self, queue: IppClient, operation: Operation, attributes: Sequence[Attribute] = (), *, job_id: int | None = None
    ) -> tuple[Message, int]:
        """Ask a queue: by the connection that stays, while jobs are followed and if that can be had.

        Whoever stops waiting does not cut that connection: it would look like a restart to all others.

        Returns:
            the answer, and the number of the connection; 0 when it was another.

        Raises:
            PrinterError: see :meth:`piprint.ipp.client.IppClient.ask`.
        """
        task = asyncio.create_task(self._ask(queue, operation, attributes, job_id))
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    async def number(self, connection: int, came: float, *, final: bool = True) -> int:
        """Return the number of the run that gave an answer; 0 when nothing tells.

        Args:
            connection: by which it came, as :meth:`ask` returned it.
            came: when it had come; seconds of the loop's clock.
            final: it matters now; else a question is spared where only a question tells.
        """
        if connection and connection == self._counted:
            return self._number
        if not (connection or final):
            return 0
        async with self._counting:
            if connection and connection == self._counted:
                return self._number
            if self._number and self._checked < came:
                now = _now()
                same = await self.run.is_same(self._token) if self._token else None
                if same:
                    self._checked = now
                elif same is None and not connection and (self._closes or not self._is_followed()):
                    return 0
                else:
                    self._number, self._token = self._number + 1, ""
            self._number = self._number or 1
            self._counted = connection or self._counted
            return self._number

    async def told(self, queue: IppClient) -> Run:
        """Ask which run answers."""
        answer, connection = await self.ask(queue, Operation.GET_PRINTER_ATTRIBUTES, [_UP_TIME])
        number = await self.number(connection, _now())
        self._token = await self.run.token(number)
        return Run(number, self._token, answer.first(Delimiter.PRINTER).integer("printer-up-time"))

    async def _ask(
        self, queue: IppClient, operation: Operation, attributes: Sequence[Attribute], job_id: int | None
    ) -> tuple[Message, int]:
        if await self._is_watching(queue):
            try:
                async with asyncio.timeout(self._timeout):
                    await self._asking.acquire()
            except TimeoutError:
                raise PrinterUnreachable(
                    f"{queue.uri} does not answer; is the printer, or CUPS, switched on?"
                ) from None
            try:
                answer = await self._client.ask(operation, attributes, job_id=job_id, about=queue.uri)
                return answer, self._client.connections
            finally:
                self._asking.release()
        try:
            return await queue.ask(operation, attributes, job_id=job_id), 0
        except PrinterUnreachable:
            if not self._closes:  # it is away altogether, so nothing is known about its connections
                self._without = -math.inf
            raise

    async def _is_watching(self, queue: IppClient) -> bool:
        """Open the connection, if it is worth it, and see whether it stays open."""
        if not self._is_followed():
            if not self._asking.locked():
                await self._client.close()
            return False
        async with self._asking:
            if _now() < self._without:
                return False
            if self._kept and self._kept == self._client.connections and self._client.is_open:
                return True
            try:
                async with asyncio.timeout(_OPENING):
                    used = [await self._first(queue) for _ in range(2)]
            except (PrinterError, TimeoutError):
                self._closes, self._without = False, _now() + _WITHOUT
            else:
                self._closes = used[0] != used[1]
                self._kept = used[1]
                if not self._closes:
                    return True
                self._without = _now() + _CLOSES
            await self._client.close()
            return False

    async def _first(self, queue: IppClient) -> int:
        await self._client.ask(Operation.GET_PRINTER_ATTRIBUTES, [_UP_TIME], about=queue.uri)
        return self._client.connections

    def _is_followed(self) -> bool:
        return self._sending > 0 or _now() - self._followed < _IDLE

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it may be gone


def _now() -> float:
    return asyncio.get_running_loop().time()
