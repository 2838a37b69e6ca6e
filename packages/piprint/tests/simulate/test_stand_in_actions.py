"""The guarded actions: who may do what to a job, by the server's clock."""

import pytest

from piprint.contract import JobState

MINE, YOURS = "me.1.00000000", "you.1.11111111"


async def claim(ask, job, token=MINE, seconds=60):
    return await ask.act(job, "claim", claimToken=token, leaseSeconds=seconds)


def refused(reply, word):
    return (reply.status, reply.code, f"[{word}]" in reply.json["error"]["message"]) == (
        400,
        "Application_DialogException",
        True,
    )


async def test_a_claim_takes_a_waiting_job_once(ask, clock):
    job = ask.print()
    assert (await claim(ask, job)).status == 204
    row = ask.job()
    assert (row.status, row.claimed_by, row.attempts) == (JobState.PRINTING, MINE, 1)
    assert (row.lease_until - clock()).total_seconds() == 60
    assert refused(await claim(ask, job, YOURS), "not-claimable")
    assert ask.job() == row


async def test_the_same_claim_again_only_renews(ask, clock):
    job = ask.print()
    await claim(ask, job)
    clock.move(seconds=30)
    assert (await claim(ask, job)).status == 204
    assert (ask.job().attempts, (ask.job().lease_until - clock()).total_seconds()) == (1, 60)


async def test_a_lease_that_ran_out_lets_the_next_one_in_and_tells_it_what_may_have_happened(ask, clock):
    job = ask.print()
    await claim(ask, job)
    await ask.act(job, "submitting", claimToken=MINE)
    clock.move(seconds=60)
    assert refused(await claim(ask, job, YOURS), "not-claimable")
    clock.move(seconds=1)
    assert (await claim(ask, job, YOURS)).status == 204
    assert (ask.job().claimed_by, ask.job().attempts, ask.job().submitted) == (YOURS, 2, True)
    for action, more in (("renew", {"leaseSeconds": 60}), ("submitting", {}), ("release", {"message": ""})):
        assert refused(await ask.act(job, action, claimToken=MINE, **more), "not-yours")


async def test_renewing_keeps_others_out(ask, clock):
    job = ask.print()
    await claim(ask, job)
    clock.move(seconds=59)
    assert (await ask.act(job, "renew", claimToken=MINE, leaseSeconds=60)).status == 204
    clock.move(seconds=59)
    assert refused(await claim(ask, job, YOURS), "not-claimable")


async def test_releasing_gives_the_job_back_as_new(ask):
    job = ask.print()
    await claim(ask, job)
    await ask.act(job, "submitting", claimToken=MINE)
    assert (await ask.act(job, "release", claimToken=MINE, message="disk full")).status == 204
    row = ask.job()
    assert (row.status, row.message, row.claimed_by, row.submitted) == (JobState.QUEUED, "disk full", "", False)
    await claim(ask, job, YOURS)
    assert (ask.job().submitted, ask.job().message) == (False, "")


@pytest.mark.parametrize(("printed", "state"), [(True, JobState.PRINTED), (False, JobState.ERROR)])
async def test_the_outcome_is_told_once_and_the_token_stays_to_be_seen(ask, clock, printed, state):
    job = ask.print()
    await claim(ask, job)
    body = {"claimToken": MINE, "printed": printed, "message": "so"}
    assert (await ask.act(job, "finish", **body)).status == 204
    row = ask.job()
    assert (row.status, row.message, row.claimed_by, row.lease_until) == (state, "so", MINE, None)
    assert row.printed == (clock() if printed else None)
    assert refused(await ask.act(job, "finish", **body), "not-yours")


async def test_a_user_s_cancel_ends_the_claim(ask):
    job = ask.print()
    await claim(ask, job)
    ask.bc.people.cancel(1)
    assert refused(await ask.act(job, "finish", claimToken=MINE, printed=True, message=""), "not-yours")
    assert ask.job().status is JobState.CANCELLED


async def test_restart_is_for_what_does_not_print(ask):
    job = ask.print()
    await claim(ask, job)
    assert refused(await ask.act(job, "restart"), "not-restartable")
    await ask.act(job, "finish", claimToken=MINE, printed=True, message="done")
    assert (await ask.act(job, "restart")).status == 204
    assert (ask.job().status, ask.job().message, ask.job().claimed_by) == (JobState.QUEUED, "", "")


