"""Every rule of the guard by its number, then properties over whole lives of meters."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.guard import Guard, Limits, Memory
from nes2mqtt.reading import TableGroup
from osgp.sources import SOURCES

IMPORT = SOURCES["active_energy_import"]
EXPORT = SOURCES["active_energy_export"]
NET = SOURCES["active_energy_net"]
OUTAGE_COUNT = SOURCES["outage_count"]
OUTAGE_DURATION = SOURCES["outage_duration"]
POWER = SOURCES["active_power_import"]
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Life:
    """Feeds a guard one read every ten seconds."""

    def __init__(self, guard):
        self.guard = guard
        self.now = START

    def read(self, value=None, *, after=10.0, **values):
        self.now += timedelta(seconds=after)
        given_values = {SOURCES[key]: number for key, number in values.items()}
        if value is not None:
            given_values[IMPORT] = value
        return self.guard.registers(given_values, self.now, None)

    def published(self, *reads, **options):
        return [value_of(self.read(value, **options)) for value in reads]


def value_of(verdict, source=IMPORT):
    return verdict.sample.values.get(source) if verdict.sample else None


@pytest.fixture
def fresh():
    return Life(Guard("house"))


def remembering(values=None, **more):
    memory = Memory(
        **{"segment": 1, "segment_start": None, "received": START, "values": values or {IMPORT: 1000}} | more
    )
    return Life(Guard("house", memory=memory))


class TestFirst:
    def test_r1_the_first_value_waits_for_the_second(self, fresh):
        first = fresh.read(1000)
        assert first.sample is None
        assert first.held == 1
        assert value_of(fresh.read(1001)) == 1001

    def test_r1_a_wrong_first_value_does_not_shut_out_the_truth(self, fresh):
        assert fresh.published(999_999_999, 1000, 1001) == [None, None, 1001]

    def test_r1_a_first_zero_is_not_published(self, fresh):
        assert fresh.published(0, 1000, 1001) == [None, None, 1001]

    def test_r1_a_meter_that_is_really_new_may_show_zero(self, fresh):
        assert fresh.published(0, 0, 1) == [None, 0, 1]

    def test_what_is_remembered_needs_no_second_read(self):
        assert remembering().published(1001) == [1001]

    def test_a_register_that_appears_later_waits_alone(self):
        life = remembering()
        first = life.read(1001, active_energy_export=5)
        assert dict(first.sample.values) == {IMPORT: 1001}
        assert dict(life.read(1002, active_energy_export=5).sample.values) == {IMPORT: 1002, EXPORT: 5}


class TestRise:
    def test_r2_a_rise_within_the_limit_passes_at_once(self):
        # 100 kW for 10 s and the slack of 15 s is 694 Wh, and a margin of a tenth
        assert remembering().published(1000 + 763) == [1763]

    def test_r3_a_jump_waits_and_is_believed_when_it_stays(self):
        life = remembering()
        held = life.read(5000)
        assert held.sample is None
        assert held.held == 1
        assert held.rejected == 0
        confirmed = life.read(5001)
        assert value_of(confirmed) == 5001
        assert "more than max_power allows" in confirmed.notes[0].text

    def test_r3_a_spike_is_dropped_and_counted(self):
        life = remembering()
        assert life.read(900_000_000).sample is None
        back = life.read(1002)
        assert value_of(back) == 1002
        assert back.rejected == 1

    def test_r3_a_long_outage_explains_a_large_rise(self):
        assert remembering().published(1_000_000, after=30 * 86400) == [1_000_000]

    def test_r3_a_host_clock_set_back_does_not_lock_the_guard(self):
        life = remembering()
        assert life.published(1001, 1002, after=-86400) == [1001, 1002]

    def test_r3_a_larger_meter_has_a_larger_limit(self):
        memory = Memory(1, None, START, {IMPORT: 1000})
        life = Life(Guard("works", Limits(power=5_000_000), memory))
        assert life.published(31_000) == [31_000]

    def test_r3_a_seconds_count_cannot_outrun_time(self):
        life = remembering({OUTAGE_DURATION: 100})
        assert life.read(outage_duration=400).held == 1
        assert life.read(outage_duration=100).rejected == 1

    @pytest.mark.parametrize("life", [remembering(), Life(Guard("house"))], ids=["known", "new"])
    def test_r3_a_meter_above_max_power_is_told_once(self, life):
        notes = [note for n in range(20) for note in life.read(1_000_000 + 2000 * n).notes]
        assert ["raise max_power" in note.text for note in notes] == [True]
        assert "rises by 2 kWh in 10 s" in notes[0].text


class TestFall:
    def test_r5_a_fall_is_absent_and_said_once(self):
        life = remembering()
        verdicts = [life.read(0) for _ in range(5)]
        assert all(verdict.sample is None for verdict in verdicts)
        assert [verdict.rejected for verdict in verdicts] == [1] * 5
        assert [len(verdict.notes) for verdict in verdicts] == [1, 0, 0, 0, 0]
        assert "segment" in verdicts[0].notes[0].text

    def test_r5_the_next_fall_is_a_new_episode(self):
        life = remembering()
        life.read(0)
        life.read(1001)
        assert len(life.read(0).notes) == 1

    def test_r5_the_first_reply_is_withheld_as_a_whole_then_the_others_pass(self):
        life = remembering({IMPORT: 1000, EXPORT: 7})
        first = life.read(0, active_energy_export=8)
        assert first.sample is None
        assert first.doubt
        second = life.read(0, active_energy_export=9)
        assert dict(second.sample.values) == {EXPORT: 9}
        assert not second.doubt

    def test_r5_however_many_fall_it_is_one_line(self):
        life = remembering({IMPORT: 1000, EXPORT: 700, NET: 300})
        (note,) = life.read(0, active_energy_export=0).notes
        assert "registers fell: Export energy from 0.7 to 0 kWh, and 1 more." in note.text

    def test_absent_stays_absent(self):
        life = remembering({IMPORT: 1000, EXPORT: 7})
        assert dict(life.read(1001).sample.values) == {IMPORT: 1001}
        assert life.read().sample is None

    def test_a_net_register_may_fall_as_fast_as_it_may_rise(self):
        life = remembering({NET: 1000})
        assert value_of(life.read(active_energy_net=900), NET) == 900
        assert life.read(active_energy_net=-900_000).sample is None


class TestRollover:
    # 5 to 9 digits (p. 119) of units of 1, 10 or 100 Wh (p. 158).
    @pytest.mark.parametrize("digits", range(5, 12))
    def test_r4_a_rollover_passes_with_the_second_read(self, digits):
        life = remembering({IMPORT: 10**digits - 3, EXPORT: 7})
        assert dict(life.read(2, active_energy_export=7).sample.values) == {EXPORT: 7}
        sample = life.read(4, active_energy_export=7).sample
        assert dict(sample.values) == {IMPORT: 4, EXPORT: 7}
        assert dict(sample.restarted) == {IMPORT: life.now - timedelta(seconds=10)}
        assert sample.segment == 1

    def test_r4_the_point_printed_in_the_guide(self):
        """999,999 -> 0 with digit 6 (MEP guide v1.1, p. 119)."""
        assert remembering({IMPORT: 999_999}).published(0, 0) == [None, 0]

    def test_r4_a_corrupt_small_value_near_the_rollover_is_not_believed(self):
        life = remembering({IMPORT: 999_990})
        assert life.published(5, 999_991) == [None, 999_991]

    def test_r4_a_fall_far_from_a_rollover_is_none(self):
        assert remembering({IMPORT: 950_000}).published(5, 5, 5) == [None, None, None]

    def test_r4_a_byte_count_rolls_over_where_its_byte_ends(self):
        life = remembering({OUTAGE_COUNT: 255})
        life.read(outage_count=0)
        assert value_of(life.read(outage_count=0), OUTAGE_COUNT) == 0

    def test_r4_a_count_that_falls_by_one_did_not_roll_over(self):
        life = remembering({OUTAGE_COUNT: 14})
        assert [life.read(outage_count=13).held for _ in range(3)] == [0, 0, 0]

    def test_r4_is_remembered_over_a_restart(self):
        life = remembering({IMPORT: 5}, restarted={IMPORT: START})
        assert dict(life.read(6).sample.restarted) == {IMPORT: START}


class TestSegments:
    def test_r6_another_serial_number_starts_the_next_segment(self):
        life = remembering(serial="1")
        (note,) = life.guard.identify("2", "d", life.now)
        assert "1 became 2" in note.text
        assert life.read(3).sample is None
        sample = life.read(3).sample
        assert (sample.segment, sample.segment_start, dict(sample.values)) == (2, START, {IMPORT: 3})

    def test_r6_the_same_serial_number_changes_nothing(self):
        life = remembering(serial="1")
        assert life.guard.identify("1", "d", life.now) == ()
        assert life.published(1001) == [1001]

    def test_r6_a_serial_number_that_cannot_be_read_is_no_other_meter(self):
        life = remembering(serial="1")
        life.guard.identify("", None, life.now)
        assert life.published(1001) == [1001]
        assert life.guard.identify("2", None, life.now) != ()

    def test_r7_a_fall_after_a_new_layout_starts_the_next_segment(self):
        life = remembering({IMPORT: 1000, EXPORT: 7}, serial="1")
        life.guard.identify("1", "old", life.now)
        life.guard.identify("1", "new", life.now)
        for _ in range(2):
            assert value_of(life.read(3, active_energy_export=7)) is None
        sample = life.read(3, active_energy_export=7).sample
        assert (sample.segment, dict(sample.values)) == (2, {IMPORT: 3, EXPORT: 7})

    def test_r7_one_corrupt_fall_after_a_new_layout_is_not_believed(self):
        life = remembering()
        life.guard.identify("", "old", life.now)
        life.guard.identify("", "new", life.now)
        assert life.published(0, 1001, 1002) == [None, 1001, 1002]
        assert life.guard.segment == 1

    def test_r7_once_all_is_well_a_fall_is_a_fall_again(self):
        life = remembering()
        life.guard.identify("", "old", life.now)
        life.guard.identify("", "new", life.now)
        assert life.published(1001, 0, 0, 0) == [1001, None, None, None]

    def test_r8_the_owner_starts_the_next_segment(self):
        memory = Memory(1, None, START, {IMPORT: 1000}, serial="1")
        life = Life(Guard("house", memory=memory, segment=2))
        assert life.published(0, 0) == [None, 0]
        sample = life.read(1).sample
        assert sample.segment == 2
        assert sample.segment_start == START + timedelta(seconds=10)

    def test_r8_does_not_turn_back_what_the_guard_saw_itself(self):
        memory = Memory(3, START, START, {IMPORT: 1000}, serial="1")
        life = Life(Guard("house", memory=memory, segment=2))
        sample = life.read(1001).sample
        assert (sample.segment, sample.segment_start) == (3, START)


def test_present_values_may_be_anything(fresh):
    for value in (1500, -3, 0, 99_999):
        verdict = fresh.guard.present({POWER: value}, START, None)
        assert verdict.sample.group is TableGroup.PRESENT
        assert dict(verdict.sample.values) == {POWER: value}
    assert fresh.guard.present({}, START, None).sample is None


# One step of a meter's life: seconds since the last read, Wh counted meanwhile, and what happens.
steps = st.lists(
    st.tuples(
        st.floats(1.0, 100_000.0),
        st.floats(0.0, 1.0),
        st.sampled_from(["read"] * 12 + ["swap", "absent"]),
    ),
    min_size=2,
    max_size=60,
)


class TrueMeter:
    """A meter that counts truly up to 100 kW, rolls over and may be replaced."""

    def __init__(self, first, digits):
        self.total = first
        self.modulus = 10**digits
        self.serial = 1

    @property
    def value(self):
        return self.total % self.modulus


@settings(max_examples=150, deadline=None)
@given(steps=steps, digits=st.integers(5, 9), below=st.integers(0, 90_000))
def test_everything_true_passes(steps, digits, below):
    """A true value is published at once or with the next read, for any gaps, roll-overs and swaps.

    A roll-over between a held value and the read that would confirm it costs one read more.
    """
    meter = TrueMeter(10**digits - 1 - below, digits)
    guard = Guard("house")
    guard.identify("1", "d", START)
    now, waiting, rolled_since, unread = START, False, False, 0
    for seconds, load, event in steps:
        now += timedelta(seconds=seconds)
        # A register that turns by more than half of its range between two reads cannot be followed by anybody.
        counted = min(int(load * 100_000 * seconds / 3600), meter.modulus // 2 - unread)
        before = meter.value
        meter.total += counted
        unread += counted
        rolled_since |= meter.value < before
        if event == "swap":
            meter = TrueMeter(0, digits)
            meter.serial = guard.segment + 1
            guard.identify(str(meter.serial), "d", now)
            waiting = False
        values = {} if event == "absent" else {IMPORT: meter.value}
        verdict = guard.registers(values, now, None)
        if event == "absent":
            assert verdict.sample is None
            continue
        unread = 0
        if verdict.sample is None:
            assert not waiting or rolled_since, "held twice in a row"
            waiting = True
        else:
            assert verdict.sample.values[IMPORT] == meter.value
            waiting = False
        rolled_since = False


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(st.tuples(st.floats(1.0, 10_000.0), st.floats(0.0, 1.0)), min_size=4, max_size=40),
    first=st.one_of(st.integers(0, 10**9), st.integers(1, 9).map(lambda d: 10**9 - 10**d)),
    corrupt_at=st.integers(0, 39),
    corrupt=st.one_of(st.integers(-(2**31), 2**31 - 1), st.just(0), st.integers(0, 100)),
    remembered=st.booleans(),
)
def test_one_corrupt_value_never_publishes_a_fall(steps, first, corrupt_at, corrupt, remembered):
    """Without a roll-over nothing published ever falls, wherever one read is corrupt and whatever it says."""
    memory = Memory(1, None, START, {IMPORT: first}, "1") if remembered else None
    guard = Guard("house", memory=memory)
    now, value = START, first
    last = first if remembered else None
    for index, (seconds, load) in enumerate(steps):
        now += timedelta(seconds=seconds)
        value = min(value + int(load * 100_000 * seconds / 3600), 10**9 - 1)
        said = corrupt if index == corrupt_at % len(steps) else value
        verdict = guard.registers({IMPORT: said}, now, None)
        published = verdict.sample.values.get(IMPORT) if verdict.sample else None
        if published is not None:
            assert last is None or published >= last
            assert published <= value or published == corrupt
            assert not verdict.sample.restarted
            last = published
