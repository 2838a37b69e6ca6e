"""Whatever a line does, each request is answered once and in time: right data, a refusal, or an error of ours."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["osgp"]):
    from osgp.errors import OsgpError
    from osgp.optical.events import RequestFailed, ResponseReceived
    from osgp.optical.key import OpticalKey
    from osgp.optical.server import Access, OpticalServer
    from osgp.optical.session import OpticalClient
    from osgp.psem import PartialRead, Request, Response

KEY = OpticalKey(b"0123456789abcdefghij")
TABLE = bytes(range(200))
REQUESTS = (PartialRead(28, 0, 40), PartialRead(28, 40, 100))
LONGEST = 600.0


def serve(request: Request, _access: Access) -> Response:
    """Answer from one table."""
    assert isinstance(request, PartialRead)
    return Response(0, TABLE[request.offset : request.offset + request.count])


def one_input(data: bytes) -> None:
    """Let the input say, message by message, what the line does: keep, drop, damage, double or add noise."""
    script = iter(data)
    client, server = OpticalClient(KEY), OpticalServer({Access.READ_ONLY: KEY}, serve)
    now = 0.0

    def carry(sent: bytes) -> bytes:
        what = next(script, 0)
        if not sent or what % 8 < 3:  # noqa: PLR2004 - most messages pass
            return sent
        at = next(script, 0) % len(sent)
        match what % 8:
            case 3:
                return b""
            case 4:
                return sent[:at] + bytes((sent[at] ^ (what >> 3 or 1),)) + sent[at + 1 :]
            case 5:
                return sent + sent
            case 6:
                return sent[:at]
            case _:
                return bytes(next(script, 0) for _ in range(at)) + sent

    for request in REQUESTS:
        client.request(request, now)
        answers: list[ResponseReceived | RequestFailed] = []
        ends_by = now + LONGEST
        while not answers:
            events = []
            up = carry(client.bytes_to_send())
            server.receive(up, now)
            server.expire(now)
            down = carry(b"".join(part for part, _ in server.take()))
            events += client.receive(down, now)
            times = [time for time in (client.deadline(), server.deadline()) if time is not None]
            now = max(now, min(times, default=now))
            assert now < ends_by
            events += client.expire(now)
            server.expire(now)
            answers = [event for event in events if isinstance(event, ResponseReceived | RequestFailed)]
        assert len(answers) == 1
        answer = answers[0]
        if isinstance(answer, ResponseReceived):
            expected = TABLE[request.offset : request.offset + request.count]
            assert not answer.response.ok or answer.response.data == expected
        else:
            assert isinstance(answer.error, OsgpError)
            return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
