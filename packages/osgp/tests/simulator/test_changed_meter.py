"""What a test may change in a simulated meter while it runs: tables, dimensions, identity."""

from datetime import UTC, datetime

import pytest

from osgp.errors import MeterRefused, MisuseError
from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter
from osgp.sources import SOURCES

KEY = MeterKey.parse(DEMO_KEY_TEXT)
NOW = datetime(2026, 2, 3, 17, 30, tzinfo=UTC).timestamp()
IMPORT = SOURCES["active_energy_import"]


def image():
    """Return a meter of eleven summations, one tier, without demands."""
    dimensions = bytes((3, 12, 0, 11, 0, 0, 0, 1, 0, 0))
    return MeterImage(
        {
            20: bytearray(dimensions),
            21: bytearray(dimensions),
            22: bytearray((*range(8), 26, 27, 28)),
            23: bytearray((1000).to_bytes(4, "little") + bytes(84)),
            0x0803: bytearray(b"SIM0000001".ljust(143, b"\0")),
            0x0804: bytearray(116) + b"\xff" + bytes(12),
        }
    )


def simulated(**more):
    return SimulatedMeter(image(), clock=lambda: NOW, shared_uart=False, **more)


def reader(url):
    return open_meter(url, key=KEY, read_budget=None)


async def test_a_table_gets_other_bytes(virtual_clock):
    async with simulated() as meter, reader(await meter.serve_tcp()) as client:
        assert (await client.registers())[IMPORT] == 1000
        meter.put_in("BT23", (2000).to_bytes(4, "little") + bytes(84))
        assert (await client.registers())[IMPORT] == 2000
        assert meter.read("ET04")[116] == 255


async def test_a_table_follows_a_function_of_time_and_goes(virtual_clock):
    async with simulated() as meter, reader(await meter.serve_tcp()) as client:
        meter.put_in(23, lambda now: int(now).to_bytes(4, "little") + bytes(84))
        assert (await client.registers())[IMPORT] == int(NOW)
        meter.put_in("BT23", None)
        assert meter.read("BT23") is None
        with pytest.raises(MeterRefused):
            await client.read("BT23")


async def test_a_reconfiguration_counts_the_version_and_moves_the_sequence(virtual_clock):
    grown = bytes((0x37, 12, 0, 11, 1, 0, 1, 1, 1, 0))
    async with simulated() as meter, reader(await meter.serve_tcp()) as client:
        await client.registers()
        before = meter._server.sequence
        meter.reconfigure({"BT21": grown, "BT22": bytes((*range(8), 26, 27, 28, 8, 0)), "BT23": bytes(200)})
        assert meter.read("BT21") == grown
        assert len(meter.read("BT23")) == 200
        assert meter.read("ET04")[116] == 0
        assert meter._server.sequence == before + 25


async def test_a_meter_without_et04_has_no_version_to_count(virtual_clock):
    async with simulated() as meter:
        meter.put_in("ET04", None)
        meter.reconfigure({"BT21": bytes(10)})
        assert meter.read("ET04") is None


async def test_another_identity(virtual_clock):
    async with simulated() as meter, reader(await meter.serve_tcp()) as client:
        assert (await client.identity()).serial == "SIM0000001"
        before = meter._server.sequence
        meter.replace_identity("SIM42")
        assert abs(meter._server.sequence - before) > 1000
        assert meter.read("ET03") == b"SIM42".ljust(143, b"\0")
    async with simulated() as meter:
        meter.put_in("ET03", None)
        meter.replace_identity("SIM42")
        assert meter.read("ET03") == b"SIM42".ljust(143, b"\0")


@pytest.mark.parametrize("serial", ["x" * 31, "LGZ\N{LATIN SMALL LETTER O WITH STROKE}1"])
async def test_a_serial_number_that_no_meter_can_hold(virtual_clock, serial):
    async with simulated() as meter:
        with pytest.raises(MisuseError, match="serial number"):
            meter.replace_identity(serial)
