"""The load profile under the read-only key, and the pace on a line of 9600 baud."""

import asyncio

import pytest

from osgp.errors import MeterRefused
from osgp.image import MeterImage
from osgp.optical.services import OpticalResponseCode
from osgp.psem import table_id
from osgp.simulator import Faults
from osgp.tables import TABLES, Dimensions
from osgp.tables.load_profile import ProfileSizes

ONE_SET = Dimensions(firmware=(3, 10))
SIZES = ProfileSizes(blocks=5, intervals=96, channels=3)
NEWEST = 3
RECORDED = (*range(10), *range(30, 41))
"""Slots of the newest block: in an outage some were left out (D4)."""


def profile_image():
    """Return a meter whose newest interval is number 40 of block 3, and holds 1, 2 and 3."""
    image = MeterImage.load("image:denmark-gen3")
    log = bytearray(SIZES.blocks * SIZES.block_size)
    status = {"active": True, "valid_blocks": 5, "last_block": NEWEST, "valid_intervals": len(RECORDED)}
    internal = {
        "block_size": SIZES.block_size,
        "block_header_size": SIZES.header_size,
        "valid_blocks": 5,
        "valid_intervals": len(RECORDED),
        "last_block": NEWEST,
        "last_interval": RECORDED[-1],
        "interval_size": SIZES.interval_size,
    }
    status_at = NEWEST * SIZES.block_size + SIZES.simple_status_offset
    log[status_at : status_at + 12] = sum(1 << slot for slot in RECORDED).to_bytes(12, "little")
    at = NEWEST * SIZES.block_size + SIZES.header_size + RECORDED[-1] * SIZES.interval_size
    log[at : at + SIZES.interval_size] = bytes((0x00, 0x00, *(1, 0, 0, 0), *(2, 0, 0, 0), *(3, 0, 0, 0)))
    tables = {
        "BT01": TABLES["BT01"].encode({"firmware": (3, 10, 1)}, ONE_SET),
        "BT61": TABLES["BT61"].encode(
            {"int32": True, "data_sets": [{"blocks": 5, "intervals": 96, "channels": 3, "interval_minutes": 15}]},
            ONE_SET,
        ),
        "BT63": TABLES["BT63"].encode({"data_sets": [status]}, ONE_SET),
        "BT64": bytes(log),
        "BT71": TABLES["BT71"].encode({"history_data_length": 2, "history_entries": 4}, ONE_SET),
        "BT74": bytes((4, 4, 0, 1, 0, 9, 0, 0, 0, 0, 0))
        + b"".join(bytes(6) + bytes((n, 0)) + bytes(6) for n in (8, 9, 6, 7)),
        "ET21": TABLES["ET21"].encode({"data_sets": [internal]}, ONE_SET),
    }
    image.tables |= {table_id(name): bytearray(data) for name, data in tables.items()}
    return image


async def test_07_15_the_load_profile_is_read_with_computed_sizes(virtual_clock, bench):
    async with bench.simulated(profile_image()) as simulated:
        url = await simulated.serve_optical_tcp()
        async with bench.opened(url) as meter:
            with pytest.raises(MeterRefused) as caught:
                await meter.table("ET21")
            assert caught.value.code == OpticalResponseCode.ISC
            sizes = ProfileSizes.of(await meter.table("BT61"))
            (status,) = (await meter.table("BT63"))["data_sets"]
            slot = sizes.newest_slot(await meter.read("BT64", *sizes.newest_header(status)))  # type: ignore[misc]
            window = sizes.newest_interval(status, slot)
            assert sizes.decode_interval(await meter.read("BT64", *window)).values == (1, 2, 3)  # type: ignore[misc]
        async with bench.opened(url, bench.PK) as meter:
            (told,) = (await meter.table("ET21"))["data_sets"]
    block, header, size = told["block_size"], told["block_header_size"], told["interval_size"]
    # The guide's own formula for the newest interval (Optical guide v1.1 p. 31).
    assert window == (status["last_block"] * block + header + told["last_interval"] * size, size)
    assert (sizes.block_size, sizes.header_size, sizes.interval_size) == (block, header, size)


async def test_07_22_five_samples_a_second_are_possible(virtual_clock, bench):
    faults = Faults.parse(["delay=0.02"])
    image = MeterImage.load("image:denmark-gen3")
    async with (
        bench.simulated(image, baud=9600, faults=faults, shared_uart=False) as simulated,
        bench.opened(await simulated.serve_optical_tcp()) as meter,
    ):
        await meter.read("BT23", 0, 8)
        began = asyncio.get_running_loop().time()
        for _ in range(50):
            await meter.read("BT23", 0, 8)
            await meter.read("BT28", 0, 40)
        spent = asyncio.get_running_loop().time() - began
    line = 108 * 10 / 9600 + 2 * 0.02
    assert 50 / spent >= 5
    assert spent == pytest.approx(50 * line, rel=0.02)
