"""Frames as people post them (R9): decoded, or named for what they are."""

import contextlib
import json
import random
import shutil
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import told

from osgp.dissector.captures import messages
from osgp.dissector.pasted_hex import hex_bytes, posted_bytes
from osgp.dissector.table_parts import dissect
from osgp.errors import MisuseError
from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.frame import encode_frame
from osgp.mep.server import Access, MepServer
from osgp.optical.datalink.packet import Packet, split_message
from osgp.optical.services import Identify, Security, encode_response, encode_service
from osgp.psem import PartialRead, PartialWrite, Read, Response, Write
from osgp.tables import TABLES, Dimensions

CLOCK = bytes.fromhex("0402100f3b3700")
DIGEST = bytes(range(0xA1, 0xA9))
NUMBER = (7).to_bytes(4, "big")
POSTED = "00 11 00 00 06 04 02 10 0f 3b 37"
PRESENT = b"".join(value.to_bytes(4, "little") for value in (1939, 0, 12, 8, *range(1000, 1051)))
MOMENT = "2004-02-16 15:59:55"


def reply(data):
    return encode_frame(b"\0", len(data).to_bytes(2, "big"), data, DIGEST)


def request(body):
    return encode_frame(bytes.fromhex(body), NUMBER, DIGEST)


def packets(service, data=None, *, payload=64, toggle=False):
    message = encode_service(service) if data is None else encode_response(service, Response(0, data))
    return b"".join(packet.encode() + b"\x06" for packet in split_message(message, payload, toggle=toggle))


FRAMES = {
    "reply": reply(CLOCK[:6]),
    "reply of the whole table": reply(CLOCK),
    "request and reply": request("3f 0034 000000 0006") + reply(CLOCK[:6]),
    "full read and reply": request("30 0034 0200") + reply(CLOCK),
    "full read without length": request("30 0034") + reply(CLOCK),
    "alerts between": b"\0\0" + request("30 0034") + b"\0\0\0\0" + reply(CLOCK),
    "digest left out": reply(CLOCK)[:-8],
    "digest cut off": reply(CLOCK)[:-3],
    "length left out": reply(CLOCK)[2:],
    "length and digest left out": reply(CLOCK)[2:-8],
    "optical reply": packets(PartialRead(52, 0, 6), CLOCK[:6]),
    "optical request and reply": packets(Read(52)) + packets(Read(52), CLOCK, toggle=True),
    "optical ACK first": b"\x06" + packets(Read(52), CLOCK),
    "optical reply cut off": packets(Read(52), CLOCK)[:-4],
    "optical reply in pieces": packets(Read(52), CLOCK, payload=4),
    "optical packet said twice": packets(Read(52), CLOCK) * 2,
    "optical message without its packet": encode_response(Read(52), Response(0, CLOCK)),
}

SPELLINGS = {
    "blanks": lambda data: data.hex(" "),
    "in one go": bytes.hex,
    "capitals": lambda data: data.hex(" ").upper(),
    "0x": lambda data: ", ".join(map("0x{:02x}".format, data)),
    "a C array": lambda data: "{" + ",".join(map("0x{:02X}".format, data)) + "}",
    "colons": lambda data: data.hex(":"),
    "lines": lambda data: "\n".join(data[at : at + 8].hex(" ") for at in range(0, len(data), 8)),
    "a hex dump": lambda data: dump(data, "{:08x}  {}  |{}|\n", last=True),
    "xxd": lambda data: dump(data, "{:08x}: {}  {}\n", group=2),
    "wireshark": lambda data: dump(data, "{:04x}   {}   {}\n") if len(data) > 16 else data.hex(" "),
    "a log": lambda data: f"15:59:55.123 -> {data.hex(' ')}",
    "a label": lambda data: f"RX: {data.hex(' ')}",
    "a count": lambda data: f"Received {len(data)} bytes: {data.hex(' ')}",
    "a log of an ESP": lambda data: f"I (12345) MEP: {data.hex(' ')}",
    "a log of ESPHome": lambda data: f"[15:59:55][D][osgp:123]: RX {data.hex('.')} ({len(data)})",
    "python's bytes": repr,
    "a log of python": lambda data: f"received: {data!r}",
    "a declaration": lambda data: f"const uint8_t reply[] = {{{', '.join(map('0x{:02X}'.format, data))}}};",
}


