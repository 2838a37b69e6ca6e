"""Which clock is believed, and what label a moment gets."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.timing.clock import DISAGREEMENT, Clock, Trust, host_synchronised

BUILT = datetime(2026, 11, 29, tzinfo=UTC)
TRUTH = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)


class Sources:
    """The host and its clocks; true time passes only by :meth:`wait`."""

    def __init__(self):
        self.uptime = 100.0
        self.host_is_ahead = timedelta(0)
        self.synchronised = False
        self.clock = Clock(
            wall=self.host_shows,
            monotonic=lambda: self.uptime,
            synchronised=lambda: self.synchronised,
            built=BUILT.timestamp(),
        )

    def host_shows(self):
        return (self.truth() + self.host_is_ahead).timestamp()

    def truth(self):
        return TRUTH + timedelta(seconds=self.uptime - 100.0)

    def wait(self, seconds):
        self.uptime += seconds

    def meter_says(self, ahead=timedelta(0), meter="house"):
        self.clock.witness(meter, self.truth() + ahead, self.uptime)

    def error(self):
        """Return by how much the label of this moment is wrong, in seconds."""
        return (self.clock.now() - self.truth()).total_seconds()


@pytest.fixture
def host():
    return Sources()


def test_a_host_without_a_witness_is_believed_if_it_is_not_behind_this_program(host):
    assert host.clock.trust is Trust.HOST
    assert host.error() == 0
    host.host_is_ahead = BUILT - TRUTH - timedelta(seconds=1)
    assert not host.clock.known
    assert host.clock.trouble is not None


@pytest.mark.parametrize("off", [timedelta(days=-3), timedelta(hours=2), timedelta(days=3653), timedelta(minutes=-6)])
def test_an_unsynchronised_host_that_is_far_from_the_meter_is_not_believed(host, off):
    host.host_is_ahead = off
    host.meter_says()
    assert host.clock.trust is Trust.METER
    assert host.error() == 0
    host.wait(3600)
    assert host.error() == 0
    assert host.clock.trouble.off == pytest.approx(off.total_seconds())
    assert host.clock.trouble.meter == "house"


def test_once_the_host_is_set_right_it_is_believed_again(host):
    host.host_is_ahead = timedelta(days=-3)
    host.meter_says(timedelta(seconds=20))
    assert host.error() == 20
    host.wait(45)
    host.host_is_ahead, host.synchronised = timedelta(0), True
    assert host.clock.trust is Trust.HOST
    assert host.error() == 0
    assert host.clock.trouble is None


def test_a_synchronised_host_is_believed_against_any_meter(host):
    host.synchronised = True
    host.meter_says(timedelta(hours=-2))
    assert host.clock.trust is Trust.HOST


def test_a_host_that_does_not_tell_is_believed(host):
    host.synchronised = None
    host.meter_says(timedelta(hours=-2))
    assert host.clock.trust is Trust.HOST


def test_of_several_meters_one_that_agrees_is_enough(host):
    host.meter_says(timedelta(hours=5), "cottage")
    assert host.clock.trust is Trust.METER
    host.meter_says(timedelta(minutes=4), "house")
    assert host.clock.trust is Trust.HOST


def test_a_moment_that_had_no_label_gets_the_true_one_later(host):
    host.host_is_ahead = BUILT - TRUTH - timedelta(days=20 * 365)
    earlier, then = host.uptime, host.truth()
    assert not host.clock.known
    host.wait(600)
    host.host_is_ahead = timedelta(0)
    assert host.clock.label(earlier) == then
    assert host.clock.instant(then) == pytest.approx(earlier)


def test_a_meter_whose_clock_was_never_set_is_no_witness(host):
    host.clock.witness("house", datetime(2000, 1, 1, tzinfo=UTC), host.uptime)
    assert host.clock.trust is Trust.HOST


def test_a_swap_does_not_make_a_wrong_host_right(host):
    """One meter, and a host three days behind: until the new meter's clock was read the old one's goes on."""
    host.host_is_ahead = timedelta(days=-3)
    host.meter_says(timedelta(seconds=20))
    host.wait(100)
    host.clock.forget("house")
    host.wait(100)
    assert host.clock.trust is Trust.METER
    assert host.error() == 20
    assert host.clock.moment().known
    host.wait(8 * 86400)
    assert host.clock.trust is Trust.HOST, "it would have drifted too far"


def test_the_clock_of_a_new_meter_counts_at_once_and_without_the_error_of_the_old_one(host):
    host.synchronised = True
    host.meter_says(timedelta(hours=-2))
    assert host.clock.trust is Trust.HOST
    host.wait(10)
    host.clock.forget("house")
    host.synchronised, host.host_is_ahead = False, timedelta(days=-3)
    assert host.error() == 0
    host.meter_says(timedelta(seconds=20))
    assert host.error() == 20


@pytest.mark.parametrize("step", [timedelta(days=3650), timedelta(days=-3)])
def test_a_step_that_two_threads_see_gives_neither_the_wrong_clock(host, step):
    """The host's answer takes a while, and meanwhile another thread asks for the time."""
    host.meter_says()
    host.clock.now()
    asked, answer = threading.Event(), threading.Event()

    def slow():
        asked.set()
        answer.wait(10)
        return False

    host.clock._synchronised = slow
    host.host_is_ahead = step
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(host.clock.moment())) for _ in range(2)]
    threads[0].start()
    assert asked.wait(10)
    threads[1].start()
    threads[1].join(0.2)  # without a lock it has its answer by now, and a wrong one
    answer.set()
    for thread in threads:
        thread.join()
    assert {(moment.label, moment.known) for moment in seen} == {(host.truth(), True)}


