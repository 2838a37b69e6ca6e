"""Both dialects of the queue against the stand-in: the same promises, whatever answers get lost and whoever interferes."""

import asyncio
import json
import stat
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from piprint.bc.connect import connect
from piprint.bc.job import Claim
from piprint.bc.queue import ClaimOutcome, FinishOutcome, OfferedPrinter, Queue
from piprint.contract import JobState
from piprint.errors import BcDenied, BcError, BcMissing, BcRefused, BcThrottled, BcUnreachable, DocumentError, SpoolFull
from piprint.simulate.server import StandIn

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 300
PAYLOAD = json.dumps({"version": 1, "papertrays": [{"papersourcekind": 7, "paperkind": 9}]})
LATER = timedelta(hours=1)


@pytest.fixture(params=["1.0 row", "1.0 stale", "2.0"])
async def bc(request):
    extension, _, tags = request.param.partition(" ")
    async with StandIn(extension=extension, page=False) as bc:
        bc.habits.tags = tags or "page"
        bc.printer = bc.database.insert_printer({"host_id": "pi", "printer_id": "office", "payload": PAYLOAD})
        yield bc


@pytest.fixture
async def queue(bc, stand_in_settings):
    queue = await connect(stand_in_settings(bc), instance="one")
    bc.log.clear()
    yield queue
    await queue.close()


@pytest.fixture
async def other(bc, stand_in_settings):
    """Return the queue of another processor of the same host."""
    queue = await connect(stand_in_settings(bc), instance="two")
    yield queue
    await queue.close()


@pytest.fixture
def into(tmp_path):
    return tmp_path / "7-1.pdf"


def old(bc):
    return bc.database.extension == "1.0"


def new_claim(attempt=1, instance="one"):
    return Claim.new("pi", instance, attempt)


async def take(bc, queue, into, claim=None):
    """Print and claim a job; return it and the claim."""
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    claim = claim or new_claim()
    claimed = await queue.claim(job, claim, into, lease=60)
    assert claimed.outcome is ClaimOutcome.OURS
    return claimed.row, claim


async def test_a_job_from_queued_to_printed(bc, queue, into):
    bc.people.print(bc.printer.row_no, PDF)
    probe = await queue.probe()
    assert (dict(probe.queued), dict(probe.printing), probe.disabled) == ({"office": 1}, {}, frozenset())
    (job,) = await queue.waiting(["office"], 5)
    assert (job.row_no, job.printer_id, job.state, job.claim) == (1, "office", JobState.QUEUED, None)
    assert json.loads(job.payload)["documenttype"] == "application/pdf"
    assert not into.exists()
    claim = new_claim()
    claimed = await queue.claim(job, claim, into, lease=60)
    assert (claimed.outcome, claimed.size) == (ClaimOutcome.OURS, len(PDF))
    assert claimed.row.state is JobState.PRINTING
    assert claimed.row.claim == claim
    assert claimed.row.attempts == 1
    assert into.read_bytes() == PDF
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    assert [each.row_no for each in await queue.printing()] == [1]
    assert dict((await queue.probe()).printing) == {"office": 1}
    assert await queue.renew(claimed.row, claim, lease=60)
    assert await queue.submitting(claimed.row, claim)
    assert await queue.renew(claimed.row, claim, lease=60)
    now = await queue.row(1)
    assert now.submitted is True
    assert now.claim == claim
    assert await queue.finish(claimed.row, claim, printed=True, message="Printed: 1 page.") is FinishOutcome.DONE
    row = bc.database.job(1)
    assert (row.status, row.message, row.printed is not None) == (JobState.PRINTED, "Printed: 1 page.", True)
    assert await queue.printing() == await queue.waiting(["office"], 5) == []


