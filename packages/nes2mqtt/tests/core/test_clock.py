"""Which clock is believed, and what label a moment gets."""

from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.clock import Clock, Trust, host_synchronised

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


def test_a_witness_that_is_gone_counts_no_longer(host):
    host.host_is_ahead = timedelta(hours=2)
    host.meter_says()
    assert host.clock.trust is Trust.METER
    host.clock.forget("house")
    assert host.clock.trust is Trust.HOST


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
