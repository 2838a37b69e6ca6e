"""Tables taken apart, pasted hex, typed values and wire traces: nothing is lost, nothing secret is shown."""

import importlib.util
import random
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_tls_session import CLIENT_PROOF, GREETING, HELLO, REPLY, REQUEST, SERVER_PROOF
from told import FURTHER, told

from osgp.cli.text.table_text import table_document, table_lines
from osgp.dissector.frames import MepWire, OpticalWire
from osgp.dissector.pasted_hex import hex_bytes
from osgp.dissector.privacy import blanked, secret_windows
from osgp.dissector.table_parts import dissect
from osgp.dissector.titles import _TITLES, title
from osgp.dissector.values import bits_from_text, from_text, to_json, to_text, typed_bytes
from osgp.errors import MisuseError
from osgp.optical.datalink.packet import Packet
from osgp.optical.services import Identify, Security, encode_service
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions
from osgp.tables.schema.table import Bits, Field
from osgp.tables.schema.types import ANSI_DATE, DATE, LTIME_DATE, TIME, Type, char
from osgp.tables.status.alarms import BT03, alarm_words

GEN4 = told(
    firmware=(4, 30),
    summations=19,
    tiers=8,
    present_values=84,
    mep_devices=6,
    mep_clients=2,
    module_records_size=42,
    logs=replace(FURTHER["logs"], one_time_read_size=696, demand_resets=1, demand_reset_size=695),
)
FUZZ = Path(__file__).parents[4] / "fuzz" / "fuzz_hex.py"