async def test_claiming_an_old_job_costs_few_calls(bc, queue, into):
    row, claim = await take(bc, queue, into)
    await queue.finish(row, claim, printed=True, message="ok")
    wanted = 3 if old(bc) else 5
    if bc.habits.tags == "stale":
        wanted += 2  # the tag of the claim's answer does not fit: read, and again
    assert bc.log.calls == wanted
    assert queue.counters.tokens == 1


async def test_a_sign_of_life_makes_no_conflict_of_the_report(bc, queue, into):
    row, claim = await take(bc, queue, into)
    await queue.renew(row, claim, lease=60)
    bc.log.clear()
    await queue.finish(row, claim, printed=True, message="ok")
    assert bc.log.statuses == ({200: 2} if old(bc) else {bc.log.entries[0].status: 1})


async def test_both_dialects_are_queues(queue):
    checked: Queue = queue
    assert all(hasattr(checked, name) for name in vars(Queue) if not name.startswith("_"))
    assert checked.dialect


async def test_a_fetch_after_a_restart_brings_the_document_again(bc, queue, into, tmp_path):
    row, _ = await take(bc, queue, into)
    again = tmp_path / "again.pdf"
    again.write_bytes(b"something longer " * 10_000)
    again.chmod(0o644)
    assert await queue.fetch(replace(row, id="", tag=""), again) == len(PDF)
    assert again.read_bytes() == PDF
    assert stat.S_IMODE(again.stat().st_mode) == 0o600


@pytest.mark.parametrize("action", ["hold", "cancel", "delete"])
async def test_what_a_user_did_before_the_claim_stays(bc, queue, into, action):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    getattr(bc.people, action)(1)
    claimed = await queue.claim(job, new_claim(), into, lease=60)
    assert claimed.outcome is ClaimOutcome.CHANGED
    assert claimed.size == 0
    assert (claimed.row is None) == (action == "delete")
    if action != "delete":
        assert bc.database.job(1).status in {JobState.HOLD, JobState.CANCELLED}


async def test_of_two_processors_one_gets_the_job(bc, queue, other, into, tmp_path):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    done = await asyncio.gather(
        queue.claim(job, new_claim(), into, lease=60),
        other.claim(job, new_claim(instance="two"), tmp_path / "other.pdf", lease=60),
    )
    assert sorted(each.outcome.value for each in done) == ["ours", "taken"]


async def test_a_job_changed_but_still_queued_is_claimed_all_the_same(bc, queue, into):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    bc.people.hold(1)
    bc.people.restart(1)
    bc.people.change_printer(bc.printer.row_no, printer_name="Renamed")
    assert (await queue.claim(job, new_claim(), into, lease=60)).outcome is ClaimOutcome.OURS


def change_of(bc):
    """Return what tells a change of a job from other requests."""
    return {"method": "PATCH"} if old(bc) else {"method": "POST", "path": "Microsoft.NAV"}


@pytest.mark.parametrize("fault", ["reset before", "reset after"])
async def test_a_claim_whose_answer_is_lost_is_ours_once(bc, queue, into, fault):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    rule = bc.faults.add(fault, **change_of(bc))
    claim = new_claim()
    claimed = await queue.claim(job, claim, into, lease=60)
    assert rule.hit == 1
    assert (claimed.outcome, claimed.size) == (ClaimOutcome.OURS, len(PDF))
    assert into.read_bytes() == PDF
    assert (await queue.row(1)).claim == claim
    assert bc.database.job(1).attempts == 1
    assert await queue.finish(claimed.row, claim, printed=True, message="ok") is FinishOutcome.DONE


async def test_a_document_cut_short_is_fetched_again(bc, queue, into):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    rule = bc.faults.add("cut body", size=9000, **({"method": "PATCH"} if old(bc) else {"path": "/document"}))
    claim = new_claim()
    with suppress(BcUnreachable):
        await queue.claim(job, claim, into, lease=60)
    claimed = await queue.claim(job, claim, into, lease=60)
    assert rule.hit == 1
    assert (claimed.outcome, claimed.size) == (ClaimOutcome.OURS, len(PDF))
    assert into.read_bytes() == PDF
    assert bc.database.job(1).attempts == 1


