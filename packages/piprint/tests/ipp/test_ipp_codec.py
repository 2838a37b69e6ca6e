"""The encoding of RFC 8010: packets by hand, packets of real printers, and any packet at all."""

import importlib.util
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piprint.ipp.codec import (
    MOST_PARTS,
    Attribute,
    Group,
    Localized,
    MalformedIpp,
    Message,
    Range,
    Resolution,
    Value,
    attribute,
    decode,
    encode,
)
from piprint.ipp.registry import Delimiter, Operation, Tag

ANSWERS = sorted((Path(__file__).parent / "answers").glob("*.ipp"))
HEADER = bytes.fromhex("02 00 000B 00000001")

# RFC 8010, appendix A.1: Print-Job request, octet by octet (its printer-uri and job-name).
PRINT_JOB = (
    bytes.fromhex("0101 0002 00000001 01")
    + b"\x47\x00\x12attributes-charset\x00\x05utf-8"
    + b"\x48\x00\x1battributes-natural-language\x00\x05en-us"
    + b"\x45\x00\x0bprinter-uri\x00\x2cipp://printer.example.com/ipp/print/pinetree"
    + b"\x42\x00\x08job-name\x00\x06foobar"
    + b"\x22\x00\x16ipp-attribute-fidelity\x00\x01\x01"
    + b"\x02"
    + b"\x21\x00\x06copies\x00\x04\x00\x00\x00\x14"
    + b"\x44\x00\x05sides\x00\x13two-sided-long-edge"
    + b"\x03"
)
PRINT_JOB_READ = Message(
    Operation.PRINT_JOB,
    1,
    (
        Group(
            Delimiter.OPERATION,
            (
                attribute("attributes-charset", Tag.CHARSET, "utf-8"),
                attribute("attributes-natural-language", Tag.NATURAL_LANGUAGE, "en-us"),
                attribute("printer-uri", Tag.URI, "ipp://printer.example.com/ipp/print/pinetree"),
                attribute("job-name", Tag.NAME, "foobar"),
                attribute("ipp-attribute-fidelity", Tag.BOOLEAN, True),
            ),
        ),
        Group(
            Delimiter.JOB,
            (
                attribute("copies", Tag.INTEGER, 20),
                attribute("sides", Tag.KEYWORD, "two-sided-long-edge"),
            ),
        ),
    ),
    (1, 1),
)

VALUES = [
    (Tag.INTEGER, -1, "ffffffff"),
    (Tag.ENUM, 4, "00000004"),
    (Tag.BOOLEAN, False, "00"),
    (Tag.OCTET_STRING, b"\x00\xff", "00ff"),
    (Tag.RANGE, Range(1, 9999), "00000001 0000270f"),
    (Tag.RESOLUTION, Resolution(600, 1200, 3), "00000258 000004b0 03"),
    # RFC 2579, DateAndTime: its own example, Tuesday May 26, 1992 at 1:30:15 PM EDT
    (
        Tag.DATE_TIME,
        datetime(1992, 5, 26, 13, 30, 15, tzinfo=timezone(timedelta(hours=-4))),
        "07c8 05 1a 0d 1e 0f 00 2d 04 00",
    ),
    (Tag.TEXT_WITH_LANGUAGE, Localized("da", "kø"), "0002 6461 0003 6bc3b8"),
    (Tag.NAME_WITH_LANGUAGE, Localized("", ""), "0000 0000"),
    (Tag.TEXT, "æ", "c3a6"),
    (Tag.MIME_MEDIA_TYPE, "a/b", "612f62"),
    (Tag.NO_VALUE, None, ""),
    (Tag.UNKNOWN, None, ""),
    (0x7F, b"\x00\x00\x00\x80x", "0000008078"),  # the extension tag: a vendor's own syntax
    (0x60, b"abc", "616263"),
]

DOES_NOT_FIT = [
    (Tag.INTEGER, "000001"),
    (Tag.BOOLEAN, "02"),
    (Tag.DATE_TIME, "07c8 0d 1a 0d 1e 0f 00 2d 04 00"),  # month 13
    (Tag.DATE_TIME, "07c8 05 1a 0d 1e 3c 00 2b 00 00"),  # a leap second
    (Tag.DATE_TIME, "07c8 05 1a 0d 1e 0f 00 2b ff 00"),  # 255 hours off UTC
    (Tag.DATE_TIME, "07c8 05 1a 0d 1e 0f 00 2a 00 00"),  # neither + nor -
    (Tag.RESOLUTION, "00"),
    (Tag.RANGE, "00000001"),
    (Tag.TEXT, "e6"),  # Latin-1
    (Tag.TEXT_WITH_LANGUAGE, "0002 64"),
    (Tag.TEXT_WITH_LANGUAGE, "0000 0000 00"),
    (Tag.NO_VALUE, "00"),
]

