"""How long nothing moved: what counts as a sign of progress, and what does not."""

from __future__ import annotations

import pytest

from piprint.jobs.progress import Progress, allowance

SIGN = ("processing", (), "")


def test_p4_time_without_a_sign_is_counted():
    quiet = Progress()
    assert [quiet.note(at, (0, 0), SIGN, waits=False) for at in (0, 10, 25, 25)] == [0, 10, 25, 25]


@pytest.mark.parametrize("count", range(2))
def test_p4_each_count_that_grows_is_progress(count):
    quiet, counts = Progress(), [0, 0]
    quiet.note(0, counts, SIGN, waits=False)
    assert quiet.note(100, counts, SIGN, waits=False) == 100
    counts[count] += 1
    assert quiet.note(200, counts, SIGN, waits=False) == 0
    assert quiet.note(250, [0, 0], SIGN, waits=False) == 50, "a count that falls is none"


def test_p4_a_new_message_is_progress_and_one_that_comes_again_is_not():
    quiet = Progress()
    quiet.note(0, (), "connecting", waits=False)
    assert quiet.note(10, (), "sending", waits=False) == 0
    silent = [quiet.note(10 + at, (), ("connecting", "sending")[at % 2], waits=False) for at in range(1, 1001)]
    assert silent[-1] == 1000, "a backend that says two things in turn for ever"


def test_p4_a_message_that_is_new_for_ever_ends():
    quiet = Progress()
    silent = [quiet.note(at, (), f"waited {at} s", waits=False) for at in range(1000)]
    assert silent[199] == 0
    assert silent[-1] == 800


def test_p4_time_in_which_it_waits_or_could_not_be_asked_does_not_count():
    quiet = Progress()
    quiet.note(0, (), SIGN, waits=False)
    assert quiet.note(10, (), SIGN, waits=False) == 10
    assert quiet.note(500, (), SIGN, waits=True) == 10
    quiet.interrupt()
    assert quiet.note(900, (), SIGN, waits=False) == 10
    assert quiet.note(905, (), SIGN, waits=False) == 15


def test_p4_a_large_document_is_allowed_its_time():
    assert allowance(0, 0) == 0
    assert allowance(4_000_000, 2000) > 10 * 3600, "2,000 pages at 3 a minute take eleven hours"
    assert allowance(140_000_000, 1) > 2 * 3600
