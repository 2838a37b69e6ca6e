"""Every rule of the guard by its number, then properties over whole lives of meters."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.meters.guard import Guard, Limits, Memory
from nes2mqtt.readings.reading import TableGroup
from nes2mqtt.timing.clock import Moment
from osgp.sources import SOURCES, Kind

IMPORT = SOURCES["active_energy_import"]
EXPORT = SOURCES["active_energy_export"]
NET = SOURCES["active_energy_net"]
OUTAGE_COUNT = SOURCES["outage_count"]
OUTAGE_DURATION = SOURCES["outage_duration"]
POWER = SOURCES["active_power_import"]
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def moment(label):
    """Return a moment of a program that runs since long before the tests, with a clock that never stepped."""
    return Moment(label, label.timestamp())


@dataclass
class Rated:
    """What a meter says it is made for."""

    voltage: int | None = None
    frequency: int | None = None
    maximum_current: int | None = None
    ct_ratio: int | None = None
    vt_ratio: int | None = None


def fresh_power(guard, watts):
    """Tell whether a guard believes a power."""
    return guard.present({POWER: watts}, moment(START), None).sample is not None


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
        return self.guard.registers(given_values, moment(self.now), None)

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
    def test_g1_the_first_value_waits_for_the_second(self, fresh):
        first = fresh.read(1000)
        assert first.sample is None
        assert first.held == 1
        assert value_of(fresh.read(1001)) == 1001

    def test_g1_a_wrong_first_value_does_not_shut_out_the_truth(self, fresh):
        assert fresh.published(999_999_999, 1000, 1001) == [None, None, 1001]

    def test_g1_a_first_zero_is_not_published(self, fresh):
        assert fresh.published(0, 1000, 1001) == [None, None, 1001]

    def test_g1_a_meter_that_is_really_new_may_show_zero(self, fresh):
        assert fresh.published(0, 0, 1) == [None, 0, 1]

    def test_what_is_remembered_needs_no_second_read(self):
        assert remembering().published(1001) == [1001]

    def test_a_register_that_appears_later_waits_alone(self):
        life = remembering()
        first = life.read(1001, active_energy_export=5)
        assert dict(first.sample.values) == {IMPORT: 1001}
        assert dict(life.read(1002, active_energy_export=5).sample.values) == {IMPORT: 1002, EXPORT: 5}


class TestRise:
    def test_g2_a_rise_within_the_limit_passes_at_once(self):
        # 100 kW for 10 s and the slack of 15 s is 694 Wh, and a margin of a tenth
        assert remembering().published(1000 + 763) == [1763]

    def test_g3_a_jump_waits_and_is_believed_when_it_stays(self):
        life = remembering(serial="1")
        life.read(1000)
        held = life.read(5000)
        assert held.sample is None
        assert held.held == 1
        assert held.rejected == 0
        confirmed = life.read(5001)
        assert value_of(confirmed) == 5001
        assert "more than max_power allows" in confirmed.notes[0].text

    def test_m3_a_jump_asks_who_the_meter_is_and_nothing_of_that_reply_is_believed(self):
        life = remembering({IMPORT: 1000, EXPORT: 7}, serial="1")
        life.read(1001, active_energy_export=7)
        first = life.read(25_310_800, active_energy_export=8)
        assert first.sample is None
        assert first.doubt
        assert first.notes == ()
        life.guard.identify("2", "d", moment(life.now))
        verdicts = [life.read(25_310_800, active_energy_export=8) for _ in range(2)]
        assert verdicts[0].sample is None
        sample = verdicts[1].sample
        assert (sample.segment, sample.segment_start) == (2, life.now - timedelta(seconds=20))
        assert dict(sample.values) == dict(sample.base) == {IMPORT: 25_310_800, EXPORT: 8}

    def test_m3_a_jump_of_a_meter_without_a_serial_number_is_nobodys_consumption(self):
        life = remembering()
        life.read(1001)
        assert life.read(25_310_800).doubt
        (note,) = life.read(25_310_801).notes
        assert "no consumption" in note.text
        sample = life.read(25_310_803).sample
        assert (sample.segment, dict(sample.values), dict(sample.base)) == (
            2,
            {IMPORT: 25_310_803},
            {IMPORT: 25_310_803},
        )

    def test_a_meter_above_max_power_is_not_asked_who_it_is_with_each_read(self):
        life = remembering(serial="1")
        doubts = [life.read(1000 + 1500 * n).doubt for n in range(50)]
        assert sum(doubts) == 1

    def test_t3_nobody_is_blamed_for_a_clock_that_was_wrong(self):
        """Three days behind at boot: the register rose a lot since a label that lies in the future."""
        life = remembering(serial="1", received=START + timedelta(days=3))
        verdicts = [life.read(119_000 + n) for n in range(3)]
        assert [value_of(verdict) for verdict in verdicts] == [None, 119_001, 119_002]
        assert not any(verdict.notes or verdict.doubt for verdict in verdicts)

    def test_t3_a_step_of_the_clock_between_two_reads_changes_nothing(self):
        life = remembering(serial="1")
        life.read(1001)
        life.read(1002)
        step = timedelta(days=-3)
        for n in range(5):
            at = Moment(life.now + step, life.now.timestamp() + 10 * (n + 1))
            verdict = life.guard.registers({IMPORT: 1002 + 700 * (n + 1)}, at, None)
            assert value_of(verdict) == 1002 + 700 * (n + 1)
            step = -2 * step

    @pytest.mark.parametrize("later", [False, True], ids=["still unknown", "known later"])
    def test_what_was_read_at_a_time_nobody_knew_explains_no_rise(self, later):
        """Restarted in the same start of the machine: the label left is a guess, years off; the seconds are measured."""
        guess = datetime(2001, 1, 1, tzinfo=UTC)
        memory = Memory(2, guess, guess, {IMPORT: 1000}, "1", known=False, instant=100.0, segment_instant=40.0)
        guard = Guard("house", memory=memory)

        def read(value, instant):
            label = START if later else guess
            at = Moment(label + timedelta(seconds=instant - 100.0), instant, known=later)
            return guard.registers({IMPORT: value}, at, None)

        assert value_of(read(1050, 110.0)) == 1050
        jump = read(900_000, 120.0)
        assert jump.sample is None
        assert jump.doubt, "the time was measured"
        sample = read(1051, 130.0).sample
        assert value_of(read(1051, 130.0)) == 1051
        assert sample.segment_start == (START if later else guess) - timedelta(seconds=60)

    def test_a_guess_without_an_instant_explains_no_rise_either(self):
        life = remembering(serial="1", received=datetime(2001, 1, 1, tzinfo=UTC), known=False)
        assert life.published(900_000, 1001) == [None, 1001]

    def test_a_time_nobody_knows_makes_a_restart_wait_for_the_second_read(self):
        guard = Guard("house", memory=Memory(1, None, START - timedelta(days=9), {IMPORT: 1000}, "1"))
        unknown = [Moment(START, 10.0 * n, known=False) for n in range(2)]
        assert guard.registers({IMPORT: 60_000}, unknown[0], None).sample is None
        assert value_of(guard.registers({IMPORT: 60_001}, unknown[1], None)) == 60_001

    def test_g3_a_spike_is_dropped_and_counted(self):
        life = remembering()
        assert life.read(900_000_000).sample is None
        back = life.read(1002)
        assert value_of(back) == 1002
        assert back.rejected == 1

    def test_g3_a_long_outage_explains_a_large_rise(self):
        assert remembering().published(1_000_000, after=30 * 86400) == [1_000_000]

    def test_g3_a_host_clock_set_back_does_not_lock_the_guard(self):
        life = remembering()
        assert life.published(1001, 1002, after=-86400) == [1001, 1002]

    def test_g3_a_larger_meter_has_a_larger_limit(self):
        memory = Memory(1, None, START, {IMPORT: 1000})
        life = Life(Guard("works", Limits(power=5_000_000), memory))
        assert life.published(31_000) == [31_000]

    def test_g3_a_seconds_count_cannot_outrun_time(self):
        life = remembering({OUTAGE_DURATION: 100})
        assert life.read(outage_duration=400).held == 1
        assert life.read(outage_duration=100).rejected == 1

    @pytest.mark.parametrize("life", [remembering(), Life(Guard("house"))], ids=["known", "new"])
    def test_g3_a_meter_above_max_power_is_told_once(self, life):
        notes = [note for n in range(20) for note in life.read(1_000_000 + 2000 * n).notes]
        assert ["raise max_power" in note.text for note in notes] == [True]
        assert "rises by 2 kWh in 10 s" in notes[0].text


class TestFall:
    def test_g5_a_fall_is_absent_and_said_once(self):
        life = remembering()
        verdicts = [life.read(0) for _ in range(5)]
        assert all(verdict.sample is None for verdict in verdicts)
        assert [verdict.rejected for verdict in verdicts] == [1] * 5
        assert [len(verdict.notes) for verdict in verdicts] == [1, 0, 0, 0, 0]
        assert "segment" in verdicts[0].notes[0].text

    def test_g5_the_next_fall_is_a_new_episode(self):
        life = remembering()
        life.read(0)
        life.read(1001)
        assert len(life.read(0).notes) == 1

    def test_g5_the_first_reply_is_withheld_as_a_whole_then_the_others_pass(self):
        life = remembering({IMPORT: 1000, EXPORT: 7})
        first = life.read(0, active_energy_export=8)
        assert first.sample is None
        assert first.doubt
        second = life.read(0, active_energy_export=9)
        assert dict(second.sample.values) == {EXPORT: 9}
        assert not second.doubt

    def test_g5_however_many_fall_it_is_one_line(self):
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
    def test_g4_a_rollover_passes_with_the_second_read(self, digits):
        life = remembering({IMPORT: 10**digits - 3, EXPORT: 7})
        assert dict(life.read(2, active_energy_export=7).sample.values) == {EXPORT: 7}
        sample = life.read(4, active_energy_export=7).sample
        assert dict(sample.values) == {IMPORT: 4, EXPORT: 7}
        assert dict(sample.restarted) == {IMPORT: life.now - timedelta(seconds=10)}
        assert sample.segment == 1

    def test_g4_the_point_printed_in_the_guide(self):
        """999,999 -> 0 with digit 6 (MEP guide v1.1, p. 119)."""
        assert remembering({IMPORT: 999_999}).published(0, 0) == [None, 0]

    def test_g4_a_corrupt_small_value_near_the_rollover_is_not_believed(self):
        life = remembering({IMPORT: 999_990})
        assert life.published(5, 999_991) == [None, 999_991]

    def test_g4_a_fall_far_from_a_rollover_is_none(self):
        assert remembering({IMPORT: 950_000}).published(5, 5, 5) == [None, None, None]

    def test_g4_a_byte_count_rolls_over_where_its_byte_ends(self):
        life = remembering({OUTAGE_COUNT: 255})
        life.read(outage_count=0)
        assert value_of(life.read(outage_count=0), OUTAGE_COUNT) == 0

    def test_g4_a_count_that_falls_by_one_did_not_roll_over(self):
        life = remembering({OUTAGE_COUNT: 14})
        assert [life.read(outage_count=13).held for _ in range(3)] == [0, 0, 0]

    def test_g4_is_remembered_over_a_restart(self):
        life = remembering({IMPORT: 5}, restarted={IMPORT: START})
        assert dict(life.read(6).sample.restarted) == {IMPORT: START}

    @pytest.mark.parametrize("known", [False, True], ids=["a guess", "true, of an earlier start"])
    def test_l9_a_roll_over_at_a_time_nobody_knew_gets_its_time_after_a_restart_too(self, known):
        guess = datetime(2001, 1, 1, tzinfo=UTC)
        rolled = START - timedelta(days=300) if known else guess - timedelta(seconds=60)
        memory = Memory(1, None, guess, {IMPORT: 5}, restarted={IMPORT: rolled}, known=False, instant=100.0)
        guard = Guard("house", memory=memory)
        sample = guard.registers({IMPORT: 6}, Moment(START, 130.0), None).sample
        assert dict(sample.restarted) == {IMPORT: rolled if known else START - timedelta(seconds=90)}


class TestSegments:
    def test_g6_another_serial_number_starts_the_next_segment(self):
        life = remembering(serial="1")
        (note,) = life.guard.identify("2", "d", moment(life.now))
        assert "1 became 2" in note.text
        assert life.read(3).sample is None
        sample = life.read(3).sample
        assert (sample.segment, sample.segment_start, dict(sample.values)) == (2, START, {IMPORT: 3})

    def test_g6_the_same_serial_number_changes_nothing(self):
        life = remembering(serial="1")
        assert life.guard.identify("1", "d", moment(life.now)) == ()
        assert life.published(1001) == [1001]

    def test_g6_a_serial_number_that_cannot_be_read_is_no_other_meter(self):
        life = remembering(serial="1")
        life.guard.identify("", None, moment(life.now))
        assert life.published(1001) == [1001]
        assert life.guard.identify("2", None, moment(life.now)) != ()

    def test_m4_each_register_of_a_segment_tells_what_it_began_with(self):
        life = remembering({IMPORT: 1000, EXPORT: 7}, serial="1")
        assert life.read(1001).sample.base == {}
        life.guard.identify("2", "d", moment(life.now))
        samples = [life.read(5000 + n).sample for n in range(3)]
        assert [sample and dict(sample.base) for sample in samples] == [None, {IMPORT: 5001}, {IMPORT: 5001}]
        samples = [life.read(5003, active_energy_export=70 + n).sample for n in range(3)]
        assert dict(samples[-1].base) == {IMPORT: 5001, EXPORT: 71}

    def test_m4_a_restart_remembers_the_base_and_begins_none_midway(self):
        life = remembering({IMPORT: 6000}, segment=2, segment_start=START, base={IMPORT: 5001})
        samples = [life.read(6001, active_energy_export=n).sample for n in (7, 8)]
        assert [dict(sample.base) for sample in samples] == [{IMPORT: 5001}, {IMPORT: 5001, EXPORT: 8}]
        life = remembering({IMPORT: 6000}, segment=2, segment_start=START)
        samples = [life.read(6001, active_energy_export=n).sample for n in (7, 8)]
        assert [dict(sample.base) for sample in samples] == [{}, {}]

    def test_a_swap_at_a_time_nobody_knows_gets_its_label_later_and_keeps_it(self):
        guard = Guard("house")
        guard.identify("1", "d", Moment(START, 0.0))
        guard.identify("2", "d", Moment(datetime(2001, 1, 1, tzinfo=UTC), 100.0, known=False))

        def read(label, instant, **known):
            return guard.registers({IMPORT: 5}, Moment(label, instant, **known), None).sample

        read(datetime(2001, 1, 1, tzinfo=UTC), 101.0, known=False)
        assert read(datetime(2001, 1, 1, tzinfo=UTC), 102.0, known=False).segment_instant == 100.0
        assert read(START + timedelta(seconds=200), 200.0).segment_start == START + timedelta(seconds=100)
        assert read(START + timedelta(days=1), 300.0).segment_start == START + timedelta(seconds=100)

    def test_g7_a_fall_after_a_new_layout_starts_the_next_segment(self):
        life = remembering({IMPORT: 1000, EXPORT: 7}, serial="1")
        life.guard.identify("1", "old", moment(life.now))
        life.guard.identify("1", "new", moment(life.now))
        for _ in range(2):
            assert value_of(life.read(3, active_energy_export=7)) is None
        sample = life.read(3, active_energy_export=7).sample
        assert (sample.segment, dict(sample.values)) == (2, {IMPORT: 3, EXPORT: 7})

    def test_g7_one_corrupt_fall_after_a_new_layout_is_not_believed(self):
        life = remembering()
        life.guard.identify("", "old", moment(life.now))
        life.guard.identify("", "new", moment(life.now))
        assert life.published(0, 1001, 1002) == [None, 1001, 1002]
        assert life.guard.segment == 1

    def test_g7_once_all_is_well_a_fall_is_a_fall_again(self):
        life = remembering()
        life.guard.identify("", "old", moment(life.now))
        life.guard.identify("", "new", moment(life.now))
        assert life.published(1001, 0, 0, 0) == [1001, None, None, None]

    def test_g8_the_owner_starts_the_next_segment(self):
        memory = Memory(1, None, START, {IMPORT: 1000}, serial="1")
        life = Life(Guard("house", memory=memory, segment=2))
        assert life.published(0, 0) == [None, 0]
        sample = life.read(1).sample
        assert sample.segment == 2
        assert sample.segment_start == START + timedelta(seconds=10)

    @pytest.mark.parametrize("segment", [1, 2, 7])
    def test_g8_the_number_that_the_log_names_starts_the_next_segment(self, segment):
        """Also after swaps the guard saw itself, of which the configuration knows nothing."""
        life = Life(Guard("house", memory=Memory(1, None, START, {IMPORT: 1000}, serial="1")))
        for swap in range(1, segment):
            life.guard.identify(str(1 + swap), "d", moment(life.now))
            life.published(5000, 5000)
        (note,) = life.read(3).notes
        told = int(re.search(r"set segment = (\d+) for this meter", note.text)[1])
        memory = Memory(segment, START, START, {IMPORT: 5000})
        assert Life(Guard("house", memory=memory, segment=told)).published(3, 3) == [None, 3]
        assert told == segment + 1

    def test_g8_does_not_turn_back_what_the_guard_saw_itself(self):
        memory = Memory(3, START, START, {IMPORT: 1000}, serial="1")
        life = Life(Guard("house", memory=memory, segment=2))
        sample = life.read(1001).sample
        assert (sample.segment, sample.segment_start) == (3, START)


class TestPresent:
    def test_present_values_may_be_anything(self, fresh):
        for value in (1500, -3, 0, 99_999):
            verdict = fresh.guard.present({POWER: value}, moment(START), None)
            assert verdict.sample.group is TableGroup.PRESENT
            assert dict(verdict.sample.values) == {POWER: value}
        assert fresh.guard.present({}, moment(START), None).sample is None

    def test_m7_a_reply_of_all_0x80000000_is_absent_and_said_once(self, fresh):
        sources = [source for source in SOURCES.values() if source.kind is Kind.PRESENT]
        verdicts = [
            fresh.guard.present(dict.fromkeys(sources, -0x8000_0000), moment(START + timedelta(seconds=n)), None)
            for n in range(3)
        ]
        assert all(verdict.sample is None for verdict in verdicts)
        assert [len(verdict.notes) for verdict in verdicts] == [1, 0, 0]
        assert "Taken for absent" in verdicts[0].notes[0].text

    @pytest.mark.parametrize(
        ("key", "can_be", "cannot_be"),
        [
            ("frequency", [49_990, 60_010], [-1, 0, 990, 0x7FFF_FFFF]),
            ("voltage_l1", [0, 230_100, 480_000], [-1, 600_001, 0x8000_0000]),
            ("current_l1", [0, 80_000, 1_000_000], [2_000_001, 0xFFFF_FFFF]),
            ("active_power_import", [0, 11_520, 150_000], [200_001, 0x7FFF_FFFF]),
            ("active_power_primary_import", [4_000_000], [0x8000_0000]),
            ("power_factor_l1", [-1000, 998], [1001]),
            ("voltage_angle_l1_l2", [12_000, 24_000], [36_001]),
        ],
    )
    def test_m7_what_cannot_be_is_absent_and_the_rest_passes(self, fresh, key, can_be, cannot_be):
        for value in can_be:
            assert value_of(fresh.guard.present({SOURCES[key]: value}, moment(START), None), SOURCES[key]) == value
        for value in cannot_be:
            verdict = fresh.guard.present({SOURCES[key]: value, SOURCES["voltage_l2"]: 230_000}, moment(START), None)
            assert dict(verdict.sample.values) == {SOURCES["voltage_l2"]: 230_000}
            assert verdict.rejected == 1

    @pytest.mark.parametrize(
        ("key", "can_be", "cannot_be"),
        [
            ("voltage_l1", [0, 400_000, 460_000], [461_000]),
            ("frequency", [49_990, 41_000], [39_000, 61_000]),
            ("current_l1", [200_000], [201_000]),
            ("active_power_import", [200_000], [200_001]),
        ],
    )
    def test_m7_a_meter_that_tells_its_ratings_is_bound_by_them(self, fresh, key, can_be, cannot_be):
        fresh.guard.rate(Rated(voltage=230, frequency=50, maximum_current=100))
        for value in can_be:
            assert fresh.guard.present({SOURCES[key]: value}, moment(START), None).sample
        for value in cannot_be:
            assert fresh.guard.present({SOURCES[key]: value}, moment(START), None).sample is None

    @pytest.mark.parametrize("ratio", [None, 60_000])
    def test_a_meter_behind_transformers_that_does_not_tell_their_ratio_is_bound_by_max_power(self, ratio):
        """One for 6 A that shows what flows on the primary side; the advice in the log must help."""
        source, rated = SOURCES["current_l1"], Rated(voltage=230, frequency=50, maximum_current=6, ct_ratio=ratio)
        guard = Guard("house")
        guard.rate(rated)
        assert guard.present({source: 80_000}, moment(START), None).sample
        (note,) = guard.present({source: 2_100_000}, moment(START), None).notes
        assert "raise max_power" in note.text
        guard = Guard("house", Limits(power=200_000))
        guard.rate(rated)
        assert guard.present({source: 2_100_000}, moment(START), None).sample

    @pytest.mark.parametrize(
        "rated",
        [Rated(maximum_current=100), Rated(maximum_current=6, ct_ratio=1), Rated(maximum_current=5, ct_ratio=20)],
    )
    def test_a_current_that_max_power_does_not_bound_is_not_blamed_on_it(self, rated):
        source = SOURCES["current_l1"]
        guard = Guard("house")
        guard.rate(rated)
        (note,) = guard.present({source: 201_000}, moment(START), None).notes
        assert "max_power" not in note.text
        assert "osgp dump" in note.text

    @pytest.mark.parametrize(
        ("rated", "can_be"),
        [
            (Rated(voltage=110), True),
            (Rated(voltage=110, vt_ratio=100), True),
            (Rated(voltage=110, vt_ratio=1), False),
            (Rated(voltage=230), False),
        ],
    )
    def test_a_voltage_of_the_primary_side_passes_if_transformers_can_be(self, fresh, rated, can_be):
        fresh.guard.rate(rated)
        verdict = fresh.guard.present({SOURCES["voltage_l1"]: 11_000_000}, moment(START), None)
        assert (verdict.sample is not None) == can_be

    def test_m7_a_meter_behind_current_transformers_needs_no_setting(self):
        life = remembering(serial="1")
        life.guard.rate(Rated(voltage=230, maximum_current=10, ct_ratio=60))
        assert life.published(1000, 2100, 3200) == [1000, 2100, 3200], "400 kW"
        assert fresh_power(life.guard, 400_000)

    @pytest.mark.parametrize(
        "ratings", [Rated(), Rated(voltage=1, frequency=1, maximum_current=65_535, ct_ratio=60_000)]
    )
    def test_m7_a_rating_that_cannot_be_is_none(self, fresh, ratings):
        fresh.guard.rate(ratings)
        assert fresh_power(fresh.guard, 150_000)
        assert not fresh_power(fresh.guard, 200_001)

    def test_m7_a_power_above_the_setting_names_the_setting(self):
        guard = Guard("house", Limits(power=5000))
        (note,) = guard.present({POWER: 11_520}, moment(START), None).notes
        assert "raise max_power" in note.text

    def test_m7_the_ends_of_the_field_are_no_register_either(self):
        life = remembering()
        for value in (0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF):
            assert [life.read(value).sample for _ in range(3)] == [None] * 3
        assert life.published(1003) == [1003]


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
    guard.identify("1", "d", moment(START))
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
            guard.identify(str(meter.serial), "d", moment(now))
            waiting = False
        values = {} if event == "absent" else {IMPORT: meter.value}
        verdict = guard.registers(values, moment(now), None)
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
        verdict = guard.registers({IMPORT: said}, moment(now), None)
        published = verdict.sample.values.get(IMPORT) if verdict.sample else None
        if published is not None:
            assert last is None or published >= last
            assert published <= value or published == corrupt
            assert not verdict.sample.restarted
            last = published


@settings(max_examples=150, deadline=None)
@given(
    reads=st.lists(
        st.tuples(
            st.floats(1.0, 10_000.0),
            st.integers(-500, 400_000),
            st.sampled_from([0.0, 0.0, 0.0, 40.0, -7200.0, -3 * 86400.0, 3653 * 86400.0]),
            st.booleans(),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_t3_no_step_of_the_clock_changes_what_is_believed(reads):
    """Two guards read the same meter; the clock of one steps to and fro, is known and unknown. Both say the same."""
    steady, stepping = Guard("house"), Guard("house")
    value, uptime, off = 100_000, 0.0, 0.0
    for seconds, counted, step, known in reads:
        uptime += seconds
        value = max(value + counted, 0)
        off += step
        said = []
        for guard, label, sure in ((steady, uptime, True), (stepping, uptime + off, known)):
            verdict = guard.registers({IMPORT: value}, Moment(START + timedelta(seconds=label), uptime, sure), None)
            believed = dict(verdict.sample.values) if verdict.sample else None
            said.append((believed, verdict.held, verdict.rejected, verdict.doubt, verdict.notes, guard.segment))
        assert said[0] == said[1]


@pytest.mark.parametrize(
    ("count", "words"), [(1, " A. Taken"), (2, " A, and 1 more. Taken"), (3, " A, and 2 more. Taken")]
)
def test_how_many_values_cannot_be_is_counted_behind_the_first(count, words):
    values = {SOURCES[f"current_l{phase}"]: 999_000_000 for phase in range(1, count + 1)}
    (note,) = Guard("house").present(values, moment(START), None).notes
    assert words in note.text
