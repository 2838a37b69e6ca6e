"""Client and server over good and bad lines: a value is right or absent."""

import random

import pytest

from osgp.errors import KeyRejected, LinkError
from osgp.key import MeterKey
from osgp.mep.events import Resynchronised, Retried
from osgp.psem import PartialRead, Response

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
