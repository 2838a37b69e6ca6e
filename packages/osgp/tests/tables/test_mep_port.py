"""Our MEP port and the other one, out of tables whose bytes are placed by the printed offsets (MEP guide v1.1 p. 21-25)."""

from dataclasses import replace

import pytest

from osgp.tables import TABLES, Dimensions
from osgp.tables.clients.mep_port import OpticalTimers, mep_port

ONE = Dimensions(firmware=(3, 82))
TWO = Dimensions(firmware=(4, 30), mep_devices=6, mep_clients=2, module_records_size=42)
ET50_STRIDE, ET51_STRIDE, ET13_STRIDE, ET14_STRIDE = 35 + 6 * 6, 10, 66, 36


def put(size, **places):
    """Return a table of so many bytes with these at ``at_OFFSET``."""
    data = bytearray(size)
    for name, value in places.items():
        offset = int(name.removeprefix("at_"))
        data[offset : offset + len(value)] = value
    return bytes(data)


def decoded(dims, **tables):
    return {name.lower(): TABLES[name].decode(data, dims) for name, data in tables.items()}


def et54(*, multiple=True, lock=(0, 0)):
    """ET54.0.8; lock and holder behind 42 bytes of module records (p. 134, 138)."""
    return put(TABLES["ET54"].size(TWO), at_0=bytes((0, multiple)), at_139=bytes(lock))


def two_ports(**more):
    """Both clients are there: handles 1000, up, and 2000, down."""
    tables = {
        "ET50": put(2 * ET50_STRIDE, at_30=b"\x03", at_101=b"\x04"),
        "ET51": put(2 * ET51_STRIDE, at_0=b"\x02\x3c\x00\x1e", at_10=b"\x80\x3c\x00"),
        "ET13": put(6 * ET13_STRIDE, at_272=b"\x11", at_338=b"\x0a"),
        "ET14": put(6 + 6 * ET14_STRIDE, at_5=b"\x31", at_150=b"\xe8\x03\x03", at_186=b"\xd0\x07\x04"),
        "ET15": put(TABLES["ET15"].size(TWO)),
        "ET54": et54(),
        "ET55": put(TABLES["ET55"].size(TWO)),
    }
    return decoded(TWO, **tables | more)


@pytest.mark.parametrize("channel", [1, 2])
def test_each_port_has_its_elements(channel):
    found = mep_port(channel, **two_ports())
    by_port = {one.port: one for one in (found.own, found.other) if one is not None}
    assert (found.number, sorted(by_port)) == (channel, [1, 2])
    first, second = by_port[1], by_port[2]
    assert (first.handle, first.up, first.registered, first.results_in) == (1000, True, True, "ET59")
    assert (second.handle, second.up, second.registered, second.results_in) == (2000, False, False, "ET85")
    assert first.alerts == {"scheduled_read", "delta_data"}
    assert second.alerts == {"on_demand_request", "mbus_change"}
    assert (first.watched_seconds, first.disabled) == (60, False)
    assert (second.watched_seconds, second.disabled) == (None, True)


@pytest.mark.parametrize(("lock", "holder"), [((0, 0), 0), ((1, 1), 1), ((1, 2), 2)])
def test_who_holds_the_lock(lock, holder):
    assert mep_port(1, **two_ports(ET54=et54(lock=lock))).locked_by == holder


def test_a_meter_in_backward_compatible_mode_has_one_port():
    """ET54.0.8 is off: the second port cannot be used, and the optical port's timers are those of ET51 (p. 22)."""
    found = mep_port(1, **two_ports(ET54=et54(multiple=False, lock=(1, 2))))
    assert (found.other, found.locked_by) == (None, None)
    assert found.optical is not None
    assert found.optical.told_by == "ET51"


def test_an_older_meter_has_one_port_and_no_lock():
    tables = decoded(
        ONE,
        ET50=put(ET50_STRIDE, at_30=b"\x01"),
        ET51=put(ET51_STRIDE, at_0=b"\x01", at_4=(600).to_bytes(2, "little") + (300).to_bytes(2, "little")),
        ET13=put(5 * ET13_STRIDE, at_272=b"\x02"),
        ET54=put(TABLES["ET54"].size(ONE)),
    )
    found = mep_port(1, **tables)
    assert (found.number, found.other, found.locked_by) == (1, None, None)
    assert (found.own.registered, found.own.results_in, found.own.alerts) == (True, "BT08", {"on_demand_request"})
    assert found.optical == OpticalTimers(True, 600, 300, "ET51")


def test_with_two_ports_the_optical_timers_stand_in_et55():
    """From A + 41 on (p. 160); with 8 tiers and a firmware of 4.x A is 147 + 4 * 7 = 175."""
    dims = replace(TWO, max_tiers=8)
    data = put(TABLES["ET55"].size(dims), at_216=b"\x01\x58\x02\x2c\x01")
    tables = two_ports() | {"et55": TABLES["ET55"].decode(data, dims)}
    assert mep_port(2, **tables).optical == OpticalTimers(True, 600, 300, "ET55")


def requests(*entries, first=0):
    """ET15 with entries of transaction, handle, type and result; the meter works off that with number ``first`` next."""
    data = bytearray(TABLES["ET15"].size(TWO))
    data[0] = first << 4
    for place, (handle, kind, result) in enumerate(entries):
        data[1 + 6 * place : 7 + 6 * place] = bytes((place, 4)) + handle.to_bytes(2, "little") + bytes((kind, result))
    return bytes(data)


class TestRequests:
    def test_those_to_our_handle_are_ours(self):
        found = mep_port(2, **two_ports(ET15=requests((2000, 2, 0), (1, 2, 0), (2000, 2, 1), (2000, 4, 0))))
        assert (found.own.requests, found.other and found.other.requests) == (2, 0)
        assert not found.waits_for_other

    def test_an_older_one_to_the_other_client_comes_first(self):
        """Only the oldest entry can be cleared (p. 24-25)."""
        found = mep_port(1, **two_ports(ET15=requests((2000, 2, 0), (1000, 2, 0))))
        assert found.waits_for_other
        assert not mep_port(2, **two_ports(ET15=requests((2000, 2, 0), (1000, 2, 0)))).waits_for_other

    def test_the_ring_begins_where_the_meter_reads(self):
        found = mep_port(
            1, **two_ports(ET15=requests((2000, 2, 0), (1, 2, 1), (1, 2, 1), (1, 2, 1), (1000, 2, 0), first=4))
        )
        assert not found.waits_for_other

    def test_who_wants_nothing_does_not_wait(self):
        assert not mep_port(1, **two_ports(ET15=requests((2000, 2, 0)))).waits_for_other


def test_what_was_not_read_is_not_known():
    found = mep_port(1)
    assert (found.other, found.locked_by, found.optical) == (None, None, None)
    own = found.own
    told = (own.registered, own.handle, own.up, own.alerts, own.requests, own.watched_seconds, own.disabled)
    assert told == (None,) * 7
