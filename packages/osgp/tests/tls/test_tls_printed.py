"""The printed TLS session replays bit by bit, at both ends (mep-guide acceptance 5 and 6; MEP guide v1.1 p. 14-15)."""

import pytest
from printed_tls_session import (
    CLIENT_PROOF,
    CLIENT_RANDOM,
    GREETING,
    HELLO,
    PSK,
    REPLY,
    REPLY_INSIDE,
    REQUEST,
    REQUEST_INSIDE,
    SERVER_PROOF,
    SERVER_RANDOM,
    SESSION_ID,
    flight,
    printed_random,
)

from osgp.mep.frame import decode_request, decode_response
from osgp.mep.tls.alerts import TlsFault
from osgp.mep.tls.handshake import ClientHandshake, ServerHandshake
from osgp.mep.tls.identity import Identity, KeyId
from osgp.psem import PartialRead, Response

IDENTITY = Identity(KeyId.ADVANCED, 100)


def client():
    return ClientHandshake(PSK, IDENTITY, printed_random(CLIENT_RANDOM))


def server(keys=None):
    return ServerHandshake((keys or {IDENTITY: PSK}).get, printed_random(SERVER_RANDOM, SESSION_ID))


def test_the_lengths_before_the_printed_messages_are_theirs():
    for frame in (HELLO, GREETING, CLIENT_PROOF, SERVER_PROOF, REQUEST, REPLY):
        assert int.from_bytes(frame[:2], "big") == len(frame) - 2


def test_client_says_what_the_guide_prints():
    ours = client()
    assert ours.first_flight() == flight(HELLO)
    assert ours.take(flight(GREETING)) == flight(CLIENT_PROOF)
    unopened = ours.session
    assert unopened is None
    assert ours.take(flight(SERVER_PROOF)) == b""
    assert ours.session.seal(REQUEST_INSIDE) == flight(REQUEST)
    assert ours.session.open(flight(REPLY)) == REPLY_INSIDE


def test_meter_says_what_the_guide_prints():
    meter = server()
    assert meter.take(flight(HELLO)) == flight(GREETING)
    assert meter.take(flight(CLIENT_PROOF)) == flight(SERVER_PROOF)
    assert meter.session.identity == IDENTITY
    assert meter.session.open(flight(REQUEST)) == REQUEST_INSIDE
    assert meter.session.seal(REPLY_INSIDE) == flight(REPLY)


def test_what_is_inside_is_the_bare_request_and_its_answer():
    request = decode_request(REQUEST_INSIDE)
    assert request == PartialRead(2048 + 70, 142, 1)
    assert decode_response(REPLY_INSIDE, request) == Response(0, b"\x02")


@pytest.mark.parametrize(
    ("identity", "data"),
    [
        (Identity(KeyId.ADVANCED, 100), "640001"),
        (Identity(KeyId.BASIC, 100), "640000"),
        (Identity(KeyId.BASIC, 0), "000000"),
        (Identity(KeyId.ADVANCED, 0x80C8), "C88001"),
    ],
)
def test_identity_is_three_raw_bytes(identity, data):
    assert identity.encode() == bytes.fromhex(data)
    assert Identity.decode(bytes.fromhex(data)) == identity
    hello = ClientHandshake(PSK, identity, printed_random(CLIENT_RANDOM))
    hello.first_flight()
    assert bytes.fromhex(f"1603030009 10000005 0003{data}") in hello.take(flight(GREETING))


@pytest.mark.parametrize("data", ["", "6400", "640002", "64000100", "6400FF"])
def test_other_identities_are_refused(data):
    with pytest.raises(TlsFault):
        Identity.decode(bytes.fromhex(data))
