"""Outages, power quality, and copies of the registers: what the simulated meter keeps of its supply."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.psem import table_id
from osgp.simulator.history.happenings import (
    BrokenConductor,
    ClockSet,
    DemandReset,
    History,
    NeutralLost,
    PhaseLost,
    PowerCut,
    VoltageChange,
)
from osgp.simulator.house import House
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.simulator.localtime import local_offset
from osgp.simulator.logs.quality import OUTAGE_ENTRIES
from osgp.simulator.model import house_memory
from osgp.simulator.noise import Wave, extremes, sum_of
from osgp.tables import TABLES, registers, survey
from osgp.tables.logs.events import decode_log
from osgp.tables.survey import TELLING

INSTALLED = int(datetime(2026, 9, 20, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 10, 26, 13, 7, 31, tzinfo=UTC).timestamp())
AT = NOW - 5000


class Kept:
    def __init__(self, *happenings, **more):
        self.house = House(ledger=Ledger(Household(1), INSTALLED), history=History(happenings, **more))
        self.memory = house_memory(self.house)
        self.dims = survey({one: self.read(one) for one in TELLING if self.read(one) is not None})

    def read(self, name, now=NOW):
        return self.memory.read(table_id(name), now)

    def table(self, name, now=NOW):
        return TABLES[name].decode(self.read(name, now), self.dims)


def utc(moment):
    return datetime.fromtimestamp(moment, UTC)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 5000), st.integers(0, 10**6))
def test_extremes_are_those_of_all_seconds(begin, length, seed):
    waves = (Wave(22, seed, 600), Wave(9, seed + 1, 45), Wave(3, seed + 2, 3))
    seconds = range(begin, begin + length + 1)
    (low, when_low), (high, when_high) = extremes(waves, begin, begin + length)
    sums = [sum_of(waves, second) for second in seconds]
    assert (low, high) == pytest.approx((min(sums), max(sums)), abs=1e-9)
    assert sums[when_low - begin] == low
    assert sums[when_high - begin] == high


def test_the_frequency_has_been_as_low_and_as_high_as_et09_says():
    kept = Kept()
    told = kept.table("ET09", INSTALLED + 86400 + 4000)
    shown = {second: kept.house._frequency(second) for second in range(INSTALLED, INSTALLED + 86400 + 4001)}
    assert told["minimum_frequency"] == min(shown.values())
    assert told["maximum_frequency"] == max(shown.values())
    for name in ("minimum", "maximum"):
        at = int(told[f"{name}_frequency_at"].timestamp())
        assert shown[at] == told[f"{name}_frequency"]


def test_long_outages_are_recorded_and_short_ones_counted():
    kept = Kept(PowerCut(AT, 3600), PowerCut(AT - 86400, 59), PowerCut(AT - 2 * 86400, 60))
    before, told = Kept().table("ET09"), kept.table("ET09")
    assert told["short_outages"] == before["short_outages"] + 1
    newest, *_ = told["outages"]
    assert newest == {"power_on": utc(AT + 3600), "cause": 3, "power_off": utc(AT), "duration": 3600}
    begins = [one["power_off"] for one in told["outages"] if one["duration"]]
    assert begins == sorted(begins, reverse=True)
    assert utc(AT - 2 * 86400) in begins
    assert utc(AT - 86400) not in begins
    assert len(told["outages"]) == 10


def test_no_more_outages_are_recorded_than_there_is_room_for():
    kept = Kept(*[PowerCut(AT - 9000 * number, 100) for number in range(30)])
    told = kept.table("ET09")["outages"]
    assert [one["power_off"] for one in told] == [utc(AT - 9000 * number) for number in range(10)]
    log = kept.read("ET81")
    outages = kept.house.outages(NOW)
    assert log[1] == OUTAGE_ENTRIES
    assert log[2] == (len(outages) - 1) % OUTAGE_ENTRIES
    assert int.from_bytes(log[3:5], "little") == len(outages) - 1


def test_the_outage_log_has_local_times():
    """An outage over the end of summer time in 2026, 01:00 UTC on 25 October: 20 minutes that end 40 minutes before they begin."""
    begin = int(datetime(2026, 10, 25, 0, 50, tzinfo=UTC).timestamp())
    log = Kept(PowerCut(begin, 1200)).read("ET81")
    entry = log[6 + 12 * log[2] :][:12]
    assert entry == bytes.fromhex("1A0A19023200 1A0A19020A00")


SAG, SWELL = VoltageChange(AT, 600, 2, 80), VoltageChange(AT + 1000, 90, 3, 115)


def test_sags_and_swells_are_counted_with_the_worst_voltage():
    kept = Kept(SAG, VoltageChange(AT - 9000, 60, 2, 80), SWELL, VoltageChange(AT + 2000, 59, 1, 80))
    told = kept.table("ET09")
    assert [one["events"] for one in told["sags"]] == [0, 2, 0]
    assert [one["events"] for one in told["swells"]] == [0, 0, 1]
    assert told["sags"][1]["last_at"] == utc(AT)
    assert told["swells"][2]["last_at"] == utc(AT + 1000)
    low = min(kept.house.at(second).present[16] for second in range(AT, AT + 600))
    high = max(kept.house.at(second).present[17] for second in range(AT + 1000, AT + 1090))
    assert told["sag_voltages"] == (0, low, 0)
    assert told["swell_voltages"] == (0, 0, high)
    assert low < 0.9 * 230_000
    assert high > 1.1 * 230_000
    assert [one["events"] for one in kept.table("ET09", AT - 9000 + 59)["sags"]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("happening", "sags", "swells"),
    [(NeutralLost(AT, 600, 1), [0, 1, 1], [1, 0, 0]), (BrokenConductor(AT, 900, 3), [1, 1, 0], [0, 0, 0])],
)
def test_an_unbalanced_voltage_is_a_sag_of_its_phases(happening, sags, swells):
    told = Kept(happening).table("ET09")
    assert [one["events"] for one in told["sags"]] == sags
    assert [one["events"] for one in told["swells"]] == swells


def test_lost_phases_are_counted_and_told_while_they_last():
    kept = Kept(PhaseLost(AT, 600, 3), PhaseLost(AT - 9000, 59, 1))
    told = kept.table("ET09", AT + 60)
    assert [told[f"phase_lost_l{phase}"] for phase in (1, 2, 3)] == [False, False, True]
    assert [one["events"] for one in told["phase_losses"]] == [0, 0, 1]
    assert told["phase_losses"][2]["last_at"] == utc(AT)
    assert not kept.table("ET09", AT + 59)["phase_lost_l3"]
    assert not kept.table("ET09", AT + 600)["phase_lost_l3"]
    assert [one["events"] for one in kept.table("ET09")["sags"]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("firmware", "size"), [((2, 12), 144), ((3, 10), 357), ((3, 70), 477), ((4, 10), 518), ((4, 30), 519)]
)
def test_et09_is_as_long_as_its_firmware_makes_it(firmware, size):
    assert len(Kept(SAG, firmware=(*firmware, 5)).read("ET09")) == 180 + size


def test_two_logs_share_one_count():
    kept = Kept(ClockSet(AT, 60), PowerCut(AT + 500, 90), DemandReset(AT + 1000))
    primary, alternate = (
        decode_log(kept.read(name), kept.dims, *more) for name, *more in (("BT74",), ("ET79", "ET79"))
    )
    assert [entry.event for entry in alternate] == [18, 4, 3]
    assert [entry.event for entry in primary][:2] == [2, 1]
    numbers = sorted(entry.sequence for entry in (*primary, *alternate))
    assert numbers == list(range(len(numbers)))


def test_a_meter_before_3_70_has_one_log():
    kept = Kept(ClockSet(AT, 60), firmware=(3, 50, 5))
    assert kept.read("ET79") is None
    assert kept.read("ET81") is None
    assert [entry.event for entry in decode_log(kept.read("BT74"), kept.dims)][:2] == [4, 3]


def test_a_demand_reset_copies_the_registers():
    kept = Kept(DemandReset(AT - 100), DemandReset(AT))
    local = utc(AT + local_offset(AT)).replace(tzinfo=None, second=0)
    bt25 = kept.read("BT25")
    assert bt25[:6] == bytes((26, local.month, local.day, local.hour, local.minute, 0))
    shown = registers.decode(bt25[6:], kept.dims)
    truth = kept.house.registers_at(AT)[0]
    assert [shown[source] for source in kept.dims.register_sources] == truth
    log = kept.read("ET41")
    assert log[1:5] == bytes((2, 1, 1, 0))
    size = 5 + len(bt25)
    entry = log[6 + size : 6 + 2 * size]
    assert entry == size.to_bytes(2, "little") + bytes((1, 0, 0)) + bt25
    assert not any(kept.read("BT25", AT - 101))


def test_the_season_changes_each_year():
    kept = Kept()
    later = int(datetime(2027, 2, 1, tzinfo=UTC).timestamp())
    new_year = int((datetime(2027, 1, 1, tzinfo=UTC) - timedelta(hours=1)).timestamp())
    assert not any(kept.read("BT24"))
    bt24 = kept.read("BT24", later)
    assert bt24[:6] == bytes((27, 1, 1, 0, 0, 0))
    assert (
        registers.decode(bt24[6:], kept.dims)[kept.dims.register_sources[0]] == kept.house.registers_at(new_year)[0][0]
    )


def test_the_logs_that_et36_lists_are_there():
    kept = Kept()
    listed = {one["table"]: one for one in kept.table("ET36")["log_list"]}
    assert list(listed) == [31, 32, 38, 41, 45, 75, 81]
    for number, one in listed.items():
        if one["entries"]:
            assert len(kept.read(f"ET{number}")) == 6 + one["entries"] * one["entry_size"]
