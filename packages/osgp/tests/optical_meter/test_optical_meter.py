"""A meter read through its optical port gives what it gives through its MEP port."""

import pytest

from osgp.image import MeterImage


async def everything(meter):
    """Return all that programs ask a meter for."""
    return {
        "identity": await meter.identity(),
        "registers": await meter.registers(),
        "present": await meter.present(),
        "clock": await meter.clock(),
        "dimensions": await meter.dimensions(),
        "BT21": dict(await meter.table("BT21")),
        "BT23": await meter.read("BT23", 0, 220),
        "ET03": await meter.read("ET03"),
    }


@pytest.mark.parametrize("shared", [True, False])
async def test_07_25_both_ports_give_identical_named_values(virtual_clock, bench, shared):
    async with bench.simulated(baud=9600, shared_uart=shared) as simulated:
        mep_url, optical_url = await simulated.serve_tcp(), await simulated.serve_optical_tcp()
        async with bench.opened(mep_url, bench.MBK) as meter:
            by_wire = await everything(meter)
        async with bench.opened(optical_url) as meter:
            by_light = await everything(meter)
    assert by_light == by_wire
    assert len(by_light["registers"]) == 35
    assert len(by_light["present"]) == 55
    assert by_light["clock"] == bench.NOW


async def test_a_meter_on_a_pseudo_terminal(bench, tmp_path):
    async with bench.simulated(MeterImage.load("image:denmark-gen3"), baud=115200) as simulated:
        url = simulated.serve_optical_pty(str(tmp_path / "probe"))
        assert url == f"optical://{tmp_path / 'probe'}"
        async with bench.opened(url) as meter:
            assert meter.url == url
            assert len(await meter.present()) == 55
