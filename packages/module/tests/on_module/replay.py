"""Runs a recorded conversation through the client of a MEP line and prints all that it says; on MicroPython and on CPython.

Lines of JSON come in. The first: encrypt, first sequence number, latency, when it starts. Then steps: what is
done, when (milliseconds since the start), with what.
"""

import json
import sys

from osgp.errors import OsgpError
from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.timing import Line
from osgp.psem import PartialRead, PartialWrite, Read, Write

KEY = "ABCDEFGHIJKLMNOPQRST"
KINDS = {"Read": Read, "PartialRead": PartialRead, "Write": Write, "PartialWrite": PartialWrite}


def shown(thing):
    """Return an event or what is in it as a text that is the same on both interpreters."""
    if thing is None or thing is True or thing is False:
        return str(thing)
    if isinstance(thing, int):
        return str(int(thing))
    if isinstance(thing, (bytes, bytearray)):
        return hexed(thing)
    if isinstance(thing, str):
        return str(thing)
    if isinstance(thing, Exception):
        return type(thing).__name__ + ": " + str(thing)
    names = getattr(thing, "_fields", None) or getattr(thing, "__dataclass_fields__", ())
    return (
        type(thing).__name__
        + "("
        + ", ".join([name + "=" + shown(getattr(thing, name)) for name in sorted(names)])
        + ")"
    )


def hexed(data):
    # Of no bytes at all MicroPython 1.25 gives b"", not "".
    return bytes(data).hex() if data else ""


def request_of(kind, table, more):
    data = [bytes.fromhex(one) if isinstance(one, str) else one for one in more]
    return KINDS[kind](table, *data)


def same(number):
    return number


class Replay:
    """A client that steps are played to.

    Args:
        head: encrypt, first sequence number, latency, when it starts, the last two in milliseconds.
        time: makes the client's time of milliseconds.
        whole: makes milliseconds of the client's time, up to the next whole one.
        baud: speed of the line.
    """

    def __init__(self, head, time=same, whole=same, baud=9600):
        encrypt, first, latency, self.start = head
        self.time, self.whole = time, whole
        line = Line(baud, time(latency))
        self.client = MepClient(MeterKey.parse(KEY), encrypt=encrypt, first_sequence=first, line=line)

    def now(self, at):
        return self.time(self.start + at)

    def deadline(self):
        due = self.client.deadline()
        return None if due is None else self.whole(due) - self.start

    def step(self, what, at, more):
        """Do one thing; return what came of it as one line."""
        events: list = []
        try:
            if what == "request":
                self.client.request(request_of(*more), self.now(at))
            elif what == "receive":
                events = self.client.receive(bytes.fromhex(more), self.now(at))
            elif what == "abandon":
                self.client.abandon()
            else:
                events = self.client.expire(self.now(at))
        except OsgpError as error:
            events.append(error)
        sent = hexed(self.client.bytes_to_send())
        state = str(self.client.busy) + " " + str(self.client.proven) + " " + str(self.deadline())
        return what + " " + str(at) + " -> " + sent + " | " + "; ".join([shown(one) for one in events]) + " | " + state


def main():
    replay = None
    for line in sys.stdin:
        if not line.strip():
            continue
        given = json.loads(line)
        if len(given) == 4:
            replay = Replay(given)
        else:
            print(replay.step(*given))


if __name__ == "__main__":
    main()