BROKEN = {
    "empty": b"",
    "seven bytes": HEADER[:7],
    "no end tag": HEADER,
    "no end tag after a group": HEADER + b"\x01",
    "a value tag where a group begins": HEADER + b"\x21\x00\x01a\x00\x00\x03",
    "tag 0": HEADER + b"\x00\x03",
    "a name longer than the rest": HEADER + b"\x01\x21\x00\x09copies\x03",
    "a value longer than the rest": HEADER + b"\x01\x21\x00\x01a\x7f\xff\x00\x03",
    "a negative length": HEADER + b"\x01\x21\x00\x01a\x80\x00" + bytes(0x8000) + b"\x03",
    "a second value without a first": HEADER + b"\x01\x21\x00\x00\x00\x04\x00\x00\x00\x01\x03",
    "a name that is not UTF-8": HEADER + b"\x01\x21\x00\x01\xe6\x00\x04\x00\x00\x00\x01\x03",
    "the end of a collection that did not begin": HEADER + b"\x01\x37\x00\x01a\x00\x00\x03",
    "a member outside of a collection": HEADER + b"\x01\x4a\x00\x01a\x00\x01b\x03",
    "a collection without an end": HEADER + b"\x01\x34\x00\x01a\x00\x00\x03",
    "a collection that ends with the bytes": HEADER + b"\x01\x34\x00\x01a\x00\x00",
    "a member without a value": HEADER + b"\x01\x34\x00\x01a\x00\x00\x4a\x00\x00\x00\x01b\x37\x00\x00\x00\x00\x03",
    "a member without a name": HEADER
    + b"\x01\x34\x00\x01a\x00\x00\x4a\x00\x00\x00\x00\x21\x00\x00\x00\x00\x37\x00\x00\x00\x00\x03",
    "a value before its member": HEADER + b"\x01\x34\x00\x01a\x00\x00\x21\x00\x00\x00\x00\x37\x00\x00\x00\x00\x03",
    "a named value in a collection": HEADER
    + b"\x01\x34\x00\x01a\x00\x00\x4a\x00\x00\x00\x01b\x21\x00\x01c\x00\x00\x03",
    "collections without end in each other": HEADER
    + b"\x01\x34\x00\x01a\x00\x00"
    + b"\x4a\x00\x00\x00\x01b\x34\x00\x00\x00\x00" * 5000,
}


def test_the_example_of_the_standard_is_read_and_written():
    assert decode(PRINT_JOB + b"%!PDF") == (PRINT_JOB_READ, len(PRINT_JOB))
    assert encode(PRINT_JOB_READ) == PRINT_JOB


@pytest.mark.parametrize(("tag", "data", "raw"), VALUES)
def test_values_are_read_and_written(tag, data, raw):
    message = Message(Operation.GET_JOBS, 7, (Group(Delimiter.JOB, (attribute("a", tag, data),)),))
    packet = encode(message)
    length = len(bytes.fromhex(raw)).to_bytes(2, "big")
    assert packet.endswith(bytes([tag]) + b"\x00\x01a" + length + bytes.fromhex(raw) + b"\x03")
    assert decode(packet) == (message, len(packet))


@pytest.mark.parametrize(("tag", "raw"), DOES_NOT_FIT)
def test_a_value_that_does_not_fit_its_tag_stays_bytes_and_spoils_nothing(tag, raw):
    group = Group(Delimiter.PRINTER, (attribute("odd", tag, bytes.fromhex(raw)), attribute("good", Tag.INTEGER, 5)))
    read, _ = decode(encode(Message(0, 1, (group,))))
    assert read.groups == (group,)
    assert (read.first(Delimiter.PRINTER).integer("odd"), read.first(Delimiter.PRINTER).text("odd")) == (None, "")
    assert read.first(Delimiter.PRINTER).integer("good") == 5


