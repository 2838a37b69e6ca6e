"""Client and meter on one line: numbers 4 to 17 of the acceptance ideas, as far as a link can have them."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import (
    CorruptFrame,
    KeyRejected,
    LinkError,
    LinkRefused,
    MeterRefused,
    MisuseError,
    OsgpError,
    PasswordRefused,
    ResponseTimeout,
    WriteUncertain,
)
from osgp.optical.datalink.packet import ACK, NAK, Packet, PacketReader
from osgp.optical.diagnosis import Finding, NoMeterAnswers
from osgp.optical.events import (
    BaudChanged,
    EchoFound,
    EndReason,
    Identified,
    ReplyDropped,
    RequestFailed,
    ResponseReceived,
    Retried,
    SessionEnded,
    SessionFailed,
    SessionOpened,
)
from osgp.optical.key import OpticalKey
from osgp.optical.server import Access, FirstPacket, Meter, OpticalServer
from osgp.optical.services import (
    Identify,
    Identity,
    Logon,
    Negotiate,
    OpticalResponseCode,
    Security,
    Terminate,
    Wait,
    decode_service,
)
from osgp.optical.session import OpticalClient
from osgp.optical.settings import SessionSettings
from osgp.optical.states import State
from osgp.optical.timing import SESSION_LIMIT, Limits
from osgp.psem import PartialRead, PartialWrite, Read, Response, Write, table_id

PRESENT = PartialRead(28, 0, 40)
TABLE28 = bytes(range(164))
WRONG = OpticalKey(b"not the key at all!!")


def services(wire):
    """Return (time, service) of each packet the client sent; a repeat counts again."""
    reader, found = PacketReader(8192), []
    for time, data in wire.sent:
        found += [(time, decode_service(item.data)) for item in reader.feed(data) if isinstance(item, Packet)]
    return found


def sent(wire, kind):
    return [service for _, service in services(wire) if isinstance(service, kind)]


def ended(wire):
    return [event.reason for event in wire.events if isinstance(event, SessionEnded)]


TRANSPORTS = {
    "perfect": lambda bench: {},
    "byte by byte": lambda bench: {"up": bench.byte_by_byte, "down": bench.byte_by_byte},
    "one in five lost": lambda bench: {"up": bench.Lossy(seed=7), "down": bench.Lossy(seed=8)},
    "delayed": lambda bench: {"up": bench.Delayed(0.6), "down": bench.Delayed(0.6)},
    "delayed beyond the timers": lambda bench: {"up": bench.Delayed(1.2), "down": bench.Delayed(1.2)},
    "echoing": lambda bench: {"echo": True},
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("limits", [None, Limits(64, 1), Limits(128, 4), Limits(512, 2)], ids=str)
def test_07_10_same_values_over_every_transport_and_grant(optical, transport, limits):
    wire, memory = optical.pair(meter=Meter(limits=limits), **TRANSPORTS[transport](optical))
    for request, data in [(PRESENT, TABLE28[:40]), (PartialRead(23, 10, 200), bytes(range(10, 210)))] * 3:
        assert wire.ask(request) == ResponseReceived(request, Response(0, data))
    granted = limits or Limits()
    assert max(request.count for request in memory.asked) <= granted.read
    wire.client.close(wire.now)
    wire.run(30)
    assert wire.client.quiet
    assert wire.server.state is State.BASE


@pytest.mark.parametrize("first", [FirstPacket.DAMAGED, FirstPacket.MISSED])
@pytest.mark.parametrize("transport", ["perfect", "byte by byte"])
def test_07_04_first_packet_lost_on_a_shared_uart_in_every_session(optical, first, transport):
    wire, _ = optical.pair(
        meter=Meter(first_packet=first), settings=SessionSettings(linger=0.0), **TRANSPORTS[transport](optical)
    )
    for session in range(1, 4):
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        wire.run(1)
        assert len(sent(wire, Identify)) == 2 * session
    assert ended(wire) == [EndReason.IDLE] * 3


def test_07_05_mep_noise_at_the_window(optical):
    """Alerts each second, and whole MEP frames with EE and ACK bytes in them."""
    wire, _ = optical.pair()
    frame = bytes.fromhex("0037000006ee000000000a2815060000ee99addcb82c3d417f91")
    for second in range(120):
        wire.put("client", b"\0\0", second)
        if second % 7 == 0:
            wire.put("client", frame, second + 0.4)
    for _ in range(60):
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        wire.run(1.7)


def test_07_06_echoing_probe_is_named_and_read(optical):
    wire, _ = optical.pair(echo=True)
    assert wire.ask(PRESENT).response.data == TABLE28[:40]
    assert wire.events.count(EchoFound()) == 1
    assert not [event for event in wire.events if isinstance(event, Retried)]


def test_07_06_echo_only_is_named(optical):
    wire = optical.Wire(OpticalClient(None), None, echo=True)
    wire.client.identify(0.0)
    error = wire.result().error
    assert isinstance(error, NoMeterAnswers)
    assert error.finding is Finding.ECHO_ONLY
    assert "180 degrees" in str(error)


class TestNobodyAnswers:
    def ask(self, optical, heard=(), answer=None):
        wire = optical.Wire(OpticalClient(None), None)
        for at, data in heard:
            wire.put("client", data, at)
        if answer:
            wire.up = lambda data: (wire.put("client", answer, 0.01), [])[1]
        wire.client.identify(0.0)
        event = wire.result()
        assert isinstance(event, SessionFailed)
        assert isinstance(event.error, NoMeterAnswers)
        assert wire.client.quiet
        return event.error, wire

    def test_no_light(self, optical):
        error, wire = self.ask(optical)
        assert error.finding is Finding.NO_LIGHT
        assert len(wire.sent) == 4
        assert wire.now < 9

    def test_alerts_of_a_mep_port_are_no_light_either(self, optical):
        assert self.ask(optical, [(second, b"\0\0") for second in range(8)])[0].finding is Finding.NO_LIGHT

    def test_nak(self, optical):
        assert self.ask(optical, answer=bytes((NAK,)))[0].finding is Finding.NAK

    def test_noise(self, optical):
        assert self.ask(optical, [(1.0, b"\x80\xff\x33")])[0].finding is Finding.NOISE

    def test_acknowledged_but_no_reply(self, optical):
        assert self.ask(optical, answer=bytes((ACK,)))[0].finding is Finding.NO_REPLY

    @pytest.mark.parametrize(
        ("heard", "protocol"),
        [
            (b"/ISk5MT174-0001\r\n", "IEC 62056-21"),
            (bytes(byte | 0x80 * (byte.bit_count() % 2) for byte in b"/KAM5KAMSTRUP 382\r\n"), "IEC 62056-21"),
            (b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01\x76\x05", "SML"),
            (bytes.fromhex("7ea87ea00a030221137aec7e"), "DLMS (HDLC)"),
        ],
    )
    def test_wrong_protocol(self, optical, heard, protocol):
        error, _ = self.ask(optical, [(1.0, heard)])
        assert error.finding is Finding.WRONG_PROTOCOL
        assert error.protocol == protocol
        assert protocol in str(error)


@pytest.mark.parametrize("seed", range(6))
def test_07_08_bit_flips_never_make_a_wrong_value(optical, seed):
    wire, _ = optical.pair(up=optical.Flipping(1e-3, seed), down=optical.Flipping(1e-3, 99 - seed))
    answered = 0
    for _ in range(100):
        event = wire.ask(PRESENT)
        if isinstance(event, ResponseReceived):
            assert event.response == Response(0, TABLE28[:40])
            answered += 1
        else:
            assert isinstance(event.error, LinkError)
    assert answered >= 99


@given(st.integers(0, 10**6), st.sampled_from([1e-3, 1e-2, 0.03]))
@settings(max_examples=25, deadline=None)
def test_07_08_no_damage_makes_a_wrong_value(optical, seed, share):
    wire, _ = optical.pair(up=optical.Flipping(share, seed), down=optical.Flipping(share, seed + 1))
    for _ in range(5):
        event = wire.ask(PRESENT)
        if isinstance(event, ResponseReceived):
            assert event.response.data == TABLE28[:40]


def test_07_10_a_refused_negotiation_is_lived_with(optical):
    wire, _ = optical.pair(meter=Meter(limits=None))
    assert wire.ask(PartialRead(23, 0, 220)).response.data == bytes(range(220))
    assert wire.client.limits == Limits()
    wire.run(600)
    assert wire.ask(PRESENT).response.ok
    assert sum(data.count(b"\x61\x02\x00") for _, data in wire.sent) == 1


def test_07_10_a_full_read_longer_than_the_limits_is_not_possible(optical):
    wire, _ = optical.pair(meter=Meter(limits=None))
    assert wire.ask(Read(23)).response == Response(OpticalResponseCode.ONP)


def test_07_10_writes_do_not_get_cut(optical):
    wire, memory = optical.pair(access=Access.UNIQUE, meter=Meter(limits=Limits(128, 2)))
    most = Limits(128, 2).partial_write
    assert wire.ask(PartialWrite(28, 0, bytes(most))).response.ok
    event = wire.ask(PartialWrite(28, 0, bytes(most + 1)))
    assert isinstance(event.error, MisuseError)
    assert str(most) in str(event.error)
    assert wire.ask(Write(23, b"abc")).response.ok
    assert memory.tables[23] == b"abc"


class TestBaud:
    def test_07_11_another_rate_is_followed_and_left_again(self, optical):
        wire, _ = optical.pair(
            settings=SessionSettings(bauds=(9600, 19200)), meter=Meter(bauds=(9600, 19200), limits=Limits(256, 4))
        )
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert [event.baud for event in wire.events if isinstance(event, BaudChanged)] == [19200]
        assert [event.baud for event in wire.server_events if isinstance(event, BaudChanged)] == [19200]
        wire.client.close(wire.now)
        wire.run(2)
        assert [event.baud for event in wire.events if isinstance(event, BaudChanged)] == [19200, 9600]
        assert [event.baud for event in wire.server_events if isinstance(event, BaudChanged)] == [19200, 9600]
        assert wire.client.quiet

    def test_07_11_a_rate_that_does_not_work_is_not_tried_again(self, optical):
        wire, _ = optical.pair(settings=SessionSettings(bauds=(9600, 57600)), meter=Meter(bauds=(9600, 57600)))

        def up(data):
            faster = [event.baud for event in wire.server_events if isinstance(event, BaudChanged)]
            return [] if faster and faster[-1] == 57600 else [(0.0, data)]

        wire.up = up
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert [event.baud for event in wire.events if isinstance(event, BaudChanged)] == [57600, 9600]
        assert wire.client.state is State.SECURED


class TestTraffic:
    def test_07_12_wait_keeps_an_idle_session(self, optical):
        wire, _ = optical.pair()
        wire.ask(PRESENT)
        wire.run(300)
        assert len(sent(wire, Identify)) == 1
        assert 60 <= len(sent(wire, Wait)) <= 80
        assert wire.server.state is State.SECURED

    def test_07_12_a_meter_without_wait_is_kept_by_reading_a_byte(self, optical):
        wire, memory = optical.pair(meter=Meter(knows_wait=False))
        wire.ask(PRESENT)
        wire.run(100)
        assert len(sent(wire, Wait)) == 1
        assert memory.asked[-1] == PartialRead(1, 0, 1)
        assert len(sent(wire, Identify)) == 1

    def test_07_12_seven_seconds_without_a_client_end_the_session(self, optical):
        wire, _ = optical.pair()
        wire.ask(PRESENT)
        client, wire.client = wire.client, OpticalClient(None)
        wire.run(7)
        assert wire.server.state is State.BASE
        assert wire.server_events[-1] == SessionEnded(EndReason.IDLE)
        wire.client = client
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert EndReason.RESTARTED in ended(wire)

    @pytest.mark.parametrize("reached", [State.IDENTIFIED, State.SECURED])
    def test_07_12_a_session_left_open_by_somebody_else(self, optical, reached):
        wire, _ = optical.pair()
        if reached is State.SECURED:
            wire.client.login(0.0)
        else:
            wire.client.identify(0.0)
        wire.result()
        wire.run(0.1)
        assert wire.server.state is reached
        wire.client = OpticalClient(optical.KEYS[Access.READ_ONLY])
        wire.events.clear()
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert EndReason.RESTARTED in ended(wire)
        assert len(sent(wire, Terminate)) == 1
        assert wire.now < 10

    def test_an_idle_session_ends_when_it_has_lingered(self, optical):
        wire, _ = optical.pair(settings=SessionSettings(linger=10.0))
        wire.ask(PRESENT)
        wire.run(11)
        assert ended(wire) == [EndReason.IDLE]
        assert wire.server.state is State.BASE
        assert wire.client.deadline() is None


class TestGuard:
    def test_07_13_our_renewal_comes_before_the_guard(self, optical):
        wire, _ = optical.pair()
        for _ in range(3600):
            assert wire.ask(PRESENT).response.data == TABLE28[:40]
            wire.run(1)
        assert set(ended(wire)) == {EndReason.RENEWED}
        assert EndReason.GUARD not in {event.reason for event in wire.server_events if isinstance(event, SessionEnded)}

    def test_07_13_an_idle_session_is_renewed_too(self, optical):
        wire, _ = optical.pair()
        wire.ask(PRESENT)
        wire.run(700)
        assert ended(wire) == [EndReason.RENEWED]
        assert wire.client.quiet

    def test_07_13_without_renewal_the_port_goes_deaf_and_nobody_hammers(self, optical):
        wire, _ = optical.pair(settings=SessionSettings(renewal=10**6))
        while wire.now < SESSION_LIMIT:
            wire.ask(PRESENT)
            wire.run(1)
        before = len(wire.sent)
        wire.run(3)
        event = wire.ask(PRESENT)
        assert isinstance(event, RequestFailed)
        assert isinstance(event.error, ResponseTimeout)
        assert len(wire.sent) - before < 20
        wire.run(300)
        assert wire.ask(PRESENT).response.data == TABLE28[:40]


class TestKey:
    @pytest.mark.parametrize("refusal", [OpticalResponseCode.ERR, OpticalResponseCode.ISC, OpticalResponseCode.DLK])
    def test_07_14_a_wrong_key_is_shown_exactly_once(self, optical, refusal):
        wire, _ = optical.pair(key=WRONG, meter=Meter(refusal=refusal))
        event = wire.ask(PRESENT)
        assert isinstance(event.error, KeyRejected)
        assert "letter of your grid company" in str(event.error)
        for _ in range(60):
            wire.run(10)
            with pytest.raises(KeyRejected):
                wire.client.request(PRESENT, wire.now)
        assert len(sent(wire, Security)) == 1
        assert ended(wire) == [EndReason.REFUSED]
        assert wire.client.quiet

    @pytest.mark.parametrize("seed", range(8))
    def test_07_14_a_bad_line_does_not_show_it_twice(self, optical, seed):
        wire, _ = optical.pair(key=WRONG, up=optical.Lossy(0.2, seed), down=optical.Lossy(0.2, seed + 50))
        answers = []
        wire.server._check, check = lambda password: answers.append(check(password)) or answers[-1], wire.server._check
        event = wire.ask(PRESENT)
        assert isinstance(event.error, KeyRejected | LinkError)
        assert len(answers) <= 2

    def test_a_key_that_draws_no_answer_is_shown_twice_at_most(self, optical):
        wire, _ = optical.pair(key=WRONG)
        wire.server._check = lambda password: Response(OpticalResponseCode.BSY)
        event = wire.ask(PRESENT)
        assert isinstance(event.error, LinkRefused)
        assert len(sent(wire, Security)) == 2
        assert wire.client.request(PRESENT, wire.now) is None

    def test_07_15_what_a_key_may_not_read_is_said_and_the_rest_goes_on(self, optical):
        tables = {table_id(name): b"x" * 60 for name in ("BT04", "ET21", "ET51", "BT61")}
        wire, _ = optical.pair(tables)
        for name in ("BT04", "ET21", "ET51"):
            assert wire.ask(Read(table_id(name))).response == Response(OpticalResponseCode.ISC)
            assert wire.ask(Read(4096 + table_id(name))).response == Response(OpticalResponseCode.ISC)
            assert wire.ask(Read(61)).response == Response(0, b"x" * 60)
        assert wire.ask(Write(61, b"x")).response == Response(OpticalResponseCode.ISC)
        wire, _ = optical.pair(tables, access=Access.PROVISIONING)
        assert wire.ask(Read(table_id("ET21"))).response.ok

    def test_without_a_key_a_meter_shows_its_name(self, optical):
        wire, memory = optical.pair({0: b"0" * 20, 1: b"1" * 24, 2051: b"3" * 30, 23: b"?"})
        wire.client = OpticalClient(None)
        assert wire.ask(Read(1)).response.data == b"1" * 24
        assert wire.ask(Read(2051)).response.data == b"3" * 30
        assert wire.ask(Read(23)).response == Response(OpticalResponseCode.ISC)
        assert not sent(wire, Security)
        assert Read(23) not in memory.asked


class TestGoals:
    def test_identify_needs_no_session(self, optical):
        wire, _ = optical.pair(meter=Meter(identity=Identity(0, 1, 0, b"\x04")))
        wire.client.identify(0.0)
        assert wire.result() == Identified(Identity(0, 1, 0, b"\x04"))
        assert sent(wire, object) == [Identify()]
        wire.client.identify(wire.now)
        wire.run(0.1)
        assert wire.events.count(Identified(Identity(0, 1, 0, b"\x04"))) == 2

    def test_login_opens_a_session(self, optical):
        wire, _ = optical.pair(meter=Meter(limits=Limits(128, 4)))
        wire.client.login(0.0)
        assert wire.result() == SessionOpened(Limits(128, 4), secured=True)
        assert wire.client.proven

    def test_wakeup_comes_before_the_first_packet(self, optical):
        wire, _ = optical.pair(settings=SessionSettings(wakeup=b"\x55"))
        assert wire.ask(PRESENT).response.ok
        assert wire.sent[0] == (0.0, b"\x55")
        assert wire.sent[1][0] == pytest.approx(0.05)


class TestBusy:
    def answers(self, wire, codes):
        plain = wire.server._handler
        wire.server._handler = lambda request, access: Response(codes.pop(0)) if codes else plain(request, access)

    @pytest.mark.parametrize("code", [OpticalResponseCode.BSY, OpticalResponseCode.DNR])
    def test_busy_is_asked_again_after_two_seconds(self, optical, code):
        wire, _ = optical.pair()
        self.answers(wire, [code] * 3)
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        times = [time for time, service in services(wire) if service == PRESENT]
        assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([2.0] * 3, abs=0.1)

    def test_always_busy_is_said(self, optical):
        wire, _ = optical.pair()
        self.answers(wire, [OpticalResponseCode.BSY] * 50)
        error = wire.ask(PRESENT).error
        assert isinstance(error, LinkRefused)
        assert "reading BT28: it is still busy" in str(error)

    @pytest.mark.parametrize("code", [OpticalResponseCode.RNO, OpticalResponseCode.ISSS])
    def test_renegotiate_begins_anew(self, optical, code):
        wire, _ = optical.pair()
        self.answers(wire, [code])
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert ended(wire) == [EndReason.RESTARTED]
        self.answers(wire, [code] * 50)
        error = wire.ask(PRESENT).error
        assert isinstance(error, LinkRefused)
        assert f"(response 0x{code:02X})" in str(error)

    def test_other_refusals_are_the_answer(self, optical):
        wire, _ = optical.pair()
        assert wire.ask(Read(99)).response == Response(OpticalResponseCode.IAR)
        self.answers(wire, [OpticalResponseCode.DLK] * 2)
        error = wire.ask(PRESENT).error
        assert isinstance(error, MeterRefused)
        assert error.code == OpticalResponseCode.DLK

    @pytest.mark.parametrize("code", [OpticalResponseCode.IAR, OpticalResponseCode.ISC, OpticalResponseCode.DLK])
    def test_n1_a_refused_table_is_asked_for_again_once_in_a_fresh_session(self, optical, code):
        """The refusal may have been the answer to another program at the same probe."""
        wire, _ = optical.pair()
        wire.ask(PRESENT)
        self.answers(wire, [code])
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert ended(wire) == [EndReason.REPEATED]
        assert len(sent(wire, Security)) == 2
        self.answers(wire, [code] * 50)
        wire.ask(PRESENT)
        assert ended(wire).count(EndReason.REPEATED) == 2
        assert len(sent(wire, Security)) == 3

    def test_n1_a_refused_write_is_not_repeated(self, optical):
        wire, _ = optical.pair(access=Access.UNIQUE)
        self.answers(wire, [OpticalResponseCode.ONP])
        assert wire.ask(PartialWrite(28, 0, b"\xaa")).response == Response(OpticalResponseCode.ONP)
        assert ended(wire) == []

    @pytest.mark.parametrize("code", [*OpticalResponseCode][1:])
    @pytest.mark.parametrize("service", [Identify, Negotiate, Logon, Security])
    def test_n1_a_refused_session_is_no_refused_table(self, optical, service, code):
        wire, _ = optical.pair()
        carry_out = wire.server._carry_out
        wire.server._carry_out = lambda asked, now: (
            Response(code) if isinstance(asked, service) else carry_out(asked, now)
        )
        event = wire.ask(PRESENT)
        if isinstance(event, RequestFailed):
            assert not isinstance(event.error, MeterRefused)
            assert isinstance(event.error, LinkError | PasswordRefused)
        else:
            assert service is Negotiate
            assert event.response.data == TABLE28[:40]


class TestLoss:
    def test_a_read_is_asked_again_in_a_new_session(self, optical):
        wire, _ = optical.pair()
        wire.ask(PRESENT)
        gone = wire.now + 10
        wire.up = lambda data: [] if wire.now < gone else [(0.0, data)]
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert ended(wire) == [EndReason.LOST]

    def test_a_write_without_answer_is_not_repeated(self, optical):
        wire, memory = optical.pair(access=Access.UNIQUE)
        wire.ask(PRESENT)
        wire.down = lambda data: []
        event = wire.ask(PartialWrite(28, 0, b"\xaa"))
        assert isinstance(event.error, WriteUncertain)
        assert memory.asked.count(PartialWrite(28, 0, b"\xaa")) == 1

    def test_a_write_answered_by_nonsense_is_not_repeated(self, optical):
        wire, _ = optical.pair(access=Access.UNIQUE)
        served = []
        wire.server._serve = lambda request: served.append(request) or Response(0, b"nonsense")
        assert isinstance(wire.ask(Write(28, b"\xaa")).error, WriteUncertain)
        assert served == [Write(28, b"\xaa")]

    def test_a_meter_that_is_gone_is_said(self, optical):
        wire, _ = optical.pair()
        wire.ask(PRESENT)
        wire.up = lambda data: []
        start = wire.now
        error = wire.ask(PRESENT).error
        assert isinstance(error, ResponseTimeout)
        assert wire.now - start < 30

    def test_answers_of_an_older_session_are_no_identity(self, optical):
        wire, _ = optical.pair()
        late = [Packet(b"\0", toggle=True).encode(), Packet(b"\0\0\x04\1\2\3\4\xf6").encode()]
        for data in late:
            wire.put("client", data)
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert wire.client.identity == Identity()
        assert [event for event in wire.events if isinstance(event, ReplyDropped)]

    def test_an_abandoned_answer_is_not_the_next_ones(self, optical):
        wire, _ = optical.pair(down=optical.Delayed(0.5))
        wire.ask(PRESENT)
        wire.client.request(PartialRead(23, 0, 40), wire.now)
        wire.run(0.2)
        wire.client.abandon()
        assert wire.ask(PartialRead(28, 40, 40)).response.data == TABLE28[40:80]

    def test_an_answer_of_another_length_is_dropped(self, optical):
        wire, _ = optical.pair()
        wire.ask(PRESENT)
        serve, shorter = wire.server._serve, [1]
        wire.server._serve = lambda request: Response(0, b"1234") if shorter and shorter.pop() else serve(request)
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert ended(wire) == [EndReason.RESTARTED]

    def test_answers_that_never_fit_are_said(self, optical):
        wire, _ = optical.pair()
        wire.server._serve = lambda request: Response(0, b"1234")
        assert isinstance(wire.ask(PRESENT).error, CorruptFrame)


class TestParts:
    def test_07_17_past_the_end_a_meter_fills_with_zeros(self, optical):
        wire, _ = optical.pair({28: b"\1" * 10})
        assert wire.ask(PartialRead(28, 0, 300)).response.data == (b"\1" * 10).ljust(300, b"\0")

    def test_parts_of_a_pending_table_lose_their_event_descriptions(self, optical):
        """Count includes the six bytes, offset does not (Optical guide v1.1 p. 9)."""
        description, table = b"EVENT.", bytes(range(200))

        def handler(request, access):
            data = table[request.offset : request.offset + request.count - 6]
            return Response(0, description + data)

        wire, _ = optical.pair(meter=Meter(limits=None))
        wire.server._handler = handler
        answer = wire.ask(PartialRead(4096 + 54, 3, 156)).response.data
        assert answer == description + table[3:153]

    def test_one_request_at_a_time(self, optical):
        wire, _ = optical.pair()
        wire.client.request(PRESENT, 0.0)
        with pytest.raises(MisuseError):
            wire.client.request(PRESENT, 0.0)


def test_07_22_the_line_is_used_well(optical):
    """Paced 9600 baud, 20 ms of latency a reply: BT23 0/8 and BT28 0/40 logged in, at least five times a second."""

    class Paced:
        def __init__(self, wire_latency):
            self.latency, self.free, self.wire = wire_latency, 0.0, None

        def __call__(self, data):
            start = max(self.free, self.wire.now + self.latency)
            self.free = start + len(data) * 10 / 9600
            return [(self.free - self.wire.now, data)]

    up, down = Paced(0.0), Paced(0.02)
    wire, _ = optical.pair(up=up, down=down)
    up.wire = down.wire = wire
    wire.ask(PRESENT)
    start = wire.now
    for _ in range(20):
        for request in (PartialRead(23, 0, 8), PRESENT):
            wire.client.request(request, wire.now)
            seen = len(wire.events)
            while not any(isinstance(event, ResponseReceived) for event in wire.events[seen:]):
                wire.step()
    assert 20 / (wire.now - start) > 5


@given(st.lists(st.binary(max_size=40), max_size=12))
@settings(max_examples=50, deadline=None)
def test_random_bytes_never_break_an_end(chunks):
    client = OpticalClient(None)
    server = OpticalServer({}, lambda request, access: Response(0))
    now = 0.0
    client.request(PRESENT, now)
    for chunk in chunks:
        now += 0.3
        for end in (client, server):
            for event in [*end.receive(chunk, now), *end.expire(now)]:
                error = getattr(event, "error", None)
                assert error is None or isinstance(error, OsgpError)
        client.bytes_to_send()
        server.take()
    while client.busy:
        now = client.deadline()
        client.expire(now)
        client.bytes_to_send()
    assert now < 120 + 0.3 * len(chunks)


class Storm:
    """Loses, damages, doubles and delays, and adds noise, signals and starts of packets in between."""

    def __init__(self, seed):
        self.random, self.last, self.wire = random.Random(seed), 0.0, None

    def __call__(self, data):
        rnd = self.random
        if rnd.random() < 0.1:
            return []
        data = bytes(byte ^ (1 << rnd.randrange(8)) if rnd.random() < 1e-3 else byte for byte in data)
        if rnd.random() < 0.15:
            data = rnd.choice([b"\0\0", bytes((ACK,)), bytes((NAK,)), b"\xee", rnd.randbytes(9)]) + data
        if rnd.random() < 0.15:
            data += data
        self.last = max(self.last, self.wire.now + rnd.random())
        return [(self.last - self.wire.now, data)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("limits", [None, Limits(64, 4), Limits(512, 16)], ids=str)
def test_07_08_no_storm_puts_one_answer_in_anothers_place(optical, seed, limits):
    """Each request differs from the one before in its offset only, so their answers look alike."""
    up, down = Storm(seed), Storm(-1 - seed)
    wire, _ = optical.pair(up=up, down=down, meter=Meter(limits=limits))
    up.wire = down.wire = wire
    for offset in range(15):
        event = wire.ask(PartialRead(28, offset, 60))
        if isinstance(event, ResponseReceived):
            assert event.response == Response(0, TABLE28[offset : offset + 60])
        else:
            assert isinstance(event.error, LinkError | MeterRefused)