@pytest.mark.parametrize("dims", [told(), GEN4], ids=["gen3", "gen4"])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_byte_is_shown_once_or_secret(table, dims):
    chance = random.Random(table.id)
    size = table.size(dims)
    for length in {size + 5, size, size // 2, 1, 0}:
        data = bytes(chance.choice([0, 0, 1, 3, 65, 255]) for _ in range(length))
        parts = dissect(table, data, dims)
        covered = [place for part in parts for place in range(part.offset, part.offset + part.size)]
        assert set(covered) == set(range(length))
        for part in parts:
            assert part.kind == "secret" or part.raw == data[part.offset : part.offset + part.size]
        values = {part.name: part.value for part in parts if part.name}
        for name, value in table.decode(data, dims).items():
            if name in values:
                assert values[name] == value
        document = table_document(table.name, data, dims)
        assert len(document["fields"]) == len(values)
        assert len(table_lines(table.name, data, dims)) > 0


@settings(max_examples=30)
@given(key=st.binary(min_size=32, max_size=32).filter(lambda key: len(set(key)) > 20), entry=st.integers(0, 3))
def test_an_mbus_key_is_never_shown(key, entry):
    data = bytearray(330)
    data[66 * entry + 30 : 66 * entry + 62] = key
    shown = str(table_document("ET13", bytes(data), Dimensions())) + "\n".join(
        table_lines("ET13", bytes(data), Dimensions())
    )
    for start in range(0, 32, 4):
        piece = key[start : start + 4]
        if any(piece):
            assert piece.hex() not in shown
            assert piece.hex(" ") not in shown
    assert not any(blanked(table_id("ET13"), bytes(data), Dimensions()))


def test_secret_tables_are_secret_from_end_to_end():
    assert secret_windows(table_id("BT42"), Dimensions())[0][0] == 0
    assert blanked(table_id("BT42"), b"password", Dimensions()) == bytes(8)
    assert table_document("BT42", b"password", Dimensions())["hex"] is None
    assert b"password".hex(" ") not in "".join(table_lines("BT42", b"password", Dimensions()))


def test_every_title_is_of_a_table():
    assert all(table_id(name) >= 0 for name in _TITLES)
    assert title("BT23") == "Current Register Data"
    assert title("ET22") == ""


def test_alarms_are_words_and_states_are_not():
    record = BT03.decode(bytes.fromhex("01 00 10 00 10 00 00 00 00 01"), Dimensions())
    assert [alarm_words(name) for name, on in record.items() if on] == [
        None, "Cover removed", "Phase loss", "Relay 2 open",
    ]  # fmt: skip
    assert alarm_words("nvm_failure") == "Memory failure"


@pytest.mark.parametrize(
    "text",
    ["5eb8ec03", "5e b8 ec 03", "0x5e, 0xb8, 0xec, 0x03", "{0x5E,0xB8,0xEC,0x03}", "5e:b8\nec-03", r"\x5e\xb8\xec\x03"],
)
def test_hex_is_read_as_people_paste_it(text):
    assert hex_bytes(text) == bytes.fromhex("5eb8ec03")


@pytest.mark.parametrize("text", ["5", "5e b", "hello", "5e ø", "0x", "1 23"])
def test_what_is_no_hex_is_an_error_or_nothing(text):
    if text == "0x":
        assert hex_bytes(text) == b""
        return
    with pytest.raises(MisuseError, match="hex digit"):
        hex_bytes(text)


def test_the_fuzz_target_of_pasted_text_keeps_its_invariant():
    spec = importlib.util.spec_from_file_location("fuzz_hex_under_test", FUZZ)
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random("hex")
    pieces = [b"5e", b" ", b"0x", b"\n", b",", b"1,A,1,aa", b"BT23", b'{"tables": {', b'"hex": "', b'"', b"}", b"\xff"]
    for _ in range(300):
        target.check(b"".join(chance.choices(pieces, k=chance.randrange(14))))
        target.check(chance.randbytes(chance.randrange(80)))


def test_values_as_json_and_text():
    assert to_json({"a": (1, b"\x01", frozenset({2, 1}), None, date(2026, 1, 2), True)}) == {
        "a": [1, "01", [1, 2], None, "2026-01-02", True]
    }
    assert to_text(frozenset({0, 1, 2, 7})) == "0-2 7"
    assert to_text(frozenset()) == "none"
    assert to_text(None) == "no date"
    assert to_text((3, 82, 5)) == "3.82.5"
    assert to_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"
    with pytest.raises(TypeError):
        to_json(object())


@pytest.mark.parametrize("table", [table for table in TABLES.values() if not table.own_counts], ids=lambda t: t.name)
def test_what_is_shown_can_be_typed_back(table):
    data = random.Random(table.id).randbytes(table.size(told()))
    record = table.decode(data, told())
    for part in table.fields:
        if isinstance(part, Bits) and part.has_place(told()):
            for bit in part.bits:
                assert bits_from_text(bit, to_text(record[bit.name])) == record[bit.name]
        elif isinstance(part, Field) and part.count is None and isinstance(part.type, Type) and part.name in record:
            value = record[part.name]
            if isinstance(value, int | bytes) and not isinstance(value, bool):
                assert from_text(part.type, to_text(value)) == value


def test_dates_are_typed_in_iso():
    assert from_text(LTIME_DATE, "2026-11-22T18:30:00") == datetime(2026, 11, 22, 18, 30)  # noqa: DTZ001
    assert from_text(TIME, "02:00") == time(2)
    assert from_text(DATE, "2026-11-22") == from_text(ANSI_DATE, "2026-11-22") == date(2026, 11, 22)
    assert from_text(char(8), "Hej") == "Hej"


def test_parameters_are_least_significant_byte_first():
    assert typed_bytes("u16:0x0102") == b"\x02\x01"
    assert typed_bytes("u24:1") == b"\x01\0\0"
    assert typed_bytes("i32:-1") == b"\xff" * 4
    assert typed_bytes("text:ab") == b"ab"


def test_an_encrypted_request_shows_nothing():
    [passed] = MepWire().pass_on(bytes((0, 24)) + bytes(range(200, 224)), sent=True)
    assert passed.meaning == "encrypted request of 24 bytes"
    assert passed.shown == "********"


def test_mep_alerts_refusals_and_noise_have_words():
    wire = MepWire()
    told = [
        wire.pass_on(data, sent=False)[0].meaning
        for data in (b"\0\0", b"\0\x09\x0b" + bytes(8), b"\0\x0d\x0c\x01\x02\x03\x04" + bytes(8), b"\xff\xff\x01")
    ]
    assert told == [
        "alert: the meter has news in ET13",
        "authentication failure",
        "wrong number, wants 01020304",
        "3 bytes that begin no frame",
    ]


def test_frames_in_tls_mode_are_named_and_what_is_sealed_is_not_shown():
    """The guide's printed session (MEP guide v1.1 p. 14-15)."""
    wire = MepWire()
    frames = (HELLO, GREETING, CLIENT_PROOF, SERVER_PROOF, REQUEST, REPLY, bytes.fromhex("00025700"), b"\0\x01\0")
    passed = [each for turn, frame in enumerate(frames) for each in wire.pass_on(frame, sent=turn % 2 == 0)]
    assert [each.meaning for each in passed] == [
        "TLS handshake: ClientHello",
        "TLS handshake: ServerHello, ServerHelloDone",
        "TLS handshake, continued: ClientKeyExchange (client 100, advanced key), ChangeCipherSpec, Finished, sealed",
        "TLS handshake: ChangeCipherSpec, Finished, sealed",
        "request in TLS: 32 bytes, sealed",
        "response in TLS: 28 bytes, sealed",
        "end of the TLS session",
        "ok",
    ]
    for frame, each in zip(frames, passed, strict=True):
        bare = each.shown.replace(" ", "").replace("|", "")
        clear = bare.removesuffix("*" * 8)
        assert frame.hex().startswith(clear)
        assert (clear != frame.hex()) == ("sealed" in each.meaning), "all of it but what is sealed"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "TLS error"),
        (3, "invalid identity or key"),
        (10, "no TLS session is open"),
        (11, "wrong digest: no TLS here"),
        (0x77, "code 77"),
    ],
)
def test_what_a_meter_says_to_a_hello_is_named(code, words):
    wire = MepWire()
    wire.pass_on(HELLO, sent=True)
    [passed] = wire.pass_on(bytes((0, 1, code)), sent=False)
    assert passed.meaning.startswith(f"refused: {words}")


