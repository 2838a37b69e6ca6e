"""The pause Business Central asks for: while it lasts no call goes out; after it one call is tried, and the others follow it.

Business Central allows 6,000 requests in 5 minutes and 5 at once for each user ("Operational limits online"); above that
it answers 429, and 503 from an overloaded gateway, mostly with ``Retry-After``. Calls within the pause make it longer.

A call that meets a pause waits, but no longer than was asked for when it came: if the first call after the pause is sent
away again, those that waited get :class:`~piprint.errors.BcThrottled`, too.

This module does not know HTTP; it counts in seconds of the running loop.
"""

from __future__ import annotations

import asyncio

from piprint.errors import BcError, BcThrottled

__all__ = ["Circuit"]

_PAUSING = frozenset({429, 503})
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
"""Seconds, when the answer does not say how long: doubled each time, up to this."""


class Circuit:
    """Lets calls through, or makes them wait."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._first: asyncio.Future[None] | None = None
        self._pause = _FIRST_PAUSE

    @property
    def pause(self) -> float:
        """Return how many seconds the pause still lasts; 0 when calls go out."""
        return 0.0 if self._until is None else max(self._until - asyncio.get_running_loop().time(), 0.0)

    async def enter(self) -> bool:
        """Wait until a call may go out; return whether it is the first after a pause.

        :meth:`leave` or :meth:`abandon` must follow.

        Raises:
            BcThrottled: the pause was prolonged meanwhile.
        """
        until = self._until
        while self._until is not None:
            if self._until != until:
                raise self._sent_away()
            if self._first is not None:
                await asyncio.wait([self._first])
            elif self.pause > 0:
                await asyncio.sleep(self.pause)
            else:
                self._first = asyncio.get_running_loop().create_future()
                return True
        return False

    def leave(self, error: BcError | None, *, first: bool) -> None:
        """Say how a call was answered: well (None), or by an error."""
        if isinstance(error, BcThrottled) and error.status in _PAUSING:
            self._prolong(error.retry_after, again=first)
        elif first:
            self._until = None
            self._pause = _FIRST_PAUSE
        if first:
            self.abandon(first=True)

    def abandon(self, *, first: bool) -> None:
        """Say that a call got no answer, or was given up; if it was the first, another one takes its place."""
        if first and self._first is not None:
            if not self._first.done():
                self._first.set_result(None)
            self._first = None

    def _prolong(self, asked: float | None, *, again: bool) -> None:
        if again:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        until = asyncio.get_running_loop().time() + (self._pause if asked is None else asked)
        # Several calls may be out when the limit is reached: their answers are one pause, the longest.
        self._until = until if self._until is None or again else max(until, self._until)

    def _sent_away(self) -> BcThrottled:
        return BcThrottled(
            f"Business Central asks to wait {self.pause:.0f} s more; calls wait here so long.",
            retry_after=self.pause,
            status=429,
        )
