"""The client's end of a MEP line in RC4 mode, without the line: bytes and time in, bytes and events out.

The protocol has no session. A request carries a sequence number and a digest; its response carries a digest
over *both*. So a response proves three things at once: that nothing was altered, that the meter has our
key, and that it answers this very request and no other one. Everything here leans on the third: a reply that is late,
doubled or meant for an earlier request does not verify against the current one, and never becomes its value.

One request is under way at a time. Its life is the table of :mod:`osgp.mep.states`.

This module does not know what time it is, how bytes travel, or what tables mean.
"""

from __future__ import annotations

from collections import deque

from osgp.errors import (
    CorruptFrame,
    DigestMismatch,
    KeyRejected,
    LinkError,
    LinkRefused,
    MisuseError,
    ResponseTimeout,
    SequenceLost,
    WriteUncertain,
)
from osgp.key import MeterKey
from osgp.mep.cipher import encryption_key, message_cipher
from osgp.mep.digest import DIGEST_SIZE, KeySchedule, digest, verify
from osgp.mep.events import (
    AlertReceived,
    ClientEvent,
    DropReason,
    ReplyDropped,
    RequestFailed,
    ResponseReceived,
    Resynchronised,
    Retried,
)
from osgp.mep.frame import (
    SEQUENCE_SIZE,
    Alert,
    Frame,
    decode_response,
    encode_frame,
    encode_request,
)
from osgp.mep.pacing import Lapse, Pacing
from osgp.mep.states import TRANSITIONS, Outcome, State
from osgp.mep.timing import MAX_FRAME, RESPONSE_TIMEOUT, Line
from osgp.mep.tls_frames import TlsCode, TlsStatus, tls_frame
from osgp.moves import move
from osgp.psem import PartialRead, Read, Request, ResponseCode, table_name

__all__ = ["MepClient"]

TRIES = 3
"""Sendings of a request that draw silence or nonsense before it fails. The guide asks for one more (p. 21)."""

RENUMBERINGS = 3
"""0x0C replies to one request. One is normal at the start, a second after a lost reply."""

REFUSALS_UNPROVEN = 5
"""0x0B replies in a row that prove the key wrong, as long as the meter never proved it right. On a
line that spoils one request in five, five spoiled ones in a row are a matter of 1 in 3000."""

REFUSALS_PROVEN = 12
"""The same after a verified reply: the key was right, so the line is the likelier cause."""

SHUT_OUT = 2
"""0x0B replies in a row after which the end of a TLS session is sent: a client that was killed may have left the meter in one, and as
long as that is open the meter refuses RC4 (MEP guide v1.1 p. 8). No time is printed after which it ends by itself."""

_REMEMBERED = 4  # sendings whose late replies are recognised; a meter holds no queue

STRAYS = 8
"""Frames that nobody waits for, between two sendings. Looking for what they answer costs several digests each, so
more of them are dropped unread."""

_SEQUENCES = 1 << 32


class _Sending:
    """The bytes of one request under one sequence number, and what verifies their reply."""

    __slots__ = ("_cipher", "_schedule", "count", "frame", "message", "sequence")

    def __init__(self, body: bytes, sequence: int, schedule: KeySchedule, encryption: bytes | None) -> None:
        message = body + sequence.to_bytes(SEQUENCE_SIZE, "big")
        tag = digest(schedule, message)
        self.message = message
        self.sequence = sequence
        self._schedule = schedule
        self._cipher = None if encryption is None else message_cipher(encryption, tag)
        self.frame = encode_frame(message if self._cipher is None else self._cipher.apply(message), tag)
        self.count = 0
        """How often it was put on the line."""

    def verified(self, content: bytes) -> bytes | None:
        """Return the body of a reply to this sending; None if it is none."""
        body, tag = content[:-DIGEST_SIZE], content[-DIGEST_SIZE:]
        if not body:
            return None
        if self._cipher is not None:
            body = self._cipher.copy().apply(body)
        return body if verify(self._schedule, tag, self.message, body) else None


