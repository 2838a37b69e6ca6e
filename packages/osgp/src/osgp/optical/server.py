"""The meter's end of an optical port: what the simulated meter answers with.

Bytes and time in, bytes and events out, like :mod:`osgp.optical.session`. What it keeps to:

* :data:`osgp.optical.states.AFTER` says which service is allowed when; any other is answered *isss*.
* Identify answers in the base state only. Negotiate grants no more than :attr:`Meter.limits` and one of the rates offered;
  new settings hold from the ACK of its answer on.
* Logon is believed, whatever it says. Security must show one of the keys, all twenty bytes of it (Optical guide v1.1 p. 13).
* :mod:`osgp.optical.rights` says what a key may read; the rest is the handler's business.
* An answer longer than was negotiated is answered *onp*.
* Six seconds without a valid packet end everything; Wait lengthens the next such time.
* A session of more than ten minutes is ended, and the port is deaf for five (p. 14-16).
* On meters that share one UART between both ports, the first packet after a silence is damaged by the switch
  (p. 14): :attr:`Meter.first_packet`.
* Which packet came last is forgotten at the end of a session, so that a client may begin with any toggle, even if the
  last ACK of the client before is lost.

What a table holds is the handler's business. This module does not know tables or clocks; faults of the line are made
outside of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from osgp.errors import CorruptFrame
from osgp.optical.datalink.events import (
    ExchangeFailed,
    LinkEvent,
    MessageDelivered,
    MessageReceived,
    PacketDropped,
    PacketRepeated,
)
from osgp.optical.datalink.link import Link
from osgp.optical.datalink.packet import START
from osgp.optical.events import (
    BaudChanged,
    DropReason,
    EndReason,
    RequestAnswered,
    RequestDropped,
    Retried,
    ServerEvent,
    ServiceRefused,
    SessionEnded,
    SessionOpened,
)
from osgp.optical.key import OpticalKey, Padding
from osgp.optical.rights import Access, may
from osgp.optical.services import (
    SERVICE_CODES,
    Grant,
    Identify,
    Identity,
    Logon,
    Negotiate,
    OpticalResponseCode,
    Security,
    Service,
    Terminate,
    Wait,
    decode_service,
    encode_grant,
    encode_identity,
    encode_response,
)
from osgp.optical.states import State, state_after
from osgp.optical.timing import (
    CHANNEL_TRAFFIC,
    DEFAULT_BAUD,
    DEFAULT_LIMITS,
    HOLD_OFF,
    SESSION_LIMIT,
    Limits,
    Line,
)
from osgp.psem import PartialRead, PartialWrite, Read, Request, Response, Write

__all__ = ["Access", "FirstPacket", "Handler", "Meter", "OpticalServer"]

Handler = Callable[[Request, Access], Response]


_C12_18 = Identity()
_GENEROUS = Limits(512, 255)
"""What NES meters grant is not documented; this holds their largest tables."""


class FirstPacket(Enum):
    """What becomes of the first packet that wakes the port."""

    HEARD = auto()
    """The port has a UART of its own."""
    DAMAGED = auto()
    """It arrives spoiled and draws a NAK."""
    MISSED = auto()
    """Its beginning is lost, and nothing is said."""


@dataclass(frozen=True, slots=True)
class Meter:
    """What one meter does where meters differ.

    Args:
        identity: its answer to Identify.
        limits: the most it grants; None: it does not know Negotiate (*sns*).
        bauds: the rates it can grant.
        padding: what its keys of less than twenty bytes are filled up with.
        refusal: its answer to a wrong key. The guide is silent; *err* and *isc* are both seen.
        knows_wait: it takes Wait, else *sns*.
        first_packet: what becomes of the first packet after a silence.
        session_limit: how long a session may be; None: for ever.
        hold_off: how long the port is deaf then.
        strict_toggle: a packet with the toggle of the one before is a duplicate, whatever it holds.
    """

    identity: Identity = _C12_18
    limits: Limits | None = _GENEROUS
    bauds: tuple[int, ...] = (DEFAULT_BAUD,)
    padding: Padding = Padding.ZEROS
    refusal: OpticalResponseCode = OpticalResponseCode.ISC
    knows_wait: bool = True
    first_packet: FirstPacket = FirstPacket.HEARD
    session_limit: float | None = SESSION_LIMIT
    hold_off: float = HOLD_OFF
    strict_toggle: bool = False


class OpticalServer:
    """A meter's end of the line.

    After :meth:`receive` and :meth:`expire` send what :meth:`take` returns and call :meth:`expire` no later than
    :meth:`deadline`.

    Args:
        keys: the keys by what they allow; none is a port that shows only what is open.
        handler: carries a request out. It is not called for what the key may not do.
        meter: what this meter does where meters differ.
        line: speed of the line, for the timers.
    """

    def __init__(
        self,
        keys: Mapping[Access, OpticalKey],
        handler: Handler,
        *,
        meter: Meter | None = None,
        line: Line | None = None,
    ) -> None:
        self._meter = meter or Meter()
        self._passwords = [
            (access, keys[access].password(self._meter.padding)) for access in sorted(keys, reverse=True)
        ]
        self._handler = handler
        self._line = line or Line()
        self._link = Link(self._line, strict=self._meter.strict_toggle)
        self._state = State.BASE
        self._access = Access.NONE
        self._events: list[ServerEvent] = []
        self._silent_by = float("inf")
        self._ends_by = float("inf")
        self._deaf_until = float("-inf")
        self._asleep = self._meter.first_packet is not FirstPacket.HEARD
        self._spoil_next = False
        self._grant: Grant | None = None
        self._terminated = False

    @property
    def state(self) -> State:
        """How far the session has come."""
        return self._state

    @property
    def access(self) -> Access:
        """What the client may do."""
        return self._access

    @property
    def active(self) -> bool:
        """Tell whether a session is open: on a shared UART the MEP port is deaf meanwhile (MEP guide v1.1 p. 20)."""
        return self._state is not State.BASE

    def restart(self) -> None:
        """Do what a meter does whose power has come back: the session is gone."""
        self._end(EndReason.RESTARTED)

    def take(self) -> list[tuple[bytes, float]]:
        """Return the bytes to send now, each with the seconds of silence that must follow it (none)."""
        out = self._link.bytes_to_send()
        return [(out, 0.0)] if out else []

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest."""
        times = [self._silent_by, self._ends_by]
        link = self._link.deadline()
        if link is not None:
            times.append(link)
        first = min(times)
        return None if first == float("inf") else first

    def expire(self, now: float) -> list[ServerEvent]:
        """Act on the time that has passed. Calling too early or too often does no harm."""
        self._take(self._link.expire(now), now)
        if now >= self._ends_by:
            self._deaf_until = now + self._meter.hold_off
            self._end(EndReason.GUARD)
        elif now >= self._silent_by:
            self._end(EndReason.IDLE)
        return self._report()

    def receive(self, data: bytes, now: float) -> list[ServerEvent]:
        """Take bytes from the line, in chunks of any size."""
        if now < self._deaf_until or not data:
            return []
        if self._asleep or self._spoil_next:
            data = self._wake(data)
        self._take(self._link.receive(data, now), now)
        return self._report()

    def _report(self) -> list[ServerEvent]:
        events, self._events = self._events, []
        return events

    def _wake(self, data: bytes) -> bytes:
        """The start of a packet makes the meter switch its UART over, and costs it some of that packet (p. 14)."""
        if self._asleep:
            at = data.find(START)
            if at < 0:
                return b""
            self._asleep = False
            data = data[at:] if self._meter.first_packet is FirstPacket.DAMAGED else data[at + 1 :]
            if self._meter.first_packet is FirstPacket.MISSED or len(data) == 1:
                self._spoil_next = self._meter.first_packet is FirstPacket.DAMAGED
                return data
            return data[:1] + bytes((data[1] ^ 0xFF,)) + data[2:]
        self._spoil_next = False
        return bytes((data[0] ^ 0xFF,)) + data[1:]

    def _take(self, link_events: list[LinkEvent], now: float) -> None:
        for event in link_events:
            match event:
                case MessageReceived(message):
                    self._adopt()
                    self._silent_by = now + CHANNEL_TRAFFIC
                    self._take_message(message, now)
                case MessageDelivered():
                    self._adopt()
                case ExchangeFailed():
                    self._grant = None
                    self._forget_if_over()
                case PacketRepeated():
                    self._events.append(Retried(None))
                case PacketDropped(reason):
                    self._events.append(RequestDropped(DropReason(reason.value)))
                case _:
                    pass

    def _adopt(self) -> None:
        """The answer is acknowledged: what it promised holds."""
        grant, self._grant = self._grant, None
        if grant is not None:
            self._link.limits = grant.limits
            self._link.set_largest(grant.limits.size)
            self._set_baud(grant.baud or self._line.baud)
        self._forget_if_over()

    def _forget_if_over(self) -> None:
        if self._terminated:
            self._terminated = False
            self._defaults()

    def _take_message(self, message: bytes, now: float) -> None:
        try:
            service = decode_service(message)
        except CorruptFrame:
            self._events.append(RequestDropped(DropReason.CONTENT))
            known = message[:1] and message[0] in SERVICE_CODES
            self._send(None, Response(OpticalResponseCode.ERR if known else OpticalResponseCode.SNS), now)
            return
        after = state_after(self._state, service)
        if after is None:
            self._refuse(service, OpticalResponseCode.ISSS, now)
            return
        response = self._carry_out(service, now)
        if not response.ok and not isinstance(service, Read | PartialRead | Write | PartialWrite):
            self._refuse(service, OpticalResponseCode(response.code), now)
            return
        if response.ok:
            self._state = after
        self._send(service, response, now)

    def _carry_out(self, service: Service, now: float) -> Response:
        """Do what is asked and allowed, and return the answer."""
        match service:
            case Identify():
                limit = self._meter.session_limit
                self._ends_by = float("inf") if limit is None else now + limit
                return Response(OpticalResponseCode.OK, encode_identity(self._meter.identity))
            case Terminate():
                self._terminated = True
                self._link.expect_stranger()
                self._end(EndReason.CLOSED, forget=False)
            case Negotiate():
                return self._negotiate(service)
            case Security(password):
                return self._check(password)
            case Wait(seconds):
                if not self._meter.knows_wait:
                    return Response(OpticalResponseCode.SNS)
                self._silent_by = now + max(seconds, CHANNEL_TRAFFIC)
            case Logon():
                self._events.append(SessionOpened(self._link.limits, secured=False))
            case Read() | PartialRead() | Write() | PartialWrite():
                return self._serve(service)
            case _:  # Logoff
                self._access = Access.NONE
        return Response(OpticalResponseCode.OK)

    def _negotiate(self, asked: Negotiate) -> Response:
        most = self._meter.limits
        if most is None:
            return Response(OpticalResponseCode.SNS)
        limits = Limits(min(asked.limits.size, most.size), min(asked.limits.packets, most.packets))
        common = [baud for baud in asked.bauds if baud in self._meter.bauds]
        self._grant = Grant(limits, max(common, default=self._line.baud))
        return Response(OpticalResponseCode.OK, encode_grant(self._grant))

    def _check(self, password: bytes) -> Response:
        for access, right in self._passwords:
            if hmac.compare_digest(password, right):
                self._access = access
                self._events.append(SessionOpened(self._link.limits, secured=True))
                return Response(OpticalResponseCode.OK)
        return Response(self._meter.refusal)

    def _serve(self, request: Request) -> Response:
        if may(request, self._access):
            response = self._handler(request, self._access)
        else:
            response = Response(OpticalResponseCode.ISC)
        if isinstance(request, PartialRead) and response.ok and len(response.data) < request.count:
            # Past the end of a table there are zeros, not an error (Optical guide v1.1 p. 9).
            response = replace(response, data=response.data.ljust(request.count, b"\0"))
        if len(encode_response(request, response)) > self._link.limits.message:
            response = Response(OpticalResponseCode.ONP)
        self._events.append(RequestAnswered(request, response, self._access))
        return response

    def _refuse(self, service: Service, code: OpticalResponseCode, now: float) -> None:
        self._events.append(ServiceRefused(type(service).__name__, code))
        self._send(service, Response(code), now)

    def _send(self, service: Service | None, response: Response, now: float) -> None:
        self._link.send(encode_response(service, response), now)

    def _end(self, reason: EndReason, *, forget: bool = True) -> None:
        if self._state is not State.BASE:
            self._events.append(SessionEnded(reason))
        self._state = State.BASE
        self._access = Access.NONE
        self._grant = None
        self._silent_by = self._ends_by = float("inf")
        self._asleep = self._meter.first_packet is not FirstPacket.HEARD and forget
        if forget:
            self._terminated = False
            self._defaults()

    def _defaults(self) -> None:
        """All settings are as in the beginning, and nobody was here."""
        self._link.forget()
        self._link.limits = DEFAULT_LIMITS
        self._link.set_largest(DEFAULT_LIMITS.size)
        self._set_baud(DEFAULT_BAUD)
        self._asleep = self._meter.first_packet is not FirstPacket.HEARD

    def _set_baud(self, baud: int) -> None:
        if baud != self._line.baud:
            self._line = replace(self._line, baud=baud)
            self._link.set_line(self._line)
            self._events.append(BaudChanged(baud))
