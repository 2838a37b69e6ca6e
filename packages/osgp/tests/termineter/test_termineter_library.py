"""Termineter's library and ours read the same tables and are refused the same ones."""

import json
from pathlib import Path

import pytest

from osgp.errors import MeterRefused
from osgp.meter import open_meter
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access
from osgp.psem import table_id

pytestmark = pytest.mark.xdist_group("termineter")

READER = Path(__file__).with_name("read_with_termineter.py")
NAMES = (
    "BT00 BT01 BT04 BT15 BT20 BT21 BT22 BT23 BT27 BT28 BT50 BT52 BT53 BT54 BT60 ET03 ET04 ET11 ET13 ET21 ET42 ET50 ET51"
)
WINDOWS = ["23/0/8", "28/0/40", "28/216/40", "23/3/200"]


def asked():
    return [str(table_id(name)) for name in NAMES.split()] + WINDOWS


async def read_with_ours(url, key):
    found = {}
    async with open_meter(url, key=key) as meter:
        for each in asked():
            table, *window = map(int, each.split("/"))
            try:
                found[each] = (await meter.read(table, *window)).hex()
            except MeterRefused as error:
                found[each] = f"refused {error.code}"
    return found


@pytest.mark.parametrize("access", [Access.READ_ONLY, Access.UNIQUE])
async def test_07_03_both_libraries_read_the_same(meter, run, tmp_path, access):
    key = run.KEYS[access]
    probe = meter.serve_optical_pty(str(tmp_path / "probe"))
    theirs = await run.script(READER, str(tmp_path / "probe"), key.secret.decode(), *asked())
    ours = await read_with_ours(probe, OpticalKey.parse(key.secret.decode()))
    assert ours == json.loads(theirs)
    assert ours["28"] == meter.read("BT28").hex()
    assert ours["28/216/40"] == meter.read("BT28")[216:].ljust(40, b"\0").hex()
    assert (ours[str(table_id("ET51"))] == "refused 3") == (access is Access.READ_ONLY)
    assert sum(not answer.startswith("refused") for answer in ours.values()) >= 18
