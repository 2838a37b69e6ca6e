"""``osgp mbus``, and what ``osgp read`` says of M-Bus devices, against a simulated meter of table bytes."""

import json
from datetime import datetime

import pytest
from mbus_house import entry, et36, gas, heat, ring, tables, water

from osgp.image import MeterImage
from osgp.psem import table_id

THREE = """\
Device  gas OSG 10000004, place 1, handle 1
Read    2026-11-29 08:00:00, the meter's local time
State   no error
  volume  12.345 m³

Device  water OSG 20000005, place 2, handle 2
Read    2026-11-29 08:00:00, the meter's local time
State   not reachable, battery low, communication failed
  volume       28.504 m³
  error flags          0

Device  heat (outlet) OSG 30000006, place 4, handle 3
Read    2026-11-29 08:00:00, the meter's local time
State   no error
  energy               2,850 kWh
  volume                703.4 m³
  power                  329.7 W
  flow temperature       44.3 °C
  return temperature     25.1 °C
  energy target        1,445 kWh
  date target         2007-12-31
"""


def image_with(held):
    """Return the Danish meter with these tables."""
    image = MeterImage.load("image:denmark-gen3")
    for name, data in held.items():
        image.tables[table_id(name)] = bytearray(data)
    image.derive_dimensions()
    return image


@pytest.fixture
def house(town):
    """Give what puts up the Danish meter with devices behind it."""

    def put(*devices):
        return town.put("house", image_with(tables(*devices))).mep

    return put


def test_three_devices(osgp, house):
    ended = osgp("mbus", "-p", house(gas(), water(up=False), None, heat()))
    assert ended.out == THREE
    assert (ended.code, ended.err) == (0, "")


def test_for_scripts(osgp, house):
    first, second = json.loads(osgp("mbus", "--json", "-p", house(gas(), water())).out)["devices"]
    assert first == {
        "place": 1,
        "handle": 1,
        "kind": "gas",
        "serial": "10000004",
        "manufacturer": "OSG",
        "version": 1,
        "reachable": True,
        "battery_low": False,
        "permanent_error": False,
        "temporary_error": False,
        "alarm": False,
        "alarms": [],
        "read_attempts": 10,
        "read_answers": 9,
        "read": "2026-11-29T08:00:00",
        "complete": True,
        "encrypted": False,
        "security_failed": False,
        "counter": "volume",
        "values": {"volume": {"value": 12.345, "unit": "m³"}},
    }
    assert second["battery_low"] is True
    assert second["values"]["error_flags"] == {"value": 0, "unit": ""}


def test_nothing_behind_the_meter(osgp, house):
    ended = osgp("mbus", "-p", house())
    assert ended.out == "No M-Bus device is behind this meter.\n"
    assert json.loads(osgp("mbus", "--json", "-p", house()).out) == {"devices": []}


LOGGED = """\
2026-11-29 13:00:00  water OSG 20000005  28.504 m³  entered after a power cut
2026-11-29 12:00:00  gas OSG 10000004    12.350 m³
at a time unknown    handle 1             no value
"""


def test_the_log_of_earlier_reads(osgp, town):
    noon, one = (datetime.fromisoformat(f"2026-11-29 {hour}:00") for hour in (12, 13))
    held = tables(gas(), water()) | {"ET36": et36(4)}
    logged = [
        entry(gas(), result=2),
        entry(gas(time=noon, records="0C933A 50230100")),
        entry(water(time=one), delayed=True),
    ]
    port = town.put("house", image_with(held | {"ET45": ring(logged, 4, 6)})).mep
    out = osgp("mbus", "--log", "-p", port).out
    assert out.endswith("\n\n" + LOGGED)
    assert "Read    2026-11-29 13:00:00" in out
    document = json.loads(osgp("mbus", "--log", "--json", "-p", port).out)
    assert [(read["sequence"], read["handle"], read["delayed"]) for read in document["log"]] == [
        (6, 2, True),
        (5, 1, False),
        (4, 1, False),
    ]
    assert document["log"][1]["values"] == {"volume": {"value": 12.35, "unit": "m³"}}
    assert document["log"][2]["values"] == {}


def test_no_log_of_earlier_reads(osgp, house):
    assert osgp("mbus", "--log", "-p", house(gas())).out.endswith("\n\nThe meter keeps no earlier reads.\n")


def test_a_meter_that_refuses(osgp, denmark):
    ended = osgp("mbus", "-p", denmark.mep)
    assert ended.out == ""
    assert "reading the M-Bus devices (ET14, ET16) failed: the meter refused to read ET14" in ended.err
    assert ended.code != 0


def test_read_sums_devices_up(osgp, house):
    port = house(gas(info=0x20), water(time=None), heat())
    lines = osgp("read", "-p", port).out.splitlines()
    assert [line for line in lines if line.startswith("Device")] == [
        "Device  gas OSG 10000004 (security check failed)",
        "Device  water OSG 20000005 28.504 m³ (battery low)",
        "Device  heat (outlet) OSG 30000006 2,850 kWh",
    ]
    document = json.loads(osgp("read", "--json", "-p", port).out)
    assert [one["counter"] for one in document["devices"]] == [None, "volume", "energy"]
    assert document["devices"][1]["read"] is None


def test_a_cut_telegram_and_a_device_not_read_yet(osgp, town):
    held = tables(gas(), water())
    et14 = bytearray(held["ET14"])
    et14[10:12] = (len(gas().read) - 3).to_bytes(2, "little")
    et14[46:48] = bytes(2)
    out = osgp("mbus", "-p", town.put("house", image_with(held | {"ET14": bytes(et14)})).mep).out
    assert "State   not all of its data are here" in out
    assert (
        "Device  unknown, place 2, handle 2\nRead    not yet, or nothing of it could be decoded\nState   not told"
        in out
    )
