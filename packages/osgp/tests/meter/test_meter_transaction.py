"""Transactions: acceptance test 8 of the guide's digest by name, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import MisuseError, TableError
from osgp.meter.clients.messages import (
    decode_requests,
    decode_responses,
    encode_requests,
    encode_responses,
    transaction_head,
)
from osgp.psem import PartialRead, PartialWrite, Read, Response, table_id
from osgp.tables import TABLES, survey

SIX = [
    PartialRead(table_id(name), offset, count)
    for name, offset, count in (
        *(("ET11", 0, 10), ("BT20", 0, 10), ("BT21", 0, 10)),
        *(("ET04", 55, 1), ("ET14", 0, 12), ("ET15", 0, 31)),
    )
]
"""What the guide's example asks for (p. 45-47)."""
ET52_OF_SIX = bytes.fromhex(
    "43 00 00 01 00"
    "08 00 3F 08 0B 00 00 00 00 0A"
    "08 00 3F 00 14 00 00 00 00 0A"
    "08 00 3F 00 15 00 00 00 00 0A"
    "08 00 3F 08 04 00 00 37 00 01"
    "08 00 3F 08 0E 00 00 00 00 0C"
    "08 00 3F 08 0F 00 00 00 00 1F"
    "01 00"
)
"""As printed on p. 46."""
ET52_OF_ONE = bytes.fromhex("11 00 00 02 00 08 00 3F 00 17 00 00 00 00 2C 02 00")
"""As printed on p. 44-45."""
ET53_OF_SIX = bytes.fromhex(
    "6F 00 01 01 00"
    "0D 00 00 00 0A 05 42 24 05 06 05 02 01 03 F9"
    "0D 00 00 00 0A 3F 0E FD 0F 08 10 01 04 08 1A"
    "0D 00 00 00 0A 3F 0E 0C 0F 08 00 01 04 08 1A"
    "04 00 00 00 01 04"
    "0F 00 00 00 0C 00 00 00 00 00 11 01 00 01 04 2F 00"
    "22 00 00 00 1F 00 42 00 01 00 02 01 45 00 01 00 02 01 48 00 01 00 02 01 03 00 F8 03 02 01 4B 00 01 00 02 01"
    "01 00"
)
"""As printed on p. 48-49."""


class TestAcceptance8:
    """Build the 67-byte and the 17-byte image of ET52 bit by bit; take apart the 111 bytes of ET53."""

    def test_the_request_of_six_reads_is_the_printed_one(self):
        assert len(ET52_OF_SIX) == 67
        assert encode_requests(1, SIX) == ET52_OF_SIX

    def test_the_request_of_one_read_is_the_printed_one(self):
        assert len(ET52_OF_ONE) == 17
        assert encode_requests(2, [PartialRead(table_id("BT23"), 0, 44)]) == ET52_OF_ONE

    def test_both_say_what_they_ask_for(self):
        assert decode_requests(ET52_OF_SIX) == (1, tuple(SIX))
        assert decode_requests(ET52_OF_ONE) == (2, (PartialRead(table_id("BT23"), 0, 44),))

    def test_the_answers_are_those_that_the_guide_explains(self):
        assert len(ET53_OF_SIX) == 111
        head = transaction_head(ET53_OF_SIX)
        assert head is not None
        assert (head.size, head.number, head.answers) == (111, 1, True)
        found = decode_responses(ET53_OF_SIX, 1, SIX)
        assert [(one.code, len(one.data)) for one in found] == [(0, 10), (0, 10), (0, 10), (0, 1), (0, 12), (0, 31)]
        et11, bt20, bt21, et04, et14, et15 = (one.data for one in found)
        dims = survey({"BT20": bt20, "BT21": bt21})
        assert (dims.self_reads, dims.summations, dims.demands, dims.tiers, dims.present_values) == (12, 15, 8, 4, 26)
        assert TABLES["BT23"].size(dims) == 1 + 5 * (60 + 8 * 17) == 981
        assert et11 == bytes((5, 66, 36, 5, 6)) + (517).to_bytes(2, "little") + (769).to_bytes(2, "little") + b"\xf9"
        assert (bt20[2], et04[0], et14[5]) == (253, 4, 0x11)
        state = TABLES["ET14"].decode(et14.ljust(TABLES["ET14"].size(dims), b"\0"), dims)["devices"][0]
        assert (state["handle"], state["status"], state["baud_rate"], state["billing_read_length"]) == (1, 1, 4, 47)
        asked = TABLES["ET15"].decode(et15.ljust(TABLES["ET15"].size(dims), b"\0"), dims)["requests"]
        assert [one["transaction"] for one in asked] == [0x42, 0x45, 0x48, 0x03, 0x4B]
        assert [one["handle"] for one in asked] == [1, 1, 1, 0x03F8, 1]

    def test_the_meters_side_makes_the_same_bytes(self):
        found = decode_responses(ET53_OF_SIX, 1, SIX)
        assert encode_responses(1, SIX, found, 1785) == ET53_OF_SIX


