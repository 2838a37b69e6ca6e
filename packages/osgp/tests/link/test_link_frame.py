"""Bytes to services and back; frames in any chunks; nothing but CorruptFrame for nonsense."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import CorruptFrame
from osgp.mep.frame import (
    SHORTEST_REQUEST,
    SHORTEST_RESPONSE,
    Alert,
    Frame,
    FrameReader,
    Garbage,
    decode_request,
    decode_response,
    encode_frame,
    encode_request,
    encode_response,
)
from osgp.mep.timing import MAX_FRAME, MAX_READ
from osgp.psem import PartialRead, PartialWrite, Read, Response, Write

tables = st.integers(0, 0xFFFF)
offsets = st.integers(0, 0xFFFFFF)
data = st.binary(max_size=456)
requests = st.one_of(
    st.builds(Read, tables),
    st.builds(PartialRead, tables, offsets, st.integers(0, 0xFFFF)),
    st.builds(Write, tables, data),
    st.builds(PartialWrite, tables, offsets, data),
)


@given(requests)
def test_requests_survive_the_round_trip(request):
    assert decode_request(encode_request(request)) == request


@given(st.binary(max_size=60))
def test_a_request_body_is_decoded_or_refused(body):
    try:
        request = decode_request(body)
    except CorruptFrame:
        return
    # The length field of a full read is not kept: it says nothing (MEP guide v1.1 p. 12).
    assert encode_request(request)[:3] == body[:3]
    assert encode_request(request)[5:] == body[5:]


@given(st.binary(min_size=1, max_size=MAX_READ))
def test_read_responses_survive_the_round_trip(content):
    for request in (Read(23), PartialRead(23, 5, len(content))):
        body = encode_response(request, Response(0, content))
        assert decode_response(body, request) == Response(0, content)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 0x0A, 0x0B, 0x77])
def test_error_codes_stand_alone(code):
    request = PartialRead(23, 0, 4)
    assert decode_response(bytes((code,)), request) == Response(code)
    with pytest.raises(CorruptFrame):
        decode_response(bytes((code, 0)), request)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (PartialRead(23, 0, 4), ""),
        (PartialRead(23, 0, 4), "00"),
        (PartialRead(23, 0, 4), "0000"),
        (PartialRead(23, 0, 4), "000000"),
        (PartialRead(23, 0, 0), "000000"),
        (Read(23), "000000"),
        (PartialRead(23, 0, 4), "000003010203"),
        (PartialRead(23, 0, 4), "00000501020304"),
        (PartialRead(23, 0, 4), "000004010203"),
        (PartialRead(23, 0, 4), "0000040102030400"),
        (PartialRead(23, 0, 4), "00000501020304ff"),
        (Write(7, b"x"), "0000"),
        (PartialWrite(7, 0, b"x"), "000000"),
        (Write(7, b"x"), "0c010203"),
        (Read(7), "0c0102030405"),
    ],
)
def test_answers_that_do_not_fit_the_question_are_refused(request_, body):
    with pytest.raises(CorruptFrame):
        decode_response(bytes.fromhex(body), request_)


@given(st.binary(max_size=40), requests)
def test_a_response_body_is_decoded_or_refused(body, request):
    try:
        response = decode_response(body, request)
    except CorruptFrame:
        return
    assert response.code == body[0]
    assert body.endswith(response.data)


frames = st.binary(min_size=SHORTEST_REQUEST, max_size=MAX_FRAME)


@given(st.lists(st.one_of(frames, st.none()), max_size=6), st.lists(st.integers(1, 40), min_size=1))
@settings(max_examples=60)
def test_frames_and_alerts_come_out_whatever_the_chunks(contents, sizes):
    stream = b"".join(b"\0\0" if content is None else encode_frame(content) for content in contents)
    reader = FrameReader(SHORTEST_RESPONSE)
    items, place, turn = [], 0, 0
    while place < len(stream):
        size = sizes[turn % len(sizes)]
        items += reader.feed(stream[place : place + size])
        place, turn = place + size, turn + 1
    assert items == [Alert() if content is None else Frame(content) for content in contents]
    assert not reader.pending


@pytest.mark.parametrize(
    "body",
    ["", "30", "3000170200 00", "3f0017000000", "400007", "40000700020a", "4f0007000000", "4f0007000000 0002 0a"],
)
def test_requests_cut_short_or_too_long_are_refused(body):
    with pytest.raises(CorruptFrame):
        decode_request(bytes.fromhex(body))


@pytest.mark.parametrize("length", [MAX_FRAME + 1, 0x1234, 0xFFFF])
def test_an_impossible_length_drops_everything_until_reset(length):
    reader = FrameReader(SHORTEST_RESPONSE)
    assert reader.feed(length.to_bytes(2, "big") + encode_frame(b"a frame")) == [Garbage()]
    assert reader.lost
    assert reader.feed(encode_frame(b"another")) == []
    reader.reset()
    assert reader.feed(encode_frame(b"another")) == [Frame(b"another")]


def test_frames_shorter_than_any_request_are_garbage():
    assert FrameReader(SHORTEST_REQUEST).feed(encode_frame(bytes(SHORTEST_REQUEST - 1))) == [Garbage()]


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_any_bytes_give_items_and_never_an_error(chunks):
    reader = FrameReader(SHORTEST_RESPONSE)
    for chunk in chunks:
        for item in reader.feed(chunk):
            if isinstance(item, Frame):
                assert SHORTEST_RESPONSE <= len(item.content) <= MAX_FRAME
        assert len(reader._buffer) < MAX_FRAME + 2
