"""The client's end of an optical port, without the line: bytes and time in, bytes and events out.

Unlike on the MEP port there is a session, and an answer does not say what it answers. So:

*What is said next is decided anew after each answer.* :data:`osgp.optical.states.AFTER` says which state a service leads to;
:func:`osgp.optical.next_step.next_step` says which service comes next, looking only at the state reached and at what is
wanted. Whatever goes wrong moves the state back, and from there the same rule leads forward again.

*When an exchange is lost, so is the session.* A late answer could pass for the answer to the next request. So the
client begins anew with Identify, which empties the line: the meter handles one thing after another, and what
it still had to say is no identity. If the old session is still open, Identify is answered *isss*, Terminate
ends it, and Identify comes again.

A session that nobody uses is kept by Wait, and ended before the meter's guard of ten minutes would do so.

**A refused key is final.** The meter counts wrong passwords, raises an alarm and may lock the port for some
time (MEP guide v1.1 p. 142, ET55.22). From then on every request raises :class:`~osgp.errors.PasswordRefused`, and nothing is
sent. A password that was sent but not answered is sent once more, because a line loses answers.

This module does not know what time it is, how bytes travel, or what tables mean.
"""

from __future__ import annotations

from dataclasses import replace

from osgp.errors import CorruptFrame, MisuseError, OsgpError, PasswordRefused
from osgp.optical.datalink.events import (
    EchoFound,
    ExchangeFailed,
    FailReason,
    LinkEvent,
    MessageReceived,
    PacketDropped,
    PacketRepeated,
)
from osgp.optical.datalink.link import Link
from osgp.optical.diagnosis import key_rejected, refused, write_uncertain
from osgp.optical.events import (
    BaudChanged,
    ClientEvent,
    DropReason,
    EndReason,
    ReplyDropped,
    Retried,
    SessionEnded,
    SessionOpened,
)
from osgp.optical.keep_alive import KeepAlive
from osgp.optical.key import OpticalKey
from osgp.optical.next_step import Ask, Finish, Rest, Situation, next_step
from osgp.optical.retries import BUSY, LEFTOVERS, ODD_GRANTS, Verdict, judge_loss, judge_refusal, starts_anew
from osgp.optical.services import (
    Grant,
    Identify,
    Identity,
    Logon,
    Negotiate,
    Security,
    Service,
    Terminate,
    decode_grant,
    decode_identity,
    decode_response,
    encode_service,
)
from osgp.optical.settings import SessionSettings
from osgp.optical.states import State, state_after
from osgp.optical.task import Goal, Task
from osgp.optical.timing import (
    CHANNEL_TRAFFIC,
    DEFAULT_BAUD,
    DEFAULT_LIMITS,
    IDENTIFY_PATIENCE,
    RETRY_PAUSE,
    WAKEUP_PAUSE,
    Limits,
    Line,
)
from osgp.psem import Request, Response

__all__ = ["OpticalClient"]

_BAUD_PAUSE = 0.05
"""On both sides of a change of rate."""