@pytest.mark.parametrize("status", [408, 500, 502, 504])
async def test_a_claim_a_gateway_gave_up_is_looked_after(bc, queue, into, status):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    bc.faults.add("html", status=status, **change_of(bc))
    assert (await queue.claim(job, new_claim(), into, lease=60)).outcome is ClaimOutcome.OURS


async def test_a_claim_goes_on_where_it_stood_when_called_again(bc, queue, into):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    claim = new_claim()
    bc.faults.add("reset after", **change_of(bc))
    bc.faults.add("reset before", method="GET", times=6)  # aiohttp tries a GET on a kept connection twice
    with pytest.raises(BcUnreachable):
        await queue.claim(job, claim, into, lease=60)
    bc.faults.clear()
    claimed = await queue.claim(job, claim, into, lease=60)
    assert (claimed.outcome, claimed.size) == (ClaimOutcome.OURS, len(PDF))
    assert bc.database.job(1).attempts == 1


async def test_after_too_many_requests_nothing_was_done_and_it_is_said(bc, queue, into):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    bc.faults.add("status", status=429, retry_after=0, **change_of(bc))
    with pytest.raises(BcThrottled):
        await queue.claim(job, new_claim(), into, lease=60)
    assert bc.database.job(1).status is JobState.QUEUED


@pytest.mark.parametrize("fault", ["reset before", "reset after"])
@pytest.mark.parametrize("end", ["finish", "error", "release"])
async def test_a_report_whose_answer_is_lost_is_made_once(bc, queue, into, fault, end):
    row, claim = await take(bc, queue, into)
    rule = bc.faults.add(fault, **change_of(bc))
    if end == "release":
        assert await queue.release(row, claim, "Given back.") is FinishOutcome.DONE
        assert await queue.release(row, claim, "Given back.") is FinishOutcome.DONE
        state = JobState.QUEUED
    else:
        for _ in range(2):
            done = await queue.finish(row, claim, printed=end == "finish", message="The end.")
            assert done is FinishOutcome.DONE
        state = JobState.PRINTED if end == "finish" else JobState.ERROR
    assert rule.hit == 1
    assert bc.database.job(1).status is state


@pytest.mark.parametrize(
    ("action", "outcome"),
    [("hold", FinishOutcome.CHANGED), ("cancel", FinishOutcome.CHANGED), ("delete", FinishOutcome.GONE)],
)
async def test_what_a_user_did_while_it_printed_stays(bc, queue, into, action, outcome):
    row, claim = await take(bc, queue, into)
    getattr(bc.people, action)(1)
    before = bc.database.tables.jobs.get(1)
    assert await queue.renew(row, claim, lease=60) is False
    assert await queue.submitting(row, claim) is False
    assert await queue.finish(row, claim, printed=True, message="Printed.") is outcome
    assert await queue.release(row, claim, "Given back.") is outcome
    assert bc.database.tables.jobs.get(1) == before


async def test_a_message_too_long_is_cut(bc, queue, into):
    row, claim = await take(bc, queue, into)
    message = "x" * 2040 + "😀" * 10
    assert await queue.finish(row, claim, printed=False, message=message) is FinishOutcome.DONE
    assert await queue.finish(row, claim, printed=False, message=message) is FinishOutcome.DONE
    assert bc.database.job(1).message == "x" * 2040 + "😀" * 3 + "…"


async def test_a_printer_renamed_while_it_prints_is_no_conflict_in_the_end(bc, queue, into):
    row, claim = await take(bc, queue, into)
    bc.people.change_printer(bc.printer.row_no, printer_name="Renamed")
    assert await queue.finish(row, claim, printed=True, message="ok") is FinishOutcome.DONE


