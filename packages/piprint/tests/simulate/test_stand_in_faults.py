"""The fault script, the limits, the log, and a Business Central that goes away and comes back."""

import asyncio

import aiohttp
import pytest

from piprint.contract import JobState
from piprint.simulate.faults import FaultError, FaultRule, FaultScript
from piprint.simulate.limits import Limits
from piprint.simulate.request_log import Entry, RequestLog

BROKEN = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


@pytest.mark.parametrize("status", [408, 429, 500, 503, 504, 401])
async def test_an_error_answer_does_nothing(ask, status):
    ask.print()
    ask.bc.faults.add("status", status=status, retry_after=7, method="PATCH")
    reply = await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*")
    assert (reply.status, reply.headers["Retry-After"], "error" in reply.json) == (status, "7", True)
    assert ask.job().status is JobState.QUEUED
    assert (await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*")).status == 200


async def test_a_gateway_s_page(ask):
    ask.bc.faults.add("html", status=502)
    reply = await ask("GET", "PIPrintQueueWS")
    assert (reply.status, reply.headers["Content-Type"], b"<html>" in reply.body) == (502, "text/html", True)
    assert "Retry-After" not in reply.headers


@pytest.mark.parametrize(
    ("kind", "done"), [("reset before", JobState.QUEUED), ("reset after", JobState.PRINTING)], ids=["before", "after"]
)
async def test_a_connection_that_breaks_before_or_after_the_change(ask, kind, done):
    ask.print()
    ask.bc.faults.add(kind)
    with pytest.raises(BROKEN):
        await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*")
    assert ask.job().status is done


async def test_a_stream_that_breaks_off(ask):
    job = ask.print(document=b"x" * 300_000)
    ask.bc.faults.add("cut body", size=100_000, path="/document")
    async with ask.session.get(f"{ask.api}printJobs({job.id})/document", headers=ask.headers) as response:
        assert await response.content.readexactly(90_000) == b"x" * 90_000
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.readexactly(20_000)


async def test_a_body_that_breaks_off(ask):
    ask.print(document=b"x" * 300_000)
    ask.bc.faults.add("cut body", size=100_000, path="PIPrintQueueWS")
    async with ask.session.get(ask.bc.url + "PIPrintQueueWS(1)", headers=ask.headers) as response:
        assert response.status == 200
        begun = await response.content.readexactly(90_000)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.readexactly(20_000)
    assert begun.startswith(b'{"@odata.context"')


@pytest.mark.virtual_clock
@pytest.mark.parametrize("kind", ["delay", "late", "slow body"])
async def test_slow_answers_are_whole_in_the_end(opened, kind):
    async with opened() as ask:
        ask.add_printer()
        ask.print()
        rule = ask.bc.faults.add(kind, seconds=30)
        started = asyncio.get_running_loop().time()
        asking = asyncio.create_task(ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*"))
        await asyncio.sleep(15)
        assert rule.hit == 1
        assert (ask.job().status is JobState.QUEUED) is (kind == "delay")
        assert (await asking).json["Status"] == "Printing"
        assert 29 <= asyncio.get_running_loop().time() - started < 32


@pytest.mark.virtual_clock
async def test_what_was_asked_is_done_even_if_nobody_waits_for_the_answer(opened):
    async with opened() as ask:
        ask.add_printer()
        ask.print()
        ask.bc.faults.add("delay", seconds=30)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*"), 10)
        assert ask.job().status is JobState.QUEUED
        await asyncio.sleep(21)
        assert ask.job().status is JobState.PRINTING


def test_the_first_rule_that_fits_and_is_not_used_up_decides():
    script = FaultScript()
    second = script.add("status", path="Queue", nth=2, times=2, status=503)
    patch = script.add("reset after", method="PATCH", body="Printed")
    for_ever = script.add("delay", path="Queue(9)", times=0)

    def struck(method="GET", path="/Queue", body=b""):
        return script.take(method, path, body)

    assert [struck(), struck(), struck(), struck()] == [None, second, second, None]
    assert struck("PATCH", "/x", b'"Printing"') is None
    assert struck("PATCH", "/x", b'"Printed"') is patch
    assert [struck(path="Queue(9)") for _ in range(3)] == [for_ever] * 3
    assert (second.hit, patch.hit, for_ever.hit) == (2, 1, 3)
    script.clear()
    assert struck(path="Queue(9)") is None


def test_rules_are_read_from_json():
    told = {"kind": "status", "path": "Queue", "status": 429, "retry_after": 3, "times": 2}
    assert FaultRule.read(told) == FaultRule("status", path="Queue", status=429, retry_after=3, times=2)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"kind": "explode"},
        {"kind": ["status"]},
        {"kind": "status", "status": 99},
        {"kind": "status", "status": "429"},
        {"kind": "status", "nth": True},
        {"kind": "delay", "seconds": float("inf")},
        {"kind": "delay", "seconds": -1},
        {"kind": "delay", "retry_after": "soon"},
        {"kind": "status", "hit": 1},
    ],
)
def test_what_is_no_rule(told):
    with pytest.raises(FaultError):
        FaultRule.read(told)


