"""What a client says next, and what a refusal or a loss means: functions that only look."""

from itertools import product

import pytest

from osgp.errors import MisuseError
from osgp.optical.datalink.events import FailReason
from osgp.optical.events import EndReason, Identified, SessionOpened
from osgp.optical.next_step import Ask, Finish, Rest, Situation, next_step
from osgp.optical.retries import Spent, Verdict, judge_loss, judge_refusal
from osgp.optical.services import Identify, Identity, Logon, Negotiate, OpticalResponseCode, Security, Terminate
from osgp.optical.settings import SessionSettings
from osgp.optical.states import State, state_after
from osgp.optical.task import Goal, Task
from osgp.optical.timing import DEFAULT_LIMITS
from osgp.psem import PartialRead, PartialWrite

SETTINGS = SessionSettings()
READ = PartialRead(28, 0, 40)
WISHES = (Goal.IDENTITY, Goal.LOGIN, READ)
SERVICES = (Identify(), SETTINGS.negotiation(), SETTINGS.logon(), Security(bytes(20)), READ, PartialWrite(7, 0, b"x"))


def situation(state, wanted, **changes):
    facts = {
        "state": state,
        "task": None if wanted is None else Task(wanted),
        "ending": None,
        "old": False,
        "identity": None if state is State.BASE else Identity(0, 1, 0),
        "offer": SETTINGS.negotiation(),
        "logon": SETTINGS.logon(),
        "password": b"p" * 20,
        "limits": DEFAULT_LIMITS,
    }
    return Situation(**facts | changes)


@pytest.mark.parametrize(("wanted", "offer", "password"), list(product(WISHES, [True, False], [True, False])), ids=str)
def test_10_the_walk_by_the_table_of_states_ends_where_it_should(wanted, offer, password):
    """Each service that is said stands in the row of its state, and leads nearer."""
    state, said = State.BASE, []
    while len(said) < 9:
        changes = {} if offer else {"offer": None}
        changes |= {} if password else {"password": None}
        step = next_step(situation(state, wanted, **changes))
        if not isinstance(step, Ask) or step.service == wanted:
            break
        said.append(type(step.service))
        after = state_after(state, step.service)
        assert after is not None, f"{step.service} is not allowed in {state.name}"
        state = after
    login = [Identify] + [Negotiate] * offer + [Logon] + [Security] * password
    match wanted:
        case Goal.IDENTITY:
            assert (said, step.event) == ([Identify], Identified(Identity(0, 1, 0)))
        case Goal.LOGIN:
            assert (said, step.event) == (login, SessionOpened(DEFAULT_LIMITS, password))
        case _:
            assert (said, step.service) == (login, READ)


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
@pytest.mark.parametrize("wanted", [None, *WISHES], ids=str)
@pytest.mark.parametrize("ending", [None, *EndReason], ids=str)
@pytest.mark.parametrize("old", [True, False], ids=["old", "young"])
def test_10_the_next_step_is_allowed_and_changes_nothing(state, wanted, ending, old):
    now = situation(state, wanted, ending=ending, old=old)
    spent = None if now.task is None else now.task.spent
    step = next_step(now)
    assert step == next_step(now)
    assert spent is (None if now.task is None else now.task.spent)
    if isinstance(step, Ask):
        assert state_after(state, step.service) is not None
    if wanted is None:
        over = ending is None or state is State.BASE
        assert step == Rest(None) if over else step == Ask(Terminate(), ending)
    elif ending is EndReason.CLOSED and state is not State.BASE:
        assert not isinstance(step, Rest), "what is under way is done before the session is closed"
        assert not isinstance(step, Ask) or step.service != Terminate()
    elif state is not State.BASE and (ending is not None or old):
        assert step == Ask(Terminate(), ending or EndReason.RENEWED)
    elif isinstance(step, Finish):
        assert step.ending is ending


def test_10_a_write_that_is_too_long_is_said_before_anything_is_sent():
    with pytest.raises(MisuseError, match="at most 47 bytes"):
        next_step(situation(State.SECURED, PartialWrite(7, 0, bytes(100))))


class Silence:
    """Stands for what was heard; there was nothing."""

    def verdict(self, reason):
        return f"no meter: {reason}"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: type(service).__name__)
@pytest.mark.parametrize("code", OpticalResponseCode, ids=lambda code: code.name)
@pytest.mark.parametrize("proven", [True, False])
def test_10_no_refusal_is_answered_by_asking_for_ever(service, code, proven):
    """Judging alone costs nothing; what a verdict costs ends at a verdict that asks no more."""
    if code is OpticalResponseCode.OK:
        return
    spent, verdicts = Spent(), []
    while len(verdicts) < 30:
        verdict = judge_refusal(service, code, spent, proven=proven)
        assert verdict is judge_refusal(service, code, spent, proven=proven)
        verdicts.append(verdict)
        if verdict not in {Verdict.AGAIN, Verdict.ANEW, Verdict.REPEAT}:
            break
        after = spent.by_refusal(service, verdict)
        assert after != spent
        spent = after
    assert len(verdicts) <= 6
    assert verdicts[-1] in {Verdict.WITHOUT, Verdict.FINAL, Verdict.FAILED, Verdict.ANSWER}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: type(service).__name__)
@pytest.mark.parametrize("reason", [None, *FailReason], ids=str)
def test_10_no_loss_is_followed_by_beginning_anew_for_ever(service, reason):
    spent, losses = Spent(), 0
    while losses < 30:
        spent, losses = spent.by_loss(), losses + 1
        verdicts = [judge_loss(service, reason, spent, Silence(), proven=True, known=True) for _ in range(2)]
        assert str(verdicts[0]) == str(verdicts[1])
        if verdicts[0] is not None:
            break
    expected = 4
    if isinstance(service, Identify) and reason is not None:
        expected = 2 if reason in {FailReason.SILENT, FailReason.NAKED} else 3
    assert losses == expected
