"""Packets: printed and real ones, any chunking, any damage, any noise around them."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import CorruptFrame, MisuseError
from osgp.optical.datalink.packet import NAK, Noise, Packet, PacketReader, Signal, Spoiled, crc, split_message
from osgp.optical.services import Identify, Logoff, Negotiate, Terminate, decode_response, encode_service
from osgp.optical.timing import LARGEST_PACKET, Limits
from osgp.psem import PartialRead, Read

GOLDEN = {
    "Identify": (Packet(encode_service(Identify())), "EE 00 00 00 00 01 20 13 10"),
    "Identify, toggle 1": (Packet(encode_service(Identify()), toggle=True), "EE 00 20 00 00 01 20 82 70"),
    "Terminate": (Packet(encode_service(Terminate())), "EE 00 00 00 00 01 21 9A 01"),
    "Logoff, toggle 1": (Packet(encode_service(Logoff()), toggle=True), "EE 00 20 00 00 01 52 17 20"),
    "Read BT23": (Packet(encode_service(Read(23))), "EE 00 00 00 00 03 30 00 17 E2 78"),
    "bare ok": (Packet(b"\0"), "EE 00 00 00 00 01 00 11 31"),
    "part of BT28": (
        Packet(encode_service(PartialRead(28, 0, 40))),
        "EE 00 00 00 00 08 3F 00 1C 00 00 00 00 28 94 D5",
    ),
    "Negotiate": (
        Packet(encode_service(Negotiate(Limits(64, 1), (9600,)))),
        "EE 00 00 00 00 05 61 00 40 01 06 75 3F",
    ),
}

# Echelon/NES 83331-3I or 83334-3I, Denmark; public unit test of the openHAB binding smartmeterosgp
# (Suncrusher/openhab-addons, EPL-2.0); data only.
BT00 = [
    "ee00c001003800004f022a88454c4f4e0200ff0c01000a0d020c0904ffb5f15f021df4f0cf07fffffff8ffffff7ffcef03040270f4ffffffffbffe7b1f008ab5",
    "ee00a000001b000000e6808001020460000002ffe6c6380e89bc73b863010202cd3782",
]
BT28 = "ee000000002c000028ef000000000000001400000000000000" + "74020000ba01000038010000679403006e960300c29a03002f96c3"


@pytest.mark.parametrize("name", GOLDEN)
def test_07_01_golden_packets(name):
    packet, printed = GOLDEN[name]
    assert packet.encode() == bytes.fromhex(printed)
    assert Packet.decode(bytes.fromhex(printed)) == packet


def test_07_01_crc_check_value():
    assert crc(b"123456789") == bytes.fromhex("6e90")


@given(st.binary())
def test_07_01_crc_is_x25(data):
    """Against the definition, bit by bit; and the residue over data and CRC is F0B8."""
    value = 0xFFFF
    for byte in data + crc(data):
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    assert value == 0xF0B8


def test_packets_of_a_real_meter():
    reader = PacketReader()
    items = reader.feed(b"".join(map(bytes.fromhex, (*BT00, BT28))))
    assert [(item.multi, item.first, item.toggle, item.to_come) for item in items] == [
        (True, True, False, 1),
        (True, False, True, 0),
        (False, False, False, 0),
    ]
    config = decode_response(items[0].data + items[1].data, Read(0)).data
    assert len(config) == 79
    assert config[3:7] == b"ELON"
    present = decode_response(items[2].data, PartialRead(28, 0, 40)).data
    assert [int.from_bytes(present[at : at + 4], "little") for at in range(0, 40, 4)] == [
        239, 0, 20, 0, 628, 442, 312, 234599, 235118, 236226,
    ]  # fmt: skip


packets = st.builds(
    lambda data, toggle, multi, first, to_come, identity: Packet(
        data, toggle, multi, first and multi, to_come if multi else 0, identity
    ),
    st.binary(min_size=1, max_size=56),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 255),
    st.integers(0, 255),
)


@given(packets)
def test_07_01_packets_round_trip(packet):
    assert Packet.decode(packet.encode()) == packet


def cut(data, places):
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


def merged(items):
    """Neighbouring noise is one: where it is cut depends on the chunks."""
    out = []
    for item in items:
        if isinstance(item, Noise) and out and isinstance(out[-1], Noise):
            out[-1] = Noise(out[-1].data + item.data)
        else:
            out.append(item)
    return out


stream = st.lists(
    st.one_of(
        packets.map(Packet.encode),
        st.binary(max_size=20),
        st.sampled_from(
            [b"\x06", b"\x15", b"\xee", b"\0\0", bytes.fromhex("0014ee0017000000002c77635b9113db85a135a0575e")]
        ),
        packets.map(lambda packet: packet.encode()[:-1]),
    ),
    max_size=8,
).map(b"".join)


@given(stream, st.lists(st.integers(0, 1000)))
def test_any_chunking_reads_the_same(data, places):
    whole, pieces = PacketReader(), PacketReader()
    expected = whole.feed(data)
    items = [item for piece in cut(data, places) for item in pieces.feed(piece)]
    assert merged(items) == merged(expected)
    assert merged(pieces.give_up()) == merged(whole.give_up())
    assert not pieces.pending


@given(st.lists(st.binary(max_size=60)), packets)
@settings(max_examples=60)
def test_07_05_a_packet_is_found_behind_any_noise(noise, packet):
    """At once, or when the packet that the noise seemed to begin did not end."""
    reader = PacketReader()
    for piece in noise:
        reader.feed(piece)
    items = reader.feed(packet.encode()) + reader.give_up()
    found = [item for item in items if isinstance(item, Packet)]
    assert packet in found


def test_07_05_mep_alerts_and_frames_around_a_packet():
    alert, frame = b"\0\0", bytes.fromhex("00370000ee00000000000a28000000ee99adDCB82C3D417F91")
    packet = Packet(b"\0")
    items = PacketReader().feed(alert + packet.encode() + frame + alert)
    assert [item for item in items if isinstance(item, Packet | Signal)] == [packet]


def test_signals_inside_a_spoiled_packet_are_none():
    damaged = bytearray(Packet(bytes((0x06, NAK, 0x06))).encode())
    damaged[-1] ^= 1
    assert [type(item) for item in PacketReader().feed(bytes(damaged))] == [Spoiled, Noise]
    reader = PacketReader()
    assert reader.feed(bytes(damaged[:8])) == []
    assert [type(item) for item in reader.give_up()] == [Spoiled, Noise]


@pytest.mark.parametrize(
    "header",
    [
        "EE 00 00 00 00 00",
        "EE 00 00 00 00 39",
        "EE 00 00 01 00 01",
        "EE 00 40 00 00 01",
        "EE 00 01 00 00 01",
        "EE 00 10 00 00 01",
    ],
    ids=["zero length", "oversize", "sequence without several", "first of none", "another data format", "reserved bit"],
)
def test_07_09_impossible_headers_are_no_packets(header):
    reader = PacketReader(64)
    body = bytes.fromhex(header)
    items = reader.feed(body + bytes(body[5]) + crc(body + bytes(body[5])))
    assert not [item for item in items if isinstance(item, Packet)]
    assert not reader.pending
    with pytest.raises(CorruptFrame):
        Packet.decode(bytes.fromhex("EE 00 00 00 00 00"))


@given(st.binary(max_size=300))
def test_decode_reads_or_raises_the_protocol_error(data):
    with suppress(CorruptFrame):
        assert Packet.decode(data).encode() == data


@given(st.binary(min_size=1, max_size=300), st.integers(1, 56), st.booleans())
def test_messages_are_cut_and_joined(message, payload, toggle):
    parts = split_message(message, payload, toggle=toggle)
    assert b"".join(part.data for part in parts) == message
    assert [part.to_come for part in parts] == list(range(len(parts) - 1, -1, -1)) if len(parts) > 1 else [0]
    assert [part.first for part in parts] == ([True] + [False] * (len(parts) - 1) if len(parts) > 1 else [False])
    assert [part.toggle for part in parts] == [toggle ^ bool(number % 2) for number in range(len(parts))]


def test_the_reader_keeps_no_more_than_a_packet():
    reader = PacketReader(LARGEST_PACKET)
    for _ in range(50):
        reader.feed(bytes.fromhex("EE 00 00 00 1F F8") + b"\xee\0\0\0" * 500)
        assert len(reader._buffer) <= LARGEST_PACKET


def test_impossible_packets_cannot_be_made():
    for wrong in (
        {"data": b""},
        {"data": b"x", "to_come": 1},
        {"data": b"x", "first": True},
        {"data": b"x", "multi": True, "to_come": 256},
    ):
        with pytest.raises(MisuseError):
            Packet(**wrong)


@pytest.mark.parametrize("data", [b"\x20\x21", b""], ids=["longer", "shorter"])
def test_bytes_that_are_longer_or_shorter_than_they_say_are_no_packet(data):
    """Each ends with the right CRC; only the length, which says one byte, is not its own."""
    body = bytes.fromhex("EE 00 00 00 00 01") + data
    with pytest.raises(CorruptFrame):
        Packet.decode(body + crc(body))
