"""The two MEP ports of a meter of the fourth generation (MEP guide v1.1 p. 19-24)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from osgp.errors import LinkRefused, MeterRefused, MisuseError
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.writing import AllowWrites
from osgp.optical.key import OpticalKey
from osgp.psem import PartialRead, table_id
from osgp.simulator import DEMO_KEY_TEXT, History, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.tables import TABLES
from osgp.tables.survey import survey

KEY = MeterKey.parse(DEMO_KEY_TEXT)
NOW = int(datetime(2026, 2, 3, 17, 30, tzinfo=UTC).timestamp())
LOCK, UNLOCK = b"\x01", b"\x00"
DONE, CONFLICT, UNKNOWN = 0, 3, 6


def simulated(loop_time, firmware=(4, 30, 5)):
    house = House(ledger=Ledger(Household(1), NOW - 2 * 86400), history=History(firmware=firmware))
    begin = loop_time()
    return SimulatedMeter(house, clock=lambda: NOW + loop_time() - begin)


def client(url):
    procedures = AllowWrites(procedures=("EP61", "EP39"))
    return open_meter(url, key=KEY, read_budget=None, allow_writes=procedures)


def lock_told(meter):
    dims = survey({name: meter.read(name) for name in ("BT01", "BT20", "BT21", "ET11")})
    told = TABLES["ET54"].decode(meter.read("ET54"), dims)
    return told["transactions_locked"], told["transaction_lock_holder"]


async def test_each_port_has_its_sequence_number_and_tells_which_it_is(virtual_clock):
    async with simulated(virtual_clock) as meter:
        urls = [await meter.serve_tcp(mep=mep) for mep in (1, 2)]
        before = [server.sequence for server in (meter._server, meter._second)]
        assert before[0] != before[1]
        async with client(urls[0]) as one, client(urls[1]) as two:
            assert await one.read("ET70", 142, 1) == b"\x01"
            moved = [meter._server.sequence - before[0], meter._second.sequence - before[1]]
            assert moved[0] > 0 == moved[1]
            assert await two.read("ET70", 142, 1) == b"\x02"
            assert await one.identity() == await two.identity()


async def test_results_of_the_second_port_stand_in_et85(virtual_clock):
    async with simulated(virtual_clock) as meter:
        async with client(await meter.serve_tcp(mep=2)) as two:
            assert (await two.call("EP61", LOCK)).code == DONE
        assert meter.read("ET85")[:2] == bytes((0x3D, 0x08))
        assert meter.read("BT08") is None


async def test_the_lock_holds_off_the_other_port_and_falls_after_ten_seconds(virtual_clock):
    async with (
        simulated(virtual_clock) as meter,
        client(await meter.serve_tcp()) as one,
        client(await meter.serve_tcp(mep=2)) as two,
    ):
        assert (await one.call("EP61", LOCK)).code == DONE
        assert lock_told(meter) == (1, 1)
        assert (await two.call("EP61", LOCK)).code == CONFLICT
        assert (await two.call("EP61", UNLOCK)).code == CONFLICT
        assert (await one.call("EP61", UNLOCK)).code == DONE
        assert lock_told(meter) == (0, 0)
        assert (await two.call("EP61", LOCK)).code == DONE
        assert lock_told(meter) == (1, 2)
        await asyncio.sleep(10)
        assert lock_told(meter) == (0, 0)
        assert (await one.call("EP61", LOCK)).code == DONE


async def test_a_meter_of_the_third_generation_has_neither_port_nor_lock(virtual_clock):
    async with simulated(virtual_clock, (3, 82, 5)) as meter:
        with pytest.raises(MisuseError, match="one MEP port"):
            await meter.serve_tcp(mep=2)
        async with client(await meter.serve_tcp()) as one:
            assert (await one.call("EP61", LOCK)).code == UNKNOWN


async def test_alerts_are_for_the_client_of_one_port(virtual_clock):
    async with (
        simulated(virtual_clock) as meter,
        client(await meter.serve_tcp()) as one,
        client(await meter.serve_tcp(mep=2)) as two,
    ):
        meter.alert(0x01, mep=2)
        await one.call("EP39", bytes((1, 0, 0, 0)))
        assert meter._memory.alert_flags(2) == 1
        await two.call("EP39", bytes((1, 0, 0, 0)))
        assert (meter._memory.alert_flags(1), meter._memory.alert_flags(2)) == (0, 0)


ASKED = [PartialRead(table_id("BT01"), 0, 16), PartialRead(table_id("ET70"), 142, 1)]


def asking(url):
    allowed = AllowWrites(tables=("ET52",), procedures=("EP61",))
    return open_meter(url, key=KEY, read_budget=None, allow_writes=allowed)


async def test_a_transaction_locks_and_unlocks(virtual_clock):
    async with simulated(virtual_clock) as meter:
        urls = [await meter.serve_tcp(mep=mep) for mep in (1, 2)]
        async with asking(urls[0]) as one, asking(urls[1]) as two:
            for client_, port in ((one, 1), (two, 2), (one, 1)):
                model, channel = await client_.transaction(ASKED)
                assert model.data == (meter.read("BT01") or b"")[:16]
                assert channel.data == bytes((port,)), "the meter carries it out for the client of this port"
                assert lock_told(meter) == (0, 0)
                called = meter.read("ET85" if port > 1 else "BT08") or b""
                assert called[:2] == bytes((0x3D, 0x08)), "EP61 was called, and at last to unlock"


async def test_a_transaction_waits_for_no_lock_of_the_other_port(virtual_clock):
    async with (
        simulated(virtual_clock) as meter,
        client(await meter.serve_tcp()) as one,
        asking(await meter.serve_tcp(mep=2)) as two,
    ):
        assert (await one.call("EP61", LOCK)).code == DONE
        assert (await two.mep_port()).locked_by == 1
        with pytest.raises(LinkRefused, match="other MEP port has locked"):
            await two.transaction(ASKED)
        with pytest.raises(MeterRefused, match="write ET52"):
            await two.write("ET52", b"\0")
        assert meter.read("ET53") == bytes(1785)
        await asyncio.sleep(10)
        assert len(await two.transaction(ASKED)) == 2
        assert (await two.mep_port()).locked_by == 0


async def test_each_client_sees_which_port_is_its_own(virtual_clock):
    async with (
        simulated(virtual_clock) as meter,
        client(await meter.serve_tcp()) as one,
        client(await meter.serve_tcp(mep=2)) as two,
    ):
        meter.alert(0x10, mep=2)
        ours, theirs = await one.mep_port(), await two.mep_port()
        assert (ours.number, theirs.number) == (1, 2)
        assert (ours.own, ours.other) == (theirs.other, theirs.own)
        assert theirs.own.alerts == {"delta_data"}
        assert (await two.answer_alerts()).answered == {"delta_data"}
        assert (await one.mep_port()).other == replace(theirs.own, alerts=frozenset())


async def test_an_optical_port_is_nobodys_mep_port(virtual_clock):
    async with simulated(virtual_clock) as meter:
        key = OpticalKey.parse(DEMO_KEY_TEXT)
        async with open_meter(await meter.serve_optical_tcp(), key=key, read_budget=None) as probe:
            for ask in (probe.mep_port, probe.answer_alerts, lambda: probe.transaction(ASKED)):
                with pytest.raises(MisuseError, match="optical port"):
                    await ask()
