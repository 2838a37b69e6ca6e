"""The phases of a job: every event has its place in each, and what was decided stays decided."""

from __future__ import annotations

import pytest

from piprint.jobs.phases import NEXT, Event, Phase


def test_h2_whatever_happens_has_its_place():
    assert set(NEXT) == {(phase, event) for phase in Phase for event in Event}


def test_h2_every_phase_is_reached_and_all_but_one_can_be_left():
    assert set(NEXT.values()) == set(Phase)
    stays = {phase for phase in Phase if all(NEXT[phase, event] is phase for event in Event)}
    assert stays == {Phase.ABANDONING}


@pytest.mark.parametrize("event", Event)
def test_h2_what_business_central_took_is_never_printed_again(event):
    assert NEXT[Phase.WITHDRAWING, event].is_withdrawn
    assert NEXT[Phase.ABANDONING, event] is Phase.ABANDONING


@pytest.mark.parametrize("event", [Event.FOLLOWED, Event.FAILED, Event.CHANGED, Event.GAVE_UP])
def test_h2_what_was_given_up_is_printed_only_if_that_is_decided(event):
    assert NEXT[Phase.GIVING_UP, event].is_given_up
    assert NEXT[Phase.GIVING_UP, Event.REPRINT] is Phase.UNSURE


@pytest.mark.parametrize("phase", [Phase.UNSURE, Phase.FOLLOWED])
def test_h2_after_a_failure_the_printer_is_asked_first(phase):
    assert NEXT[phase, Event.FAILED] is Phase.UNSURE
    assert NEXT[phase, Event.FOLLOWED] is Phase.FOLLOWED
    assert NEXT[phase, Event.CHANGED] is Phase.WITHDRAWING
    assert NEXT[phase, Event.GAVE_UP] is Phase.GIVING_UP
