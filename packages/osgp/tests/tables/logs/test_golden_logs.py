"""Whole logs, byte by byte, against what was worked out by hand from the guides (folder golden)."""

import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from osgp.tables import Dimensions
from osgp.tables.logs.events import decode_events, event_ring
from osgp.tables.logs.outages import decode_outages, in_zone, outage_ring
from osgp.tables.logs.snapshots import decode_snapshots, snapshot_ring
from osgp.tables.schema.dimensions import Logs

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.toml"))


def decoded(table, data, dims, zone):
    """Return ring and entries of any log."""
    if table in ("BT74", "ET79"):
        ring = event_ring(dims, table)
        return ring, decode_events(ring.entries(data), dims, table)
    if table == "ET81":
        ring = outage_ring(dims)
        return ring, [in_zone(outage, zone) for outage in decode_outages(ring.entries(data), dims)]
    ring = snapshot_ring(dims, table)
    return ring, decode_snapshots(ring.entries(data), dims, table)


def shown(entry):
    """Return what an entry says, as the golden files write it."""
    found = {}
    for name in entry.__slots__:
        value = getattr(entry, name)
        if value is None or name in ("logs", "table", "cause"):
            continue
        if isinstance(value, bytes):
            value = value.hex().upper()
        if name == "values":
            value = {source.key: raw for source, raw in value.items()}
        found[name] = value
    return found


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_log_says_what_the_guide_says(path):
    golden = tomllib.loads(path.read_text(encoding="utf-8"))
    assert "p. " in golden["provenance"]
    dims = Dimensions(logs=Logs(**golden.get("logs", {})), **golden.get("dims", {}))
    zone = ZoneInfo(golden["zone"]) if "zone" in golden else None
    data = bytes.fromhex(golden["hex"])
    ring, entries = decoded(golden["table"], data, dims, zone)
    assert ring.size == len(data)
    assert [shown(entry) for entry in entries] == golden["entries"]


def test_byte_order_is_that_of_the_meter():
    data = bytes.fromhex("04 0001 0000 00010003 0000 1A0B010A0709 0003 FFFF 0045 0102")
    dims = Dimensions(big_endian=True, logs=Logs(events=1, argument_size=2))
    (event,) = decode_events(event_ring(dims).entries(data), dims)
    assert (event.sequence, event.user, event.event, event.argument) == (65539, 0xFFFF, 69, b"\1\2")
    assert event.time == datetime.fromisoformat("2026-11-01T10:07:09Z")
