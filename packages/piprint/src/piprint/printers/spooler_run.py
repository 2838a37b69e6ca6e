"""Has CUPS run on since a job was handed to it? A subscription tells, also after this process was killed.

CUPS's printer-up-time is the time of day, so it tells nothing. A pull subscription (RFC 3995; RFC 3996) to the events
``server-started`` and ``server-restarted`` does, measured with CUPS 2.4.2: after a start in good order, after a reload and
after a kill it holds such an event, if CUPS had saved it by then; else CUPS no longer knows it. Only a subscription without
events proves that CUPS has run on. A random word in it tells it from another one that got the same number.

One subscription serves all queues of a CUPS. It is found again after a restart of ours, so they do not pile up, and CUPS
deletes it when nobody renews it. A CUPS whose policy refuses subscriptions tells nothing.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from contextlib import suppress
from typing import Final

from piprint.errors import PrinterError, PrinterRefused
from piprint.ipp.client import IppClient
from piprint.ipp.codec import Group, attribute
from piprint.ipp.registry import Delimiter, Operation, Status, Tag

__all__ = ["SpoolerRun"]

_EVENTS: Final = ("server-restarted", "server-started")
_MARK: Final = b"piprint "
_LEASE: Final = 7 * 86400
"""Seconds until CUPS forgets a subscription that nobody renews; longer than any job takes."""
_RENEW_EVERY: Final = 1800.0
"""Seconds: less than a CUPS grants whose MaxLeaseDuration is an hour."""
_AGAIN_AFTER: Final = 60.0
"""Seconds until CUPS is asked again that did not answer, or not as CUPS does."""
_FORGOTTEN: Final = frozenset({Status.NOT_FOUND, Status.GONE})


class SpoolerRun:
    """Watches whether one CUPS runs on.

    Args:
        client: asks that CUPS, not one of its queues.
    """

    def __init__(self, client: IppClient) -> None:
        self._client = client
        self._lock = asyncio.Lock()
        self._token = ""
        self._connection = 0
        self._renewed = -math.inf

    async def token(self, connection: int) -> str:
        """Return what tells this run of CUPS from any other; "" when it lets us have no subscription, or does not answer.

        Args:
            connection: a number that changes whenever CUPS may have restarted; while it is the same, CUPS is not asked.
        """
        async with self._lock:  # its queues ask one after the other, so that all of them get the same
            now = asyncio.get_running_loop().time()
            if connection == self._connection and now - self._renewed < _RENEW_EVERY:
                return self._token
            try:
                self._token = await self._found() or await self._made()
                renewed = now
            except PrinterError as error:  # whoever prints does not need it: a proxy may let only the queues through
                self._token = ""
                renewed = now if isinstance(error, PrinterRefused) else now - _RENEW_EVERY + _AGAIN_AFTER
            self._connection, self._renewed = connection, renewed
            return self._token

    async def is_same(self, token: str) -> bool | None:
        """Tell whether CUPS has run on since :meth:`token` returned this; None when it does not tell, or does not answer."""
        number, _, word = token.partition(".")
        try:
            if not number.isdecimal() or await self._has_events(int(number)):
                return False
            told = await self._client.ask(
                Operation.GET_SUBSCRIPTION_ATTRIBUTES,
                [attribute("notify-subscription-id", Tag.INTEGER, int(number))],
            )
        except PrinterError as error:
            return False if isinstance(error, PrinterRefused) and error.status in _FORGOTTEN else None
        return _word(told.first(Delimiter.SUBSCRIPTION)) == word

    async def close(self) -> None:
        """Close the connection. The subscription stays: the next start asks it."""
        await self._client.close()

    async def _found(self) -> str:
        """Return the subscription of ours that has seen no restart, renewed; cancel the others."""
        try:
            asked = attribute("my-subscriptions", Tag.BOOLEAN, True)
            answer = await self._client.ask(Operation.GET_SUBSCRIPTIONS, [asked])
        except PrinterRefused as refusal:
            if refusal.status not in _FORGOTTEN:  # CUPS says so when there is none at all
                raise
            return ""
        for told in answer.all(Delimiter.SUBSCRIPTION):
            number, word = told.integer("notify-subscription-id"), _word(told)
            if number is None or not word:
                continue
            identified = attribute("notify-subscription-id", Tag.INTEGER, number)
            if await self._has_events(number):
                with suppress(PrinterRefused):
                    await self._client.ask(Operation.CANCEL_SUBSCRIPTION, [identified])
                continue
            lease = attribute("notify-lease-duration", Tag.INTEGER, _LEASE)
            await self._client.ask(Operation.RENEW_SUBSCRIPTION, [identified], subscription=[lease])
            return f"{number}.{word}"
        return ""

    async def _made(self) -> str:
        word = secrets.token_hex(8)
        answer = await self._client.ask(
            Operation.CREATE_PRINTER_SUBSCRIPTIONS,
            subscription=[
                attribute("notify-pull-method", Tag.KEYWORD, "ippget"),
                attribute("notify-events", Tag.KEYWORD, *_EVENTS),
                attribute("notify-user-data", Tag.OCTET_STRING, _MARK + word.encode()),
                attribute("notify-lease-duration", Tag.INTEGER, _LEASE),
            ],
        )
        number = answer.first(Delimiter.SUBSCRIPTION).integer("notify-subscription-id")
        return f"{number}.{word}" if number else ""

    async def _has_events(self, number: int) -> bool:
        answer = await self._client.ask(
            Operation.GET_NOTIFICATIONS, [attribute("notify-subscription-ids", Tag.INTEGER, number)]
        )
        return bool(answer.all(Delimiter.EVENT_NOTIFICATION))


def _word(subscription: Group) -> str:
    """Return the random word of a subscription of ours; "" of another's."""
    data = next(iter(subscription.values("notify-user-data")), b"")
    return data[len(_MARK) :].decode("ascii", "replace") if isinstance(data, bytes) and data.startswith(_MARK) else ""