@pytest.mark.parametrize(("room", "fit"), [(58, 4), (57, 3), (7, 0)])
def test_answers_for_which_there_is_no_room_are_missing_and_said_to_be(room, fit):
    """Three answers take 15 bytes each, the fourth 6, and the frame of all 7."""
    found = decode_responses(ET53_OF_SIX, 1, SIX)
    image = encode_responses(1, SIX, found, room)
    assert image[2] == 2
    assert len(image) <= room
    assert decode_responses(image, 1, SIX) == found[:fit]


def test_a_refusal_is_an_answer():
    asked = [PartialRead(23, 0, 4), Read(2099), PartialWrite(2098, 0, b"\1")]
    answers = (Response(3), Response(0, b"abc"), Response(0))
    assert decode_responses(encode_responses(9, asked, answers, 500), 9, asked) == answers


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (ET53_OF_SIX[:-1], "no transaction"),
        (ET53_OF_SIX + b"\0", "no transaction"),
        (ET52_OF_SIX, "no transaction of this kind"),
        (ET53_OF_SIX[:-2] + b"\2\0", "does not end with the number"),
        (ET53_OF_SIX[:3] + b"\7\0" + ET53_OF_SIX[5:-2] + b"\7\0", "answers to transaction 7, where 6 to 1"),
        (bytes.fromhex("07 00 01 01 00 01 00"), "0 answers to transaction 1, where 6"),
        (bytes.fromhex("08 00 01 01 00 05 01 00"), "ends within the length"),
        (bytes.fromhex("0A 00 01 01 00 00 00 00 01 00"), "a message of 0 bytes"),
        (bytes.fromhex("0A 00 01 01 00 04 00 00 01 00"), "a message of 4 bytes where 1"),
        (ET53_OF_SIX[:9] + b"\x0b" + ET53_OF_SIX[10:], "does not fit its request"),
        (b"\7\0", "begins with 5 bytes"),
    ],
)
def test_what_are_no_answers_is_refused(image, why):
    with pytest.raises(TableError, match=why):
        decode_responses(image, 1, SIX)


def test_what_is_no_request_is_refused():
    with pytest.raises(TableError, match="no request"):
        decode_requests(bytes.fromhex("0A 00 00 01 00 01 00 99 01 00"))
    with pytest.raises(TableError, match="no transaction"):
        decode_requests(ET53_OF_SIX)


def test_a_table_that_holds_none_yet_has_no_head():
    assert transaction_head(bytes(769)) is None


@pytest.mark.parametrize(("number", "requests"), [(1, []), (-1, SIX), (65536, SIX)])
def test_what_cannot_be_asked(number, requests):
    with pytest.raises(MisuseError, match="16 bits"):
        encode_requests(number, requests)


def test_more_than_two_bytes_can_count_cannot_be_asked():
    with pytest.raises(MisuseError, match="at most 65535"):
        encode_requests(1, [PartialRead(23, 0, 44)] * 6553)


@given(data=st.binary(max_size=120), number=st.integers(0, 65535))
def test_any_bytes_are_answers_or_none(data, number):
    for read in (decode_requests, lambda image: decode_responses(image, number, SIX)):
        try:
            read(data)
        except TableError:
            continue


@given(
    number=st.integers(0, 65535),
    requests=st.lists(
        st.one_of(
            st.builds(Read, st.integers(0, 65535)),
            st.builds(PartialRead, st.integers(0, 65535), st.integers(0, 2**24 - 1), st.integers(0, 65535)),
            st.builds(PartialWrite, st.integers(0, 65535), st.integers(0, 2**24 - 1), st.binary(max_size=40)),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_what_is_asked_is_what_the_meter_reads(number, requests):
    assert decode_requests(encode_requests(number, requests)) == (number, tuple(requests))