async def test_the_log_counts_and_keeps_no_secret(ask):
    ask.bc.log.clear()
    await ask.log_in()
    ask.bc.faults.add("reset before", path="Printer")
    ask.print()
    with pytest.raises(BROKEN):
        await ask("POST", "PIPrintPrinterWS", {})
    reply = await ask("GET", "PIPrintQueueWS", filter="HostID eq 'pi'")
    log = ask.bc.log
    assert (log.calls, log.tokens, log.running) == (2, 1, 0)
    assert dict(log.statuses) == {200: 2, 0: 1}
    token, broken, good = log.entries
    assert (token.method, token.path.endswith("/oauth2/v2.0/token"), token.received > 50) == ("POST", True, True)
    assert (broken.status, broken.fault, broken.sent) == (0, "reset before", 0)
    assert (good.path, good.sent) == ("/BC/ODataV4/PIPrintQueueWS?$filter=HostID eq 'pi'", len(reply.body))
    assert log.sent == token.sent + good.sent
    secrets = (ask.bc.login.accounts.secret, ask.headers["Authorization"].split()[1])
    assert not any(secret in repr((log, ask.bc.login.accounts, ask.bc.settings)) for secret in secrets)


def test_the_log_is_bounded_while_the_counters_go_on(clock):
    log = RequestLog()
    for _ in range(1001):
        entry = Entry(clock(), "GET", "/")
        log.begin(entry, token=False)
        log.end(entry)
    assert (len(log.entries), log.calls, log.running, log.most_running) == (1000, 1001, 0, 1)


@pytest.mark.virtual_clock
async def test_more_requests_than_allowed(opened):
    async with opened(limits=Limits(requests=3, window=300)) as ask:
        replies = [await ask("GET", "Company") for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        wait = int(replies[3].headers["Retry-After"])
        assert 300 <= wait <= 301
        await asyncio.sleep(wait)
        assert (await ask("GET", "Company")).status == 200


@pytest.mark.virtual_clock
async def test_five_at_once_others_wait_and_too_many_are_refused(opened):
    async with opened(limits=Limits(at_once=2, waiting=1)) as ask:
        ask.bc.faults.add("delay", seconds=10, times=0, path="Company")
        replies = await asyncio.gather(*(ask("GET", "Company") for _ in range(4)))
        assert sorted(reply.status for reply in replies) == [200, 200, 200, 429]
        assert ask.bc.log.most_running == 4


async def test_gone_and_back_at_the_same_address_with_nothing_forgotten(ask):
    ask.print()
    url = ask.bc.url
    await ask.bc.go_away()
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask("GET", "PIPrintQueueWS")
    await ask.bc.come_back()
    assert ask.bc.url == url
    assert len((await ask("GET", "PIPrintQueueWS")).json["value"]) == 1


async def test_away_breaks_every_connection_and_does_nothing(ask):
    ask.print()
    ask.bc.away = True
    with pytest.raises(BROKEN):
        await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag="*")
    ask.bc.away = False
    assert ask.job().status is JobState.QUEUED
