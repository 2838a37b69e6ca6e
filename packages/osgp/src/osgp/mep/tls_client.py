"""The client's end of a MEP line in TLS mode, without the line: bytes and time in, bytes and events out.

The first request opens a session (:mod:`osgp.mep.tls.handshake`); requests and replies are then sealed records, counted in each
direction. So a reply that is altered, repeated, or of another session does not open. What TLS does *not* say is
which request a record answers: that follows only from one request at a time, and from giving the session up with a
request that got no answer.

One request is under way at a time. Its life is the table of :mod:`osgp.mep.tls_states`.

This module does not know what time it is, how bytes travel, or what tables mean.
"""

from __future__ import annotations

import secrets

from osgp.errors import CorruptFrame, MisuseError, OsgpError
from osgp.key import MeterKey
from osgp.mep import tls_failures
from osgp.mep.events import (
    AlertReceived,
    ClientEvent,
    DropReason,
    ReplyDropped,
    RequestFailed,
    ResponseReceived,
    Retried,
    TlsSessionLost,
    TlsSessionOpened,
)
from osgp.mep.frame import Alert, Frame, decode_response, encode_request
from osgp.mep.pacing import Lapse, Pacing
from osgp.mep.security import SecuritySeen
from osgp.mep.timing import RESPONSE_TIMEOUT, Line
from osgp.mep.tls.alerts import TlsFault
from osgp.mep.tls.handshake import ClientHandshake, Random
from osgp.mep.tls.identity import Identity, KeyId
from osgp.mep.tls.records import raise_unless_available
from osgp.mep.tls.session import Session
from osgp.mep.tls_frames import HANDSHAKE_PATIENCE, MAX_MESSAGE, TlsCode, TlsStatus, tls_frame
from osgp.mep.tls_states import TLS_TRANSITIONS, TlsOutcome, TlsState
from osgp.moves import move
from osgp.psem import PartialRead, Read, Request, ResponseCode, table_name

__all__ = ["TlsClient"]

TRIES = 3
"""Sendings of one message that draw silence before the request fails. The guide asks for one more (p. 21)."""

HANDSHAKES = 6
"""Handshakes begun for one request, apart from those in which the meter refused the key."""

DECLINES = 3
"""Answers to a hello that a meter without TLS gives, in a row, that show that it is one. One may be to a spoiled hello."""

_DECLINING = frozenset({ResponseCode.SERVICE_NOT_SUPPORTED, ResponseCode.AUTHENTICATION_FAILURE})
"""What a meter without TLS can answer to a hello, which to it is a request with a wrong digest (MEP guide v1.1 p. 10-11, table 2.5).
0x01, 0x03 and 0x0A are codes of TLS mode (p. 9): who says them speaks it."""

ENDINGS = 2
"""Sendings of the end of a session. The second is for one that was lost; a meter that is gone is not waited for longer."""

REFUSALS_UNPROVEN = 5
"""Refusals of each of the two identities that prove the key wrong, as long as the meter never took it. As in RC4 mode:
five spoiled messages in a row are a matter of 1 in 3000 on a line that spoils one in five."""

REFUSALS_PROVEN = 12
"""The same after the meter had taken the key: the line is the likelier cause."""

STRAYS = 8
"""Frames that nobody waits for, between two sendings; more are noise."""

_HANDSHAKE = frozenset({TlsState.GREETING, TlsState.PROVING})


