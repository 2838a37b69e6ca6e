"""The rewritten link does on MicroPython what ours does here: every frame, event, error text and deadline."""

import heapq
import importlib.util
import json
import random
from fractions import Fraction
from pathlib import Path

import pytest

from osgp.key import MeterKey
from osgp.mep import client as client_module
from osgp.mep import pacing, timing
from osgp.mep.digest import KeySchedule, digest
from osgp.mep.frame import encode_frame
from osgp.mep.server import Access, MepServer
from osgp.psem import PartialRead, Read, Response, ResponseCode

DAY = 86_400_000
HERE = Path(__file__).parent


def _module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "on_module" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REPLAY = _module("replay")
ASKED = [
    ("Read", 1, []),
    ("Read", 23, []),
    ("PartialRead", 28, [0, 100]),
    ("PartialRead", 28, [100, 465]),
    ("Read", 99, []),
    ("PartialWrite", 7, [2, "0102030405"]),
    ("Write", 7, ["aa" * 40]),
]


SEEN = (
    "ResponseReceived", "Retried", "Resynchronised", "AlertReceived", "KeyRejected", "ResponseTimeout", "DigestMismatch", "WriteUncertain",
    *(f"ReplyDropped(reason={reason})" for reason in ("garbage", "broken off", "digest", "refused", "late", "unexpected")),
)  # fmt: skip


def answer(request, access):
    """Answer like a meter: some data, some refusals."""
    del access
    if request.table == 99:
        return Response(ResponseCode.INAPPROPRIATE_ACTION)
    if isinstance(request, PartialRead):
        return Response(ResponseCode.OK, bytes((request.offset + place) * 7 & 255 for place in range(request.count)))
    if isinstance(request, Read):
        return Response(ResponseCode.OK, bytes(range(60)))
    return Response(ResponseCode.OK)


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """Let our client count in exact numbers: what is a deadline to the millisecond here must be one there."""
    for module in (client_module, pacing, timing):
        for name, value in vars(module).items():
            if isinstance(value, float):
                monkeypatch.setattr(module, name, Fraction(str(value)))


