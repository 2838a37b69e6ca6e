"""``osgp client``: which MEP port this is, for people and for scripts."""

import json

from osgp.simulator import History, House
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.tables import TABLES, Dimensions


def test_a_meter_with_one_port(osgp, house):
    ended = osgp("client", "-p", house.mep)
    assert ended.code == 0
    lines = {line[:14].strip(): line[14:].strip() for line in ended.out.splitlines()}
    assert (lines[""], lines["Client"], lines["Wanted of it"]) == (
        "MEP port 1 (this one)",
        "none registered",
        "nothing",
    )
    assert "ET52" not in ended.out
    document = json.loads(osgp("client", "--json", "-p", house.mep).out)
    assert list(document) == ["port", "own", "other", "locked_by", "waits_for_other", "optical"]
    assert (document["port"], document["other"], document["own"]["alerts"]) == (1, None, [])


def test_a_meter_with_two_ports(osgp, town):
    source = House(ledger=Ledger(Household(1)), history=History(firmware=(4, 30, 5)))
    meter = town.put("four", source, "alerts=17")
    ended = osgp("client", "-p", meter.mep)
    assert "MEP port 1 (this one)" in ended.out
    assert "MEP port 2" in ended.out
    assert "the data of a scheduled read, that it looks at the sources it watches (ET71)" in ended.out
    assert "Transactions (ET52): nobody has locked them" in ended.out
    assert "(ET55)" in ended.out
    document = json.loads(osgp("client", "--json", "-p", meter.mep).out)
    assert document["own"]["alerts"] == ["delta_data", "scheduled_read"]
    assert (document["other"]["port"], document["other"]["results_in"], document["locked_by"]) == (2, "ET85", 0)


def test_a_registered_client_that_is_watched(osgp, town, house):
    dims = Dimensions(firmware=(3, 82))
    put = {
        "ET50": {"clients": [{"registered": True, "replies_in_et59": True}]},
        "ET51": {"clients": [{"monitor_health": True, "health_timeout": 60, "optical_timers": True, "optical_session_timeout": 600}]},
        "ET14": {"occupied": frozenset({4}), "devices": [*[{}] * 4, {"handle": 1000, "status": 4}]},
    }  # fmt: skip
    real = type(town)._beside_meters

    async def beside(self, work):
        async def with_tables():
            for name, values in put.items():
                self.meters["house"].put_in(name, TABLES[name].encode(values, dims))
            return await work

        return await real(self, with_tables())

    town._beside_meters = beside.__get__(town)
    out = osgp("client", "-p", house.mep).out
    assert "registered, handle 1000, down" in out
    assert "down after 60 s of silence" in out
    assert "ET59" in out
    assert "cut off after 600 s (ET51)" in out


def test_an_optical_port_has_no_client(osgp, house):
    ended = osgp("client", "-p", house.optical)
    assert ended.code != 0
