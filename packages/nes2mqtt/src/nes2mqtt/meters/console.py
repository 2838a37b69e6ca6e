"""What the curious may see of a meter: its tables, read on demand, and the last requests that went to it. Nothing is written.

A table is read beside the schedule, in the turn and at the pace of everything else that is asked of the meter; one table at a
time, and none twice within a minute. A read goes on when who asked for it has gone. Tables that hold keys or passwords are
not read at all; of a request its name, its size and its outcome are kept, never a byte.

This module does not know how a table is laid out, nor who looks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from nes2mqtt.meters.session import MeterSession
from osgp.dissector.privacy import holds_secrets
from osgp.dissector.titles import title
from osgp.errors import OsgpError, TableError
from osgp.mep.events import Resynchronised
from osgp.psem import (
    PartialRead,
    PartialWrite,
    Read,
    Request,
    RequestFailed,
    ResponseReceived,
    Write,
    table_id,
    table_name,
)
from osgp.tables import TABLES, Dimensions, Record
from osgp.tables.identity import tables_used
from osgp.tables.schema.count import Untold

if TYPE_CHECKING:
    from osgp.dissector.table_parts import Part

__all__ = ["Besides", "Console", "LoggedRequest", "RequestLog", "ShownTable", "TooManyAsk", "hides"]

KEPT = 60.0
"""Seconds for which an answer is given again."""
MOST_BYTES = 2048
"""Of a table: a longer one would take the line for long. ``osgp tables`` shows all of it."""
MOST_WAIT = 4
"""Tables of one meter that may be asked for at once."""
MOST_LOGGED = 200
_ONE_ANSWER = 400
_ROUNDS = 3
_CALLS = frozenset(map(table_id, ("BT07", "BT08", "ET52", "ET53", "ET59", "ET85", "ET98")))
"""What was sent to the meter as an order or to its modem as a command, and the answers: the key of an M-Bus device is written by such
an order, the modem's PIN and password by such a command. ET52 and ET53 are several writes and reads at once, ET59 and ET85 answers as
BT08 is."""

_T = TypeVar("_T")


class Besides(Protocol):
    """What is asked of a meter's poller."""

    @property
    def name(self) -> str:
        """The meter's id."""

    async def beside(self, read: Callable[[MeterSession], Awaitable[_T]]) -> _T | None:
        """Read something beside the schedule; None while the meter is not read."""


