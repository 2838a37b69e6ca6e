"""Has CUPS run on since a job was handed to it? A subscription tells, also after this process was killed.

CUPS's printer-up-time is the time of day, so it tells nothing. A pull subscription (RFC 3995; RFC 3996) to the events
``server-started`` and ``server-restarted`` does, measured with CUPS 2.4.2: after an orderly restart, after a reload and
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
from weakref import WeakValueDictionary

from piprint.errors import PrinterError, PrinterRefused
from piprint.ipp.client import IppClient
from piprint.ipp.codec import Group, MalformedIpp, attribute
from piprint.ipp.registry import Delimiter, Operation, Status, Tag

__all__ = ["SpoolerRun"]

_EVENTS: Final = ("server-restarted", "server-started")
_MARK: Final = b"piprint "
_LEASE: Final = 7 * 86400
"""Seconds until CUPS forgets a subscription that nobody renews; longer than any job takes."""
_RENEW_EVERY: Final = 1800.0
"""Seconds: less than a CUPS grants whose MaxLeaseDuration is an hour."""
_ONE_AT_A_TIME: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()
"""By CUPS's address: its queues look for a subscription one after the other, so that all of them find the same."""
_PATIENCE: Final = 5.0
"""Seconds for such a question: jobs wait for it."""
_NOT_NOW: Final = 300.0
"""Seconds until it is tried again after it failed otherwise than by a refusal; a proxy may pass on only the queues."""
_FAILURES: Final = (PrinterError, MalformedIpp, TimeoutError)
_FORGOTTEN: Final = frozenset({Status.NOT_FOUND, Status.GONE})


class SpoolerRun:
    """Watches whether one CUPS runs on. No failure of these questions is one of a job: then nothing is known.

    Args:
        client: asks that CUPS, not one of its queues.
    """

    def __init__(self, client: IppClient) -> None:
        self._client = client
        self._lock = _ONE_AT_A_TIME.setdefault(client.uri, asyncio.Lock())
        self._token = ""
        self._run = 0
        self._ask_from = -math.inf

    async def token(self, run: int) -> str:
        """Return what tells this run of CUPS from any other; "" when that cannot be had.

        Args:
            run: a number that changes whenever CUPS may have restarted; while it is the same, CUPS is not asked.
        """
        async with self._lock:  # its queues ask one after the other, so that all of them get the same
            if run == self._run and _now() < self._ask_from:
                return self._token
            pause = _RENEW_EVERY
            try:
                async with asyncio.timeout(_PATIENCE):
                    self._token = await self._found() or await self._made()
            except PrinterRefused:
                self._token = ""
            except _FAILURES:
                self._token, pause = "", _NOT_NOW
            self._run, self._ask_from = run, _now() + pause
            return self._token

    async def is_same(self, token: str) -> bool | None:
        """Tell whether CUPS has run on since :meth:`token` returned this; None when it does not tell."""
        number, _, word = token.partition(".")
        if not number.isdecimal():
            return False
        try:
            async with asyncio.timeout(_PATIENCE):
                if await self._has_events(int(number)):
                    return False
                told = await self._client.ask(
                    Operation.GET_SUBSCRIPTION_ATTRIBUTES,
                    [attribute("notify-subscription-id", Tag.INTEGER, int(number))],
                )
        except PrinterRefused as refusal:
            return False if refusal.status in _FORGOTTEN else None
        except _FAILURES:
            return None
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


def _now() -> float:
    return asyncio.get_running_loop().time()
