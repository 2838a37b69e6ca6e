"""``osgp quality``, ``osgp tariffs``, and what ``osgp read`` says of them, against simulated meters."""

import json
import re

import pytest

from osgp.image import MeterImage
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions

OUTAGES = 2


def with_tables(**held):
    """Return the Danish meter with these tables, and firmware 3.82."""
    image = MeterImage.load("image:denmark-gen3")
    dims = Dimensions(firmware=(3, 82), power_outages_recorded=OUTAGES)
    image.tables[table_id("BT01")] = bytearray(TABLES["BT01"].encode({"firmware": (3, 82, 1)}, dims))
    image.tables[table_id("ET04")] = bytearray(TABLES["ET04"].encode({"power_outages_recorded": OUTAGES}, dims))
    for name, values in held.items():
        image.tables[table_id(name)] = bytearray(TABLES[name].encode(values, dims))
    image.derive_dimensions()
    return image


PRESENT = {"last_at": None, "events": 0}
ET09 = {
    "long_outage_threshold": 20,
    "sag_swell_minutes": 1,
    "sag_threshold": 10,
    "swell_threshold": 12,
    "phase_lost_l2": True,
    "phase_losses": [PRESENT, {"events": 4}, PRESENT],
    "sags": [{"events": 3}, PRESENT, PRESENT],
    "sag_voltages": [187_500, 1, 1],
    "minimum_frequency": 49_872,
    "maximum_frequency": 50_104,
    "short_outages": 99,
}
LINES = """\
                          L1          L2       L3
Now                       there       missing  there
Phase losses              none        4        none
Sags, 10 % below rated    3, 187.5 V  none     none
Swells, 12 % above rated  none        none     none
Over-currents             none        none     none

Frequency      49.872 Hz to 50.104 Hz
Short outages  99, shorter than 20 s

Sags and swells count that lasted 1 min. All counts are since statistics were reset; times are UTC.
"""


def test_quality_for_people_and_for_scripts(osgp, town):
    port = town.put("meter", with_tables(ET09=ET09)).mep
    ended = osgp("quality", "-p", port)
    assert (ended.code, ended.err, ended.out) == (0, "", LINES)
    document = json.loads(osgp("quality", "--json", "-p", port).out)
    assert document["short_outages"] == 99
    assert document["phases"][0]["sags"] == {"count": 3, "last": None, "voltage": 187_500}
    assert document["lowest_frequency"] == {"value": 49_872, "at": None}
    assert "Supply  L2 missing; 4 phase losses, 3 sags, 99 short outages" in osgp("read", "-p", port).out


def test_a_meter_without_it_says_so(osgp, denmark):
    ended = osgp("quality", "-p", denmark.mep)
    assert ended.code == 1
    assert "ET09" in ended.err
    read = osgp("read", "--json", "-p", denmark.mep)
    assert json.loads(read.out)["quality"] is None


def test_tariffs_of_the_simulated_house(osgp, house):
    ended = osgp("tariffs", "-p", house.mep)
    assert (ended.code, ended.err) == (0, "")
    first, following = (" ".join(line.split()) for line in ended.out.splitlines()[:2])
    assert re.fullmatch(r"Tariff [12], by the calendar", first)
    assert re.fullmatch(r"Next tariff [12] from [-0-9]+ (06|22):00 on, the meter's local time", following)
    document = json.loads(osgp("tariffs", "--json", "-p", house.mep).out)
    assert document["set_by"] == "calendar"
    assert {document["tariff"], document["next"]["tariff"]} == {1, 2}
    assert document["unknown"] is None


def test_why_the_next_tariff_is_not_known(osgp, denmark):
    """The Danish meter's capture has no calendar."""
    out = osgp("tariffs", "-p", denmark.mep).out
    assert out == (
        "Tariff  2, by the calendar\nNext    not known: the meter did not give its calendar (BT54)\nSeason  1\n"
    )
    document = json.loads(osgp("tariffs", "--json", "-p", denmark.mep).out)
    assert (document["tariff"], document["next"]) == (2, None)


def test_an_open_contactor_is_shown(osgp, town):
    port = town.put("meter", with_tables(ET23={"contactor": 2})).mep
    assert "Contactor  open" in osgp("read", "-p", port).out
    assert json.loads(osgp("read", "--json", "-p", port).out)["contactor"] == "open"
    none = town.put("other", with_tables(ET23={"contactor": 0}, ET29={"disconnect": False})).mep
    assert json.loads(osgp("read", "--json", "-p", none).out)["contactor"] is None


@pytest.mark.parametrize("tables", [{"ET29": {"single_phase": True}}])
def test_one_phase_is_one_column(osgp, town, tables):
    out = osgp("quality", "-p", town.put("meter", with_tables(ET09=ET09, **tables)).mep).out
    assert out.splitlines()[0].split() == ["L1"]