class _Tables(Protocol):
    """What is asked of the session, which is an :class:`osgp.meter.Meter`; a poller needs less of it."""

    async def table(self, name: str) -> Record:
        """Read a whole table and decode it."""

    async def read(self, table: str | int, offset: int = 0, count: int | None = None) -> bytes:
        """Read a part of a table, or all of it."""

    async def dimensions(self, table: str = "") -> Dimensions:
        """Return how large the meter's tables are."""

    async def confirms(self, dims: Dimensions) -> bool:
        """Tell whether they were right until now."""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table as it was read."""

    name: str
    size: int
    """Bytes it has, as far as that is known; else those that were read."""
    data: bytes
    parts: Sequence[Part]
    instant: float
    """When, by the monotonic clock."""


class TooManyAsk(Exception):
    """So many tables of the meter are asked for already that one more would only wait."""


def hides(name: str) -> bool:
    """Tell whether a table may hold keys or passwords, so that it is not read: also one of which nobody knows what is in it."""
    number = table_id(name)
    return holds_secrets(number) or number in _CALLS or not title(table_name(number))


@dataclass(slots=True)
class _Asked:
    task: asyncio.Task[object]
    ended: float | None = None


class Console:
    """Reads tables of some meters on demand, and has the last requests to each.

    Args:
        meters: what reads them.
        logs: of each meter.
        monotonic: seconds.
    """

    def __init__(
        self, meters: Sequence[Besides], logs: Mapping[str, RequestLog], monotonic: Callable[[], float]
    ) -> None:
        self._logs = logs
        self._meters = {meter.name: meter for meter in meters}
        self._monotonic = monotonic
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def requests(self, meter: str) -> Sequence[LoggedRequest]:
        """Return the last requests to a meter, the newest first."""
        return self._logs[meter].last() if meter in self._logs else ()

    async def names(self, meter: str) -> Sequence[str] | None:
        """Return the names of the tables the meter says it has; None while it is not read.

        Raises:
            OsgpError: it does not tell.
            TooManyAsk: others are asking.
        """

        async def read(session: MeterSession) -> Sequence[str]:
            bt00 = await cast("_Tables", session).table("BT00")
            return sorted(tables_used(bt00), key=table_id)

        return await self._once(meter, "", read)

    async def table(self, meter: str, name: str) -> ShownTable | None:
        """Read a table that :func:`hides` nothing; None while the meter is not read.

        Raises:
            OsgpError: the meter does not give it.
            TooManyAsk: others are asking.
        """
        return await self._once(meter, name, lambda session: _shown(cast("_Tables", session), name, self._monotonic))

    async def _once(self, meter: str, name: str, read: Callable[[MeterSession], Awaitable[_T]]) -> _T | None:
        self._forget()
        asked = self._asked.get((meter, name))
        if asked is None:
            waiting = sum(1 for (other, _), one in self._asked.items() if other == meter and one.ended is None)
            if waiting >= MOST_WAIT:
                raise TooManyAsk
            asked = self._asked[meter, name] = self._begin(meter, read)
        await asyncio.wait([asked.task])
        answer = asked.task.result()
        if isinstance(answer, OsgpError):
            raise answer
        return cast("_T | None", answer)

    def _begin(self, meter: str, read: Callable[[MeterSession], Awaitable[object]]) -> _Asked:
        async def work() -> object:
            async with self._turns.setdefault(meter, asyncio.Lock()):
                try:
                    return await self._meters[meter].beside(read)
                except OsgpError as error:
                    return error

        def over(_task: object) -> None:
            asked.ended = self._monotonic()

        asked = _Asked(asyncio.create_task(work()))
        asked.task.add_done_callback(over)
        return asked

    def _forget(self) -> None:
        """Drop what is too old to be given again, and that a meter was not read: it may be now."""
        now = self._monotonic()
        for key, asked in list(self._asked.items()):
            if asked.ended is None:
                continue
            nothing = asked.task.cancelled() or asked.task.exception() is not None or asked.task.result() is None
            if nothing or now - asked.ended > KEPT:
                del self._asked[key]


async def _shown(meter: _Tables, name: str, monotonic: Callable[[], float]) -> ShownTable:
    from osgp.dissector.table_parts import Part, dissect  # noqa: PLC0415 - hardly a table is ever looked at

    described = TABLES.get(name)
    for _ in range(_ROUNDS):
        dims = await meter.dimensions(name)
        size = None
        if described is not None:
            try:
                size = described.size(dims)
            except Untold:
                described = None
        if size is not None and size > _ONE_ANSWER:
            data = await meter.read(name, 0, min(size, MOST_BYTES))
        else:
            data = await meter.read(name)
        if await meter.confirms(dims):
            parts = [Part(0, data, len(data), kind="unknown")] if described is None else dissect(described, data, dims)
            return ShownTable(name, max(size or 0, len(data)), data, parts, monotonic())
    raise TableError("its layout changed again and again while it was read; try again later")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request, or something that happened to the link, without a byte of what it holds."""

    number: int
    instant: float
    """By the monotonic clock."""
    outcome: str
    """``answered``, ``refused``, ``failed``, ``again`` (asked once more), ``dropped``, ``resynchronised``."""
    verb: str = ""
    """``read`` or ``write``; empty where nothing was asked."""
    table: str = ""
    offset: int | None = None
    asked: int | None = None
    """Bytes asked for, or written; None for all of a table."""
    size: int | None = None
    """Bytes that came."""
    code: int | None = None
    """Of a refusal."""


class RequestLog:
    """The last requests to one meter.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._kept: deque[_Heard] = deque(maxlen=MOST_LOGGED)
        self._number = 0

    def hear(self, event: object) -> None:
        """Take an event of the link. Events of both ports are told apart by what they are called, and hold no key."""
        if isinstance(event, ResponseReceived):
            if event.response.ok:
                self._note("answered", event.request, len(event.response.data))
            else:
                self._note("refused", event.request, None, event.response.code)
        elif isinstance(event, RequestFailed):
            self._note("failed", event.request)
        elif isinstance(event, Resynchronised):
            self._note("resynchronised")
        elif (kind := type(event).__name__) == "Retried":
            self._note("again", getattr(event, "request", None))
        elif kind == "ReplyDropped":
            self._note("dropped")

    def last(self) -> Sequence[LoggedRequest]:
        """Return them, the newest first."""
        return tuple(
            LoggedRequest(number, instant, outcome, *(asked if isinstance(asked, tuple) else _told(asked)), size, code)
            for number, instant, outcome, asked, size, code in reversed(self._kept)
        )

    def _note(
        self, outcome: str, request: Request | None = None, size: int | None = None, code: int | None = None
    ) -> None:
        # This is done for each request of each meter, and hardly ever looked at: words are for then. What is written is dropped now.
        self._number += 1
        asked = request if isinstance(request, Read | PartialRead) else _told(request)
        self._kept.append((self._number, self._monotonic(), outcome, asked, size, code))


_Told = tuple[str, str, int | None, int | None]
_Heard = tuple[int, float, str, Read | PartialRead | _Told, int | None, int | None]


def _told(request: Request | None) -> _Told:
    match request:
        case Read():
            return "read", table_name(request.table), None, None
        case PartialRead(offset=offset, count=count):
            return "read", table_name(request.table), offset, count
        case Write(data=data):
            return "write", table_name(request.table), None, len(data)
        case PartialWrite(offset=offset, data=data):
            return "write", table_name(request.table), offset, len(data)
        case _:
            return "", "", None, None