class Conversation:
    """Our client and our meter on a bad line. Keeps the steps of the client, and what it said to each."""

    def __init__(self, seed, *, encrypt, latency=0, start=0, trouble=0.1):
        self.chance = chance = random.Random(seed)
        self.trouble = trouble
        head = [encrypt, chance.getrandbits(32), latency, start]
        self.client = REPLAY.Replay(
            head, lambda time: Fraction(time, 1000), lambda time: -(-time * 1000 // 1), Fraction(9600)
        )
        key = MeterKey.parse(REPLAY.KEY if chance.random() > 0.1 else "TSRQPONMLKJIHGFEDCBA")
        names_next, sequence = chance.random() < 0.5, chance.getrandbits(32)
        self.meter = MepServer({Access.BASIC: key}, answer, sequence=sequence, names_next=names_next)
        self.steps, self.said = [head], []
        self.coming = []
        self.now = 0

    def bad(self, share=1.0):
        return self.chance.random() < share * self.trouble

    def do(self, what, more=None):
        self.steps.append([what, self.now, more])
        self.said.append(self.client.step(*self.steps[-1]))
        sent = bytes.fromhex(self.said[-1].split(" -> ")[1].split(" | ")[0])
        if sent and not self.bad():
            self.meter.receive(sent, self.now / 1000)
            if self.bad():
                self.meter.advance(25)
            self.meter.alert(self.bad(), self.now / 1000)

    def meter_answers(self):
        chance = self.chance
        self.meter.expire(self.now / 1000)
        for reply, _ in self.meter.take():
            left = reply
            if self.bad():
                left = bytes(byte ^ (1 << chance.randrange(8) if chance.random() < 0.02 else 0) for byte in left)
            if self.bad():
                left = left[: chance.randrange(len(left))] + chance.randbytes(chance.choice((0, 0, 1, 5, 600)))
            at = self.now
            while left:
                size = chance.choice((1, 7, 64, 600))
                at += chance.randrange(1, 40)
                heapq.heappush(self.coming, (at, len(self.steps) + len(self.coming), left[:size]))
                left = left[size:]

    def ask(self):
        chance = self.chance
        self.do("request", chance.choice(ASKED))
        for _ in range(400):
            self.meter_answers()
            if not self.client.client.busy and (not self.coming or chance.random() < 0.3):
                break
            if self.bad(0.1):
                self.do("abandon")
            self.now += chance.randrange(1, 30)
            while self.coming and self.coming[0][0] <= self.now:
                self.do("receive", heapq.heappop(self.coming)[2].hex())
            self.do("expire")
        self.now += chance.randrange(1, 2000)


def record(seed, **conditions):
    """Return the steps of a conversation and what the client said, line by line."""
    conversation = Conversation(seed, **conditions)
    for _ in range(25):
        conversation.ask()
    return conversation.steps, conversation.said


@pytest.mark.parametrize("encrypt", [False, True])
def test_recorded_conversations_are_the_same_byte_for_byte(micropython, encrypt):
    steps, said = [], []
    for seed in range(20):
        more, lines = record(seed, encrypt=encrypt, latency=seed % 3 * 100)
        steps += more
        said += lines
    text = "\n".join(said)
    missing = [seen for seen in SEEN if seen not in text]
    assert not missing, "the conversations are too tame to prove anything"
    got = micropython("replay.py", "\n".join(map(json.dumps, steps))).splitlines()
    assert got == said


class Forged:
    """Our client and a meter that answers with the right digest whatever it is told to: what no honest meter says."""

    def __init__(self):
        head = [False, 4711, 0, 0]
        self.client = REPLAY.Replay(
            head, lambda time: Fraction(time, 1000), lambda time: -(-time * 1000 // 1), Fraction(9600)
        )
        self.key = KeySchedule(MeterKey.parse(REPLAY.KEY).secret)
        self.steps, self.said = [head], []
        self.now = 0

    def do(self, what, more=None):
        """Do one thing; return what the client sent."""
        self.steps.append([what, self.now, more])
        self.said.append(self.client.step(*self.steps[-1]))
        return bytes.fromhex(self.said[-1].split(" -> ")[1].split(" | ")[0])

    def ask(self, request, bodies):
        """Answer a request with one body after the other, the last one again and again; None: a refusal without a digest."""
        sent, left = self.do("request", request), [*bodies]
        for _ in range(200):
            self.now += 50
            if not sent:
                sent = self.do("expire")
                continue
            body, message = left[0], sent[2:-8]
            left = left[1:] or left
            if body is None or len(message) < 5:
                reply = encode_frame(b"\x0b")
            else:
                reply = encode_frame(body, digest(self.key, message, body))
            sent = self.do("receive", reply.hex())
            if not self.client.client.busy:
                return


def test_what_no_honest_meter_says_is_judged_the_same(micropython):
    forged = Forged()
    good = b"\0\0\x02ab"
    for body in (b"\0", b"\0\0\x05ab", b"\0\0\0", b"\0\0\x03abc", b"\x0c\x01", b"\x05x"):
        forged.ask(("PartialRead", 28, [0, 2]), [body])
    forged.ask(("Write", 7, ["aa"]), [b"\0\1"])
    # Sequence numbers that are never right; then a key that was right and is refused.
    forged.ask(("Read", 1, []), [b"\x0c\0\0\0\5"])
    forged.ask(("PartialRead", 28, [0, 2]), [good])
    forged.ask(("Read", 1, []), [None])
    forged.ask(("PartialRead", 28, [0, 2]), [good])
    forged.do("request", ("Write", 7, ["aa" * 480]))
    forged.do("request", ("Read", 1, []))
    forged.do("request", ("Read", 1, []))
    text = "\n".join(forged.said)
    missing = [
        seen
        for seen in (
            "reason=content",
            "CorruptFrame: ",
            "SequenceLost: ",
            "LinkRefused: ",
            "MisuseError: a request has",
            "MisuseError: one request",
        )
        if seen not in text
    ]
    assert not missing, "the meter is too honest to prove anything"
    got = micropython("replay.py", "\n".join(map(json.dumps, forged.steps))).splitlines()
    assert got == forged.said


def test_the_clock_goes_on_where_the_chip_s_begins_anew(micropython):
    # 32 bits: ticks_ms begins anew after 2**30 milliseconds, and so does the difference of two.
    assert micropython("clock.py").split() == ["34560000000", "34560000000"]


@pytest.mark.parametrize("days", [1, 13, 49, 194, 400])
def test_400_days_of_uptime_change_nothing(micropython, days):
    fresh, _ = record(7, encrypt=False)
    steps, said = record(7, encrypt=False, start=days * DAY)
    assert fresh[1:] == steps[1:]
    got = micropython("replay.py", "\n".join(map(json.dumps, steps))).splitlines()
    assert got == said
