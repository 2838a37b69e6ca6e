"""Until Business Central has answered, every call tries to connect; after it, calls go through as they are."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from piprint.bc.queue import Queue
from piprint.bc.reconnecting import ReconnectingQueue
from piprint.errors import BcError, BcRefused, BcUnreachable, ConfigError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CALLS = sorted(name for name, call in vars(Queue).items() if inspect.iscoroutinefunction(call) and name != "close")


def now() -> datetime:
    return NOW


class Behind:
    """A queue that notes what it is asked, and answers with the names of the calls."""

    dialect, says_state = "2.0", False

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[object, ...], dict[str, object]]] = []
        self.breaks = False
        self.closed = 0

    @property
    def calls(self) -> int:
        return len(self.asked)

    def __getattr__(self, name: str) -> Any:
        async def call(*args: object, **more: object) -> str:
            self.asked.append((name, args, more))
            if self.breaks:
                raise BcUnreachable("gone again")
            return f"answer of {name}"

        return call

    async def close(self) -> None:
        self.closed += 1


class Far:
    """What connects: fails with each of these errors in turn, then reaches a queue."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.behind = Behind()

    async def connect(self) -> Any:
        self.tries += 1
        await self.may_answer.wait()
        if self.errors:
            raise self.errors.pop(0)
        return self.behind


def arguments(name: str) -> tuple[list[object], dict[str, object]]:
    """Return an argument of its own for each parameter that the protocol has for a call."""
    parameters = list(inspect.signature(getattr(Queue, name)).parameters.values())[1:]
    named = {each.name: object() for each in parameters if each.kind is each.KEYWORD_ONLY}
    return [object() for each in parameters if each.kind is not each.KEYWORD_ONLY], named


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_goes_through_with_its_arguments_and_its_answer(name: str) -> None:
    far = Far()
    queue = ReconnectingQueue(far.connect, now=now)
    args, named = arguments(name)
    assert await getattr(queue, name)(*args, **named) == f"answer of {name}"
    assert far.behind.asked == [(name, tuple(args), named)]


async def test_each_call_tries_to_connect_until_one_succeeds() -> None:
    far = Far(BcUnreachable("no network"), BcUnreachable("no network"))
    queue = ReconnectingQueue(far.connect, now=now)
    for _ in range(2):
        with pytest.raises(BcUnreachable, match="no network"):
            await queue.check()
    assert (queue.dialect, queue.last_answer, queue.failed, queue.calls) == ("", None, 2, 2)
    await queue.check()
    await queue.check()
    assert far.tries == 3, "who is connected stays so"
    assert (queue.dialect, queue.says_state, queue.last_answer) == ("2.0", False, now())
    assert (queue.failed, queue.calls) == (2, 4)


async def test_a_call_that_fails_later_counts_and_does_not_connect_anew() -> None:
    far = Far()
    times = [now(), now() + timedelta(hours=1)]
    queue = ReconnectingQueue(far.connect, now=lambda: times.pop(0))
    await queue.check()
    far.behind.breaks = True
    with pytest.raises(BcUnreachable, match="gone again"):
        await queue.check()
    assert (queue.failed, far.tries) == (1, 1)
    assert queue.last_answer == now(), "of the last good answer"


async def test_a_certificate_that_is_not_there_yet_is_a_refusal_that_may_pass() -> None:
    far = Far(ConfigError("/etc/piprint/key.pem is not there"))
    queue = ReconnectingQueue(far.connect, now=now)
    with pytest.raises(BcRefused, match=r"key\.pem is not there"):
        await queue.check()
    assert await queue.row(1) == "answer of row"


async def test_who_asks_meanwhile_shares_the_try_and_its_failure() -> None:
    far = Far(BcUnreachable("no network"))
    far.may_answer.clear()
    queue = ReconnectingQueue(far.connect, now=now)
    asked = [asyncio.create_task(queue.check()) for _ in range(3)]
    await asyncio.sleep(0)
    far.may_answer.set()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(each) for each in found] == ["no network"] * 3
    assert (far.tries, queue.failed) == (1, 3)


async def test_who_gives_up_waiting_does_not_end_the_try_for_others() -> None:
    far = Far()
    far.may_answer.clear()
    queue = ReconnectingQueue(far.connect, now=now)
    impatient, patient = (asyncio.create_task(queue.check()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    far.may_answer.set()
    assert await patient == "answer of check"  # type: ignore[func-returns-value]
    assert far.tries == 1


async def test_closing_ends_a_try_and_closes_what_was_reached() -> None:
    far = Far()
    queue = ReconnectingQueue(far.connect, now=now)
    await queue.check()
    await queue.close()
    assert far.behind.closed == 1

    far.may_answer.clear()
    queue = ReconnectingQueue(far.connect, now=now)
    asked = asyncio.create_task(queue.check())
    await asyncio.sleep(0)
    await queue.close()
    (ended,) = await asyncio.gather(asked, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
    assert not isinstance(ended, BcError)
    assert far.behind.closed == 1, "the second try reached nothing"


@pytest.mark.virtual_clock
async def test_calls_of_the_last_hour_forget_those_before_it() -> None:
    queue = ReconnectingQueue(Far().connect, now=now)
    await queue.check()
    assert queue.calls_last_hour() == 1
    for _ in range(10):
        await asyncio.sleep(600)
        await queue.check()
    assert queue.calls == 11
    assert queue.calls_last_hour() == 7, "after 40, 50, ... 100 minutes"
