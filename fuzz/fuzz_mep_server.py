"""Whatever arrives whenever, the meter's end carries out nothing but a request signed with its key and answers in frames.

python fuzz/fuzz_mep_server.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.key import MeterKey
from osgp.mep.digest import KeySchedule, digest
from osgp.mep.frame import SHORTEST_RESPONSE, Frame, FrameReader, encode_frame
from osgp.mep.server import Access, MepServer
from osgp.psem import Request, Response

_KEY = MeterKey(b"Sixteen secrets!")
_SCHEDULE = KeySchedule(_KEY.secret)


def check(data: bytes) -> None:
    """Raise if the invariant does not hold.

    The first byte of each piece of ``data`` says whether the piece comes as it is or framed and signed.
    """
    carried_out: list[Request] = []

    def handler(request: Request, access: Access) -> Response:
        carried_out.append(request)
        return Response(access, bytes(len(data)))

    server = MepServer({Access.BASIC: _KEY}, handler, sequence=0)
    now, signed = 0.0, 0
    for place in range(0, len(data), 24):
        piece = data[place : place + 24]
        kind, body = piece[0], piece[1:]
        now += (kind >> 2) / 100
        if kind & 1:
            signed += 1
            message = body + (server.sequence + (kind >> 1 & 1)).to_bytes(4, "big")
            body = encode_frame(message, digest(_SCHEDULE, message))
        server.expire(now)
        server.receive(body, now)
        server.alert(bool(kind & 2), now)
        reader = FrameReader(SHORTEST_RESPONSE)
        while (deadline := server.deadline()) is not None and deadline <= now + 0.1:
            server.expire(deadline)
        for item in reader.feed(b"".join(segment for segment, _ in server.take())):
            assert not isinstance(item, Frame) or len(item.content) > SHORTEST_RESPONSE
        assert not reader.pending
        assert len(carried_out) <= signed


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
