"""The tables of states: what they allow happens, what they do not allow has an error of its own, and nothing held is lost."""

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import IllegalMove, MisuseError
from osgp.moves import move
from osgp.optical.datalink import link as module
from osgp.optical.datalink.events import ExchangeFailed, MessageDelivered, MessageReceived
from osgp.optical.datalink.link import Link
from osgp.optical.datalink.packet import ACK, NAK, Packet, split_message
from osgp.optical.datalink.states import MOVES, Happening, LinkState, Role
from osgp.optical.timing import TURNAROUNDS, Limits, Line

HELD = {LinkState.HELD_FIRST, LinkState.HELD_NEXT}
SMALL = Limits(size=10, packets=4)
LINES = st.sampled_from(
    [Line(turnaround=0.0), Line(turnaround=0.01), Line(turnaround=TURNAROUNDS[-1]), Line(latency=0.4)]
)
PATIENCE = {Role.CLIENT: 6.0, Role.METER: None}

packets = st.one_of(
    st.builds(Packet, st.binary(min_size=1, max_size=2), toggle=st.booleans()),
    st.builds(
        Packet,
        st.binary(min_size=1, max_size=2),
        toggle=st.booleans(),
        multi=st.just(True),
        first=st.booleans(),
        to_come=st.integers(0, 2),
    ),
)
spoiled = packets.map(lambda packet: packet.encode()[:-1] + b"\xa5")
heard = st.one_of(
    st.just(bytes((ACK,))),
    st.just(bytes((NAK,))),
    packets.map(Packet.encode),
    spoiled,
    st.binary(min_size=1, max_size=9),
)
waits = st.sampled_from([0.0, 0.0001, 0.005, 0.03, 0.3, 2.1, 7.0])
actions = st.one_of(
    st.tuples(st.just("send"), st.binary(min_size=1, max_size=6)),
    st.tuples(st.just("hear"), st.lists(heard, min_size=1, max_size=3).map(b"".join)),
    st.tuples(st.just("echo"), st.just(b"")),
    st.tuples(st.just("wait"), st.just(b"")),
    st.tuples(st.just("next deadline"), st.just(b"")),
    st.tuples(st.just("forget"), st.just(b"")),
)


@pytest.mark.parametrize(("role", "state", "happening"), list(product(Role, LinkState, Happening)), ids=str)
def test_10_a_move_is_in_the_table_or_has_an_error_of_its_own(role, state, happening):
    if state in MOVES[role] and happening in MOVES[role][state]:
        assert move(MOVES[role], state, happening) is MOVES[role][state][happening]
    else:
        with pytest.raises(IllegalMove, match=f"{happening.name} cannot happen to a link that is {state.name}"):
            move(MOVES[role], state, happening)


class Watched:
    """A link whose every move is written down."""

    def __init__(self, role, line):
        self.role, self.now, self.last = role, 0.0, b""
        self.link = Link(line, patience=PATIENCE[role], adapt=True)
        self.link.limits = SMALL
        self.owed = 0
        self.message = b""
        self.reported = []

    def act(self, kind, data):
        link, before = self.link, self.link.state
        match kind:
            case "send" if link.busy:
                with pytest.raises(MisuseError):
                    link.send(data, self.now)
            case "send":
                link.send(data, self.now)
                self.message, self.owed = data, 1
            case "hear":
                self._note(link.receive(data, self.now))
            case "echo" if self.last:
                self._note(link.receive(self.last, self.now))
            case "next deadline" if link.deadline() is not None:
                self.now = max(self.now, link.deadline())  # type: ignore[assignment, type-var]
                self._note(link.expire(self.now))
            case "forget":
                link.forget()
                self.owed = 0
            case _:
                self._note(link.expire(self.now))
        self.last = link.bytes_to_send() or self.last
        return before

    def _note(self, events):
        self.owed -= sum(isinstance(event, MessageDelivered) for event in events)
        self.owed -= sum(isinstance(event, ExchangeFailed) and self.owed > 0 for event in events)
        self.reported += events

    def parts(self):
        """The bytes that each packet of the message under way carries."""
        return [packet.data for packet in split_message(self.message, SMALL.payload, toggle=False)]


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
@settings(max_examples=150, deadline=None)
@given(line=LINES, script=st.lists(st.tuples(waits, actions), max_size=25))
def test_10_whatever_happens_the_link_moves_by_its_table_and_loses_nothing_held(role, line, script):
    watched = Watched(role, line)
    link = watched.link
    for wait, (kind, data) in script:
        watched.now += wait
        watched.act(kind, data)
        # A message that is still owed to the other end is under way, and one that is not is not.
        assert watched.owed == (link.state in HELD | {LinkState.AWAITING_ACK})
        if role is Role.METER:
            assert link.state is not LinkState.AWAITING_REPLY
        assert not link.busy or link.deadline() is not None, "a message is under way and nothing would end it"
    # What is held leaves when the turn-around is over: the ACK first, then the packet.
    if link.state in HELD:
        at = max(watched.now, link.deadline())  # type: ignore[type-var]
        out = b""
        while not out.count(bytes((0xEE,))) and at < watched.now + 1:  # type: ignore[operator]
            link.expire(at)
            out += link.bytes_to_send()
            at += 0.01  # type: ignore[operator]
        packet = out[out.index(0xEE) :]
        assert Packet.decode(packet).data in watched.parts()


