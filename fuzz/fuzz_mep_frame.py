"""Any bytes in any chunks, floods apart, are cut into the same frames, decoded to what encodes back, or CorruptFrame.

python fuzz/fuzz_mep_frame.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import CorruptFrame
from osgp.mep.frame import (
    MOST_ITEMS,
    SHORTEST_RESPONSE,
    Frame,
    FrameReader,
    Item,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from osgp.mep.timing import MAX_FRAME
from osgp.psem import PartialRead, PartialWrite, Read, Request, ResponseCode, Write

_QUESTIONS: tuple[Request, ...] = (Read(23), PartialRead(23, 0, 4), Write(7, b"x"), PartialWrite(7, 0, b"x"))


def _check_request(body: bytes) -> None:
    try:
        request = decode_request(body)
    except CorruptFrame:
        return
    encoded = encode_request(request)
    # The length field of a full read is not kept: it says nothing.
    assert encoded == body or (isinstance(request, Read) and encoded[:3] == body[:3])


def _check_response(body: bytes) -> None:
    for question in _QUESTIONS:
        try:
            response = decode_response(body, question)
        except CorruptFrame:
            continue
        assert encode_response(question, response) == body
        if isinstance(question, PartialRead) and response.code == ResponseCode.OK:
            assert len(response.data) == question.count


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but CorruptFrame, if the invariant does not hold for ``data``."""
    whole = FrameReader(SHORTEST_RESPONSE)
    items = whole.feed(data)
    chunked = FrameReader(SHORTEST_RESPONSE)
    size = (data[-1] & 15) + 1 if data else 1
    pieces: list[Item] = []
    for start in range(0, len(data), size):
        pieces += chunked.feed(data[start : start + size])
    if len(items) > MOST_ITEMS:  # a flood in one chunk is one on purpose, whatever it would be in smaller ones
        assert whole.lost
    else:
        assert pieces == items
        assert chunked.lost == whole.lost
        assert chunked.pending == whole.pending
    for item in items:
        if isinstance(item, Frame):
            assert SHORTEST_RESPONSE <= len(item.content) <= MAX_FRAME
            _check_request(item.content)
            _check_response(item.content)
    _check_request(data)
    _check_response(data)


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
