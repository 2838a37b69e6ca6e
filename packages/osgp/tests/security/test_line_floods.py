"""Floods, storms and dribble on a line: they cost little, and each request still ends."""

import itertools

import pytest

from osgp.errors import KeyFormatError
from osgp.key import MeterKey
from osgp.mep import client as rules
from osgp.mep.client import REFUSALS_UNPROVEN, STRAYS, MepClient
from osgp.mep.digest import KeySchedule, digest
from osgp.mep.events import AlertReceived, RequestFailed, ResponseReceived
from osgp.mep.frame import MOST_ITEMS
from osgp.psem import PartialRead

KEY = MeterKey(b"Sixteen secrets!")
READ = PartialRead(28, 0, 4)
CHUNK = 256 * 1024
LONGEST = 60.0
"""Seconds within which every request must end, whatever comes."""

FLOODS = {
    "alerts": b"\0\0",
    "refusals": bytes.fromhex("0009 0B 0000000000000000"),
    "short frames": b"\0\x09" + b"x" * 9,
    "long frames": b"\x01\xdc" + b"x" * 476,
    "one-byte frames": b"\0\x01\x0b",
    "ones": b"\xff",
}


@pytest.fixture
def digests(monkeypatch):
    """Count how often a digest is computed over what came."""
    count = itertools.count()

    def verify(*args):
        next(count)
        return real(*args)

    real = rules.verify
    monkeypatch.setattr(rules, "verify", verify)
    return lambda: int(repr(count)[6:-1])


@pytest.fixture
def client():
    """Give a client that has asked before, so that it looks for late replies."""
    client = MepClient(KEY, first_sequence=1)
    for second in range(8):
        client.request(READ, float(second))
        client.abandon()
    client.bytes_to_send()
    return client


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("asked", [True, False], ids=["while waiting", "while idle"])
def test_a_flood_costs_no_more_than_a_few_digests(client, digests, flood, asked):
    if asked:
        client.request(READ, 100.0)
    events = []
    for _ in range(20):
        events += client.receive(flood * (CHUNK // len(flood)), 100.01)
    assert digests() <= 5 * (STRAYS + 2)
    assert len(events) <= 20 * (MOST_ITEMS + 1)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("size", [1, 3, 4096], ids=["dribble", "trickle", "chunks"])
def test_a_request_ends_whatever_comes_without_end(client, digests, flood, size):
    stream = flood * (1 + size // len(flood) + 512)
    places = itertools.cycle(range(512))
    now = 100.0
    client.request(READ, now)
    while client.busy:
        assert now < 100.0 + LONGEST
        place = next(places)
        events = client.receive(stream[place : place + size], now)
        events += client.expire(now)
        client.bytes_to_send()
        now += 0.04
    assert isinstance(events[-1], RequestFailed)
    assert digests() < 500
    assert client.receive(b"", now) == []


def answer(sent):
    """Return the meter's answer to the last request in what was sent."""
    body = b"\0\0\4\1\2\3\4"
    return b"\0\x0f" + body + digest(KeySchedule(KEY.secret), sent[2:-8], body)


def test_a_true_answer_counts_although_a_false_refusal_came_first(client):
    client.request(READ, 100.0)
    sent = client.bytes_to_send()
    client.receive(FLOODS["refusals"], 100.001)
    events = client.receive(answer(sent), 100.02)
    assert isinstance(events[-1], ResponseReceived)
    assert not client.busy


def test_true_answers_keep_false_refusals_from_adding_up(client):
    for second in range(REFUSALS_UNPROVEN * 10):
        client.request(READ, float(200 + second))
        sent = client.bytes_to_send()
        client.receive(FLOODS["refusals"], 200 + second + 0.001)
        assert isinstance(client.receive(answer(sent), 200 + second + 0.02)[-1], ResponseReceived)


def test_alerts_of_a_real_meter_are_all_counted(client):
    events = client.receive(b"\0\0" * 40, 100.0)
    assert events == [AlertReceived()] * 40


@pytest.mark.parametrize("text", ["1" + " " * 100_000 + "x", "1" * 5000 + " 2", "1," * 100_000, "a" * 1_000_000])
def test_a_long_text_in_place_of_a_key_is_refused_at_once(text):
    with pytest.raises(KeyFormatError, match="characters") as refused:
        MeterKey.parse(text)
    assert len(str(refused.value)) < 300