class OpticalClient:
    """A client's end of the line.

    Feed it with :meth:`receive` and :meth:`expire`; after each call send :meth:`bytes_to_send` and call
    :meth:`expire` no later than :meth:`deadline`. Time is any clock that does not jump, in seconds.

    Args:
        key: RK, PK or MK; None reads only what the meter shows to everybody (BT00, BT01, ET03).
        settings: how to behave.
        line: delays of the line, for the timers.
    """

    def __init__(
        self, key: OpticalKey | None, *, settings: SessionSettings | None = None, line: Line | None = None
    ) -> None:
        self._settings = settings or SessionSettings()
        self._password = None if key is None else key.password(self._settings.padding)
        self._offer = self._settings.negotiation()
        self._line = line or Line()
        if self._settings.turnaround is not None:
            self._line = replace(self._line, turnaround=self._settings.turnaround)
        self._link = Link(self._line, patience=CHANNEL_TRAFFIC, adapt=self._settings.turnaround is None)
        self._out = b""
        self._events: list[ClientEvent] = []
        self._now = 0.0
        self._state = State.BASE
        self._ending: EndReason | None = None
        self._keep_alive = KeepAlive(self._settings)
        self._identity: Identity | None = None
        self._proven = self._woken = self._baud_unproven = False
        self._odd_grants = 0
        self._rejected: str | None = None
        self._task: Task | None = None
        self._service: Service | None = None
        self._service_for: Task | None = None
        self._pause_until: float | None = None
        self._next_baud: int | None = None

    @property
    def busy(self) -> bool:
        """Tell whether an answer is owed to the user."""
        return self._task is not None

    @property
    def quiet(self) -> bool:
        """Tell whether no session is open and nothing is under way."""
        return self._state is State.BASE and not self.busy and self._service is None and self.deadline() is None

    @property
    def proven(self) -> bool:
        """Tell whether the meter accepted our key before."""
        return self._proven

    @property
    def state(self) -> State:
        """How far the session has come."""
        return self._state

    @property
    def identity(self) -> Identity | None:
        """What the meter said to Identify; None before it said something."""
        return self._identity

    @property
    def limits(self) -> Limits:
        """The sizes that hold at present."""
        return self._link.limits

    def request(self, request: Request, now: float) -> None:
        """Ask. The answer comes as :class:`ResponseReceived` or :class:`RequestFailed`, exactly one of them.

        A partial read may be longer than one message; its parts are then read one after the other.

        Raises:
            MisuseError: something is under way.
            PasswordRefused: the meter refused this key before; nothing is sent.
        """
        self._begin(request, now)

    def identify(self, now: float) -> None:
        """Ask who is there, without a key: :class:`Identified` or :class:`SessionFailed`. Raises as :meth:`request`."""
        self._begin(Goal.IDENTITY, now)

    def login(self, now: float) -> None:
        """Open a session: :class:`SessionOpened` or :class:`SessionFailed`. Raises as :meth:`request`."""
        self._begin(Goal.LOGIN, now)

    def close(self, now: float) -> None:
        """End the session after what is under way. Go on calling :meth:`expire` until :attr:`quiet`."""
        self._ending = self._ending or EndReason.CLOSED
        self._go_on(now)

    def abandon(self) -> None:
        """Forget what is under way; its answer is awaited and dropped before anything else is asked."""
        self._task = None

    def bytes_to_send(self) -> bytes:
        """Return what has to go out now."""
        out, self._out = self._out + self._link.bytes_to_send(), b""
        return out

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest; None: not before something else happens."""
        if self._events:
            return self._now
        times = [self._link.deadline(), self._pause_until]
        if self._idle:
            times.append(self._keep_alive.deadline())
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[ClientEvent]:
        """Act on the time that has passed. Calling too early or too often does no harm."""
        self._take(self._link.expire(now), now)
        if self._pause_until is not None and now >= self._pause_until:
            self._pause_until = None
            self._adopt_baud(now)
        if self._idle:
            self._tend(now)
        return self._report(now)

    def receive(self, data: bytes, now: float) -> list[ClientEvent]:
        """Take bytes from the line, in chunks of any size."""
        self._take(self._link.receive(data, now), now)
        return self._report(now)

    def _report(self, now: float) -> list[ClientEvent]:
        self._go_on(now)
        events, self._events = self._events, []
        return events

    def _begin(self, wanted: Request | Goal, now: float) -> None:
        if self._rejected is not None:
            raise PasswordRefused(self._rejected)
        if self.busy:
            raise MisuseError("one request at a time")
        self._task = Task(wanted)
        self._go_on(now)

    @property
    def _idle(self) -> bool:
        """Whether an open session waits for its next use."""
        nothing = (self._task, self._service, self._pause_until, self._ending)
        return self._state is not State.BASE and not self._link.busy and all(each is None for each in nothing)

    def _tend(self, now: float) -> None:
        """Look after an idle session."""
        due = self._keep_alive.due(now)
        if isinstance(due, EndReason):
            self._ending = due
        elif due is not None:
            self._ask(due, now)

    def _go_on(self, now: float) -> None:
        """Take the next step, unless one is under way."""
        self._now = now
        while self._service is None and self._pause_until is None:
            try:
                step = next_step(self._situation(now))
            except MisuseError as error:
                self._give_up(error)
                continue
            self._ending = step.ending
            match step:
                case Ask(service):
                    self._ask(service, now)
                case Finish(event):
                    self._events.append(event)
                    self._task = None
                    self._keep_alive.used = now
                case Rest():
                    return

    def _situation(self, now: float) -> Situation:
        """Return all that the next step depends on."""
        return Situation(
            state=self._state,
            task=self._task,
            ending=self._ending,
            old=self._keep_alive.is_old(now),
            identity=self._identity,
            offer=self._offer,
            logon=self._settings.logon(),
            password=self._password,
            limits=self.limits,
        )

    def _give_up(self, error: OsgpError) -> None:
        """End an task badly."""
        if self._task is not None:
            self._events.append(self._task.failed(error))
            self._task = None
        self._keep_alive.used = self._now

    def _ask(self, service: Service, now: float) -> None:
        if isinstance(service, Identify):
            if self._settings.wakeup and not self._woken:
                self._woken = True
                self._out += self._settings.wakeup
                self._pause_until = now + WAKEUP_PAUSE
                return
            self._woken = False
            self._link.forget()
        elif isinstance(service, Security) and self._task is not None:
            self._task.spent = self._task.spent.by_showing()
        self._service, self._service_for = service, self._task
        self._keep_alive.traffic = now
        patience = IDENTIFY_PATIENCE if isinstance(service, Identify) else None
        self._link.send(encode_service(service), now, patience=patience)

    # What comes from the link

    def _take(self, link_events: list[LinkEvent], now: float) -> None:
        self._now = now
        for event in link_events:
            match event:
                case MessageReceived(message):
                    self._take_message(message, now)
                case ExchangeFailed(reason, arrived, same_toggle):
                    if self._task is not None and same_toggle:
                        self._task.spent = self._task.spent.by_same_toggle()
                    self._take_failure(reason, now, arrived=arrived)
                case PacketRepeated():
                    self._events.append(Retried(self._task.request if self._task is not None else None))
                case PacketDropped(dropped):
                    self._events.append(ReplyDropped(DropReason(dropped.value)))
                case EchoFound():
                    self._events.append(event)
            if self._task is not None:
                self._task.hearing.note(event)

    def _take_message(self, message: bytes, now: float) -> None:
        service = self._service
        if service is None:
            self._events.append(ReplyDropped(DropReason.LATE))
            return
        try:
            self._read(service, message, now)
        except CorruptFrame:
            self._events.append(ReplyDropped(DropReason.CONTENT))
            task = self._task
            if isinstance(service, Negotiate):
                self._odd_grants += 1
                if self._odd_grants >= ODD_GRANTS:
                    self._offer = None  # this meter does not know what to say to it: do without
            if isinstance(service, Identify) and task is not None and task.spent.leftovers < LEFTOVERS:
                task.spent = task.spent.by_leftover()
                self._link.listen(now)
            else:
                self._lose(service, None, now, arrived=True)

    def _read(self, service: Service, message: bytes, now: float) -> None:
        """Take an answer. Raises CorruptFrame, before anything has changed, if it is not the answer to this service."""
        if isinstance(service, Terminate):
            self._end(EndReason.CLOSED, now)  # whatever it says, nothing is left to end
            return
        response = decode_response(message, service)
        if response.ok:
            self._take_ok(service, response, now)
        elif isinstance(service, Identify) and not (response.code in BUSY or starts_anew(response.code)):
            raise CorruptFrame("a meter refuses Identify for no such reason")
        else:
            self._service = None
            self._take_refusal(service, response, now)

    def _take_ok(self, service: Service, response: Response, now: float) -> None:
        grant = None
        if isinstance(service, Negotiate):
            # A bare ok grants nothing: what held before holds on.
            grant = decode_grant(response.data, service) if response.data else Grant(DEFAULT_LIMITS, None)
        identity = decode_identity(response.data) if isinstance(service, Identify) else None
        self._service = None
        self._state = state_after(self._state, service) or self._state
        self._baud_unproven = False
        if identity is not None:
            self._keep_alive.opened = now
            self._identity = identity
        elif grant is not None:
            self._settle(grant, now)
        elif isinstance(service, Security) or (isinstance(service, Logon) and self._password is None):
            self._proven |= isinstance(service, Security)
            if self._task is None or self._task.wanted is not Goal.LOGIN:
                self._events.append(SessionOpened(self.limits, isinstance(service, Security)))
        elif not isinstance(service, Logon) and service is not self._keep_alive.service:
            self._answer(response)

    def _settle(self, grant: Grant, now: float) -> None:
        """Adopt what the meter granted."""
        if grant.limits.message < DEFAULT_LIMITS.message:
            # Less than everybody has without asking, and too little for a key: do without.
            self._offer = None
            self._ending = EndReason.RESTARTED
            return
        self._link.limits = grant.limits
        self._link.set_largest(grant.limits.size)
        self._change_baud(grant.baud or self._line.baud, now + _BAUD_PAUSE)

    def _answer(self, response: Response) -> None:
        """Pass the answer to a request on, when it is whole."""
        if self._task is None or self._service_for is not self._task:
            self._events.append(ReplyDropped(DropReason.LATE))
            return
        whole = self._task.take(response)
        if whole is not None:
            self._events.append(whole)
            self._task = None
            self._keep_alive.used = self._now

    def _take_refusal(self, service: Service, response: Response, now: float) -> None:
        if service is self._keep_alive.service:
            self._ending = self._keep_alive.refused(response.code, self._state) or self._ending
            return
        match self._judged(service, response):
            case Verdict.AGAIN:
                self._pause_until = now + RETRY_PAUSE
            case Verdict.ANEW:
                if isinstance(service, Identify):
                    self._state = State.IDENTIFIED  # or further: an older session is still open
                self._ending = EndReason.RESTARTED
            case Verdict.REPEAT:
                self._ending = EndReason.REPEATED
            case Verdict.WITHOUT:
                self._offer = None
                self._state = State.SETTLED
            case Verdict.FINAL:
                rejection = key_rejected(response.code)
                self._rejected = str(rejection)
                self._ending = EndReason.REFUSED
                self._give_up(rejection)
            case Verdict.FAILED:
                self._ending = EndReason.REFUSED
                self._give_up(refused(service, response.code))
            case Verdict.ANSWER:
                self._answer(response)

    def _judged(self, service: Service, response: Response) -> Verdict:
        """Judge a refusal, and note what it costs."""
        task = self._task
        verdict = judge_refusal(service, response.code, None if task is None else task.spent, proven=self._proven)
        if task is not None:
            task.spent = task.spent.by_refusal(service, verdict)
        return verdict

    def _take_failure(self, reason: FailReason, now: float, *, arrived: bool) -> None:
        service = self._service
        if isinstance(service, Terminate):
            self._end(EndReason.LOST, now)
        elif service is not None:
            self._lose(service, reason, now, arrived=arrived)

    def _lose(self, service: Service, reason: FailReason | None, now: float, *, arrived: bool) -> None:
        """An exchange is lost, and the session with it: begin anew if there is patience left."""
        if reason in {None, FailReason.OUT_OF_STEP} and self._state is not State.BASE:
            self._service, self._ending = None, EndReason.RESTARTED  # the line works: take leave properly
        else:
            self._end(EndReason.LOST, now)
        task = self._task
        if task is None:
            return
        if arrived and task.writes and service is task.wanted:
            self._give_up(write_uncertain(service))
            return
        task.spent = task.spent.by_loss()
        known = self._identity is not None
        error = judge_loss(service, reason, task.spent, task.hearing, proven=self._proven, known=known)
        if error is not None:
            self._give_up(error)

    def _end(self, reason: EndReason, now: float) -> None:
        """The session is over: all is as in the beginning."""
        self._service = None
        if self._state is not State.BASE:
            self._events.append(SessionEnded(reason if reason is EndReason.LOST else self._ending or reason))
        if self._task is None or self._ending is not EndReason.CLOSED:
            self._ending = None
        self._state = State.BASE
        self._link.forget()
        self._link.limits = DEFAULT_LIMITS
        self._link.set_largest(DEFAULT_LIMITS.size)
        if self._baud_unproven and self._offer is not None:
            self._offer = replace(self._offer, bauds=(DEFAULT_BAUD,))
        # A meter that did not hear Terminate goes back to its first rate when the channel traffic timer ends.
        self._change_baud(DEFAULT_BAUD, now + (CHANNEL_TRAFFIC + 1.0 if reason is EndReason.LOST else _BAUD_PAUSE))

    def _change_baud(self, baud: int, at: float) -> None:
        if baud != self._line.baud:
            self._next_baud = baud
            self._pause_until = at

    def _adopt_baud(self, now: float) -> None:
        if self._next_baud is not None:
            self._line = replace(self._line, baud=self._next_baud)
            self._link.set_line(self._line)
            self._events.append(BaudChanged(self._next_baud))
            self._baud_unproven = self._next_baud != DEFAULT_BAUD
            self._next_baud = None
            self._pause_until = now + _BAUD_PAUSE
