"""Packets against the specification's own examples, paho's encoder, a reader of the broker's side written apart, and any bytes."""

from __future__ import annotations

import importlib.util
import itertools
import socket
import sys
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.wire import packets
from nes2mqtt.outputs.mqtt.client.wire.fields import Malformed, Property, Reader, properties, text, variable
from nes2mqtt.outputs.mqtt.client.wire.machine import State, TooLarge, Wire
from nes2mqtt.outputs.mqtt.client.wire.packets import Arrived, Confirmed, Ended, Greeted, Hello, Subscribed

VERSIONS = [4, 5]
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
TOPIC = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0+#"), min_size=1, max_size=40)
NUMBER = st.integers(1, 65_535)


def opened(version=5, connack=None, hello=None):
    wire = Wire(hello or Hello("us", 30), version)
    wire.greet()
    wire.receive(connack or (b"\x20\x03\0\0\0" if version == 5 else b"\x20\x02\0\0"))
    assert wire.state is State.OPEN
    return wire


# Fields (section 1.5).


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        # Table 1-1.
        (0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (2_097_151, "ffff7f"),
        (2_097_152, "80808001"), (268_435_455, "ffffff7f"),
    ],
)  # fmt: skip
def test_a_variable_byte_integer_at_its_borders(number, encoded):
    assert variable(number).hex() == encoded
    assert Reader(bytes.fromhex(encoded)).variable() == number


def test_what_is_too_long_for_mqtt_is_refused_by_us():
    with pytest.raises(ValueError, match="longer"):
        variable(268_435_456)
    with pytest.raises(ValueError, match="longer"):
        text("x" * 65_536)
    with pytest.raises(ValueError, match="NUL"):
        text("a\0b")


def test_the_text_of_the_specification():
    assert text("A\U0002a6d4").hex() == "000541f0aa9b94"  # section 1.5.4.3


@given(TEXT)
def test_a_text_reads_as_it_was_written(words):
    assert Reader(text(words)).text() == words


@pytest.mark.parametrize(
    "name",
    [Property.MAXIMUM_QOS, Property.RETAIN_AVAILABLE, Property.SERVER_KEEP_ALIVE, Property.MAXIMUM_PACKET_SIZE],
)
def test_properties_read_as_they_were_written(name):
    assert Reader(properties({name: 1, Property.REASON_STRING: "why"})).properties() == {
        name: 1,
        Property.REASON_STRING: "why",
    }


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("0300", "after their packet"),
        ("0100", "0x00 does not exist"),
        ("0422000a22000a", "too early|twice"),
        ("0622000a22000a", "twice"),
        ("022402", "cannot be 2"),
        ("03210000", "cannot be 0"),
        ("052700000000", "cannot be 0"),
        ("ffffffffff", "without end"),
    ],
)
def test_properties_that_cannot_be(wrong, says):
    with pytest.raises(Malformed, match=says):
        Reader(bytes.fromhex(wrong)).properties()


# What we send, against paho's encoder.


