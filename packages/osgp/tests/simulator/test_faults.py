"""Faults by name: how they are written, and that each does what it says to a client in mid-conversation."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import KeyRejected, MisuseError, OsgpError, ResponseTimeout
from osgp.mep.events import (
    AlertReceived,
    DropReason,
    ReplyDropped,
    RequestAnswered,
    RequestFailed,
    ResponseReceived,
    Resynchronised,
    Retried,
)
from osgp.psem import Read
from osgp.simulator.faults import FAULTS, Faults

BT23 = Read(23)


def kinds(events):
    return {type(event) for event in events}


def drops(events):
    return {event.reason for event in events if isinstance(event, ReplyDropped)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lose=0.2", "choose from loss, noise"),
        ("loss", "loss=SHARE"),
        ("loss=1.1", "0 to 1"),
        ("loss=nan", "SHARE"),
        ("noise=-0.1", "SHARE"),
        ("delay=soon", "SECONDS"),
        ("delay=inf", "SECONDS"),
        ("silence=5@4", "SECONDS[@EVERY]"),
        ("silence=5@", "SECONDS[@EVERY]"),
        ("wrong-sequence=0", "Nth"),
        ("wrong-key=always", "Nth"),
        ("alerts=256", "1 to 255"),
        ("clock-step=0.5", "whole seconds"),
        ("=3", "choose from"),
    ],
)
def test_a_wrong_fault_is_explained(text, wanted):
    with pytest.raises(MisuseError) as caught:
        Faults.parse([text])
    assert wanted in str(caught.value)


@given(
    st.text(max_size=30)
    | st.sampled_from(list(FAULTS)).flatmap(lambda name: st.text(max_size=12).map(f"{name}=".__add__))
)
def test_any_text_is_a_fault_or_explained(text):
    try:
        faults = Faults.parse([text])
    except MisuseError as error:
        helpful = "choose from" in str(error) or "is no" in str(error)
        assert helpful
    else:
        assert faults == Faults.parse([text])


def test_faults_are_read():
    faults = Faults.parse(["loss=0.2", " delay = 0.3 ", "silence=5@60", "alerts=0x11", "clock-step=-3600", "loss=0.5"])
    assert (faults.loss, faults.delay, faults.alerts, faults.clock_step) == (0.5, 0.3, 17, -3600)
    assert (faults.silence.seconds, faults.silence.every) == (5, 60)
    assert Faults.parse([]) == Faults()


def test_every_fault_has_a_field_and_is_off_by_default():
    assert {name.replace("-", "_") for name in FAULTS} == set(Faults.__dataclass_fields__)
    assert not any(getattr(Faults(), name) for name in Faults.__dataclass_fields__)


def test_without_faults_nothing_goes_wrong(conversation):
    talk = conversation()
    first = talk.ask(BT23)
    assert kinds(first) == {Resynchronised, Retried, ResponseReceived}
    for _ in range(20):
        assert kinds(talk.ask(BT23)) == {ResponseReceived}


def test_loss_loses_messages_and_no_value_is_wrong(conversation):
    talk = conversation(["loss=0.3"])
    retried = failed = 0
    for _ in range(40):
        events = talk.ask(BT23)
        retried += sum(isinstance(event, Retried) for event in events)
        last = events[-1]
        if isinstance(last, ResponseReceived):
            assert last.response.data == bytes(range(220))
        else:
            assert isinstance(last.error, OsgpError)
            failed += 1
    assert retried > 10
    assert failed < 10


def test_loss_of_everything_is_a_timeout(conversation):
    last = conversation(["loss=1"]).ask(BT23)[-1]
    assert isinstance(last, RequestFailed)
    assert isinstance(last.error, ResponseTimeout)


@pytest.mark.parametrize("fault", ["noise=0.004", "reply-corrupt=0.5", "truncate=0.5"])
def test_damage_is_noticed_and_never_becomes_a_value(conversation, fault):
    talk = conversation([fault])
    seen = set()
    for _ in range(30):
        events = talk.ask(BT23)
        seen |= drops(events)
        if isinstance(events[-1], ResponseReceived):
            assert events[-1].response.data == bytes(range(220))
    wanted = DropReason.BROKEN_OFF if fault.startswith("truncate") else DropReason.DIGEST
    assert wanted in seen


def test_the_same_seed_repeats_the_same_run(conversation):
    def run(seed):
        talk = conversation(["noise=0.004", "loss=0.1"], seed=seed)
        return [type(event) for _ in range(10) for event in talk.ask(BT23)]

    assert run(5) == run(5)
    assert run(5) != run(6)


def test_delay_holds_replies_back(conversation):
    prompt, late = conversation(), conversation(["delay=0.3"])
    for talk in (prompt, late):
        talk.ask(BT23)
        talk.wait(1)
    starts = prompt.now, late.now
    prompt.ask(BT23)
    late.ask(BT23)
    assert prompt.now - starts[0] < 0.01
    assert late.now - starts[1] == pytest.approx(0.3, abs=0.01)


def test_silence_comes_back_at_its_period(conversation):
    talk = conversation(["silence=5@60"])
    assert isinstance(talk.ask(BT23)[-1], RequestFailed)
    talk.wait(6 - talk.now)
    assert talk.value(BT23).ok
    talk.wait(60.5 - talk.now)
    assert isinstance(talk.ask(BT23)[-1], RequestFailed)
    talk.wait(66 - talk.now)
    assert talk.value(BT23).ok


def test_silence_without_a_period_comes_once(conversation):
    talk = conversation(["silence=5"])
    talk.wait(4)
    heard = len(talk.heard)
    assert isinstance(talk.ask(BT23, patience=60)[-1], RequestFailed | ResponseReceived)
    talk.wait(100)
    assert talk.value(BT23).ok
    assert heard == 0


def test_every_nth_sequence_number_is_refused(conversation):
    talk = conversation(["wrong-sequence=4"])
    talk.ask(BT23)
    refused = [Resynchronised in kinds(talk.ask(BT23)) for _ in range(9)]
    # The request that follows a refusal is the next one counted: three answers, then a refusal and its retry.
    assert sum(refused) == 3
    assert not all(refused)


def test_a_wrong_key_is_refused_until_the_client_says_so(conversation):
    last = conversation(["wrong-key=1"]).ask(BT23)[-1]
    assert isinstance(last, RequestFailed)
    assert isinstance(last.error, KeyRejected)


def test_every_nth_key_refused_is_survived(conversation):
    talk = conversation(["wrong-key=5"])
    events = [event for _ in range(12) for event in talk.ask(BT23)]
    assert DropReason.REFUSED in drops(events)
    assert sum(isinstance(event, ResponseReceived) for event in events) == 12


def test_a_stuck_level_shifter_waits_for_a_power_cycle(conversation):
    talk = conversation(["stuck-level-shifter=10"])
    assert talk.value(BT23).ok
    talk.wait(11 - talk.now)
    for _ in range(3):
        assert isinstance(talk.ask(BT23)[-1], RequestFailed)
    talk.line.power_cycle(talk.now)
    assert talk.value(BT23).ok
    talk.wait(11)
    assert isinstance(talk.ask(BT23)[-1], RequestFailed)


def test_a_power_cycle_loses_what_was_under_way(conversation):
    talk = conversation(baud=9600)
    talk.ask(BT23)
    talk.client.request(BT23, talk.now)
    talk.wait(0.2)
    assert talk.line.deadline() is not None
    talk.line.power_cycle(talk.now)
    assert talk.line.deadline() is None


def test_the_connection_drops_in_place_of_every_nth_reply(conversation):
    talk = conversation(["drop-connection=3"])
    for _ in range(6):
        talk.ask(BT23)
    replies = sum(isinstance(event, RequestAnswered) for event in talk.observed)
    assert talk.broken >= 2
    assert replies > 6


def test_alerts_come_each_second_and_not_within_one_of_a_request(conversation):
    talk = conversation()
    talk.ask(BT23)
    asked = talk.now
    talk.server.alert(True, talk.now)
    events = talk.wait(4.5)
    assert sum(isinstance(event, AlertReceived) for event in events) == 4
    alerts = [when for when, data in talk.heard if data == b"\0\0"]
    assert alerts[0] - asked >= 0.999
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(alerts))
    talk.server.alert(False, talk.now)
    assert not talk.wait(3)