def test_collections_hold_lists_and_collections():
    # RFC 8010, 3.1.6: members are told as memberAttrName and values without names.
    size = (attribute("x-dimension", Tag.INTEGER, 21000), attribute("y-dimension", Tag.INTEGER, 29700))
    media = (attribute("media-size", Tag.BEGIN_COLLECTION, size), attribute("media-source", Tag.KEYWORD, "a", "b"))
    packet = encode(Message(0, 1, (Group(Delimiter.JOB, (attribute("media-col", Tag.BEGIN_COLLECTION, media),)),)))
    assert packet == bytes.fromhex("0200 0000 00000001 02") + (
        b"\x34\x00\x09media-col\x00\x00"
        b"\x4a\x00\x00\x00\x0amedia-size\x34\x00\x00\x00\x00"
        b"\x4a\x00\x00\x00\x0bx-dimension\x21\x00\x00\x00\x04\x00\x00\x52\x08"
        b"\x4a\x00\x00\x00\x0by-dimension\x21\x00\x00\x00\x04\x00\x00\x74\x04"
        b"\x37\x00\x00\x00\x00"
        b"\x4a\x00\x00\x00\x0cmedia-source\x44\x00\x00\x00\x01a\x44\x00\x00\x00\x01b"
        b"\x37\x00\x00\x00\x00\x03"
    )
    (read,) = decode(packet)[0].first(Delimiter.JOB).collections("media-col")
    assert read.attributes == media
    assert [each.integer("x-dimension") for each in read.collections("media-size")] == [21000]
    assert read.texts("media-source") == ("a", "b")


def test_values_of_one_attribute_may_have_different_tags():
    names = Attribute(
        "media-supported",
        (
            Value(Tag.KEYWORD, "iso_a4_210x297mm"),
            Value(Tag.NAME, "Mine"),
            Value(Tag.NAME_WITH_LANGUAGE, Localized("de", "Brief")),
        ),
    )
    group = decode(encode(Message(0, 1, (Group(Delimiter.PRINTER, (names,)),))))[0].first(Delimiter.PRINTER)
    assert group.attributes == (names,)
    assert group.texts("media-supported") == ("iso_a4_210x297mm", "Mine", "Brief")


def test_readers_pass_over_what_is_of_another_kind():
    group = Group(
        Delimiter.PRINTER,
        (
            attribute("copies-supported", Tag.RANGE, Range(1, 99)),
            attribute("orientation", Tag.ENUM, 3, 4),
            attribute("color", Tag.BOOLEAN, True),
            attribute("date", Tag.NO_VALUE, None),
            attribute("color", Tag.BOOLEAN, False),
        ),
    )
    assert group.ranges("copies-supported") == (Range(1, 99),)
    assert group.ranges("orientation") == (Range(3, 3), Range(4, 4))
    assert (group.integer("color"), group.ranges("color"), group.boolean("color")) == (None, (), True)
    assert (group.boolean("orientation"), group.texts("date"), group.values("missing")) == (None, (), ())


@pytest.mark.parametrize("packet", BROKEN.values(), ids=BROKEN)
def test_what_is_no_message_is_refused(packet):
    with pytest.raises(MalformedIpp, match="IPP message"):
        decode(packet)


@pytest.mark.parametrize("part", [b"\x02", b"\x21\0\0\0\4\0\0\0\1"], ids=["groups", "values"])
def test_a_message_of_nothing_but_parts_is_not_read_to_its_end(part):
    """Eight million empty groups took 18 seconds and half a gigabyte, and nothing else was done meanwhile."""
    packet = b"\2\0\0\0\0\0\0\1\2\x21\0\1a\0\4\0\0\0\1" + part * MOST_PARTS + b"\3"
    with pytest.raises(MalformedIpp, match="more than"):
        decode(packet)


