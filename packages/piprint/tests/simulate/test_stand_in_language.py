"""States in three languages, as captions and as names; and a replica that lags."""

import pytest

from piprint.contract import CAPTIONS, JobState, read_state
from piprint.simulate.extension.database import Lag


async def states(ask, **headers):
    rows = (await ask("GET", "PIPrintQueueWS", select="Status", headers=headers)).json["value"]
    return [row["Status"] for row in rows]


@pytest.fixture
async def one_each(ask):
    for state in JobState:
        ask.bc.database.change_job(ask.print(), {"status": state})
    return ask


@pytest.mark.parametrize("language", ["en", "da", "de"])
async def test_captions_in_the_language_of_the_request_or_of_the_server(one_each, language):
    captions = list(CAPTIONS[language].values())
    assert await states(one_each, **{"Accept-Language": f"{language}-XX"}) == captions
    one_each.bc.habits.language = language
    assert await states(one_each) == captions
    assert (await states(one_each, **{"Accept-Language": "en-US"}))[0] == "OnHold"
    one_each.bc.habits.obey_language = False
    assert await states(one_each, **{"Accept-Language": "en-US"}) == captions


async def test_names_and_encoded_captions(one_each):
    one_each.bc.habits.language = "da"
    one_each.bc.habits.options = "name"
    assert (await states(one_each))[0] == "Hold"
    one_each.bc.habits.options = "encoded"
    assert (await states(one_each))[1] == "I_x0020_k_x00F8_"
    assert [read_state(text) for text in await states(one_each)] == list(JobState)
    rows = (await one_each("GET", one_each.api + "printJobs")).json["value"]
    assert [row["status"] for row in rows] == ["Hold", "Queued", "Error", "Cancelled", "Printing", "Printed"]


@pytest.mark.parametrize("told", ["Printing", "Udskriver", "printing"])
async def test_a_state_is_written_and_filtered_by_the_session_s_caption_or_the_name(ask, told):
    ask.bc.habits.language = "da"
    ask.print()
    assert (await ask("PATCH", "PIPrintQueueWS(1)", {"Status": told}, tag="*")).json["Status"] == "Udskriver"
    assert len((await ask("GET", "PIPrintQueueWS", filter=f"Status eq '{told}'")).json["value"]) == 1


async def test_another_language_s_caption_is_refused(ask):
    ask.print()
    for reply in (
        await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Udskriver"}, tag="*"),
        await ask("GET", "PIPrintQueueWS", filter="Status eq 'Udskriver'"),
    ):
        assert (reply.status, reply.code) == (400, "BadRequest")


READ_ONLY = {"Data-Access-Intent": "ReadOnly"}


async def seen(ask, **headers):
    rows = (await ask("GET", "PIPrintQueueWS", select="RowNo,Status", headers=headers)).json["value"]
    return {row["RowNo"]: row["Status"] for row in rows}


async def test_a_replica_that_is_seconds_behind(ask, clock):
    ask.bc.database.lag = Lag(seconds=10)
    ask.print()
    clock.move(seconds=6)
    ask.bc.people.cancel(1)
    assert (await seen(ask, **READ_ONLY), await seen(ask)) == ({}, {1: "Cancelled"})
    clock.move(seconds=5)
    assert await seen(ask, **READ_ONLY) == {1: "Queued"}
    counters = await ask("GET", "PIPrintPrinterWS(1)", headers=READ_ONLY)
    assert counters.json["NoQueued"] == 1
    clock.move(seconds=5)
    assert await seen(ask, **READ_ONLY) == {1: "Cancelled"}


async def test_a_replica_that_is_writes_behind(ask):
    ask.bc.database.lag = Lag(writes=2)
    ask.print()
    assert await seen(ask, **READ_ONLY) == {}
    ask.print()
    assert await seen(ask, **READ_ONLY) == {}
    ask.bc.people.hold(2)
    assert await seen(ask, **READ_ONLY) == {1: "Queued"}
    assert await seen(ask, **{"Data-Access-Intent": "ReadWrite"}) == {1: "Queued", 2: "OnHold"}


async def test_the_replica_s_tag_is_stale(ask):
    ask.print()
    ask.bc.database.lag = Lag(writes=1)
    ask.bc.people.cancel(1)
    row = (await ask("GET", "PIPrintQueueWS(1)", headers=READ_ONLY)).json
    assert row["Status"] == "Queued"
    assert (await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing"}, tag=row["@odata.etag"])).status == 409


async def test_the_replica_keeps_no_more_than_it_needs(ask, clock):
    ask.bc.database.lag = Lag(seconds=10)
    for _ in range(50):
        ask.print()
        clock.move(seconds=1)
    assert len(ask.bc.database._history) <= 11


async def test_nothing_is_written_read_only(ask):
    for method, path in (("PATCH", "PIPrintQueueWS(1)"), ("POST", "PIPrintPrinterWS")):
        reply = await ask(method, path, {}, tag="*", headers=READ_ONLY)
        assert (reply.status, reply.code) == (400, "BadRequest")