async def test_a_takeover_knows_that_it_may_have_been_printed_and_the_first_holder_that_it_lost(
    bc, queue, other, into, tmp_path
):
    row, claim = await take(bc, queue, into)
    (seen,) = await other.printing()  # before it goes to the printer
    assert await queue.submitting(row, claim)
    bc.database.now = lambda: datetime.now(UTC) + LATER  # the lease ran out
    theirs = new_claim(2, "two")
    if old(bc):  # the message changed since it was seen
        assert (await other.claim(seen, theirs, tmp_path / "b", lease=60)).outcome is ClaimOutcome.TAKEN
        (seen,) = await other.printing()
    taken = await other.claim(seen, theirs, tmp_path / "b", lease=60)
    assert taken.outcome is ClaimOutcome.OURS
    assert taken.row.submitted is True
    assert (await other.row(1)).submitted is True
    assert (tmp_path / "b").read_bytes() == PDF
    assert await queue.renew(row, claim, lease=60) is False
    assert await queue.submitting(row, claim) is False
    assert await queue.finish(row, claim, printed=True, message="mine") is FinishOutcome.LOST
    assert await other.finish(taken.row, theirs, printed=True, message="ok") is FinishOutcome.DONE


async def test_what_another_holds_is_not_taken(bc, queue, other, into, tmp_path):
    row, _ = await take(bc, queue, into)
    queued = replace(row, state=JobState.QUEUED, claim=None, message="", tag="")
    claimed = await other.claim(queued, new_claim(1, "two"), tmp_path / "b", lease=60)
    assert claimed.outcome is ClaimOutcome.TAKEN
    assert claimed.row.claim == row.claim


async def test_signs_of_life_go_on_after_a_restart(bc, queue, into, stand_in_settings):
    row, claim = await take(bc, queue, into)
    assert await queue.submitting(row, claim)
    before = await queue.row(1)
    restarted = await connect(stand_in_settings(bc), instance="one")
    try:
        assert await restarted.renew(replace(row, tag=""), claim, lease=90)
        after = await restarted.row(1)
        assert (after.message, after.lease_until) != (before.message, before.lease_until)
        assert after.submitted is True
        assert await restarted.finish(row, claim, printed=True, message="ok") is FinishOutcome.DONE
    finally:
        await restarted.close()


async def test_restart(bc, queue, into):
    assert await queue.restart(1) is None
    row, claim = await take(bc, queue, into)
    assert await queue.restart(1) is JobState.PRINTING
    await queue.finish(row, claim, printed=False, message="Jam.")
    bc.faults.add("reset after", **change_of(bc))
    assert await queue.restart(1) is JobState.QUEUED
    assert await queue.restart(1) is JobState.QUEUED
    assert bc.database.job(1).status is JobState.QUEUED


async def test_one_printers_thousands_do_not_hide_anothers_job(bc, queue):
    small = bc.database.insert_printer({"host_id": "pi", "printer_id": "it's", "payload": PAYLOAD})
    elsewhere = bc.database.insert_printer({"host_id": "far", "printer_id": "office", "payload": PAYLOAD})
    bc.people.print(elsewhere.row_no, PDF)
    for _ in range(30):
        bc.people.print(bc.printer.row_no, b"%PDF")
    late = bc.people.print(small.row_no, b"%PDF").row_no
    bc.log.clear()
    jobs = await queue.waiting(["office", "it's"], 10)
    assert [job.row_no for job in jobs] == [*range(2, 11), late]
    assert bc.log.calls == 2
    assert [job.printer_id for job in await queue.waiting(["it's"], 10)] == ["it's"]
    assert len(await queue.waiting(["office"], 100)) == 30
    assert await queue.waiting([], 10) == []


async def test_pages_are_followed(bc, queue):
    for _ in range(7):
        bc.people.print(bc.printer.row_no, b"%PDF")
    bc.habits.page_size = 3
    assert [job.row_no for job in await queue.waiting(["office"], 7)] == list(range(1, 8))
    assert dict((await queue.probe()).queued) == {"office": 7}


