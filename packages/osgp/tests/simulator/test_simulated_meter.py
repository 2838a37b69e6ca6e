"""The simulated meter on its ports: TCP and pseudo-terminal, read by the client of this library."""

import asyncio
import gc
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from osgp.errors import MeterRefused, MisuseError, PortBusy, PortMissing, ResponseTimeout, TransportError
from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.mep.events import AlertReceived
from osgp.mep.security import Security
from osgp.mep.tls_server import TlsRule
from osgp.meter import open_meter
from osgp.meter.writing import AllowWrites
from osgp.simulator import DEMO_KEY_TEXT, Faults, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.sources import SOURCES

KEY = MeterKey.parse(DEMO_KEY_TEXT)
NOW = datetime(2026, 2, 3, 17, 30, tzinfo=UTC)
IMPORT = SOURCES["active_energy_import"]


def house(seed=1):
    return House(seed, ledger=Ledger(Household(seed), int(NOW.timestamp()) - 2 * 86400))


class Wall:
    """A clock on the wall that a test moves."""

    def __init__(self):
        self.now = NOW.timestamp()

    def __call__(self):
        return self.now


def reader(url, **kwargs):
    return open_meter(url, key=KEY, read_budget=None, **kwargs)


def open_files():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


async def read_and_compare(url, *, security):
    expected = house().at(NOW.timestamp())
    async with reader(url, security=security) as meter:
        registers, present = await meter.registers(), await meter.present()
        assert await meter.clock() == NOW
        assert (await meter.identity()).serial == "SIM0000001"
    assert registers[IMPORT] == expected.total[0]
    assert registers[SOURCES["outage_count"]] == expected.total[5]
    assert registers[SOURCES["active_energy_import_t2"]] == expected.tiers[1][0]
    assert len(present) == 55
    assert {source.id: value for source, value in present.items()} == {
        source.id: expected.present[source.id] for source in present
    }


@pytest.mark.parametrize("security", Security)
async def test_a_house_is_read_over_tcp(virtual_clock, security):
    async with SimulatedMeter(house(), clock=Wall(), baud=9600, tls=TlsRule.OFFERED) as simulated:
        await read_and_compare(await simulated.serve_tcp(), security=security)


# Bytes through a pseudo-terminal take real time inside the kernel, so these tests run by the real clock.
async def test_a_house_is_read_through_a_pseudo_terminal(tmp_path):
    async with SimulatedMeter(house(), clock=Wall(), baud=115200) as simulated:
        await read_and_compare(simulated.serve_pty(str(tmp_path / "meter")), security="rc4")


async def test_a_pseudo_terminal_outlives_its_clients(tmp_path):
    path = tmp_path / "meter"
    path.symlink_to("/nowhere")  # left behind by a run that was killed
    async with SimulatedMeter(house(), clock=Wall()) as simulated:
        url = simulated.serve_pty(str(path))
        assert url == f"serial://{path}"
        for _ in range(3):
            async with reader(url) as meter:
                assert await meter.clock() == NOW
    assert not path.is_symlink()


async def test_a_client_that_does_not_read_cannot_hold_up_the_meter(tmp_path):
    async with SimulatedMeter(house(), clock=Wall()) as simulated:
        url = simulated.serve_pty(str(tmp_path / "meter"))
        (terminal,) = simulated._ports
        for _ in range(50_000):
            terminal.deliver(b"\0\0")
        async with reader(url) as meter:
            assert await meter.clock() == NOW


async def test_an_image_is_served_byte_for_byte(virtual_clock):
    image = MeterImage.load("image:denmark-gen3")
    before = {table: bytes(data) for table, data in image.tables.items()}
    async with SimulatedMeter(image, clock=Wall()) as simulated, reader(await simulated.serve_tcp()) as meter:
        for table, data in before.items():
            assert await meter.read(table, 0, len(data)) == data
        assert await meter.clock() == NOW
        with pytest.raises(MeterRefused) as refused:
            await meter.read("ET03")
        assert refused.value.code == 5
    assert image.tables == before


async def test_an_image_keeps_its_own_clock(virtual_clock):
    image = MeterImage.load("image:denmark-gen3")
    image.tables[52] = bytearray.fromhex("0402100f3b3700")
    async with SimulatedMeter(image, clock=Wall()) as simulated, reader(await simulated.serve_tcp()) as meter:
        assert await meter.clock() == datetime(2004, 2, 16, 15, 59, 55, tzinfo=UTC)


