"""Whatever arrives whenever, each request ends once, in bounded time, with data that a meter with our key signed or an error.

The input is a script: what happens next on the line, and how long after. Next to raw bytes it can ask for the honest
reply, a spoiled one, an old one, and for the refusals, so that the fuzzer gets past the digest.

python fuzz/fuzz_mep_client.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from osgp.errors import KeyRejected, LinkError
from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.digest import DIGEST_SIZE, KeySchedule, digest
from osgp.mep.events import ClientEvent, RequestFailed, ResponseReceived
from osgp.psem import PartialRead, PartialWrite, Request

_KEY = MeterKey(b"Sixteen secrets!")
_SCHEDULE = KeySchedule(_KEY.secret)
_PATIENCE = 120.0
_ENDS_TLS = bytes.fromhex("0002 57 00")
"""Is sent after two refusals, and is no request that anything could answer."""


def _signed(request: bytes, body: bytes) -> bytes:
    tag = digest(_SCHEDULE, request[2:-DIGEST_SIZE], body)
    return (len(body) + DIGEST_SIZE).to_bytes(2, "big") + body + tag


class _Line:
    """A client, the bytes it sent, and what was asked of it."""

    def __init__(self) -> None:
        self.client = MepClient(_KEY)
        self.now = 0.0
        self.sent: list[bytes] = []
        self.signed: set[bytes] = set()
        self.asked = self.ended = 0
        self.since = 0.0
        self.request: Request = PartialRead(23, 0, 4)

    def act(self, code: int, rest: bytes) -> None:
        """Do the next thing of the script."""
        self.now += (code >> 4) ** 2 / 200
        match code & 15:
            case 0 | 1:
                self.ask(write=code & 1 == 1)
            case 2:
                self.client.abandon()
                self.ended = self.asked
            case kind:
                self.hear(self.arrival(kind, rest))
        self.wait(0.0)

    def arrival(self, kind: int, rest: bytes) -> bytes:
        """Return what comes over the line next: three kinds that verify, four that do not, an alert, or anything."""
        sent = self.sent[-1] if self.sent else bytes(22)
        old = next((earlier for earlier in reversed(self.sent) if earlier != sent), bytes(22))
        honest = b"\0\0\4" + self.asked.to_bytes(4, "big")
        match kind:
            case 3 | 4:
                self.signed.add(honest)
                return _signed(sent, honest)
            case 5:
                return _signed(sent, b"\0")
            case 6:
                return _signed(sent, b"\x0c" + rest[:4].ljust(4, b"\0"))
            case 7:
                return b"\0\x09\x0b" + rest[:8].ljust(8, b"\0")
            case 8:
                return _signed(old, b"\0\0\4OLD!")
            case 9:
                return _signed(sent, honest)[: len(rest) + 3]
            case 10:
                spoiled = bytearray(_signed(sent, honest))
                spoiled[sum(rest[:1]) % len(spoiled)] ^= 1 + sum(rest[1:2]) % 255
                return bytes(spoiled)
        return rest or bytes(2)

    def ask(self, *, write: bool) -> None:
        if self.client.busy:
            return
        self.asked += 1
        self.signed.clear()
        self.since = self.now
        self.request = PartialWrite(50, 0, b"x") if write else PartialRead(23, 0, 4)
        self.client.request(self.request, self.now)
        self.collect([])

    def hear(self, data: bytes) -> None:
        self.collect(self.client.receive(data, self.now))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while (deadline := self.client.deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.collect(self.client.expire(self.now))
        self.now = end

    def collect(self, events: list[ClientEvent]) -> None:
        """Check what the client says, and take what it sends."""
        for event in events:
            if isinstance(event, ResponseReceived):
                self.ended += 1
                assert event.request == self.request
                assert event.response.data == b"" or b"\0\0\4" + event.response.data in self.signed
            elif isinstance(event, RequestFailed):
                self.ended += 1
                assert event.request == self.request
                assert isinstance(event.error, LinkError | KeyRejected)
                assert "secrets" not in str(event.error)
        if (data := self.client.bytes_to_send()) and data != _ENDS_TLS:
            self.sent.append(data)
        assert self.ended == self.asked - self.client.busy
        assert not self.client.busy or self.now - self.since < _PATIENCE


def check(data: bytes) -> None:
    """Raise if the invariant does not hold for the script ``data``."""
    line = _Line()
    line.ask(write=False)
    for place in range(0, len(data), 3):
        line.act(data[place], data[place + 1 : place + 9])
    line.wait(_PATIENCE / 2)
    assert not line.client.busy
    assert line.client.deadline() is None


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