async def test_hosts_and_companies_with_any_characters(bc, stand_in_settings):
    host = "it's 100% & <ø>/\\ #1?+\"\u2019\N{GRINNING FACE}"
    config = stand_in_settings(bc, host=host, company="CRONUS International Ltd.")
    queue = await connect(config, instance="one")
    try:
        printer = OfferedPrinter(f"q {host}", "", PAYLOAD)
        assert await queue.register([printer]) == {}
        (row,) = (each for each in bc.database.tables.printers.values() if each.host_id == host)
        bc.people.print(row.row_no, PDF)
        assert dict((await queue.probe()).queued) == {printer.printer_id: 1}
        assert len(await queue.waiting([printer.printer_id], 1)) == 1
    finally:
        await queue.close()


async def test_every_caption_language_is_understood(bc, queue, into):
    bc.habits.obey_language = False
    for language in ("da", "de"):
        for form in ("caption", "name", "encoded"):
            bc.habits.language, bc.habits.options = language, form
            row, claim = await take(bc, queue, into)
            assert [job.row_no for job in await queue.printing()] == [row.row_no]
            assert await queue.finish(row, claim, printed=True, message="ok") is FinishOutcome.DONE


async def test_no_double_claim_from_a_replica_that_lags(bc, queue, other, into, tmp_path):
    bc.people.print(bc.printer.row_no, PDF)
    bc.database.lag.writes = 100
    (job,) = await queue.waiting(["office"], 5)
    assert (await queue.claim(job, new_claim(), into, lease=60)).outcome is ClaimOutcome.OURS
    assert await other.waiting(["office"], 5) == []
    assert len(await other.printing()) == 1
    assert (await other.row(1)).state is JobState.PRINTING
    claimed = await other.claim(job, new_claim(1, "two"), tmp_path / "b", lease=60)
    assert claimed.outcome is ClaimOutcome.TAKEN


async def test_a_token_that_ran_out_is_got_anew_without_a_word(bc, queue):
    await queue.probe()
    bc.login.expire_tokens()
    await queue.probe()
    assert queue.counters.tokens == 2
    bc.login.access = "unregistered"
    for _ in range(5):
        with pytest.raises(BcDenied, match="Microsoft Entra Applications") as caught:
            await queue.probe()
        assert caught.value.cause == "login"
    assert queue.counters.tokens == 2
    bc.login.access = "no permission set"
    with pytest.raises(BcDenied, match="PIPrintProcessor") as caught:
        await queue.check()
    assert caught.value.cause == "permission set"


async def test_a_full_disk_leaves_the_claim_for_the_caller_to_release(bc, queue, into, monkeypatch):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)

    def full(_handle, _pieces):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("piprint.bc.http.download._write", full)
    claim = new_claim()
    with pytest.raises(SpoolFull, match="No space left"):
        await queue.claim(job, claim, into, lease=60)
    assert bc.database.job(1).status is JobState.PRINTING
    assert await queue.release(job, claim, "The disk is full.") is FinishOutcome.DONE
    assert bc.database.job(1).status is JobState.QUEUED


async def test_a_folder_that_is_not_there_is_as_a_full_disk(bc, queue, tmp_path):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    with pytest.raises(SpoolFull, match="No such file"):
        await queue.claim(job, new_claim(), tmp_path / "none" / "x.pdf", lease=60)


async def test_fewer_bytes_than_business_central_tells_are_no_document(bc, queue, into):
    row, _ = await take(bc, queue, into)
    assert row.size == (None if old(bc) else len(PDF))
    told = replace(row, size=len(PDF) + 1)
    if old(bc):  # there base64 and JSON tell the end
        assert await queue.fetch(told, into) == len(PDF)
        return
    with pytest.raises(BcUnreachable, match="76809 of 76810 bytes"):
        await queue.fetch(told, into)


