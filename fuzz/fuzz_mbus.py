"""Any bytes are an M-Bus telegram of which every byte is accounted for, or TableError.

python fuzz/fuzz_mbus.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import TableError
from osgp.mbus.fixed import FIXED_SIZE, decode_fixed
from osgp.mbus.records import Records, decode_records, decode_value
from osgp.mbus.telegram import HEADER_SIZE, decode_telegram, split_telegrams

_MANUFACTURER = (0x0F, 0x1F)


def _check_records(data: bytes, found: Records) -> None:
    """Raise AssertionError unless records, bytes between them and the rest are ``data`` again."""
    between = len(data) - sum(len(record.encoded) for record in found.records)
    behind = len(found.rest) + len(found.manufacturer)
    assert data.endswith(found.rest + found.manufacturer)
    assert (found.trouble is None) == (not found.rest)
    place = 0
    for record in found.records:
        while data[place] & 0x8F == 0x0F:  # noqa: PLR2004 - the low bits of what stands between records
            place += 1
            between -= 1
        assert data[place : place + len(record.encoded)] == record.encoded
        place += len(record.encoded)
        assert record.value is None or record.fault is None
        repr(record)
        assert not record.present or record.plain
    special = data[place : len(data) - behind]
    assert len(special) == between - behind
    assert all(byte & 0x8F == 0x0F for byte in special)  # noqa: PLR2004 - as above
    if found.manufacturer or found.more_follow:
        assert special[-1] in _MANUFACTURER


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but TableError, if the invariant does not hold for ``data``."""
    flags, data = (data[0], data[1:]) if data else (0, data)
    msb_first, decrypted, whole = bool(flags & 1), bool(flags & 2), bool(flags & 4)
    _check_records(data, decode_records(data, msb_first=msb_first))
    bodies = split_telegrams(data)
    assert all(all_there for _, all_there in bodies[:-1])
    for body in [data, *(body for body, _ in bodies)]:
        try:
            telegram = decode_telegram(body, whole=whole, msb_first=msb_first, decrypted=decrypted)
        except TableError:
            assert len(body) < HEADER_SIZE
        else:
            assert telegram.content is not None or telegram.undecoded == body[HEADER_SIZE:]
    try:
        decode_fixed(data, msb_first=msb_first)
    except TableError:
        assert len(data) < FIXED_SIZE
    try:
        value = decode_value(data[:3], data[3:7], msb_first=msb_first)
        assert value.value is None or value.fault is None
    except TableError:
        pass


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
