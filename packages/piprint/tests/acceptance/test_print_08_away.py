"""Acceptance 8, 11, 12 and 19: Business Central is away, answers too late, throttles, speaks Danish, shows yesterday."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from office import Office
from printshop import until

from piprint.contract import JobState
from piprint.simulate.login import Accounts

BOTH = pytest.mark.parametrize("extension", ["1.0", "2.0"])


@BOTH
async def test_08_away_after_the_claim_prints_meanwhile_and_reports_later(extension):
    short_lived = {"accounts": Accounts(token_seconds=2)}
    async with Office("one", extension=extension, bc=short_lived) as office:
        office.cups.behave("one", sleep=1)
        await office.start()
        job = office.print("one")
        await until(lambda: office.job(job).status is JobState.PRINTING)
        await until(lambda: office.at_printer("one"), what="the job at the printer")
        await office.bc.go_away()
        await office.cups.wait_ledger(1)
        await asyncio.sleep(2)  # the token is no longer good
        assert office.job(job).status is JobState.PRINTING
        await office.bc.come_back()
        await office.becomes(JobState.PRINTED, job)
        assert office.printed() == [job]
        assert office.bc.log.tokens >= 2


@BOTH
async def test_08_clock_jumps_of_business_central_change_nothing(extension):
    skew = timedelta(hours=-2)

    def now() -> datetime:
        return datetime.now(UTC) + skew

    async with Office("one", extension=extension, bc={"now": now}) as office:
        office.cups.behave("one", sleep=0.5)
        await office.start()
        jobs = [office.print("one") for _ in range(4)]
        for jump in (timedelta(hours=3), timedelta(days=-1), timedelta(0)):
            await until(lambda: any(office.job(each).status is JobState.PRINTING for each in jobs))
            skew = jump
            await asyncio.sleep(0.5)
        await office.becomes(JobState.PRINTED, *jobs)
        assert office.printed() == jobs


CALLS_THAT_CLAIM = {"1.0": ("PATCH", "PIPrintQueueWS"), "2.0": ("POST", "Microsoft.NAV.claim")}
CALLS_THAT_REPORT = {"1.0": ("PATCH", "PIPrintQueueWS"), "2.0": ("POST", "Microsoft.NAV.finish")}


@BOTH
async def test_11_unknown_outcome_of_the_claim(extension):
    method, path = CALLS_THAT_CLAIM[extension]
    async with Office("one", extension=extension) as office:
        await office.start()
        lost = office.bc.faults.add("reset after", method=method, path=path, body="laim", times=2)
        jobs = [office.print("one") for _ in range(3)]
        await office.becomes(JobState.PRINTED, *jobs)
        assert lost.hit == 2
        assert office.printed() == jobs


@BOTH
async def test_11_unknown_outcome_of_the_report(extension):
    method, path = CALLS_THAT_REPORT[extension]
    async with Office("one", extension=extension) as office:
        await office.start()
        body = "Printed" if extension == "1.0" else ""
        lost = office.bc.faults.add("reset after", method=method, path=path, body=body, times=2)
        jobs = [office.print("one") for _ in range(3)]
        await office.becomes(JobState.PRINTED, *jobs)
        await asyncio.sleep(0.5)
        assert lost.hit == 2
        assert office.printed() == jobs
        assert {office.job(job).status for job in jobs} == {JobState.PRINTED}


@BOTH
async def test_11_every_answer_lost_now_and_then(extension):
    async with Office("one", "two", extension=extension) as office:
        await office.start()
        for nth in range(2, 60, 7):
            office.bc.faults.add("reset after", nth=nth)
            office.bc.faults.add("reset before", nth=nth + 3)
            office.bc.faults.add("html", nth=nth + 5, status=502)
        jobs = [office.print(queue) for _ in range(5) for queue in ("one", "two")]
        await office.becomes(JobState.PRINTED, *jobs, seconds=60)
        assert Counter(office.printed()) == Counter(jobs)


async def test_12_throttling_is_obeyed_and_ends():
    interval, pause = 0.5, 3
    async with Office("one", poll=interval) as office:
        await office.start()
        await asyncio.sleep(1)
        storm = office.bc.faults.add("status", path="/BC/", status=429, retry_after=pause, times=0)
        await until(lambda: storm.hit)
        first = storm.hit
        await asyncio.sleep(2 * pause)
        assert storm.hit - first <= 4, (
            f"{storm.hit - first} calls in {2 * pause} s, though each was told to wait {pause} s"
        )
        job = office.print("one")
        office.bc.faults.clear()
        cleared = asyncio.get_running_loop().time()
        await office.becomes(JobState.PRINTED, job)
        took = asyncio.get_running_loop().time() - cleared
        assert took < pause * 1.5 + 2 * interval + 1, f"{took:.1f} s after the storm"


async def test_12_idle_costs_a_call_per_poll_and_no_token():
    """An hour at 5 s is 720 polls; here 24 of them, at a quarter of a second."""
    polls, interval = 24, 0.25
    async with Office("one", poll=interval) as office:
        await office.start()
        await asyncio.sleep(1)
        tokens, calls = office.bc.log.tokens, office.bc.log.calls
        await asyncio.sleep(polls * interval)
        assert 0.5 * polls <= office.bc.log.calls - calls <= polls + 1
        assert office.bc.log.tokens == tokens == 1


@pytest.mark.parametrize("language", ["en", "da", "de"])
async def test_19_captions_in_the_servers_own_language(language):
    async with Office("one", extension="1.0") as office:
        office.bc.habits.language, office.bc.habits.obey_language = language, False
        await _prints_and_obeys(office)


async def test_19_names_in_place_of_captions():
    async with Office("one", extension="1.0") as office:
        office.bc.habits.options = "name"
        await _prints_and_obeys(office)


async def _prints_and_obeys(office: Office) -> None:
    office.cups.behave("one", sleep=0.5)
    await office.start()
    first, held = office.print("one"), office.print("one")
    office.bc.people.hold(held)
    await office.becomes(JobState.PRINTED, first)
    await asyncio.sleep(0.5)
    assert office.job(held).status is JobState.HOLD
    office.bc.people.restart(held)
    await office.becomes(JobState.PRINTED, held)
    assert office.printed() == [first, held]


@BOTH
async def test_19_lagging_replica_leads_to_no_second_claim(extension):
    async with Office("one", extension=extension) as office:
        await office.start()
        office.bc.database.lag.seconds = 1
        jobs = [office.print("one") for _ in range(5)]
        await office.becomes(JobState.PRINTED, *jobs)
        await asyncio.sleep(1.5)
        assert office.printed() == jobs
        assert {printed.title.partition("_")[0] for printed in office.cups.ledger()} == {
            f"bc-BC-{job}-1" for job in jobs
        }
