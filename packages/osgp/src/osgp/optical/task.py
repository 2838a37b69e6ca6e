"""What the user of a client wants: a request or a goal, how far it has come, and how much patience is used up for it.

A message holds a limited number of bytes; a longer answer is refused as *onp*. A partial read can be cut into several. A
write cannot: between its parts the table would hold a mixture, so the caller has to say where to cut.

A pending table comes with its event description of six bytes before the data, each time it is read: it is part of
the count, but not of the offset (Optical guide v1.1 p. 9). It is cut off from all parts but the first.

This module does not know how a part is sent, nor what a session is.
"""

from __future__ import annotations

from enum import Enum, auto

from osgp.errors import MisuseError, OsgpError
from osgp.optical.diagnosis import Hearing
from osgp.optical.events import RequestFailed, ResponseReceived, SessionFailed
from osgp.optical.retries import Spent
from osgp.optical.rights import PENDING
from osgp.optical.timing import Limits
from osgp.psem import PartialRead, PartialWrite, Request, Response, Write

__all__ = ["Goal", "Task"]

EVENT_DESCRIPTION = 6
"""Bytes before the data of a pending table (p. 8-10)."""


class Goal(Enum):
    """What can be wanted beside a request."""

    IDENTITY = auto()
    LOGIN = auto()


class Task:
    """One request, or one goal."""

    __slots__ = (
        "_data",
        "_head",
        "hearing",
        "spent",
        "wanted",
    )

    def __init__(self, wanted: Request | Goal) -> None:
        self.wanted = wanted
        self.hearing = Hearing()
        self.spent = Spent()
        pending = isinstance(wanted, PartialRead) and PENDING <= wanted.table < 2 * PENDING
        self._head = EVENT_DESCRIPTION if pending else 0
        self._data = b""

    @property
    def request(self) -> Request | None:
        """The request; None for a goal."""
        return None if isinstance(self.wanted, Goal) else self.wanted

    @property
    def writes(self) -> bool:
        """Tell whether it changes the meter."""
        return isinstance(self.wanted, Write | PartialWrite)

    def next_service(self, limits: Limits) -> Request:
        """Return the part of the request to be asked now.

        Raises:
            MisuseError: a write that does not fit one message; the text says how many bytes would.
        """
        match self.wanted:
            case PartialRead(table, offset, count):
                if self._data:
                    offset += len(self._data) - self._head
                    count += self._head - len(self._data)
                return PartialRead(table, offset, min(count, limits.read))
            case Goal():
                raise MisuseError("a goal is no request")
            case Write(_, data) if len(data) > limits.full_write:
                raise _too_long(len(data), limits.full_write)
            case PartialWrite(_, _, data) if len(data) > limits.partial_write:
                raise _too_long(len(data), limits.partial_write)
            case request:
                return request

    def take(self, response: Response) -> ResponseReceived | None:
        """Add the answer to a part; return the answer to the whole when it is complete."""
        if isinstance(self.wanted, Goal):
            return None
        if response.ok and isinstance(self.wanted, PartialRead):
            self._data += response.data[self._head :] if self._data else response.data
            if len(self._data) < self.wanted.count:
                return None
            response = Response(response.code, self._data)
        return ResponseReceived(self.wanted, response)

    def failed(self, error: OsgpError) -> RequestFailed | SessionFailed:
        """Return what to tell its user."""
        return SessionFailed(error) if isinstance(self.wanted, Goal) else RequestFailed(self.wanted, error)


def _too_long(size: int, most: int) -> MisuseError:
    return MisuseError(f"this meter takes at most {most} bytes in one such write, not {size}; write in parts")