class TlsClient:
    """A client's end of the line. It is used as :class:`osgp.mep.client.MepClient` is.

    A key does not say whether it is the basic or the advanced one, and TLS wants to know. So the basic one is tried first,
    and the other one when the meter refuses; what the meter took is kept.

    Args:
        key: the meter's key; it also decides what the meter allows.
        line: speed of the line, for the timers.
        pace: the times of the line, where a client of the other mode shares it; by default this client's own.
        seen: what was seen at this port before; is kept up to date.
        hello_tries: hellos that draw silence before the request fails, as long as the meter never answered in TLS.
        declines: answers to a hello that show that the meter speaks no TLS.
        random: where random bytes come from; another source only to replay printed examples.

    Raises:
        MisuseError: the Python package cryptography is not installed.
    """

    def __init__(
        self,
        key: MeterKey,
        *,
        line: Line | None = None,
        pace: Pacing | None = None,
        seen: SecuritySeen | None = None,
        hello_tries: int = TRIES,
        declines: int = DECLINES,
        random: Random = secrets.token_bytes,
    ) -> None:
        raise_unless_available()
        self._key = key
        self._seen = seen or SecuritySeen()
        self._hello_tries = hello_tries
        self._most_declines = declines
        self._random = random
        self._pace = pace or Pacing(line or Line())
        self._state = TlsState.CLOSED
        self._key_id = KeyId.BASIC if self._seen.key is None else self._seen.key
        self._handshake: ClientHandshake | None = None
        self._session: Session | None = None
        self._proven = False
        self._spoke_tls = False
        self._engaged = False  # the meter may be in a handshake or a session of ours
        self._refusals = 0
        self._strays = 0
        self._taken = b""
        self._out = b""
        self._frame = b""
        self._sendings = 0  # of that frame
        # of the request under way
        self._request: Request = Read(0)
        self._body = b""
        self._handshakes = 0
        self._declines = 0
        self._spoiled: DropReason | None = None

    @property
    def busy(self) -> bool:
        """Tell whether a request is under way."""
        return self._state not in {TlsState.CLOSED, TlsState.OPEN, TlsState.LEAVING}

    @property
    def quiet(self) -> bool:
        """Tell whether there is no session, and nothing under way."""
        return self._state is TlsState.CLOSED

    @property
    def proven(self) -> bool:
        """Tell whether the meter has shown that it has our key."""
        return self._proven

    @property
    def spoke_tls(self) -> bool:
        """Tell whether the meter has ever answered in TLS."""
        return self._spoke_tls

    def request(self, request: Request, now: float) -> None:
        """Ask. The answer comes as :class:`ResponseReceived` or :class:`RequestFailed`, exactly one of them.

        Raises:
            MisuseError: a request is under way, or this one does not fit a frame.
        """
        body = encode_request(request)
        if len(body) > MAX_MESSAGE:
            raise MisuseError(f"a request has at most {MAX_MESSAGE} bytes in TLS; write large tables in parts")
        if self.busy or self._state is TlsState.LEAVING:
            raise MisuseError("one request at a time")
        self._request, self._body = request, body
        self._handshakes = self._declines = 0
        self._spoiled = None
        if self._state is TlsState.OPEN and self._session is not None and self._session.used_up:
            self._move(TlsOutcome.USED_UP)
        opened = self._state is TlsState.OPEN
        self._move(TlsOutcome.ASKED)
        if opened:
            self._ask(now)
        else:
            self._greet(now)

    def abandon(self) -> None:
        """Forget the request under way, and the session with it."""
        if self.busy:
            self._give_up()

    def close(self, now: float) -> None:
        """End the session, so that others may use the port. :attr:`quiet` tells when that is done.

        A request under way is forgotten. Its reply is waited for before the end is sent, because a meter takes one frame at a time.
        """
        if self._state is TlsState.LEAVING:
            return
        if not self._engaged:
            self.abandon()
            return
        self._pace.forgotten()
        self._session = self._handshake = None
        self._move(TlsOutcome.ENDED)
        self._put(tls_frame(TlsCode.TERMINATE, b"\0"), now)

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
        elif lapse is Lapse.SILENT:
            self._no_reply(now, events)
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

    # What came.

    def _take_frame(self, content: bytes, now: float, events: list[ClientEvent]) -> None:
        if not self._pace.awaiting:
            if self._pace.came_late(now):
                self._send(now)
            self._strays += 1
            if self._strays > STRAYS:
                self._pace.reader.lose()
            events.append(ReplyDropped(DropReason.UNEXPECTED))
            return
        status, records = content[0], content[1:]
        if status == TlsStatus.OK and records and content == self._taken:
            events.append(ReplyDropped(DropReason.LATE))  # it came twice: no two records are alike
            return
        self._taken = content
        match self._state:
            case TlsState.GREETING:
                self._take_greeting(status, records, now, events)
            case TlsState.PROVING:
                self._take_proof(status, records, now, events)
            case TlsState.ASKING:
                self._take_reply(status, records, now, events)
            case _ if status == TlsStatus.OK and records:
                events.append(ReplyDropped(DropReason.LATE))  # to a request; the answer to an end holds no record
            case _:
                self._left()

    def _take_greeting(self, status: int, records: bytes, now: float, events: list[ClientEvent]) -> None:
        assert self._handshake is not None  # noqa: S101 - the state says so
        if status in _DECLINING:
            self._declined(now, events)
            return
        if status != TlsStatus.OK:
            events.append(ReplyDropped(DropReason.REFUSED))
            self._spoiled = DropReason.REFUSED
            self._declines = 0
            self._start_over(now, events)
            return
        try:
            proof = self._handshake.take(records)
        except TlsFault:
            self._spoil(events)
            return
        except MisuseError as error:
            self._fail(error, events)  # the package is there and cannot be loaded
            return
        if not proof:
            self._spoil(events)
            return
        self._spoke_tls = True
        self._move(TlsOutcome.GREETED)
        self._put(tls_frame(TlsCode.HANDSHAKE_CONTINUED, proof), now)

    def _take_proof(self, status: int, records: bytes, now: float, events: list[ClientEvent]) -> None:
        assert self._handshake is not None  # noqa: S101 - the state says so
        if status != TlsStatus.OK:
            self._refused(status, now, events)
            return
        try:
            self._handshake.take(records)
        except TlsFault:
            self._spoil(events)
            return
        session = self._handshake.session
        if session is None:
            self._spoil(events)
            return
        self._session, self._handshake = session, None
        self._proven = self._seen.tls = True
        self._seen.key = session.identity.key
        self._refusals = 0
        events.append(TlsSessionOpened(session.identity.key))
        self._move(TlsOutcome.OPENED)
        self._ask(now)

    def _take_reply(self, status: int, records: bytes, now: float, events: list[ClientEvent]) -> None:
        assert self._session is not None  # noqa: S101 - the state says so
        if status != TlsStatus.OK:
            events.append(ReplyDropped(DropReason.REFUSED))
            self._broken(now, events)
            return
        try:
            response = decode_response(self._session.open(records), self._request)
        except (TlsFault, CorruptFrame) as error:
            self._spoil(events, DropReason.DIGEST if isinstance(error, TlsFault) else DropReason.CONTENT)
            return
        self._move(TlsOutcome.ANSWERED)
        self._pace.settled()
        events.append(ResponseReceived(self._request, response))

    # What did not come, or was refused.

    def _no_reply(self, now: float, events: list[ClientEvent]) -> None:
        if self._state is TlsState.LEAVING:
            if self._sendings >= ENDINGS:
                self._left()
                return
            self._move(TlsOutcome.SILENT)
            self._resend(now)
            return
        if self._spoiled is not None and (self._state in _HANDSHAKE or self._is_read):
            # The meter has most likely answered and gone on: the same bytes would only draw its refusal.
            self._start_over(now, events)
        elif self._sendings >= (TRIES if self._spoke_tls else self._hello_tries):
            self._engaged &= self._spoke_tls
            self._fail(self._timed_out(), events)
        else:
            self._move(TlsOutcome.SILENT)
            events.append(Retried(self._request, self._spoiled is None))
            self._resend(now)

    def _declined(self, now: float, events: list[ClientEvent]) -> None:
        """The meter answered our hello, and not in TLS."""
        events.append(ReplyDropped(DropReason.REFUSED))
        self._declines += 1
        if self._declines < self._most_declines:
            self._start_over(now, events, counted=False)
            return
        self._engaged &= self._spoke_tls
        error = tls_failures.no_tls_now if self._spoke_tls else tls_failures.no_tls
        self._fail(error(self._step, self._declines), events)

    def _refused(self, status: int, now: float, events: list[ClientEvent]) -> None:
        """The meter did not take our proof: the key, its number, or the line."""
        events.append(ReplyDropped(DropReason.REFUSED))
        if self._sendings > 1 or status not in {TlsStatus.INVALID_IDENTITY_OR_KEY, TlsStatus.TLS_ERROR}:
            # It may have taken the first of them, and its answer was lost.
            self._start_over(now, events)
            return
        self._refusals += 1
        refusals = self._refusals
        if self._proven:
            if refusals >= REFUSALS_PROVEN:
                self._refusals, self._proven = 0, False
                self._fail(tls_failures.key_refused_now(self._step, refusals), events)
                return
        elif refusals >= REFUSALS_UNPROVEN * len(KeyId):
            self._refusals = 0
            self._fail(tls_failures.key_refused(self._step, refusals), events)
            return
        else:
            self._key_id = KeyId.ADVANCED if self._key_id is KeyId.BASIC else KeyId.BASIC
        self._start_over(now, events, counted=False)

    def _broken(self, now: float, events: list[ClientEvent]) -> None:
        """The meter says that the session is over. Nothing proves that it said so, or that our request was not carried out."""
        self._session = None
        events.append(TlsSessionLost())
        if self._is_read:
            self._start_over(now, events)
            return
        self._fail(tls_failures.write_without_session(self._step), events)

    def _start_over(self, now: float, events: list[ClientEvent], *, counted: bool = True) -> None:
        """Begin a new handshake, after which the request is asked again."""
        self._handshakes += counted
        if self._handshakes >= HANDSHAKES:
            self._fail(self._worn_out(), events)
            return
        if self._state is TlsState.ASKING:
            if self._session is not None:
                events.append(TlsSessionLost())
            self._move(TlsOutcome.BROKEN)
        else:
            self._move(TlsOutcome.REFUSED)
        events.append(Retried(self._request, silent=False))
        self._greet(now)

    def _timed_out(self) -> OsgpError:
        if self._state is TlsState.ASKING and not self._is_read:
            return tls_failures.write_unanswered(self._step)
        return tls_failures.no_answer(self._step, self._sendings)

    def _worn_out(self) -> OsgpError:
        if self._state is TlsState.GREETING and self._spoiled is DropReason.REFUSED:
            return tls_failures.hellos_failed(self._step, self._handshakes)
        return tls_failures.worn_out(self._step, self._spoiled)

    # What goes out.

    def _greet(self, now: float) -> None:
        self._session = None
        self._handshake = ClientHandshake(self._key.secret, Identity(self._key_id), self._random)
        self._put(tls_frame(TlsCode.HANDSHAKE, self._handshake.first_flight()), now)

    def _ask(self, now: float) -> None:
        assert self._session is not None  # noqa: S101 - the state says so
        self._put(tls_frame(TlsCode.TABLE, self._session.seal(self._body)), now)

    def _put(self, frame: bytes, now: float) -> None:
        """Send a new frame as soon as it may leave."""
        self._frame = frame
        self._sendings = 0
        self._resend(now)

    def _resend(self, now: float) -> None:
        if self._pace.hold(now):
            self._send(now)

    def _send(self, now: float) -> None:
        self._sendings += 1
        self._engaged |= self._state is TlsState.GREETING
        self._strays = 0
        self._spoiled = None
        self._out += self._frame
        self._pace.sent(len(self._frame), HANDSHAKE_PATIENCE if self._state in _HANDSHAKE else RESPONSE_TIMEOUT, now)

    # Ends.

    def _fail(self, error: OsgpError, events: list[ClientEvent]) -> None:
        self._give_up()
        events.append(RequestFailed(self._request, error))

    def _give_up(self) -> None:
        self._move(TlsOutcome.FAILED)
        self._session = self._handshake = None
        self._pace.forgotten()

    def _left(self) -> None:
        self._move(TlsOutcome.ENDED)
        self._engaged = False
        self._pace.settled()

    def _spoil(self, events: list[ClientEvent], reason: DropReason = DropReason.DIGEST) -> None:
        """Drop a frame, and all that follows it until the line is silent."""
        self._drop(reason, events)
        self._pace.reader.lose()

    def _drop(self, reason: DropReason, events: list[ClientEvent]) -> None:
        self._spoiled = reason
        events.append(ReplyDropped(reason))

    def _move(self, outcome: TlsOutcome) -> None:
        self._state = move(TLS_TRANSITIONS, self._state, outcome)

    @property
    def _is_read(self) -> bool:
        return isinstance(self._request, Read | PartialRead)

    @property
    def _step(self) -> str:
        verb = "reading" if self._is_read else "writing"
        return f"{verb} {table_name(self._request.table)}"