async def test_a_job_without_a_document(bc, queue, into):
    bc.people.print(bc.printer.row_no, b"")
    (job,) = await queue.waiting(["office"], 5)
    claim = new_claim()
    with pytest.raises(DocumentError, match="no document"):
        await queue.claim(job, claim, into, lease=60)
    assert await queue.finish(job, claim, printed=False, message="No document.") is FinishOutcome.DONE


async def test_a_document_too_large(bc, stand_in_settings, into):
    config = stand_in_settings(bc, limits={"document_mb": 1})
    queue = await connect(config, instance="one")
    try:
        bc.people.print(bc.printer.row_no, bytes(1_000_001))
        (job,) = await queue.waiting(["office"], 5)
        with pytest.raises(DocumentError, match="larger than 1 MB"):
            await queue.claim(job, new_claim(), into, lease=60)
    finally:
        await queue.close()


async def test_thirty_megabytes_do_not_fill_the_memory(bc, queue, into, tmp_path):
    large = tmp_path / "large.pdf"
    large.write_bytes(b"%PDF" + bytes(30_000_000))
    bc.people.print(bc.printer.row_no, large)
    (job,) = await queue.waiting(["office"], 5)
    tracemalloc.start()
    try:
        claimed = await queue.claim(job, new_claim(), into, lease=60)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert claimed.size == into.stat().st_size == 30_000_004
    assert peak < 10_000_000


async def test_ours_is_told_by_the_heartbeat_where_there_is_a_place(bc, queue):
    assert await queue.register([OfferedPrinter("office", "", PAYLOAD)], message="All is well.") == {}
    bc.log.clear()
    probe = await queue.probe(beat=True)
    assert dict(probe.queued) == {}
    first = bc.log.calls
    await queue.probe(beat=True)
    bc.log.clear()
    await queue.probe(beat=True)
    assert bc.log.calls == 1
    if old(bc):
        assert first == 1
        return
    (processor,) = bc.database.tables.processors.values()
    assert (processor.host_id, processor.instance_id, processor.state_message) == ("pi", "one", "All is well.")
    bc.people.print(bc.printer.row_no, PDF)
    bc.log.clear()
    assert dict((await queue.probe(beat=True)).queued) == {"office": 1}
    assert bc.log.statuses == {200: 2}  # a job more is no conflict
    bc.database.tables.processors.clear()
    assert dict((await queue.probe(beat=True)).queued) == {"office": 1}
    assert len(bc.database.tables.processors) == 1
    bc.people.change_printer(bc.printer.row_no, enabled=False)
    probe = await queue.probe(beat=True)
    assert (dict(probe.queued), probe.disabled) == ({}, {"office"})


class _Hearing:
    """Lets the server's clock tick with each look at it, and knows when the one processor was seen last."""

    def __init__(self, bc):
        self._bc = bc
        self._ticks = 0
        self._seen = None
        bc.database.now = self._now

    def _now(self):
        self._ticks += 1
        return datetime.now(UTC) + timedelta(seconds=self._ticks)

    def again(self):
        """Tell whether the processor was seen since the last call."""
        (processor,) = self._bc.database.tables.processors.values()
        before, self._seen = self._seen, processor.last_seen
        return before is None or self._seen > before


async def test_each_heartbeat_is_seen_though_nothing_else_is_new(bc, queue, stand_in_settings):
    """Also by a server that takes a write of what is there for none: after a restart, and after a lost answer."""
    if old(bc):
        return
    hearing = _Hearing(bc)
    await queue.probe(beat=True)
    assert hearing.again()
    for _ in range(3):
        bc.log.clear()
        await queue.probe(beat=True)
        assert (bc.log.calls, hearing.again()) == (1, True)
    restarted = await connect(stand_in_settings(bc), instance="one")
    try:
        await restarted.probe(beat=True)
        assert hearing.again()
        bc.log.clear()
        await restarted.probe(beat=True)
        assert (bc.log.calls, hearing.again()) == (1, True)
        bc.faults.add("reset after", method="PATCH", path="processors")
        with suppress(BcError):
            await restarted.probe(beat=True)
        assert hearing.again()
        await restarted.probe(beat=True)
        assert hearing.again()
    finally:
        await restarted.close()


