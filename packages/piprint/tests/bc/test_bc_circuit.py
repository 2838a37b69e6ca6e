"""The pause: nothing goes out while it lasts, one goes first after it, nobody waits longer than was asked."""

import asyncio

import pytest

from piprint.bc.http.throttling import Circuit
from piprint.errors import BcMissing, BcThrottled

pytestmark = pytest.mark.virtual_clock


def busy(retry_after=None, status=429):
    return BcThrottled("busy", retry_after=retry_after, status=status)


def clock():
    return asyncio.get_running_loop().time()


async def call(circuit, error=None, *, takes=1.0, log=None):
    first = await circuit.enter()
    if log is not None:
        log.append((clock(), first))
    await asyncio.sleep(takes)
    circuit.leave(error, first=first)
    return first


async def test_without_a_pause_all_go_at_once():
    circuit = Circuit()
    assert await asyncio.gather(*(call(circuit) for _ in range(9))) == [False] * 9
    assert clock() == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_during_the_pause_calls_wait_and_one_goes_first(status):
    circuit, log = Circuit(), []
    await call(circuit, busy(30, status), takes=0)
    assert circuit.pause == 30
    await asyncio.gather(*(call(circuit, log=log) for _ in range(4)))
    assert log == [(30, True), (31, False), (31, False), (31, False)]
    assert circuit.pause == 0


@pytest.mark.parametrize("status", [408, 500, 502, 504])
async def test_other_failures_are_one_calls_and_make_no_pause(status):
    circuit = Circuit()
    await call(circuit, busy(30, status), takes=0)
    assert circuit.pause == 0


async def test_those_who_waited_are_sent_away_when_the_first_is():
    circuit = Circuit()
    await call(circuit, busy(10), takes=0)
    first = asyncio.ensure_future(call(circuit, busy(20), takes=0))
    await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(call(circuit)) for _ in range(3)]
    started = clock()
    done = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert done[0] is True
    assert [type(error) for error in done[1:]] == [BcThrottled] * 3
    assert [error.retry_after for error in done[1:]] == [20] * 3
    assert clock() - started == 10


async def test_a_pause_without_a_length_doubles_up_to_a_minute():
    circuit, pauses = Circuit(), []
    for _ in range(8):
        await call(circuit, busy(), takes=0)
        pauses.append(circuit.pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    await call(circuit, takes=0)
    await call(circuit, busy(), takes=0)
    assert circuit.pause == 1


async def test_answers_to_calls_that_were_out_together_are_one_pause():
    circuit = Circuit()
    firsts = [await circuit.enter() for _ in range(4)]
    for first in firsts:
        circuit.leave(busy(), first=first)
    assert circuit.pause == 1
    firsts = [False, False]
    circuit.leave(busy(40), first=False)
    circuit.leave(busy(5), first=False)
    assert circuit.pause == 40


async def test_a_call_that_was_out_before_does_not_end_the_pause():
    circuit = Circuit()
    assert not await circuit.enter()
    await call(circuit, busy(30), takes=0)
    circuit.leave(None, first=False)
    assert circuit.pause == 30


async def test_any_other_answer_to_the_first_call_ends_the_pause():
    circuit = Circuit()
    await call(circuit, busy(30), takes=0)
    assert await call(circuit, BcMissing("gone", status=404))
    assert circuit.pause == 0
    assert not await call(circuit)


async def test_a_first_call_given_up_lets_another_go_first():
    circuit, log = Circuit(), []
    await call(circuit, busy(10), takes=0)
    assert await circuit.enter()
    next_one = asyncio.ensure_future(call(circuit, log=log))
    await asyncio.sleep(100)
    assert log == []
    circuit.abandon(first=True)
    assert await next_one