def test_the_kernel_tells_whether_it_is_synchronised():
    assert host_synchronised() in {True, False, None}


@pytest.mark.parametrize(
    ("off", "code", "text"),
    [
        (timedelta(days=-3), "clock_behind", "3 days behind the clock of the meter 'house'"),
        (timedelta(hours=2), "clock_ahead", "2 hours ahead of the clock of the meter 'house'"),
        (timedelta(days=3653), "clock_ahead", "10 years ahead of"),
        (timedelta(minutes=-6), "clock_behind", "6 minutes behind"),
    ],
)
def test_t3_the_trouble_says_which_clock_is_wrong_by_how_much(host, off, code, text):
    host.host_is_ahead = off
    host.meter_says()
    assert host.clock.trouble.code == code
    assert host.clock.trouble.params == {"seconds": abs(off.total_seconds()), "meter": "house"}
    assert text in host.clock.trouble.message


def test_a_time_nobody_knows_is_said(host):
    host.host_is_ahead = BUILT - TRUTH - timedelta(days=20 * 365)
    assert host.clock.trouble.code == "clock_unknown"
    assert "before this program was made" in host.clock.trouble.message


def test_a_host_that_was_synchronised_and_not_set_since_is_believed_when_the_network_is_gone(host):
    host.synchronised = True
    host.meter_says(timedelta(minutes=-20))
    assert host.clock.trust is Trust.HOST
    host.wait(86400)
    host.synchronised = False
    host.meter_says(timedelta(minutes=-20))
    assert host.clock.trust is Trust.HOST
    assert host.error() == 0


def test_a_host_that_was_synchronised_is_believed_against_a_meter_that_comes_later(host):
    host.synchronised = True
    assert host.clock.trust is Trust.HOST
    host.wait(86400)
    host.synchronised = False
    host.meter_says(timedelta(minutes=-20))
    assert host.clock.trust is Trust.HOST
    host.host_is_ahead = timedelta(minutes=-10)
    assert host.clock.trust is Trust.METER, "it was set since"


def test_a_meter_whose_error_is_known_stands_in_without_it(host):
    host.synchronised = True
    host.meter_says(timedelta(hours=-2))
    assert host.clock.trust is Trust.HOST
    host.wait(60)
    host.synchronised, host.host_is_ahead = False, timedelta(days=400)
    assert host.clock.trust is Trust.METER
    assert host.error() == 0
    assert host.clock.trouble.off == pytest.approx(400 * 86400)