class MepClient:
    """A client's end of the line.

    Feed it with :meth:`receive` and :meth:`expire`; after each call send :meth:`bytes_to_send` and call
    :meth:`expire` no later than :meth:`deadline`. Time is any clock that does not jump, in seconds.

    Args:
        key: the meter's key; it also decides what the meter allows.
        encrypt: encrypt requests; the meter then encrypts its responses.
        first_sequence: number of the first request. The meter says 0x0C and its own, which its digest ties to the number it
            refuses. So choose one nobody can foresee: somebody on the line who recorded an earlier conversation
            that began with the same number could play that back, and every old reply would verify.
        line: speed of the line, for the timers.
        pace: the times of the line, where a client of the other mode shares it; by default this client's own.
    """

    def __init__(
        self,
        key: MeterKey,
        *,
        encrypt: bool = False,
        first_sequence: int = 0,
        line: Line | None = None,
        pace: Pacing | None = None,
    ) -> None:
        self._schedule = KeySchedule(key.secret)
        self._encryption = encryption_key(key.secret) if encrypt else None
        self._pace = pace or Pacing(line or Line())
        self._sequence = first_sequence % _SEQUENCES
        self._meter_at: int | None = None  # the last number that the meter is known to have had
        self._state = State.IDLE
        self._out = b""
        self._past: deque[_Sending] = deque(maxlen=_REMEMBERED)
        self._proven = False
        self._distrusted = False  # the key was right, and was then refused until patience ended
        self._refusals = 0
        self._knows_tls = False
        self._strays = 0
        # of the request under way
        self._request: Request = Read(0)
        self._body = b""
        self._sending: _Sending | None = None
        self._tries = 0  # sendings that drew silence or nonsense
        self._renumberings = 0
        self._spoiled: DropReason | None = None

    @property
    def busy(self) -> bool:
        """Tell whether a request is under way."""
        return self._state is not State.IDLE

    @property
    def proven(self) -> bool:
        """Tell whether the meter has shown that it has our key."""
        return self._proven

    def request(self, request: Request, now: float) -> None:
        """Ask. The answer comes as :class:`ResponseReceived` or :class:`RequestFailed`, exactly one of them.

        Raises:
            MisuseError: a request is under way, or this one does not fit a frame.
        """
        body = encode_request(request)
        if len(body) + SEQUENCE_SIZE + DIGEST_SIZE > MAX_FRAME:
            msg = f"a request has at most {MAX_FRAME} bytes; write large tables in parts"
            raise MisuseError(msg)
        if self.busy:
            msg = "one request at a time"
            raise MisuseError(msg)
        self._request, self._body = request, body
        self._sending = None
        self._tries = self._renumberings = 0
        self._spoiled = None
        self._move(Outcome.ASKED)
        self._hold(now)

    def abandon(self) -> None:
        """Forget the request under way; its reply, should it come, is recognised and dropped."""
        if self.busy:
            self._move(Outcome.FAILED)
            self._settle()

    def bytes_to_send(self) -> bytes:
        """Return what has to go out now."""
        out, self._out = self._out, b""
        return out

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest; None: not before something else happens."""
        return self._pace.deadline()

    def expire(self, now: float) -> list[ClientEvent]:
        """Act on the time that has passed. Calling too early or too often does no harm."""
        events: list[ClientEvent] = []
        lapse = self._pace.lapse(now)
        if self._pace.broken_off:
            self._drop(DropReason.BROKEN_OFF, events)
        if lapse is Lapse.DUE:
            self._send(now)
        elif lapse is Lapse.SILENT and self._state is State.ENDING:
            self._again(Outcome.ENDED, now, events)
        elif lapse is Lapse.SILENT:
            self._try_again(Outcome.SILENT if self._spoiled is None else Outcome.UNREADABLE, now, events)
        return events

    def receive(self, data: bytes, now: float) -> list[ClientEvent]:
        """Take bytes from the line, in chunks of any size."""
        events: list[ClientEvent] = []
        self._pace.heard(now)
        for item in self._pace.reader.feed(data):
            if isinstance(item, Frame):
                self._take_frame(item.content, now, events)
            elif isinstance(item, Alert):
                events.append(AlertReceived())
            else:
                self._drop(DropReason.GARBAGE, events)
            if self._pace.reader.lost:
                break
        return events

    def _take_frame(self, content: bytes, now: float, events: list[ClientEvent]) -> None:
        sending = self._sending if self.busy else None
        body = None if sending is None else sending.verified(content)
        if sending is None or body is None:
            self._take_stranger(content, now, events)
            return
        try:
            response = decode_response(body, self._request)
        except CorruptFrame:
            self._spoil(DropReason.CONTENT, events)
            return
        if response.code == ResponseCode.AUTHENTICATION_FAILURE:
            self._take_refusal(now, events)
            return
        self._proven = True
        self._distrusted = False
        self._refusals = 0
        if response.code == ResponseCode.BAD_SEQUENCE_NUMBER:
            self._renumber(int.from_bytes(response.data, "big"), now, events)
            return
        self._meter_at = sending.sequence
        self._move(Outcome.ANSWERED)
        self._settle()
        events.append(ResponseReceived(self._request, response))

    def _take_stranger(self, content: bytes, now: float, events: list[ClientEvent]) -> None:
        """Take a frame that is no verified answer to the request under way."""
        if self._state is State.ENDING and self._pace.awaiting:
            self._knows_tls = content == bytes((TlsStatus.OK,))
            self._take_refusal(now, events)
            return
        awaiting = self._state is State.AWAITING
        if awaiting and content[0] == ResponseCode.AUTHENTICATION_FAILURE and len(content) in {1, 1 + DIGEST_SIZE}:
            self._take_refusal(now, events)
            return
        self._strays += 1
        if self._strays > STRAYS:
            self._spoil(DropReason.UNEXPECTED, events)
        elif self._is_late(content):
            events.append(ReplyDropped(DropReason.LATE))
        elif awaiting:
            self._spoil(DropReason.DIGEST, events)
        else:
            events.append(ReplyDropped(DropReason.UNEXPECTED))

    def _take_refusal(self, now: float, events: list[ClientEvent]) -> None:
        events.append(ReplyDropped(DropReason.REFUSED))
        if self._state is State.ENDING and self._pace.awaiting:
            self._again(Outcome.ENDED, now, events)
            return
        if self._state is not State.AWAITING:
            return
        self._refusals += 1
        if self._refusals == SHUT_OUT:
            self._move(Outcome.SHUT_OUT)
            self._hold(now)
            return
        trusted = self._proven and not self._distrusted
        if self._refusals < (REFUSALS_PROVEN if trusted else REFUSALS_UNPROVEN):
            self._again(Outcome.REFUSED, now, events)
            return
        times = f"it could not verify {self._refusals} requests in a row while {self._step}"
        if trusted:
            self._refusals, self._distrusted = 0, True
            msg = (
                f"the meter took the key before and now refuses it: {times}. Most likely what we send is damaged on the "
                "way, or another program talks to it on the same line; check the cable and its length"
            )
            self._fail(LinkRefused(msg), events)
            return
        msg = (
            f"the meter refuses the key: {times}. "
            "Compare the key with the letter of your grid company; ask it whether the key was changed"
        )
        if self._knows_tls:
            msg += '. The meter knows TLS and may require it: try security "auto" or "tls"'
        self._fail(KeyRejected(msg), events)

    def _renumber(self, number: int, now: float, events: list[ClientEvent]) -> None:
        sending = self._sending
        self._sequence = (number + 1) % _SEQUENCES
        moved = None if self._meter_at is None else (number - self._meter_at) % _SEQUENCES
        self._meter_at = number
        events.append(Resynchronised(self._sequence, moved))
        self._renumberings += 1
        if self._renumberings > RENUMBERINGS:
            msg = (
                f"the meter refused {self._renumberings} sequence numbers in a row while {self._step}. "
                "Another program or device may be talking to it on the same port; unplug it"
            )
            self._fail(SequenceLost(msg), events)
        elif not self._is_read and sending is not None and sending.count > 1:
            msg = (
                f"no answer came while {self._step}, and the meter does not say whether it was done. "
                "Read the table to see, before writing again"
            )
            self._fail(WriteUncertain(msg), events)
        else:
            self._put_away()
            self._again(Outcome.RENUMBERED, now, events, ordinary=moved is None)

    def _try_again(self, outcome: Outcome, now: float, events: list[ClientEvent]) -> None:
        self._tries += 1
        if self._tries >= TRIES:
            self._fail(self._verdict(), events)
            return
        if outcome is Outcome.UNREADABLE and self._is_read:
            self._put_away()
        self._again(outcome, now, events)

    def _verdict(self) -> LinkError:
        times = f"{self._step}: asked {self._tries} times"
        match self._spoiled:
            case None:
                return ResponseTimeout(
                    f"the meter did not answer while {times}. "
                    "Check the cable, the baud rate and that the MEP port is switched on"
                )
            case DropReason.DIGEST:
                return DigestMismatch(
                    f"the meter's answer was spoiled on the way while {times}, digest wrong. Check the cable and its length"
                )
            case reason:
                return CorruptFrame(
                    f"no believable answer while {times}, last: {reason}. Check the cable and the baud rate"
                )

    def _again(self, outcome: Outcome, now: float, events: list[ClientEvent], *, ordinary: bool = False) -> None:
        self._move(outcome)
        events.append(Retried(self._request, outcome is Outcome.SILENT, ordinary))
        self._hold(now)

    def _hold(self, now: float) -> None:
        """Send the request as soon as it may leave."""
        if self._pace.hold(now):
            self._send(now)

    def _send(self, now: float) -> None:
        if self._state is State.ENDING:
            end = tls_frame(TlsCode.TERMINATE, b"\0")
            self._out += end
            self._pace.sent(len(end), RESPONSE_TIMEOUT, now)
            return
        self._move(Outcome.DUE)
        self._spoiled = None
        self._strays = 0
        sending = self._sending
        if sending is None:
            sending = self._sending = _Sending(self._body, self._sequence, self._schedule, self._encryption)
            self._sequence = (self._sequence + 1) % _SEQUENCES
        sending.count += 1
        self._out += sending.frame
        self._pace.sent(len(sending.frame), RESPONSE_TIMEOUT, now)

    def _fail(self, error: KeyRejected | LinkError, events: list[ClientEvent]) -> None:
        self._move(Outcome.FAILED)
        self._settle()
        events.append(RequestFailed(self._request, error))

    def _spoil(self, reason: DropReason, events: list[ClientEvent]) -> None:
        """Drop a frame, and all that follows it until the line is silent."""
        self._drop(reason, events)
        self._pace.reader.lose()

    def _drop(self, reason: DropReason, events: list[ClientEvent]) -> None:
        self._spoiled = reason
        events.append(ReplyDropped(reason))

    def _is_late(self, content: bytes) -> bool:
        return any(sending.verified(content) is not None for sending in self._past)

    def _settle(self) -> None:
        """Nothing is under way any more."""
        self._pace.settled()
        self._put_away()

    def _put_away(self) -> None:
        if self._sending is not None:
            self._past.append(self._sending)
            self._sending = None

    def _move(self, outcome: Outcome) -> None:
        self._state = move(TRANSITIONS, self._state, outcome)

    @property
    def _is_read(self) -> bool:
        return isinstance(self._request, Read | PartialRead)

    @property
    def _step(self) -> str:
        verb = "reading" if self._is_read else "writing"
        return f"{verb} {table_name(self._request.table)}"