async def test_a_claim_by_the_web_service_has_no_lease_and_is_never_taken_over(ask, clock):
    job = ask.print()
    message = f"Printing at pi [claim {YOURS}]"
    await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printing", "PrinterMessage": message}, tag="*")
    row = ask.job()
    assert (row.claimed_by, row.attempts, row.submitted, row.lease_until) == (YOURS, 1, True, None)
    clock.move(days=30)
    await ask.log_in()
    assert refused(await claim(ask, job), "not-claimable")
    await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Printed"}, tag="*")
    assert ask.job().claimed_by == YOURS
    await ask("PATCH", "PIPrintQueueWS(1)", {"Status": "Queued"}, tag="*")
    assert (ask.job().claimed_by, ask.job().submitted) == ("", False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"claimToken": MINE}, "BadRequest"),
        ({"claimToken": MINE, "leaseSeconds": "60"}, "BadRequest"),
        ({"claimToken": MINE, "leaseSeconds": True}, "BadRequest"),
        ({"claimToken": MINE, "leaseSeconds": 60, "more": 1}, "BadRequest"),
        ({"claimToken": "", "leaseSeconds": 60}, "Application_DialogException"),
        ({"claimToken": MINE, "leaseSeconds": 0}, "Application_DialogException"),
        ({"claimToken": MINE, "leaseSeconds": 86401}, "Application_DialogException"),
        ({"claimToken": "x" * 251, "leaseSeconds": 60}, "Application_StringExceededLength"),
    ],
)
async def test_parameters_are_checked(ask, body, code):
    reply = await ask.act(ask.print(), "claim", **body)
    assert (reply.status, reply.code) == (400, code)
    assert ask.job().status is JobState.QUEUED


async def test_a_tag_is_checked_only_when_it_is_sent(ask):
    job = ask.print()
    url = f"{ask.api}printJobs({job.id})"
    body = {"claimToken": MINE, "leaseSeconds": 60}
    stale = 'W/"JzE5OzA7MDA7Jw=="'
    assert (await ask("POST", f"{url}/Microsoft.NAV.claim", body, tag=stale)).status == 409
    tag = (await ask("GET", url)).json["@odata.etag"]
    assert (await ask("POST", f"{url}/Microsoft.NAV.claim", body, tag=tag)).status == 204


async def test_actions_there_are_not(ask):
    job = ask.print()
    assert (await ask.act(job, "explode")).status == 404
    assert (await ask("GET", f"{ask.api}printJobs({job.id})/Microsoft.NAV.claim")).status == 405
    printer = ask.bc.database.printer(1)
    assert (await ask("POST", f"{ask.api}printers({printer.id})/Microsoft.NAV.claim", {})).status == 404
    assert (await ask("GET", f"{ask.api}printJobs({job.id})/payload")).status == 404


async def test_a_processor_s_sign_of_life(ask, clock):
    new = {"hostId": "pi", "instanceId": "me", "version": "0.1"}
    row = (await ask("POST", ask.api + "processors", new)).json
    assert (row["lastSeen"], row["queued"], row["printing"]) == ("2026-11-22T12:00:00Z", 0, 0)
    again = await ask("POST", ask.api + "processors", new)
    assert again.code == "Internal_EntityWithSameKeyExists"
    ask.add_printer("other host's", "elsewhere")
    ask.print(1)
    ask.print(2)
    clock.move(seconds=5)
    beat = await ask("PATCH", f"{ask.api}processors({row['id']})", {"stateMessage": "well"}, tag="*")
    assert (beat.json["lastSeen"], beat.json["queued"]) == ("2026-11-22T12:00:05Z", 1)


async def test_a_processor_that_writes_what_is_there_is_not_seen(ask, clock):
    row = (await ask("POST", ask.api + "processors", {"hostId": "pi", "instanceId": "me", "version": "0.1"})).json
    address = f"{ask.api}processors({row['id']})"
    same = {"version": "0.1", "stateMessage": ""}
    clock.move(seconds=5)
    beat = (await ask("PATCH", address, same, tag="*")).json
    assert (beat["lastSeen"], beat["beat"]) == ("2026-11-22T12:00:00Z", 0)
    beat = (await ask("PATCH", address, {**same, "beat": 1}, tag="*")).json
    assert (beat["lastSeen"], beat["beat"]) == ("2026-11-22T12:00:05Z", 1)
