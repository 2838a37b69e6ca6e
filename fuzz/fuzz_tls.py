"""Whatever the other side of a TLS session says, both ends give what was sealed for them, or an error of ours, and never anything else.

python fuzz/fuzz_tls.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import MisuseError
from osgp.key import MeterKey
from osgp.mep.events import RequestFailed, ResponseReceived
from osgp.mep.server import Access, MepServer
from osgp.mep.tls.alerts import TlsFault
from osgp.mep.tls.handshake import ClientHandshake, ServerHandshake
from osgp.mep.tls.identity import Identity, KeyId
from osgp.mep.tls_client import TlsClient
from osgp.mep.tls_server import TlsRule
from osgp.psem import PartialRead, Request, Response

_KEY = MeterKey(b"Sixteen secrets!")
_IDENTITY = Identity(KeyId.BASIC)
_READ = PartialRead(23, 0, 8)
_TRUE = b"the data"
_LONGEST = 476


def _random(size: int) -> bytes:
    return bytes(range(size))


def _damaged(flight: bytes, data: bytes) -> bytes:
    """Return a flight after what ``data`` says was done to it: each four bytes say what, where, and with which byte."""
    out = bytearray(flight)
    for at in range(0, len(data) - 3, 4):
        place, byte = int.from_bytes(data[at + 1 : at + 3], "big") % (len(out) + 1), data[at + 3]
        match data[at] % 5:
            case 0:
                out[place : place + 1] = bytes((byte,))
            case 1:
                out.insert(place, byte)
            case 2:
                del out[place : place + 1 + byte]
            case 3:
                out[place:place] = out[: byte + 1]
            case _:
                pass
    return bytes(out[:_LONGEST])


def _between_handshakes(data: bytes) -> None:
    """Two ends shake hands; the flight that the first byte names is damaged by the rest."""
    client = ClientHandshake(_KEY.secret, _IDENTITY, _random)
    meter = ServerHandshake({_IDENTITY: _KEY.secret}.get, _random)
    which, rest = data[0] % 6, data[1:]

    def pass_on(number: int, flight: bytes) -> bytes:
        return _damaged(flight, rest) if number == which else flight

    try:
        greeting = meter.take(pass_on(0, client.first_flight()))
        proof = client.take(pass_on(1, greeting))
        meter_proof = meter.take(pass_on(2, proof))
        client.take(pass_on(3, meter_proof))
        if client.session is None or meter.session is None:
            return
        asked = pass_on(4, client.session.seal(b"question"))
        assert meter.session.open(asked) == b"question"
        told = pass_on(5, meter.session.seal(_TRUE))
        assert client.session.open(told) == _TRUE
    except TlsFault:
        pass
    except MisuseError:
        # A handshake that was over was gone on with.
        assert meter.session is None or client.session is None


def _between_links(data: bytes) -> None:
    """The same at the ends of a line; each frame of the meter is damaged by its part of ``data``."""
    server = MepServer({Access.BASIC: _KEY}, _answer, tls=TlsRule.REQUIRED, random=_random)
    client = TlsClient(_KEY, random=_random)
    client.request(_READ, 0.0)
    now, ends = 0.0, 0
    for place in range(0, 40, 4):
        now += 1.0
        server.receive(client.bytes_to_send(), now)
        server.expire(now + 0.1)
        said = b"".join(segment for segment, _ in server.take())
        part = data[place : place + 4]
        events = list(client.receive(_damaged(said, part) if said else part, now + 0.2))
        now += 3.0
        events += client.expire(now)
        for event in events:
            ends += isinstance(event, ResponseReceived | RequestFailed)
            assert not isinstance(event, ResponseReceived) or event.response == Response(0, _TRUE)
        if not client.busy:
            break
    assert ends <= 1


def _answer(request: Request, access: Access) -> Response:
    assert request == _READ
    assert access is Access.BASIC
    return Response(0, _TRUE)


def check(data: bytes) -> None:
    """Raise if the invariant does not hold.

    The first byte says where: bytes as they are to each end of a handshake, a handshake with one damaged flight, or a line.
    """
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    if kind == 0:
        meter = ServerHandshake({_IDENTITY: _KEY.secret}.get, _random)
        client = ClientHandshake(_KEY.secret, _IDENTITY, _random)
        client.first_flight()
        for end in (meter, client):
            try:
                end.take(rest[:_LONGEST])
            except TlsFault:
                assert end.session is None
        server = MepServer({Access.BASIC: _KEY}, _answer, tls=TlsRule.REQUIRED, random=_random)
        server.receive(rest, 0.0)
    elif kind == 1 and rest:
        _between_handshakes(rest)
    else:
        _between_links(rest)


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
