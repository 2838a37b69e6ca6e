"""Somebody on the line who has no key, while ``auto`` talks: answers are cut, altered, repeated, made up, and come from other meters.

What is given out is the answer to this very question, and once TLS was seen nothing comes in RC4 mode any more.
"""

from random import Random

import pytest

from osgp.key import MeterKey
from osgp.mep.choosing_client import ChoosingClient
from osgp.mep.client import MepClient
from osgp.mep.events import RequestFailed, ResponseReceived, SecurityChosen
from osgp.mep.pacing import Pacing
from osgp.mep.security import Security, SecuritySeen
from osgp.mep.server import Access, MepServer
from osgp.mep.timing import Line
from osgp.mep.tls_client import TlsClient
from osgp.mep.tls_server import TlsRule
from osgp.psem import PartialRead, Response

KEY = MeterKey(b"Sixteen secrets!")
CODES = (0, 1, 2, 3, 4, 5, 10, 11, 12)


def meter(rule, chance):
    """Make a meter whose data tell which offset was asked for."""
    return MepServer(
        {Access.BASIC: KEY},
        lambda request, access: Response(0, bytes((request.offset,)) * request.count),
        tls=rule,
        sequence=chance.randrange(1 << 32),
    )


def connect(seen, chance):
    pace = Pacing(Line())
    tls = TlsClient(KEY, pace=pace, seen=seen, hello_tries=2)
    return ChoosingClient(tls, MepClient(KEY, pace=pace, first_sequence=chance.randrange(1 << 32)), seen)


def attacked(reply, heard, chance):
    """Return what arrives in place of a reply."""
    heard.append(reply)
    match chance.randrange(20):
        case 0 | 1:
            return chance.choice(heard)
        case 2 | 3:
            return reply[: chance.randrange(len(reply))]
        case 4 | 5:
            place = chance.randrange(len(reply))
            return reply[:place] + bytes((reply[place] ^ 1 << chance.randrange(8),)) + reply[place + 1 :]
        case 6:
            return reply + chance.choice(heard)
        case 7 | 8:
            return bytes((0, 1, chance.choice(CODES)))
        case 9:
            return b""
        case _:
            return reply


@pytest.mark.parametrize("seed", range(60))
def test_answers_are_true_and_tls_is_not_left(seed):
    chance = Random(seed)
    meters = [meter(rule, chance) for rule in TlsRule]
    seen, heard, now = SecuritySeen(), [], 0.0
    client = connect(seen, chance)
    for _ in range(10):
        if chance.random() < 0.3:
            client.close(now)
            for _ in range(20):
                now += 1.0
                client.bytes_to_send()
                client.expire(now)
            assert client.quiet
            client = connect(seen, chance)
        now += 5.0
        client.expire(now)
        request, knew_tls = PartialRead(23, chance.randrange(256), 4), seen.tls
        client.request(request, now)
        ends = []
        for _ in range(400):
            now += 0.05
            at_the_line = chance.choice(meters) if chance.random() < 0.1 else meters[seed % 3]
            if data := client.bytes_to_send():
                at_the_line.receive(data, now)
            at_the_line.expire(now + 0.2)
            reply = b"".join(segment for segment, _ in at_the_line.take())
            events = client.receive(attacked(reply, heard, chance), now + 0.1) if reply else []
            if (deadline := client.deadline()) is not None:
                now = max(now + 0.1, min(deadline, now + 3.0))
                events += client.expire(now)
            assert not knew_tls or SecurityChosen(Security.RC4_PLAIN) not in events
            ends += [event for event in events if isinstance(event, ResponseReceived | RequestFailed)]
            if ends:
                break
        (end,) = ends
        if isinstance(end, ResponseReceived) and end.response.ok:
            assert end.response.data == bytes((request.offset,)) * 4