def dump(data, form, *, group=1, last=False):
    """Return a hex dump as the usual programs make it."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 32 < byte < 127 else "." for byte in row)
        lines.append(form.format(at, row.hex(" ", -group).ljust(16 * 2 + 16 // group - 1), shown))
    return "".join(lines) + (f"{len(data):08x}\n" if last else "")


def test_r9_a_whole_frame_gives_the_time_in_it(osgp):
    ended = osgp("decode", "BT52", f"{POSTED} {DIGEST.hex(' ')}")
    assert ended.code == 0
    assert MOMENT in ended.out
    assert "no date" not in ended.out
    assert MOMENT in osgp("decode", "BT52", POSTED).out


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("frames", FRAMES.values(), ids=FRAMES)
def test_r9_frames_of_both_ports_in_every_spelling(osgp, frames, spelling):
    ended = osgp("decode", "BT52", "-", typed=spelling(frames))
    assert ended.code == 0, ended.err
    assert MOMENT in ended.out


def test_r9_a_real_frame_of_present_values(osgp):
    ended = osgp("decode", "BT28", "--json", (request("30 001c") + reply(PRESENT)).hex())
    values = {part.get("source"): part["value"] for part in json.loads(ended.out)["tables"][0]["fields"]}
    assert values["active_power_import"] == 1939


@pytest.mark.parametrize("name", ["request and reply", "full read without length", "optical request and reply"])
def test_r9_a_request_says_which_table_it_is(osgp, name):
    ended = osgp("decode", FRAMES[name].hex(" "))
    assert MOMENT in ended.out
    assert "read BT52" in ended.out
    assert ended.err == ""
    assert MOMENT in osgp("decode", "-", typed=FRAMES[name].hex(" ")).out


def test_r9_a_request_says_where_the_bytes_belong(osgp):
    posted = request("3f 001c 00000c 0008") + reply(PRESENT[12:20])
    document = json.loads(osgp("decode", "--json", posted.hex()).out)
    assert [message["meaning"] for message in document["messages"]] == ["read BT28, 8 bytes from 12", "reply: 8 bytes"]
    assert document["tables"][0]["offset"] == 12
    assert [field["offset"] for field in document["tables"][0]["fields"]] == [12, 16]
    assert "(8 bytes from 12," in osgp("decode", posted.hex(" ")).out


def test_r9_bytes_written_are_decoded_too(osgp):
    posted = request("4f 0835 000000 0002 0102")
    assert "write ET53, 2 bytes from 0" in osgp("decode", posted.hex(" ")).out
    assert MOMENT in osgp("decode", packets(Write(52, CLOCK)).hex(" ")).out
    assert MOMENT in osgp("decode", packets(PartialWrite(52, 0, CLOCK)).hex(" ")).out


def test_r9_our_own_trace_can_be_posted(osgp, denmark, keys):
    for port, key in ((denmark.mep, keys.mep), (denmark.optical, keys.optical)):
        traced = osgp("trace", "BT52", "-p", port, key=key).out
        ended = osgp("decode", "BT52", "-", typed=traced)
        assert ended.code == 0, ended.err
        assert "2026-11-22 08:30:05" in ended.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("BT52", "0000ff"), 0, "part of a field"),
        ((reply(CLOCK).hex(),), 2, "does not say what it answers"),
        (("BT23", FRAMES["request and reply"].hex()), 2, "these frames are about BT52, not about BT23"),
        (("BT52", encode_frame(b"\x0b", bytes(8)).hex()), 0, "reply: authentication failure"),
        (("BT52", encode_frame(b"\x0c", NUMBER, DIGEST).hex()), 0, "wrong sequence number, the meter wants 00000007"),
        (("BT52", encode_frame(bytes(range(0x90, 0xB0)), DIGEST).hex()), 2, "encrypted or damaged"),
        (("BT52", packets(Read(52), CLOCK)[:-3].hex() + "ffff06"), 2, "its CRC is wrong"),
        (("BT52", packets(Identify()).hex()), 0, "optical, identify"),
        (("5eb8ec03",), 2, "do not say which table"),
        (("no-such-file.json",), 2, "cannot read the dump"),
        (("BT52", "hello"), 2, "no hex digit"),
    ],
)  # fmt: skip
def test_r9_everything_else_is_named(osgp, words, code, told):
    ended = osgp("decode", *words)
    assert (ended.code, told in ended.out + ended.err) == (code, True), ended


def test_r9_a_packet_with_a_wrong_byte_is_named():
    raw = bytearray(Packet(encode_response(Read(52), Response(0, CLOCK))).encode())
    raw[9] ^= 1
    with pytest.raises(MisuseError, match="CRC is wrong"):
        messages(bytes(raw))
    pieces = [
        packet.encode() for packet in split_message(encode_response(Read(52), Response(0, CLOCK)), 4, toggle=False)
    ]
    with pytest.raises(MisuseError, match="is missing"):
        messages(pieces[0] + pieces[2])


def test_r9_a_password_is_passed_over():
    password = b"Rk5?nHc8_gY1uJ6oEa0f"
    (said,) = messages(Packet(encode_service(Security(password))).encode())
    assert said.meaning == "show the key"
    assert "Rk5" not in repr(said)


@pytest.mark.parametrize("table", [table for table in TABLES.values() if not table.own_counts], ids=lambda t: t.name)
def test_bytes_of_a_table_stay_bytes_of_a_table(table):
    chance = random.Random(table.id)
    size = table.size(told())
    for _ in range(200):
        data = bytes(chance.choice((0, 0, 0, 1, size % 256, chance.randrange(256))) for _ in range(size))
        assert messages(data, size) == []


@given(st.binary(max_size=60))
def test_any_bytes_are_messages_or_none_or_a_named_error(data):
    with contextlib.suppress(MisuseError):
        assert all(message.meaning for message in messages(data))


@given(st.binary(min_size=1, max_size=100))
def test_what_our_own_ends_say_is_found(data):
    key = MeterKey(bytes(16))
    server = MepServer({Access.BASIC: key}, lambda *_: Response(0, data), sequence=0)
    client = MepClient(key, first_sequence=1)
    client.request(PartialRead(23, 5, len(data)), 0.0)
    sent = client.bytes_to_send()
    server.receive(sent, 0.0)
    server.expire(1.0)
    answered = b"".join(piece for piece, _ in server.take())
    asked, answer = messages(sent + answered)
    assert (asked.table, asked.offset, asked.sent) == (23, 5, True)
    assert (answer.table, answer.offset, answer.data) == (23, 5, data)


def test_a_field_that_is_not_wholly_there_is_no_value():
    parts = dissect(TABLES["BT52"], CLOCK[2:5], Dimensions(), 2)
    assert [(part.offset, part.raw, part.kind) for part in parts] == [(2, CLOCK[2:5], "cut")]
    parts = dissect(TABLES["BT52"], CLOCK[2:], Dimensions(), 2)
    assert (parts[0].offset, parts[0].raw, parts[0].kind) == (2, CLOCK[2:6], "cut")
    assert parts[1].name == "weekday"


@pytest.mark.parametrize("command", ["xxd", "xxd -g1", "xxd -p", "hexdump -C", "od -A x -t x1"])
def test_r9_dumps_of_the_programs_themselves(command, tmp_path):
    words = command.split()
    if shutil.which(words[0]) is None:
        assert words[0] in ("xxd", "hexdump")
        return
    data = bytes(range(30, 75))
    for size in (5, 16, 20, 45):
        (tmp_path / "data").write_bytes(data[:size])
        text = subprocess.run([*words, tmp_path / "data"], capture_output=True, text=True, check=True).stdout
        assert posted_bytes(text) == data[:size]


def test_a_row_of_a_dump_without_bytes_is_no_dump():
    assert posted_bytes("00000000: | |") == bytes(4)


def test_long_lines_are_read_in_time_that_grows_with_them():
    began = time.process_time()
    for text in ("g:" * 100_000, "( " * 100_000, "b'" * 100_000, "1" * 200_000 + " (", "g" + "x:" * 100_000):
        with contextlib.suppress(MisuseError):
            posted_bytes(text)
    assert time.process_time() - began < 30


def test_r9_words_in_the_order_of_a_computer_are_named():
    with pytest.raises(MisuseError, match="hexdump -C"):
        posted_bytes(
            "0000000 1100 0000 0406 1002 3b0f 0037 0000 0000\n0000010 1100 0000 0406 1002 3b0f 0037 0000 0000\n0000020\n"
        )


def test_what_is_written_to_a_meter_is_read_more_strictly():
    with pytest.raises(MisuseError):
        hex_bytes("RX: 00 11")
