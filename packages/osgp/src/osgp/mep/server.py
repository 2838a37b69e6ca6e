"""The meter's end of a MEP line: what the simulated meter answers with, in RC4 mode and in TLS mode.

Bytes and time in, bytes and events out, like :mod:`osgp.mep.client`. It keeps to the guide (MEP guide v1.1):

* A request is tried as plain text with each key, the advanced one first (p. 13), then decrypted with each.
  The key that fits decides the access; the reply is encrypted if the request was (p. 11).
* No key fits: 0x0B, never encrypted (p. 256). What its digest is made of is not documented; here it is eight zero bytes.
* Sequence numbers 1 to 8 ahead of the last one are taken (p. 11). Others draw 0x0C and a number, encrypted if the request was.
* Requests are answered no faster than one in 100 ms; long replies pause 25 ms after each 117 bytes (p. 21).
* While there is news, two zero bytes every second, but not within a second of a frame received (p. 17, 21).
* A request that stops for more than 50 ms is forgotten (p. 21).

* Where TLS is offered, frames that begin with a TLS code go to :mod:`osgp.mep.tls_server`. While a session is open (p. 8), or where TLS is
  required, RC4 is refused. What a meter answers then is not documented; here it is 0x0B, as if no key fitted.

What a table holds and who may write it is the handler's business. This module does not know tables, clocks or faults.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from enum import IntEnum

from osgp.errors import CorruptFrame, MisuseError
from osgp.key import MeterKey
from osgp.mep.cipher import RC4, encryption_key, message_cipher
from osgp.mep.digest import DIGEST_SIZE, KeySchedule, digest, verify
from osgp.mep.events import (
    AlertSent,
    DropReason,
    RequestAnswered,
    RequestDropped,
    ServerEvent,
    TlsSessionOpened,
)
from osgp.mep.frame import (
    LENGTH_SIZE,
    SEQUENCE_SIZE,
    SHORTEST_REQUEST,
    Frame,
    FrameReader,
    decode_request,
    encode_frame,
    encode_response,
)
from osgp.mep.timing import ALERT_PERIOD, MAX_FRAME, REQUEST_GAP, REQUEST_SPACING, SEGMENT, SEGMENT_PAUSE
from osgp.mep.tls.handshake import Random
from osgp.mep.tls.identity import KeyId
from osgp.mep.tls_frames import MAX_MESSAGE
from osgp.mep.tls_server import Inside, TlsRule, TlsServer
from osgp.psem import Request, Response, ResponseCode

__all__ = ["WINDOW", "Access", "Handler", "MepServer"]

WINDOW = 8
"""How far ahead of the last number a sequence number may be (p. 11)."""

_SEQUENCES = 1 << 32
_ALERT = bytes(LENGTH_SIZE)
_SHORTEST_TLS = 2
"""The end of a session: a code and any byte (p. 8)."""


class Access(IntEnum):
    """What a key allows (p. 13)."""

    BASIC = 0
    """MEP Basic Key: read everything, write a little."""
    ADVANCED = 1
    """MEP Advanced Key."""


Handler = Callable[[Request, Access], Response]


class _Lock:
    """One key the server knows."""

    __slots__ = ("access", "encryption", "schedule")

    def __init__(self, access: Access, key: MeterKey) -> None:
        self.access = access
        self.schedule = KeySchedule(key.secret)
        self.encryption = encryption_key(key.secret)


class _Opened:
    """A request whose digest was verified."""

    __slots__ = ("_cipher", "_schedule", "access", "body", "message", "sequence")

    def __init__(self, message: bytes, lock: _Lock, cipher: RC4 | None) -> None:
        self.message = message
        self.body = message[:-SEQUENCE_SIZE]
        self.sequence = int.from_bytes(message[-SEQUENCE_SIZE:], "big")
        self.access = lock.access
        self._schedule = lock.schedule
        self._cipher = cipher

    @property
    def encrypted(self) -> bool:
        return self._cipher is not None

    def reply(self, body: bytes) -> bytes:
        tag = digest(self._schedule, self.message, body)
        return encode_frame(body if self._cipher is None else self._cipher.apply(body), tag)


class MepServer:
    """A meter's end of the line.

    After :meth:`receive` and :meth:`expire` send what :meth:`take` returns, with the pauses it names, and
    call :meth:`expire` no later than :meth:`deadline`.

    Args:
        keys: the keys by what they allow; one is enough.
        handler: carries a request out. For a request that is not understood it is not called.
        sequence: number of the last request taken.
        encrypted_only: do not understand plain requests.
        names_next: 0x0C names the next number, which the guide's text suggests; False: names the last one, so that only
            clients that add one, as in the guide's example, go on.
        tls: what the port says to TLS.
        random: where TLS takes random bytes from; another source only to replay printed examples.
    """

    def __init__(
        self,
        keys: Mapping[Access, MeterKey],
        handler: Handler,
        *,
        sequence: int = 0x77635B8F,
        encrypted_only: bool = False,
        names_next: bool = True,
        tls: TlsRule = TlsRule.ABSENT,
        random: Random = secrets.token_bytes,
    ) -> None:
        if not keys:
            msg = "a meter has at least one key"
            raise MisuseError(msg)
        self._locks = [_Lock(access, keys[access]) for access in sorted(keys, reverse=True)]
        self._handler = handler
        self._last = sequence % _SEQUENCES
        self._encrypted_only = encrypted_only
        self._names_next = names_next
        self._tls = TlsServer({KeyId(access): key for access, key in keys.items()}, random=random)
        self._rule = tls
        self._reader = FrameReader(SHORTEST_REQUEST if tls is TlsRule.ABSENT else _SHORTEST_TLS)
        self._heard = 0.0
        self._held: tuple[float, bytes] | None = None
        self._last_reply = float("-inf")
        self._out: list[tuple[bytes, float]] = []
        self._alerting = False
        self._alert_due = 0.0

    @property
    def sequence(self) -> int:
        """The number of the last request taken."""
        return self._last

    def advance(self, steps: int) -> None:
        """Move the sequence number on by itself, as a meter does when its dimensions change (25 steps)."""
        self._last = (self._last + steps) % _SEQUENCES

    @property
    def in_tls_session(self) -> bool:
        """Tell whether a TLS session is open."""
        return self._tls.open

    def forget_tls_session(self) -> None:
        """Lose the TLS session, as a meter does that was without power."""
        self._tls.forget()

    def alert(self, on: bool, now: float) -> None:  # noqa: FBT001 - alert(True) reads well
        """Begin or end sending alerts."""
        if on and not self._alerting:
            self._alert_due = max(now, self._heard + ALERT_PERIOD)
        self._alerting = on

    def take(self) -> list[tuple[bytes, float]]:
        """Return the bytes to send now, each with the seconds of silence that must follow it."""
        out, self._out = self._out, []
        return out

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest."""
        times = []
        if self._held is not None:
            times.append(self._held[0])
        if self._reader.pending:
            times.append(self._heard + REQUEST_GAP)
        if self._alerting:
            times.append(self._alert_due)
        return min(times, default=None)

    def expire(self, now: float) -> list[ServerEvent]:
        """Act on the time that has passed. Calling too early or too often does no harm."""
        events: list[ServerEvent] = []
        if self._reader.pending and now >= self._heard + REQUEST_GAP:
            if not self._reader.lost:
                events.append(RequestDropped(DropReason.BROKEN_OFF))
            self._reader.reset()
        self._release(now)
        if self._alerting and now >= self._alert_due:
            self._out.append((_ALERT, 0.0))
            self._alert_due = now + ALERT_PERIOD
            events.append(AlertSent())
        return events

    def receive(self, data: bytes, now: float) -> list[ServerEvent]:
        """Take bytes from the line, in chunks of any size."""
        events: list[ServerEvent] = []
        self._heard = now
        for item in self._reader.feed(data):
            if isinstance(item, Frame):
                self._alert_due = max(self._alert_due, now + ALERT_PERIOD)
                self._take_frame(item.content, now, events)
            else:
                events.append(RequestDropped(DropReason.GARBAGE))
        return events

    def _take_frame(self, content: bytes, now: float, events: list[ServerEvent]) -> None:
        if self._held is not None:
            # The meter is still at the last request; a second one within 100 ms is not heard.
            events.append(RequestDropped(DropReason.UNEXPECTED))
            return
        rc4 = self._rule is not TlsRule.REQUIRED and not self._tls.open and len(content) >= SHORTEST_REQUEST
        opened = self._open(content) if rc4 else None
        if opened is None and self._rule is not TlsRule.ABSENT and self._tls.concerns(content):
            # Only now: what RC4 encrypts may begin with any byte.
            self._take_tls(content, now, events)
            return
        if opened is None:
            events.append(RequestDropped(DropReason.DIGEST))
            self._hold(encode_frame(bytes((ResponseCode.AUTHENTICATION_FAILURE,)), bytes(DIGEST_SIZE)), now)
            return
        if not 1 <= (opened.sequence - self._last) % _SEQUENCES <= WINDOW:
            events.append(RequestDropped(DropReason.REFUSED))
            number = (self._last + self._names_next) % _SEQUENCES
            body = bytes((ResponseCode.BAD_SEQUENCE_NUMBER,)) + number.to_bytes(SEQUENCE_SIZE, "big")
            self._hold(opened.reply(body), now)
            return
        self._last = opened.sequence
        body = self._carry_out(
            opened.body, opened.access, events, most=MAX_FRAME - DIGEST_SIZE, encrypted=opened.encrypted
        )
        self._hold(opened.reply(body), now)

    def _take_tls(self, content: bytes, now: float, events: list[ServerEvent]) -> None:
        before = self._tls.open
        answer = self._tls.take(content)
        if isinstance(answer, Inside):
            body = self._carry_out(answer.body, Access(answer.key), events, most=MAX_MESSAGE, encrypted=True)
            answer = self._tls.reply(body)
        elif answer[LENGTH_SIZE]:
            events.append(RequestDropped(DropReason.REFUSED))
        elif self._tls.open and not before:
            events.append(TlsSessionOpened(self._tls.key))
        self._hold(answer, now)

    def _carry_out(
        self, body: bytes, access: Access, events: list[ServerEvent], *, most: int, encrypted: bool
    ) -> bytes:
        """Carry out the request in ``body`` and return the body of its response, of at most so many bytes."""
        try:
            request = decode_request(body)
        except CorruptFrame:
            events.append(RequestDropped(DropReason.CONTENT))
            return bytes((ResponseCode.ERROR,))
        response = self._handler(request, access)
        answer = encode_response(request, response)
        if len(answer) > most:
            # The guide does not say what a meter answers when a table is longer than a frame.
            response = Response(ResponseCode.OPERATION_NOT_POSSIBLE)
            answer = encode_response(request, response)
        events.append(RequestAnswered(request, response, encrypted))
        return answer

    def _open(self, content: bytes) -> _Opened | None:
        message, tag = content[:-DIGEST_SIZE], content[-DIGEST_SIZE:]
        for lock in () if self._encrypted_only else self._locks:
            if verify(lock.schedule, tag, message):
                return _Opened(message, lock, None)
        for lock in self._locks:
            cipher = message_cipher(lock.encryption, tag)
            plain = cipher.apply(message)
            if verify(lock.schedule, tag, plain):
                return _Opened(plain, lock, cipher)
        return None

    def _hold(self, reply: bytes, now: float) -> None:
        self._held = (max(now, self._last_reply + REQUEST_SPACING), reply)
        self._release(now)

    def _release(self, now: float) -> None:
        if self._held is None or now < self._held[0]:
            return
        reply = self._held[1]
        self._held = None
        self._last_reply = now
        for start in range(0, len(reply), SEGMENT):
            segment = reply[start : start + SEGMENT]
            more = start + SEGMENT < len(reply)
            self._out.append((segment, SEGMENT_PAUSE if more else 0.0))
