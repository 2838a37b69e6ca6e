"""Frames as RFC 6455 prints them (section 5.7), long ones, and what no server sends."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.outputs.homeassistant import frames
from nes2mqtt.outputs.homeassistant.frames import Decoder, Opcode, WebSocketError, accept_of, encode, is_accepted


def test_the_handshake_of_the_rfc():
    key = "dGhlIHNhbXBsZSBub25jZQ=="  # section 1.3
    assert accept_of(key) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
    assert is_accepted(head % accept_of(key).encode(), key)
    assert not is_accepted(head % b"another", key)
    assert not is_accepted(head.replace(b"101", b"200") % accept_of(key).encode(), key)


def test_hello_of_the_rfc():
    assert encode(Opcode.TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert list(Decoder().feed(bytes.fromhex("810548656c6c6f"))) == [(Opcode.TEXT, b"Hello")]
    parts = bytes.fromhex("010348656c") + bytes.fromhex("890548656c6c6f") + bytes.fromhex("80026c6f")
    assert list(Decoder().feed(parts)) == [(Opcode.PING, b"Hello"), (Opcode.TEXT, b"Hello")]


@given(st.lists(st.integers(0, 70_000), max_size=4), st.integers(1, 3000))
def test_messages_of_any_length_come_whole_however_they_are_cut(sizes, cut):
    sent = b""
    for size in sizes:
        length = bytes((size,)) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65_536 else b""
        sent += b"\x81" + (length or b"\x7f" + size.to_bytes(8, "big")) + bytes(size)
    decoder = Decoder()
    found = [one for at in range(0, len(sent), cut) for one in decoder.feed(sent[at : at + cut])]
    assert found == [(Opcode.TEXT, bytes(size)) for size in sizes]


@pytest.mark.parametrize(
    "data", ["8180aaaaaaaa", "c100", "8300", "0900", "897e0080", "8000", "01000100", "817f7fffffffffffffff"]
)
def test_what_no_server_sends_is_refused(data):
    with pytest.raises(WebSocketError):
        list(Decoder().feed(bytes.fromhex(data) + bytes(200)))


def test_a_message_in_many_parts_has_a_limit(monkeypatch):
    monkeypatch.setattr(frames, "MOST_BYTES", 100)
    with pytest.raises(WebSocketError):
        list(Decoder().feed(b"\x01\x3c" + bytes(60) + b"\x80\x3c" + bytes(60)))


@given(st.binary(max_size=300))
def test_any_bytes_are_messages_or_our_error(data):
    with contextlib.suppress(WebSocketError):
        list(Decoder().feed(data))
