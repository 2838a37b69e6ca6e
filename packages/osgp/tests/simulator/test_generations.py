"""Meters of each firmware: their tables are as many and as long as the guides say, and their registers are true.

The numbers below are those of the MEP guide v1.1: present values p. 216-220, calendar p. 223-226, load profile sets p. 238, ET04
p. 66-67, ET11 p. 79-80; ET21 is Optical guide v1.1 p. 38-40, ET03's and BT21's firmware there p. 19-20.
"""

from datetime import UTC, datetime

import pytest

from osgp.errors import MisuseError
from osgp.psem import table_id
from osgp.simulator.history.configuration import FIRMWARES
from osgp.simulator.history.happenings import FirmwareChanged, History, PowerCut
from osgp.simulator.house import House
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.simulator.model import house_memory
from osgp.sources import SOURCES
from osgp.tables import TABLES, present, registers, survey
from osgp.tables.survey import TELLING as TOLD_BY

INSTALLED = int(datetime(2026, 5, 20, tzinfo=UTC).timestamp())
NOW = INSTALLED + 3 * 86400 + 12 * 3600 + 77

PRINTED = {
    # firmware: present values, data sets, seasons, ET04, ET21, BT54
    (2, 12): (22, 1, 4, 123, 83, 693),
    (3, 10): (26, 1, 4, 123, 94, 693),
    (3, 50): (41, 4, 12, 123, 4 * 131, 808),
    (3, 70): (55, 4, 12, 123, 4 * 131, 808),
    (3, 82): (55, 4, 12, 129, 4 * 131, 808),
    (4, 0): (72, 4, 12, 140, 4 * 131, 808),
    (4, 10): (75, 4, 12, 140, 4 * 131, 808),
    (4, 30): (84, 4, 12, 140, 4 * 131, 808),
    (4, 60): (84, 4, 12, 140, 4 * 131, 808),
}


class Meter:
    def __init__(self, firmware, *happenings):
        self.house = House(ledger=Ledger(Household(1), INSTALLED), history=History(happenings, firmware=(*firmware, 5)))
        self.memory = house_memory(self.house)
        self.dims = survey({name: self.read(name) for name in TOLD_BY if self.read(name) is not None})

    def read(self, name, now=NOW):
        return self.memory.read(table_id(name) if isinstance(name, str) else name, now)

    def table(self, name):
        return TABLES[name].decode(self.read(name), self.dims)


@pytest.fixture(scope="module", params=FIRMWARES, ids=lambda firmware: f"{firmware[0]}.{firmware[1]:02}")
def meter(request):
    return Meter(request.param)


def test_the_tables_are_as_long_as_the_guides_print(meter):
    values, sets, seasons, et04, et21, bt54 = PRINTED[meter.dims.firmware]
    assert len(meter.read("BT28")) == 4 * values
    assert len(meter.table("BT61")["data_sets"]) == len(meter.table("BT63")["data_sets"]) == sets
    assert (meter.read("BT65") is None, meter.read("BT67") is None) == (sets == 1,) * 2
    assert meter.table("BT50")["seasons"] == seasons
    assert [len(meter.read(name)) for name in ("ET04", "ET21", "BT54")] == [et04, et21, bt54]
    assert meter.table("BT50")["calendar_size"] == bt54
    assert meter.table("BT54")["recurring_dates"][0]["twelve_seasons"] is (seasons == 12)


def test_the_generation_decides_registers_and_clients(meter):
    four = meter.dims.firmware >= (4, 0)
    assert meter.dims.summations == (19 if four else 11)
    assert len(meter.read("BT23")) == 5 * 4 * meter.dims.summations
    assert meter.table("ET11")["devices"] == (6 if four else 5)
    assert meter.table("ET11").get("mep_clients") == (2 if four else None)
    assert (meter.read("BT22") is None) == (meter.dims.firmware < (3, 10))
    assert ("rollover_digits" in meter.table("ET42")) == (meter.dims.firmware >= (3, 70))
    assert meter.dims.rollover_digits == (8 if meter.dims.firmware >= (3, 70) else None)


def test_every_table_that_is_listed_is_there_and_no_other(meter):
    listed = {*meter.table("BT00")["basic_tables_used"]}
    listed |= {2048 + number for number in meter.table("BT00")["extended_tables_used"]}
    assert listed == {*meter.memory._fixed, *meter.memory._live}
    for number in listed:
        assert meter.read(number) is not None
    for name, table in TABLES.items():
        data = meter.read(name)
        if data is not None:
            assert table.size(meter.dims, data) == len(data), name


def test_present_values_are_those_of_the_house(meter):
    shown = present.decode(meter.read("BT28"), meter.dims)
    truth = meter.house.at(NOW).present
    assert {source.id: value for source, value in shown.items()} == {source.id: truth[source.id] for source in shown}


QUADRANTS = [SOURCES[f"reactive_energy_q{quadrant}"] for quadrant in range(1, 5)]
APPARENT = [SOURCES[f"apparent_energy_q{quadrant}"] for quadrant in range(1, 5)]


def grown(one, sources, begin, end):
    early, late = (registers.decode(one.read("BT23", moment), one.dims) for moment in (begin, end))
    return [late[source] - early[source] for source in sources]


@pytest.mark.parametrize("hour", [2, 7, 11])
def test_energies_by_quadrant_are_the_sum_of_the_powers_by_quadrant(hour):
    one = Meter((4, 30))
    begin = INSTALLED + 2 * 86400 + hour * 3600 + 100
    end = begin + 1700
    var, volt_amperes = [0] * 4, [0] * 4
    for second in range(begin + 1, end + 1):
        powers = one.house.at(second).present
        for quadrant in range(4):
            var[quadrant] += powers[104 + quadrant]
            volt_amperes[quadrant] += powers[216 + quadrant]
    assert any(var)
    assert grown(one, QUADRANTS, begin, end) == pytest.approx([joules / 3600 for joules in var], abs=2.01)
    exact = [joules / 3600 for joules in volt_amperes]
    assert grown(one, APPARENT, begin, end) == pytest.approx(exact, abs=2.01 + 0.03 * sum(exact)), (
        "from means of a cell"
    )


def test_quadrants_stand_still_in_a_power_cut_and_make_up_the_rest():
    one, usual = Meter((4, 0), PowerCut(NOW - 900, 600)), Meter((4, 0))
    sources = [*QUADRANTS, *APPARENT]
    assert grown(one, sources, NOW - 900, NOW - 301) == [0] * 8
    assert grown(one, sources, NOW - 301, NOW) == pytest.approx(grown(usual, sources, NOW - 301, NOW), abs=1)
    shown = registers.decode(one.read("BT23"), one.dims)
    parts = [shown[source] for source in QUADRANTS]
    whole = [shown[SOURCES[f"reactive_energy_{way}"]] for way in ("import", "export")]
    assert [parts[0] + parts[1], parts[2] + parts[3]] == pytest.approx(whole, abs=4), "whole varh of four numbers"


def test_a_meter_cannot_become_one_of_another_generation():
    with pytest.raises(MisuseError, match=r"cannot get 4\.x"):
        History([FirmwareChanged(NOW, (4, 30, 5))])
    with pytest.raises(MisuseError, match="cannot be simulated"):
        FirmwareChanged(NOW, (3, 81, 5))
