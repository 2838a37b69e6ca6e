"""The meter's end: keys, window, alerts, segments, throttle."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import MisuseError
from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.digest import KeySchedule, digest
from osgp.mep.events import AlertSent, DropReason, RequestAnswered, RequestDropped, ResponseReceived
from osgp.mep.server import WINDOW, Access, MepServer
from osgp.mep.timing import ALERT_PERIOD, MAX_READ, REQUEST_GAP, REQUEST_SPACING, SEGMENT, SEGMENT_PAUSE
from osgp.psem import PartialRead, PartialWrite, Read, Response, Write

MBK, MAK = MeterKey(b"basic key, basic"), MeterKey(b"advanced key, ad")
READ = PartialRead(23, 0, 4)


def handler(request, access):
    if isinstance(request, Read | PartialRead):
        return Response(0, b"abcd" if isinstance(request, Read) else b"abcd"[:1] * request.count)
    return Response(0) if access is Access.ADVANCED or request.table == 7 else Response(3)


def make_server(**options):
    return MepServer({Access.BASIC: MBK, Access.ADVANCED: MAK}, handler, sequence=1000, **options)


@pytest.fixture
def server():
    return make_server()


def frame(request=READ, number=1001, key=MBK, *, encrypt=False):
    client = MepClient(key, encrypt=encrypt, first_sequence=number)
    client.request(request, 0.0)
    return client, client.bytes_to_send()


def answer(server):
    """Return what the server sends, as one piece."""
    while not (out := server.take()):
        deadline = server.deadline()
        assert deadline is not None
        server.expire(deadline)
    return b"".join(data for data, _ in out)


@pytest.mark.parametrize("encrypt", [False, True])
@pytest.mark.parametrize(("key", "code"), [(MBK, 3), (MAK, 0)], ids=["MBK", "MAK"])
def test_the_key_decides_and_the_reply_is_encrypted_as_the_request(server, key, code, encrypt):
    client, data = frame(PartialWrite(2061, 0, b"x"), key=key, encrypt=encrypt)
    (event,) = server.receive(data, 0.0)
    assert event == RequestAnswered(PartialWrite(2061, 0, b"x"), Response(code), encrypt)
    reply = answer(server)
    assert (reply[2:3] == bytes((code,))) != encrypt
    assert client.receive(reply, 0.1) == [ResponseReceived(PartialWrite(2061, 0, b"x"), Response(code))]


@pytest.mark.parametrize("encrypt", [False, True])
def test_an_unknown_key_draws_a_plain_0x0b(server, encrypt):
    _, data = frame(key=MeterKey(b"somebody's key.."), encrypt=encrypt)
    assert server.receive(data, 0.0) == [RequestDropped(DropReason.DIGEST)]
    assert answer(server) == bytes.fromhex("00090b") + bytes(8)
    assert server.sequence == 1000


@pytest.mark.parametrize("ahead", range(-2, WINDOW + 3))
def test_the_window(server, ahead):
    client, data = frame(number=1000 + ahead)
    (event,) = server.receive(data, 0.0)
    client.receive(answer(server), 0.2)
    if 1 <= ahead <= WINDOW:
        assert isinstance(event, RequestAnswered)
        assert server.sequence == 1000 + ahead
    else:
        assert event == RequestDropped(DropReason.REFUSED)
        assert server.sequence == 1000
        assert int.from_bytes(client.bytes_to_send()[-12:-8], "big") == 1002


def test_the_window_wraps():
    server = MepServer({Access.BASIC: MBK}, handler, sequence=0xFFFFFFFE)
    _, data = frame(number=3)
    assert isinstance(server.receive(data, 0.0)[0], RequestAnswered)


@pytest.mark.parametrize("names_next", [True, False])
@pytest.mark.parametrize("encrypt", [False, True])
def test_a_client_that_adds_one_goes_on_under_both_readings(names_next, encrypt):
    server = make_server(names_next=names_next)
    client, data = frame(number=5, encrypt=encrypt)
    server.receive(data, 0.0)
    client.receive(answer(server), 0.2)
    server.receive(client.bytes_to_send(), 0.2)
    assert [type(event) for event in client.receive(answer(server), 0.3)] == [ResponseReceived]


def test_a_client_that_does_not_add_one_fails_the_strict_reading():
    server = make_server(names_next=False)
    _, data = frame(number=5)
    server.receive(data, 0.0)
    named = int.from_bytes(answer(server)[3:7], "big")
    _, data = frame(number=named)
    assert server.receive(data, 0.2) == [RequestDropped(DropReason.REFUSED)]


def test_the_meter_jumps_by_25_when_its_dimensions_change(server):
    server.advance(25)
    _, data = frame()
    assert server.receive(data, 0.0) == [RequestDropped(DropReason.REFUSED)]


@pytest.mark.parametrize("size", [1, SEGMENT - 13, SEGMENT - 12, 220, MAX_READ])
def test_long_replies_pause_after_each_117_bytes(server, size):
    client, data = frame(PartialRead(23, 0, size))
    server.receive(data, 0.0)
    out = server.take()
    assert all(len(segment) == SEGMENT for segment, _ in out[:-1])
    assert [pause for _, pause in out] == [SEGMENT_PAUSE] * (len(out) - 1) + [0.0]
    assert len(out) == -(-(size + 13) // SEGMENT)
    assert isinstance(client.receive(b"".join(segment for segment, _ in out), 0.1)[0], ResponseReceived)


def test_what_does_not_fit_a_frame_is_refused(server):
    client, data = frame(PartialRead(23, 0, MAX_READ + 1))
    server.receive(data, 0.0)
    assert client.receive(answer(server), 0.1) == [ResponseReceived(PartialRead(23, 0, MAX_READ + 1), Response(4))]


def test_replies_are_100_ms_apart(server):
    _, first = frame(number=1001)
    _, second = frame(number=1002)
    _, third = frame(number=1003)
    server.receive(first, 0.0)
    assert server.take()
    server.receive(second, 0.01)
    assert server.take() == []
    assert server.deadline() == pytest.approx(REQUEST_SPACING)
    assert server.receive(third, 0.02) == [RequestDropped(DropReason.UNEXPECTED)]
    server.expire(REQUEST_SPACING)
    assert len(server.take()) == 1


def test_a_request_that_stops_for_50_ms_is_forgotten(server):
    _, data = frame()
    server.receive(data[:-1], 0.0)
    assert server.deadline() == pytest.approx(REQUEST_GAP)
    assert server.expire(REQUEST_GAP) == [RequestDropped(DropReason.BROKEN_OFF)]
    server.receive(data[-1:], 0.06)
    assert server.take() == []


def test_a_request_that_is_no_request_draws_0x01(server):
    message = bytes.fromhex("99 0017 0004") + (1001).to_bytes(4, "big")
    tag = digest(KeySchedule(MBK.secret), message)
    assert server.receive(b"\x00\x11" + message + tag, 0.0) == [RequestDropped(DropReason.CONTENT)]
    assert answer(server)[:3] == b"\x00\x09\x01"


class TestAlerts:
    def test_every_second_while_there_is_news(self, server):
        server.alert(True, 10.0)
        sent = []
        for _ in range(3):
            sent.append(server.deadline())
            assert server.expire(server.deadline()) == [AlertSent()]
            assert server.take() == [(b"\0\0", 0.0)]
        assert [after - before for before, after in itertools.pairwise(sent)] == [ALERT_PERIOD] * 2
        server.alert(False, 13.5)
        assert server.deadline() is None

    def test_not_within_a_second_of_a_frame(self, server):
        server.alert(True, 10.0)
        server.expire(10.0)
        server.take()
        for turn in range(5):
            _, data = frame(number=1001 + turn)
            now = 10.9 + turn * 0.9
            server.receive(data, now)
            server.take()
            assert server.deadline() == pytest.approx(now + ALERT_PERIOD)


def test_a_meter_without_keys_is_a_mistake():
    with pytest.raises(MisuseError):
        MepServer({}, handler)


@given(st.lists(st.binary(max_size=100), max_size=30))
@settings(max_examples=60)
def test_no_bytes_upset_the_server(chunks):
    server, now = make_server(), 0.0
    for chunk in chunks:
        now += 0.02
        for event in server.receive(chunk, now) + server.expire(now):
            assert not isinstance(event, RequestAnswered)
        server.take()


def test_full_write_reaches_the_handler(server):
    client, data = frame(Write(7, b"call"))
    server.receive(data, 0.0)
    assert client.receive(answer(server), 0.1) == [ResponseReceived(Write(7, b"call"), Response(0))]


def test_section_7_a_full_read_without_its_length_word_is_answered(server):
    """Two clients in the field send nothing else, ``00 0f 30 00 34 <sequence> <digest>``, and real meters answer."""
    message = bytes.fromhex("300034") + (1001).to_bytes(4, "big")
    tag = digest(KeySchedule(MBK.secret), message)
    (event,) = server.receive(b"\0\x0f" + message + tag, 0.0)
    assert event == RequestAnswered(Read(0x34), Response(0, b"abcd"), encrypted=False)
    assert answer(server)[2:9] == bytes.fromhex("00000461626364")
