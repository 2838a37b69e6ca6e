"""Any bytes are the tables of M-Bus devices: devices, each with no value but of its own bytes, or TableError.

python fuzz/fuzz_mbus_tables.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from datetime import date
from decimal import Decimal
from types import FunctionType

from osgp.errors import TableError
from osgp.tables import TABLES, Dimensions, survey
from osgp.tables.logs.ring import Entry
from osgp.tables.mbus.channels import data_types, time_of
from osgp.tables.mbus.data import READ_HEAD_SIZE
from osgp.tables.mbus.devices import devices, newest, slot_window, with_reads
from osgp.tables.mbus.reading import MbusReading, decode_read
from osgp.tables.mbus.recurring import RECURRING_LOGS, decode_recurring, recurring_ring
from osgp.tables.schema.dimensions import MBUS_DEVICES

_LARGEST = 1 << 17
_ENTRY_HEAD = 8


def _parts(data: bytes) -> list[bytes]:
    """Cut input into four parts, each with a length byte, and the rest."""
    found = []
    for _ in range(4):
        size = data[0] if data else 0
        found.append(data[1 : 1 + size])
        data = data[1 + size :]
    return [*found, data]


def _check_reading(reading: MbusReading, data: bytes) -> None:
    """Raise AssertionError unless all that is told is of these bytes."""
    assert len(reading.telegrams) <= len(data)
    assert (reading.identity is None) == (not reading.telegrams and reading.fixed is None)
    assert not (reading.whole and reading.encrypted)
    for telegram in reading.telegrams:
        for record in telegram.content.records if telegram.content else ():
            assert record.encoded in data
    if reading.security_failed:
        assert not reading.values
    for key, one in reading.values.items():
        assert one.quantity in key
        assert isinstance(one.value, Decimal | str | date) or hasattr(one.value, "hour")
        assert not isinstance(one.value, str) or one.value.isprintable()
    counter = reading.counter
    assert counter is None or (counter[1].main and reading.values[counter[0]] is counter[1])
    repr(reading)


def _check_devices(et14: bytes, slot: bytes, dims: Dimensions) -> None:
    for device in devices(et14, dims):
        assert device.index < MBUS_DEVICES
        assert device.handle
        window = slot_window(device, dims)
        if window is None:
            assert device.read_length < READ_HEAD_SIZE or dims.device_data_size < READ_HEAD_SIZE
            continue
        start, count = window
        assert start == device.index * dims.device_data_size
        assert READ_HEAD_SIZE <= count <= dims.device_data_size
        reading = decode_read(slot[:count].ljust(READ_HEAD_SIZE, b"\0"))
        told = with_reads(device, [reading])
        for report in (told.battery_low, told.permanent_error, told.temporary_error, told.alarm):
            assert report in {None, True, False}
        assert newest([reading, reading]) is reading


def _check_logs(body: bytes, dims: Dimensions) -> None:
    entry = body.ljust(_ENTRY_HEAD, b"\0")
    for read in decode_recurring([Entry(1, entry)], dims):
        if read.reading is not None:
            _check_reading(read.reading, entry[_ENTRY_HEAD:])
    for table in RECURRING_LOGS:
        try:
            ring = recurring_ring(dims, table)
        except TableError:
            continue
        assert ring is None or ring.entry_size >= _ENTRY_HEAD + READ_HEAD_SIZE


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but TableError, if the invariant does not hold for ``data``."""
    et11, et14, et36, headers, body = _parts(data)
    try:
        dims = survey({"ET11": et11, "ET36": et36} if et36 else {"ET11": et11})
    except TableError:
        dims = Dimensions()
    try:
        if TABLES["ET14"].size(dims) <= _LARGEST:
            _check_devices(et14.ljust(TABLES["ET14"].size(dims), b"\0"), body, dims)
    except TableError:
        pass
    try:
        _check_reading(decode_read(body), body)
    except TableError:
        assert len(body) < READ_HEAD_SIZE
    _check_logs(body, dims)
    entries = TABLES["ET57"].decode(headers.ljust(64, b"\0"), Dimensions())["entries"]
    for kind in data_types(entries).values():
        for special in (False, True):
            value = kind.value(int.from_bytes(body[:4], "little", signed=True), special=special)
            assert value is None or value.header.encoded in kind.headers
    time_of(body[:6])


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
