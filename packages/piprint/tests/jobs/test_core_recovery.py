# ruff: noqa: FBT001 - parameters of tests
"""Every cell of the recovery table, written down a second time and independently: as rules, not as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any, Literal

import pytest

from piprint.jobs.evidence import Evidence
from piprint.jobs.recovery import (
    ASKED,
    Action,
    Finding,
    Known,
    Ownership,
    decide,
    decide_inherited,
    is_doubtful,
    is_not_printed,
    judge,
    may_be_given_back,
    pick,
)
from piprint.journal.entry import Entry
from piprint.journal.steps import FOLLOWED_BY, Step
from piprint.printers.printer import JobStatus, SpoolerState

NOW = datetime(2026, 11, 22, tzinfo=UTC)
POLICIES: tuple[Literal["hold", "reprint"], ...] = ("hold", "reprint")


def entry(step: Step, *, held: bool = False, **more: Any) -> Entry:
    more = {"submitted": True, **more}
    return Entry(7, 1, "A", "abc.1.00000000", "bc-test-7-1", "", "{}", step, NOW, NOW, held=held, **more)


def status(state: SpoolerState, *, uuid: str = "u1", number: int = 1, complete: bool = True) -> JobStatus:
    return JobStatus(number, uuid, "bc-test-7-1", state, document_complete=complete)


def expected(  # noqa: C901, PLR0912 - one rule a line
    step: Step, finding: Finding, policy: str, evidence: Evidence, *, held: bool
) -> Action:
    """Say in rules what the table says in cells."""
    lost = evidence is Evidence.LOST
    ran_on = evidence is Evidence.RAN_ON
    let_go = not held or step in {Step.RELEASING, Step.FOLLOWING}
    uncertain = Action.REPRINT if policy == "reprint" else Action.HOLD
    at_printer = finding in {Finding.INCOMPLETE, Finding.HELD, Finding.ACTIVE}
    if step in {Step.CREATING, Step.CREATED}:  # it never had the document
        return Action.CANCEL_AND_SUBMIT if at_printer else Action.SUBMIT
    if finding is Finding.COMPLETED:  # of a document that CUPS may have lost it proves nothing
        return uncertain if lost else Action.END_PRINTED
    if finding is Finding.ACTIVE:
        return Action.FOLLOW
    if step is Step.SENT and held and finding is Finding.HELD and not ran_on:
        return Action.CANCEL_AND_SUBMIT  # the printer's document may be damaged
    if let_go and not ran_on:  # its word may be older than what it printed
        if finding is Finding.INCOMPLETE or (finding is Finding.HELD and held):
            return uncertain
        if finding is Finding.ABORTED and step is Step.SENDING:
            return uncertain
    if step is Step.SENDING and finding is Finding.INCOMPLETE:
        return Action.CANCEL_AND_SUBMIT
    if step is Step.SENDING and finding is Finding.ABORTED:
        return Action.SUBMIT
    if held and step in {Step.SENDING, Step.SENT}:  # it was never let go
        if finding is Finding.NONE or (step is Step.SENDING and finding is Finding.CANCELED):
            return Action.SUBMIT
        if finding is Finding.INCOMPLETE or (step is Step.SENDING and finding is Finding.HELD):
            return Action.CANCEL_AND_SUBMIT
    if finding is Finding.NONE:
        return uncertain
    if finding is Finding.HELD and held and step is not Step.FOLLOWING:
        return Action.RELEASE
    if finding is Finding.CANCELED:
        return Action.END_CANCELED
    if finding is Finding.ABORTED:
        return Action.END_ABORTED
    return Action.FOLLOW


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("step", "held", "finding"), [cell for cell in product(Step, (False, True), Finding) if cell[0] in ASKED]
)
def test_each_cell_of_the_table_follows_from_the_rules(
    step: Step, held: bool, finding: Finding, policy: Literal["hold", "reprint"], evidence: Evidence
) -> None:
    for ownership in (Ownership.OURS, Ownership.UNKNOWN):
        decided = decide(entry(step, held=held), ownership, finding, policy, evidence)
        assert decided is expected(step, finding, policy, evidence, held=held)


@pytest.mark.parametrize(("step", "held"), list(product(sorted(ASKED), (False, True))))
def test_s1_a_document_is_sent_or_let_go_again_only_if_it_cannot_have_printed(step: Step, held: bool) -> None:
    again = {Action.SUBMIT, Action.CANCEL_AND_SUBMIT, Action.RELEASE}
    may_have_printed = step in {Step.RELEASING, Step.FOLLOWING} or (not held and step in {Step.SENDING, Step.SENT})
    for finding, evidence in product(Finding, (Evidence.OPEN, Evidence.NOT_AGAIN, Evidence.LOST)):
        decided = decide(entry(step, held=held), Ownership.OURS, finding, "hold", evidence)
        assert not (may_have_printed and decided in again), (finding, evidence)


@pytest.mark.parametrize("step", sorted(ASKED))
def test_p3_what_goes_on_after_a_possible_restart_is_told_and_nothing_else(step: Step) -> None:
    for action, evidence in product(Action, Evidence):
        goes_on = action in {Action.FOLLOW, Action.END_PRINTED, Action.END_CANCELED, Action.END_ABORTED}
        sent = step not in {Step.CREATING, Step.CREATED}
        assert is_doubtful(entry(step), action, evidence) is (
            evidence in {Evidence.OPEN, Evidence.LOST} and goes_on and sent
        )
    assert not is_doubtful(entry(Step.SENDING, submitted=False), Action.FOLLOW, Evidence.OPEN)


@pytest.mark.parametrize("finding", Finding)
@pytest.mark.parametrize("held", [True, False])
def test_a_sending_that_failed_before_the_first_byte_is_as_if_it_was_not_begun(finding: Finding, held: bool) -> None:
    failed = entry(Step.SENDING, held=held, submitted=False)
    decided = decide(failed, Ownership.OURS, finding, "hold")
    assert decided is expected(Step.CREATED, finding, "hold", Evidence.OPEN, held=held)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("step", "ours", "unknown", "changed"),
    [
        (Step.CLAIMING, Action.FETCH, Action.ASK_BC, Action.DROP),
        (Step.CLAIMED, Action.FETCH, Action.ASK_BC, Action.DROP),
        (Step.STORED, Action.SUBMIT, Action.SUBMIT, Action.DROP),
        (Step.ENDED, Action.REPORT, Action.REPORT, Action.REPORT),
        (Step.REPORTED, Action.NOTHING, Action.NOTHING, Action.NOTHING),
    ],
)
def test_steps_before_and_after_the_printer_do_not_ask_it(
    step: Step, ours: Action, unknown: Action, changed: Action, policy: Literal["hold", "reprint"]
) -> None:
    for ownership, action in zip(Ownership, (ours, changed, unknown), strict=True):
        assert decide(entry(step), ownership, None, policy) is action


@pytest.mark.parametrize("step", sorted(ASKED))
def test_a_job_that_is_no_longer_ours_is_cancelled_at_the_printer_and_nowhere_else(step: Step) -> None:
    assert decide(entry(step), Ownership.CHANGED, None, "hold") is Action.WITHDRAW


def test_every_step_is_in_one_of_the_tables() -> None:
    assert set(Step) == ASKED | {Step.CLAIMING, Step.CLAIMED, Step.STORED, Step.ENDED, Step.REPORTED}


@pytest.mark.parametrize("step", sorted(ASKED))
def test_the_printer_must_be_asked_before_it_is_decided(step: Step) -> None:
    with pytest.raises(ValueError, match="is asked"):
        decide(entry(step), Ownership.OURS, None, "hold")


def test_the_printer_is_not_asked_in_vain() -> None:
    with pytest.raises(ValueError, match="is not asked"):
        decide(entry(Step.STORED), Ownership.OURS, Finding.NONE, "hold")


NEXT = {
    Action.SUBMIT: Step.STORED,
    Action.CANCEL_AND_SUBMIT: Step.STORED,
    Action.REPRINT: Step.STORED,
    Action.RELEASE: Step.FOLLOWING,
    Action.FOLLOW: Step.FOLLOWING,
    Action.END_PRINTED: Step.ENDED,
    Action.END_CANCELED: Step.ENDED,
    Action.END_ABORTED: Step.ENDED,
    Action.HOLD: Step.ENDED,
}


@pytest.mark.parametrize(("step", "held", "finding"), list(product(sorted(ASKED), (False, True), Finding)))
def test_what_is_decided_is_a_step_the_journal_allows(step: Step, held: bool, finding: Finding) -> None:
    for policy, evidence in product(POLICIES, Evidence):
        action = decide(entry(step, held=held), Ownership.OURS, finding, policy, evidence)
        reached = {step} | FOLLOWED_BY[step]
        if action is Action.RELEASE and step is Step.SENT:
            reached |= FOLLOWED_BY[Step.RELEASING]
        assert NEXT[action] in reached, (action, step)


@pytest.mark.parametrize("submitted", [True, False, None])
@pytest.mark.parametrize("finding", Finding)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_job_taken_over_is_printed_only_if_the_last_holder_cannot_have_printed_it(
    finding: Finding, submitted: bool | None, policy: Literal["hold", "reprint"]
) -> None:
    action = decide_inherited(finding, policy, submitted=submitted)
    if finding is Finding.ACTIVE:
        assert action is Action.FOLLOW
    elif finding is Finding.COMPLETED:
        assert action is Action.END_PRINTED
    elif submitted is False:
        at_printer = finding in {Finding.HELD, Finding.INCOMPLETE}
        assert action is (Action.CANCEL_AND_SUBMIT if at_printer else Action.SUBMIT)
    else:
        assert action is (Action.REPRINT if policy == "reprint" else Action.HOLD)


@pytest.mark.parametrize(
    ("told", "finding"),
    [
        (None, Finding.NONE),
        (status(SpoolerState.PENDING), Finding.ACTIVE),
        (status(SpoolerState.PENDING, complete=False), Finding.INCOMPLETE),
        (status(SpoolerState.HELD), Finding.HELD),
        (status(SpoolerState.HELD, complete=False), Finding.INCOMPLETE),
        (status(SpoolerState.PROCESSING), Finding.ACTIVE),
        (status(SpoolerState.STOPPED), Finding.ACTIVE),
        (status(SpoolerState.CANCELED), Finding.CANCELED),
        (status(SpoolerState.ABORTED, complete=False), Finding.ABORTED),
        (status(SpoolerState.COMPLETED), Finding.COMPLETED),
    ],
)
def test_what_a_printer_tells_is_one_word(told: JobStatus | None, finding: Finding) -> None:
    assert judge(told) is finding


def test_a_job_of_our_name_with_another_uuid_is_an_earlier_try() -> None:
    earlier = status(SpoolerState.COMPLETED, uuid="u0")
    assert pick([earlier], Known("u1")) is None
    ours = status(SpoolerState.PENDING, uuid="u1", number=2)
    assert pick([earlier, ours], Known("u1")) is ours


def test_without_uuids_the_name_counts_only_if_it_was_used_once() -> None:
    found = status(SpoolerState.COMPLETED, uuid="")
    assert pick([found], Known("u1")) is found
    assert pick([found], Known("", unique=False)) is None


def test_of_several_the_one_that_may_print_counts_most() -> None:
    jobs = [status(state, number=number) for number, state in enumerate(SpoolerState, 1)]
    assert pick(jobs, Known()) in {job for job in jobs if judge(job) is Finding.ACTIVE}
    finals = [job for job in jobs if job.state.final]
    assert pick(finals, Known()) is jobs[-1]


@pytest.mark.parametrize("step", Step)
def test_what_is_given_back_is_claimed_and_certainly_on_no_paper(step: Step) -> None:
    """Whoever gets it prints it: so nobody may have begun to, neither this processor nor the one before."""
    before = {Step.CLAIMED, Step.STORED, Step.CREATING, Step.CREATED}  # the printer has no byte of the document
    for submitted, inherits, doubted in product((True, False), ("", "bc-test-7-0"), (True, False)):
        sure = step in before or (step is Step.SENDING and not submitted)
        given_back = may_be_given_back(entry(step, submitted=submitted, inherits=inherits), doubted=doubted)
        assert given_back == (sure and not inherits and not doubted), (submitted, inherits, doubted)


@pytest.mark.parametrize("step", [Step.CLAIMED, Step.STORED])
@pytest.mark.parametrize(("inherited", "sure"), [(False, True), (True, False), (None, False)])
def test_what_another_processor_may_have_submitted_may_be_on_paper(
    step: Step, inherited: bool | None, sure: bool
) -> None:
    """None: it cannot be known, as in PIPrint 1.0."""
    assert is_not_printed(entry(step, inherits="bc-test-7-0", inherited=inherited), doubted=False) == sure
    assert is_not_printed(entry(step, inherited=inherited), doubted=False)
    assert not is_not_printed(entry(step, inherited=inherited), doubted=True)


@pytest.mark.parametrize("step", Step)
def test_a_held_job_is_on_no_paper_until_it_is_let_go(step: Step) -> None:
    held_back = {Step.CLAIMED, Step.STORED, Step.CREATING, Step.CREATED, Step.SENDING, Step.SENT, Step.CLAIMING}
    assert is_not_printed(entry(step, held=True), doubted=False) == (step in held_back)
