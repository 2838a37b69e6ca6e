"""What may not follow the end of a handshake, at both ends."""

import pytest

from osgp.mep.tls.alerts import TlsFault
from osgp.mep.tls.handshake import ClientHandshake, ServerHandshake
from osgp.mep.tls.identity import Identity, KeyId
from osgp.mep.tls.records import ContentType, encode_record

KEY, IDENTITY = b"Sixteen secrets!", Identity(KeyId.BASIC)
FINISHED = bytes((20, 0, 0, 12)) + bytes(12)
EXTRA = {
    "the same flight once more": lambda flight, end: flight,
    "a message in clear": lambda flight, end: encode_record(ContentType.APPLICATION_DATA, b"data"),
    "an alert in clear": lambda flight, end: encode_record(ContentType.ALERT, b"\x01\x00"),
    "a handshake in clear": lambda flight, end: encode_record(ContentType.HANDSHAKE, FINISHED),
    "a sealed message": lambda flight, end: end._sealing.seal(ContentType.APPLICATION_DATA, b"data"),
    "a sealed alert": lambda flight, end: end._sealing.seal(ContentType.ALERT, b"\x01\x00"),
    "a sealed handshake": lambda flight, end: end._sealing.seal(ContentType.HANDSHAKE, FINISHED),
}


@pytest.mark.parametrize("extra", EXTRA.values(), ids=EXTRA)
@pytest.mark.parametrize("at_meter", [False, True], ids=["at the client", "at the meter"])
def test_nothing_follows_finished_in_its_flight(at_meter, extra):
    random = bytes
    client = ClientHandshake(KEY, IDENTITY, random)
    meter = ServerHandshake({IDENTITY: KEY}.get, random)
    proof = client.take(meter.take(client.first_flight()))
    if at_meter:
        take, flight = meter.take, proof + extra(proof, client)
    else:
        answer = meter.take(proof)
        take, flight = client.take, answer + extra(answer, meter)
    with pytest.raises(TlsFault):
        take(flight)
    assert (meter if at_meter else client).session is None
