"""Any bytes as ET52 or ET53 are requests or answers that are encoded to the same bytes again, or a TableError.

python fuzz/fuzz_transaction.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import TableError
from osgp.meter.clients.messages import decode_requests, decode_responses, encode_requests, encode_responses
from osgp.psem import PartialRead, PartialWrite, Read, Request

_QUESTIONS: tuple[Request, ...] = (
    PartialRead(23, 0, 4),
    Read(52),
    PartialWrite(2098, 0, b"x"),
    PartialRead(2059, 0, 1),
)
_ROOM = 1 << 16


def _whole(kind: int, number: bytes, records: bytes) -> bytes:
    """Return records in the frame of a transaction, so that few inputs end at the frame."""
    return (len(records) + 7).to_bytes(2, "little") + bytes((kind,)) + number + records + number


def _check_requests(data: bytes) -> None:
    try:
        number, requests = decode_requests(data)
    except TableError:
        return
    # The length field of a full read is not kept, and may be missing: it says nothing.
    if requests and not any(isinstance(one, Read) for one in requests):
        assert encode_requests(number, requests) == data


def _check_responses(data: bytes, number: int) -> None:
    try:
        found = decode_responses(data, number, _QUESTIONS)
    except TableError:
        return
    assert encode_responses(number, _QUESTIONS, found, _ROOM)[3:] == data[3:]


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but TableError, if the invariant does not hold for ``data``."""
    number, records = data[:2].ljust(2, b"\0"), data[2:]
    told = int.from_bytes(number, "little")
    for image in (data, *(_whole(kind, number, records) for kind in range(4))):
        _check_requests(image)
        _check_responses(image, told)


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