@pytest.mark.parametrize("turnaround", [0.0, 0.01, 0.05])
@pytest.mark.parametrize(
    "after", [b"", b"\0\0", Packet(b"?").encode()[:-1] + b"\xa5"], ids=["nothing", "alert", "spoiled"]
)
def test_10_an_ack_that_is_held_is_sent_whatever_is_heard_meanwhile(turnaround, after):
    """A NAK for noise must not take the place of the ACK that waits."""
    meter = Link(Line(turnaround=turnaround))
    meter.receive(Packet(b"ab", multi=True, first=True, to_come=1).encode() + after, 0.0)
    out, now = b"", 0.0
    while now < 0.2:
        now += 0.002
        meter.expire(now)
        out += meter.bytes_to_send()
    assert out[:1] == bytes((ACK,))


def test_10_what_comes_before_a_message_has_left_is_no_answer_to_it():
    """Left over from before; the message leaves all the same, and its own answer is the one that counts."""
    link = Link(Line(turnaround=0.01), patience=6.0)
    link.receive(b"\0", 0.0)
    link.send(b"\x20", 0.0)
    assert link.state is LinkState.HELD_FIRST
    events = link.receive(Packet(b"old", toggle=True).encode(), 0.001)
    assert not [event for event in events if isinstance(event, MessageDelivered | MessageReceived)]
    assert link.state is LinkState.HELD_FIRST
    link.expire(link.deadline())
    assert link.bytes_to_send() == bytes((ACK,)) + Packet(b"\x20").encode()
    events = link.receive(bytes((ACK,)) + Packet(b"new").encode(), 0.1)
    assert events == [MessageDelivered(), MessageReceived(b"new")]


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_10_every_row_of_the_table_happens(role, monkeypatch):
    """A row that nothing brings about, or a move that no row has, is a table that lies."""
    made = set()

    def recorded(table, state, event):
        made.add((state, event))
        return move(table, state, event)

    monkeypatch.setattr(module, "move", recorded)
    chance = random.Random(10)
    for _ in range(400):
        watched = Watched(role, Line(turnaround=chance.choice([0.0, 0.02])))
        toggle = False
        for _ in range(30):
            watched.now += chance.choice([0.0, 0.0, 0.01, 0.3, 2.5])
            toggle = not toggle
            answer = Packet(b"x", toggle=toggle)
            first = Packet(b"x", toggle=toggle, multi=True, first=True, to_come=1)
            watched.act(
                *chance.choice(
                    [
                        ("send", b"abcde"),
                        ("send", b"a"),
                        ("hear", bytes((ACK,))),
                        ("hear", bytes((ACK,))),
                        ("hear", bytes((NAK,))),
                        ("hear", answer.encode()),
                        ("hear", first.encode()),
                        ("next deadline", b""),
                        ("next deadline", b""),
                        ("forget", b"") if chance.random() < 0.2 else ("wait", b""),
                    ]
                )
            )
            if role is Role.CLIENT and watched.link.state is LinkState.IDLE and chance.random() < 0.05:
                watched.link.listen(watched.now)
    assert made == {(state, happening) for state, row in MOVES[role].items() for happening in row}