def test_after_tls_rc4_is_named_again():
    wire = MepWire()
    wire.pass_on(HELLO, sent=True)
    wire.pass_on(bytes((0, 24)) + bytes(range(200, 224)), sent=True)
    [passed] = wire.pass_on(b"\0\x01\x0b", sent=False)
    assert passed.meaning == "authentication failure"


@pytest.mark.parametrize("place", range(3, 60, 7))
@pytest.mark.parametrize("frame", [HELLO, CLIENT_PROOF, REQUEST])
def test_damaged_tls_is_named_without_an_error(frame, place):
    damaged = bytearray(frame)
    damaged[place % len(frame)] ^= 0xFF
    for sent in (True, False):
        wire = MepWire()
        wire.pass_on(HELLO, sent=True)
        wire.pass_on(bytes(damaged), sent=sent)


def test_the_key_is_hidden_even_when_the_probe_hears_itself():
    password = b"Rk5?nHc8_gY1uJ6oEa0f"
    packet = Packet(encode_service(Security(password))).encode()
    for split in range(1, len(packet)):
        wire = OpticalWire()
        shown = wire.pass_on(Packet(encode_service(Identify())).encode(), sent=True)
        shown += wire.pass_on(packet, sent=True)
        shown += wire.pass_on(packet[:split], sent=False)
        shown += wire.pass_on(packet[split:], sent=False)
        shown += wire.pass_on(b"\x00" + packet[9:], sent=False)
        text = " ".join(passed.shown + passed.meaning for passed in shown)
        assert password[:4].hex(" ") not in text
        assert password[-4:].hex(" ") not in text


@given(st.lists(st.tuples(st.binary(max_size=60), st.booleans()), max_size=8))
def test_any_bytes_can_pass(chunks):
    for wire in (MepWire(), OpticalWire()):
        for data, sent in chunks:
            for passed in wire.pass_on(data, sent=sent):
                assert passed.meaning