def test_an_empty_image_is_refused():
    with pytest.raises(MisuseError, match="no table"):
        SimulatedMeter(MeterImage())


async def test_connections_share_one_line(virtual_clock):
    async with SimulatedMeter(house(), clock=Wall()) as simulated:
        url = await simulated.serve_tcp()
        host, port = url.removeprefix("tcp://").rsplit(":", 1)
        listener, writer = await asyncio.open_connection(host, int(port))
        async with reader(url) as meter:
            await meter.read(52)
        await asyncio.sleep(0.1)
        heard = await listener.read(4096)
        assert heard.count(b"\x1a\x02\x03\x11\x1e\x00") == 1, "the listener heard the clock that the other asked for"
        writer.close()
        await writer.wait_closed()


async def test_alerts_reach_a_client(virtual_clock):
    async with SimulatedMeter(house(), clock=Wall()) as simulated:
        async with reader(await simulated.serve_tcp()) as meter:
            await meter.dimensions()
            events = []
            meter.on_event = events.append
            simulated.alert(0x01)
            await asyncio.sleep(3.5)
            assert sum(isinstance(event, AlertReceived) for event in events) == 3
            configured = await meter.table("ET13")
            assert configured["mep"][0]["scheduled_read"]
            simulated.alert(0)
            events.clear()
            await asyncio.sleep(3.5)
            assert not events
        assert simulated.traffic.alerts >= 3


@pytest.mark.parametrize(
    ("flags", "parameters", "left"),
    [
        (1, bytes.fromhex("04 01 06 00 01 02 03 04 05 06"), 0),  # what a client in the field answers
        (0x1B, bytes.fromhex("0c 00 00 00"), 0x0B),  # the delta data alert alone (MEP guide v1.1 p. 34)
        (0x10, bytes.fromhex("0c 00 00 00"), 0),
        (1, bytes.fromhex("04 01 06 00 01 02"), 1),  # cut short
        (1, b"", 1),
    ],
)
async def test_section_7_an_alert_ends_when_it_is_answered_by_ep39(virtual_clock, flags, parameters, left):
    allowed = AllowWrites(procedures=("EP39",))
    faults = Faults.parse([f"alerts={flags}"])
    async with (
        SimulatedMeter(house(), clock=Wall(), faults=faults) as simulated,
        reader(await simulated.serve_tcp(), allow_writes=allowed) as meter,
    ):
        await asyncio.sleep(5)
        assert simulated.traffic.alerts > 2
        result = await meter.call("EP39", parameters)
        assert result.code == (0 if left != flags else 2)
        assert (await meter.read("ET13", 4 * 66 + 8, 1)) == bytes((left,))
        before = simulated.traffic.alerts
        await asyncio.sleep(5)
        assert (simulated.traffic.alerts > before) == bool(left)


async def test_section_7_an_alert_ends_when_its_flags_are_written_to_0(virtual_clock):
    allowed, mak = AllowWrites(tables=("ET13",)), MeterKey(bytes(range(16)))
    async with (
        SimulatedMeter(house(), clock=Wall(), mak=mak, faults=Faults.parse(["alerts=3"])) as simulated,
        open_meter(await simulated.serve_tcp(), key=mak, read_budget=None, allow_writes=allowed) as meter,
    ):
        for flags in (1, 0):
            await meter.write("ET13", bytes((flags,)), 4 * 66 + 8)
            before = simulated.traffic.alerts
            await asyncio.sleep(5)
            assert (simulated.traffic.alerts > before) == bool(flags)


async def test_the_alerts_fault_begins_at_once(virtual_clock):
    async with SimulatedMeter(house(), clock=Wall(), faults=Faults.parse(["alerts=2"])) as simulated:
        await simulated.serve_tcp()
        await asyncio.sleep(10.5)
        assert simulated.traffic.alerts in {10, 11}


async def test_a_dropped_connection_is_one_for_the_client(virtual_clock):
    faults = Faults.parse(["drop-connection=6"])  # three of them ask about TLS
    async with SimulatedMeter(house(), clock=Wall(), faults=faults) as simulated:
        url = await simulated.serve_tcp()
        async with reader(url) as meter:
            with pytest.raises(TransportError):
                await meter.registers()
        async with reader(url) as meter:
            assert await meter.clock() == NOW


