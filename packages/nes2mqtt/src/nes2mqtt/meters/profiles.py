"""Load profiles that somebody asked for: one read of a meter at a time, and no read twice within a minute.

A day of quarter hours takes seconds on a serial line, a month a minute or more, as the read budget is kept. So a read goes on
when who asked for it has gone, and its answer waits for the next one who asks. Refusals are kept as answers are.

This module does not know how a profile is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from osgp.errors import OsgpError
from osgp.tables.load_profile.profile import LoadProfile

__all__ = ["AskedProfiles", "Profiled"]

KEPT = 60.0
"""Seconds for which an answer is given again."""


class Profiled(Protocol):
    """What is asked of a meter's poller."""

    @property
    def name(self) -> str:
        """The meter's id."""

    async def profile(self, since: datetime, data_set: int = 1) -> LoadProfile | None:
        """Read the intervals that ended then or later; None while the meter is not read."""


@dataclass(slots=True)
class _Read:
    """One read, under way or over."""

    since: datetime
    task: asyncio.Task[LoadProfile | OsgpError | None]
    ended: float | None = None


class AskedProfiles:
    """Reads the load profiles of some meters on demand.

    Args:
        meters: what reads them.
        monotonic: seconds.
    """

    def __init__(self, meters: Sequence[Profiled], monotonic: Callable[[], float]) -> None:
        self._meters = {meter.name: meter for meter in meters}
        self._monotonic = monotonic
        self._reads: dict[str, _Read] = {}

    async def read(self, meter: str, since: datetime) -> LoadProfile | None:
        """Return the intervals of data set 1 that ended then or later, or some time before; None while the meter is not read.

        If the caller is cancelled, the read goes on.

        Raises:
            OsgpError: the profile could not be read.
        """
        self._forget()
        while True:
            read = self._reads.get(meter)
            if read is None or (read.ended is not None and since < read.since):
                read = self._reads[meter] = self._begin(meter, since)
            await asyncio.wait([read.task])
            if since >= read.since:
                break
        answer = read.task.result()
        if isinstance(answer, OsgpError):
            raise answer
        return answer

    def _begin(self, meter: str, since: datetime) -> _Read:
        async def work() -> LoadProfile | OsgpError | None:
            try:
                return await self._meters[meter].profile(since)
            except OsgpError as error:
                return error

        def over(_task: object) -> None:
            read.ended = self._monotonic()

        read = _Read(since, asyncio.create_task(work()))
        read.task.add_done_callback(over)
        return read

    def _forget(self) -> None:
        """Drop what is too old to be given again, and that a meter was not read: it may be now."""
        now = self._monotonic()
        for meter, read in list(self._reads.items()):
            if read.ended is None:
                continue
            nothing = read.task.cancelled() or read.task.exception() is not None or read.task.result() is None
            if nothing or now - read.ended > KEPT:
                del self._reads[meter]
