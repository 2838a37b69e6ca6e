"""Meters and probes that are not as the standard has them: read nevertheless, or called by their fault."""

import pytest

from osgp.errors import CorruptFrame, MisuseError
from osgp.optical.datalink.packet import Packet, PacketReader
from osgp.optical.events import ReplyDropped, Retried
from osgp.optical.services import Negotiate, OpticalResponseCode
from osgp.optical.settings import SessionSettings
from osgp.optical.timing import Limits, Line
from osgp.psem import PartialRead, Response

PRESENT = PartialRead(28, 0, 40)
TABLE28 = bytes(range(164))


class Deaf:
    """A way to the meter that loses what arrives too soon after the meter has sent."""

    def __init__(self, wire, seconds):
        self.wire, self.seconds = wire, seconds

    def __call__(self, data):
        wire = self.wire
        ended = wire.answered[-1][0] if wire.answered else float("-inf")
        late = [(place * 10 / 9600, data[place : place + 1]) for place in range(len(data))]
        heard = b"".join(byte for delay, byte in late if wire.now + delay >= ended + self.seconds)
        return [(0.0, heard)] if heard else []


class TestTurnaround:
    def read(self, optical, deaf, times=60, **settings):
        wire, _ = optical.pair(settings=SessionSettings(**settings))
        wire.up = Deaf(wire, deaf)
        wire.run = lambda seconds: None  # the next question follows at once
        began = wire.now
        for _ in range(times):
            assert wire.ask(PRESENT).response.data == TABLE28[:40]
        return wire.now - began, sum(isinstance(event, Retried) for event in wire.events)

    @pytest.mark.parametrize("deaf", [0.005, 0.010, 0.020])
    def test_a_meter_that_is_deaf_after_sending_is_waited_for(self, optical, deaf):
        quick, _ = self.read(optical, 0.0)
        slow, repeats = self.read(optical, deaf)
        assert repeats <= 12, "it is found out in the first exchanges"
        settled, none = self.read(optical, deaf, turnaround=2 * deaf)
        assert none == 0
        assert slow < settled + 30
        assert settled < quick + 60 * 2 * 2 * deaf + 1

    def test_it_stays_found_out(self, optical):
        wire, _ = optical.pair()
        wire.up = Deaf(wire, 0.005)
        wire.run = lambda seconds: None
        for _ in range(20):
            wire.ask(PRESENT)
        wire.events.clear()
        for _ in range(200):
            wire.ask(PRESENT)
        assert not any(isinstance(event, Retried | ReplyDropped) for event in wire.events)

    def test_a_good_line_is_not_slowed_down(self, optical):
        wire, _ = optical.pair()
        for _ in range(100):
            wire.ask(PRESENT)
        assert wire.client._link._turnaround == 0.0

    def test_a_setting_is_kept_to(self, optical):
        wire, _ = optical.pair(settings=SessionSettings(turnaround=0.03))
        wire.ask(PRESENT)
        heard = None
        for time, data in sorted([*wire.sent, *((time, None) for time, _ in wire.answered)], key=lambda each: each[0]):
            if data is None:
                heard = time
            elif heard is not None:
                assert time >= heard + 0.03

    @pytest.mark.parametrize("seconds", [-0.001, 0.6])
    def test_impossible(self, seconds):
        with pytest.raises(MisuseError, match="turnaround"):
            SessionSettings(turnaround=seconds)

    def test_the_line_may_say_it_too(self, optical):
        wire, _ = optical.pair(line=Line(turnaround=0.01))
        assert wire.ask(PRESENT).response.ok


class TestNegotiate:
    def test_a_bare_ok_grants_nothing_and_all_goes_on(self, optical):
        wire, memory = optical.pair()
        wire.server._negotiate = lambda asked: Response(OpticalResponseCode.OK)
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        assert wire.client.limits == Limits(64, 1)
        assert wire.ask(PartialRead(28, 0, 160)).response.data == TABLE28[:160]
        assert len(memory.asked) == 1 + 4
        assert not any(isinstance(event, Retried) for event in wire.events)

    def test_an_answer_nobody_understands_is_lived_without(self, optical):
        wire, _ = optical.pair()
        wire.server._negotiate = lambda asked: Response(OpticalResponseCode.OK, b"\x02")
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        wire.run(600)
        assert wire.ask(PRESENT).response.data == TABLE28[:40]
        asked = []
        reader = PacketReader(8192)
        for _, data in wire.sent:
            asked += [item for item in reader.feed(data) if isinstance(item, Packet)]
        assert sum(packet.data[:1] == b"\x61" for packet in asked) <= 2
        assert Negotiate(Limits(512, 16), (9600,)) == SessionSettings().negotiation()


class TestToggle:
    def test_a_meter_that_never_toggles_is_called_that(self, optical):
        wire, _ = optical.pair()

        def untoggled(data):
            reader, found = PacketReader(8192), []
            for item in reader.feed(data):
                plain = Packet(item.data, toggle=False).encode() if isinstance(item, Packet) else None
                found.append(plain if plain is not None else data[:1])
            return [(0.0, b"".join(found))]

        wire.down = untoggled
        event = wire.ask(PRESENT)
        assert isinstance(event.error, CorruptFrame)
        assert "do not change their toggle bit" in str(event.error)
        assert "Put the probe straight" not in str(event.error)