async def test_the_number_of_heartbeats_begins_anew_after_the_largest_of_an_integer(bc, queue):
    if old(bc):
        return
    bc.database.insert_processor({"host_id": "pi", "instance_id": "one", "beat": 2**31 - 2})
    numbers = []
    for _ in range(3):
        await queue.probe(beat=True)
        numbers += [processor.beat for processor in bc.database.tables.processors.values()]
    assert numbers == [2**31 - 1, 1, 2]


async def test_disabled_printers_have_no_work(bc, queue):
    bc.people.print(bc.printer.row_no, PDF)
    bc.people.change_printer(bc.printer.row_no, enabled=False)
    probe = await queue.probe()
    assert (dict(probe.queued), probe.disabled) == ({}, {"office"})


async def test_a_first_heartbeat_whose_answer_is_lost_adds_one_row(bc, queue):
    bc.faults.add("reset after", method="POST", path="processors")
    with suppress(BcError):
        await queue.probe(beat=True)
    await queue.probe(beat=True)
    assert len(bc.database.tables.processors) == (0 if old(bc) else 1)


async def test_nothing_answers(bc, queue, into):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    bc.away = True
    claim = new_claim()
    for call in (
        queue.check(),
        queue.probe(),
        queue.probe(beat=True),
        queue.register([]),
        queue.waiting(["office"], 5),
        queue.printing(),
        queue.row(1),
        queue.claim(job, claim, into, lease=60),
        queue.fetch(job, into),
        queue.renew(job, claim, lease=60),
        queue.submitting(job, claim),
        queue.release(job, claim, "x"),
        queue.finish(job, claim, printed=True, message="x"),
        queue.restart(1),
    ):
        with pytest.raises(BcUnreachable):
            await call
    bc.away = False
    assert (await queue.claim(job, claim, into, lease=60)).outcome is ClaimOutcome.OURS


async def test_p11_a_job_of_another_host_is_queued_again_only_when_that_is_asked_for(bc, queue):
    there = bc.database.insert_printer({"host_id": "warehouse", "printer_id": "office", "payload": PAYLOAD})
    job = bc.people.print(there.row_no, PDF)
    bc.people.hold(job.row_no)
    with pytest.raises(BcRefused, match=r"host 'warehouse', this one is 'pi'; nothing was done.*--any-host"):
        await queue.restart(job.row_no)
    assert bc.database.job(job.row_no).status is JobState.HOLD
    assert await queue.restart(job.row_no, any_host=True) is JobState.QUEUED
    assert bc.database.job(job.row_no).status is JobState.QUEUED


async def test_which_dialect_is_found(bc, queue, stand_in_settings):
    assert queue.dialect == ("PIPrint 1.0 web services" if old(bc) else "API pages")
    await queue.check()
    forced = await connect(stand_in_settings(bc, extension="1.0"), instance="one")
    assert forced.dialect == "PIPrint 1.0 web services"
    await forced.close()
    if old(bc):
        with pytest.raises(BcMissing):
            await connect(stand_in_settings(bc, extension="2.0"), instance="one")
    with pytest.raises(BcMissing, match=r"CRONUS International|company") as caught:
        await connect(stand_in_settings(bc, company="Nowhere Inc."), instance="one")
    assert caught.value.code == "Internal_CompanyNotFound"
    by_id = await connect(stand_in_settings(bc, company="AAAAAAAA-0000-4000-8000-000000000001"), instance="one")
    await by_id.probe()
    await by_id.close()