def by_paho(version, act, will=None, user=None, password=None):
    """Return the bytes that paho sends."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="gateway", protocol=version, reconnect_on_failure=False
        )
        if will is not None:
            client.will_set(*will)
        if user is not None:
            client.username_pw_set(user, password)
        client._sock = ours
        client._state = paho._ConnectionState.MQTT_CS_CONNECTED
        act(client)
        client.loop_write()
        theirs.setblocking(False)
        sent = theirs.recv(1 << 20)
        client._sock = None
    return sent


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("will", [None, ("a/status", "offline", 1, True), ("ä", "", 0, False)])
@pytest.mark.parametrize(("user", "password"), [(None, None), ("meter", None), ("meter", "geheim ü"), ("", "x")])
def test_a_connect_is_what_paho_sends(version, will, user, password):
    def act(client):
        client._keepalive = 30
        if version == 5:
            said = paho.Properties(paho.PacketTypes.CONNECT)
            said.MaximumPacketSize = 1 << 18
            client._connect_properties = said
        client._send_connect(30)

    mine = Hello(
        "gateway",
        30,
        None if will is None else (will[0], will[1].encode(), *will[2:]),
        user,
        None if password is None else password.encode(),
    )
    assert packets.connect(mine, version) == by_paho(version, act, will, user, password)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("retain", [True, False])
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("size", [0, 1, 100, 126, 127, 128, 16_000, 16_384, 60_000])
def test_a_publish_is_what_paho_sends_and_as_large_as_we_say(version, retain, qos, size):
    payload = "ü" * (size // 2)
    sent = packets.publish("nes/mätare", payload.encode(), qos, version, retain=retain)
    assert sent == by_paho(version, lambda client: client.publish("nes/mätare", payload, qos, retain))
    assert Message("nes/mätare", payload, qos, retain).size(version) == len(sent)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_small_packets_are_what_paho_sends(version):
    topics = ["a/b", "nes2mqtt/#"]
    options = paho.SubscribeOptions(1)
    wish = [(topic, options if version == 5 else 1) for topic in topics]
    assert packets.subscribe(1, topics, version) == by_paho(version, lambda client: client.subscribe(wish))
    assert packets.unsubscribe(1, topics, version) == by_paho(version, lambda client: client.unsubscribe(topics))
    assert packets.confirm(7) == by_paho(version, lambda client: client._send_puback(7))
    assert by_paho(version, lambda client: client._send_pingreq()) == packets.PING
    assert packets.disconnect(0, version) == by_paho(version, lambda client: client._send_disconnect())
    assert packets.disconnect(0x82, 5).hex() == "e00182"
    assert packets.disconnect(0x82, 4) == packets.LAST


# What we send, against a reader of the broker's side.


@pytest.fixture(scope="module")
def broker_side():
    """The reader of the simulated broker, which was written apart."""
    path = Path(__file__).parents[4] / "tests/sim/simulation/gateway/packets.py"
    spec = importlib.util.spec_from_file_location("broker_side_packets", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@given(
    version=st.sampled_from(VERSIONS),
    topic=TOPIC,
    payload=st.binary(max_size=300),
    confirmed=st.booleans(),
    retain=st.booleans(),
)
def test_a_broker_reads_our_message_as_we_meant_it(broker_side, version, topic, payload, confirmed, retain):
    wire = opened(version)
    data, number = wire.publish(topic, payload, confirmed=confirmed, retain=retain)
    (found,) = broker_side.split(bytearray(data))
    assert broker_side.publish(found, version) == broker_side.Publish(topic, payload, int(confirmed), retain, number)
    assert bool(number) == confirmed


@given(
    version=st.sampled_from(VERSIONS),
    name=TEXT,
    keep_alive=st.integers(0, 65_535),
    will=st.none() | st.tuples(TOPIC, st.binary(max_size=50), st.sampled_from([0, 1]), st.booleans()),
    user=st.none() | TEXT,
)
def test_a_broker_reads_our_greeting_as_we_meant_it(broker_side, version, name, keep_alive, will, user):
    sent = Wire(Hello(name, keep_alive, will, user, b"secret"), version).greet()
    (found,) = broker_side.split(bytearray(sent))
    meant = None if will is None else broker_side.Publish(*will)
    assert broker_side.connect(found) == broker_side.Connect(version, name, keep_alive, meant, user)


# What we get.


@given(
    version=st.sampled_from(VERSIONS),
    messages=st.lists(
        st.tuples(TOPIC, st.binary(max_size=300), st.sampled_from([0, 1]), st.booleans(), NUMBER), max_size=5
    ),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_messages_arrive_whole_however_they_are_cut(broker_side, version, messages, cuts):
    sent = b"".join(broker_side.published(broker_side.Publish(*message), version) for message in messages)
    wire, events = opened(version), []
    edges = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    for begin, end in itertools.pairwise(edges):
        events += wire.receive(sent[begin:end])
    assert events == [
        Arrived(topic, payload, retain, number if qos else 0) for topic, payload, qos, retain, number in messages
    ]
    assert wire.answers == [packets.confirm(number) for _, _, qos, _, number in messages if qos]


def test_all_that_a_broker_says_of_itself():
    said = properties(
        {
            Property.SESSION_EXPIRY: 7,
            Property.RECEIVE_MAXIMUM: 20,
            Property.MAXIMUM_QOS: 1,
            Property.RETAIN_AVAILABLE: 0,
            Property.MAXIMUM_PACKET_SIZE: 4000,
            Property.ASSIGNED_CLIENT_ID: "you",
            Property.TOPIC_ALIAS_MAXIMUM: 10,
            Property.REASON_STRING: "welcome",
            Property.SERVER_KEEP_ALIVE: 0,
        }
    )
    body = b"\1\0" + said
    assert packets.connack(body, 5) == Greeted(0, "welcome", True, 4000, 1, False, 20, 0, "you", 7)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (1, 0x84), (2, 0x85), (3, 0x88), (4, 0x86), (5, 0x87), (6, 0x80)])
def test_refusals_of_3_1_1_have_the_numbers_of_5(old, new):
    assert packets.connack(bytes((0, old)), 4) == Greeted(new)


@pytest.mark.parametrize(("said", "code"), [("0001", 0x84), ("0084", 0x84)])
def test_a_broker_of_3_1_1_refuses_a_greeting_of_5_in_its_own_form(said, code):
    wire = Wire(Hello("us", 30), 5)
    wire.greet()
    assert wire.receive(b"\x20\x02" + bytes.fromhex(said)) == [Greeted(code)]
    assert wire.state is State.OVER


def test_a_refusal_that_names_another_broker():
    body = b"\0\x9c" + properties({Property.SERVER_REFERENCE: "other:1883"})
    assert packets.connack(body, 5).words == "other:1883"


def test_confirmations_with_and_without_reason():
    wire = opened()
    for _ in range(3):
        wire.publish("a", b"", confirmed=True, retain=False)
    assert wire.unconfirmed == 3
    words = properties({Property.REASON_STRING: "no"})
    assert wire.receive(
        b"\x40\x02\0\1" + b"\x40\x03\0\2\x10" + bytes((0x40, 3 + len(words))) + b"\0\3\x87" + words
    ) == [
        Confirmed(1),
        Confirmed(2, 0x10),
        Confirmed(3, 0x87, "no"),
    ]
    assert wire.unconfirmed == 0


def test_what_answers_nothing_is_passed_over():
    wire = opened()
    _, number = wire.subscribe(["a"])
    assert (
        wire.receive(b"\x40\x02\0\7" + b"\x40\x02" + number.to_bytes(2) + b"\xb0\x04" + number.to_bytes(2) + b"\0\0")
        == []
    )
    assert wire.receive(b"\x90\x04" + number.to_bytes(2) + b"\0\1") == [Subscribed(number, b"\1")]


def test_a_number_in_use_is_not_given_again():
    wire = opened()
    _, waits = wire.publish("a", b"", confirmed=True, retain=False)
    for _ in range(65_534):
        _, number = wire.publish("a", b"", confirmed=True, retain=False)
        wire.receive(b"\x40\x02" + number.to_bytes(2))
    _, number = wire.publish("a", b"", confirmed=True, retain=False)
    assert number != waits


def test_more_than_the_broker_takes_is_not_sent():
    wire = opened(connack=b"\x20\x08\0\0" + properties({Property.MAXIMUM_PACKET_SIZE: 20}))
    assert len(wire.publish("a", b"x" * 14, confirmed=False, retain=False)[0]) == 20
    with pytest.raises(TooLarge):
        wire.publish("a", b"x" * 15, confirmed=True, retain=False)
    assert wire.unconfirmed == 0


def test_the_broker_says_why_it_ends():
    assert opened().receive(b"\xe0\x00") == [Ended()]
    assert opened().receive(b"\xe0\x01\x8b") == [Ended(0x8B)]
    wire = opened()
    words = properties({Property.REASON_STRING: "night"})
    assert wire.receive(bytes((0xE0, 1 + len(words), 0x8B)) + words) == [Ended(0x8B, "night")]
    assert wire.state is State.OVER
    assert wire.receive(b"\x30\x00") == []


def test_nothing_is_sent_before_the_greeting_or_after_the_farewell():
    wire = Wire(Hello("us", 30), 5)
    with pytest.raises(ValueError, match="no connection"):
        wire.publish("a", b"", confirmed=False, retain=False)
    wire.greet()
    with pytest.raises(ValueError, match="once"):
        wire.greet()
    assert wire.farewell() == b""
    wire = opened()
    assert wire.farewell() == packets.LAST
    with pytest.raises(ValueError, match="no connection"):
        wire.ping()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("00", None),
        ("0000", 0x82),
        ("1000", 0x82),
        ("2003000000", 0x82),
        ("2000", 0x82),
        ("3000", 0x81),
        ("300600 02fffe6162", 0x81),
        ("3004ffff6162", 0x81),
        ("3003000000", 0x82),
        ("30 04 0001 2b 00", 0x82),
        ("32 06 0001 61 0000 00", 0x82),
        ("34 06 0001 61 0001 00", 0x82),
        ("36 06 0001 61 0001 00", 0x81),
        ("400100", 0x81),
        ("4102 0001", 0x81),
        ("5002 0001", 0x82),
        ("d00100", 0x82),
        ("f000", 0x82),
        ("30ffffffffff", 0x81),
        ("30ffffff7f", 0x95),
    ],
)
def test_what_cannot_come_ends_the_connection_with_a_reason(version, wrong, code):
    wire = opened(version)
    if code is None:
        assert wire.receive(bytes.fromhex(wrong)) == []
        return
    with pytest.raises(Malformed) as error:
        wire.receive(bytes.fromhex(wrong))
    assert error.value.code == code
    assert wire.state is State.OVER
    assert wire.answers == [packets.disconnect(code, version)]


def test_a_topic_alias_was_not_allowed():
    wire = opened()
    with pytest.raises(Malformed) as error:
        wire.receive(bytes.fromhex("30 07 0001 61 03 230001"))
    assert error.value.code == 0x94


def test_only_a_connack_may_come_first():
    for first in (b"\x40\x02\0\1", b"\xd0\0", b"\xe0\0"):
        wire = Wire(Hello("us", 30), 5)
        wire.greet()
        with pytest.raises(Malformed, match="no CONNACK"):
            wire.receive(first)
        assert wire.answers == []  # nothing is said before the greeting (section 3.1)


@given(version=st.sampled_from(VERSIONS), greeting=st.booleans(), pieces=st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_events_or_malformed(version, greeting, pieces):
    wire = Wire(Hello("us", 30, packet=1000), version)
    wire.greet()
    if greeting:
        wire.receive(b"\x20\x03\0\0\0" if version == 5 else b"\x20\x02\0\0")
    for piece in pieces:
        try:
            wire.receive(piece)
        except Malformed:
            assert wire.state is State.OVER
        assert len(wire._part) <= 1000


def test_a_greeting_is_shown_without_its_secrets():
    shown = repr(Hello("us", 30, ("status", b"hidden", 1, True), "meter", b"Sesame"))
    assert "meter" in shown
    assert "Sesame" not in shown
    assert "hidden" not in shown


def test_a_connack_of_the_older_version_that_takes_us_is_none_of_mqtt_5():
    with pytest.raises(Malformed):
        packets.connack(b"\0\0", 5)
