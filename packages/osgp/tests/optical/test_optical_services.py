"""Services: each code both ways, and against frames another program makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import CorruptFrame, MisuseError
from osgp.optical.datalink.packet import Packet
from osgp.optical.services import (
    BAUD_CODES,
    Grant,
    Identify,
    Identity,
    Logoff,
    Logon,
    Negotiate,
    OpticalResponseCode,
    Security,
    Terminate,
    Wait,
    checksum,
    decode_grant,
    decode_identity,
    decode_response,
    decode_service,
    encode_grant,
    encode_identity,
    encode_response,
    encode_service,
)
from osgp.optical.timing import LARGEST_PACKET, Limits
from osgp.psem import PartialRead, PartialWrite, Read, Response, Write

tables = st.integers(0, 0xFFFF)
some_data = st.binary(max_size=200)
limits = st.builds(Limits, st.integers(9, LARGEST_PACKET), st.integers(1, 255))
services = st.one_of(
    st.just(Identify()),
    st.just(Terminate()),
    st.just(Logoff()),
    st.builds(Wait, st.integers(0, 255)),
    st.builds(Logon, tables, st.text("abc0", max_size=10).map(str.encode)),
    st.builds(Security, st.binary(min_size=20, max_size=20)),
    st.builds(Negotiate, limits, st.lists(st.sampled_from(sorted(BAUD_CODES.values())), max_size=11).map(tuple)),
    st.builds(Read, tables),
    st.builds(PartialRead, tables, st.integers(0, 0xFFFFFF), tables),
    st.builds(Write, tables, some_data),
    st.builds(PartialWrite, tables, st.integers(0, 0xFFFFFF), some_data),
)

# Built with Termineter 1.0.6, c1218.data, one packet each with toggle 0.
TERMINETER = [
    (Identify(), "ee0000000001201310"),
    (Terminate(), "ee0000000001219a01"),
    (Logoff(), "ee0000000001528640"),
    (Logon(2, b"0000"), "ee000000000d50000230303030202020202020549e"),
    (Security(b"0123456789abcdefghij"), "ee000000001551303132333435363738396162636465666768696a806d"),
    (Security(b"short".ljust(20, b"\0")), "ee00000000155173686f72740000000000000000000000000000000f5a"),
    (Negotiate(Limits(512, 2), (9600,)), "ee000000000561020002061d2a"),
    (Wait(10), "ee0000000002700abb41"),
    (Read(2051), "ee000000000330080387e0"),
    (PartialRead(23, 0, 8), "ee00000000083f00170000000008b3d9"),
    (PartialRead(26, 70000, 300), "ee00000000083f001a011170012c14c6"),
    (Write(7, b"\x03\x00\xba\x00"), "ee000000000a40000700040300ba00431264"),
    (PartialWrite(2059, 3, b"\xaa\xbb\xcc"), "ee000000000c4f080b0000030003aabbcccf6b0c"),
]


@pytest.mark.parametrize(("service", "frame"), TERMINETER, ids=lambda value: type(value).__name__)
def test_07_03_frames_another_program_makes(service, frame):
    assert Packet(encode_service(service)).encode() == bytes.fromhex(frame)
    assert decode_service(Packet.decode(bytes.fromhex(frame)).data) == service


@given(services)
def test_07_01_requests_round_trip(service):
    assert decode_service(encode_service(service)) == service


@given(st.binary(max_size=40))
def test_07_01_requests_are_read_or_refused(message):
    try:
        service = decode_service(message)
    except CorruptFrame:
        return
    assert decode_service(encode_service(service)) == service


@given(services, st.binary(max_size=60))
def test_07_01_answers_are_read_or_refused(service, message):
    try:
        response = decode_response(message, service)
    except CorruptFrame:
        return
    assert isinstance(service, Negotiate) or encode_response(service, response) == message


@given(some_data)
def test_07_01_checksum_makes_the_sum_zero(data):
    assert (sum(data) + checksum(data)[0]) % 256 == 0


def test_07_01_checksum_examples():
    assert checksum(bytes((1, 2, 3))) == b"\xfa"
    assert checksum(b"") == b"\0"


@given(some_data, st.integers(0, 7), st.data())
def test_a_changed_bit_in_table_data_is_noticed(data, bit, draw):
    message = bytearray(encode_response(Read(1), Response(0, data)))
    message[draw.draw(st.integers(1, len(message) - 1))] ^= 1 << bit
    with pytest.raises(CorruptFrame):
        decode_response(bytes(message), Read(1))


@pytest.mark.parametrize("code", [code for code in OpticalResponseCode if code])
def test_refusals_stand_alone(code):
    assert decode_response(bytes((code,)), Read(1)) == Response(code)
    with pytest.raises(CorruptFrame):
        decode_response(bytes((code, 0)), Read(1))


@pytest.mark.parametrize("code", [0x0B, 0x0C, 0xFF])
def test_codes_of_the_mep_port_mean_nothing_here(code):
    with pytest.raises(CorruptFrame):
        decode_response(bytes((code,)), Read(1))


def test_a_partial_read_gets_what_it_asked_for():
    answer = encode_response(PartialRead(1, 0, 4), Response(0, b"1234"))
    assert decode_response(answer, PartialRead(1, 0, 4)).data == b"1234"
    with pytest.raises(CorruptFrame):
        decode_response(answer, PartialRead(1, 0, 5))


def test_identity_and_grant_round_trip():
    identity = Identity(0, 1, 0, b"\x04\x01")
    assert decode_identity(encode_identity(identity)) == identity
    grant = Grant(Limits(128, 4), 19200)
    assert decode_grant(encode_grant(grant), Negotiate(Limits(512, 16))) == grant


def test_a_meter_grants_no_more_than_was_asked():
    assert decode_grant(encode_grant(Grant(Limits(1024, 40), None)), Negotiate(Limits(512, 16))).limits == Limits(
        512, 16
    )


@pytest.mark.parametrize("data", ["", "00", "0001", "09010000", "00010001", "000028ef"])
def test_left_over_answers_are_no_identity(data):
    with pytest.raises(CorruptFrame):
        decode_identity(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["", "004001", "000501" + "06", "00400006", "0040010F", "004001060600"])
def test_impossible_grants(data):
    with pytest.raises(CorruptFrame):
        decode_grant(bytes.fromhex(data), Negotiate(Limits(512, 16)))


def test_limits_of_reads_and_writes():
    """(P-8)N-4, -6 and -9; before Negotiate 52 table bytes."""
    assert (Limits().read, Limits().full_write, Limits().partial_write) == (52, 50, 47)
    assert Limits(128, 4).read == 476
    for size in (52, 476):
        held = Limits() if size == 52 else Limits(128, 4)
        assert len(encode_response(Read(1), Response(0, bytes(size)))) == held.message
        assert len(encode_service(Write(1, bytes(held.full_write)))) == held.message
        assert len(encode_service(PartialWrite(1, 0, bytes(held.partial_write)))) == held.message


def test_impossible_services_cannot_be_made():
    for make in (
        lambda: Security(b"short"),
        lambda: Logon(1, b"a name too long"),
        lambda: Logon(0x10000),
        lambda: Wait(256),
        lambda: Negotiate(Limits(), (9601,)),
        lambda: Limits(8, 1),
        lambda: Limits(64, 0),
    ):
        with pytest.raises(MisuseError):
            make()


def test_a_password_is_in_no_repr():
    assert "secret" not in repr(Security(b"a secret of 20 bytes"))