@pytest.mark.parametrize(
    "attributes",
    [
        (attribute("a", Tag.INTEGER, 2**31),),
        (attribute("a", Tag.INTEGER, "1"),),
        (attribute("a", Tag.INTEGER, True),),
        (attribute("a", Tag.BOOLEAN, 1),),
        (attribute("a", Tag.KEYWORD, None),),
        (attribute("a", Tag.TEXT, "x" * 40_000),),
        (attribute("a", Tag.TEXT, "\ud800"),),
        (attribute("a", Tag.BEGIN_COLLECTION, b""),),
        (attribute("a", Tag.DATE_TIME, datetime(2026, 11, 22)),),  # noqa: DTZ001 - that is the mistake
        (attribute("a", Tag.INTEGER),),
        (attribute("", Tag.INTEGER, 1),),
    ],
)
def test_our_own_mistakes_are_not_written(attributes):
    with pytest.raises(ValueError, match=r"\w"):
        encode(Message(0, 1, (Group(Delimiter.JOB, attributes),)))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_answers_of_real_printers_are_written_as_they_were_read(path):
    packet = path.read_bytes()
    message, length = decode(packet)
    assert length == len(packet)
    assert encode(message) == packet
    assert len(message.first(Delimiter.PRINTER).attributes) > 60


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_no_part_of_a_message_is_a_message(path):
    packet = path.read_bytes()
    for length in (*range(0, len(packet) - 1, 37), len(packet) - 1):
        with pytest.raises(MalformedIpp):
            decode(packet[:length])


_INTEGERS = st.integers(-(2**31), 2**31 - 1)
_TEXTS = st.text(max_size=20)
_NAMES = st.text(min_size=1, max_size=12)
_DATES = st.datetimes(
    timezones=st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes))) | st.just(UTC)
).map(lambda date: date.replace(microsecond=date.microsecond // 100_000 * 100_000))
_PLAIN = st.one_of(
    st.builds(Value, st.sampled_from([Tag.INTEGER, Tag.ENUM]), _INTEGERS),
    st.builds(Value, st.just(Tag.BOOLEAN), st.booleans()),
    st.builds(Value, st.sampled_from([Tag.TEXT, Tag.NAME, Tag.KEYWORD, Tag.URI, Tag.CHARSET]), _TEXTS),
    st.builds(
        Value,
        st.sampled_from([Tag.TEXT_WITH_LANGUAGE, Tag.NAME_WITH_LANGUAGE]),
        st.builds(Localized, _TEXTS, _TEXTS),
    ),
    st.builds(Value, st.just(Tag.RANGE), st.builds(Range, _INTEGERS, _INTEGERS)),
    st.builds(Value, st.just(Tag.RESOLUTION), st.builds(Resolution, _INTEGERS, _INTEGERS, st.integers(-128, 127))),
    st.builds(Value, st.just(Tag.DATE_TIME), _DATES),
    st.builds(Value, st.sampled_from([Tag.NO_VALUE, Tag.UNKNOWN, Tag.UNSUPPORTED]), st.none()),
    st.builds(Value, st.sampled_from([Tag.OCTET_STRING, 0x40, 0x60, 0x7F, 0xFF]), st.binary(max_size=20)),
)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.builds(
        Value,
        st.just(Tag.BEGIN_COLLECTION),
        st.lists(st.builds(Attribute, _NAMES, st.lists(inner, min_size=1, max_size=3).map(tuple)), max_size=3).map(
            tuple
        ),
    ),
    max_leaves=10,
)
_GROUPS = st.builds(
    Group,
    st.sampled_from([tag for tag in range(1, 16) if tag != Delimiter.END]),
    st.lists(st.builds(Attribute, _NAMES, st.lists(_VALUES, min_size=1, max_size=3).map(tuple)), max_size=4).map(tuple),
)
_MESSAGES = st.builds(
    Message,
    st.integers(0, 0xFFFF),
    _INTEGERS,
    st.lists(_GROUPS, max_size=3).map(tuple),
    st.tuples(st.integers(0, 255), st.integers(0, 255)),
)


@settings(max_examples=150, deadline=None)
@given(_MESSAGES, st.binary(max_size=10))
def test_any_message_is_read_as_it_was_written(message, document):
    packet = encode(message)
    assert decode(packet + document) == (message, len(packet))


def _fuzz_target():
    path = Path(__file__).parents[4] / "fuzz" / "fuzz_ipp.py"
    spec = importlib.util.spec_from_file_location("fuzz_ipp_under_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_damaged_answers_keep_the_invariant_of_the_fuzz_target():
    target = _fuzz_target()
    source = random.Random("ipp")
    for path in ANSWERS:
        packet = path.read_bytes()
        target.check(packet)
        for _ in range(60):
            damaged = bytearray(packet)
            for _ in range(source.choice([1, 1, 2, 8])):
                damaged[source.randrange(len(damaged))] = source.choice([0, 1, 3, 0x21, 0x34, 0x37, 0x4A, 0x7F, 0xFF])
            target.check(bytes(damaged))
    assert target.__doc__.splitlines()[0].endswith("MalformedIpp.")
