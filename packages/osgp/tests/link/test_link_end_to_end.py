"""Client and server over good and bad lines: a value is right or absent."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osgp.errors import KeyRejected, LinkError, ResponseTimeout, WriteUncertain
from osgp.key import MeterKey
from osgp.mep.events import Resynchronised, Retried
from osgp.mep.timing import REQUEST_SPACING, Line
from osgp.psem import PartialRead, Response, Write

SIZES = (1, 6, 44, 111, 220, 465)


def fill(memory):
    for table, size in enumerate(SIZES, 20):
        memory.tables[table] = bytearray((table * 31 + place) % 256 for place in range(size))


LINES = {
    "perfect": {},
    "one byte at a time": {"chunk": 1, "delay": (0.0, 0.002)},
    "20 % loss": {"loss": 0.2},
    "delayed": {"delay": (0.05, 0.7)},
    "9600 baud": {"baud": 9600},
    "noisy": {"noise": 0.001},
    "everything": {"loss": 0.1, "noise": 0.001, "duplicates": 0.1, "delay": (0.0, 0.1), "chunk": 50},
}


@pytest.mark.parametrize("encrypt", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("name", LINES)
def test_a_value_is_right_or_absent(make_wire, line_model, name, encrypt):
    rounds = 60
    right = absent = 0
    wire = make_wire(line_model(**LINES[name], random=random.Random(name)), encrypt=encrypt)
    fill(wire.memory)
    for turn in range(rounds):
        table = 20 + turn % len(SIZES)
        data = wire.memory.tables[table]
        count = random.Random(turn).randint(1, len(data))
        answer = wire.ask(PartialRead(table, len(data) - count, count))
        if isinstance(answer, Response):
            assert answer == Response(0, bytes(data[len(data) - count :]))
            right += 1
        else:
            assert isinstance(answer, LinkError), answer
            absent += 1
    assert right + absent == rounds
    expected = {"20 % loss": 0.75, "delayed": 0.5, "noisy": 0.75, "everything": 0.5}
    assert right >= rounds * expected.get(name, 1), (right, absent)


@pytest.mark.parametrize("name", ["perfect", "one byte at a time", "9600 baud"])
def test_good_lines_need_no_retry_but_the_first_sequence_number(make_wire, line_model, name):
    wire = make_wire(line_model(**LINES[name]))
    fill(wire.memory)
    for table in range(20, 26):
        wire.ask(PartialRead(table, 0, 1))
    assert [type(event) for event in wire.events[:2]] == [Resynchronised, Retried]
    assert sum(isinstance(event, Resynchronised | Retried) for event in wire.events) == 2


def test_a_wrong_key_is_told_from_noise(make_wire):
    wire = make_wire(key=MeterKey(b"another key.1234"))
    fill(wire.memory)
    assert isinstance(wire.ask(PartialRead(20, 0, 1)), KeyRejected)
    assert wire.memory.asked == []


@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.1, 0.4]),
    noise=st.sampled_from([0.0, 0.001, 0.02]),
    duplicates=st.sampled_from([0.0, 0.3]),
    late=st.sampled_from([0.0, 0.2, 1.5]),
    chunk=st.sampled_from([0, 1, 7, 64]),
    encrypt=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_schedule_of_loss_noise_and_delay_gives_a_wrong_value(
    make_wire, line_model, seed, loss, noise, duplicates, late, chunk, encrypt
):
    """The registers move all the time; an answer must be what the meter held at a moment while it was being asked."""
    chance = random.Random(seed)
    line = line_model(loss, noise, duplicates, (0.0, late), chunk, random=chance)
    wire = make_wire(line, encrypt=encrypt)
    fill(wire.memory)
    for _ in range(15):
        table = chance.choice(range(20, 26))
        data = wire.memory.tables[table]
        data[0] = (data[0] + 1) % 256
        count = chance.randint(1, len(data))
        answer = wire.ask(PartialRead(table, 0, count))
        if isinstance(answer, Response):
            assert answer == Response(0, bytes(data[:count]))
        else:
            assert isinstance(answer, LinkError | KeyRejected)
        wire.rest(chance.choice([0.0, 0.0, 0.3, 2.0]))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_is_not_mistaken_for_a_wrong_key(make_wire, line_model, seed):
    wire = make_wire(line_model(loss=0.1, noise=0.005, random=random.Random(seed)))
    fill(wire.memory)
    answers = [wire.ask(PartialRead(22, 0, 44)) for _ in range(30)]
    assert not [answer for answer in answers if isinstance(answer, KeyRejected)]


def test_writes_happen_once_or_are_called_uncertain(make_wire, line_model):
    """Each write adds one byte to a log in the meter; none may add two."""
    for seed in range(40):
        wire = make_wire(line_model(loss=0.3, random=random.Random(seed)))
        wire.memory.tables[7] = bytearray(4)
        answer = wire.ask(Write(7, seed.to_bytes(4, "little")))
        times = len(wire.memory.asked)
        assert times <= 1
        if isinstance(answer, Response):
            assert times == 1
        else:
            assert isinstance(answer, WriteUncertain | ResponseTimeout)


@pytest.mark.parametrize("size", [40, 100, 220, 465])
@pytest.mark.parametrize("baud", [2400, 9600])
def test_a_burst_uses_the_line_to_the_full(make_wire, line_model, size, baud):
    """At least 95 % of the line's limit, which is, for each question and answer, what cannot be shortened:
    the bytes of both at the baud rate, 25 ms after each 117 bytes of the answer, and 100 ms from question to question.
    """
    wire = make_wire(line_model(baud=baud, chunk=1), timing=Line(baud))
    wire.memory.tables[23] = bytearray(size)
    wire.ask(PartialRead(23, 0, size))
    began, rounds = wire.now, 8
    for _ in range(rounds):
        assert wire.ask(PartialRead(23, 0, size)).ok
    up, down = 2 + 12 + 8, 2 + 3 + size + 8
    line = Line(baud)
    limit = rounds * max(line.seconds(up) + line.response_seconds(down), REQUEST_SPACING)
    assert wire.now - began <= limit / 0.95