async def test_a_stuck_level_shifter_is_freed_by_its_power_cycle(virtual_clock):
    faults = Faults.parse(["stuck-level-shifter=30"])
    async with (
        SimulatedMeter(house(), clock=Wall(), faults=faults) as simulated,
        reader(await simulated.serve_tcp()) as meter,
    ):
        assert await meter.clock() == NOW
        await asyncio.sleep(31)
        with pytest.raises(ResponseTimeout):
            await meter.clock()
        simulated.power_cycle()
        assert await meter.clock() == NOW


async def test_the_advanced_key_reads_too(virtual_clock):
    advanced = MeterKey(b"sixteen letters!")
    async with SimulatedMeter(house(), clock=Wall(), mak=advanced) as simulated:
        url = await simulated.serve_tcp()
        for key in (KEY, advanced):
            async with open_meter(url, key=key, read_budget=None) as meter:
                assert await meter.clock() == NOW


async def test_a_swapped_meter_has_another_serial_and_other_registers(virtual_clock):
    faults = Faults.parse(["meter-swap=60"])
    async with (
        SimulatedMeter(house(), clock=Wall(), faults=faults) as simulated,
        reader(await simulated.serve_tcp()) as meter,
    ):
        serial, energy = (await meter.identity()).serial, (await meter.registers())[IMPORT]
        await asyncio.sleep(61)
        assert (await meter.identity()).serial != serial
        assert (await meter.registers())[IMPORT] != energy
        assert meter.stats.resyncs == 1


async def test_the_clock_step_moves_the_clock_and_no_register(virtual_clock):
    faults = Faults.parse(["clock-step=-3600"])
    async with (
        SimulatedMeter(house(), clock=Wall(), faults=faults) as simulated,
        reader(await simulated.serve_tcp()) as meter,
    ):
        assert (NOW - await meter.clock()).total_seconds() == 3600
        assert (await meter.registers())[IMPORT] == house().at(NOW.timestamp()).total[0]


async def test_registers_do_not_fall_when_the_computers_clock_is_set_back(virtual_clock):
    wall = Wall()
    async with SimulatedMeter(house(), clock=wall) as simulated, reader(await simulated.serve_tcp()) as meter:
        before = (await meter.registers())[IMPORT]
        wall.now -= 7200
        assert (await meter.registers())[IMPORT] == before


async def test_a_new_meter_goes_on_where_the_old_one_was(virtual_clock):
    values = []
    wall = Wall()
    for _ in range(3):
        async with SimulatedMeter(house(), clock=wall) as simulated, reader(await simulated.serve_tcp()) as meter:
            values.append((await meter.registers())[IMPORT])
        wall.now += 600
    assert values == sorted(set(values))


async def test_a_file_in_the_way_is_left_alone(virtual_clock, tmp_path):
    path = tmp_path / "meter"
    path.write_text("mine")
    async with SimulatedMeter(house(), clock=Wall()) as simulated:
        with pytest.raises(PortBusy, match="choose another path"):
            simulated.serve_pty(str(path))
    assert path.read_text() == "mine"


async def test_ports_that_cannot_be_had_say_why(virtual_clock):
    async with SimulatedMeter(house(), clock=Wall()) as simulated:
        url = await simulated.serve_tcp()
        with pytest.raises(PortBusy, match="already listens"):
            await simulated.serve_tcp("127.0.0.1", int(url.rsplit(":", 1)[1]))
        with pytest.raises(PortMissing, match="no address"):
            await simulated.serve_tcp("203.0.113.9", 0)


async def test_a_meter_serves_only_while_it_runs(virtual_clock):
    with pytest.raises(MisuseError, match="async with"):
        await SimulatedMeter(house(), clock=Wall()).serve_tcp()


async def test_nothing_is_left_when_it_stops(tmp_path):
    tasks, files = asyncio.all_tasks(), open_files()
    async with SimulatedMeter(house(), clock=Wall()) as simulated:
        tcp, pty = await simulated.serve_tcp(), simulated.serve_pty(str(tmp_path / "meter"))
        for url in (tcp, pty):
            async with reader(url) as meter:
                await meter.clock()
        host, port = tcp.removeprefix("tcp://").rsplit(":", 1)
        idle, writer = await asyncio.open_connection(host, int(port))
        simulated.alert(1)
    assert await idle.read() in {b"", b"\0\0"}
    writer.close()
    await writer.wait_closed()
    with pytest.raises(ConnectionRefusedError), socket.socket() as probe:
        probe.connect((host, int(port)))
    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert open_files() == files