def test_a_meters_clock_that_jumps_once_drags_no_label_along(host):
    host.host_is_ahead = timedelta(days=-3)
    host.meter_says()
    host.wait(600)
    host.clock.witness("house", host.truth() + timedelta(days=11), host.uptime)
    assert host.error() == 0
    host.wait(600)
    host.meter_says()
    assert host.error() == 0


def test_a_meter_that_was_set_counts_when_it_is_read_again(host):
    host.host_is_ahead = timedelta(days=-3)
    host.meter_says(timedelta(hours=1))
    assert host.error() == 3600
    host.wait(600)
    assert not host.clock.witness("house", host.truth(), host.uptime)
    host.wait(1)
    assert host.clock.witness("house", host.truth(), host.uptime)
    assert host.error() == 0


def test_of_meters_that_disagree_the_most_agreed_counts(host):
    host.host_is_ahead = timedelta(days=-3)
    host.meter_says(timedelta(hours=-5), "cottage")
    host.meter_says(timedelta(seconds=40), "house")
    host.meter_says(timedelta(seconds=-40), "barn")
    assert abs(host.error()) == 40


def test_two_clocks_at_the_limit_do_not_take_turns(host):
    host.host_is_ahead = timedelta(seconds=301)
    host.meter_says()
    assert host.clock.trust is Trust.METER
    seen = set()
    for n in range(100):
        host.wait(600)
        host.meter_says(timedelta(seconds=n % 3))
        seen.add(host.clock.trust)
    assert seen == {Trust.METER}


@pytest.mark.parametrize("seconds", [-1e12, 0.0, 1e10, 1e12])
def test_no_clock_however_wrong_stops_the_program(host, seconds):
    host.host_is_ahead = timedelta(0)
    host.clock._wall = lambda: seconds
    assert host.clock.now().tzinfo is UTC
    assert host.clock.moment().label == host.clock.now()
    assert host.clock.host().tzinfo is UTC


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0.1, 100_000.0)),
        st.tuples(
            st.just("host"), st.sampled_from([0.0, 2.0, -90.0, 3600.0, -7200.0, -3 * 86400.0, 3653 * 86400.0, -40e7])
        ),
        st.tuples(st.just("synchronise"), st.just(0.0)),
        st.tuples(st.just("meter"), st.floats(-45.0, 45.0)),
        st.tuples(st.just("glitch"), st.sampled_from([3600.0, -7200.0, 11 * 86400.0])),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_whatever_steps_a_label_is_right_or_known_to_be_wrong(steps):
    """With a meter that is right to 45 s and was read since, no known label is off by more than the tolerance.

    A host that says it is synchronised tells the truth here: it is set right when it becomes so, and stays so until it steps.
    """
    host = Sources()
    read = None
    for what, amount in steps:
        if what == "wait":
            host.wait(amount)
        elif what == "host":
            host.synchronised, host.host_is_ahead = False, timedelta(seconds=amount)
        elif what == "synchronise":
            host.synchronised, host.host_is_ahead = True, timedelta(0)
        elif what == "meter":
            host.meter_says(timedelta(seconds=amount))
            read = host.uptime
        elif read is not None:
            host.clock.witness("house", host.truth() + timedelta(seconds=amount), host.uptime)
            host.wait(1.0)
            host.meter_says()
            read = host.uptime
        clock = host.clock
        assert (clock.trouble is None) == (clock.trust is Trust.HOST)
        assert clock.known == (clock.trust is not Trust.NONE)
        instant = host.uptime - 50.0
        assert abs(clock.instant(clock.label(instant)) - instant) < 0.01
        if host.synchronised:
            assert host.error() == 0
        elif read is not None and host.uptime - read < 6 * 86400:
            assert abs(host.error()) <= DISAGREEMENT + 90
