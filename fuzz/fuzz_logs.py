"""Any bytes are logs of which every entry is decoded once, in the order of their numbers, or TableError, however they are read.

python fuzz/fuzz_logs.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import MisuseError, TableError
from osgp.psem import table_id
from osgp.tables import TABLES, survey
from osgp.tables.logs.event_names import parse_names
from osgp.tables.logs.events import ALTERNATE, PRIMARY, decode_events, event_ring, together
from osgp.tables.logs.outages import decode_outages, outage_ring, put_together, recorded
from osgp.tables.logs.reading import Mark, RingReading, marks_of, marks_text
from osgp.tables.logs.ring import Ring
from osgp.tables.logs.snapshots import SNAPSHOT_LOGS, decode_snapshots, snapshot_ring
from osgp.tables.schema.dimensions import Dimensions

_HEAD = 16
_LISTED = ("ET31", "ET41", "ET81")
_LIMIT = 100
_NAMES = 200


def _dims(head: bytes) -> Dimensions:
    """Return the dimensions of a meter whose tables of sizes hold these bytes."""
    records = b"".join(
        table_id(name).to_bytes(2, "little") + bytes((head[place], 0, 0, 0, head[place + 1] % 9, 0)) + bytes(9)
        for place, name in enumerate(_LISTED)
    )
    bt21 = bytes((head[4], 0, head[5] % 9, head[6] % 20, head[7] % 3, head[8] % 3, head[9] % 3, head[10] % 9, 0, 0))
    bt71 = bytes((0, 8, 19, head[11] % 5, 2, head[12], head[13] & 1, 0, 0))
    et54 = bytes(80) + bytes((head[14] % 9, 0)) + bytes(9)
    return survey({"BT21": bt21, "BT71": bt71, "ET54": et54, "ET36": bytes((len(_LISTED),)) + records + b"\0"})


def _read(ring: Ring, data: bytes, since: Mark | None) -> RingReading:
    """Read a ring part by part, as from a meter, which fills what is beyond the end with zeros."""
    reading = RingReading(ring, since)
    for _ in range(ring.places + 3):
        window = reading.wanted(_LIMIT)
        if window is None:
            break
        offset, count = window
        assert offset + count <= ring.size
        reading.take(data[offset : offset + count].ljust(count, b"\0"))
    assert reading.wanted(_LIMIT) is None
    numbers = [entry.sequence for entry in reading.entries]
    assert len(set(numbers)) == len(numbers) <= ring.places
    return reading


def _check_ring(ring: Ring | None, data: bytes, since: Mark | None) -> RingReading | None:
    """Read a ring in both ways; None if it is refused. What was entered is the same if nothing changes meanwhile."""
    if ring is None:
        return None
    try:
        whole = ring.entries(data[: ring.size].ljust(ring.size, b"\0"))
        reading = _read(ring, data, since)
        everything = _read(ring, data, None)
    except TableError:
        return None
    assert everything.entries == whole
    assert not everything.upset
    assert marks_of(marks_text({"X": reading.mark})) == {"X": reading.mark}
    assert not _read(ring, data, everything.mark).entries or not everything.entries
    return reading


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but our errors, if the invariant does not hold for ``data``."""
    head, data = data[:_HEAD].ljust(_HEAD, b"\0"), data[_HEAD:]
    try:
        dims = _dims(head)
        rings = {name: snapshot_ring(dims, name) for name in SNAPSHOT_LOGS}
        rings |= {PRIMARY: event_ring(dims), ALTERNATE: event_ring(dims, ALTERNATE)}
        rings["ET81"] = outage_ring(dims) if dims.logs.outage_size == 12 else None  # noqa: PLR2004 - p. 109
    except TableError:
        return
    since = Mark(head[15] * 257, 0) if head[15] else None
    reads = {name: _check_ring(ring, data, since) for name, ring in rings.items()}
    logs = [
        decode_events(read.entries, dims, name)
        for name, read in reads.items()
        if read is not None and name in (PRIMARY, ALTERNATE)
    ]
    every = together(*logs)
    assert [event.sequence for event in every] == sorted((event.sequence for event in every), reverse=True)
    for name in SNAPSHOT_LOGS:
        read = reads[name]
        if read is not None:
            assert len(decode_snapshots(read.entries, dims, name)) == len(read.entries)
    records = list(TABLES["ET09"].decode(data, Dimensions(power_outages_recorded=3)).get("outages", ()))
    known = recorded(records, dims)
    outages = [] if reads["ET81"] is None else decode_outages(reads["ET81"].entries, dims)
    assert len(outages) <= len(put_together(outages, known, len(known))) <= len(outages) + len(known)
    try:
        text = data[:_NAMES].decode("utf-8", errors="replace")
        parse_names(f"[events]\n{text}")
        marks_of(text)
    except MisuseError:
        pass


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
