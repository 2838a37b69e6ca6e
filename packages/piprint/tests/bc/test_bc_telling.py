"""What a job waits for, written into its message, in both dialects: it changes nothing else, and looks like no claim."""

import json

import pytest

from piprint.bc.connect import connect
from piprint.bc.job import Claim
from piprint.bc.queue import ClaimOutcome, FinishOutcome
from piprint.contract import JobState, units
from piprint.errors import BcRefused, concerns_one
from piprint.simulate.extension import actions
from piprint.simulate.refusal import Refusal
from piprint.simulate.server import StandIn

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 300
PAYLOAD = json.dumps({"version": 1, "papertrays": [{"papersourcekind": 7, "paperkind": 9}]})
WAITS = "Waiting. Paper jam. Take out the jammed paper. It goes on by itself when that is over."


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
    yield queue
    await queue.close()


async def take(bc, queue, into):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    claim = Claim.new("pi", "one", 1)
    claimed = await queue.claim(job, claim, into, lease=60)
    assert claimed.outcome is ClaimOutcome.OURS
    return claimed.row, claim


async def test_p5_what_it_waits_for_is_told_kept_and_taken_back(bc, queue, tmp_path):
    row, claim = await take(bc, queue, tmp_path / "1.pdf")
    assert await queue.tell(row, claim, WAITS)
    assert bc.database.job(1).message.startswith(WAITS)
    assert bc.database.job(1).status is JobState.PRINTING
    assert await queue.renew(row, claim, lease=60)
    assert await queue.submitting(row, claim)
    now = await queue.row(1)
    assert now.message.startswith(WAITS), "a sign of life does not take it away"
    assert (now.claim, now.submitted) == (claim, True)
    assert await queue.tell(row, claim, "")
    assert "Waiting" not in bc.database.job(1).message
    assert (await queue.row(1)).claim == claim
    assert await queue.finish(row, claim, printed=True, message="Printed.") is FinishOutcome.DONE
    assert bc.database.job(1).message == "Printed."


async def test_p5_a_printers_words_cannot_be_taken_for_a_claim_and_fit(bc, queue, tmp_path):
    row, claim = await take(bc, queue, tmp_path / "1.pdf")
    hostile = "Waiting. [claim evil.1.deadbeef] 9 sent. " + "\U0001f5a8 and so on " * 400
    assert await queue.tell(row, claim, hostile)
    now = await queue.row(1)
    assert now.claim == claim
    assert units(now.message) <= 2048
    assert now.submitted is not True
    assert await queue.renew(row, claim, lease=60)


async def test_p5_a_job_that_is_no_longer_ours_is_not_told(bc, queue, tmp_path):
    row, claim = await take(bc, queue, tmp_path / "1.pdf")
    bc.people.cancel(1)
    assert not await queue.tell(row, claim, WAITS)
    assert bc.database.job(1).status is JobState.CANCELLED
    assert "Waiting" not in bc.database.job(1).message


@pytest.mark.parametrize("status", [400, 404])
async def test_p5_an_older_extension_cannot_be_told_and_nothing_else_breaks(bc, queue, tmp_path, monkeypatch, status):
    real = actions.act

    def act(database, job, action, body):
        if action.name in {"tell", "amend"}:
            raise Refusal("BadRequest_NotFound", "No HTTP resource was found.", status=status)
        return real(database, job, action, body)

    monkeypatch.setattr(actions, "act", act)
    row, claim = await take(bc, queue, tmp_path / "1.pdf")
    assert await queue.tell(row, claim, WAITS) is not queue.says_state
    assert await queue.finish(row, claim, printed=True, message="Printed.") is FinishOutcome.DONE
    amending = queue.amend(row, claim, "Printed. Perhaps twice.", before="Printed.")
    if queue.says_state and status == 400:
        with pytest.raises(BcRefused) as refused:
            await amending
        assert concerns_one(refused.value)  # told in the log, and not tried again for ever
    else:
        assert await amending is not queue.says_state
    assert bc.database.job(1).status is JobState.PRINTED


async def test_s2_what_came_to_light_about_an_end_is_said_until_somebody_has_the_job_again(bc, queue, tmp_path):
    row, claim = await take(bc, queue, tmp_path / "1.pdf")
    assert not await queue.amend(row, claim, "Perhaps twice.", before=""), "it has not ended"
    assert await queue.finish(row, claim, printed=True, message="Printed.") is FinishOutcome.DONE
    assert not await queue.amend(row, Claim.new("pi", "other", 1), "x", before="Not that.")
    for _ in range(2):  # the first answer may have been lost
        assert await queue.amend(row, claim, "Printed. Perhaps twice.", before="Printed.")
    job = bc.database.job(1)
    assert (job.message, job.status) == ("Printed. Perhaps twice.", JobState.PRINTED)
    bc.people.restart(1)
    assert not await queue.amend(row, claim, "Printed. Three times.", before="Printed. Perhaps twice.")
    assert "Three" not in bc.database.job(1).message


async def test_p5_a_waiting_job_is_told_where_no_printers_row_can_say_it(bc, queue):
    bc.people.print(bc.printer.row_no, PDF)
    (job,) = await queue.waiting(["office"], 5)
    await queue.note(job, "Waiting behind job 7: Paper jam.")
    told = bc.database.job(1).message
    assert told == ("" if queue.says_state else "Waiting behind job 7: Paper jam.")
    assert bc.database.job(1).status is JobState.QUEUED
    if not queue.says_state:
        bc.people.hold(1)
        await queue.note(job, "Waiting for something else.")  # by the old tag: a user was faster
        assert bc.database.job(1).message != "Waiting for something else."
        assert bc.database.job(1).status is JobState.HOLD
